"""Credentials, tokens, instances and hooks."""

from __future__ import annotations

import base64
import json

import pytest

from qetch import errors
from qetch.auth import AuthRegistry, SavedCredential
from tests.engine_help import (
    PICTURES,
    at_work,
    extract,
    fails,
    make,
    page,
    patient,
    pictures,
    reply,
    run,
    site_text,
)
from tests.origin import Origin, Reply, redirect
from tests.sessions import plain_environment

KEY, SECRET = "key-0123456789", "sesame/+ 0123456789"
BLOCK = f"get: a\n{PICTURES}"
TOKEN = """
auth:
  kind: oauth
  headers: {Authorization: "Bearer {token}"}
  token:
    post: oauth/token
    json: {client_id: "{key}", client_secret: "{secret}"}
    read: access_token
    expires: expires_in
"""


@pytest.fixture(autouse=True)
def _alone(monkeypatch, tmp_path):
    plain_environment(monkeypatch, tmp_path)
    monkeypatch.setenv("XDG_CONFIG_HOME", str(tmp_path / "config"))
    AuthRegistry().clear()
    yield
    AuthRegistry().clear()


def asked(tmp_path, auth, given, block=BLOCK, **words):
    """The first request of a run with credentials."""
    return extract(tmp_path, {"*": pictures(1)}, block, top=f"auth: {auth}", auth=given, **words).requests[0]


# --- kinds


def test_a_key_goes_where_the_spec_says(tmp_path):
    request = asked(
        tmp_path, '{kind: key, headers: {X-Key: "k {key}"}, query: {k: "{key}"}, cookies: {c: "{key}"}}', (KEY,)
    )
    assert request.headers["X-Key"] == f"k {KEY}"
    assert request.path == f"/a?k={KEY}"
    assert request.headers["Cookie"] == f"c={KEY}"


def test_basic_is_the_header_of_http_unless_the_spec_says_otherwise(tmp_path):
    expected = "Basic " + base64.b64encode(f"me:{SECRET}".encode()).decode()
    assert asked(tmp_path, "{kind: basic}", ("me", SECRET)).headers["Authorization"] == expected
    own = asked(tmp_path, '{kind: basic, headers: {X-User: "{username}/{password}"}}', ("me", "pass-0123456789"))
    assert own.headers["X-User"] == "me/pass-0123456789"
    assert "Authorization" not in own.headers


def test_cookies_are_sent_as_they_were_given(tmp_path):
    request = asked(tmp_path, "{kind: cookies}", ("sid=abc123456; theme=dark",))
    assert sorted(request.headers["Cookie"].split("; ")) == ["sid=abc123456", "theme=dark"]
    fails(tmp_path, {}, BLOCK, errors.AuthenticationError, "name=value", top="auth: {kind: cookies}", auth=("abc",))


def test_a_user_name_may_stand_in_a_query_as_well(tmp_path):
    block = f"get: a\nquery: {{by: '{{host}}', name: someone-long}}\n{PICTURES}"
    assert "name=someone-long" in asked(tmp_path, "{kind: basic}", ("someone-long", "x"), block).path


@pytest.mark.parametrize(
    ("auth", "given", "says"),
    [
        ('{kind: key, headers: {X-Key: "{key}"}}', None, "here wants a key"),
        ('{kind: oauth, headers: {X-Key: "{key}{secret}"}}', None, "here wants a key and a secret"),
        ('{kind: oauth, headers: {X-Key: "{key}"}}', None, "here wants a key:"),
        ('{kind: oauth, headers: {X-Key: "{key}{secret}"}}', ("a",), "here wants a secret too"),
    ],
)
def test_credentials_that_are_missing_are_an_error_with_its_cure(tmp_path, auth, given, says):
    outcome = run(tmp_path, {"*": pictures(1)}, BLOCK, top=f"auth: {auth}", auth=given)
    assert isinstance(outcome.error, errors.AuthenticationError)
    assert says in str(outcome.error)
    assert "qetch auth add here" in str(outcome.error)
    assert outcome.requests == []


def test_an_optional_key_may_be_missing(tmp_path):
    auth = '{kind: key, optional: true, headers: {X-Key: "{key}"}}'
    assert "X-Key" not in asked(tmp_path, auth, None).headers
    assert asked(tmp_path, auth, (KEY,)).headers["X-Key"] == KEY


def test_a_default_key_is_used_unless_one_is_given(tmp_path):
    auth = '{kind: key, default: public, headers: {X-Key: "{key}"}}'
    assert asked(tmp_path, auth, None).headers["X-Key"] == "public"
    assert asked(tmp_path, auth, (KEY,)).headers["X-Key"] == KEY


