"""Runs a compiled site for one URL: blocks, pages, rows and `goto`s, lazily."""

from __future__ import annotations

from dataclasses import dataclass, replace
from hashlib import blake2b
from typing import TYPE_CHECKING, Any
from urllib.parse import parse_qs, unquote, urlsplit

from qetch.engine.contents import ContentMaker
from qetch.engine.fetching import Fetcher, fill
from qetch.engine.paging import first_names, next_page
from qetch.engine.reading import Bound, Names, Place, Reader, filled_text, node_of, select, shown
from qetch.engine.state import MAX_GOTO_DEPTH, ROW_ERRORS, RowMissing, State, Tally
from qetch.engine.why import located, why_nothing
from qetch.errors import Empty, LayoutChanged, NotFound
from qetch.selectors.jmes import DoesNotFit
from qetch.selectors.patterns import PatternTooSlow

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator, Mapping, Sequence

    from qetch.content import Content
    from qetch.engine.contents import Found
    from qetch.engine.fetching import Request
    from qetch.extractors import BaseExtractor
    from qetch.session import Policy, Session
    from qetch.spec.model import Block, Call, ContentSpec, Defaults, Each, Handle, Pages, Renditions, Rows, Site, Value

    Lists = Iterator[list[Content]]
    Goto = Callable[[str, "Run"], Lists | None]


@dataclass(frozen=True, slots=True)
class Here:
    """Where a run stands: what is read, the names, the fields of the contents around, and the count of the rows."""

    place: Place
    names: Names
    fields: Mapping[str, Any]
    tally: Tally


MAY_BE_EMPTY = " - if the site just has none there, a rule says so: `errors: {when: …, raise: empty}`"


