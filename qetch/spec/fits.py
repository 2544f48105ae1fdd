"""Whether data fits a JSON Schema, and nothing else: fast, and without importing a library.

Most files fit. So the schema is turned into functions once, and jsonschema, which takes 54 ms to import and
some more to run, is asked only why a file does not fit. A keyword that is unknown here is refused: the schema
cannot outgrow this module unseen.
"""

from __future__ import annotations

import re
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from collections.abc import Callable, Iterable, Iterator, Mapping

TYPES: dict[str, tuple[type, ...]] = {
    "string": (str,),
    "object": (dict,),
    "array": (list,),
    "integer": (int,),
    "number": (int, float),
    "boolean": (bool,),
    "null": (type(None),),
}
ANNOTATIONS = frozenset(
    {"$schema", "$defs", "title", "description", "examples", "default", "format"}
    | {"x-message", "x-cure", "x-elsewhere", "x-below", "x-meant", "x-at", "x-default"}
    | {"type", "then", "else"}  # read where they matter
)


def compile_schema(schema: Mapping[str, Any]) -> Callable[[Any], bool]:
    """A function that says whether data fits a schema.

    Raises:
        ValueError: The schema has a keyword that is not known here.

    >>> fits = compile_schema({"type": ["string", "array"], "minLength": 2})
    >>> fits("ab"), fits("a"), fits([]), fits(1)
    (True, False, True, False)
    """
    return _Compiler(schema).test(schema)


def whole(pattern: str) -> re.Pattern[str]:
    r"""A schema's regex, whose last `$` means the end, and not also a line end before it."""
    return re.compile(f"{pattern[:-1]}\\Z" if pattern.endswith("$") else pattern)


class _Compiler:
    """Compiles the parts of one schema; a referenced part is compiled once."""

    def __init__(self, schema: Mapping[str, Any]) -> None:
        self.schema = schema
        self.compiled: dict[str, Callable[[Any], bool]] = {}

    def reference(self, reference: str) -> Callable[[Any], bool]:
        """The function of another part, such as `#/$defs/value`."""
        if reference not in self.compiled:
            part: Any = self.schema
            for key in reference.split("/")[1:]:
                part = part[key]
            self.compiled[reference] = self.test(part)
        return self.compiled[reference]

    def test(self, schema: Mapping[str, Any]) -> Callable[[Any], bool]:
        """A function from data to whether it fits; what it asks is made for each class of data, at its first."""
        if schema.keys() - ANNOTATIONS == {"$ref"} and "type" not in schema:  # most words are nothing else
            return self.reference(schema["$ref"])
        names = schema.get("type", list(TYPES))
        classes = {cls for name in ([names] if isinstance(names, str) else names) for cls in TYPES[name]}
        table: dict[type, tuple[Callable[[Any], bool], ...]] = {}

        def fits(data: Any) -> bool:
            cls = data.__class__
            tests = table.get(cls)
            if tests is None:
                tests = table[cls] = tuple(self.tests(schema, cls)) if cls in classes else (_never,)
            for test in tests:  # all() with a generator takes twice as long
                if not test(data):
                    break
            else:
                return True
            return False

        return fits

    def tests(self, schema: Mapping[str, Any], cls: type) -> Iterator[Callable[[Any], bool]]:
        """The functions that matter for data of one class."""
        if cls is dict:
            yield from self.objects(schema)
        for keyword, value in schema.items():
            if keyword in _OBJECTS or keyword in ANNOTATIONS:
                continue
            if keyword in _OF_CLASS:
                wanted, make = _OF_CLASS[keyword]
                if cls in wanted:
                    yield make(value)
            elif keyword == "items":
                if cls is list:
                    yield _items(self.test(value))
            elif keyword == "if":
                yield from self.condition(schema, cls)
            else:
                yield from self.combination(keyword, value)

    def combination(self, keyword: str, value: Any) -> Iterator[Callable[[Any], bool]]:
        if keyword == "$ref":
            yield self.reference(value)
        elif keyword == "not":
            yield _not(self.test(value))
        elif keyword == "allOf":
            yield from map(self.test, value)
        elif keyword in {"anyOf", "oneOf"}:
            keys = [part.get("required", [None])[0] for part in value if len(part) == 1]
            if len(keys) == len(value) and None not in keys:
                yield (_any_key if keyword == "anyOf" else _one_key)(frozenset(keys))
            else:
                yield _count([self.test(part) for part in value], 1 if keyword == "oneOf" else len(value))
        else:
            raise ValueError(f"the schema's keyword {keyword!r} is not known")

    def condition(self, schema: Mapping[str, Any], cls: type) -> Iterator[Callable[[Any], bool]]:
        """`if`, `then`, `else`; where the class alone decides, nothing is left to ask."""
        condition = schema["if"]
        yes, no = (self.test(schema.get(word, {})) for word in ("then", "else"))
        if cls not in TYPES.get(condition.get("type", ""), (cls,)):
            if "else" in schema:
                yield no
        elif condition.keys() == {"type"}:
            yield yes
        else:
            yield _if(self.test(condition), yes, no)

    def objects(self, schema: Mapping[str, Any]) -> Iterator[Callable[[Any], bool]]:
        """What is asked of mappings."""
        required = frozenset(schema.get("required", ()))
        if required:
            yield required.issubset
        fewest = schema.get("minProperties", 0)
        if fewest:
            yield lambda data: len(data) >= fewest
        if "dependentRequired" in schema:
            yield _dependent({key: frozenset(needed) for key, needed in schema["dependentRequired"].items()})
        if "propertyNames" in schema:
            yield _names(self.test(schema["propertyNames"]))
        if "properties" in schema or "additionalProperties" in schema:
            properties = {key: self.test(value) for key, value in schema.get("properties", {}).items()}
            others = schema.get("additionalProperties", {})
            yield _properties(properties, _never if others is False else self.test(others))