def test_a_handle_that_asks_nobody_needs_no_credentials(tmp_path):
    raw = "content: {uid: {text: x}, url: {text: 'http://127.0.0.1/f.png'}}"
    outcome = extract(tmp_path, {}, raw, top='auth: {kind: key, headers: {X-Key: "{key}"}}')
    assert (outcome.uids, outcome.requests) == (["x"], [])


def test_refused_credentials_are_an_authentication_error_without_the_secret(tmp_path):
    top = 'auth: {kind: key, headers: {X-Key: "{key}"}, query: {k: "{key}"}}'
    error = fails(tmp_path, {"*": Reply(401)}, BLOCK, errors.AuthenticationError, top=top, auth=(KEY,))
    assert KEY not in str(error)
    assert str(error).endswith(f"run `qetch auth add here --sites {tmp_path}`")


def test_a_login_page_with_status_200_is_seen_by_check(tmp_path):
    top = 'auth: {kind: cookies, check: "a.logout"}'
    block = 'get: a\neach: {in: li, content: {uid: b, url: "a::attr(href)"}}'
    items = "<ul><li><b>1</b><a href=/1>x</a></ul>"
    words = {"top": top, "request": "as: html", "auth": ("sid=abc123456",)}
    assert extract(tmp_path, {"/a": page(items + "<a class=logout>")}, block, **words).uids == ["1"]
    fails(tmp_path, {"/a": page(items)}, block, errors.AuthenticationError, "does not take these", **words)


# --- where credentials come from


def test_credentials_are_found_in_the_registry_under_the_name_of_the_site(tmp_path):
    AuthRegistry()["here"] = (KEY,)
    AuthRegistry()["there"] = ("other",)
    auth = '{kind: key, headers: {X-Key: "{key}"}}'
    assert asked(tmp_path, auth, None).headers["X-Key"] == KEY
    assert asked(tmp_path, auth, ("given",)).headers["X-Key"] == "given"


def test_a_credential_saved_for_another_spec_of_that_name_is_not_given(tmp_path):
    auth = 'auth: {kind: key, headers: {X-Key: "{key}"}}'
    for owner, site in (("package", "here"), (str(tmp_path), "there"), ("/elsewhere", "here")):
        AuthRegistry()["here"] = SavedCredential((KEY,), owner, site)
        outcome = run(tmp_path, {"*": pictures(1)}, BLOCK, top=auth)
        assert (type(outcome.error), outcome.requests) == (errors.AuthenticationError, [])
    AuthRegistry()["here"] = SavedCredential((KEY,), str(tmp_path.resolve()), "here")
    assert extract(tmp_path, {"*": pictures(1)}, BLOCK, top=auth).requests[0].headers["X-Key"] == KEY


# --- tokens


def token_site(expires=None, token="t0ken-123456789"):
    body = {"access_token": token, **({"expires_in": expires} if expires is not None else {})}
    return {"/oauth/token": reply(body), "/a": pictures(1)}


def test_a_token_is_fetched_with_the_secrets_and_sent_in_their_place(tmp_path):
    outcome = extract(tmp_path, token_site(), BLOCK, top=TOKEN, auth=(KEY, SECRET))
    first, second = outcome.requests
    assert json.loads(first.body) == {"client_id": KEY, "client_secret": SECRET}
    assert "Authorization" not in first.headers
    assert second.headers["Authorization"] == "Bearer t0ken-123456789"
    assert SECRET not in str(second)


def test_a_token_is_kept_as_long_as_the_site_says(tmp_path):
    for expires, requests in (
        (3600, ["/oauth/token", "/a", "/a"]),
        (0.000001, ["/oauth/token", "/a"] * 2),
        (None, ["/oauth/token", "/a", "/a"]),
    ):
        with at_work(tmp_path, token_site(expires), BLOCK, top=TOKEN) as (extractor, origin):
            for _ in range(2):
                list(extractor.extract(origin.url("/start"), auth=(KEY, SECRET)))
        assert origin.paths == requests


def test_an_old_token_is_renewed_once(tmp_path):
    routes = {
        "/oauth/token": [reply({"access_token": "old-0123456789"}), reply({"access_token": "new-0123456789"})],
        "/a": lambda request: pictures(1) if "new-" in request.headers["Authorization"] else Reply(401),
    }
    outcome = extract(tmp_path, routes, BLOCK, top=TOKEN, auth=(KEY, SECRET))
    assert (outcome.uids, outcome.paths) == (["p1"], ["/oauth/token", "/a"] * 2)
    routes = {"/oauth/token": reply({"access_token": "old-0123456789"}), "/a": Reply(401)}
    outcome = run(tmp_path, routes, BLOCK, top=TOKEN, auth=(KEY, SECRET))
    assert isinstance(outcome.error, errors.AuthenticationError)
    assert outcome.paths == ["/oauth/token", "/a"] * 2


