"""The words of the language as the schema describes them: for terminals, the reference page, and tests."""

from __future__ import annotations

import json
import re
from dataclasses import dataclass
from functools import cache
from typing import TYPE_CHECKING, Any

from qetch.spec.check import schema

if TYPE_CHECKING:
    from collections.abc import Iterator

TAKES = {
    "expected": "a text, number, boolean or null",
    "expected_fields": "texts by name",
    "expected_item": "a mapping of fields and what they are",
    "fields": "templates by name",
    "header_fields": "templates by name",
    "hosts": "a host, or a list of hosts",
    "kind": "a plain word",
    "let_values": "values by name",
    "name": "a name",
    "regex": "a regex",
    "scalar": "a text, number, boolean or null",
    "selector": "a selector",
    "url_text": "a URL",
    "value": "a value: a selector, or a mapping",
}
"""What a word takes whose definition only refers to this part of the schema."""
FORMATS = {
    "css": "a CSS selector",
    "date-format": "a date format",
    "jmespath": "a JMESPath expression",
    "regex": "a regex",
    "selector": "a selector",
    "template": "a template",
    "timezone": "the name of a time zone",
    "xpath": "an XPath",
}
TYPES = {
    "array": "a list",
    "boolean": "true or false",
    "integer": "a whole number",
    "null": "null",
    "number": "a number",
    "object": "a mapping",
    "string": "a text",
}
DOTTED = re.compile(r"[A-Za-z_][\w.-]*")
"""Texts that YAML takes as they are."""
WIDTH = 88


@dataclass(frozen=True, slots=True)
class Word:
    """One word of the language, in one meaning.

    Attributes:
        key: Names the meaning: `pages.next`; the same as `name` where that is enough.
        name: As it is written in a file: `next`.
        description: What it means, in a sentence or two.
        takes: What stands behind it: `a template`.
        examples: Values that fit it.
        choices: The only values that fit it; empty if there are more than one could list.
        default: What stands in for it when it is absent; None if there is no such value.
        places: The mappings in which it may stand, by their titles.
        required: Those of them in which it must.
        inside: The keys of the words that may stand in the mapping behind it.
    """

    key: str
    name: str
    description: str
    takes: str
    examples: tuple[Any, ...]
    choices: tuple[Any, ...]
    default: Any
    places: tuple[str, ...]
    required: tuple[str, ...]
    inside: tuple[str, ...]


@cache
def words() -> dict[str, Word]:
    """Every word of the language by its key, in the order of the schema."""
    found: dict[str, tuple[str, dict[str, Any], list[str], list[str]]] = {}
    for mapping in mappings(schema()):
        for name, part in mapping["properties"].items():
            definition = defined(part)
            if definition is None:
                continue
            _, _, places, required = found.setdefault(definition["title"], (name, definition, [], []))
            places.append(mapping["title"])
            if name in mapping.get("required", ()):
                required.append(mapping["title"])
    return {key: _word(key, *facts) for key, facts in found.items()}


def named(name: str) -> list[Word]:
    """The words of a key, or with a name: `url` has several meanings; empty if there is none."""
    if "." in name:
        return [words()[name]] if name in words() else []
    return sorted((word for word in words().values() if word.name == name), key=lambda word: word.key != name)


def mappings(part: dict[str, Any]) -> Iterator[dict[str, Any]]:
    """A part of the schema and all below it, those that describe a mapping of words; each once, outer ones first."""
    yield from _mappings(part, set())


def _mappings(part: Any, seen: set[int]) -> Iterator[dict[str, Any]]:
    if not isinstance(part, dict) or id(part) in seen:
        return
    seen.add(id(part))
    if "properties" in part and "title" in part:
        yield part
    if "$ref" in part:
        yield from _mappings(target(part["$ref"]), seen)
    for keyword in ("then", "else", "items", "additionalProperties"):
        yield from _mappings(part.get(keyword), seen)
    for inner in part.get("properties", {}).values():
        yield from _mappings(inner, seen)


