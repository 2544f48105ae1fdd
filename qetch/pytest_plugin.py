"""A plugin of pytest: `pytest sites/` runs the examples of site files, each as a test.

It looks at the first bytes of `*.yaml` files that pytest comes by, and has no effect on any that is no spec.
Nothing of qetch is imported before there is one.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import pytest

if TYPE_CHECKING:
    from collections.abc import Iterator
    from pathlib import Path

    from qetch.tools.examples import Case, Result

CASSETTES = "qetch_cassettes"


def pytest_addoption(parser: pytest.Parser) -> None:
    """The setting `qetch_cassettes`."""
    help_text = "the folder of cassettes for the examples of qetch's site files, from the root folder of the tests"
    parser.addini(CASSETTES, help_text, default="")


def pytest_collect_file(file_path: Path, parent: pytest.Collector) -> pytest.Collector | None:
    """Takes a file if it is a spec."""
    if file_path.suffix != ".yaml":
        return None
    from qetch.tools.spec_files import is_spec

    return SpecFile.from_parent(parent, path=file_path) if is_spec(file_path) else None


class SpecFile(pytest.File):
    """A site file."""

    def collect(self) -> Iterator[SpecExample]:
        """A test for each of its examples.

        Raises:
            CollectError: The file has problems, which are all in the message.
        """
        from qetch.errors import QetchError
        from qetch.spec import read
        from qetch.tools.examples import cases, line
        from qetch.tools.spec_files import cassettes_for

        setting: str = self.config.getini(CASSETTES)
        try:
            site = read(self.path)
            folder = cassettes_for(self.path, site.name, self.config.rootpath / setting if setting else None)
            found = [(case, line(case)) for case in cases(site)]
        except QetchError as error:
            raise self.CollectError(str(error)) from None
        for case, number in found:
            name = f"{case.handle}[{case.example.url}]"
            yield SpecExample.from_parent(self, name=name, case=case, folder=folder, line=number - 1)


class SpecExample(pytest.Item):
    """An example of a site file."""

    def __init__(self, *, case: Case, folder: Path | None, line: int, **kwargs: Any) -> None:
        super().__init__(**kwargs)
        self.case, self.folder, self.line = case, folder, line

    def runtest(self) -> None:
        """Plays the example from its cassettes.

        Raises:
            ExampleFailed: It gives something else than it should.
        """
        from qetch.tools.examples import play

        result = play(self.case, self.folder)
        if result.outcome == "failed":
            raise ExampleFailed(result, self.line + 1)

    def repr_failure(self, excinfo: pytest.ExceptionInfo[BaseException], *args: Any, **kwargs: Any) -> Any:
        """What differs, field by field, without a traceback; of other errors what pytest says."""
        from qetch.errors import QetchError

        if isinstance(excinfo.value, ExampleFailed):
            return excinfo.value.text()
        if isinstance(excinfo.value, QetchError):
            return f"{self.path}:{self.line + 1}: {excinfo.value}"
        return super().repr_failure(excinfo, *args, **kwargs)

    def reportinfo(self) -> tuple[Path, int, str]:
        """The file, the line of the example, counted from 0, and its name."""
        return self.path, self.line, self.name


class ExampleFailed(AssertionError):
    """An example gave something else than it should."""

    def __init__(self, result: Result, line: int) -> None:
        super().__init__(*result.problems)
        self.result, self.line = result, line

    def text(self) -> str:
        """What a person reads who must mend it."""
        case = self.result.case
        lines = [f"{case.site.path}:{self.line}: handle {case.handle}, example {case.number}: {case.example.url}"]
        lines += [f"  {problem}" for problem in self.result.problems]
        lines += [f"  skipped: {skip}" for skip in self.result.skipped]
        return "\n".join(lines)
