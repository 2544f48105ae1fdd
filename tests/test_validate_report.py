"""What was found is written down: for people, for programs, for services."""

from __future__ import annotations

import json
import re
from typing import TYPE_CHECKING, Any

import jsonschema
import pytest

from qetch.spec.problems import Problem
from qetch.tools.excerpt import Excerpts, cut, line_of
from qetch.tools.report import as_github, as_json, as_sarif
from qetch.tools.validate import Report

if TYPE_CHECKING:
    from collections.abc import Sequence
    from pathlib import Path

ERROR = Problem("sites/a b.yaml", 3, 7, 'unknown key "titel"', 'did you mean "title"?')
WARNING = Problem("sites/c.yaml", 1, 2, "50 % of it,\nor more", severity="warning", rule="open-end")

TEXT = {"type": "object", "required": ["text"], "properties": {"text": {"type": "string", "minLength": 1}}}
NUMBER = {"type": "integer", "minimum": 1}
LEVEL = {"enum": ["none", "note", "warning", "error"]}


def closed(required: Sequence[str], **properties: Any) -> dict[str, Any]:
    return {"type": "object", "required": list(required), "properties": properties, "additionalProperties": False}


RULE = closed(["id"], id={"type": "string"}, shortDescription=TEXT, defaultConfiguration=closed([], level=LEVEL))
PLACE = closed(
    ["artifactLocation"],
    artifactLocation=closed(["uri"], uri={"type": "string", "pattern": r"^[\w./%~:-]+$"}),
    region=closed([], startLine=NUMBER, startColumn=NUMBER),
)
RESULT = closed(
    ["message"],
    ruleId={"type": "string"},
    level=LEVEL,
    message=TEXT,
    locations={"type": "array", "items": closed([], physicalLocation=PLACE)},
)
RUN = closed(
    ["tool"],
    tool=closed(
        ["driver"],
        driver=closed(
            ["name"],
            name={"const": "qetch"},
            version={"type": "string"},
            rules={"type": "array", "uniqueItems": True, "items": RULE},
        ),
    ),
    columnKind={"enum": ["utf16CodeUnits", "unicodeCodePoints"]},
    results={"type": "array", "items": RESULT},
)
SARIF = closed(
    ["version", "runs"], **{"$schema": {"type": "string"}, "version": {"const": "2.1.0"}, "runs": {"items": RUN}}
)
"""What SARIF 2.1.0 says of the parts that are used, after its specification (OASIS, 3.13 to 3.52)."""


@pytest.fixture
def report() -> Report:
    return Report(3, (ERROR, WARNING))


def test_json_holds_all_of_it(report: Report) -> None:
    found = json.loads(as_json(report))
    assert (found["files"], found["errors"], found["warnings"]) == (3, 1, 1)
    assert found["problems"][0] == {
        "file": "sites/a b.yaml",
        "line": 3,
        "column": 7,
        "severity": "error",
        "rule": "spec",
        "message": 'unknown key "titel"',
        "cure": 'did you mean "title"?',
    }
    assert found["problems"][1]["rule"] == "open-end"


def test_github_gets_one_annotation_a_line_with_its_own_escapes() -> None:
    problem = WARNING._replace(file="a:b,c%.yaml", cure="write less")
    assert as_github(Report(2, (ERROR, problem))).splitlines() == [
        '::error file=sites/a b.yaml,line=3,col=7::unknown key "titel" - did you mean "title"?',
        "::warning file=a%3Ab%2Cc%25.yaml,line=1,col=2::50 %25 of it,%0Aor more - write less",
    ]


def test_sarif_is_as_its_specification_says(report: Report, tmp_path: Path) -> None:
    far = ERROR._replace(file=str(tmp_path / "ü.yaml"))
    log = json.loads(as_sarif(Report(4, (*report.problems, far))))
    jsonschema.Draft202012Validator(SARIF).validate(log)
    [run] = log["runs"]
    rules = {rule["id"]: rule for rule in run["tool"]["driver"]["rules"]}
    assert rules["open-end"]["defaultConfiguration"]["level"] == "warning"
    assert rules["spec"]["defaultConfiguration"]["level"] == "error"
    assert {result["ruleId"] for result in run["results"]} == set(rules)
    places = [result["locations"][0]["physicalLocation"] for result in run["results"]]
    assert places[0] == {
        "artifactLocation": {"uri": "sites/a%20b.yaml"},
        "region": {"startLine": 3, "startColumn": 7},
    }
    assert places[2]["artifactLocation"]["uri"] == f"file://{tmp_path}/%C3%BC.yaml"


