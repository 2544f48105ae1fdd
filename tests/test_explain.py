from __future__ import annotations

import pytest

from tests.spec_samples import ALBUMS, changed, problems


def test_an_unknown_key_names_its_place_and_what_was_meant() -> None:
    assert changed("uploaded_date", "upload_date") == [
        '29:9: unknown key "upload_date" in content - did you mean "uploaded_date"?'
    ]


def test_a_key_that_nothing_resembles_names_what_is_known() -> None:
    assert changed("as: json,", "as: json, qqqq: x,") == [
        '6:21: unknown key "qqqq" in request - known here: as, base, cookies, headers, query, rate, wait'
    ]


def test_all_problems_of_a_file_come_in_order_of_their_place() -> None:
    text = (
        ALBUMS.lstrip()
        .replace("uid: id", "uid: id\n        uid: x")
        .replace("raise: gone", "rise: gone")
        .replace("name:", "nam:")
    )
    assert problems(text) == [
        'x.yaml:2:1: unknown key "nam" in the site - did you mean "name"?',
        'x.yaml:10:29: unknown key "rise" in errors - did you mean "raise"?',
        'x.yaml:28:9: duplicate key "uid" (first at line 27)',
    ]


def test_a_misspelt_word_is_not_missed_a_second_time() -> None:
    assert changed("match:", "matsh:") == ['13:5: unknown key "matsh" in handles.user - did you mean "match"?']
    assert changed("in: data.images", "im: data.images") == ['25:7: unknown key "im" in each - did you mean "in"?']
    assert changed("counter: page", "conter: page") == [
        '16:13: unknown key "conter" in pages - did you mean "counter"?'
    ]


