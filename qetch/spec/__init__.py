"""What a site file may say: read it (`load`), hold it against the schema (`check`), compile it (`compile`)."""

from __future__ import annotations

from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from pathlib import Path

    from qetch.spec.load import Document
    from qetch.spec.model import Site
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
    if site is None:
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
    return _inspect(path, None, shown, lint)


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
    site, problems = _compile(document, checked == digest)
    problems += _hook_problems(document, path)
    site = replace(site, path=path, digest=digest) if site and not problems else None
    return site, sorted([*problems, *(_warnings(document, problems) if lint else ())])


def _warnings(document: Document, errors: list[Problem]) -> list[Problem]:
    """Those at places that have no error."""
    from qetch.spec.lint import warnings

    taken = {(problem.line, problem.column) for problem in errors}
    return [problem for problem in warnings(document) if (problem.line, problem.column) not in taken]


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


def _compile(document: Document, checked: bool) -> tuple[Site | None, list[Problem]]:
    from qetch.spec.compile import compile_site

    if checked:
        return compile_site(document)
    from qetch.spec.check import examine

    problems, broken = examine(document)
    if not problems:
        return compile_site(document)
    if broken is None:
        return None, problems
    return None, problems + compile_site(document, broken)[1]
