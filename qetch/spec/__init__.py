"""What a site file may say: read it (`load`), hold it against the schema (`check`), compile it (`compile`)."""

from __future__ import annotations

from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from pathlib import Path

    from qetch.spec.load import Document
    from qetch.spec.model import Site
    from qetch.spec.partial import Rest
    from qetch.spec.problems import Problem


def read(path: Path, *, checked: str | None = None) -> Site:
    """The compiled site of a file.

    Args:
        path: The YAML file.
        checked: The SHA-256 of its bytes when it passed every check; a file that is still the same is not held
            against the schema again.

    Raises:
        SpecError: It has problems; they are in `problems`.
        FileError: It cannot be read.
    """
    from qetch.errors import SpecError

    site, problems = _inspect(path, checked)
    if site is None or problems:
        raise SpecError(problems=problems)
    return site


def inspect(path: Path, shown: str | None = None, *, lint: bool = False) -> tuple[Site | None, list[Problem]]:
    """The compiled site of a file, or None, and all that is wrong with it.

    Args:
        path: The YAML file.
        shown: Its name in messages.
        lint: Whether warnings are wanted too: they keep no site from being used.

    Raises:
        FileError: It cannot be read.
    """
    site, problems = _inspect(path, None, shown, lint)
    return (None if any(problem.severity == "error" for problem in problems) else site), problems


def survey(path: Path, shown: str | None = None) -> tuple[Site | None, list[Problem]]:
    """As `inspect` with warnings; but of a file with errors there is a site too, with the handles that are certain.

    Raises:
        FileError: It cannot be read.
    """
    return _inspect(path, None, shown, lint=True)


def _inspect(
    path: Path, checked: str | None, shown: str | None = None, lint: bool = False
) -> tuple[Site | None, list[Problem]]:
    from dataclasses import replace
    from hashlib import sha256

    from qetch.errors import FileError, SpecError
    from qetch.spec.load import MAX_BYTES, load

    try:
        with path.open("rb") as file:
            raw = file.read(MAX_BYTES + 1)  # one more than is allowed is enough to refuse it
    except OSError as error:
        raise FileError(f"cannot read {path}: {error.strerror}") from None
    try:
        document = load(path, raw, shown)
    except SpecError as error:
        return None, list(error.problems)
    digest = sha256(raw).hexdigest()
    site, problems, rest = _compile(document, checked == digest)
    problems += _hook_problems(rest.document, path)
    site = replace(site, path=path, digest=digest) if site else None
    return site, sorted({*problems, *(_warnings(rest, problems) if lint else ())})  # what an alias repeats is said once


def _warnings(rest: Rest, errors: list[Problem]) -> list[Problem]:
    """Those at places that have no error."""
    from qetch.spec.lint import warnings

    taken = {(problem.line, problem.column) for problem in errors}
    return [problem for problem in warnings(rest) if (problem.line, problem.column) not in taken]


def _hook_problems(document: Document, path: Path) -> list[Problem]:
    """Hooks are Python: only beside a spec of a trusted folder, and only those that are there."""
    if "hooks" not in document.data:
        return []
    import ast

    from qetch.paths import distrust
    from qetch.spec.names import items

    file = path.with_suffix(".py")
    reason = distrust(path.parent, file)
    if reason:
        return [document.problem(("hooks",), "hooks run only in a trusted folder", reason, key=True)]
    try:
        tree = ast.parse(file.read_bytes())
    except (OSError, SyntaxError, ValueError) as error:
        return [document.problem(("hooks",), f"{file.name} beside this file cannot be read: {error}", key=True)]
    functions = {node.name for node in tree.body if isinstance(node, ast.FunctionDef)}
    return [
        document.problem(place, f"{file.name} has no function {name!r}", "write it, or remove it here")
        for name, place in items(document.data["hooks"], ("hooks",))
        if isinstance(name, str) and name not in functions
    ]


def _compile(document: Document, checked: bool) -> tuple[Site | None, list[Problem], Rest]:
    from qetch.spec.compile import compile_rest
    from qetch.spec.partial import Rest

    problems: list[Problem] = []
    rest: Rest | None = Rest(document)
    if not checked:
        from qetch.spec.check import examine

        problems, rest = examine(document)
    if rest is None:
        return None, problems, Rest(document)
    site, others = compile_rest(rest)
    return site, problems + others, rest
