"""Extractor classes that are made from specs."""

from __future__ import annotations

import logging
from functools import partial
from typing import TYPE_CHECKING, Any, ClassVar

from qetch.errors import InvalidURL, UnsupportedURL
from qetch.extractors._common import BaseExtractor, Skip, best_first
from qetch.selectors.patterns import match_url, without_query

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator, Sequence
    from pathlib import Path

    from regex import Match

    from qetch.content import Content
    from qetch.engine.interpreter import Run
    from qetch.engine.watch import Watch
    from qetch.extractors.hosts import HostIndex
    from qetch.session import Policy, Session
    from qetch.spec.model import Block, Defaults, Handle, Site

    Lists = Iterator[list[Content]]

log = logging.getLogger("qetch")


class SpecSkip(Skip):
    """One that knows the file of the spec."""

    path: Path | None = None

    @classmethod
    def of(cls, place: str, reason: str, path: Path | None) -> SpecSkip:
        """A place in a spec's file, and a reason."""
        skip = cls(place, reason)
        skip.path = path
        return skip

    @property
    def located(self) -> str:
        """With the file and the line."""
        from qetch.engine.why import line_of

        line = line_of(self.path, self.place)
        return f"{self.path.name}:{line}, {self}" if self.path and line else str(self)


class SpecExtractor(BaseExtractor, register=False):
    """An extractor that runs a compiled spec. Each handle is a method `handle_<name>` that a subclass may override.

    Attributes:
        watch: Somebody who looks on while it runs; see `qetch.engine.watch`.
    """

    site: ClassVar[Site]
    hosts: ClassVar[HostIndex]

    watch: Watch | None = None
    _run: Run | None = None

    @classmethod
    def _find_handle(cls, url: str) -> tuple[str, Match[str]] | None:
        from qetch.extractors.hosts import split

        try:
            host, url = split(url)
        except InvalidURL:
            return None
        if not cls.hosts.claimants(host):
            return None
        for handle in cls.site.handles.values():
            for pattern in handle.patterns:
                match = match_url(pattern, without_query(url) if handle.params else url)
                if match:
                    return handle.name, match
        return None

    def extract(self, url: str, auth: tuple[str, ...] | None = None) -> Lists:
        """See `BaseExtractor.extract`."""
        from qetch.engine.state import State

        name, match = self.get_handle(url)
        skipped: list[Skip] = []
        self.skipped = skipped
        state = State(lambda *skip: skipped.append(SpecSkip.of(*skip)), self.watch)
        state.visit(url)
        run = self.new_run(url, name, self.session, state)
        lists = self.authenticated(name, url, match, auth)
        yield from map(best_first, self.driven(run, lists))

    def authenticated(self, name: str, url: str, match: Match[str], auth: tuple[str, ...] | None) -> Lists:
        """The lists of a handle, which asks for credentials if it will ask anybody for anything."""
        if self._is_overridden(name) or _goes_out(self.site.handles[name].block):
            self.authenticate(self._find_auth(auth))
        yield from self._handler(name)(url, match)

    def _is_overridden(self, name: str) -> bool:
        made = next(cls for cls in type(self).__mro__ if "site" in vars(cls))
        method = f"handle_{name}"
        return getattr(type(self), method, None) is not vars(made).get(method)

    def _handler(self, name: str) -> Callable[[str, Match[str]], Lists]:
        handler: Callable[[str, Match[str]], Lists] | None = getattr(self, f"handle_{name}", None)
        if handler is None:
            raise NotImplementedError(f"{type(self).__name__} has no method handle_{name}")
        return handler

    def driven(self, run: Run, lists: Lists) -> Lists:
        """The lists, each made while `run` is the current one: so two extractions may take turns."""
        session = run.session
        while True:
            outer, policy = self._run, session.policy
            self._run, session.policy = run, run.policy
            if outer is None:  # the runs of one extraction have their credentials in common
                session.credentials = run.credentials
            try:
                contents = next(lists, None)
            finally:
                run.credentials = session.credentials
                self._run, session.policy = outer, policy
            if contents is None:
                return
            yield contents

    def _handle(self, handle: Handle, source: str, match: Match[str]) -> Lists:
        """What the spec says of a handle, in the current run or one of its own."""
        from qetch.engine.state import State

        run = self._run
        if run is None:
            state = State(lambda *skip: self.skipped.append(SpecSkip.of(*skip)), self.watch)
            run = self.new_run(source, handle.name, self.session, state)
            run.session.policy = run.policy
        return run.handle(handle, source, match.groupdict())

    # --- sessions and runs

    def _new_session(self) -> Session:
        from qetch.session import Session

        policy = self._policy(None, self.site.defaults, "")
        return self.root.child(policy) if self.root is not None else Session(policy)

    def _policy(self, handle: Handle | None, defaults: Defaults, host: str) -> Policy:
        from qetch.session import Policy

        site = self.site
        dead = handle if handle and handle.status == "dead" else site
        return Policy(
            name=site.name,
            domains=site.domains,
            hosts=site.hosts | ({host} if host else set()),
            anywhere=False,
            rate=defaults.rate,
            closed=(dead.note or "it is closed") if dead.status == "dead" else None,
        )

    def new_run(self, url: str, handle_name: str, session: Session, state: Any, depth: int = 0) -> Run:
        from qetch.engine.interpreter import Run
        from qetch.extractors.hosts import split

        site, host = self.site, split(url)[0]
        handle = site.handles.get(handle_name)
        instance = _instance_of(site, host)
        defaults = site.instances[instance] if instance else site.defaults
        policy = self._policy(handle, defaults, host)
        run = Run(site, self, session, defaults, state, self._goto, depth, url, policy)
        for broken in (handle, site):
            if broken and broken.status == "broken":
                log.warning("%s is known to be broken: %s", broken.name, broken.note)
        return run

    def _goto(self, url: str, run: Run) -> Lists | None:
        """The lists of a URL that a spec's `goto` names: own handles first, then those of other sites."""
        found = self._find_handle(url)
        if found:
            name, match = found
            child = self.new_run(url, name, run.session, run.state, run.depth + 1)
            child.fetcher.renew, child.fetcher.login_cure = run.fetcher.renew, run.fetcher.login_cure
            return self.driven(child, self._handler(name)(url, match))
        from qetch.extractors import find_extractor

        try:
            other = find_extractor(url, generic=False)()
        except (UnsupportedURL, InvalidURL):
            return None
        return _foreign(other, url, run)

    # --- authentication

    @classmethod
    def wanted(cls) -> tuple[str, ...]:
        """The words for what the user must give, such as `key`: what the site's requests are made of."""
        from qetch.engine.login import wanted

        return wanted(cls.site.auth)

    def _find_auth(self, auth: tuple[str, ...] | None) -> tuple[str, ...] | None:
        """What was given, or what the registry has for the site or an instance's host; never another spec's."""
        if auth is not None:
            return (auth,) if isinstance(auth, str) else tuple(auth)
        from qetch.auth import AuthRegistry, SavedCredential, owner_of
        from qetch.extractors.hosts import split

        host = split(self._run.source)[0] if self._run else ""
        found = AuthRegistry().get(host if _instance_of(self.site, host) else self.name)
        if isinstance(found, SavedCredential) and (found.owner, found.site) != (owner_of(self.site.path), self.name):
            return None
        return (found,) if isinstance(found, str) else tuple(found) if found else None

    def authenticate(self, auth: Sequence[str] | None) -> None:
        """Gives the session what the spec's `auth` says, or calls the hook of that name.

        Raises:
            AuthenticationError: The site wants credentials, and there are none, or it refuses them.
        """
        from qetch.engine.login import log_in
        from qetch.engine.state import State

        if "authenticate" in self.site.hooks:
            _hook(self.site, "authenticate")(self, auth)
            return
        home = self.site.domains[0]
        url = f"https://[{home}]/" if ":" in home else f"https://{home}/"
        run = self._run or self.new_run(url, "", self.session, State(lambda *_: None))
        run.session.credentials = log_in(run, auth, run.source)
        if self.site.auth.token:
            run.fetcher.renew = partial(_renew, run, auth)

    def merge(self, ordered_filepaths: Sequence[str]) -> str:
        """See `BaseExtractor.merge`; a spec may have a hook for it."""
        if "merge" in self.site.hooks:
            return str(_hook(self.site, "merge")(self, ordered_filepaths))
        return super().merge(ordered_filepaths)


