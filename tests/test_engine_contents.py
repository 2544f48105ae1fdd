"""Contents: files, variants, renditions, qualities and uids."""

from __future__ import annotations

from typing import Any

import pytest

from qetch import errors
from tests.engine_help import extract, fails, handle, page, picture, pictures, reply, run
from tests.origin import Reply


def one(tmp_path, data, content, **words):
    """The contents of one item, read from a JSON answer."""
    outcome = extract(tmp_path, {"/a": reply(data)}, f"get: a\ncontent: {{uid: {{text: i}}, {content}}}", **words)
    assert len(outcome.lists) == 1
    return outcome.lists[0]


def qualities(contents):
    return {content.variant: content.quality for content in contents}


# --- quality


def test_without_quality_the_order_written_decides_evenly_from_one_down(tmp_path):
    data = {name: f"/{name}.png" for name in "abcd"}
    contents = one(tmp_path, data, "variants: {c: c, a: a, d: d, b: b}")
    assert [(content.variant, content.quality) for content in contents] == [
        ("c", 1),
        ("a", 0.75),
        ("d", 0.5),
        ("b", 0.25),
    ]


@pytest.mark.parametrize("nothing", [None, "", False])
def test_variants_drop_null_empty_and_false(tmp_path, nothing):
    contents = one(tmp_path, {"a": nothing, "b": "/b.png"}, "variants: {a: a, b: b, c: c}")
    assert qualities(contents) == {"b": 1.0}


def test_a_list_is_the_best_first_and_of_equals_the_first_written(tmp_path):
    data = {name: f"/{name}.png" for name in "abcd"}
    variants = "variants: {a: {url: a, quality: 0}, b: {url: b, quality: 0.5}, c: {url: c, quality: 1}, d: {url: d, quality: 0.5}}"
    contents = one(tmp_path, data, variants)
    assert [content.variant for content in contents] == ["c", "b", "d", "a"]


def test_a_rank_over_n_distinct_values_gives_k_of_n(tmp_path):
    files: dict[str, dict[str, Any]] = {
        "x": {"h": 480},
        "y": {"h": 1080},
        "z": {"h": 720},
        "w": {"h": 720},
        "v": {"h": None},
    }
    data = {"files": {name: {"url": f"/{name}", **file} for name, file in files.items()}}
    rendition = "renditions: {in: 'entries(files)', name: key, url: value.url, quality: {rank: value.h}}"
    assert qualities(one(tmp_path, data, rendition)) == {"y": 1.0, "z": 0.75, "w": 0.75, "x": 0.5, "v": 0.25}


def test_a_list_of_ranks_breaks_ties(tmp_path):
    rows = [("a", 720, 1), ("b", 720, 2), ("c", 480, 9), ("d", 720, None)]
    data = {"files": [{"n": name, "u": f"/{name}", "h": height, "r": rate} for name, height, rate in rows]}
    contents = one(tmp_path, data, "renditions: {in: files, name: n, url: u, quality: {rank: [h, r]}}")
    assert [(content.variant, content.quality) for content in contents] == [
        ("b", 1),
        ("a", 0.75),
        ("d", 0.5),
        ("c", 0.25),
    ]


@pytest.mark.parametrize(
    ("text", "cure"),
    [("1080p", r"add `regex: '\d+'` and `number: int`"), ("1080", "add `number: int`"), ("hd", '`map: {"hd": 1}`')],
)
def test_a_rank_by_a_text_is_said_once_with_the_cure_and_counts_as_null(tmp_path, text, cure):
    data = {
        "files": [{"n": "a", "u": "/a", "h": text}, {"n": "b", "u": "/b", "h": 1}, {"n": "c", "u": "/c", "h": text}]
    }
    block = "get: a\ncontent: {uid: {text: i}, renditions: {in: files, name: n, url: u, quality: {rank: h}}}"
    outcome = extract(tmp_path, {"/a": reply(data)}, block)
    assert qualities(outcome.lists[0]) == {"b": 1.0, "a": 0.5, "c": 0.5}
    [said] = outcome.skipped
    assert f'{text}" is no number to rank by, and counts as none: ' in said
    assert cure in said


