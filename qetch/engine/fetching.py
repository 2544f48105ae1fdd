"""Makes a call's request, and finds out what the answer means."""

from __future__ import annotations

import logging
import time
from dataclasses import dataclass, field
from email.utils import parsedate_to_datetime
from typing import TYPE_CHECKING, Any
from urllib.parse import urljoin, urlsplit

from qetch.engine.reading import Place, as_text, fields, filled_text, lookup, read_json
from qetch.engine.state import RowMissing
from qetch.engine.urls import has_dots
from qetch.errors import (
    OUTCOMES,
    STATUS_OUTCOMES,
    AuthenticationError,
    InvalidURL,
    NetworkError,
    QetchError,
    RateLimited,
    RemoteError,
)
from qetch.selectors.jmes import DoesNotFit
from qetch.selectors.patterns import MAX_URL, URL_SECONDS
from qetch.spec.templates import NullName, Template

if TYPE_CHECKING:
    from collections.abc import Callable, Iterable

    from regex import Pattern

    from qetch.engine.reading import Names, Reader
    from qetch.engine.state import State
    from qetch.session import Answer, Session
    from qetch.spec.model import Call, Defaults, Kind, Rule, Value

MAX_WAITS = 3
MAX_RETRIES = 2
LONGEST_WAIT = 600.0
"""Seconds; a site that asks for a longer wait gets none, and the error says so."""
DEFAULT_WAIT = 30.0

log = logging.getLogger("qetch")


@dataclass(slots=True)
class Request:
    """One request, filled in."""

    method: str
    url: str
    kind: Kind
    query: dict[str, str] = field(default_factory=dict)
    headers: dict[str, str] = field(default_factory=dict)
    cookies: dict[str, str] = field(default_factory=dict)
    form: dict[str, str] | None = None
    json: Any = None
    has_json: bool = False
    follow: bool = True

    @property
    def key(self) -> str:
        """The same for the same request; what follows the `#` is not sent."""
        return repr((self.method, self.url.partition("#")[0], sorted(self.query.items()), self.form, self.json))


def fill(call: Call, defaults: Defaults, names: Names, current_url: str) -> Request:
    """The request of a call.

    Args:
        call: What the spec says.
        defaults: What the site says of every call; the call's own words win.
        names: The names that are visible.
        current_url: What a relative URL is joined to if the site has no `base`.

    Raises:
        RowMissing: A name that the URL needs is null, or one is a list or an object where a text is wanted.
        InvalidURL: A name would make the URL climb out of its place.
    """
    try:
        return _fill(call, defaults, names, current_url)
    except DoesNotFit as error:
        raise RowMissing(f"no request for {call.url.text!r}: {error}") from None


def _fill(call: Call, defaults: Defaults, names: Names, current_url: str) -> Request:
    return Request(
        call.method,
        _url(call.url, defaults.base, names, current_url),
        call.kind,
        query={**fields(defaults.query, names), **fields(call.query, names)},
        headers={**fields(defaults.headers, names), **fields(call.headers, names)},
        cookies={**fields(defaults.cookies, names), **fields(call.cookies, names)},
        form=fields(call.form, names) if call.form is not None else None,
        json=_tree(call.json, names) if call.has_json else None,
        has_json=call.has_json,
        follow=call.follow,
    )


def _url(template: Template, base: Template | None, names: Names, current_url: str) -> str:
    try:
        text = template.render_url(lookup(names))
        if not template.whole and has_dots(text):
            raise InvalidURL(f"{text[:200]!r} has a segment that is only dots")
        start = base.render_url(lookup(names)) if base else current_url
        return urljoin(start, text.strip())
    except NullName as error:
        raise RowMissing(f"{{{error}}} is null, so there is no URL for {template.text!r}") from None
    except ValueError as error:
        if isinstance(error, InvalidURL):
            raise
        raise InvalidURL(f"{text[:200]!r} is no URL: {error}") from None


_LEFT_OUT = object()


def _tree(tree: Any, names: Names) -> Any:
    """JSON with its templates filled in: a whole placeholder keeps its type, an entry with a null name is left out."""
    filled = _filled(tree, names)
    return None if filled is _LEFT_OUT else filled


