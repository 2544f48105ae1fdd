"""Compiles the small parts of a spec: selectors, templates, values and what is done to them."""

from __future__ import annotations

import re
from typing import TYPE_CHECKING, Any

from qetch.selectors import patterns
from qetch.spec import cures, dates
from qetch.spec.model import Fields, FirstOf, Header, Selector, Step, Text, Value
from qetch.spec.names import items
from qetch.spec.partial import is_partial, is_unread
from qetch.spec.templates import Placeholder, Template, parse_template
from qetch.spec.wording import shown

if TYPE_CHECKING:
    from collections.abc import Iterator, Mapping

    from regex import Pattern

    from qetch.spec.load import Path
    from qetch.spec.model import Kind
    from qetch.spec.names import Context, Reads, Scope

HEADS = ("css", "xpath", "jmespath", "text", "header", "first_of")
WORD = re.compile(r"[A-Za-z_]\w*")
UNREAD = Template("{source}", (Placeholder("source"),))
"""Stands for a template that could not be read, since it is one of which nothing is known before the run."""
KINDS_OF = {"css": ("html", "xml"), "xpath": ("html", "xml"), "jmespath": ("json",)}
"""The kinds of place that a head can read."""
LANGUAGE_OF: dict[Reads, str] = {"json": "jmespath", "html": "css", "xml": "css", "text": "regex"}
LIKELY: dict[str, Kind] = {"css": "html", "xpath": "html", "jmespath": "json", "regex": "text"}
"""The kind that a selector is held against where the kind of its place is unknown."""
NAME_OF = {"jmespath": "JMESPath", "css": "CSS selector", "xpath": "XPath", "regex": "regex"}
STEPS = ("parse", "regex", "replace", "map", "split", "join", "date", "number", "default")