def test_the_cure_for_a_rank_by_a_text_works(tmp_path):
    data = {"files": [{"n": "a", "u": "/a", "h": "360p"}, {"n": "b", "u": "/b", "h": "1080p"}]}
    for steps, said in ((r"regex: '\d+', number: int", []), ("number: int", [r"`regex: '\d+'` takes its digits"] * 2)):
        rank = f"{{jmespath: h, {steps}}}"
        rendition = f"renditions: {{in: files, name: n, url: u, quality: {{rank: {rank}}}}}"
        outcome = extract(tmp_path, {"/a": reply(data)}, f"get: a\ncontent: {{uid: {{text: i}}, {rendition}}}")
        assert all(cure in skip for cure, skip in zip(said, outcome.skipped, strict=False))
        assert qualities(outcome.lists[0]) == ({"a": 1.0, "b": 0.5} if said else {"b": 1.0, "a": 0.5})


@pytest.mark.parametrize("rank", ["hieght", "[hieght, wdith]"])
def test_a_rank_that_is_null_for_every_file_is_said_and_the_order_decides(tmp_path, rank):
    data = {"files": [{"n": name, "u": f"/{name}", "height": 7} for name in "abc"]}
    rendition = f"renditions: {{in: files, name: n, url: u, quality: {{rank: {rank}}}}}"
    outcome = extract(tmp_path, {"/a": reply(data)}, f"get: a\ncontent: {{uid: {{text: i}}, {rendition}}}")
    assert qualities(outcome.lists[0]) == {"a": 1.0, "b": 0.6667, "c": 0.3333}
    [said] = outcome.skipped
    assert "renditions.quality.rank" in said
    assert "null for every file" in said


def test_a_rank_that_is_null_for_the_only_file_is_no_matter(tmp_path):
    data = {"files": [{"n": "a", "u": "/a"}]}
    block = "get: a\ncontent: {uid: {text: i}, renditions: {in: files, name: n, url: u, quality: {rank: h}}}"
    outcome = extract(tmp_path, {"/a": reply(data)}, block)
    assert (qualities(outcome.lists[0]), outcome.skipped) == ({"a": 1.0}, [])


def test_renditions_without_a_rank_keep_the_order_of_the_site(tmp_path):
    data = {"files": [{"n": name, "u": f"/{name}"} for name in "xyz"]}
    contents = one(tmp_path, data, "renditions: {in: files, name: n, url: u}")
    assert [content.variant for content in contents] == ["x", "y", "z"]
    assert [content.quality for content in contents] == [1.0, 0.6667, 0.3333]


# --- uids


def test_the_uid_is_made_of_site_item_and_variant(tmp_path):
    assert [content.uid for content in one(tmp_path, {"a": "/a", "b": "/b"}, "variants: {a: a, b: b}")] == [
        "here-i-a",
        "here-i-b",
    ]
    assert [content.uid for content in one(tmp_path, {"a": "/a"}, "url: a")] == ["here-i"]
    data = {"files": [{"n": 720, "u": "/a"}]}
    assert [content.uid for content in one(tmp_path, data, "renditions: {in: files, name: n, url: u}")] == [
        "here-i-720"
    ]


def test_a_uid_given_before_in_a_run_is_skipped_and_said(tmp_path):
    block = "get: a\neach: {in: items, content: {uid: id, url: url}}"
    outcome = extract(tmp_path, {"/a": pictures(1, 2, 1)}, block)
    assert outcome.uids == ["p1", "p2"]
    assert "here-p1 was given before" in outcome.skipped[0]
    assert "row 3" in outcome.skipped[0]


def test_a_uid_may_come_from_the_content_around(tmp_path):
    block = "get: a\ncontent: {uid: id}\neach: {in: files, content: {url: url}}"
    assert extract(tmp_path, {"/a": reply({"id": 7, "files": [{"url": "/f"}]})}, block).uids == ["7"]


# --- variants and renditions


def test_mixed_variants_and_renditions_are_one_list(tmp_path):
    data = {"a": "/a", "files": [{"n": "x", "u": "/x"}]}
    contents = one(tmp_path, data, "variants: {a: a}, renditions: {in: files, name: n, url: u}")
    assert sorted(content.variant for content in contents) == ["a", "x"]


