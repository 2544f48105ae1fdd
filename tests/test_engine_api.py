"""The library as it is documented, with extractors that are made from specs."""

from __future__ import annotations

import copy
import gc
import importlib
import pickle
import tracemalloc
from typing import Any, ClassVar

import pytest
import requests
from requests.adapters import HTTPAdapter

import qetch
from qetch import errors
from qetch.auth import AuthRegistry, AuthTypes, SavedCredential
from qetch.content import Content
from qetch.extractors import BaseExtractor, FourChanExtractor, GfycatExtractor, ImgurExtractor, find_extractor
from qetch.extractors._common import Skip
from tests.engine_help import (
    PICTURES,
    alone,
    at_work,
    handle,
    make,
    patient,
    picture,
    pictures,
    reply,
    site_text,
    subclass,
)
from tests.origin import Origin

BLOCK = f"get: a\n{PICTURES}"
LINKS = "get: a\neach: {in: links, goto: '@'}"
ITEM = "\n" + handle(
    "item",
    "get: 'i/{n}'\ncontent: {uid: id, url: url}",
    r"^http://127\.0\.0\.1(?::\d+)?/item/(?P<n>\w+)$",
    "http://127.0.0.1/item/1",
)
LINKED = {"/a": reply({"links": ["/item/1", "/item/2"]}), "/i/1": reply(picture(1)), "/i/2": reply(picture(2))}


_alone = pytest.fixture(autouse=True)(alone)


Patterned = subclass(ImgurExtractor, "Patterned", __module__=__name__)
"""A subclass that can be pickled by name."""


class Watching(HTTPAdapter):
    """An adapter as a user mounts it: it sees requests, and sends them."""

    def __init__(self):
        super().__init__()
        self.seen = []

    def send(self, request: requests.PreparedRequest, *args: Any, **kwargs: Any) -> requests.Response:
        self.seen.append(request.url)
        return super().send(request, *args, **kwargs)


# --- extract


def test_extraction_is_lazy(tmp_path):
    with at_work(tmp_path, LINKED, LINKS, more=ITEM) as (extractor, origin):
        lists = extractor.extract(origin.url("/start"))
        assert origin.paths == []
        assert next(lists)[0].uid == "here-p1"
        assert origin.paths == ["/a", "/i/1"]
        lists.close()
    assert origin.paths == ["/a", "/i/1"]


def test_the_classes_have_what_is_documented(tmp_path):
    with at_work(tmp_path, {}, BLOCK, top='auth: {kind: key, headers: {X-Key: "{key}"}}') as (extractor, origin):
        url = origin.url("/start")
        assert (extractor.name, extractor.description, extractor.domains) == (
            "here",
            "A site for tests.",
            ["127.0.0.1"],
        )
        assert list(extractor.handles) == ["start"]
        assert extractor.authentication == AuthTypes.KEY == ("KEY",)
        assert isinstance(extractor.session, requests.Session)
        assert type(extractor).can_handle(url)
        name, match = type(extractor).get_handle(url)
        assert (name, match.string) == ("start", url)
        assert repr(extractor) == '<HereExtractor "here">'


def test_a_url_that_the_extractor_cannot_handle_is_an_error(tmp_path):
    with at_work(tmp_path, {}, BLOCK) as (extractor, origin):
        with pytest.raises(errors.UnsupportedURL):
            next(extractor.extract(origin.url("/elsewhere")))
        with pytest.raises(errors.UserError):
            next(extractor.extract("not a url"))


# --- handles are methods


def test_a_subclass_may_override_a_handle_and_is_asked_for_own_gotos_too(tmp_path):
    with Origin(LINKED) as origin:
        made: Any = make(tmp_path, site_text(origin, LINKS, more=ITEM))

        def handle_item(self, source, match):
            if match["n"] == "1":
                yield from made.handle_item(self, source, match)
            else:
                yield [
                    Content(uid, source, [source], self, quality=quality)
                    for uid, quality in (("own", 0.1), ("best", 1))
                ]

        extractor = subclass(made, handle_item=handle_item)()
        patient(extractor)
        with extractor.session:
            first, second = extractor.extract(origin.url("/start"))
            [third] = extractor.extract(origin.url("/item/2"))
    assert first[0].uid == "here-p1"
    assert first[0].extractor is extractor
    assert [content.uid for content in second] == [content.uid for content in third] == ["best", "own"]


def test_a_missing_method_is_not_implemented(tmp_path):
    with Origin(LINKED) as origin:
        extractor = subclass(make(tmp_path, site_text(origin, LINKS, more=ITEM)), handle_item=None)()
        patient(extractor)
        with extractor.session, pytest.raises(NotImplementedError, match="handle_item"):
            list(extractor.extract(origin.url("/start")))

    class Written(BaseExtractor, register=False):
        name = "written"
        handles: ClassVar[dict[str, str]] = {"page": r"https://written\.example/"}

    with pytest.raises(NotImplementedError, match="handle_page"):
        next(Written().extract("https://written.example/x"))


