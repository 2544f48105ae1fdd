"""Compiles contents: fields, files, variants and renditions."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from qetch.spec.model import (
    ContentSpec,
    File,
    FirstOf,
    Header,
    Quality,
    Renditions,
    Selector,
    Text,
    Value,
)
from qetch.spec.names import Scope, items
from qetch.spec.partial import Partial, is_partial
from qetch.spec.values import ValueCompiler

if TYPE_CHECKING:
    from collections.abc import Mapping

    from qetch.spec.blocks import BlockCompiler
    from qetch.spec.load import Path

TEXT_STEPS = frozenset({"regex", "replace", "split", "join"})
OTHER_STEPS = frozenset({"map", "number", "date"})
TEXT_FIELDS = ("uid", "title", "description", "uploaded_by", "uploaded_date")
NOTHING = Partial()
FILE_WORDS = ("url", "fragments", "variants", "renditions")


def _is_text(value: Value) -> bool:
    """Whether a value is a text whatever the site answers: no number, and no date."""
    words = {step.word for step in value.steps}
    if words & OTHER_STEPS:
        return False
    if words & TEXT_STEPS:
        return True
    if isinstance(value.head, FirstOf):
        return all(map(_is_text, value.head.values))
    if isinstance(value.head, Selector):
        return value.head.language != "jmespath" and not any(step.argument == "json" for step in value.steps)
    return isinstance(value.head, (Header, Text)) and "parse" not in words


class FileCompiler:
    """Compiles the contents of a block, which read the block's place."""

    def __init__(self, blocks: BlockCompiler, values: ValueCompiler) -> None:
        self.blocks = blocks
        self.values = values
        self.context = values.context

    def content(self, raw: Mapping[str, Any], path: Path, has_uid: bool, block: Mapping[str, Any]) -> ContentSpec:
        """A content with its files, or the defaults of those inside the block."""
        fields = tuple((name, self._field(raw[name], (*path, name))) for name in TEXT_FIELDS if name in raw)
        renditions = raw.get("renditions")
        compiled = ContentSpec(
            fields=fields,
            metadata=self._metadata(raw["metadata"], (*path, "metadata")) if "metadata" in raw else None,
            file=self.file(raw, path, self.values, None) if "url" in raw or "fragments" in raw else None,
            variants=tuple(self._variants(raw.get("variants", {}), (*path, "variants"))),
            renditions=self._renditions(renditions, (*path, "renditions")) if renditions else None,
            where=".".join(map(str, path)),
        )
        if not is_partial(raw):
            has_inside = is_partial(block) or any(word in block for word in ("then", "each"))
            self._check(raw, path, has_uid or "uid" in raw, has_inside)
        return compiled

    def _field(self, raw: Any, path: Path) -> Value:
        value, kind = self.values.named(raw, path)
        if path[-1] == "uploaded_date" and kind != "unknown" and _is_text(value):
            cure = "add `date`: iso, unix, ms, or codes such as %d %B %Y"
            self.context.problem(path, "this is a text, and a text is no date without `date`", cure)
        return value

    def _check(self, raw: Mapping[str, Any], path: Path, has_uid: bool, has_inside: bool) -> None:
        is_file = any(word in raw for word in FILE_WORDS)
        if is_file and not has_uid:
            self.context.problem(path, "a content with a file needs a `uid`", "it names the file for ever", key=True)
        elif not is_file and not has_inside:
            cure = f"add one of {', '.join(FILE_WORDS)}"
            self.context.problem(path, "this content has neither a file nor a block inside", cure, key=True)

    def _metadata(self, raw: Any, path: Path) -> Value | tuple[tuple[str, Value], ...]:
        if isinstance(raw, str):
            if self.values.kind not in ("json", "unknown", None):
                cure = "name each entry: metadata: {tags: …}"
                self.context.problem(path, f"metadata is an object, which {self.values.kind} has not", cure)
            return self.values.value(raw, path)[0]
        return tuple((name, self.values.value(item, (*path, name))[0]) for name, item in raw.items())

    def _variants(self, raw: Mapping[str, Any], path: Path) -> list[File]:
        files = []
        for name, item in raw.items():
            inner = (*path, name)
            if isinstance(item, str) or not ("url" in item or "fragments" in item):
                files.append(File(self.values.value(item, inner, url=True)[0], name=name))
            else:
                files.append(self.file(item, inner, self.values, name))
        return files

    def _renditions(self, raw: Mapping[str, Any], path: Path) -> Renditions:
        """The rows' `let` reads the row; with a call of their own, `name` and the file read its answer."""
        scope = Scope(self.context, self.values.scope)
        rows, kind = self.blocks.rows(raw, path, scope, self.values.kind)
        row_values = ValueCompiler(self.context, scope, kind, is_row=True)
        let = self.blocks.let(raw.get("let"), (*path, "let"), row_values)
        call_words = {word: item for word, item in raw.items() if word != "headers"}  # those are the file's
        call = self.blocks.call(call_words, path, scope) if "get" in raw or "post" in raw else None
        values = ValueCompiler(self.context, scope, self.blocks.kind_of(raw), is_row=False) if call else row_values
        name = values.value(raw.get("name", NOTHING), (*path, "name"))[0]
        compiled = Renditions(rows, let, call, self.file(raw, path, values, name))
        scope.close()
        return compiled

    def file(self, raw: Mapping[str, Any], path: Path, values: ValueCompiler, name: str | Value | None) -> File:
        """One file: where it is, and what the site says of it."""

        def value(word: str) -> Value | None:
            return values.value(raw[word], (*path, word))[0] if word in raw else None

        word = "fragments" if "fragments" in raw else "url"
        checksums = raw.get("checksum", {})
        return File(
            urls=values.value(raw.get(word, NOTHING), (*path, word), url=True)[0],
            fragments=word == "fragments",
            name=name,
            quality=self._quality(raw["quality"], (*path, "quality"), values) if "quality" in raw else None,
            extension=value("extension"),
            size=value("size"),
            checksums=tuple(
                (kind, values.value(item, (*path, "checksum", kind))[0]) for kind, item in checksums.items()
            ),
            headers=values.fields(raw.get("headers"), (*path, "headers"), header=True),
            playlist=raw.get("playlist"),
        )

    def _quality(self, raw: Any, path: Path, values: ValueCompiler) -> Quality:
        if not isinstance(raw, dict):
            return Quality(fixed=float(raw))
        ranks = items(raw.get("rank"), (*path, "rank"))
        return Quality(rank=tuple(values.value(item, inner)[0] for item, inner in ranks))
