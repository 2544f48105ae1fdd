"""What works in a site file and is no good idea is a warning, at its place, with its cure."""

from __future__ import annotations

from pathlib import Path

import pytest

from qetch.spec import inspect
from qetch.spec.lint import CHECKS
from tests.shell import CLOSED, LITTLE
from tests.spec_samples import GOOD

TESTS = Path(__file__).parent
SITES = sorted(file for folder in ("sites", "docs/examples") for file in (TESTS.parent / folder).glob("*.yaml"))

SPEC = r"""qetch: 1
name: pictures
description: A site for tests.
domains: [pictures.example]
request: {as: json, base: "https://api.pictures.example/"}
handles:
  picture:
    match: '^https?://(?:www\.)?pictures\.example/p/(?P<id>\d+)(?:[/?#]|$)'
    examples: ["https://pictures.example/p/7"]
    get: "pictures/{id}"
    content: {uid: id, url: link}
"""
MATCH = r"'^https?://(?:www\.)?pictures\.example/p/(?P<id>\d+)(?:[/?#]|$)'"


def warnings(tmp_path: Path, text: str) -> list[str]:
    """`rule line:column` of each warning."""
    file = tmp_path / "x.yaml"
    file.write_text(text)
    _, problems = inspect(file, lint=True)
    return [f"{problem.rule} {problem.line}:{problem.column}" for problem in problems if problem.severity == "warning"]


def changed(before: str, after: str) -> str:
    assert before in SPEC
    return SPEC.replace(before, after, 1)


def with_match(*regexes: str, examples: str = '["https://pictures.example/p/7"]') -> str:
    text = f"'{regexes[0]}'" if len(regexes) == 1 else "[" + ", ".join(f"'{regex}'" for regex in regexes) + "]"
    return changed(MATCH, text).replace('["https://pictures.example/p/7"]', examples)


@pytest.mark.parametrize("file", SITES, ids=lambda file: file.stem)
def test_the_shipped_sites_have_no_warning(file: Path) -> None:
    _, problems = inspect(file, lint=True)
    assert problems == []


@pytest.mark.parametrize("text", [SPEC, LITTLE, CLOSED, *(GOOD[name] for name in ("albums", "gallery", "state"))])
def test_a_good_spec_has_no_warning(tmp_path: Path, text: str) -> None:
    assert warnings(tmp_path, text) == []


