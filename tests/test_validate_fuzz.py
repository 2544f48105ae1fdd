"""Whatever a site file holds, it ends in diagnostics.

A slice of the cases runs each time; `QETCH_FUZZ=20000` runs so many, and `QETCH_FUZZ_SEED` others.
"""

from __future__ import annotations

import json
import os
from pathlib import Path
from random import Random

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from qetch.tools.excerpt import Excerpts, line_of
from qetch.tools.report import FORMATS
from qetch.tools.validate import inspect_one, report
from tests.mutator import spoil

TESTS = Path(__file__).parent
SEEDS = [*sorted((TESTS.parent / "sites").glob("*.yaml")), *sorted((TESTS / "specs" / "good").glob("*.yaml"))]
CASES = int(os.environ.get("QETCH_FUZZ", "1200"))
SEED = int(os.environ.get("QETCH_FUZZ_SEED", "0"))
SHARDS = 4
"""Tests that share the cases, so that they can run beside each other."""


def ends_in_diagnostics(file: Path, text: bytes) -> None:
    file.write_bytes(text)
    outcome = inspect_one(file)
    errors = [problem for problem in outcome.problems if problem.severity == "error"]
    assert errors or outcome.claims
    lines = text.decode("utf-8", "replace").count("\n") + text.count(b"\r") + 1
    excerpts = Excerpts(80, colour=True)
    for problem in outcome.problems:
        assert problem.file == str(file)
        assert 1 <= problem.line <= lines + 1  # one more is the end of the file
        assert problem.column >= 1
        assert problem.message
        assert len(problem.message) < 1000
        assert problem.severity in ("error", "warning")
        assert line_of(problem).startswith(f"{file}:{problem.line}:")
        assert all("\n" not in line for line in excerpts.shown(problem))


@pytest.mark.parametrize("shard", range(SHARDS))
def test_a_spoiled_spec_ends_in_diagnostics(shard: int, tmp_path: Path) -> None:
    seeds = [file.read_bytes() for file in SEEDS]
    for number in range(shard, CASES, SHARDS):
        random = Random(f"{SEED}-{number}")
        text = spoil(random.choice(seeds), random)
        try:
            ends_in_diagnostics(tmp_path / "x.yaml", text)
        except Exception as error:
            error.add_note(f"case {number} of seed {SEED}: {text!r}")
            raise


@settings(max_examples=100, deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture])
@given(st.binary(max_size=200))
def test_any_bytes_end_in_diagnostics(tmp_path: Path, raw: bytes) -> None:
    ends_in_diagnostics(tmp_path / "x.yaml", raw)


def test_every_format_can_write_any_problem_down(tmp_path: Path) -> None:
    outcomes = {}
    for number in range(60):
        random = Random(f"format-{number}")
        file = tmp_path / f"{number}.yaml"
        file.write_bytes(spoil(random.choice(SEEDS).read_bytes(), random))
        outcomes[file] = inspect_one(file)
    found = report(outcomes)
    assert found.errors > 60
    assert len(json.loads(FORMATS["json"](found))["problems"]) == len(found.problems)
    assert len(json.loads(FORMATS["sarif"](found))["runs"][0]["results"]) == len(found.problems)
    assert len(FORMATS["github"](found).splitlines()) == len(found.problems)