def _goes_out(block: Block) -> bool:
    """Whether a block makes a request, or leads to another URL."""
    renditions = block.content.renditions if block.content else None
    inner = [*([block.then] if block.then else []), *(each.block for each in block.each)]
    return bool(block.call or block.goto or (renditions and renditions.call)) or any(map(_goes_out, inner))


def _renew(run: Run, auth: Sequence[str] | None) -> None:
    """A new token, after the site refused the old one."""
    from qetch.engine.login import log_in

    run.session.credentials = log_in(run, auth, run.source, fresh=True)


def _foreign(other: BaseExtractor, url: str, run: Run) -> Lists:
    """The lists that another site's extractor finds, as a part of a run."""
    if isinstance(other, SpecExtractor):
        name, match = other.get_handle(url)
        session = run.session.child(run.policy)
        other.session = session
        child = other.new_run(url, name, session, run.state, run.depth + 1)
        session.policy = child.policy
        yield from other.driven(child, other.authenticated(name, url, match, None))
        return
    from qetch.session import Policy

    other.session = run.session.child(Policy(name=other.name))
    try:
        yield from other.extract(url)
    finally:
        for skip in other.skipped:
            run.state.say(*skip)


def _instance_of(site: Site, host: str) -> str | None:
    """The pattern of the instance that a host is, if it is one; a host that is written out comes first."""
    from qetch.extractors.hosts import is_instance

    if host in site.instances:
        return host
    return next((pattern for pattern in site.instances if is_instance(host, pattern)), None)