class ValueCompiler:
    """Compiles values that read one place: its kind, and the names that are visible there.

    Attributes:
        kind: Of the place, or None where there is nothing to read, as in a request's headers.
        is_row: Whether the place is a row, which `when` asks itself.
    """

    def __init__(self, context: Context, scope: Scope, kind: Reads | None, *, is_row: bool = False) -> None:
        self.context = context
        self.scope = scope
        self.kind = kind
        self.is_row = is_row

    @property
    def known(self) -> Kind | None:
        """The kind of the place, if there is one and it is known."""
        return None if self.kind == "unknown" else self.kind

    def named(self, raw: Any, path: Path) -> tuple[Value, Reads]:
        """As `value`; if there is something wrong with it, its kind is unknown, and what reads it is not wrong too."""
        before = len(self.context.problems)
        value, kind = self.value(raw, path)
        return value, kind if len(self.context.problems) == before else "unknown"

    def value(self, raw: Any, path: Path, *, url: bool = False) -> tuple[Value, Reads]:
        """A value and the kind of what it gives; `url` for URL places."""
        where = ".".join(map(str, path))
        if isinstance(raw, str):
            selector, kind = self.bare_selector(raw, path)
            return Value(selector, where=where), kind
        head, kind = self._head(raw, path, url)
        if "of" in raw and head is None and not is_partial(raw):
            self._check_alone(raw, path)
        self._check_all(raw, head, kind, path)
        steps = tuple(self._steps(raw, path))
        for step in steps:
            if step.word == "parse":
                self._check_parse(raw, head, path)
                kind = step.argument
            elif step.word != "default":
                kind = "text"
        if is_partial(raw) or is_unread(kind):
            kind = "unknown"
        if head is None and raw.get("all") and steps and steps[0].word == "regex":  # every match of it
            pattern, steps = steps[0].argument, steps[1:]
            head = Selector("regex", pattern.pattern, lambda text: patterns.find_all(pattern, text))
        return Value(head, raw.get("of"), bool(raw.get("all")), steps, where), kind

    def condition(self, raw: Any, path: Path) -> Value:
        """A value that is only asked whether it holds; on a row, CSS matches the row itself."""
        value, _ = self.value(raw, path)
        head = value.head
        if self.is_row and not value.steps and isinstance(head, Selector) and head.language == "css" and not value.of:
            from qetch.selectors import markup

            if not markup.gives_text(head.text) and self.known:
                matches = markup.compile_matches(head.text, self.known)
                return Value(Selector("css", head.text, matches, asks_row=True), where=value.where)
        return value

    # --- heads

    def _head(self, raw: Mapping[str, Any], path: Path, url: bool) -> tuple[Any, Reads]:
        place = self._place_kind(raw, path)
        heads = [word for word in HEADS if word in raw]
        if not heads:
            if "of" not in raw and place not in ("text", "unknown") and not is_partial(raw):
                found = "a value needs exactly one of css, xpath, jmespath, text, header, first_of; found none"
                cure = f"add `{LANGUAGE_OF[place]}`" if place else "add `text`"
                self.context.problem(path, found + self._reads(place), cure)
            return None, place or "text"
        word = heads[0]
        inner = (*path, word)
        if word == "text":
            return Text(self.template(raw["text"], inner), is_url=url), "text"
        if word == "header":
            return Header(raw["header"]), "text"
        if word == "first_of":
            compiled = [self.value(item, (*inner, i), url=url) for i, item in enumerate(raw["first_of"])]
            kinds = {kind for _, kind in compiled}
            one: Reads = "unknown" if "unknown" in kinds or not kinds else "text"
            return FirstOf(tuple(value for value, _ in compiled)), kinds.pop() if len(kinds) == 1 else one
        if is_unread(raw[word]):
            return None, "unknown"
        if place is None:
            self._check_place(raw[word], inner)
            return None, "unknown"
        return self._selector(word, raw[word], inner, place)

    def _place_kind(self, raw: Mapping[str, Any], path: Path) -> Reads | None:
        if "of" not in raw:
            return self.kind
        if is_unread(raw["of"]):
            return "unknown"
        name = self.scope.use(raw["of"], (*path, "of"), raw["of"])
        return name.kind if name else "unknown"

    def bare_selector(self, text: str, path: Path, of: str | None = None) -> tuple[Selector | None, Reads]:
        """A selector in the language of its place, or of the name that it reads."""
        kind = self._place_kind({"of": of}, path[:-1]) if of is not None else self.kind
        if is_unread(text):
            return None, "unknown"
        if kind is None:
            self._check_place(text, path)
            return None, "unknown"
        if kind == "unknown":
            self.scope.excuse(cures.placeholders(text))
            return None, "unknown"
        if kind == "text" and self._is_template(text):
            message = f"'{shown(text)}' is a template, and a selector is wanted{self._reads(kind)}"
            self.context.problem(path, message, self._cure("regex", text, path))
            return None, "text"
        return self._selector(LANGUAGE_OF[kind], text, path, kind)

    def _selector(self, language: str, text: str, path: Path, kind: Reads | None) -> tuple[Selector | None, Reads]:
        if kind is None or kind == "unknown":
            kind = LIKELY[language]
        allowed = KINDS_OF.get(language)
        if allowed and kind not in allowed:
            cure = f"write {LANGUAGE_OF[kind]}, or read markup or JSON with `parse` in a `let` first"
            self.context.problem(path, f"{language} cannot read {kind}{self._reads(kind)}", cure)
            return None, "unknown"
        try:
            return compile_selector(language, text, kind), _gives(language, text, kind)
        except ValueError as error:
            offset = error.args[1] if len(error.args) > 1 else 0
            wrong, right = cures.halves(error.args[0])
            message = f"bad {NAME_OF[language]} '{shown(text)}': {wrong}{self._reads(kind)}"
            cure = self._cure(language, text, path, wrong)
            self.context.problem(path, message, right or cure, offset=offset)
            return None, "unknown" if "::" in text else kind  # rows are of the kind of their place, or texts

    def _check_place(self, text: str, path: Path) -> None:
        """Says that a selector stands where nothing was read."""
        is_rows = path[-1] == "in"
        cure = "ask for something first, with `get`" if is_rows else cures.of_value(text)
        self.context.problem(path, "there is nothing to read here", cure)
        self.scope.excuse(cures.placeholders(text))

    def _is_template(self, text: str) -> bool:
        """Whether a regex was meant as a template: all names in its braces are there."""
        names = cures.placeholders(text)
        return bool(names) and set(names) <= set(self.scope)

    def _cure(self, language: str, text: str, path: Path, wrong: str = "") -> str:
        """What a bad selector was meant to be; names of a template are used by it."""
        self.scope.excuse(cures.placeholders(text))
        return cures.of_selector(language, text, wrong, is_value=path[-1] not in ("in", "carry"))

    @staticmethod
    def _reads(kind: Reads | None) -> str:
        return f" (this place reads {kind})" if kind else ""

    # --- what is done with it

    def _check_alone(self, raw: Mapping[str, Any], path: Path) -> None:
        if raw.get("all") and "regex" not in raw and not any(word in raw for word in HEADS):
            self.context.problem((*path, "all"), "`all` has nothing to find here", "remove it", key=True)

    def _check_all(self, raw: Mapping[str, Any], head: Any, kind: Reads, path: Path) -> None:
        if not raw.get("all") or is_partial(raw):
            return
        if isinstance(head, Selector) and head.language == "jmespath":
            self.context.problem((*path, "all"), "JMESPath lists by itself", "write [] or [*] in it", key=True)
        elif isinstance(head, (Text, Header, FirstOf)):
            self.context.problem((*path, "all"), "`all` goes with css, xpath or regex", "remove it", key=True)
        elif head is None and "regex" not in raw and "of" not in raw and kind == "text":
            self.context.problem((*path, "all"), "`all` needs a regex here", "add `regex`", key=True)

    def _check_parse(self, raw: Mapping[str, Any], head: Any, path: Path) -> None:
        if raw["parse"] == "json" and ("regex" in raw or "replace" in raw):
            word = "regex" if "regex" in raw else "replace"
            message = f"`parse` comes before `{word}`, whatever the order in the file"
            cure = f"take the text in one `let`, and parse it in the next: raw: {{…, {word}: …}}, "
            cure += "state: {of: raw, parse: json}"
            self.context.problem((*path, "parse"), message, cure, key=True)
        elif isinstance(head, Selector) and head.language == "css":
            from qetch.selectors import markup

            if not markup.gives_text(head.text):
                cure = f"end the selector with ::text or ::attr(…): {head.text!r}"
                self.context.problem((*path, "parse"), "`parse` reads a text, not an element", cure)

    def _steps(self, raw: Mapping[str, Any], path: Path) -> Iterator[Step]:
        for word in STEPS:
            if word in raw:
                inner = (*path, word)
                compiled = self._step(word, raw[word], inner, raw)
                if compiled is not None:
                    yield compiled

    def _step(self, word: str, raw: Any, path: Path, whole: Mapping[str, Any]) -> Step | None:
        if word == "regex":
            pattern = self.pattern(raw, path)
            return Step(word, pattern) if pattern else None
        if word == "replace":
            return Step(word, tuple(self._replacements(raw, path)))
        if word == "date":
            return self._date(raw, path, whole)
        return Step(word, raw)

    def _replacements(self, raw: Any, path: Path) -> Iterator[tuple[Pattern[str], str]]:
        for (regex, text), inner in items(raw, path):
            pattern = self.pattern(regex, (*inner, 0))
            if pattern and not is_unread(text):
                try:
                    re.sub(regex, text, "")
                except (re.error, IndexError) as error:
                    cure = r"\1 is the regex's first group, \g<0> all that it found, \\ a backslash"
                    self.context.problem((*inner, 1), f"bad replacement '{shown(text)}': {error}", cure)
                yield pattern, text

    def _date(self, raw: Any, path: Path, whole: Mapping[str, Any]) -> Step:
        formats = dict(items(raw, path))
        for text, inner in formats.items():
            wrong = dates.check_format(text)
            if wrong:
                cure = cures.of_date_format(text)
                self.context.problem(inner, f"bad date format '{shown(text)}': {wrong}", cure)
        zone = whole.get("tz", "UTC")
        wrong = None if is_unread(zone) else dates.check_zone(zone)
        if wrong:
            self.context.problem((*path[:-1], "tz"), wrong, "write a name such as UTC or Europe/Paris")
        return Step("date", (tuple(formats), zone))

    # --- regexes, templates, fields

    def pattern(self, text: str, path: Path) -> Pattern[str] | None:
        """A regex, compiled, or None after a problem."""
        return compile_pattern(self.context, text, path)

    def template(self, text: str, path: Path) -> Template:
        """A template whose names are all visible."""
        if is_unread(text):
            return UNREAD
        try:
            template = parse_template(text)
        except ValueError as error:
            what, _, right = str(error).partition(": ")
            self.context.problem(path, f"bad template '{shown(text)}': {what}", cures.of_template(text) or right)
            self.scope.excuse(WORD.findall(text))
            return Template(text, (text,))
        for name in template.names:
            self.scope.use(name, path, "{" + name + "}")
        return template

    def fields(self, raw: Mapping[str, Any] | None, path: Path, *, header: bool = False) -> Fields:
        """Headers, query, form or cookies: a template for each name; numbers and booleans stand for their text."""
        fields = []
        for name, item in (raw or {}).items():
            text = item if isinstance(item, str) or is_unread(item) else _scalar_text(item)
            if header and isinstance(text, str) and any(sign in name + text for sign in "\r\n"):
                self.context.problem((*path, name), "a header cannot hold a line break", "remove it")
            fields.append((name, self.template(text, (*path, name))))
        return tuple(fields)

    def tree(self, raw: Any, path: Path) -> Any:
        """JSON with templates for its texts."""
        if isinstance(raw, str):
            return self.template(raw, path)
        if isinstance(raw, dict):
            return {key: self.tree(item, (*path, key)) for key, item in raw.items()}
        if isinstance(raw, list):
            return [self.tree(item, (*path, i)) for i, item in enumerate(raw)]
        return raw