class TestRegexes:
    def test_one_that_backtracks_exponentially_is_slow(self, tmp_path: Path) -> None:
        regex = r"^https?://pictures\.example/p/(?P<id>(?:\w+-?)+)$"
        column = len("    match: '") + regex.index("(?:") + 1
        assert warnings(tmp_path, with_match(regex)) == [f"slow-regex 8:{column}"]

    def test_every_regex_of_the_language_is_tried(self, tmp_path: Path) -> None:
        slow = "'(?:a+)+$'"
        text = SPEC.replace(
            "uid: id, url: link",
            f"uid: {{jmespath: id, regex: {slow}}}, url: {{jmespath: link, replace: [[{slow}, b]]}}",
        )
        text = text.replace("handles:", f"errors: [{{url: {slow}, raise: gone}}]\nhandles:")
        assert [found.split()[0] for found in warnings(tmp_path, text)] == ["slow-regex"] * 3

    def test_what_only_looks_like_a_regex_is_none(self, tmp_path: Path) -> None:
        text = changed("url: link", r"url: link, metadata: {regex: b, let: {text: '(?:a+)+$'}}")
        assert warnings(tmp_path, text.replace("    get:", "    headers: {regex: '(?:a+)+$'}\n    get:")) == []

    @pytest.mark.parametrize("start", ["https?://", "(?:https?://|//)", ".*"])
    def test_the_start_must_be_said(self, tmp_path: Path, start: str) -> None:
        found = warnings(tmp_path, with_match(rf"{start}pictures\.example/p/(?P<id>\d+)$"))
        assert found == ["open-start 8:12"]

    @pytest.mark.parametrize("end", ["", "(?:/x)?", "/?", "(?:[?#].*)?"])
    def test_the_end_must_be_said(self, tmp_path: Path, end: str) -> None:
        assert warnings(tmp_path, with_match(rf"^https?://pictures\.example/p/(?P<id>\w+){end}")) == ["open-end 8:12"]

    @pytest.mark.parametrize(
        "end", ["$", "(?:[/?#]|$)", "/?$", r"(?![\w-])", r"\b", "(?:-[^/]*)?(?:[?#]|$)", ".*", r"(?:\D|$)"]
    )
    def test_an_end_that_is_said_is_no_problem(self, tmp_path: Path, end: str) -> None:
        assert warnings(tmp_path, with_match(rf"^https?://pictures\.example/p/(?P<id>\d+){end}")) == []

    def test_with_params_the_end_is_that_before_the_query(self, tmp_path: Path) -> None:
        text = with_match(
            r"^https?://pictures\.example/p/(?P<id>\d+)$", examples='["https://pictures.example/p/7?q=1"]'
        )
        text = text.replace("    get:", "    params: [q]\n    query: {q: '{q}'}\n    get:")
        assert warnings(tmp_path, text) == []

    @pytest.mark.parametrize("host", [r"pictures.example", r"(?:www.)?pictures\.example"])
    def test_a_dot_of_the_host_must_be_escaped(self, tmp_path: Path, host: str) -> None:
        regex = rf"^https?://{host}/p/(?P<id>\d+)$"
        examples = '["https://pictures.example/p/7", "https://www.pictures.example/p/7"]'
        assert warnings(tmp_path, with_match(regex, examples=examples)) == ["host-dot 8:12"]

    def test_a_regex_for_any_host_means_it(self, tmp_path: Path) -> None:
        assert warnings(tmp_path, with_match(r"^https?://[^/]+/p/(?P<id>\d+)$")) == []

    def test_each_of_several_needs_an_example(self, tmp_path: Path) -> None:
        one, two = (rf"^https?://{host}pictures\.example/p/(?P<id>\d+)$" for host in ("", r"m\."))
        assert warnings(tmp_path, with_match(one, two)) == [f"regex-without-example 8:{len(one) + 17}"]
        both = '["https://pictures.example/p/7", "https://m.pictures.example/p/7"]'
        assert warnings(tmp_path, with_match(one, two, examples=both)) == []

    def test_one_below_another_that_takes_all_is_never_reached(self, tmp_path: Path) -> None:
        wide = r"^https?://pictures\.example/p/(?P<id>\w+)$"
        narrow = r"^https?://pictures\.example/p/(?P<id>\d+)$"
        file = tmp_path / "x.yaml"
        file.write_text(with_match(wide, narrow))
        _, [problem] = inspect(file, lint=True)
        assert problem.message == "the regexes above this one take all of its examples"
        assert problem.rule == "regex-without-example"


MISTAKES = {
    "an unknown word": ("content: {uid", "content: {uidd", 'unknown key "uidd"'),
    "an unused let": ("    content", "    let: {x: y}\n    content", 'the let "x" is never used'),
    "a name that is not there": ("pictures/{id}", "pictures/{ip}", 'undefined name "{ip}"'),
    "an unused fragment": ("content: {", "content: &x {", 'the anchor "&x" is never used'),
    "an example of another": ("/p/7", "/q/7", "not an example of this handle"),
    "an example elsewhere": ("domains: [pictures", "domains: [paintings", "the example's host is not in `domains`"),
    "no examples": ('    examples: ["https://pictures.example/p/7"]\n', "", "examples"),
    "a not that matches": (
        "    get",
        "    not: ['https://pictures.example/p/8']\n    get",
        "`match` matches what it should not",
    ),
    "a quality out of bounds": ("url: link", "url: link, quality: 1.5", "quality"),
    "a death without a note": ("handles:", "status: dead\nhandles:", "note"),
    "a handle that is never reached": (
        "handles:",
        "handles:\n  any: {match: '^https?://.*', examples: ['https://pictures.example/x'], goto: {text: 'https://x.example/'}}",
        'handle "any" above claims it',
    ),
}


@pytest.mark.parametrize("name", MISTAKES)
def test_validate_sees(name: str, tmp_path: Path) -> None:
    before, after, message = MISTAKES[name]
    file = tmp_path / "x.yaml"
    file.write_text(changed(before, after))
    _, problems = inspect(file, lint=True)
    assert any(message in problem.message for problem in problems), problems


