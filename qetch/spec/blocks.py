"""Compiles blocks: a request with its pages, or rows, and what is done with what was read."""

from __future__ import annotations

import re
from typing import TYPE_CHECKING, Any, Literal

from qetch.spec.files import FileCompiler
from qetch.spec.model import Block, Call, Each, Pages, Rows, Rule, Selector, Value
from qetch.spec.names import Context, Scope, items
from qetch.spec.partial import is_partial, is_unread
from qetch.spec.templates import Template
from qetch.spec.values import ValueCompiler
from qetch.spec.wording import quoted

if TYPE_CHECKING:
    from collections.abc import Iterator, Mapping

    from qetch.spec.load import Path
    from qetch.spec.model import Fields
    from qetch.spec.names import Reads

LITERAL_HOST = re.compile(r"https?://(\[[^\]/{}?#@]*\]|[^\[/{}?#@:]+)(?::\d+)?(?:[/?#]|$)")
WEB = re.compile(r"(?i)https?://[^/?#@]*(?:[/?#]|$)")
WITH_PATH = re.compile(r"[^:/]*://[^/]*/.*[^/]")
STARTS = re.compile(r"[/?#.]|\{\+|[A-Za-z][A-Za-z0-9+.-]*:")
"""How a URL begins that means something without a `base`."""
SCHEME = re.compile(r"[A-Za-z][A-Za-z0-9+.-]*:")


