"""The base of every extractor, made from a spec or written by hand."""

from __future__ import annotations

import weakref
from abc import ABC
from typing import TYPE_CHECKING, Any, ClassVar, NamedTuple

from qetch.errors import UnsupportedURL

if TYPE_CHECKING:
    from collections.abc import Iterator, Sequence

    from regex import Match

    from qetch.content import Content
    from qetch.session import Session

hand_written: list[weakref.ref[type[BaseExtractor]]] = []
"""The extractors that somebody wrote as a class, in the order of their definition."""


class Skip(NamedTuple):
    """Something that a run left out: where it was, and why."""

    place: str
    reason: str

    def __str__(self) -> str:
        return f"{self.place}: {self.reason}"

    @property
    def located(self) -> str:
        """The same for who has to repair it: with the file and the line, if it is of a spec."""
        return str(self)


class BaseExtractor(ABC):  # noqa: B024 - documented as abstract; `handles` says which methods a subclass has
    """Turns a URL into lists of `Content`, one list for each item, best quality first.

    A subclass names its URLs in `handles` (`{name: regex}`) and has a method `handle_<name>(source, match)` for
    each, which yields lists of `Content`. It registers itself, and is asked before any spec; define it with
    `register=False` to prevent that. One instance serves one thread at a time.

    Attributes:
        name: Short and unique; the key in `qetch.auth.AuthRegistry`.
        description: One sentence for people.
        domains: The hosts that it is about.
        handles: Regexes of the URLs it can handle, by the name of the handle; the first that matches is taken.
        authentication: One of `qetch.auth.AuthTypes`: what it wants from the user.
        skipped: What the last `extract` left out, and why.
        root: The session whose connections and settings its own shares, if that is not another yet.
    """

    name: ClassVar[str] = ""
    description: ClassVar[str] = ""
    domains: ClassVar[list[str]] = []
    handles: ClassVar[dict[str, str]] = {}
    authentication: ClassVar[Any] = None

    root: Session | None = None
    _session: Session | None = None

    def __init_subclass__(cls, register: bool = True, **kwargs: Any) -> None:
        super().__init_subclass__(**kwargs)
        if register:
            hand_written.append(weakref.ref(cls))

    def __init__(self) -> None:
        self.skipped: list[Skip] = []

    def __repr__(self) -> str:
        return f'<{type(self).__name__} "{self.name}">'

    def __getstate__(self) -> dict[str, Any]:
        """Connections and runs do not travel."""
        return {key: value for key, value in self.__dict__.items() if key not in ("_session", "_run")}

    @property
    def session(self) -> Session:
        """The `requests.Session` through which every request of a run goes, and the adapters that are mounted on it."""
        if self._session is None:
            self._session = self._new_session()
        return self._session

    @session.setter
    def session(self, session: Session) -> None:
        self._session = session

    def _new_session(self) -> Session:
        from qetch.session import Policy, Session

        policy = Policy(name=self.name)
        return self.root.child(policy) if self.root is not None else Session(policy)

    @classmethod
    def can_handle(cls, url: str) -> bool:
        """Whether one of the handles matches the URL."""
        return cls._find_handle(url) is not None

    @classmethod
    def get_handle(cls, url: str) -> tuple[str, Match[str]]:
        """The name of the first handle that matches the URL, and its match.

        Raises:
            UnsupportedURL: None of them matches.
        """
        found = cls._find_handle(url)
        if found is None:
            raise UnsupportedURL(f"{cls.name} has no handle for {url}")
        return found

    @classmethod
    def _find_handle(cls, url: str) -> tuple[str, Match[str]] | None:
        from qetch.selectors.patterns import match_url

        for name, pattern in cls.handles.items():
            match = match_url(pattern, url)
            if match:
                return name, match
        return None

    def extract(self, url: str, auth: tuple[str, ...] | None = None) -> Iterator[list[Content]]:
        """Extracts content from a URL, lazily: requests are made as the lists are asked for.

        Args:
            url: A URL that the extractor can handle.
            auth: Credentials of the kind that `authentication` names; without, those in the `AuthRegistry` are used.

        Yields:
            A list for each item: the same content in different qualities, best first.

        Raises:
            NotImplementedError: There is no method `handle_<name>` for the handle that matches.
            QetchError: See `qetch.errors`.
        """
        name, match = self.get_handle(url)
        handler = getattr(self, f"handle_{name}", None)
        if handler is None:
            raise NotImplementedError(f"{type(self).__name__} claims {url} but has no method handle_{name}")
        self.skipped = []
        self.authenticate(self._find_auth(auth))
        for contents in handler(url, match):
            yield best_first(contents)

    def _find_auth(self, auth: tuple[str, ...] | None) -> tuple[str, ...] | None:
        if auth is not None:
            return auth
        from qetch.auth import AuthRegistry

        return AuthRegistry().get(self.name)

    def authenticate(self, auth: tuple[str, ...] | None) -> None:
        """Prepares the session with credentials, before the first request of an extraction; does nothing by default."""
        del auth

    def merge(self, ordered_filepaths: Sequence[str]) -> str:
        """Makes one file out of the downloaded fragments: by default, one after the other.

        Args:
            ordered_filepaths: The files, in the order of `Content.fragments`. They may be changed.

        Returns:
            The path of the merged file, beside the first fragment.
        """
        from shutil import copyfileobj

        first, *rest = ordered_filepaths
        with open(first, "ab") as merged:  # noqa: PTH123 - the documented paths are texts
            for path in rest:
                with open(path, "rb") as fragment:  # noqa: PTH123
                    copyfileobj(fragment, merged, 1 << 20)
        return first


def best_first(contents: Sequence[Content]) -> list[Content]:
    """The contents by falling quality; those of the same quality stay in their order."""
    return sorted(contents, key=lambda content: -content.quality)