class TestAnchors:
    def test_one_that_nothing_repeats(self, tmp_path: Path) -> None:
        assert warnings(tmp_path, changed("content: {", "content: &item {")) == ["unused-anchor 11:14"]

    def test_one_that_is_repeated(self, tmp_path: Path) -> None:
        text = changed("{uid: id, url: link}", "{uid: id, title: &x {jmespath: a}, description: *x, url: link}")
        assert warnings(tmp_path, text) == []

    def test_of_two_of_one_name_each_counts(self, tmp_path: Path) -> None:
        text = changed("{uid: id, url: link}", "{uid: &x a, title: &x b, description: *x, url: link}")
        assert warnings(tmp_path, text) == ["unused-anchor 11:20"]


class TestHosts:
    @pytest.mark.parametrize(
        ("before", "after", "place"),
        [
            ("https://api.pictures.example/", "https://other.example/", "5:27"),
            ('"pictures/{id}"', '"https://other.example/{id}"', "10:10"),
            ("https://api.pictures.example/", "https://badpictures.example/", "5:27"),
        ],
    )
    def test_one_that_is_not_in_domains(self, tmp_path: Path, before: str, after: str, place: str) -> None:
        assert warnings(tmp_path, changed(before, after)) == [f"host-not-in-domains {place}"]

    def test_each_is_said_once(self, tmp_path: Path) -> None:
        text = changed(
            'get: "pictures/{id}"',
            'get: "https://a.example/{id}"\n    let: {x: y}\n    then: {get: "https://a.example/{x}"}',
        )
        text = text.replace("    content", "    #").replace(
            '"https://a.example/{x}"}', '"https://a.example/{x}", content: {uid: id, url: link}}'
        )
        assert warnings(tmp_path, text) == ["host-not-in-domains 10:10"]

    def test_those_of_auth_and_of_instances_are_known(self, tmp_path: Path) -> None:
        text = changed("https://api.pictures.example/", "https://other.example/")
        auth = "auth: {kind: key, domains: [other.example], headers: {X-Key: '{key}'}}\nhandles:"
        assert warnings(tmp_path, text.replace("handles:", auth)) == []
        assert warnings(tmp_path, text.replace("handles:", "instances: {other.example: {}}\nhandles:")) == []


class TestNot:
    @pytest.mark.parametrize(
        ("selector", "cure"),
        [
            ("!a.b", "write !(a.b)"),
            ("x[?!a.b.c && d]", "write !(a.b.c)"),
            ('! "a-b"[0].c', 'write !("a-b"[0].c)'),
            ("length(@) && !@.a[]", "write !(@.a[])"),
        ],
    )
    def test_one_that_is_of_the_first_key_alone(self, tmp_path: Path, selector: str, cure: str) -> None:
        file = tmp_path / "x.yaml"
        file.write_text(changed("url: link", f"url: link, title: {{first_of: ['{selector}', b]}}"))
        [problem] = inspect(file, lint=True)[1]
        assert (problem.rule, problem.line, problem.cure) == ("narrow-not", 11, cure)
        assert problem.column == 54 + selector.index("!") + (not selector.startswith("!"))  # the quote counts
        assert "reads as (!" in problem.message

    @pytest.mark.parametrize(
        "selector", ["!(a.b)", "!a", "!a[0]", "!a && b.c", "!a || a.b", "a != b.c", "[?a!='!b.c']"]
    )
    def test_one_that_is_of_all_that_it_seems_to_be(self, tmp_path: Path, selector: str) -> None:
        assert warnings(tmp_path, changed("url: link", f'url: link, title: "{selector}"')) == []

    def test_what_is_no_jmespath(self, tmp_path: Path) -> None:
        text = changed(
            "url: link", "url: link, title: {jmespath: a, regex: '(?!a.b)'}, metadata: {a: {text: 'oh !a.b'}}"
        )
        assert warnings(tmp_path, text) == []