def defined(part: dict[str, Any]) -> dict[str, Any] | None:
    """The part of the schema that defines a word: it has a title. None for a mere condition."""
    while "title" not in part:
        if "$ref" not in part:
            return None
        part = target(part["$ref"])
    return part


def target(reference: str) -> dict[str, Any]:
    """The part of the schema that a `$ref` names."""
    part: dict[str, Any] = schema()
    for key in reference.removeprefix("#/").split("/"):
        part = part[key]
    return part


def as_yaml(name: str, value: Any, indent: str = "") -> str:
    """A word and its value as people write them in a file: quoted where it is more than dotted names."""
    line = f"{indent}{name}: {_flow(value)}"
    if len(line) <= WIDTH or not isinstance(value, dict | list) or not value:
        return f"{line}\n"
    if isinstance(value, dict):
        return f"{indent}{name}:\n" + "".join(as_yaml(_text(key), inner, indent + "  ") for key, inner in value.items())
    return f"{indent}{name}:\n" + "".join(f"{indent}  - {_flow(inner)}\n" for inner in value)


def _flow(value: Any) -> str:
    """A value on one line."""
    if isinstance(value, dict):
        return "{" + ", ".join(f"{_text(key)}: {_flow(inner)}" for key, inner in value.items()) + "}"
    if isinstance(value, list):
        return f"[{', '.join(map(_flow, value))}]"
    return _text(value) if isinstance(value, str) else json.dumps(value)


def _text(text: str) -> str:
    if DOTTED.fullmatch(text) and text not in ("true", "false", "null"):
        return text
    if '"' in text or "\\" in text:  # in single quotes they stay as they are
        return "'" + text.replace("'", "''") + "'"
    return json.dumps(text, ensure_ascii=False)


def _word(key: str, name: str, part: dict[str, Any], places: list[str], required: list[str]) -> Word:
    choices = part.get("enum", (part["const"],) if "const" in part else ())
    if "$ref" in part:
        choices = choices or target(part["$ref"]).get("enum", ())
    inside = [
        definition["title"]
        for mapping in _own_mappings(part)
        for definition in map(defined, mapping["properties"].values())
        if definition
    ]
    return Word(
        key=key,
        name=name,
        description=part["description"],
        takes="one of these" if choices else _takes(part),
        examples=tuple(part["examples"]),
        choices=tuple(choices),
        default=part.get("default", part.get("x-default")),  # what is `default` the editors would write out
        places=tuple(dict.fromkeys(places)),
        required=tuple(dict.fromkeys(required)),
        inside=tuple(dict.fromkeys(inside)),
    )


def _own_mappings(part: dict[str, Any]) -> Iterator[dict[str, Any]]:
    """The mapping that a word takes, or those of the list that it takes; not the one of a plain value."""
    if "properties" in part:
        yield part
    for keyword in ("else", "$ref"):
        if part.get(keyword, "#/$defs/value") != "#/$defs/value":
            inner = target(part[keyword]) if keyword == "$ref" else part[keyword]
            yield from _own_mappings(inner)


def _takes(part: dict[str, Any]) -> str:
    if "$ref" in part:
        return _takes_item(part)
    kinds = part.get("type", [])
    kinds = [kinds] if isinstance(kinds, str) else kinds
    if not kinds:
        return "anything"
    if "else" in part and "array" in kinds:
        return f"{_takes_item(part['else'])}, or a list of such"
    texts = [FORMATS.get(part.get("format", ""), TYPES[kind]) if kind == "string" else TYPES[kind] for kind in kinds]
    return " or ".join(texts) if len(texts) < 3 else f"{', '.join(texts[:-1])} or {texts[-1]}"


def _takes_item(item: dict[str, Any]) -> str:
    reference = item.get("$ref", "")
    return TAKES.get(reference.rpartition("/")[2]) or _takes(target(reference) if reference else item)