def test_sarif_of_nothing_found_has_no_results() -> None:
    log = json.loads(as_sarif(Report(1, ())))
    jsonschema.Draft202012Validator(SARIF).validate(log)
    assert log["runs"][0]["results"] == []


def test_a_warning_is_called_one() -> None:
    assert line_of(ERROR) == 'sites/a b.yaml:3:7: unknown key "titel" - did you mean "title"?'
    assert line_of(WARNING).startswith("sites/c.yaml:1:2: warning: 50 %")


class TestExcerpt:
    def shown(self, tmp_path: Path, text: bytes, line: int, column: int, width: int = 80) -> list[str]:
        file = tmp_path / "x.yaml"
        file.write_bytes(text)
        problem = Problem(str(file), line, column, "wrong", "right")
        return list(Excerpts(width, colour=False).shown(problem))[1:]

    def test_shows_the_line_with_a_caret(self, tmp_path: Path) -> None:
        assert self.shown(tmp_path, b"a: 1\n  titel: 2\n", 2, 3) == [" 2 |   titel: 2", "   |   ^"]

    def test_a_tab_is_a_blank_and_wide_letters_count_twice(self, tmp_path: Path) -> None:
        assert self.shown(tmp_path, "\t漢: 2\n".encode(), 1, 3) == [" 1 |  漢: 2", "   |    ^"]

    def test_no_terminal_obeys_what_is_in_a_file(self, tmp_path: Path) -> None:
        lines = self.shown(tmp_path, b"a\x1b[2Jb\x07\n", 1, 6)
        assert lines == [r" 1 | a\x1b[2Jb\x07", "   |         ^"]

    def test_a_byte_order_mark_is_no_letter_and_windows_ends_no_problem(self, tmp_path: Path) -> None:
        assert self.shown(tmp_path, b"\xef\xbb\xbfa: 1\r\nb: 2\r\n", 1, 1) == [" 1 | a: 1", "   | ^"]

    def test_of_a_long_line_the_part_at_the_place_is_shown(self, tmp_path: Path) -> None:
        text = b"x" * 300 + b"HERE" + b"y" * 300
        excerpt, caret = self.shown(tmp_path, text, 1, 301, 60)
        assert len(excerpt) <= 60
        assert excerpt[caret.index("^")] == "H"
        assert excerpt.startswith(" 1 | …x")
        assert excerpt.endswith("y…")

    @pytest.mark.parametrize(("line", "column"), [(9, 1), (1, 99)])
    def test_a_line_that_is_not_there_any_more_is_not_shown(self, tmp_path: Path, line: int, column: int) -> None:
        assert self.shown(tmp_path, b"a: 1\n", line, column) == []

    def test_a_file_that_is_not_there_any_more_is_no_problem(self) -> None:
        assert len(list(Excerpts(80, colour=False).shown(ERROR))) == 1

    def test_colours_do_not_change_the_text(self, tmp_path: Path) -> None:
        file = tmp_path / "x.yaml"
        file.write_text("a: 1\n")
        problem = Problem(str(file), 1, 4, "wrong")
        plain, coloured = (list(Excerpts(80, colour=colour).shown(problem)) for colour in (False, True))
        assert plain != coloured
        assert [re.sub(r"\x1b\[[0-9;]*m", "", line) for line in coloured] == plain

    def test_the_place_of_a_cut_line_is_seen_wherever_it_is(self) -> None:
        line = "".join(chr(ord("a") + i % 26) for i in range(200))
        for at in range(200):
            text, column = cut(line, at, 40)
            assert text[column] == line[at]
            assert len(text) <= 40