def test_no_token_in_the_answer_is_a_changed_layout(tmp_path):
    routes = {"/oauth/token": reply({"token": 1}), "/a": pictures(1)}
    fails(tmp_path, routes, BLOCK, errors.LayoutChanged, "no token", top=TOKEN, auth=(KEY, SECRET))


def test_refused_secrets_are_an_authentication_error(tmp_path):
    routes = {"/oauth/token": Reply(401), "/a": pictures(1)}
    error = fails(tmp_path, routes, BLOCK, errors.AuthenticationError, top=TOKEN, auth=(KEY, SECRET))
    assert SECRET not in str(error)


def test_a_token_may_need_no_secrets_and_several_steps(tmp_path):
    top = """
    auth:
      kind: none
      headers: {X-Token: "{token}"}
      token:
        get: page
        as: html
        let: {guest: "meta[name=guest]::attr(content)"}
        then: {post: activate, form: {guest: "{guest}"}, as: json}
        read: token
    """
    routes = {
        "/page": page('<meta name="guest" content="g 1">'),
        "/activate": reply({"token": "guest-0123456789"}),
        "/a": pictures(1),
    }
    from textwrap import dedent

    outcome = extract(tmp_path, routes, BLOCK, top=dedent(top))
    assert outcome.requests[1].body == b"guest=g+1"
    assert outcome.requests[2].headers["X-Token"] == "guest-0123456789"


def test_a_token_call_may_have_its_secrets_in_query_and_headers(tmp_path):
    top = TOKEN.replace("post:", "get:").replace("json:", 'headers: {X-Client: "{key}"}\n    query:')
    request = extract(tmp_path, token_site(), BLOCK, top=top, auth=(KEY, "sesame-0123456789")).requests[0]
    assert request.path == f"/oauth/token?client_id={KEY}&client_secret=sesame-0123456789"
    assert request.headers["X-Client"] == KEY


@pytest.mark.parametrize("body", ["json", "form"])
@pytest.mark.parametrize("status", [301, 302, 303, 307, 308])
def test_a_redirected_token_call_tells_no_other_host_its_secrets(tmp_path, body, status):
    with Origin({"*": reply({"access_token": "t0ken-123456789"})}) as far:
        top = TOKEN.replace("json:", f'headers: {{X-Client: "{{secret}}"}}\n    {body}:')
        with Origin({"/oauth/token": redirect(far.url("/t", "localhost"), status), "/a": pictures(1)}) as origin:
            text = site_text(origin, BLOCK, top=top).replace("domains: [127.0.0.1]", "domains: [127.0.0.1, localhost]")
            extractor = make(tmp_path, text)()
            patient(extractor)
            with extractor.session:
                if status in {307, 308}:
                    with pytest.raises(errors.HostRefused, match=r"auth\.domains") as raised:
                        list(extractor.extract(origin.url("/start"), auth=(KEY, SECRET)))
                    assert "sesame" not in str(raised.value)
                    assert far.requests == []
                else:
                    list(extractor.extract(origin.url("/start"), auth=(KEY, SECRET)))
    assert "sesame" not in str(far.requests)
    assert KEY not in str(far.requests)


def test_a_token_call_to_a_host_outside_of_auth_domains_is_refused(tmp_path):
    with Origin({"*": reply({"access_token": "t"})}) as far:
        for call in (f"post: 'http://localhost:{far.port}/t'", f"post: 'http://localhost:{far.port}/{{secret}}'"):
            top = TOKEN.replace("kind: oauth", "kind: oauth\n  domains: [127.0.0.1]").replace("post: oauth/token", call)
            fails(tmp_path, {"/a": pictures(1)}, BLOCK, errors.HostRefused, top=top, auth=(KEY, SECRET))
    assert far.requests == []


# --- instances


def instances(origin, top=""):
    host = f"localhost:{origin.port}"
    return site_text(
        origin, f"get: a\nheaders: {{X-From: '{{host}}'}}\n{PICTURES}", top=f'instances: {{localhost: {{base: "http://{host}/api/", headers: {{X-I: 1}}}}}}\n{top}',
        match=r"^http://(?:127\.0\.0\.1|localhost)(?::\d+)?/start$", example="http://127.0.0.1/start",
    )  # fmt: skip


def test_an_instance_has_a_request_of_its_own(tmp_path):
    with Origin({"/a": pictures(1), "/api/a": pictures(2)}) as origin:
        extractor = make(tmp_path, instances(origin))()
        patient(extractor)
        with extractor.session:
            [[first]] = extractor.extract(origin.url("/start"))
            [[second]] = extractor.extract(origin.url("/start", "localhost"))
    assert (first.uid, second.uid) == ("here-p1", "here-p2")
    assert [request.headers["X-From"] for request in origin.requests] == [
        f"127.0.0.1:{origin.port}",
        f"localhost:{origin.port}",
    ]
    assert [request.headers.get("X-I") for request in origin.requests] == [None, "1"]