def _filled(tree: Any, names: Names) -> Any:
    if isinstance(tree, Template):
        if tree.whole:
            value = names[tree.whole].value
            plain = value if isinstance(value, (str, int, float, list, dict, type(None))) else as_text(value)
            return _LEFT_OUT if plain is None else plain
        text = filled_text(tree, names)
        return _LEFT_OUT if text is None else text
    if isinstance(tree, dict):
        entries = ((key, _filled(item, names)) for key, item in tree.items())
        return {key: item for key, item in entries if item is not _LEFT_OUT}
    if isinstance(tree, list):
        return [item for item in (_filled(item, names) for item in tree) if item is not _LEFT_OUT]
    return tree


class Fetcher:
    """Gets answers for one run, asks the rules what they mean, waits and tries again where that may help."""

    def __init__(
        self,
        session: Session,
        state: State,
        reader: Reader,
        site_rules: tuple[Rule, ...] = (),
        check: Value | None = None,
        check_kind: Kind | None = None,
    ) -> None:
        self.session = session
        self.state = state
        self.reader = reader
        self.site_rules = site_rules
        self.check = check
        self.check_kind = check_kind
        self.renew: Callable[[], None] | None = None
        self.login_cure = ""

    def get(self, request: Request, rules: Iterable[Rule], names: Names, wait: float | None) -> Place:
        """The answer as a place.

        Raises:
            QetchError: What the answer means, by the rules of the block, those of the site, or its status.
        """
        all_rules = (*rules, *self.site_rules)
        waits = retries = 0
        while True:
            status = 0
            try:
                answer = self._ask(request)
                status = answer.status
                return self._judged(answer, request, all_rules, names)
            except RateLimited as error:
                waits += 1
                seconds = error.wait if error.wait is not None else wait or DEFAULT_WAIT
                if waits > MAX_WAITS or seconds > LONGEST_WAIT:
                    raise
                if not self.session.offline:
                    log.info("%s: asked too often, waiting %.0f s", urlsplit(request.url).netloc, seconds)
                self.session.pause(seconds, request.url)
            except AuthenticationError:
                if self.renew is None:
                    raise
                renew, self.renew = self.renew, None  # once: then the credentials are wrong, not old
                renew()
            except (RemoteError, NetworkError) as error:
                retries += 1
                failed = status >= 500 or isinstance(error, NetworkError)
                if retries > MAX_RETRIES or not failed or request.method != "GET":
                    raise
                self.session.pause(0.5 * 2**retries, request.url)

    def _ask(self, request: Request) -> Answer:
        self.state.count_request()
        watch = self.state.watch
        if watch is None:
            return self._fetched(request)
        start = time.perf_counter()
        try:
            answer = self._fetched(request)
        except QetchError as error:
            watch.answered(request, error, time.perf_counter() - start)
            raise
        watch.answered(request, answer, time.perf_counter() - start)
        return answer

    def _fetched(self, request: Request) -> Answer:
        return self.session.fetch(
            request.method,
            request.url,
            headers=request.headers,
            query=request.query,
            cookies=request.cookies,
            data=request.form,
            json=request.json if request.has_json else None,
            redirects=request.follow,
        )

    def _judged(self, answer: Answer, request: Request, rules: tuple[Rule, ...], names: Names) -> Place:
        place = Place(request.kind, None, answer.url, answer)
        broken = ""
        if not 300 <= answer.status < 400:
            try:
                place.node = parse_body(answer, request.kind)
                place.url = _base_of(place)
            except ValueError as error:
                broken = str(error)
        self.apply(rules, place, names, readable=not broken and place.node is not None)
        if answer.status >= 400:
            name = STATUS_OUTCOMES.get(answer.status, "remote")
            raise self.outcome(name, f"{answer.url} answered {answer.status}", answer)
        if request.follow and 300 <= answer.status < 400:
            raise RemoteError(f"{answer.url} answered {answer.status} without saying where to go")
        if broken:
            raise RemoteError(f"{answer.url} sent {broken}")
        self._check_login(place, names)
        return place

    def _check_login(self, place: Place, names: Names) -> None:
        """Asks `auth.check` of the first answer to credentials: some sites show a login page with status 200."""
        if self.check and self.session.credentials and place.kind == self.check_kind:
            if not self.reader.holds(self.check, place, names):
                raise self.outcome("login_required", f"{place.url}: the site does not take these credentials", None)
            self.check = None

    def apply(self, rules: Iterable[Rule], place: Place, names: Names, *, readable: bool = True) -> None:
        """Raises what the first rule that holds says; with `readable` false, rules that read the body do not hold."""
        answer = place.answer
        for rule in rules:
            if rule.when and (not readable or rule.kind != place.kind):
                continue
            if rule.statuses and not (answer and answer.status in rule.statuses):
                continue
            if rule.url and not (answer and self._url_fits(rule.url, answer.url)):
                continue
            if rule.when and not self.reader.holds(rule.when, place, names):
                continue
            message = self.reader.text(rule.message, place, names) if rule.message and readable else None
            where = answer.url if answer else place.url
            raise self.outcome(
                rule.raises, f"{message[:500]} ({where})" if message else self._said(rule, where), answer
            )

    def _url_fits(self, pattern: Pattern[str], url: str) -> bool:
        try:
            return bool(pattern.search(url[:MAX_URL], timeout=URL_SECONDS))
        except TimeoutError:
            self.reader.note("errors", f"the regex {pattern.pattern!r} took over {URL_SECONDS:g} s and was stopped")
            return False

    @staticmethod
    def _said(rule: Rule, where: str) -> str:
        return f"{where}: {rule.raises.replace('_', ' ')}, by a rule of the site file"

    def outcome(self, name: str, message: str, answer: Answer | None) -> QetchError:
        """The error of an outcome's name."""
        message = self.session.redact(message)
        if name == "rate_limited":
            wait = asked_wait(answer) if answer else None
            return RateLimited(message if wait is None else f"{message} - it asks to wait {wait:,.0f} s", wait)
        if name == "login_required" and self.login_cure:
            message += f" - {self.login_cure}"
        return OUTCOMES[name](message)


