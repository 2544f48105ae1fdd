"""What extraction tells downloading, and all that it tells."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from collections.abc import Mapping, Sequence
    from datetime import datetime

    from furl import furl

    from qetch.extractors import BaseExtractor


class Content:
    """One file that can be downloaded, in one quality.

    Args:
        uid: Identifies the content, and differs between its qualities.
        source: The URL that was given to the extractor.
        fragments: The URLs whose bytes, one after the other, are the file. Most often just one.
        extractor: The extractor that found the content.
        extension: Of the resulting file, without a dot.
        title: As the site gives it, in plain text.
        description: As the site gives it, in plain text.
        quality: From 0.0 to 1.0, where 1.0 is the best that the site has of this content.
        uploaded_by: The uploader's name.
        uploaded_date: When it was uploaded; aware, in UTC, unless the site's zone is unknown.
        metadata: Whatever else the site says.
        size: In bytes, exact, if the site gives it.
        checksums: Hexadecimal digests by algorithm, such as `{"md5": "9e10…"}`.
        headers: Request headers that the files' host wants, such as `Referer`.
        playlist: `"hls"` if the fragments are those of a playlist.
        variant: The name of this quality at the site, such as `mp4Url`.
        gone: Regexes of final URLs that mean: the file was removed.
    """

    def __init__(
        self,
        uid: str,
        source: str | furl,
        fragments: Sequence[str],
        extractor: BaseExtractor,
        extension: str | None = None,
        title: str | None = None,
        description: str | None = None,
        quality: float = 0.0,
        uploaded_by: str | None = None,
        uploaded_date: datetime | None = None,
        metadata: dict[str, Any] | None = None,
        *,
        size: int | None = None,
        checksums: Mapping[str, str] | None = None,
        headers: Mapping[str, str] | None = None,
        playlist: str | None = None,
        variant: str | None = None,
        gone: Sequence[str] = (),
    ) -> None:
        self.uid = uid
        self._source = source
        self.fragments = list(fragments)
        self.extractor = extractor
        self.extension = extension
        self.title = title
        self.description = description
        self.quality = quality
        self.uploaded_by = uploaded_by
        self.uploaded_date = uploaded_date
        self.metadata = {} if metadata is None else metadata
        self.size = size
        self.checksums = dict(checksums or {})
        self.headers = dict(headers or {})
        self.playlist = playlist
        self.variant = variant
        self.gone = tuple(gone)

    def __repr__(self) -> str:
        return f'<Content ({self.quality}) "{self.uid}">'

    @property
    def source(self) -> furl:
        """The URL that was given to the extractor; `furl` is imported when this is read."""
        if isinstance(self._source, str):
            from furl import furl

            self._source = furl(self._source)
        return self._source

    def get_size(self) -> int:
        """The file's length in bytes: `size` if the site gave it, else the sum of the fragments' lengths.

        Asks each fragment's host, through the extractor's session, for one byte.

        Raises:
            RemoteError: A host does not say how long its fragment is.
            NetworkError: A host does not answer.
        """
        if self.size is not None:
            return self.size
        from qetch.session import content_length

        return sum(content_length(self.extractor.session, url, self.headers) for url in self.fragments)
