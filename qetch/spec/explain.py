"""Why a site file does not fit the schema, for the person who wrote the file.

jsonschema finds the faults; here each becomes problems, with a place and with what would be right.
"""

from __future__ import annotations

from itertools import islice
from typing import TYPE_CHECKING, Any, NamedTuple

from qetch.spec.eaten import COMMENT
from qetch.spec.fits import unique_texts, whole
from qetch.spec.wording import near, quoted, shown

if TYPE_CHECKING:
    from collections.abc import Callable, Collection, Iterable, Iterator, Mapping

    from jsonschema.exceptions import ValidationError

    from qetch.spec.load import Document, Path
    from qetch.spec.problems import Problem

FREE = frozenset({"handles", "instances", "let", "set", "metadata", "variants"})
"""The words below which the keys are names that the author chose."""

MOST_FAULTS, MOST_KEYS = 500, 50
"""So many faults of a file, and unknown keys of a mapping, are explained; a person reads no more."""

EMPTY = "write something, or remove it"
THE_SITE = "the site"
TYPE_NAMES = {
    "string": "a text",
    "object": "a mapping",
    "array": "a list",
    "integer": "a whole number",
    "number": "a number",
    "boolean": "true or false",
    "null": "empty",
}
FORMAT_NAMES = {
    "css": "a CSS selector",
    "xpath": "an XPath",
    "jmespath": "a JMESPath",
    "regex": "a regex",
    "template": "a template",
    "selector": "a selector",
    "date-format": "a date format",
    "timezone": "a time zone",
}


class Fault(NamedTuple):
    """One error of jsonschema: the keyword, what it says, the schema around it, the data and its path."""

    document: Document
    keyword: str
    rule: Any
    schema: Mapping[str, Any]
    data: Any
    path: Path
    of_key: bool

    @property
    def word(self) -> str:
        """What the data is called in a message."""
        return _name(self.path)

    @property
    def subject(self) -> str:
        """The same at the beginning of a sentence."""
        return self.word if self.word == THE_SITE else f'"{self.word}"'

    @property
    def says(self) -> str:
        """The schema's own sentence for this rule, if it has one."""
        message = self.schema.get("x-message", "")
        return message if isinstance(message, str) else message.get(self.keyword, "")

    @property
    def cure(self) -> str:
        """The schema's own cure for this rule, if it has one."""
        return str(self.schema.get("x-cure", {}).get(self.keyword, ""))

    @property
    def elsewhere(self) -> dict[str, str]:
        """The cures of words that stand in another place of the language."""
        below: Mapping[str, list[str]] = self.schema.get("x-below", {})
        here = {word: f"write it below `{place}`" for place, words in below.items() for word in words}
        here.update(self.schema.get("x-elsewhere", {}))
        return here

    @property
    def at(self) -> Path:
        """The word that brought the rule up, if the schema names it, else the mapping."""
        words = (word for word in self.schema.get("x-at", ()) if word in self.data)
        return (*self.path, *islice(words, 1))

    def problem(self, message: str, cure: str = "", *, key: bool = False) -> Problem:
        """A problem at the place of the data."""
        return self.document.problem(self.path, message, cure, key=key)


def make_validator(schema: Mapping[str, Any]) -> Any:
    """A validator that agrees with `fits`: a whole number is no 1.0, and a `$` is the end of the text."""
    from jsonschema import Draft202012Validator, TypeChecker, ValidationError
    from jsonschema.validators import extend

    def pattern(_: Any, regex: str, data: Any, __: Any) -> Iterator[ValidationError]:
        if isinstance(data, str) and not whole(regex).search(data):
            yield ValidationError("")

    def unique(_: Any, wanted: bool, data: Any, __: Any) -> Iterator[ValidationError]:
        if wanted and isinstance(data, list) and not unique_texts(data):
            yield ValidationError("")

    def is_integer(_: TypeChecker, data: Any) -> bool:
        return isinstance(data, int) and not isinstance(data, bool)

    types = Draft202012Validator.TYPE_CHECKER.redefine("integer", is_integer)
    make: Any = extend  # its stub has no types
    return make(Draft202012Validator, {"pattern": pattern, "uniqueItems": unique}, type_checker=types)(schema)


def find_faults(document: Document, validator: Any) -> list[Fault]:
    """Why a file does not fit the schema; what only follows from something else is among it."""
    faults = [_fault(document, error) for error in islice(validator.iter_errors(document.data), MOST_FAULTS)]
    return faults if len(faults) == MOST_FAULTS else list(_once(faults))


def _once(faults: Iterable[Fault]) -> Iterator[Fault]:
    """Of several faults with the type of one thing only the first: what may be a list may also be one of its items."""
    typed = set()
    for fault in faults:
        if fault.keyword != "type" or fault.path not in typed:
            yield fault
        if fault.keyword == "type":
            typed.add(fault.path)


