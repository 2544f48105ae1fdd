"""What extraction tells downloading, and all that it tells."""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from collections.abc import Mapping, Sequence
    from datetime import datetime

    from furl import furl

    from qetch.extractors import BaseExtractor


@dataclass(frozen=True, slots=True)
class Segment:
    """What is to know about one fragment of a playlist, beside its URL.

    Attributes:
        offset: The position of its first byte in what the URL gives.
        length: How many bytes it has there; None for all of them.
        key: 16 bytes, if it is encrypted with AES-128 in CBC mode.
        iv: The 16 bytes that go with the key.
    """

    offset: int = 0
    length: int | None = None
    key: bytes | None = field(default=None, repr=False)
    iv: bytes | None = field(default=None, repr=False)


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
        playlist: `"hls"` if the fragments are those of a playlist; without `segments`, the one URL is the playlist's.
        segments: Of the fragments of a playlist, one for each.
        variant: The name of this quality at the site, such as `mp4Url`.
        gone: Regexes of final URLs that mean: the file was removed.

    Raises:
        ValueError: There are segments, but not as many as fragments.
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
        segments: Sequence[Segment] = (),
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
        self.segments = tuple(segments)
        if self.segments and len(self.segments) != len(self.fragments):
            raise ValueError(f"{uid}: there are {len(self.segments)} segments for {len(self.fragments)} fragments")
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

    @property
    def source_url(self) -> str:
        """The same as it was given."""
        return str(self._source)

    def get_size(self) -> int:
        """The file's length in bytes: `size` if the site gave it, else the sum of the fragments' lengths.

        Asks the host of each fragment whose length the playlist does not say, through the extractor's session, for one
        byte.

        Raises:
            RemoteError: A host does not say how long its fragment is, or it is encrypted, so that nobody knows.
            NetworkError: A host does not answer.
        """
        if self.size is not None:
            return self.size
        from qetch.errors import RemoteError
        from qetch.session import content_length

        if any(segment.key for segment in self.segments):
            raise RemoteError(f"{self.uid}: the fragments are encrypted: their length shows when they are downloaded")
        lengths = [segment.length for segment in self.segments] or [None] * len(self.fragments)
        return sum(
            content_length(self.extractor.session, url, self.headers) if length is None else length
            for url, length in zip(self.fragments, lengths, strict=True)
        )
