"""The only door to the network: a `requests.Session` that checks every hop and hands out credentials per host."""

from __future__ import annotations

import dataclasses
import re
import time
from typing import TYPE_CHECKING, Any
from urllib.parse import urljoin

import requests
from requests import exceptions as failures
from requests.auth import AuthBase
from requests.cookies import RequestsCookieJar
from requests.utils import resolve_proxies
from urllib3.exceptions import LocationParseError
from urllib3.util import parse_url

from qetch import __version__
from qetch.answer import Answer, read_body
from qetch.credentials import Credentials
from qetch.errors import OUTCOMES, STATUS_OUTCOMES, HostRefused, InvalidURL, RemoteError, SpecError
from qetch.network import CONNECT_SECONDS, MAX_REDIRECTS, READ_SECONDS, NetworkAdapter, translated
from qetch.policy import Policy, Target, target_of

if TYPE_CHECKING:
    from collections.abc import Generator, Mapping, Sequence

    from requests.adapters import BaseAdapter

__all__ = [
    "Answer",
    "Credentials",
    "NetworkAdapter",
    "Policy",
    "Session",
    "content_length",
    "mount_replay",
    "translated",
]

MAX_BODY = 10_000_000
"""The most bytes of an answer, decoded."""
MAX_SECONDS = 60.0
"""The most seconds for the body of an answer."""

HEADER_NAME = re.compile(r"[!#$%&'*+.^_`|~0-9A-Za-z-]+")
USERINFO = re.compile(r"//[^/?#]*@")
LINE_BREAKS = re.compile(r"[\r\n\0]")


class _Nobody(AuthBase):
    """No authentication at all, so that `requests` does not look into ~/.netrc for some."""

    def __call__(self, request: requests.PreparedRequest) -> requests.PreparedRequest:
        return request