def test_two_renditions_of_one_name_are_said_and_the_first_is_kept_where_nothing_ranks_them(tmp_path):
    data = {"files": [{"n": "x", "u": "/1"}, {"n": "x", "u": "/2"}, {"n": None, "u": "/3"}]}
    block = "get: a\ncontent: {uid: {text: i}, renditions: {in: files, name: n, url: u}}"
    outcome = extract(tmp_path, {"/a": reply(data)}, block)
    assert [content.fragments[0][-2:] for content in outcome.lists[0]] == ["/1"]
    assert len(outcome.skipped) == 2


def test_of_two_renditions_of_one_name_the_better_by_rank_is_kept(tmp_path):
    rows = [(480, 1, "/1"), (720, 1800, "/2"), (720, 2600, "/3"), (720, 900, "/4")]
    data = {"files": [{"h": height, "r": rate, "u": url} for height, rate, url in rows]}
    rendition = "renditions: {in: files, let: {h: h}, name: {text: '{h}p'}, url: u, quality: {rank: [h, r]}}"
    outcome = extract(tmp_path, {"/a": reply(data)}, f"get: a\ncontent: {{uid: {{text: i}}, {rendition}}}")
    given = [(content.variant, content.fragments[0][-2:], content.quality) for content in outcome.lists[0]]
    assert given == [("720p", "/3", 1.0), ("480p", "/1", 0.5)]
    assert len(outcome.skipped) == 2
    assert all("two files are named '720p': the better one is kept" in said for said in outcome.skipped)


def test_renditions_may_be_chosen_named_and_asked_for(tmp_path):
    data = {"files": [{"k": "v", "ref": "x"}, {"k": "a", "ref": "y"}, {"k": "v", "ref": "z"}]}
    block = (
        "get: a\ncontent: {uid: {text: i}, renditions: {in: files, when: \"k == 'v'\", let: {ref: ref},"
        " get: 'b/{ref}', name: label, url: url, size: bytes}}"
    )
    routes = {"/a": reply(data), "/b/x": reply({"label": "hd", "url": "x.mp4", "bytes": 9}), "/b/z": Reply(404)}
    outcome = extract(tmp_path, routes, block)
    [content] = outcome.lists[0]
    assert (content.variant, content.size, content.extension) == ("hd", 9, "mp4")
    assert content.fragments[0].endswith("/b/x.mp4")
    assert "404" in outcome.skipped[0]


def test_renditions_of_a_page_are_elements(tmp_path):
    html = '<h1>i</h1><video><source src="/hd.mp4" label=hd><source src="/sd.mp4" label=sd></video>'
    block = 'get: a\ncontent: {uid: h1, renditions: {in: source, name: "::attr(label)", url: "::attr(src)"}}'
    outcome = extract(tmp_path, {"/a": page(html)}, block, request="as: html")
    assert [content.variant for content in outcome.lists[0]] == ["hd", "sd"]


# --- files


def test_fragments_are_in_order_and_keep_what_fits(tmp_path):
    data = {"parts": ["p1.ts", "", None, "//127.0.0.1/p2.ts", "data:x"]}
    block = "get: sub/a\ncontent: {uid: {text: i}, fragments: parts}"
    outcome = extract(tmp_path, {"/sub/a": reply(data)}, block)
    assert [url.rpartition("/")[2] for url in outcome.only.fragments] == ["p1.ts", "p2.ts"]
    assert "data:x" in outcome.skipped[0]


def test_a_file_url_may_be_anywhere_and_carries_its_own_headers(tmp_path):
    block = "get: a\ncontent: {uid: id, url: url, headers: {Referer: '{source}', X-No: '{no}'}}\nlet: {no: no}"
    content = extract(tmp_path, {"/a": reply({"id": 1, "url": "https://cdn.example/f.png"})}, block).only
    assert content.fragments == ["https://cdn.example/f.png"]
    assert set(content.headers) == {"Referer"}
    assert content.headers["Referer"].endswith("/start")


def test_a_url_template_encodes_what_it_fills_in(tmp_path):
    block = "get: a\nlet: {name: name, dir: dir}\ncontent: {uid: id, url: {text: '/f/{+dir}/{name}.png'}}"
    data = {"id": 1, "name": "a b/c?#ü", "dir": "x/y z"}
    [url] = extract(tmp_path, {"/a": reply(data)}, block).only.fragments
    assert url.endswith("/f/x/y%20z/a%20b%2Fc%3F%23%C3%BC.png")


