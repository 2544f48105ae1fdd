"""From a file to a frozen site: what the compiler keeps, what it infers, and which problems it finds together."""

from __future__ import annotations

from dataclasses import FrozenInstanceError
from pathlib import Path
from tempfile import TemporaryDirectory

import pytest

from qetch.errors import FileError, SpecError
from qetch.spec import inspect, read
from qetch.spec.compile import class_name
from qetch.spec.model import Selector
from tests import one_handle
from tests.one_handle import FILE, HTML, JSON, problems

GET = f'get: "p/{{id}}"\n{FILE}'


def test_a_compiled_site_is_frozen() -> None:
    site = one_handle.site(GET)
    with pytest.raises(FrozenInstanceError):
        site.name = "other"  # type: ignore[misc]


def test_a_site_that_names_no_class_has_one_from_its_name() -> None:
    assert class_name("my-site_2") == "MySite2Extractor"
    assert class_name("4pictures") == "Site4picturesExtractor"
    assert one_handle.site(GET).class_name == "PicturesExtractor"
    assert one_handle.site(GET, JSON + "class: OtherExtractor\n").class_name == "OtherExtractor"


def test_a_file_with_problems_is_not_read(tmp_path: Path) -> None:
    file = tmp_path / "bad.yaml"
    file.write_text("qetch: 1\n")
    with pytest.raises(SpecError) as caught:
        read(file)
    assert [problem.file for problem in caught.value.problems] == [str(file)] * len(caught.value.problems)
    with pytest.raises(FileError):
        read(tmp_path / "missing.yaml")


def test_a_file_that_passed_is_not_held_against_the_schema_again(tmp_path: Path) -> None:
    file = tmp_path / "pictures.yaml"
    file.write_text(one_handle.text(GET))
    site = read(file)
    assert read(file, checked=site.digest).handles.keys() == site.handles.keys()
    file.write_text(one_handle.text(GET + "\nnothing: of that"))
    with pytest.raises(SpecError, match='unknown key "nothing"'):
        read(file, checked=site.digest)


def test_one_item_alone_is_a_list_of_one() -> None:
    top = """
qetch: 1
name: pictures
description: A site for tests.
domains: pictures.example
auth: {kind: key, domains: pictures.example, query: {key: "{key}"}}
request: {as: json}
errors: {status: 418, raise: remote}
"""
    body = """
params: sort
not: "https://pictures.example/q"
get: "https://pictures.example/{id}"
query: {sort: "{sort}"}
errors: {when: error, raise: gone}
each: {in: files, content: {uid: id, url: link, uploaded_date: {jmespath: date, date: iso}}}
"""
    site = one_handle.site(body, top)
    handle = site.handles["picture"]
    assert site.domains == ("pictures.example",)
    assert site.auth.hosts == {"pictures.example"}
    assert [rule.statuses for rule in site.errors] == [{418}]
    assert (handle.params, handle.groups, handle.not_urls) == (("sort",), ("id",), ("https://pictures.example/q",))
    assert [example.url for example in handle.examples] == ["https://pictures.example/p/7"]
    assert [rule.raises for rule in handle.block.errors] == ["gone"]
    (each,) = handle.block.each
    assert each.block.content is not None
    assert dict(each.block.content.fields)["uploaded_date"].steps[0].argument == (("iso",), "UTC")


def test_an_instance_lays_its_words_over_those_of_the_site_key_by_key() -> None:
    top = """
qetch: 1
name: pictures
description: A site for tests.
domains: [pictures.example]
instances: {a.example: {rate: 2/min, headers: {B: c}}, "*.b.example": {base: "https://b.example/"}}
request: {as: json, base: "https://{host}/", rate: 1/s, wait: 90s, headers: {A: a, B: b}}
"""
    site = one_handle.site(GET, top)
    a, b = site.instances["a.example"], site.instances["*.b.example"]
    assert (site.defaults.rate, site.defaults.wait) == ((1, 1.0), 90.0)
    assert (a.rate, a.wait, b.rate) == ((2, 60.0), 90.0, (1, 1.0))
    assert {name: template.text for name, template in a.headers} == {"A": "a", "B": "c"}
    assert {name: template.text for name, template in b.headers} == {"A": "a", "B": "b"}
    assert a.base is not None
    assert a.base.text == "https://{host}/"
    assert b.base is not None
    assert b.base.text == "https://b.example/"