class Session(requests.Session):
    """A `requests.Session` for one site.

    Every hop of every request, a plain `session.get` included, goes through `send`, which checks the URL as it will
    be sent. `fetch` is what the engine uses: bounded, and with errors of qetch alone.

    Args:
        policy: What its requests may do; anything public unless given.
    """

    def __init__(self, policy: Policy | None = None) -> None:
        super().__init__()
        self.policy = policy or Policy()
        self.credentials: Credentials | None = None
        self.allow_private = False
        self.timeout: tuple[float, float] | None = None
        self.max_redirects = MAX_REDIRECTS
        self.max_body = MAX_BODY
        self.max_seconds = MAX_SECONDS
        # Only what this module can decode within bounds; `requests` would also ask for what happens to be installed.
        self.headers.update({"User-Agent": f"qetch/{__version__}", "Accept-Encoding": "gzip, deflate"})
        self._borrowed: list[BaseAdapter] = []
        own = NetworkAdapter(self)
        for prefix in [*self.adapters]:
            self.mount(prefix, own)

    def child(self, policy: Policy) -> Session:
        """A session for another site, over the same connections.

        Adapters that a user mounted are shared as they are, unless their own class says how to make a `twin` for
        another session. So are the settings of the machine: proxies, TLS trust, timeouts, bounds, `allow_private`.
        Cookies, credentials and headers are not.
        """
        session = self.blank(policy)
        for prefix, adapter in self.adapters.items():
            shared = _shared(adapter, session)
            session._borrowed.append(shared)  # noqa: SLF001 - of the same class
            session.mount(prefix, shared)
        for name in ("allow_private", "timeout", "verify", "cert", "trust_env"):
            setattr(session, name, getattr(self, name))
        for name in ("max_redirects", "max_body", "max_seconds"):
            setattr(session, name, getattr(self, name))
        session.proxies = dict(self.proxies)
        session.headers["User-Agent"] = self.headers["User-Agent"]
        return session

    def blank(self, policy: Policy) -> Session:
        """A new session of the same kind, for `child` to fill."""
        return Session(policy)

    def close(self) -> None:
        """Closes the connections, unless they are another session's."""
        for adapter in self.adapters.values():
            if not any(adapter is borrowed for borrowed in self._borrowed):
                adapter.close()

    @property
    def offline(self) -> bool:
        """True if requests are answered without a network."""
        return all(getattr(self.get_adapter(prefix), "offline", False) for prefix in ("http://", "https://"))

    def pause(self, seconds: float, url: str) -> None:
        """Waits before a request to `url`, unless its adapter has no network to wait for."""
        getattr(self.get_adapter(url), "pause", time.sleep)(seconds)

    def redact(self, text: str) -> str:
        """A text in which each secret, also a percent-encoded one, is `***`."""
        for secret in self.credentials.hidden() if self.credentials else ():
            text = text.replace(secret, "***")
        return text

    def fetch(
        self,
        method: str,
        url: str,
        *,
        headers: Mapping[str, str] | None = None,
        query: Mapping[str, Any] | Sequence[tuple[str, Any]] | None = None,
        cookies: Mapping[str, str] | None = None,
        data: Mapping[str, Any] | Sequence[tuple[str, Any]] | str | bytes | None = None,
        json: Any = None,
        redirects: bool = True,
    ) -> Answer:
        """Makes a request, and brings its whole answer, whatever its status.

        Args:
            method: Such as `GET`.
            url: An http or https URL.
            headers: Sent over all redirects.
            query: Added to the query of `url`.
            cookies: Sent to the first host only.
            data: The body; a mapping or pairs are sent as a form.
            json: The body, sent as JSON.
            redirects: Follow them; otherwise the redirect itself is the answer.

        Raises:
            InvalidURL: `url` cannot be fetched.
            HostRefused: The policy does not allow a host.
            AddressRefused: A host has a private address.
            SiteClosed: The site is dead.
            RemoteError: The answer breaks the rules of HTTP or is too large, or redirects have no end.
            NetworkError: There was no answer, not all of it, or not in time.
            ReplayMiss: The session plays records, and holds none of this request.
        """
        request = requests.Request(
            method.upper(), url, headers=headers, params=query, cookies=cookies, data=data, json=json
        )
        prepared = self._prepare(request)
        first = self._clean(self._target(prepared.url or "").url)
        shown = self.redact(first)
        with translated(shown):
            settings = self.merge_environment_settings(prepared.url or "", {}, True, None, None)
            with self.send(prepared, allow_redirects=redirects, **settings) as response:
                # Not counted from the start: a host is not to blame for the wait for one's turn.
                deadline = time.monotonic() + self.max_seconds
                body = read_body(response, self.max_body, deadline, shown)
        return Answer(response.url, response.status_code, response.headers, body, first)

    def _prepare(self, request: requests.Request) -> requests.PreparedRequest:
        _check_headers(request.headers, self.policy.name)
        try:
            return self.prepare_request(request)
        except failures.InvalidJSONError:
            raise SpecError(f"{self.policy.name}: the request's JSON would hold NaN or an infinite number") from None
        except (failures.RequestException, LocationParseError, UnicodeError):
            raise InvalidURL(f"{self._shown(str(request.url))}: not a URL that can be fetched") from None

    def prepare_request(self, request: requests.Request) -> requests.PreparedRequest:
        """Like the original, without a look into ~/.netrc."""
        request.auth = request.auth or self.auth or _Nobody()
        return super().prepare_request(request)

    def merge_environment_settings(
        self,
        url: str | bytes | None,
        proxies: Mapping[str, str] | None,
        stream: bool | None,
        verify: bool | str | None,
        cert: Any,
    ) -> Any:
        """Like the original, except that what is set on this session counts more than the environment."""
        if verify is None and self.verify is not True:
            verify = self.verify
        return super().merge_environment_settings(url, {**self.proxies, **(proxies or {})}, stream, verify, cert)

    def send(self, request: requests.PreparedRequest, **kwargs: Any) -> requests.Response:
        """Sends one prepared request after a check; redirects come through here as well, each as a request of its own.

        Raises:
            InvalidURL: The URL cannot be fetched.
            HostRefused: The policy does not allow its host.
            SpecError: A header would hold a line break.
        """
        request = request.copy()
        self._admit(request)
        response = super().send(request, **kwargs)
        for hop in (*response.history, response):
            hop.url = self._clean(hop.url)
        return response

    def _admit(self, request: requests.PreparedRequest) -> None:
        target = self._target(request.url or "")
        if not self.policy.allows(target):
            raise HostRefused(f"{self.policy.name}: a request to {target.host} was refused - add it to `domains`")
        request.url = target.url  # as it was understood here, so that nobody on the way understands it otherwise
        if self.credentials:
            self._prove(request, target, self.credentials)
        _check_headers(request.headers, self.policy.name)
        request.headers.update({name: _sendable(value) for name, value in request.headers.items()})

    def _prove(self, request: requests.PreparedRequest, target: Target, credentials: Credentials) -> None:
        """Puts the credentials into a request for a host that they belong to, and keeps them out of all others."""
        mine = credentials.belong_to(target)
        if not mine and credentials.are_told_by(request):
            said = f"{self.policy.name}: a request that tells a secret to {target.host} was refused"
            raise HostRefused(f"{said} - add it to `auth.domains`, if the secret may go there")
        # A record needs no secret to answer, and holds none to compare with.
        shown = mine and not getattr(self.get_adapter(target.url), "offline", False)
        credentials.remove_from(request, foreign=not shown)
        if shown:
            credentials.add_to(request)

    def _target(self, url: str) -> Target:
        try:
            return target_of(url)
        except InvalidURL as error:
            raise InvalidURL(f"{self._shown(url)}: {error}") from None

    def _shown(self, url: str) -> str:
        """What somebody gave as a URL, fit for a message: quoted, short, and without a user name and password."""
        return repr(USERINFO.sub("//***@", self.redact(url))[:200])

    def _clean(self, url: str) -> str:
        return self.credentials.remove_from_url(url) if self.credentials else url

    def get_redirect_target(self, resp: requests.Response) -> str | None:
        """Where a response redirects to, absolute; its body is given up, since it is never shown and may be endless."""
        shown = self.redact(self._clean(resp.url))
        try:
            location = super().get_redirect_target(resp)
            if not location:
                return None
            target = target_of(parse_url(urljoin(resp.url, location)).url)
        except (InvalidURL, LocationParseError, ValueError):
            resp.close()
            raise RemoteError(f"{shown} redirects to something that is not an http or https URL") from None
        if hasattr(resp.raw, "stream"):
            resp.raw.close()
        return target.url

    def resolve_redirects(
        self, resp: requests.Response, req: requests.PreparedRequest, *args: Any, **kwargs: Any
    ) -> Generator[requests.Response]:
        """Like the original, except that a redirect which is not followed is left as it is: no `Response.next`."""
        if not kwargs.get("yield_requests"):
            yield from super().resolve_redirects(resp, req, *args, **kwargs)

    def rebuild_auth(self, prepared_request: requests.PreparedRequest, response: requests.Response) -> None:
        """Takes what was meant for the first host alone out of a request to another; asks no ~/.netrc."""
        if self.should_strip_auth(response.request.url or "", prepared_request.url or ""):
            prepared_request.headers.pop("Authorization", None)
            prepared_request.headers.pop("Cookie", None)
            jar = RequestsCookieJar()
            jar.update(self.cookies)
            prepared_request.prepare_cookies(jar)

    def rebuild_proxies(
        self, prepared_request: requests.PreparedRequest, proxies: dict[str, str] | None
    ) -> dict[str, str]:
        """The proxies for a redirect; their passwords are the adapter's matter, and never among the headers."""
        return resolve_proxies(prepared_request, proxies, self.trust_env)

    def should_strip_auth(self, old_url: str, new_url: str) -> bool:
        """True unless both are the same host, port and scheme, or the step from http to https on the usual ports."""
        old, new = target_of(old_url), target_of(new_url)
        upgrade = (old.scheme, old.port, new.scheme, new.port) == ("http", 80, "https", 443)
        return old.host != new.host or not (upgrade or (old.scheme, old.port) == (new.scheme, new.port))