def _never(_: Any) -> bool:
    return False


def _items(test: Callable[[Any], bool]) -> Callable[[Any], bool]:
    return lambda data: all(map(test, data))


def _not(test: Callable[[Any], bool]) -> Callable[[Any], bool]:
    return lambda data: not test(data)


def _count(tests: list[Callable[[Any], bool]], most: int) -> Callable[[Any], bool]:
    return lambda data: 1 <= sum(test(data) for test in tests) <= most


def _any_key(keys: frozenset[str]) -> Callable[[Any], bool]:
    return lambda data: data.__class__ is not dict or not keys.isdisjoint(data)


def _one_key(keys: frozenset[str]) -> Callable[[Any], bool]:
    return lambda data: data.__class__ is not dict or len(keys.intersection(data)) == 1


def _if(
    condition: Callable[[Any], bool], yes: Callable[[Any], bool], no: Callable[[Any], bool]
) -> Callable[[Any], bool]:
    return lambda data: yes(data) if condition(data) else no(data)


def _names(test: Callable[[Any], bool]) -> Callable[[Any], bool]:
    return lambda data: all(map(test, data))


def _dependent(needed: Mapping[str, frozenset[str]]) -> Callable[[Any], bool]:
    return lambda data: all(keys.issubset(data) for key, keys in needed.items() if key in data)


def _properties(
    properties: Mapping[str, Callable[[Any], bool]], others: Callable[[Any], bool]
) -> Callable[[Any], bool]:
    find = properties.get

    def test(data: Any) -> bool:
        for key, value in data.items():
            if not find(key, others)(value):
                break
        else:
            return True
        return False

    return test


def _pattern(pattern: str) -> Callable[[Any], bool]:
    search = whole(pattern).search
    return lambda data: search(data) is not None


def _enum(words: Iterable[str]) -> Callable[[Any], bool]:
    known = frozenset(words)
    return lambda data: data.__class__ is str and data in known


def unique_texts(data: Any) -> bool:
    """Whether no text stands twice in a list."""
    texts = [item for item in data if item.__class__ is str]
    return len(texts) == len(set(texts))


_OBJECTS = frozenset(
    {"required", "minProperties", "dependentRequired", "propertyNames", "properties", "additionalProperties"}
)
_EVERY = tuple(cls for classes in TYPES.values() for cls in classes)
_OF_CLASS: dict[str, tuple[tuple[type, ...], Callable[[Any], Callable[[Any], bool]]]] = {
    "enum": (_EVERY, _enum),
    "const": (_EVERY, lambda value: lambda data: data.__class__ is value.__class__ and data == value),
    "minLength": ((str,), lambda least: lambda data: len(data) >= least),
    "pattern": ((str,), _pattern),
    "minItems": ((list,), lambda least: lambda data: len(data) >= least),
    "maxItems": ((list,), lambda most: lambda data: len(data) <= most),
    "uniqueItems": ((list,), lambda _: unique_texts),
    "minimum": ((int, float), lambda least: lambda data: data >= least),
    "maximum": ((int, float), lambda most: lambda data: data <= most),
}