def _hook(site: Site, name: str) -> Callable[..., Any]:
    """A function of the Python file beside a spec, which was found to be trusted when the spec was read."""
    import sys
    from importlib.machinery import SourceFileLoader
    from pathlib import Path
    from types import ModuleType

    from qetch.errors import SpecError
    from qetch.paths import distrust

    file = (site.path or Path()).with_suffix(".py")
    reason = distrust(file.parent, file)
    if reason:
        raise SpecError(f"{site.path}: hooks are not run: {reason}")
    loader = SourceFileLoader(f"qetch_hooks_{file.stem}", str(file))
    module = sys.modules[loader.name] = ModuleType(loader.name)  # classes in it look themselves up there
    try:
        loader.exec_module(module)
    except OSError as error:
        raise SpecError(f"{site.path}: `hooks` names {name}, but {file.name} cannot be read") from error
    hook: Callable[..., Any] | None = getattr(module, name, None)
    if hook is None:
        raise SpecError(f"{site.path}: `hooks` names {name}, but {file.name} has no such function")
    return hook


def make_extractor(site: Site) -> type[SpecExtractor]:
    """The extractor class of a compiled spec."""
    from types import new_class

    from qetch.auth import AuthTypes
    from qetch.extractors.hosts import HostIndex
    from qetch.extractors.index import entry_of

    entry = entry_of(site)
    body: dict[str, Any] = {
        "__doc__": site.description,
        "__module__": __name__,
        "site": site,
        "hosts": HostIndex([(entry.domains, entry.instances)]),
        "name": site.name,
        "description": site.description,
        "domains": list(site.domains),
        "handles": {name: _one_pattern(handle.patterns) for name, handle in site.handles.items()},
        "authentication": AuthTypes[site.auth.kind.upper()],
    }
    for handle in site.handles.values():
        method = _method(handle)
        body[method.__name__] = method
    return new_class(site.class_name, (SpecExtractor,), {"register": False}, lambda namespace: namespace.update(body))


def _one_pattern(patterns: Sequence[str]) -> str:
    return patterns[0] if len(patterns) == 1 else "|".join(f"(?:{pattern})" for pattern in patterns)


def _method(handle: Handle) -> Callable[[Any, str, Match[str]], Lists]:
    def method(self: SpecExtractor, source: str, match: Match[str]) -> Lists:
        yield from self._handle(handle, source, match)

    method.__name__ = f"handle_{handle.name}"
    method.__qualname__ = method.__name__
    method.__doc__ = f"Yields the lists of contents of a URL such as {handle.examples[0].url}"
    return method
