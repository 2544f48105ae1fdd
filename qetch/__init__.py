"""Drop in a URL, get the content.

qetch.fetch(url, "pictures")

or step by step:

extractor = qetch.get_extractor(url, init=True)
content = next(extractor.extract(url))[0]
downloader = qetch.get_downloader(content, init=True)
downloader.download(content, "file.mp4")
"""

from __future__ import annotations

TYPE_CHECKING = False  # type checkers know better; `import typing` would take as long as the rest of `--version`
if TYPE_CHECKING:
    from collections.abc import Iterable, Iterator
    from os import PathLike
    from typing import IO, Any, Literal

    from qetch.client import (
        BackOff,
        Client,
        DownloadEventListener,
        DownloadReport,
        DownloadRequest,
        Lenient,
        ReportState,
        RequestStrategy,
    )
    from qetch.content import Content
    from qetch.downloaders import BaseDownloader
    from qetch.downloaders.settings import Settings
    from qetch.extractors import BaseExtractor
    from qetch.history import History

if not TYPE_CHECKING:

    def overload(function: object) -> object:
        """What `typing.overload` does at run time: nothing that matters here."""
        return function

else:
    from typing import overload

__all__ = [
    "BackOff",
    "Client",
    "DownloadEventListener",
    "DownloadReport",
    "DownloadRequest",
    "History",
    "Lenient",
    "ReportState",
    "RequestStrategy",
    "Settings",
    "download",
    "extract",
    "fetch",
    "get_downloader",
    "get_extractor",
]
__version__ = "0.1.0"


@overload
def get_extractor(url: str, init: Literal[False] = False) -> type[BaseExtractor]: ...
@overload
def get_extractor(url: str, init: Literal[True], *args: Any, **kwargs: Any) -> BaseExtractor: ...
def get_extractor(url: str, init: bool = False, *args: Any, **kwargs: Any) -> type[BaseExtractor] | BaseExtractor:
    """The extractor that can handle a URL: its class, or with `init` an instance made with `args` and `kwargs`.

    Raises:
        InvalidURL: It is not an http or https URL.
        UnsupportedURL: No site claims it, and it is not the URL of a file.
        SiteClosed: It belongs to a dead site, and no handle of its spec claims it.
    """
    from qetch.extractors import find_extractor

    extractor = find_extractor(url)
    return extractor(*args, **kwargs) if init else extractor


@overload
def get_downloader(content: Content, init: Literal[False] = False) -> type[BaseDownloader]: ...
@overload
def get_downloader(content: Content, init: Literal[True], *args: Any, **kwargs: Any) -> BaseDownloader: ...
def get_downloader(
    content: Content, init: bool = False, *args: Any, **kwargs: Any
) -> type[BaseDownloader] | BaseDownloader:
    """The first downloader that can handle a content: its class, or with `init` an instance.

    Raises:
        UnsupportedURL: No downloader can handle it.
    """
    from qetch.downloaders import find_downloader

    downloader = find_downloader(content)
    return downloader(*args, **kwargs) if init else downloader


def extract(url: str) -> Iterator[list[Content]]:
    """The lists of contents at a URL, lazily; each list is one item in all its qualities, the best first.

    Raises:
        QetchError: See `BaseExtractor.extract`.
    """
    return _default_client().extract(url)


def download(wanted: Content | DownloadRequest | str, to: str | PathLike[str] | IO[bytes]) -> DownloadReport:
    """Downloads one file: a content, or what is at the URL of a file.

    Args:
        wanted: A content, a request, or the URL of the file.
        to: A path whose folder must exist, and where no file is yet; or an open file object, which is not closed.

    Raises:
        QetchError: See `BaseDownloader.download`.
    """
    return _default_client().download(wanted, to)


def fetch(urls: str | Iterable[str], folder: str | PathLike[str] = ".") -> list[DownloadReport]:
    """Downloads the best of everything at one or many URLs, and returns when that is done.

    Args:
        urls: Pages of sites that qetch knows, or files.
        folder: For the files; made if it is missing.

    Returns:
        A report for each file, and for each URL that failed or holds nothing. See `Client.fetch` for reports as they
        complete.
    """
    return _default_client().fetch(urls, folder).wait()


_clients: list[Client] = []


def _default_client() -> Client:
    """The client of the functions here, made when the first one needs it."""
    if not _clients:
        from qetch.client import Client

        _clients.append(Client())
    return _clients[0]


def __getattr__(name: str) -> Any:
    """Imports a class when it is asked for: `import qetch` alone takes no time."""
    if name == "client":  # so that `qetch.client.url_path` needs no import of its own
        from importlib import import_module

        return import_module("qetch.client")
    if name not in __all__:
        raise AttributeError(f"module {__name__!r} has no attribute {name!r}")
    from importlib import import_module

    home = {"History": "qetch.history", "Settings": "qetch.downloaders.settings"}.get(name, "qetch.client")
    return getattr(import_module(home), name)


def __dir__() -> list[str]:
    return sorted({*globals(), *__all__})