def test_a_handle_may_be_called_by_itself(tmp_path):
    with at_work(tmp_path, {"/a": pictures(1)}, BLOCK) as (extractor, origin):
        url = origin.url("/start")
        [[content]] = extractor.handle_start(url, extractor.get_handle(url)[1])
    assert content.uid == "here-p1"


def test_handles_are_documented_methods():
    assert GfycatExtractor.handle_basic.__name__ == "handle_basic"
    assert "gfycat.com" in GfycatExtractor.handle_basic.__doc__


def test_an_overridden_handle_gets_the_credentials_of_the_spec(tmp_path):
    top = 'auth: {kind: key, headers: {X-Key: "{key}"}}'
    with Origin({"/own": pictures(1)}) as origin:

        def handle_start(self, source, match):
            self.session.get(origin.url("/own"))
            yield from ()

        text = site_text(origin, "content: {uid: {text: x}, url: {text: 'http://127.0.0.1/f'}}", top=top)
        extractor = subclass(make(tmp_path, text), handle_start=handle_start)()
        patient(extractor)
        with extractor.session:
            list(extractor.extract(origin.url("/start"), auth=("key-0123456789",)))
    assert origin.requests[0].headers["X-Key"] == "key-0123456789"


# --- sessions


def test_adapters_see_every_request_children_of_goto_included(tmp_path):
    with Origin({"/b": reply({"id": "far", "url": "/f"})}) as far:
        text = site_text(far, "get: b\ncontent: {uid: id, url: url}", name="there", host="localhost")
        (tmp_path / "specs" / "there.yaml").write_text(text)
        with Origin({**LINKED, "/a": reply({"links": ["/item/1", far.url("/start", "localhost")]})}) as origin:
            extractor = make(tmp_path, site_text(origin, LINKS, more=ITEM))()
            watching = Watching()
            extractor.session.mount("http://", watching)
            with extractor.session:
                assert len(list(extractor.extract(origin.url("/start")))) == 2
    assert watching.seen == [origin.url("/a"), origin.url("/i/1"), far.url("/b", "localhost")]


def test_a_goto_may_lead_to_a_hand_written_extractor(tmp_path):
    with at_work(tmp_path, {"/a": reply({"links": ["https://written.example/7"]})}, LINKS) as (extractor, origin):

        class Written(BaseExtractor):
            name = "written"
            handles: ClassVar[dict[str, str]] = {"page": r"https://written\.example/(?P<id>\d+)"}

            def handle_page(self, source, match):
                self.skipped.append(Skip("page", "half of it"))
                yield [Content(f"written-{match['id']}", source, [source], self, quality=q) for q in (0.5, 1)]

        [contents] = extractor.extract(origin.url("/start"))
        assert [content.quality for content in contents] == [1, 0.5]
        assert extractor.skipped == [("page", "half of it")]
        del Written, contents
    gc.collect()


def test_two_extractions_may_take_turns(tmp_path):
    top = 'auth: {kind: key, headers: {X-Key: "{key}"}}\ninstances: {localhost: {headers: {X-I: 1}}}'
    block = "get: 'http://{host}/a/{page}'\npages: {counter: page}\neach: {in: items, content: {uid: id, url: url}}"
    match = r"^http://(?:127\.0\.0\.1|localhost)(?::\d+)?/start$"
    first_page = reply({"items": [picture(1), {}]})
    routes = {"/a/1": first_page, "/a/2": pictures(2), "/a/3": pictures(3), "/a/4": pictures()}
    words = {"top": top, "match": match, "example": "http://127.0.0.1/start"}
    with Origin(routes) as origin:
        text = site_text(origin, block, **words).replace(
            f'base: "http://127.0.0.1:{origin.port}/"', 'base: "http://{host}/"'
        )
        extractor = make(tmp_path, text)()
        patient(extractor)
        with extractor.session:
            one = extractor.extract(origin.url("/start"), auth=("one-0123456789",))
            first = [next(one)]
            said = extractor.skipped
            two = extractor.extract(origin.url("/start", "localhost"), auth=("two-0123456789",))
            second = [next(two)]
            for _ in range(2):
                first.append(next(one))
                second.append(next(two))
            assert (next(one, None), next(two, None)) == (None, None)
    assert (
        [contents[0].uid for contents in first]
        == [contents[0].uid for contents in second]
        == ["here-p1", "here-p2", "here-p3"]
    )
    assert len(said) == len(extractor.skipped) == 1
    keys: dict[str, set[str]] = {}
    for request in origin.requests:
        keys.setdefault(request.headers["Host"].partition(":")[0], set()).add(request.headers["X-Key"])
    assert keys == {"127.0.0.1": {"one-0123456789"}, "localhost": {"two-0123456789"}}