def compile_selector(language: str, text: str, kind: Kind) -> Selector:
    """A selector that is ready to run.

    Raises:
        ValueError: It is wrong: a message and, for a regex, the character where.
    """
    if language == "jmespath":
        from qetch.selectors import jmes

        return Selector("jmespath", text, jmes.compile_jmespath(text))
    if language == "regex":
        wrong = patterns.check(text)
        if wrong:
            raise ValueError(*wrong)
        pattern = patterns.compiled(text)
        return Selector("regex", text, lambda node: patterns.find_all(pattern, node))
    from qetch.selectors import markup

    if language == "css":
        return Selector("css", text, markup.compile_css(text, kind))
    return Selector("xpath", text, markup.compile_xpath(text))


def compile_pattern(context: Context, text: str, path: Path) -> Pattern[str] | None:
    """A regex, compiled, or None after a problem at the character where it is wrong."""
    if is_unread(text):
        return None
    wrong = patterns.check(text)
    if wrong:
        message, offset = wrong
        cure = cures.of_regex(message, text, offset)
        context.problem(path, f"bad regex '{shown(text)}': {message}", cure, offset=offset)
        return None
    return patterns.compiled(text)


def _gives(language: str, text: str, kind: Kind) -> Kind:
    if language == "css":
        from qetch.selectors import markup

        return "text" if markup.gives_text(text) else kind
    return kind


def _scalar_text(item: Any) -> str:
    return str(item).lower() if isinstance(item, bool) else str(item)
