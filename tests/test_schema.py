from __future__ import annotations

import copy
import json
import subprocess
import sys
from typing import TYPE_CHECKING, Any

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from jsonschema import Draft202012Validator

from qetch.spec.check import check, schema
from qetch.spec.explain import make_validator
from qetch.spec.fits import compile_schema
from qetch.spec.load import load
from tests.spec_samples import EVERYTHING, GOOD

if TYPE_CHECKING:
    from collections.abc import Iterator
    from pathlib import Path


def parts(node: Any) -> Iterator[dict[str, Any]]:
    """Every schema within a schema."""
    if isinstance(node, dict):
        yield node
        for keyword, value in node.items():
            if keyword in {"properties", "$defs"}:
                for part in value.values():
                    yield from parts(part)
            elif keyword in {"items", "additionalProperties", "propertyNames", "if", "then", "else", "not"}:
                yield from parts(value)
            elif keyword in {"anyOf", "oneOf", "allOf"}:
                for part in value:
                    yield from parts(part)


def test_the_schema_is_a_json_schema() -> None:
    Draft202012Validator.check_schema(schema())


def resolved(part: dict[str, Any]) -> dict[str, Any]:
    """A schema with what it refers to, its own words first."""
    while "$ref" in part:
        target: Any = schema()
        for key in part["$ref"].split("/")[1:]:
            target = target[key]
        part = {**target, **{key: value for key, value in part.items() if key != "$ref"}}
    return part


def test_every_word_has_a_description_and_examples_that_fit_it() -> None:
    for part in parts(schema()):
        for word, definition in part.get("properties", {}).items():
            if "enum" in definition and set(definition) == {"enum"}:
                continue  # a condition, no definition
            full = resolved(definition)
            assert full.get("description", "").endswith("."), word
            assert full.get("examples"), word
            validator = Draft202012Validator({**full, "$defs": schema()["$defs"]})
            for example in full["examples"]:
                assert validator.is_valid(example), (word, example)


def test_every_mapping_is_closed_and_no_choice_is_blind() -> None:
    for part in parts(schema()):
        if "properties" in part and "title" in part:
            assert part["additionalProperties"] is False or "$ref" in str(part["additionalProperties"]), part["title"]
        for choice in part.get("oneOf", ()):
            assert list(choice) == ["required"]


def test_a_keyword_that_only_jsonschema_knows_is_refused() -> None:
    with pytest.raises(ValueError, match="'multipleOf' is not known"):
        compile_schema({"multipleOf": 2})(4)


def test_each_part_of_the_schema_has_keywords_that_are_known() -> None:
    for part in parts(schema()):
        fits = compile_schema({**part, "$defs": schema()["$defs"]})
        samples: list[Any] = ["", 1, 1.5, True, None, [], {}]
        assert set(map(fits, samples)) <= {True, False}


# --- the two validators agree

JSON = st.recursive(
    st.none()
    | st.booleans()
    | st.integers(-2, 600)
    | st.sampled_from([0.5, 1.0, 2.5])
    | st.sampled_from(["", "a", "json", "a.example", "x\n", "https://a/", "{id}"]),
    lambda inner: (
        st.lists(inner, max_size=3)
        | st.dictionaries(
            st.sampled_from(["get", "post", "in", "to", "of", "css", "text", "url", "when", "rank", "x"]),
            inner,
            max_size=3,
        )
    ),
    max_leaves=4,
)


def containers(data: Any) -> Iterator[Any]:
    """Each mapping and list within data that is not empty."""
    if isinstance(data, (dict, list)) and data:
        yield data
        for inner in data.values() if isinstance(data, dict) else data:
            yield from containers(inner)


@settings(deadline=None, max_examples=60)
@given(st.sampled_from(sorted(GOOD)), st.data())
def test_what_does_not_fit_is_explained_and_what_fits_is_not(name: str, draw: st.DataObject) -> None:
    data: Any = copy.deepcopy(load(name, GOOD[name].encode()).data)
    for _ in range(draw.draw(st.integers(1, 2))):
        chosen = draw.draw(st.sampled_from(list(containers(data))))
        key = draw.draw(st.sampled_from(list(chosen) if isinstance(chosen, dict) else list(range(len(chosen)))))
        if isinstance(chosen, dict) and draw.draw(st.booleans()):
            chosen[draw.draw(st.sampled_from(["get", "in", "form", "text", "url", "note", "zz"]))] = chosen.pop(key)
        else:
            chosen[key] = draw.draw(JSON)
    fits = compile_schema(schema())(data)
    assert fits == make_validator(schema()).is_valid(data)
    found = check(load(name, json.dumps(data).encode()))
    assert bool(found) == (not fits)
    for problem in found:
        assert str(problem).isprintable()


def test_a_file_that_fits_never_asks_jsonschema(tmp_path: Path) -> None:
    path = tmp_path / "good.yaml"
    path.write_text(EVERYTHING, "utf-8")
    code = (
        "import sys; from qetch.spec.load import load; from qetch.spec.check import check; "
        "sys.exit(bool(check(load(sys.argv[1]))) or 'jsonschema' in sys.modules)"
    )
    assert subprocess.run([sys.executable, "-c", code, path], check=False).returncode == 0