def test_a_url_template_with_a_null_name_is_no_file(tmp_path):
    block = "get: a\nlet: {n: n}\ncontent: {uid: {text: i}, variants: {a: {url: {text: '/f/{n}.png'}}, b: b}}"
    assert qualities(extract(tmp_path, {"/a": reply({"b": "/b"})}, block).lists[0]) == {"b": 1.0}


def test_ampersands_as_entities_in_json_urls_are_decoded_where_the_spec_says_so(tmp_path):
    content = one(tmp_path, {"u": "/f.png?a=1&amp;b=2"}, "url: {jmespath: u, parse: html}")[0]
    assert content.fragments[0].endswith("/f.png?a=1&b=2")


def test_the_source_and_the_extractor_of_a_content_are_those_of_the_run(tmp_path):
    content = one(tmp_path, {"u": "/f"}, "url: u")[0]
    assert content.source.path == "/start"
    assert content.extractor.name == "here"
    assert repr(content) == '<Content (1.0) "here-i">'


def test_every_content_has_metadata_of_its_own(tmp_path):
    first, second = one(tmp_path, {"a": "/a", "b": "/b"}, 'variants: {a: a, b: b}, metadata: "@"')
    first.metadata["mine"] = 1
    assert "mine" not in second.metadata


def test_a_content_and_blocks_inside_may_stand_together(tmp_path):
    block = (
        "get: a\ncontent: {uid: id, url: cover, title: title}\n"
        "each: {in: items, content: {uid: id, url: url}}\nthen: {get: b, content: {uid: {text: b}, url: url}}"
    )
    routes = {"/a": pictures(1, id="c", cover="/c", title="T"), "/b": reply({"url": "/b"})}
    outcome = extract(tmp_path, routes, block)
    assert outcome.uids == ["c", "b", "p1"]
    assert [contents[0].title for contents in outcome.lists] == ["T", "T", "T"]


def test_the_same_uid_of_two_handles_is_one_content(tmp_path):
    block = "get: a\ncontent: {uid: id, url: url}\ngoto: {text: '/other'}"
    more = "\n" + handle("other", "get: a\ncontent: {uid: id, url: url}")
    outcome = extract(tmp_path, {"/a": reply(picture(1))}, block, more=more)
    assert outcome.uids == ["p1"]
    assert "given before" in outcome.skipped[0]


def test_an_error_in_an_asked_rendition_that_is_no_missing_file_ends_the_run(tmp_path):
    block = "get: a\ncontent: {uid: {text: i}, renditions: {in: files, let: {r: r}, get: 'b/{r}', name: n, url: u}}"
    routes = {"/a": reply({"files": [{"r": 1}]}), "/b/1": Reply(401)}
    fails(tmp_path, routes, block, errors.AuthenticationError)
    routes["/b/1"] = Reply(404)
    outcome = run(tmp_path, routes, block)
    assert isinstance(outcome.error, errors.LayoutChanged)


# --- what is said of nothing


@pytest.mark.parametrize(
    ("uid", "said"),
    [
        ("'img#full'", "'img#full' finds an <img> without text - if an attribute is meant, add ::attr(src)"),
        ("'a'", "'a' finds an <a> without text - if an attribute is meant, add ::attr(href)"),
        ("{xpath: //img}", "'//img' finds an <img> without text - if an attribute is meant, add /@src"),
        ("b", "'b' finds nothing"),
        ("{css: p, regex: z}", "'p' finds a <p>, of which `regex` leaves nothing"),
        ("{first_of: [b, i]}", "none of its 2 values is anything"),
    ],
)
def test_a_uid_that_is_nothing_names_the_line_and_what_was_found(tmp_path, uid, said):
    html = "<p>text</p><img id=full src=/1.png><a href=/1></a>"
    block = f"get: a\ncontent: {{uid: {uid}, url: 'img::attr(src)'}}"
    error = fails(tmp_path, {"/a": page(html)}, block, errors.LayoutChanged, request="as: html")
    assert f"there is no uid: {said} (site" in str(error)
    assert str(error).endswith(".yaml:12, handles.start.content.uid)")


def test_a_file_that_is_nothing_names_the_line_and_what_was_found(tmp_path):
    block = "get: a\ncontent: {uid: {text: i}, url: link}"
    error = fails(tmp_path, {"/a": reply({})}, block, errors.LayoutChanged)
    assert "here-i has no file: 'link' finds nothing (" in str(error)
