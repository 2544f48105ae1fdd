"""What `requests` and urllib3 raise, as errors of qetch."""

from __future__ import annotations

import http.client
from contextlib import contextmanager
from typing import TYPE_CHECKING

import urllib3.exceptions as wire
from requests import exceptions as failures

from qetch.errors import AuthenticationError, FileError, NetworkError, QetchError, RemoteError

if TYPE_CHECKING:
    from collections.abc import Iterator

MAX_REDIRECTS = 10


class LoginWanted(failures.ProxyError):
    """The proxy wants a user name and password, or others."""


class TunnelRefused(failures.ProxyError):
    """The proxy answers, but does not connect to the host."""


@contextmanager
def translated(url: str) -> Iterator[None]:
    """Turns what `requests` and urllib3 raise within it into errors of qetch; `url` is how messages show it.

    Their own texts are dropped: they may hold a URL with its credentials.
    """
    try:
        yield
    except (failures.RequestException, wire.HTTPError) as error:
        raise _translation(error, url) from None
    except OSError as error:
        if error.errno is not None:
            raise NetworkError(f"{url}: the connection failed: {error.strerror} - try again later") from None
        # Only the check for certificates raises without a number.
        raise FileError(f"{url}: a file of certificates is missing - see REQUESTS_CA_BUNDLE") from None


def _translation(error: Exception, url: str) -> QetchError:
    rows = [*OF_PROXIES, *TRANSLATIONS] if isinstance(error, failures.ProxyError) else TRANSLATIONS
    for kinds, result, message in rows:
        if any(isinstance(cause, kinds) for cause in _causes(error)):
            return result(f"{url}: {message}")
    return NetworkError(f"{url}: the connection failed - try again later")


def _causes(error: BaseException) -> Iterator[BaseException]:
    """An error and the errors that it wraps; `requests` and urllib3 keep those in `args` and `reason`."""
    waiting: list[object] = [error]
    while waiting:
        cause = waiting.pop(0)
        if isinstance(cause, BaseException):
            yield cause
            waiting += [*cause.args, getattr(cause, "reason", None)]


Rows = tuple[tuple[tuple[type[BaseException], ...], type[QetchError], str], ...]

OF_PROXIES: Rows = (
    (
        (LoginWanted,),
        AuthenticationError,
        "the proxy wants a user name and password, or others than it got (407) - see --proxy, or the environment",
    ),
    (
        (TunnelRefused,),
        NetworkError,
        "the proxy does not connect to this host - it may not reach it, or not be allowed to",
    ),
    (
        (wire.SSLError,),
        NetworkError,
        "the proxy's identity could not be verified (TLS) - see --cacert, or give its URL with http:// if it has none",
    ),
    (
        (wire.ReadTimeoutError,),
        NetworkError,
        "no answer came through the proxy in time - try again later, or see --proxy",
    ),
)
TRANSLATIONS: Rows = (
    (
        (failures.TooManyRedirects,),
        RemoteError,
        f"more than {MAX_REDIRECTS} redirects, most likely in a circle",
    ),
    (
        (
            failures.ProxyError,
            failures.InvalidProxyURL,
            failures.InvalidSchema,
            wire.ProxyError,
            wire.ProxySchemeUnknown,
        ),
        NetworkError,
        "the proxy cannot be used - see --proxy, or HTTP_PROXY, HTTPS_PROXY and ALL_PROXY in the environment",
    ),
    (
        (failures.SSLError, wire.SSLError),
        NetworkError,
        "the host's identity could not be verified (TLS) - check this machine's clock and certificates",
    ),
    (
        (wire.NameResolutionError,),
        NetworkError,
        "there is no such host, or no name server answers",
    ),
    (
        (failures.ConnectTimeout, wire.ConnectTimeoutError, ConnectionRefusedError),
        NetworkError,
        "the host does not accept a connection - try again later",
    ),
    (
        (failures.Timeout, wire.ReadTimeoutError, TimeoutError),
        NetworkError,
        "the host did not answer in time - try again later",
    ),
    (
        (http.client.RemoteDisconnected, ConnectionError, http.client.IncompleteRead),
        NetworkError,
        "the host closed the connection before its answer was complete - try again later",
    ),
    (
        (http.client.HTTPException, failures.InvalidHeader, wire.InvalidHeader, wire.DecodeError),
        RemoteError,
        "the answer is not proper HTTP",
    ),
)
"""From the first that fits: what was raised or wrapped, the error it becomes, and what the message says."""