def _base_of(place: Place) -> str:
    """What relative URLs of a place are joined to: its own URL, or what the page says instead."""
    if place.kind != "html":
        return place.url
    from qetch.selectors.markup import base_of

    try:
        return urljoin(place.url, base_of(place.node))
    except ValueError:  # as browsers do, who ignore a bad one
        return place.url


def asked_wait(answer: Answer) -> float | None:
    """How many seconds an answer asks to wait: `Retry-After`, else `RateLimit-Reset`, else `X-RateLimit-Reset`."""
    for name in ("Retry-After", "RateLimit-Reset", "X-RateLimit-Reset"):
        text = (answer.headers.get(name) or "").strip()
        try:
            seconds = float(text)
        except ValueError:
            seconds = _until_date(text)
        if seconds > 1e9:  # a moment, not a span
            seconds -= time.time()
        if text and seconds == seconds and seconds < 1e9:
            return max(seconds, 0.0)
    return None


def _until_date(text: str) -> float:
    try:
        return parsedate_to_datetime(text).timestamp() - time.time()
    except (ValueError, TypeError, OverflowError):
        return float("nan")


def parse_body(answer: Answer, kind: Kind) -> Any:
    """The body as what the spec says that it is.

    Raises:
        ValueError: It is something else; the message says what came.
    """
    came = _came(answer)
    if kind == "text":
        return answer.text
    if not answer.body.strip():
        raise ValueError(f"nothing where {kind} was expected")
    if kind == "json":
        try:
            return read_json(answer.body)
        except ValueError as error:
            why = f" ({error})" if str(error).startswith("JSON") else ""
            raise ValueError(f"{came} where json was expected{why}") from None
    from qetch.selectors import markup

    content_type = answer.headers.get("Content-Type") or ""
    if kind == "html" and not answer.body.lstrip()[:1] == b"<" and "html" not in content_type.lower():
        raise ValueError(f"{came} where html was expected")
    try:
        return markup.parse(kind, answer.body, content_type)
    except ValueError as error:
        raise ValueError(f"{came} where {kind} was expected ({error})") from None


def _came(answer: Answer) -> str:
    content_type = (answer.headers.get("Content-Type") or "something").partition(";")[0]
    start = " ".join(answer.body[:60].decode("utf-8", "replace").split())
    return f"{content_type} beginning {start!r}"