def test_the_hosts_that_calls_and_credentials_name_are_known() -> None:
    top = """
qetch: 1
name: pictures
description: A site for tests.
domains: [pictures.example]
auth: {kind: key, domains: [login.pictures.test], headers: {A: "{key}"}}
request: {as: json, base: "https://API.pictures.test:8443/v1/"}
"""
    body = """
get: "https://{host}/p/{id}"
let: {server: server}
then:
  post: "https://files.pictures.test"
  then:
    get: "https://{server}.pictures.test/x"
    then: {get: "https://s{server}.pictures.test/x", content: {uid: id, url: {text: "https://cdn.test/x"}}}
"""
    assert one_handle.site(body, top).hosts == {"api.pictures.test", "files.pictures.test", "login.pictures.test"}


def test_credentials_need_hosts_or_a_base() -> None:
    auth = '\nauth: {kind: key, headers: {A: "{key}"}}\n'
    assert problems(GET, JSON + auth) == []
    nowhere = JSON.replace(', base: "https://api.pictures.example/v1/"', "")
    assert problems(GET.replace('"p/', '"https://pictures.example/'), nowhere + auth) == [
        "7:1: nothing says which hosts receive the credentials - add `domains` to `auth`"
    ]


def test_rules_on_urls_alone_travel_with_the_files_if_they_mean_that_it_is_gone() -> None:
    body = r"""
get: "p/{id}"
errors:
  - {url: 'removed\.png$', raise: gone}
  - {url: 'missing', raise: not_found}
  - {url: 'login', raise: login_required}
  - {url: 'a', status: 404, raise: gone}
content: {uid: id, url: link}
"""
    assert one_handle.site(body).gone == (r"removed\.png$", "missing")


def test_a_call_knows_its_method_kind_and_body() -> None:
    body = """
post: "p/{id}"
json: {id: "{id}", list: [1, null, "x"], "{id}": true}
as: text
redirects: stop
content: {uid: {text: "{id}"}, url: "http[^ ]+"}
"""
    call = one_handle.handle(body, HTML).block.call
    assert call is not None
    assert (call.method, call.kind, call.follow, call.has_json, call.form) == ("POST", "text", False, True, None)
    assert call.json["id"].whole == "id"
    assert call.json["list"][:2] == [1, None]
    assert call.json["{id}"] is True


def test_a_graphql_query_is_no_template() -> None:
    body = """
post: "graphql"
graphql: "query { a(id: $id) { b } }"
variables: {id: "{id}"}
content: {uid: id, url: link}
"""
    call = one_handle.handle(body).block.call
    assert call is not None
    assert call.json["query"].render(dict.get) == "query { a(id: $id) { b } }"
    assert call.json["variables"]["id"].whole == "id"


def test_fields_may_be_numbers_and_booleans() -> None:
    call = one_handle.handle('get: "p/{id}"\nquery: {a: 1, b: 1.5, c: true}\ncontent: {uid: id, url: link}').block.call
    assert call is not None
    assert [template.text for _, template in call.query] == ["1", "1.5", "true"]


def test_rows_take_the_kind_of_what_they_walk() -> None:
    body = """
get: "p/{id}"
let: {state: {css: "script::text", parse: json}, words: {css: "p::text", split: " "}}
each:
  - {of: state, in: files, content: {uid: id, url: link}}
  - {in: "ul > li", when: ":not(.ad)", content: {uid: "::attr(id)", url: "a::attr(href)"}}
  - {of: words, in: '\\w+', content: {uid: '.', url: {text: "{source}"}}}
  - {in: "li::text", batch: 5, goto: "[0]"}
  - {counter: n, to: 3, content: {uid: {text: "{n}"}, url: "a::attr(href)"}}
"""
    each = one_handle.handle(body, HTML).block.each
    assert [walk.rows.kind for walk in each] == ["json", "html", "text", "json", "html"]
    assert each[1].rows.when is not None
    assert isinstance(each[1].rows.when.head, Selector)
    assert each[1].rows.when.head.asks_row
    assert (each[4].rows.start, each[4].rows.to, each[4].rows.find) == (1, 3, None)


def test_pages_know_their_way() -> None:
    body = """
get: "p/{id}/{n}"
pages: {counter: n, from: 0, by: 50, max: 3, until: last}
each: {in: files, goto: link}
"""
    pages = one_handle.handle(body).block.pages
    assert pages is not None
    assert (pages.counter, pages.start, pages.by, pages.max) == ("n", 0, 50, 3)
    assert pages.until is not None
    assert (pages.next, pages.carry, pages.names) == (None, None, ())


