"""Every error that qetch raises on purpose.

One branch per person who must act; the leaves say what happened::

    QetchError
    ├── SpecError                the spec's author: the YAML must change
    │   └── HostRefused          a request to a host that the spec does not declare
    ├── UserError                the user: another URL or path, an account, a setting
    │   ├── InvalidURL           not a URL that qetch can read
    │   ├── UnsupportedURL       no site claims it, and it is not a file
    │   ├── AuthenticationError  login_required: credentials are missing or refused
    │   ├── Forbidden            forbidden
    │   ├── NotFound             not_found
    │   ├── Gone                 gone
    │   ├── GeoBlocked           geo_blocked
    │   ├── Empty                empty: the place is there, and holds nothing
    │   ├── SiteClosed           the site's spec says that the site is dead
    │   ├── InvalidSetting       a setting that makes no sense
    │   ├── AddressRefused       a private address that the user did not allow
    │   └── LimitReached         one of qetch's own bounds
    ├── SiteError                the site: wait, or try later
    │   ├── RateLimited          rate_limited
    │   ├── RemoteError          remote: the site failed, or answered something else
    │   └── BadFile              a file is not what was promised (size, checksum, kind)
    ├── LayoutChanged            the site changed, so the spec no longer fits it
    └── MachineError             this machine
        ├── NetworkError         no connection, no name, no time left, bad TLS
        ├── FileError            disk full, no permission, no such folder
        └── ReplayMiss           --replay: no cassette holds the answer

A bug in qetch itself is none of these: it keeps its traceback.
"""

from __future__ import annotations

from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from collections.abc import Sequence

    from qetch.spec.problems import Problem


class QetchError(Exception):
    """The root. `exit_code` is what the command line returns for it, `status` the HTTP status that a download got."""

    exit_code = 1
    status: int | None = None


class SpecError(QetchError):
    """A site's YAML is wrong. `problems` lists every one, with file:line:col."""

    exit_code = 3

    def __init__(self, message: str = "", problems: Sequence[Problem] = ()) -> None:
        self.problems = tuple(problems)
        super().__init__(message or "\n".join(map(str, self.problems)))


class HostRefused(SpecError):
    """A request left the hosts that the spec declares."""


class UserError(QetchError):
    """The user can act: another URL or path, an account, a setting."""

    exit_code = 4


class InvalidURL(UserError, ValueError):
    """Not a URL that qetch can read."""


class UnsupportedURL(UserError):
    """No site claims the URL, and it is not the URL of a file."""


class AuthenticationError(UserError):
    """Credentials are missing, or the site refused them."""


class Forbidden(UserError):
    """The site does not show this to this user."""


class NotFound(UserError):
    """There is no such item."""


class Gone(UserError):
    """There was such an item; the site removed it."""


class GeoBlocked(UserError):
    """The site does not show this in this country."""


class Empty(UserError):
    """The place is there, and holds nothing."""


class SiteClosed(UserError):
    """The site is dead; its spec's note says since when."""


class InvalidSetting(UserError, ValueError):
    """A setting whose value makes no sense."""


class AddressRefused(UserError):
    """A host name led to a private address, and the user did not allow that."""


class LimitReached(UserError):
    """One of qetch's own bounds: requests, rows, depth."""


class SiteError(QetchError):
    """The site must recover: wait, or try later."""

    exit_code = 5


class RateLimited(SiteError):
    """Too many requests. `wait` is how many seconds the site asks for, if it does."""

    def __init__(self, message: str, wait: float | None = None) -> None:
        self.wait = wait
        super().__init__(message)


class RemoteError(SiteError):
    """The site failed, or sent something else than what it declares.

    `passing` says that the site may be well again soon, and `wait` how many seconds it asks for, if it does.
    """

    def __init__(self, message: str = "", *, passing: bool = False, wait: float | None = None) -> None:
        self.passing = passing
        self.wait = wait
        super().__init__(message)


class BadFile(SiteError):
    """A downloaded file is not what was promised: size, checksum or kind."""


class LayoutChanged(QetchError):
    """The site changed, so that its spec finds nothing where there was something."""

    exit_code = 6


class MachineError(QetchError):
    """This machine: network or disk."""

    exit_code = 7


class NetworkError(MachineError):
    """No connection, no such host, no time left, or bad TLS."""


class FileError(MachineError):
    """A file could not be read or written."""


class ReplayMiss(MachineError):
    """`--replay` was asked for an answer that no cassette holds."""


OUTCOMES: dict[str, type[QetchError]] = {
    "not_found": NotFound,
    "login_required": AuthenticationError,
    "forbidden": Forbidden,
    "rate_limited": RateLimited,
    "geo_blocked": GeoBlocked,
    "gone": Gone,
    "empty": Empty,
    "remote": RemoteError,
}
"""What `raise` in a spec may name, and the error that it becomes."""

STATUS_OUTCOMES: dict[int, str] = {
    401: "login_required",
    403: "forbidden",
    404: "not_found",
    410: "gone",
    429: "rate_limited",
    451: "geo_blocked",
}
"""The outcome of an HTTP status that no rule of the spec claimed; other 4xx and 5xx are `remote`."""