class BlockCompiler:
    """Compiles the blocks of one site.

    Attributes:
        kind: The `as` of the site's `request`.
        bases: The `base` of the site and of its instances, those that have one.
        has_base: Whether there is one, as far as one can know.
    """

    def __init__(self, context: Context, kind: Reads | None) -> None:
        self.context = context
        self.kind = kind
        self.bases: list[Template] = []
        self.has_base = False

    def block(
        self,
        raw: Mapping[str, Any],
        path: Path,
        outer: Scope,
        kind: Reads | None,
        *,
        has_uid: bool = False,
        is_row: bool = False,
    ) -> Block:
        """A block that reads a place of a kind, or makes its own place by a call.

        Args:
            raw: The mapping of the block.
            path: Where that is.
            outer: The names that are visible around it.
            kind: Of the place that it reads if it makes no call.
            has_uid: Whether a content around it gives a uid.
            is_row: Whether the place is a row.
        """
        scope = Scope(self.context, outer)
        call, pages_raw = None, raw.get("pages")
        self._declare_page_names(pages_raw, (*path, "pages"), scope, self.kind_of(raw))
        if "get" in raw or "post" in raw:
            call = self.call(raw, path, scope, is_first=kind is None)
            kind = self.kind_of(raw) or "unknown"
            is_row = False
        elif is_unread(raw.get("as")) or (is_partial(raw) and kind is None):  # perhaps there is a call
            kind = "unknown"
        values = ValueCompiler(self.context, scope, kind, is_row=is_row)
        errors = self.rules(raw.get("errors"), (*path, "errors"), values)
        let = self.let(raw.get("let"), (*path, "let"), values)
        files = FileCompiler(self, values)
        content = files.content(raw["content"], (*path, "content"), has_uid, raw) if "content" in raw else None
        has_uid = has_uid or "uid" in raw.get("content", ()) or is_partial(raw.get("content"))
        compiled = Block(
            call=call,
            pages=self.pages(pages_raw, (*path, "pages"), values) if pages_raw and call else None,
            errors=errors,
            let=let,
            content=content,
            goto=values.value(raw["goto"], (*path, "goto"), url=True)[0] if "goto" in raw else None,
            then=self._then(raw, path, scope, kind, has_uid, is_row),
            each=tuple(self._each(raw.get("each"), (*path, "each"), scope, kind, has_uid)),
            where=".".join(map(str, path)),
        )
        scope.close()
        return compiled

    def kind_of(self, raw: Mapping[str, Any]) -> Reads | None:
        """What the answer of a call is; None if nothing says so."""
        kind: Reads | None = raw.get("as", self.kind)
        return "unknown" if is_unread(kind) else kind

    def _then(
        self, raw: Mapping[str, Any], path: Path, scope: Scope, kind: Reads | None, has_uid: bool, is_row: bool
    ) -> Block | None:
        if "then" not in raw:
            return None
        return self.block(raw["then"], (*path, "then"), scope, kind, has_uid=has_uid, is_row=is_row)

    def _each(self, raw: Any, path: Path, outer: Scope, kind: Reads | None, has_uid: bool) -> Iterator[Each]:
        for item, inner in items(raw, path):
            scope = Scope(self.context, outer)
            compiled, row_kind = self.rows(item, inner, scope, kind)
            block = self.block(item, inner, scope, row_kind, has_uid=has_uid, is_row=compiled.find is not None)
            scope.close()
            yield Each(compiled, block)

    # --- rows

    def rows(self, raw: Mapping[str, Any], path: Path, scope: Scope, kind: Reads | None) -> tuple[Rows, Reads | None]:
        """Which rows a block walks, and their kind; the counter is born into `scope`."""
        values = ValueCompiler(self.context, scope, kind)
        find: Selector | None = None
        row_kind = kind
        if "in" in raw:
            find, row_kind = values.bare_selector(raw["in"], (*path, "in"), raw.get("of"))
            if is_unread(raw["in"]) and kind == "json" and "of" not in raw:
                row_kind = kind  # whatever selects them
            row_kind = self._batch_kind(raw, path, row_kind)
        elif is_partial(raw):
            row_kind = "unknown"
        if "counter" in raw:
            scope.declare(raw["counter"], "text", "counter", (*path, "counter"))
        to = raw.get("to")
        when = None
        if "when" in raw:
            row_values = ValueCompiler(self.context, scope, row_kind, is_row="in" in raw)
            when = row_values.condition(raw["when"], (*path, "when"))
        rows = Rows(
            find,
            of=raw.get("of"),
            counter=raw.get("counter"),
            start=raw.get("from", 1),
            to=values.template(to, (*path, "to")) if isinstance(to, str) else to,
            batch=raw.get("batch"),
            when=when,
            kind=None if row_kind == "unknown" else row_kind,
            where=".".join(map(str, path)),
        )
        return rows, row_kind

    def _batch_kind(self, raw: Mapping[str, Any], path: Path, kind: Reads) -> Reads:
        """Rows in batches are lists: of JSON values or texts, read with JMESPath."""
        if "batch" not in raw:
            return kind
        if kind in ("html", "xml"):
            self.context.problem(
                (*path, "batch"), "`batch` takes values, not elements", "end `in` with ::text or ::attr(…)"
            )
        return "json"

    # --- calls

    def call(self, raw: Mapping[str, Any], path: Path, scope: Scope, *, is_first: bool = False) -> Call:
        """One request; `is_first` if there was none before it whose URL a relative one could be joined to."""
        method: Literal["GET", "POST"] = "GET" if "get" in raw else "POST"
        word = method.lower()
        values = ValueCompiler(self.context, scope, None)
        url = values.template(raw[word], (*path, word))
        self.note_host(url, (*path, word))
        self._check_start(url, (*path, word), is_first)
        kind = self.kind_of(raw)
        if kind is None:
            self.context.problem(
                (*path, word), "nothing says what the answer is", "add `as: json` here or in `request`"
            )
        json, has_json = self._body(raw, path, values)
        return Call(
            method,
            url,
            "text" if kind is None or kind == "unknown" else kind,
            form=values.fields(raw["form"], (*path, "form")) if "form" in raw else None,
            json=json,
            has_json=has_json,
            query=values.fields(raw.get("query"), (*path, "query")),
            headers=values.fields(raw.get("headers"), (*path, "headers"), header=True),
            cookies=values.fields(raw.get("cookies"), (*path, "cookies"), header=True),
            follow=raw.get("redirects", "follow") == "follow",
        )

    def _body(self, raw: Mapping[str, Any], path: Path, values: ValueCompiler) -> tuple[Any, bool]:
        if "json" in raw:
            return values.tree(raw["json"], (*path, "json")), True
        if "graphql" not in raw:
            return None, False
        body: dict[str, Any] = {"query": Template(raw["graphql"], (raw["graphql"],))}
        if "variables" in raw:
            body["variables"] = values.tree(raw["variables"], (*path, "variables"))
        return body, True

    def _check_start(self, url: Template, path: Path, is_first: bool) -> None:
        """A relative URL is joined to `base`, and keeps its path if there is no / before it."""
        text = url.text
        if text.startswith("/") and not text.startswith("//"):
            dropped = next((base.text for base in self.bases if WITH_PATH.match(base.text)), None)
            if dropped:
                cure = f"remove the /: {quoted(text.lstrip('/'))}, or write the whole URL"
                self.context.problem(path, f'the / at the start leaves out the path of `base`, "{dropped}"', cure)
        elif is_first and not self.has_base and not url.whole and not STARTS.match(text):
            cure = "add `base` to `request`, or write the whole URL"
            self.context.problem(path, f"{quoted(text)} is a relative URL, and there is no `base`", cure)

    def note_host(self, url: Template, path: Path, *, absolute: bool = False) -> None:
        """Requests may go to a host that is written out; what is no URL of the web is refused."""
        literal = LITERAL_HOST.match(url.prefix)
        if literal and (literal[0][-1] in "/?#" or len(url.parts) == 1):
            self.context.hosts.add(self.context.host(literal[1], path))
        if (SCHEME.match(url.prefix) or (absolute and url.prefix)) and not WEB.match(url.prefix):
            cure = "write https:// and a host, without a user name"
            self.context.problem(path, f'"{url.text}" is no http or https URL', cure)

    # --- pages

    def _declare_page_names(self, raw: Any, path: Path, scope: Scope, kind: Reads | None) -> None:
        """They are visible in the request itself, so before what fills them is compiled; that only says their kind."""
        if not isinstance(raw, dict):
            return
        if "counter" in raw:
            scope.declare(raw["counter"], "text", "counter", (*path, "counter"))
        unheard = ValueCompiler(Context(self.context.document), scope, kind)
        for name, item in raw.get("set", {}).items():
            inner = (*path, "set", name)
            scope.declare(name, unheard.named(item, inner)[1], "page name", inner, key=True)

    def pages(self, raw: Mapping[str, Any], path: Path, values: ValueCompiler) -> Pages:
        """How the call goes on; all of it reads the answer."""

        def value(word: str, *, url: bool = False) -> Value | None:
            return values.value(raw[word], (*path, word), url=url)[0] if word in raw else None

        names = ((name, values.value(item, (*path, "set", name))[0]) for name, item in raw.get("set", {}).items())
        return Pages(
            next=value("next", url=True),
            names=tuple(names),
            carry=value("carry"),
            counter=raw.get("counter"),
            start=raw.get("from", 1),
            by=raw.get("by", 1),
            until=values.condition(raw["until"], (*path, "until")) if "until" in raw else None,
            max=raw.get("max", 1000),
        )

    # --- names and rules

    def let(self, raw: Mapping[str, Any] | None, path: Path, values: ValueCompiler) -> tuple[tuple[str, Value], ...]:
        """Names, each visible to those after it."""
        compiled = []
        for name, item in (raw or {}).items():
            value, kind = values.named(item, (*path, name))
            compiled.append((name, value))
            values.scope.declare(name, kind, "let", (*path, name), key=True)
        return tuple(compiled)

    def rules(self, raw: Any, path: Path, values: ValueCompiler) -> tuple[Rule, ...]:
        """What answers mean."""
        rules = []
        for item, inner in items(raw, path):
            rules.append(
                Rule(
                    raises=item.get("raise", ""),
                    statuses=frozenset(status for status, _ in items(item.get("status"), inner)),
                    url=values.pattern(item["url"], (*inner, "url")) if "url" in item else None,
                    when=values.condition(item["when"], (*inner, "when")) if "when" in item else None,
                    kind=values.known,
                    message=values.value(item["message"], (*inner, "message"))[0] if "message" in item else None,
                )
            )
        return tuple(rules)

    def site_fields(self, raw: Mapping[str, Any] | None, path: Path, *, header: bool = False) -> Fields:
        """Fields that hold for a whole site: only the names that are always there."""
        return ValueCompiler(self.context, Scope(self.context), None).fields(raw, path, header=header)
