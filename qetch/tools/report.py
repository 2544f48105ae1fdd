"""Writes down what was found in site files: for people, for programs, and for the services that show it in a diff."""

from __future__ import annotations

import json
from pathlib import Path
from typing import TYPE_CHECKING, Any

from qetch import __version__

if TYPE_CHECKING:
    from collections.abc import Callable, Iterable, Iterator

    from qetch.spec.problems import Problem
    from qetch.tools.validate import Report

ERROR_RULE = "spec"
"""The rule of the problems that have none of their own: the language is one rule."""
SARIF_SCHEMA = "https://json.schemastore.org/sarif-2.1.0.json"


def as_json(report: Report) -> str:
    """One JSON object: how many files, errors and warnings, and the `problems`."""
    found = [
        {
            "file": problem.file,
            "line": problem.line,
            "column": problem.column,
            "severity": problem.severity,
            "rule": problem.rule or ERROR_RULE,
            "message": problem.message,
            "cure": problem.cure,
        }
        for problem in report.problems
    ]
    counts = {"files": report.files, "errors": report.errors, "warnings": report.warnings}
    return json.dumps({**counts, "problems": found}, indent=2, ensure_ascii=False)


def as_github(report: Report) -> str:
    """Workflow commands, which GitHub shows beside the lines: `::error file=…,line=…,col=…::message`."""
    return "\n".join(map(_annotation, report.problems))


def _annotation(problem: Problem) -> str:
    place = f"file={_property(problem.file)},line={problem.line},col={problem.column}"
    return f"::{problem.severity} {place}::{_data(sentence(problem))}"


def _data(text: str) -> str:
    return text.replace("%", "%25").replace("\r", "%0D").replace("\n", "%0A")


def _property(text: str) -> str:
    return _data(text).replace(":", "%3A").replace(",", "%2C")


def as_sarif(report: Report) -> str:
    """A SARIF 2.1.0 log, as code scanning services read it."""
    driver = {"name": "qetch", "version": __version__, "rules": list(_rules(report.problems))}
    run = {
        "tool": {"driver": driver},
        "columnKind": "unicodeCodePoints",
        "results": [_result(problem) for problem in report.problems],
    }
    return json.dumps({"$schema": SARIF_SCHEMA, "version": "2.1.0", "runs": [run]}, indent=2, ensure_ascii=False)


def _rules(problems: Iterable[Problem]) -> Iterator[dict[str, Any]]:
    """The rules that are used: the language, and the checks of `qetch.spec.lint`, in the words of their docstrings."""
    from qetch.spec import lint

    says = {rule: (check.__doc__ or "").strip() for rule, check in lint.CHECKS.items()}
    for rule in sorted({problem.rule or ERROR_RULE for problem in problems}):
        text = says.get(rule, "A site file keeps to the spec language.")
        level = "warning" if rule in says else "error"
        yield {"id": rule, "shortDescription": {"text": text}, "defaultConfiguration": {"level": level}}


def _result(problem: Problem) -> dict[str, Any]:
    place = {
        "artifactLocation": {"uri": _uri(problem.file)},
        "region": {"startLine": problem.line, "startColumn": problem.column},
    }
    return {
        "ruleId": problem.rule or ERROR_RULE,
        "level": problem.severity,
        "message": {"text": sentence(problem)},
        "locations": [{"physicalLocation": place}],
    }


def _uri(file: str) -> str:
    from urllib.parse import quote

    path = Path(file)
    return path.as_uri() if path.is_absolute() else quote(path.as_posix())


def sentence(problem: Problem) -> str:
    """The message with its cure."""
    return f"{problem.message} - {problem.cure}" if problem.cure else problem.message


FORMATS: dict[str, Callable[[Report], str]] = {"json": as_json, "github": as_github, "sarif": as_sarif}
"""Those for programs; for people there is `qetch.tools.excerpt`."""