def test_what_was_left_out_is_a_place_and_a_reason_of_the_last_extraction(tmp_path):
    with at_work(tmp_path, {"/a": [reply({"items": [picture(1), {}]}), pictures(1)]}, BLOCK) as (extractor, origin):
        assert extractor.skipped == []
        list(extractor.extract(origin.url("/start")))
        [skip] = extractor.skipped
        assert (skip.place, skip.reason) == ("handles.start.each.content, row 2", "there is no uid: 'id' finds nothing")
        list(extractor.extract(origin.url("/start")))
        assert extractor.skipped == []


# --- copies


@pytest.mark.parametrize("made", [ImgurExtractor, FourChanExtractor, GfycatExtractor, Patterned])
def test_classes_and_instances_are_pickled_by_name(made):
    assert pickle.loads(pickle.dumps(made)) is made
    extractor = made()
    extractor.skipped.append(Skip("a", "b"))
    extractor.session.headers["X-Mine"] = "1"
    again = pickle.loads(pickle.dumps(extractor))
    assert type(again) is made
    assert again.skipped == [("a", "b")]
    assert "X-Mine" not in again.session.headers
    assert type(copy.copy(extractor)) is made


def test_a_content_is_pickled_with_its_extractor():
    content = Content("x", "https://imgur.com/a", ["https://i.imgur.com/x.png"], ImgurExtractor(), quality=1.0)
    again = pickle.loads(pickle.dumps(content))
    assert repr(again) == '<Content (1.0) "x">'
    assert repr(again.extractor) == '<ImgurExtractor "imgur">'
    assert str(again.source) == "https://imgur.com/a"


def test_the_documented_module_paths_hold_the_same_classes():
    chan, gfycat = (importlib.import_module(f"qetch.extractors.{name}") for name in ("fourchan", "gfycat"))
    assert (chan.FourChanExtractor, gfycat.GfycatExtractor) == (FourChanExtractor, GfycatExtractor)
    assert type(qetch.get_extractor("https://imgur.com/a/TcBmP", init=True)) is ImgurExtractor
    assert qetch.get_extractor("https://imgur.com/a/TcBmP") is ImgurExtractor


# --- merge


def test_fragments_are_merged_one_after_the_other(tmp_path):
    paths = [tmp_path / f"f{number}" for number in range(3)]
    for number, path in enumerate(paths):
        path.write_bytes(bytes([65 + number]) * 3)
    with at_work(tmp_path, {}, BLOCK) as (extractor, _):
        merged = extractor.merge([str(path) for path in paths])
    assert merged == str(paths[0])
    assert paths[0].read_bytes() == b"AAABBBCCC"


# --- names


def test_a_users_spec_that_names_itself_like_a_packaged_one_is_left_out(tmp_path, caplog):
    with Origin({"/a": pictures(1)}) as origin:
        text = site_text(origin, BLOCK, name="imgur", top='auth: {kind: key, headers: {X-Key: "{key}"}}')
        (tmp_path / "specs" / "mine.yaml").write_text(text)
        AuthRegistry()["imgur"] = SavedCredential(("key-0123456789",), "package", "imgur")
        with pytest.raises(errors.UnsupportedURL):
            find_extractor(origin.url("/start"))
        assert find_extractor("https://imgur.com/a/TcBmP") is ImgurExtractor
        assert 'the name "imgur" is taken' in caplog.text
        lonely = make(tmp_path, text)()  # and by itself it receives nothing that was saved for the other
        patient(lonely)
        with lonely.session, pytest.raises(errors.AuthenticationError):
            list(lonely.extract(origin.url("/start")))
    assert origin.requests == []


# --- memory


def test_memory_stays_flat_while_20_000_rows_are_consumed(tmp_path):
    rows = [{"id": f"p{n}", "url": f"/{n}.png", "title": "a picture of a paper crane " * 4} for n in range(20_000)]
    with at_work(tmp_path, {"/a": reply({"items": rows})}, BLOCK) as (extractor, origin):
        lists = extractor.extract(origin.url("/start"))
        for _ in range(1_000):
            next(lists)
        tracemalloc.start()
        try:
            count = sum(len(contents) for contents in lists)
            _, peak = tracemalloc.get_traced_memory()
        finally:
            tracemalloc.stop()
    assert count == 19_000
    assert peak < 4_000_000  # the uids alone are 2 MB; the contents would be 20