class Run:
    """One extraction from one URL by one site.

    Args:
        site: The compiled site.
        extractor: Whose contents these will be.
        session: Every request goes through it.
        defaults: The `request` of the site, or of the instance that the URL is on.
        state: Shared with the run that led here.
        goto: Finds whose handle a URL is, and gives its lists, or None if it is nobody's.
        depth: How many `goto`s led here.
        source: The URL.
        policy: What the session may do in this run.
    """

    def __init__(
        self,
        site: Site,
        extractor: BaseExtractor,
        session: Session,
        defaults: Defaults,
        state: State,
        goto: Goto,
        depth: int = 0,
        source: str = "",
        policy: Policy | None = None,
    ) -> None:
        self.site = site
        self.extractor = extractor
        self.session = session
        self.defaults = defaults
        self.state = state
        self.goto = goto
        self.depth = depth
        self.source = source
        self.policy = policy or session.policy
        self.credentials = session.credentials
        self.reader = Reader(state.say, state.watch, site.path)
        self.fetcher = Fetcher(session, state, self.reader, site.errors, site.auth.check, site.kind)
        self.maker = ContentMaker(site, extractor, self.fetcher)

    def handle(self, handle: Handle, source: str, groups: Mapping[str, str | None]) -> Lists:
        """The lists of contents of a URL that a handle claims; `groups` are those of its match."""
        if self.state.watch:
            self.state.watch.entered(self, handle, source)
        names = first_bound(source)
        names |= {name: Bound(_decoded(groups.get(name))) for name in handle.groups}
        if handle.params:
            query = parse_qs(urlsplit(source).query, keep_blank_values=True)
            names |= {name: Bound(query.get(name, [None])[0]) for name in handle.params}
        here = Here(Place(None, None, source), names, {}, Tally())
        known = self.state.known
        for contents in self._block(handle.block, here, source):
            here.tally.results += 1
            yield contents
        self._judge(here.tally, known, source)

    # --- blocks

    def _block(self, block: Block, here: Here, source: str) -> Lists:
        if block.call:
            yield from self._pages(block, block.call, here, source)
            return
        self.fetcher.apply(block.errors, here.place, here.names)
        names = self._let(block.let, here.place, here.names)
        yield from self._inside(block, replace(here, names=names), source)

    def _let(self, let: Sequence[tuple[str, Value]], place: Place, names: Names) -> Names:
        if not let:
            return names
        names = dict(names)
        for name, value in let:
            names[name] = Bound(self.reader.read(value, place, names), place.url)
        return names

    def _inside(self, block: Block, here: Here, source: str) -> Lists:
        """What a block does with what it read."""
        if block.content:
            fields = self.maker.fields(block.content, here.place, here.names, dict(here.fields))
            here = replace(here, fields=fields)
            if block.content.is_file:
                yield from self._content(block.content, here, source)
        if block.goto:
            yield from self._goto(block.goto, here)
        if block.then:
            yield from self._block(block.then, here, source)
        if block.each:
            yield from self._each(block.each, here, source)

    def _pages(self, block: Block, call: Call, here: Here, source: str) -> Lists:
        """A request, and those for its further pages."""
        pages, tally, known = block.pages, Tally(), self.state.known

        def filled(names: Names) -> Request:
            return fill(call, self.defaults, names, here.place.url)

        names = first_names(pages, here.names) if pages else here.names
        request, seen = filled(names), set()
        while True:
            seen.add(request.key)
            place = self._page(request, block, names, tally)
            if place is None or (pages and not _is_new(place, seen)):
                break
            page_names = self._let(block.let, place, names)
            before = (tally.rows, tally.results, self.state.known)
            for contents in self._inside(block, Here(place, page_names, here.fields, tally), source):
                tally.results += 1
                yield contents
            if pages is None or self._ended(pages, place, page_names, before, tally):
                break
            later = next_page(pages, place, page_names, request, filled, self.reader)
            if later is None or later[0].key in seen:
                break
            request, names = later[0], {name: later[1][name] for name in names}
            tally.page += 1
        self._judge(tally, known, request.url)

    def _page(self, request: Request, block: Block, names: Names, tally: Tally) -> Place | None:
        """One page, or None where counting has passed the last one, which some sites answer with an error."""
        try:
            return self.fetcher.get(request, block.errors, names, self.defaults.wait)
        except (NotFound, Empty):
            if block.pages and block.pages.counter and tally.page > 1:
                return None
            raise

    def _ended(self, pages: Pages, place: Place, names: Names, before: tuple[int, int, int], tally: Tally) -> bool:
        rows, results, known = before
        something = tally.rows > rows or tally.results > results
        if tally.results == results and self.state.known > known:
            return True  # nothing but what was given before
        if pages.counter and not something:
            return True
        if tally.page >= pages.max:
            self.state.say(f"{place.url}", f"stopped after {pages.max} pages, as the spec says")
            return True
        return bool(pages.until and self.reader.holds(pages.until, place, names))

    def _judge(self, tally: Tally, known: int, url: str) -> None:
        """Not one result, though rows should have given some, or only a way to nowhere: that is not success.

        Rows with empty lists in them, or with none that `when` lets pass, are just empty: they said nothing.
        """
        if tally.results or self.state.known > known:
            return
        if tally.first_error:
            raise tally.first_error
        if not tally.first_skip:
            return
        if tally.rows:
            rows = f"not one of {tally.rows} rows gave anything, the first because"
            raise LayoutChanged(f"{url}: {rows if tally.rows > 1 else 'the only row gave nothing:'} {tally.first_skip}")
        raise RowMissing(f"{url}: {tally.first_skip}")

    # --- rows

    def _each(self, blocks: Sequence[Each], here: Here, source: str) -> Lists:
        nothing = []
        for each in blocks:
            nodes = self._nodes(each.rows, here)
            if nodes is None:
                nothing.append(each.rows)
            else:
                yield from self._walk(each, nodes, here, source)
        if len(nothing) == len(blocks):
            error = RowMissing if here.place.row else LayoutChanged
            raise error(f"{here.place.url}: {self._no_rows(nothing)}")

    def _nodes(self, rows: Rows, here: Here) -> Sequence[Any] | None:
        """What the rows are, or None where there is nothing that could hold rows."""
        if rows.find is None:
            return self._numbers(rows, here)
        node = node_of(rows.of, here.place, here.names)
        try:
            found = select(rows.find, node)
        except (DoesNotFit, PatternTooSlow) as error:
            raise LayoutChanged(f"{here.place.url}: {error} ({located(self.site, rows.where)}.in)") from None
        if self.state.watch:
            self.state.watch.walked(rows, node, here.place, found)
        if found is None:
            return None
        if not isinstance(found, list):
            cure = f' - "[{rows.find.text}]" makes one row of it' if isinstance(found, dict) else ""
            raise LayoutChanged(
                f"{here.place.url}: {rows.find.text!r} gives {shown(found)}, not a list"
                f" ({located(self.site, rows.where)}.in){cure}"
            )
        if not found and rows.find.language != "jmespath":  # markup has no empty lists: this may be a changed page
            if here.tally.page == 1 and not here.place.row:
                return None
            here.tally.first_skip = here.tally.first_skip or self._no_rows([rows])
        size = rows.batch
        return [found[i : i + size] for i in range(0, len(found), size)] if size else found

    def _no_rows(self, nothing: Sequence[Rows]) -> str:
        found = " and ".join(f"{rows.find.text!r}" for rows in nothing if rows.find)
        return f"there is nothing at {found} ({located(self.site, nothing[0].where)}.in){MAY_BE_EMPTY}"

    def _numbers(self, rows: Rows, here: Here) -> Sequence[int]:
        if isinstance(rows.to, int):
            return range(rows.start, rows.to + 1)
        try:
            text = filled_text(rows.to, here.names) if rows.to else None
            return range(rows.start, int(text or "") + 1)
        except DoesNotFit as error:
            raise RowMissing(f"{here.place.url}: {error} ({rows.where}.to)") from None
        except ValueError:
            raise RowMissing(f"{here.place.url}: `to` is {shown(text)}, no whole number ({rows.where}.to)") from None

    def _walk(self, each: Each, nodes: Sequence[Any], here: Here, source: str) -> Lists:
        tally = here.tally
        for number, (place, names) in enumerate(self._places(each.rows, nodes, here), 1):
            self.state.count_row()
            if each.rows.when and not self.reader.holds(each.rows.when, place, names):
                self.reader.passed(each.rows.where, "its `when` does not hold", number)
                continue
            tally.rows += 1
            try:
                for contents in self._block(each.block, Here(place, names, here.fields, tally), source):
                    tally.results += 1
                    yield contents
            except ROW_ERRORS as error:
                tally.failed(error)
                self.reader.note(each.rows.where, str(error), number)

    def _places(self, rows: Rows, nodes: Sequence[Any], here: Here) -> Iterator[tuple[Place, Names]]:
        """The place of each row, and the names there."""
        outer = here.place
        for number, node in enumerate(nodes, 1):
            if rows.find is None:
                place, count = outer, node
            else:
                place, count = Place(rows.kind, node, outer.url, outer.answer, number), number
            yield place, ({**here.names, rows.counter: Bound(count)} if rows.counter else here.names)

    # --- contents

    def _content(self, spec: ContentSpec, here: Here, source: str) -> Lists:
        uid, place = here.fields.get("uid"), here.place
        if not uid:
            self._nothing(spec, here, "there is no uid", [value for name, value in spec.fields if name == "uid"])
            return
        key = f"{self.site.name}-{uid}"
        if key in self.state.uids:
            self.state.known += 1
            self.reader.note(spec.where, f"{key} was given before in this run", place.row)
            return
        contents = self.maker.contents(dict(here.fields), self._files(spec, here), source)
        if not contents:
            files = [*([spec.file] if spec.file else []), *spec.variants]
            self._nothing(spec, here, f"{key} has no file", [file.urls for file in files], MAY_BE_EMPTY)
            return
        self.state.uids.add(key)
        if self.state.watch:
            self.state.watch.gave(spec, place, contents)
        yield contents

    def _nothing(self, spec: ContentSpec, here: Here, why: str, values: Sequence[Value], cure: str = "") -> None:
        """Says why there is no content: with the one value that is to blame, if it is one."""
        value = values[0] if len(values) == 1 else None
        why = f"{why}: {why_nothing(value, here.place, here.names)}" if value else why
        self.reader.note(spec.where, why, here.place.row)
        if here.place.row and here.tally.first_skip:
            return
        why = f"{why} ({located(self.site, value.where if value else spec.where)}){cure}"
        here.tally.skipped(why)
        if not here.place.row:
            raise LayoutChanged(f"{here.place.url}: {why}")

    def _files(self, spec: ContentSpec, here: Here) -> Iterator[Found]:
        if spec.file:
            yield spec.file, here.place, here.names
        for file in spec.variants:
            yield file, here.place, here.names
        if spec.renditions:
            rows = spec.renditions.rows
            nodes = self._nodes(rows, here)
            if nodes == [] and not spec.variants and not spec.file and rows.kind == "json":
                raise Empty(f"{here.place.url}: the list of its files is empty ({located(self.site, rows.where)}.in)")
            yield from self._renditions(spec.renditions, nodes or (), here)

    def _renditions(self, renditions: Renditions, nodes: Sequence[Any], here: Here) -> Iterator[Found]:
        rows = renditions.rows
        for place, outer in self._places(rows, nodes, here):
            self.state.count_row()
            if rows.when and not self.reader.holds(rows.when, place, outer):
                self.reader.passed(rows.where, "its `when` does not hold", place.row)
                continue
            names = self._let(renditions.let, place, outer)
            read = place
            if renditions.call:
                try:
                    request = fill(renditions.call, self.defaults, names, place.url)
                    read = self.fetcher.get(request, (), names, self.defaults.wait)
                except ROW_ERRORS as error:
                    self.reader.note(rows.where, str(error), place.row)
                    continue
            yield renditions.file, read, names

    # --- goto

    def _goto(self, value: Value, here: Here) -> Lists:
        urls = self.reader.urls(value, here.place, here.names, many=True)
        if not urls:
            here.tally.skipped("there is no URL to go to")
            self.reader.say(value, here.place, "there is no URL to go to")
        for url in urls:
            if self.depth >= MAX_GOTO_DEPTH:
                why = f"{url} is more than {MAX_GOTO_DEPTH} `goto`s away"
                here.tally.skipped(why)
                self.reader.say(value, here.place, why)
            elif not self.state.visit(url):
                self.reader.say(value, here.place, f"{url} was visited before in this run")
            else:
                yield from self._visit(url, value, here)

    def _visit(self, url: str, value: Value, here: Here) -> Lists:
        lists = self.goto(url, self)
        if lists is None:
            why = f"no handle of any site claims {url}"
            here.tally.skipped(why)
            self.reader.say(value, here.place, why)
            return
        try:
            yield from lists
        finally:
            if self.state.watch:
                self.state.watch.returned(self)


def first_bound(source: str) -> Names:
    """The names that are always there."""
    return {"source": Bound(source, source), "host": Bound(urlsplit(source).netloc.rpartition("@")[2].lower(), source)}


def _decoded(text: str | None) -> str | None:
    return unquote(text) if text is not None else None


def _is_new(place: Place, seen: set[str]) -> bool:
    """Whether no page of this call had the same body."""
    digest = blake2b(place.answer.body if place.answer else b"", digest_size=16).hexdigest()
    if digest in seen:
        return False
    seen.add(digest)
    return True