def explain(fault: Fault) -> set[Problem]:
    """Its problems, but for lines on which YAML took something for what it was not meant to be."""
    return {problem for problem in _PRINTERS[fault.keyword](fault) if problem.line not in fault.document.eaten}


def _fault(document: Document, error: ValidationError) -> Fault:
    path: Path = tuple(error.absolute_path)
    schema = error.schema if isinstance(error.schema, dict) else {}
    of_key = "propertyNames" in error.absolute_schema_path
    return Fault(document, str(error.validator), error.validator_value, schema, error.instance, path, of_key)


def _name(path: Path) -> str:
    """What stands at a path, in a message: `content`, `let.tim`, `handles.thread`."""
    words = [part for part in path if isinstance(part, str)]
    if not words:
        return THE_SITE
    return ".".join(words[-2:]) if len(words) > 1 and words[-2] in FREE else words[-1]


def unknown_keys(fault: Fault) -> list[str]:
    """The keys of a mapping that its schema does not know."""
    return [key for key in fault.data if key not in fault.schema["properties"]][:MOST_KEYS]


def guess(fault: Fault, key: str) -> str:
    """The word that an unknown key was meant to be: rather one that is missing than one that is there."""
    known = fault.schema["properties"]
    return near(key, [word for word in known if word not in fault.data]) or near(key, known)


def _closed(fault: Fault) -> Iterator[Problem]:
    known = fault.schema["properties"]
    elsewhere = fault.elsewhere
    for key in unknown_keys(fault):
        meant = guess(fault, key)
        cure = f'did you mean "{meant}"?' if meant else f"known here: {', '.join(sorted(known))}"
        message = f'unknown key "{shown(key)}" in {fault.word}'
        yield fault.document.problem((*fault.path, key), message, elsewhere.get(key, cure), key=True)


def _required(fault: Fault) -> Iterator[Problem]:
    for key in fault.rule:
        if key not in fault.data:
            says = fault.schema.get("properties", {}).get(key, fault.schema)
            cure = says.get("x-cure", {}).get("required", "") or _such_as((*fault.path, key))
            message = fault.says or f'{fault.subject} needs "{key}"'
            yield fault.document.problem(fault.at, message, cure, key=True)


def _dependent(fault: Fault) -> Iterator[Problem]:
    for key, needed in fault.rule.items():
        for other in needed:
            if key in fault.data and other not in fault.data:
                message = f'"{key}" needs "{other}" beside it'
                yield fault.document.problem((*fault.path, key), message, _such_as((*fault.path, other)), key=True)


def _such_as(path: Path, kinds: Collection[str] = tuple(TYPE_NAMES)) -> str:
    """How a word is written, if that fits on a line; `kinds` are the JSON types that may stand there."""
    from qetch.spec.words import as_yaml, named

    names = [part for part in path if isinstance(part, str)]
    for word in [*named(".".join(names[-2:])), *named(names[-1])] if names else ():
        inside = [item for example in word.examples if isinstance(example, list) for item in example]
        for example in (*word.examples, *inside):
            written = as_yaml(word.name, example).rstrip()
            if _json_type(example) in kinds and "\n" not in written:
                return f"such as {written}"
    return ""


def _json_type(data: Any) -> str:
    if isinstance(data, (bool, int, float)):
        return "boolean" if isinstance(data, bool) else "integer" if isinstance(data, int) else "number"
    if isinstance(data, (dict, list)):
        return "object" if isinstance(data, dict) else "array"
    return "null" if data is None else "string"


def _type(fault: Fault) -> Iterator[Problem]:
    wanted = [fault.rule] if isinstance(fault.rule, str) else fault.rule
    if fault.data is None:
        yield fault.problem(f"{fault.subject} is empty", _why_empty(fault) or _such_as(fault.path, wanted) or EMPTY)
        return
    names = [
        FORMAT_NAMES.get(fault.schema.get("format", ""), "a text") if name == "string" else TYPE_NAMES[name]
        for name in wanted
    ]
    cure = _graphql(fault) or fault.cure
    if "string" in wanted:
        cure = _as_text(fault, cure) or cure
    cure = cure or _such_as(fault.path, [*wanted, *(["integer"] if "number" in wanted else ())])
    yield fault.problem(f"{fault.subject} is {_either(names)}, not {_kind(fault.data)}", cure)


def _graphql(fault: Fault) -> str:
    """What a text was meant to be that stands as the `query` of a `post`."""
    around: Any = fault.document.data
    for part in fault.path[:-1]:
        around = around[part]
    is_query = fault.path[-1:] == ("query",) and isinstance(fault.data, str)
    return 'did you mean "graphql"?' if is_query and "post" in around else ""