class TestCredentials:
    @pytest.mark.parametrize(
        ("fields", "cure"),
        [
            (
                'headers: {Authorization: "Bearer 9f86d081884c7d65"}',
                'auth: {kind: key, headers: {Authorization: "Bearer {key}"}}; a public one may be its `default`',
            ),
            (
                'headers: {Authorization: "Client-ID 0a1b2c3d4e5f607"}',
                'auth: {kind: key, headers: {Authorization: "Client-ID {key}"}}; a public one may be its `default`',
            ),
            ('headers: {X-Proof: "basic bWlyYTpwYXNz"}', "auth: {kind: basic}"),
            ('headers: {cookie: "lang=en; sid=0123abcd4567efgh"}', "auth: {kind: cookies}"),
            (
                "cookies: {PHPSESSID: 0123abcd4567efgh}",
                'auth: {kind: key, cookies: {PHPSESSID: "{key}"}}; a public one may be its `default`',
            ),
            (
                "query: {accessKey: 8c7e5dd1-9f3b-4a5e-a1b2-c3d4e5f60718}",
                'auth: {kind: key, query: {accessKey: "{key}"}}; a public one may be its `default`',
            ),
        ],
    )
    def test_one_that_is_written_out_is_better_kept_apart(self, tmp_path: Path, fields: str, cure: str) -> None:
        for before, after in (("    get", f"    {fields}\n    get"), ("request: {", f"request: {{{fields}, ")):
            file = tmp_path / "x.yaml"
            file.write_text(changed(before, after))
            [problem] = inspect(file, lint=True)[1]
            assert (problem.rule, problem.cure) == ("literal-credential", cure)
            assert problem.message.startswith("a credential in the file is shared with it: ")
            assert "0123" not in str(problem)

    def test_one_in_a_url_is_one_of_the_query(self, tmp_path: Path) -> None:
        text = changed('"pictures/{id}"', '"pictures/{id}?lang=en&api_key=0123abcd4567efgh"')
        assert warnings(tmp_path, text) == ["literal-credential 10:10"]

    @pytest.mark.parametrize(
        "fields",
        [
            "query: {key: hot, sort_key: top-10-of-2024-by-name, session: spring2024}",
            "query: {page_token: '{id}', author: 0123abcd4567efgh, keywords: 0123abcd4567efgh}",
            "headers: {Authorization: 'Bearer {id}', Accept: application/vnd.pictures.v2+json}",
            "headers: {Authorization: Bearer anonymous, X-Token: 'null'}",
            "headers: {Cookie: 'age=18; lang=en-GB; consent=YES+2021'}",
            "cookies: {age_checked: 1, build: 0123abcd4567efgh}",
        ],
    )
    def test_a_plain_word_is_none(self, tmp_path: Path, fields: str) -> None:
        assert warnings(tmp_path, changed("    get", f"    {fields}\n    get")) == []

    def test_a_public_key_is_the_default_of_auth(self, tmp_path: Path) -> None:
        auth = "auth: {kind: key, default: 0123abcd4567efgh, headers: {X-Key: '{key}'}}\nhandles:"
        assert warnings(tmp_path, changed("handles:", auth)) == []


def test_an_example_that_is_there_twice(tmp_path: Path) -> None:
    twice = '["https://pictures.example/p/7", {url: "https://pictures.example/p/7", expect: {count: 1}}]'
    assert warnings(tmp_path, SPEC.replace('["https://pictures.example/p/7"]', twice)) == ["example-twice 9:48"]


def test_a_file_with_errors_gets_its_warnings_as_well(tmp_path: Path) -> None:
    text = changed("content: {uid", "content: &x {uidd").replace("(?:[/?#]|$)", "")
    assert warnings(tmp_path, text) == ["open-end 8:12", "unused-anchor 11:14"]


def test_where_there_is_an_error_there_is_no_warning(tmp_path: Path) -> None:
    text = changed("{uid: id, url: link}", "{uid: id, url: &link}")
    assert warnings(tmp_path, text) == []


def test_warnings_keep_no_site_from_being_used(tmp_path: Path) -> None:
    file = tmp_path / "x.yaml"
    file.write_text(changed("content: {", "content: &item {"))
    site, problems = inspect(file, lint=True)
    assert site is not None
    assert [problem.severity for problem in problems] == ["warning"]
    assert inspect(file)[1] == []


def test_every_check_has_a_test_of_its_own() -> None:
    text = Path(__file__).read_text(encoding="utf-8")
    assert [rule for rule in CHECKS if f'"{rule} ' not in text and f'"{rule}"' not in text] == []