@pytest.mark.parametrize(
    ("before", "after", "place", "message", "cure"),
    [
        (
            "title: title",
            "title: {css: a, jmespath: b}",
            "28:16",
            "a value needs exactly one of css, xpath, jmespath, text, header, first_of; found css, jmespath",
            "",
        ),
        ("title: title", "title: {css: a, tz: UTC}", "28:25", '"tz" needs "date" beside it', "such as date: iso"),
        ("title: title", "title: {}", "28:16", '"title" is empty', "such as title: {jmespath: title, parse: html}"),
        ("title: title", 'title: ""', "28:16", '"title" is an empty text', "such as title: title"),
        (
            "title: title",
            "title: {first_of: [a]}",
            "28:27",
            "first_of needs at least two values",
            "such as first_of: [mp4, gif]",
        ),
        (
            "title: title",
            "title: {of: x, text: y}",
            "28:16",
            "`of` says what css, xpath and jmespath read: text, header and first_of do without it; found text",
            "remove `of`",
        ),
        (
            "title: title",
            "title: {css: a, replace: [[a]]}",
            "28:35",
            "a replacement is a list of two: a regex and a text",
            'such as replace: [[\'\\s+\', " "], ["^ | $", ""]]',
        ),
        (
            "title: title",
            "title: {css: a, replace: [a]}",
            "28:35",
            '"replace" is a list, not a text',
            'such as replace: [[\'\\s+\', " "], ["^ | $", ""]]',
        ),
        (
            "title: title",
            "title: {css: a, parse: jsn}",
            "28:32",
            '"parse" is json, html or xml, not "jsn"',
            'did you mean "json"?',
        ),
        (
            "title: title",
            "title: {css: a, number: 1}",
            "28:33",
            '"number" is int or float, not a number',
            "write one of these words",
        ),
        (
            "title: title",
            "title: 3",
            "28:16",
            '"title" is a selector or a mapping, not a number',
            'a fixed text is {text: "3"}',
        ),
        (
            "title: title",
            "title: true",
            "28:16",
            '"title" is a selector or a mapping, not true',
            'a fixed text is {text: "true"}',
        ),
        ("title: title", "title: {text: 3}", "28:23", '"text" is a template, not a number', 'quote it: "3"'),
        (
            "title: title",
            "title: [a]",
            "28:16",
            '"title" is a selector or a mapping, not a list',
            "a value that begins with [ is a YAML list: quote it",
        ),
        (
            "title: title",
            "title: {css: a, all: yes}",
            "28:30",
            '"all" is true or false, not a text',
            "such as all: true",
        ),
        ("in: data.images", "in:", "25:10", '"in" is empty', "such as in: data.items"),
        (
            "in: data.images",
            "in: # all",
            "25:10",
            '"in" is empty',
            "a # after a space starts a comment: quote the selector",
        ),
        (
            "in: data.images",
            "in: {css: a}",
            "25:11",
            '"in" is a selector, not a mapping',
            "a value that begins with { is a YAML mapping: quote it",
        ),
        (
            "in: data.images",
            "counter: x",
            "24:5",
            "rows need `in`, or `counter` with `to`; found none",
            "such as in: data.items",
        ),
        (
            "in: data.images",
            "in: x\n      to: 3\n      counter: n",
            "25:7",
            "rows need `in`, or `counter` with `to`; found in, to",
            "keep one of them",
        ),
        ("in: data.images", "in: x\n      from: 3", "26:7", '"from" needs "to" beside it', "such as to: 12"),
        ("in: data.images", "in: x\n      batch: 0", "26:14", '"batch" is at least 1', "such as batch: 50"),
        (
            "in: data.images",
            "in: x\n      get: y",
            "26:7",
            'unknown key "get" in each',
            "a block makes one request, or walks rows: write the request below `then`",
        ),
        (
            "pages: {counter: page, from: 0}",
            "in: x",
            "16:5",
            'unknown key "in" in handles.user',
            "a block makes one request, or walks rows: write the rows below `each`",
        ),
        (
            "pages: {counter: page, from: 0}",
            "pages: {counter: page, next: x}",
            "16:12",
            "pages need exactly one of next, set, carry, counter; found counter, next",
            "keep one of them",
        ),
        (
            "pages: {counter: page, from: 0}",
            "pages: {next: x, by: 2}",
            "16:22",
            '"by" needs "counter" beside it',
            "such as counter: page",
        ),
        (
            "pages: {counter: page, from: 0}",
            "pages: {next: x, max: 1.0}",
            "16:27",
            '"max" is a whole number, not a number',
            "such as max: 20",
        ),
        (
            'get: "album/{id}"',
            "get: a\n    post: b",
            "19:5",
            "a block makes one request: get or post, not both",
            "keep one of them; a second request stands below `then`",
        ),
        (
            'get: "album/{id}"',
            "get: a\n    form: {a: b}",
            "22:5",
            "form, json and graphql are bodies: they need `post`",
            "write the URL as `post`",
        ),
        (
            'get: "album/{id}"',
            "post: a\n    form: {a: b}\n    json: {}",
            "19:5",
            "a request has one body: exactly one of form, json, graphql; found form, json",
            "keep one of them",
        ),
        (
            'get: "album/{id}"',
            "post: a\n    json: {}\n    variables: {}",
            "23:5",
            '"variables" needs "graphql" beside it',
            'such as graphql: "query($id: ID!) { album(id: $id) { pictures { id url } } }"',
        ),
        (
            'get: "album/{id}"',
            "headers: {a: b}",
            "21:5",
            "headers and pages belong to a request: `get` or `post` is missing",
            'such as get: "albums/{id}.json"',
        ),
        (
            'get: "album/{id}"',
            "as: json",
            "21:5",
            "query, cookies, as and redirects belong to a request: `get` or `post` is missing",
            'such as get: "albums/{id}.json"',
        ),
        (
            'get: "album/{id}"',
            'get: a\n    headers: {"A: b": c}',
            "22:15",
            'bad name "A: b" in headers',
            "a header or cookie has a name of letters, digits and -",
        ),
        (
            'get: "album/{id}"',
            "get: a\n    query: {a: [b]}",
            "22:16",
            '"a" is a template, a number or true or false, not a list',
            "a value that begins with [ is a YAML list: quote it",
        ),
        (
            "raise: empty",
            "raise: empti",
            "22:56",
            '"raise" is not_found, login_required, forbidden, rate_limited, geo_blocked, gone, empty or remote, not "empti"',
            'did you mean "empty"?',
        ),
        (", raise: empty", "", "22:14", '"errors" needs "raise"', "such as raise: not_found"),
        (
            'when: "data.images_count == `0`", ',
            "",
            "22:14",
            "a rule needs at least one of status, url, when",
            "such as status: [404, 410]",
        ),
        (
            "raise: empty",
            "raise: empty, status: [20]",
            "22:72",
            "an HTTP status is a number from 100 to 599",
            "such as status: 404",
        ),
        (
            "variants: {mp4: mp4",
            "variants: {mp4: {quality: 2, url: x}",
            "31:35",
            "a quality is a number from 0 to 1",
            "0 is the worst, 1 the best; what the site counts in goes into {rank: …}",
        ),
        (
            "variants: {mp4: mp4",
            "variants: {mp4: {url: x, fragments: y}",
            "31:25",
            "a file needs exactly one of url, fragments; found url, fragments",
            "keep one of them",
        ),
        (
            "variants: {mp4: mp4",
            "variants: {mp4: {text: x, size: y}",
            "31:25",
            "a file of which more is said than its URL is {url: …, size: …}; found size",
            "write what reads the URL inside `url`",
        ),
        (
            "variants: {mp4: mp4",
            "variants: {mp4: {url: x, regex: y}",
            "31:25",
            "what reads a URL stands inside `url` or `fragments`; found regex",
            "such as url: {css: a, regex: b}",
        ),
        (
            "variants: {",
            "url: x\n        variants: {",
            "27:9",
            "a content is one file (url or fragments), or has variants and renditions; found url, variants",
            "keep one of them",
        ),
        (
            "variants: {",
            "size: x\n        variants: {",
            "26:7",
            "quality, extension, size, checksum, headers and playlist describe one file: put them beside its `url` or `fragments`",
            "such as url: link",
        ),
        (
            "https://api.albums.example/3/",
            "https://api.albums.example/3",
            "6:27",
            'bad base "https://api.albums.example/3"',
            "`base` ends in a /, so that paths can be joined to it",
        ),
        ("as: json,", "as: jsn,", "6:15", '"as" is json, html, xml or text, not "jsn"', 'did you mean "json"?'),
        ("as: json,", "as: json, rate: 5,", "6:27", '"rate" is a text, not a number', 'quote it: "5"'),
        (
            "as: json,",
            "as: json, rate: 5/d,",
            "6:27",
            'bad rate "5/d"',
            "a rate is a number of requests per s, min or h, such as 1/s or 30/min",
        ),
        (
            "as: json,",
            'as: json, wait: "5s\\n",',
            "6:27",
            'bad wait "5s\\n"',
            "a wait is a number of s or min, such as 30s or 2min",
        ),
        (
            "qetch: 1",
            "qetch: 2",
            "1:8",
            "`qetch: 1` is the version of the language that this qetch reads",
            "write 1, or use a newer qetch",
        ),
        ("qetch: 1", "qetch: true", "1:8", '"qetch" is a whole number, not true', "such as qetch: 1"),
        ("qetch: 1\n", "", "1:1", 'the site needs "qetch"', "a site begins with `qetch: 1`"),
        (
            "qetch: 1",
            "qetch: 1\nstatus: dead",
            "2:1",
            "what is broken or dead needs a `note` that says since when and why",
            'such as note: "The site closed on 2023-09-01."',
        ),
        (
            "qetch: 1",
            "qetch: 1\nclass: lower",
            "2:8",
            'bad class "lower"',
            "a class is a capital letter, then letters and digits",
        ),
        ("name: albums", "name: 12", "2:7", '"name" is a text, not a number', 'quote it: "12"'),
        ("name: albums", "name: Albums", "2:7", 'bad name "Albums"', "a name is lowercase letters, digits, - and _"),
        (
            "[albums.example, ",
            "[https://albums.example, ",
            "4:11",
            'bad domains "https://albums.example"',
            "a host is lowercase labels such as pictures.example: no scheme, port or path",
        ),
        (
            "[albums.example, albums-twin.example]",
            "[a.example, a.example]",
            "4:10",
            '"domains" has the same entry twice',
            "remove one of them",
        ),
        (
            "[albums.example, albums-twin.example]",
            "[]",
            "4:10",
            '"domains" is an empty list',
            "such as domains: [pictures.example]",
        ),
        (
            "  user:",
            "  1user:",
            "12:3",
            'bad name "1user" in handles',
            "a handle's name is letters, digits and _, and does not begin with a digit",
        ),
        (
            "    examples:",
            "    examples: [x]\n    exampels:",
            "14:16",
            'bad examples "x"',
            "a URL begins with http:// or https://",
        ),
        (
            "kind: oauth",
            "kind: oath",
            "5:14",
            '"kind" is none, key, basic, oauth or cookies, not "oath"',
            'did you mean "oauth"?',
        ),
        ("kind: oauth", "kind: oauth, token: {get: x}", "5:21", '"token" needs "read"', "such as read: access_token"),
        (
            "kind: oauth",
            "kind: oauth, token: {read: x}",
            "5:21",
            "a token needs a request: get or post",
            'such as get: "albums/{id}.json"',
        ),
    ],
)
def test_a_mistake_is_told_with_its_place_and_what_would_be_right(
    before: str, after: str, place: str, message: str, cure: str
) -> None:
    found = changed(before, after)
    assert f"{place}: {message}{' - ' if cure else ''}{cure}" in found
    assert len(found) <= 2


@pytest.mark.parametrize(
    ("before", "after"),
    [
        ("in: data.images", "in: #data.images"),
        ("uid: id", "uid: !id"),
        ('get: "album/{id}"', "get: {id}"),
        ("{mp4: mp4, gifv: gifv, link: link}", "{mp4: not_null(mp4, gif)}"),
    ],
)
def test_what_yaml_has_eaten_is_one_problem(before: str, after: str) -> None:
    assert len(changed(before, after)) == 1