def test_for_instances_the_key_of_the_registry_is_the_host(tmp_path):
    AuthRegistry()["here"] = ("for-the-site",)
    AuthRegistry()["localhost"] = ("for-the-instance",)
    with Origin({"/a": pictures(1), "/api/a": pictures(2)}) as origin:
        extractor = make(tmp_path, instances(origin, 'auth: {kind: key, headers: {X-Key: "{key}"}}'))()
        patient(extractor)
        with extractor.session:
            list(extractor.extract(origin.url("/start")))
            list(extractor.extract(origin.url("/start", "localhost")))
    assert [request.headers.get("X-Key") for request in origin.requests] == ["for-the-site", "for-the-instance"]


def test_a_credential_of_the_site_does_not_go_to_an_instance(tmp_path):
    AuthRegistry()["here"] = ("for-the-site",)
    with Origin({"/api/a": pictures(2)}) as origin:
        extractor = make(tmp_path, instances(origin, 'auth: {kind: key, headers: {X-Key: "{key}"}}'))()
        patient(extractor)
        with extractor.session, pytest.raises(errors.AuthenticationError, match="qetch auth add localhost"):
            list(extractor.extract(origin.url("/start", "localhost")))
    assert "for-the-site" not in str(origin.requests)


# --- hooks

HOOKS = """
def authenticate(extractor, auth):
    extractor.session.headers["X-Signed"] = "by " + auth[0]


def merge(extractor, ordered_filepaths):
    return extractor.name + ":" + "+".join(ordered_filepaths)
"""


def hooked(tmp_path, hooks=HOOKS, trusted=True):
    folder = tmp_path / "mine"
    folder.mkdir(mode=0o700)
    config = tmp_path / "config" / "qetch"
    config.mkdir(parents=True)
    if trusted:
        (config / "config.yaml").write_text(json.dumps({"trusted": [str(folder.resolve())]}))
        (config / "config.yaml").chmod(0o600)
    origin = Origin({"/a": pictures(1)})
    file = folder / "here.yaml"
    file.write_text(site_text(origin, BLOCK, top="auth: {kind: key}\nhooks: [authenticate, merge]"))
    (folder / "here.py").write_text(hooks)
    return file, origin


def test_hooks_of_a_trusted_folder_authenticate_and_merge(tmp_path):
    import qetch.spec
    from qetch.extractors._spec import make_extractor

    file, origin = hooked(tmp_path)
    extractor = make_extractor(qetch.spec.read(file))()
    patient(extractor)
    with origin, extractor.session:
        assert len(list(extractor.extract(origin.url("/start"), auth=(KEY,)))) == 1
    assert origin.requests[0].headers["X-Signed"] == f"by {KEY}"
    assert extractor.merge(["a", "b"]) == "here:a+b"
    assert not list(file.parent.glob("__pycache__"))


def test_hooks_elsewhere_are_an_error_with_its_cure(tmp_path):
    import qetch.spec

    file, origin = hooked(tmp_path, trusted=False)
    with origin, pytest.raises(errors.SpecError, match="hooks") as raised:
        qetch.spec.read(file)
    assert "config.yaml" in str(raised.value)


def test_a_hook_that_is_not_there_is_an_error_of_the_spec(tmp_path):
    import qetch.spec
    from qetch.extractors._spec import make_extractor

    file, origin = hooked(tmp_path, hooks="def authenticate(extractor, auth): pass\n")
    with origin, pytest.raises(errors.SpecError, match="merge"):
        make_extractor(qetch.spec.read(file))().merge(["a"])


def test_a_bug_in_a_module_of_hooks_keeps_its_traceback(tmp_path):
    import qetch.spec
    from qetch.extractors._spec import make_extractor

    file, origin = hooked(tmp_path, hooks=HOOKS + "\nimport os\nos.no_such_thing\n")
    with origin, pytest.raises(AttributeError, match="no_such_thing"):
        make_extractor(qetch.spec.read(file))().merge(["a"])


def test_hooks_may_have_classes(tmp_path):
    import qetch.spec
    from qetch.extractors._spec import make_extractor

    classes = (
        "from __future__ import annotations\nfrom dataclasses import dataclass\n@dataclass\nclass A:\n    x: int\n"
    )
    file, origin = hooked(tmp_path, hooks=classes + HOOKS)
    with origin:
        assert make_extractor(qetch.spec.read(file))().merge(["a", "b"]) == "here:a+b"
