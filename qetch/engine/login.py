"""Turns what the user gave into the credentials of a session, fetching a token where the site wants one."""

from __future__ import annotations

import base64
import shlex
import time
from dataclasses import fields as dataclass_fields
from dataclasses import is_dataclass
from http.cookies import CookieError, SimpleCookie
from typing import TYPE_CHECKING, Any
from urllib.parse import urlsplit

from qetch.auth import AuthRegistry, SavedCredential, owner_of
from qetch.engine.fetching import fill
from qetch.engine.interpreter import first_bound
from qetch.engine.reading import Bound, Place, fields, lookup
from qetch.errors import AuthenticationError, LayoutChanged
from qetch.paths import package_sites, user_site_folders
from qetch.session import Credentials
from qetch.spec.model import Value
from qetch.spec.templates import NullName, Template

if TYPE_CHECKING:
    from collections.abc import Iterator, Sequence

    from qetch.engine.interpreter import Run
    from qetch.engine.reading import Names
    from qetch.spec.model import Auth, Site, Token

WORDS = {"key": ("key",), "basic": ("username", "password"), "oauth": ("key", "secret"), "cookies": ("cookies",)}
UNKNOWN_LIFE = 300.0
"""Seconds that a token is kept if the site does not say how long it lasts."""

_tokens: dict[tuple[str, ...], tuple[str, float]] = {}


def log_in(run: Run, given: Sequence[str] | None, source: str, *, fresh: bool = False) -> Credentials | None:
    """The credentials for a run, or None where the site wants none or can do without.

    Args:
        run: Its session makes the requests for a token.
        given: The values, in the order of the kind: key; username and password; key and secret; cookies.
        source: The URL that will be extracted.
        fresh: Whether a remembered token is of no use any more.

    Raises:
        AuthenticationError: There are none, or too few, or the site gives no token for them.
    """
    auth = run.site.auth
    if auth.kind == "none" and not auth.token:
        run.fetcher.login_cure = "the site file asks for no key or account: `qetch schema auth` shows how it would"
        return None
    values = tuple(given) if given else ((auth.default,) if auth.default else ())
    if auth.kind != "none":
        run.fetcher.login_cure = _cure(run)
    if auth.kind != "none" and not values:
        if auth.optional or run.session.offline:
            return None
        words = " and ".join(word if word == "cookies" else f"a {word}" for word in wanted(auth))
        raise AuthenticationError(f"{run.site.name} wants {words}: {_cure(run)}")
    names = first_bound(source)
    secrets = dict(zip(WORDS.get(auth.kind, ()), values, strict=False))
    names |= {word: Bound(secrets.get(word) or None) for word in WORDS.get(auth.kind, ())}
    at_home = run.defaults is run.site.defaults
    hosts = (auth.hosts if auth.named or at_home else None) or _base_hosts(run, names)
    hidden = values[1:] if auth.kind == "basic" else values  # a user name is none, and may stand in any URL
    run.session.credentials = Credentials(hosts, secrets=hidden)  # tokens are fetched with the secrets guarded
    if auth.token:
        key = (run.site.name, str(run.site.path), *sorted(hosts), *values)
        token = _token(run, auth.token, names, key, fresh)
        names["token"] = Bound(token)
        hidden = (*hidden, token)
    return _credentials(run, auth, names, hosts, hidden)


def wanted(auth: Auth) -> tuple[str, ...]:
    """The words for what the spec puts into requests: not a secret, where a key alone will do."""
    words = WORDS.get(auth.kind, ())
    used = set(_names(auth))
    return tuple(word for word in words if word in used) or words


def _names(part: Any) -> Iterator[str]:
    """The names that the templates and values in a part of a spec need."""
    if isinstance(part, Template):
        yield from part.names
    elif isinstance(part, (tuple, list)):
        yield from (name for item in part for name in _names(item))
    elif isinstance(part, dict):
        yield from _names(list(part.values()))
    elif is_dataclass(part):
        yield from (name for field in dataclass_fields(part) for name in _names(getattr(part, field.name)))
        yield from [part.of] if isinstance(part, Value) and part.of else []


def _cure(run: Run) -> str:
    """How to give credentials: for the site, or for the one host of an instance."""
    site = run.site
    name = site.name if run.defaults is site.defaults else urlsplit(run.source).hostname or site.name
    saved, owner = AuthRegistry().get(name), owner_of(site.path)
    said = ""
    if isinstance(saved, SavedCredential) and (saved.owner, saved.site) != (owner, site.name):
        whose = "the package" if saved.owner == "package" else saved.owner
        said = f"what is saved for {name} is for the site file of {whose} alone - "
    return f"{said}run `qetch auth add {name}{_flag(site)}`"


def _flag(site: Site) -> str:
    """What a command needs to find the spec's folder, which a run was told about."""
    if site.path is None:
        return ""
    usual = {folder.resolve() for folder in (package_sites(), *user_site_folders())}
    return "" if site.path.resolve().parent in usual else f" --sites {shlex.quote(str(site.path.parent))}"


def _base_hosts(run: Run, names: Names) -> frozenset[str]:
    base = run.defaults.base
    text = base.render_url(lookup(names)) if base else names["source"].value
    return frozenset({urlsplit(text).hostname or ""})


def _credentials(run: Run, auth: Auth, names: Names, hosts: frozenset[str], secrets: tuple[str, ...]) -> Credentials:
    for template in (template for pairs in (auth.headers, auth.query, auth.cookies) for _, template in pairs):
        missing = [name for name in template.names if names[name].value is None]
        if missing:
            raise AuthenticationError(f"{run.site.name} wants a {missing[0]} too: {_cure(run)}")
    headers = fields(auth.headers, names)
    cookies = fields(auth.cookies, names)
    if auth.kind == "cookies":
        cookies |= _parse_cookies(run, names["cookies"].value)
    if auth.kind == "basic" and not (auth.headers or auth.query or auth.cookies or auth.token):
        pair = f"{names['username'].value}:{names['password'].value or ''}"
        headers["Authorization"] = "Basic " + base64.b64encode(pair.encode()).decode()
    query = fields(auth.query, names)
    return Credentials(hosts, headers, query, cookies, secrets)


def _parse_cookies(run: Run, text: str) -> dict[str, str]:
    try:
        cookies = {name: morsel.value for name, morsel in SimpleCookie(text).items()}
    except CookieError:
        cookies = {}
    if not cookies:
        raise AuthenticationError(f"{run.site.name} wants cookies of the form `name=value; name=value`")
    return cookies


def _token(run: Run, token: Token, names: Names, key: tuple[str, ...], fresh: bool) -> str:
    known, until = _tokens.get(key, ("", 0.0))
    if known and not fresh and time.monotonic() < until:
        return known
    place = Place(None, None, names["source"].value)
    for step in token.steps:
        if step.call:
            try:
                request = fill(step.call, run.defaults, names, place.url)
            except NullName as error:
                raise AuthenticationError(f"{run.site.name} wants a {error} too") from None
            place = run.fetcher.get(request, (), names, run.defaults.wait)
        names = {**names, **{name: Bound(run.reader.read(value, place, names), place.url) for name, value in step.let}}
    text = run.reader.text(token.read, place, names)
    if not text:
        raise LayoutChanged(f"{place.url}: there is no token in the answer ({token.read.where})")
    seconds = run.reader.read(token.expires, place, names) if token.expires else None
    life = float(seconds) if isinstance(seconds, (int, float)) and 0 < seconds < 1e9 else UNKNOWN_LIFE
    _tokens[key] = (text, time.monotonic() + life * 0.9)
    return text