def test_a_token_is_fetched_step_by_step() -> None:
    auth = """
auth:
  kind: basic
  headers: {Authorization: "Bearer {token}"}
  token:
    get: login
    let: {csrf: csrf}
    then: {post: login, form: {csrf: "{csrf}", user: "{username}", password: "{password}"}}
    read: token
    expires: seconds
"""
    token = one_handle.site(GET, JSON + auth).auth.token
    assert token is not None
    assert [step.call.method for step in token.steps if step.call] == ["GET", "POST"]
    assert token.expires is not None


# --- many problems at once


ALBUM = r"""
  album:
    match: '^https?://pictures\.example/a/(?P<album>\d+)'
    examples: ["https://pictures.example/a/7"]
    get: "a/{albun}"
    each: {in: "files[", goto: link}
"""
OF_ALBUM = [
    'the group "album" is never used',
    'undefined name "{albun}"',
    "bad JMESPath 'files[': incomplete expression (this place reads json)",
]


def messages(body: str, top: str = JSON, more: str = ALBUM) -> list[str]:
    """The messages without places and cures."""
    return [problem.split(": ", 1)[1].split(" - ")[0].split(" (defined")[0] for problem in problems(body, top, more)]


def test_a_handle_is_compiled_whatever_is_wrong_in_another() -> None:
    assert messages(f'get: "p/{{id}}"\nin: x\n{FILE}') == ['unknown key "in" in handles.picture', *OF_ALBUM]
    assert messages(f'get: "p/{{id}}"\n{FILE}\n{FILE}') == ['duplicate key "content" (first at line 11)', *OF_ALBUM]
    assert messages(f'get: "p/{{id}}"\nlet: {{a: #b}}\n  c: d}}\n{FILE}', more="")
    assert messages('get: "p/{id}"\neach: {in: !a, goto: link}') == ['"!a" is a YAML tag here', *OF_ALBUM]


def test_handles_are_compiled_whatever_is_wrong_with_the_name_of_the_site() -> None:
    assert messages(GET, JSON.replace("name: pictures", "name: P")) == ['bad name "P"', *OF_ALBUM]
    assert messages(GET, JSON.replace("description", "descripton")) == [
        'unknown key "descripton" in the site',
        *OF_ALBUM,
    ]
    assert messages(GET, JSON.replace("name: pictures\n", "")) == ['the site needs "name"', *OF_ALBUM]


def test_what_is_plainly_misspelt_is_read_as_what_was_meant() -> None:
    assert messages(GET, JSON.replace("request:", "requests:")) == ['unknown key "requests" in the site', *OF_ALBUM]
    assert messages(GET, JSON.replace("as: json", "as: jsn")) == [
        '"as" is json, html, xml or text, not "jsn"',
        *OF_ALBUM,
    ]
    assert messages('get: "p/{id}"\ncontnt: {uid: "a[", titel: 5, url: link}', more="") == [
        'unknown key "contnt" in handles.picture',
        "bad JMESPath 'a[': incomplete expression (this place reads json)",
        'unknown key "titel" in content',
    ]


def test_what_would_follow_from_something_else_is_not_said() -> None:
    unknown = ['"as" is json, html, xml or text, not "toml"', *OF_ALBUM[:2]]
    assert messages(GET, JSON.replace("as: json", "as: toml")) == unknown
    assert messages(GET, JSON.replace("request:", "about:")) == ['unknown key "about" in the site', *OF_ALBUM[:2]]
    assert messages('get: "p/{id}{"\ncontent: {uid: id, url: link}', more="") == [
        "bad template 'p/{id}{': a lone { in a template"
    ]
    bad_match = one_handle.MATCH.replace(r"(?P<id>\d+)", r"(?P<id>\d+")
    text = JSON + bad_match + f'    get: "p/{{id}}"\n    {FILE}\n'
    assert [message.split(":")[2] for message in found(text)] == [" bad regex '^https?"]


def found(text: str) -> list[str]:
    """The problems of a whole file."""
    with TemporaryDirectory() as folder:
        file = Path(folder) / "x.yaml"
        file.write_text(text)
        return [str(problem).removeprefix("x:") for problem in inspect(file, "x")[1]]