def _as_text(fault: Fault, cure: str) -> str:
    """How something that is no text becomes one."""
    node, _ = fault.document.node(fault.path)
    if isinstance(fault.data, (bool, int, float)):
        fixed = quoted(node.event.value)
        return cure.replace("…", fixed) if "{text: …}" in cure else f"quote it: {fixed}"
    if node.items is not None and getattr(node.event, "flow_style", False):
        bracket, what = ("{", "mapping") if isinstance(fault.data, dict) else ("[", "list")
        return f"a value that begins with {bracket} is a YAML {what}: quote it"
    return ""


def _why_empty(fault: Fault) -> str:
    """What became of a value that YAML has not seen."""
    node, _ = fault.document.node(fault.path)
    line = fault.document.text.splitlines()[node.event.start_mark.line :][:1]
    rest = line[0][node.event.start_mark.column :].lstrip() if line else ""
    if rest.startswith("#"):
        return COMMENT
    return ""


def _kind(data: Any) -> str:
    if isinstance(data, bool):
        return f"{data}".lower()
    if isinstance(data, (int, float)):
        return "a number"
    return "a mapping" if isinstance(data, dict) else "a list" if isinstance(data, list) else "a text"


def _either(names: Iterable[str]) -> str:
    *first, last = dict.fromkeys(names)
    return f"{', '.join(first)} or {last}" if first else last


def _enum(fault: Fault) -> Iterator[Problem]:
    known = [str(word) for word in fault.rule]
    found = (
        f'"{shown(fault.data)}"'
        if isinstance(fault.data, str)
        else "empty"
        if fault.data is None
        else _kind(fault.data)
    )
    meant = word_meant(fault, known) if isinstance(fault.data, str) else ""
    cure = f'did you mean "{meant}"?' if meant else f"write {'one of these words' if len(known) > 1 else known[0]}"
    yield fault.problem(f"{fault.subject} is {_either(known)}, not {found}", cure)


def word_meant(fault: Fault, known: list[str]) -> str:
    """The plain word that a text was meant to be, or nothing."""
    other: str = fault.schema.get("x-meant", {}).get(fault.data.lower(), "")
    return other or near(fault.data.lower(), known)


def _pattern(fault: Fault) -> Iterator[Problem]:
    if not fault.of_key:
        yield fault.problem(f'bad {fault.word} "{shown(fault.data)}"', fault.says)
        return
    message = f'bad name "{shown(fault.data)}" in {fault.word}'
    yield fault.document.problem((*fault.path, fault.data), message, fault.says, key=True)


def _says(default: str, default_cure: str = "") -> Callable[[Fault], Iterator[Problem]]:
    """Prints the schema's sentence, else a default one."""

    def printer(fault: Fault) -> Iterator[Problem]:
        cure = fault.cure or default_cure or _such_as(fault.path, [_json_type(fault.data)])
        yield fault.problem(fault.says or default.format(word=fault.subject, rule=fault.rule), cure)

    return printer


def _heads(fault: Fault) -> Iterator[Problem]:
    """Exactly one of several words, or at least one, or none of them."""
    keys = rule_words(fault)
    found = [key for key in fault.data if key in keys]
    tail = "" if fault.keyword == "anyOf" or len(keys) == 1 else f"; found {', '.join(found) or 'none'}"
    path = fault.path if found else fault.at
    cure = fault.cure
    if not cure and keys[0] != "css":
        cure = "keep one of them" if len(found) > 1 else _such_as((*fault.path, keys[0]))
    yield fault.document.problem(path, f"{fault.says}{tail}", cure, key=not found)


def rule_words(fault: Fault) -> list[str]:
    """The words of which a rule speaks; of those that need others, these others."""
    rule = fault.rule
    if fault.keyword == "dependentRequired":
        return [other for key, needed in rule.items() if key in fault.data for other in needed]
    if fault.keyword == "required":
        return list(rule)
    parts = rule if isinstance(rule, list) else rule.get("anyOf", [rule])
    return [part["required"][0] for part in parts]


RULES = frozenset({"required", "dependentRequired", "oneOf", "anyOf", "not"})
"""The keywords that speak of a mapping's words together."""

_PRINTERS: dict[str, Callable[[Fault], Iterator[Problem]]] = {
    "additionalProperties": _closed,
    "required": _required,
    "dependentRequired": _dependent,
    "type": _type,
    "enum": _enum,
    "pattern": _pattern,
    "oneOf": _heads,
    "anyOf": _heads,
    "not": _heads,
    "const": _says("{word} is {rule}"),
    "minLength": _says("{word} is an empty text"),
    "minItems": _says("{word} is an empty list"),
    "maxItems": _says("{word} has more than {rule} entries"),
    "minProperties": _says("{word} is empty"),
    "uniqueItems": _says("{word} has the same entry twice", "remove one of them"),
    "minimum": _says("{word} is at least {rule}"),
    "maximum": _says("{word} is at most {rule}"),
}