def _shared(adapter: BaseAdapter, session: Session) -> BaseAdapter:
    """What another session uses in place of an adapter; a subclass that knows of no twins is shared as it is."""
    if isinstance(adapter, NetworkAdapter) and "twin" in vars(type(adapter)):
        return adapter.twin(session)
    return adapter


def _check_headers(headers: Mapping[str, Any] | None, owner: str) -> None:
    for name, value in (headers or {}).items():
        text = _text(name)
        if not HEADER_NAME.fullmatch(text):
            raise SpecError(f"{owner}: {text[:40]!r} cannot be the name of a header")
        if value is not None and LINE_BREAKS.search(_text(value)):
            raise SpecError(f"{owner}: the header {text} would hold a line break - cut its value with `regex`")


def _sendable(value: str | bytes) -> str:
    """A header's value, which will be sent as Latin-1: what does not fit goes as its UTF-8 bytes."""
    text = _text(value)
    return text if all(character <= "\xff" for character in text) else text.encode().decode("latin-1")


def _text(value: str | bytes) -> str:
    return value.decode("latin-1") if isinstance(value, bytes) else value


def mount_replay(session: requests.Session, adapter: BaseAdapter) -> None:
    """Lets an adapter answer everything that the session asks, unless the user mounted one for a longer prefix."""
    session.mount("http://", adapter)
    session.mount("https://", adapter)


def content_length(session: requests.Session, url: str, headers: Mapping[str, str]) -> int:
    """The length of a file in bytes, asked with a request for its first byte.

    Args:
        session: Any; of a session of qetch, its credentials and its spec's list of hosts play no part here.
        url: The file's URL.
        headers: What the file's host wants to see.

    Raises:
        RemoteError: The host does not say.
        QetchError: The outcome of the status, if it is an error.
        NetworkError: The host does not answer.
    """
    if isinstance(session, Session):
        session = session.child(dataclasses.replace(session.policy, anywhere=True, rate=None))
    asked = {**headers, "Range": "bytes=0-0", "Accept-Encoding": "identity"}
    patience = (CONNECT_SECONDS, READ_SECONDS)
    with translated(url), session.get(url, headers=asked, stream=True, timeout=patience) as response:
        status, found = response.status_code, response.headers
    total = re.fullmatch(r"bytes (?:0-0|\*)/(\d{1,18})", found.get("Content-Range", "").strip())
    if status in {206, 416} and total:
        return int(total[1])
    if status >= 400:
        raise OUTCOMES[STATUS_OUTCOMES.get(status, "remote")](f"{url}: the host answered {status}")
    declared = found.get("Content-Length", "")
    if status == 200 and re.fullmatch(r"\d{1,18}", declared) and found.get("Content-Encoding", "") in {"", "identity"}:
        return int(declared)
    raise RemoteError(f"{url}: the host does not say how long this file is")
