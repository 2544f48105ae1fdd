"""Drop in a URL, get the content.

extractor = qetch.get_extractor(url, init=True)
content = next(extractor.extract(url))[0]
downloader = qetch.get_downloader(content, init=True)
downloader.download(content, "file.mp4")
"""

from __future__ import annotations

TYPE_CHECKING = False  # type checkers know better; `import typing` would take as long as the rest of `--version`
if TYPE_CHECKING:
    from typing import Any, Literal

    from qetch.content import Content
    from qetch.downloaders import BaseDownloader
    from qetch.extractors import BaseExtractor

if not TYPE_CHECKING:

    def overload(function: object) -> object:
        """What `typing.overload` does at run time: nothing that matters here."""
        return function

else:
    from typing import overload

__all__ = ["get_downloader", "get_extractor"]
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
