"""Expands the files of a spec that are HLS playlists, so that a downloader sees nothing but fragments."""

from __future__ import annotations

import base64
import binascii
from collections import Counter
from dataclasses import replace
from typing import TYPE_CHECKING
from urllib.parse import unquote_to_bytes

from qetch.content import Segment
from qetch.engine import hls
from qetch.engine.contents import best_of_each_name, url_extension
from qetch.engine.fetching import Fetcher, Request
from qetch.engine.state import State
from qetch.errors import InvalidURL, QetchError, RemoteError, SpecError
from qetch.policy import target_of

if TYPE_CHECKING:
    from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence

    from qetch.engine.contents import Ranked, _Facts
    from qetch.session import Answer, Session

MAX_RENDITIONS = 50
KEY_BYTES = 16
SOUND_QUALITY = 0.0
"""Below everything that has a picture."""
PLAIN_EXTENSIONS = frozenset({"aac", "ac3", "ec3", "mp3", "mp4", "vtt"})
"""Of segments that are not what they usually are; the file has that of its first one."""
PLAYLIST_EXTENSIONS = frozenset({"m3u", "m3u8"})


class Expander:
    """Expands the playlists of one item.

    Args:
        fetcher: That of the run. Playlists and keys are fetched through its session, with its credentials where those
            belong, but from any public host, as files are.
    """

    def __init__(self, fetcher: Fetcher) -> None:
        self.reader = fetcher.reader
        self.run_state = fetcher.state
        self.session = fetcher.session
        self._own = self._fetcher(keep_rate=True)
        self._other = self._fetcher(keep_rate=False)
        self._keys: dict[str, bytes] = {}

    def _fetcher(self, *, keep_rate: bool) -> Fetcher:
        policy = self.session.policy
        session = self.session.child(replace(policy, anywhere=True, rate=policy.rate if keep_rate else None))
        session.credentials, session.cookies = self.session.credentials, self.session.cookies
        return Fetcher(session, State(self.run_state.say), self.reader)  # whose requests are counted for each item

    def expanded(self, files: Iterable[Ranked]) -> list[Ranked]:
        """The files, with what their playlists lead to in the place of these.

        What cannot be read is left out and said.

        Raises:
            QetchError: Nothing is left: the first reason.
        """
        found = self._first_or_said((fact.file.urls.where, self._file_reader(fact, quality)) for fact, quality in files)
        return best_of_each_name(found, self.reader)

    def _file_reader(self, fact: _Facts, quality: float) -> Callable[[], list[Ranked]]:
        if fact.file.playlist is None:
            return lambda: [(fact, quality)]
        return lambda: self._file(fact, quality)

    def _first_or_said(self, readers: Iterable[tuple[str, Callable[[], list[Ranked]]]]) -> list[Ranked]:
        found: list[Ranked] = []
        errors: list[tuple[str, QetchError]] = []
        for where, read in readers:
            try:
                found += read()
            except QetchError as error:
                errors.append((where, error))
        if errors and not found:
            raise errors[0][1]
        for where, reason in errors:
            self.reader.note(where, str(reason))
        return found

    def _file(self, fact: _Facts, quality: float) -> list[Ranked]:
        if len(fact.urls) != 1:
            raise SpecError(f"{fact.file.urls.where}: `playlist: hls` is about one URL, not {len(fact.urls)} fragments")
        self.run_state.count_request()
        playlist = self._playlist(fact.urls[0], fact)
        if isinstance(playlist, hls.Media):
            return [(self._of_segments(fact, playlist), quality)]
        renditions = self._best(playlist.renditions, fact)
        labels = _labels(renditions)
        found = self._first_or_said(
            (fact.file.urls.where, self._rendition_reader(fact, rendition.url, label, quality * share))
            for rendition, label, share in zip(renditions, labels, _shares(renditions), strict=True)
        )
        return found + self._sounds(playlist, fact, labels)

    def _rendition_reader(self, fact: _Facts, url: str, label: str, quality: float) -> Callable[[], list[Ranked]]:
        name = f"{fact.name}-{label}" if fact.name else label
        content = {**fact.content, "size": None, "checksums": {}}  # nobody knows of which of them these would be

        def read() -> list[Ranked]:
            playlist = self._playlist(url, fact)
            if isinstance(playlist, hls.Master):
                raise RemoteError(f"{hls.where(url)} is a playlist of playlists inside another one")
            segments = self._of_segments(replace(fact, name=name, content=content), playlist)
            return [(segments, round(quality, 4))]

        return read

    def _best(self, renditions: Sequence[hls.Rendition], fact: _Facts) -> Sequence[hls.Rendition]:
        if len(renditions) <= MAX_RENDITIONS:
            return renditions
        self._say(fact, f"there are {len(renditions)} renditions: the {MAX_RENDITIONS} with the most bits are taken")
        return sorted(renditions, key=lambda rendition: -(rendition.bandwidth or 0))[:MAX_RENDITIONS]

    def _sounds(self, playlist: hls.Master, fact: _Facts, taken: Iterable[str]) -> list[Ranked]:
        """The playlists of sound alone; one that fails does no harm to the picture."""
        labels = _unique((f"audio-{_slug(sound.name)}" for sound in playlist.sounds), taken)
        found: list[Ranked] = []
        names = []
        for sound, label in list(zip(playlist.sounds, labels, strict=True))[:MAX_RENDITIONS]:
            try:
                found += self._rendition_reader(fact, sound.url, label, SOUND_QUALITY)()
            except QetchError as error:
                self._say(fact, str(error))
            else:
                names.append(str(found[-1][0].name))
        if any(rendition.is_mute for rendition in playlist.renditions):
            where = f"that is in {', '.join(names)}" if names else "and its playlist cannot be read"
            self._say(fact, f"the video has no sound of its own: {where}")
        return found

    # --- one playlist

    def _playlist(self, url: str, fact: _Facts) -> hls.Master | hls.Media:
        answer = self._answer(url, fact)
        return hls.read(answer.text, answer.url)

    def _of_segments(self, fact: _Facts, playlist: hls.Media) -> _Facts:
        if playlist.gaps:
            self._say(fact, f"the site does not have {playlist.gaps} of the segments: they are missing in the file")
        segments = [Segment(piece.offset, piece.length, *self._key(piece, fact)) for piece in playlist.pieces]
        extension = fact.content["extension"]
        if fact.file.extension is None or extension in PLAYLIST_EXTENSIONS:
            extension = _extension(playlist)
        content = {**fact.content, "extension": extension, "segments": segments}
        return replace(fact, urls=[piece.url for piece in playlist.pieces], content=content)

    def _key(self, piece: hls.Piece, fact: _Facts) -> tuple[bytes, bytes] | tuple[None, None]:
        if piece.key is None:
            return None, None
        url = piece.key.url
        if url not in self._keys:
            key = _inline(url) if url.startswith("data:") else self._answer(url, fact).body
            if len(key) != KEY_BYTES:
                raise RemoteError(f"{hls.where(url)[:80]}: a key of {len(key)} bytes, where AES-128 has {KEY_BYTES}")
            self._keys[url] = key
        return self._keys[url], piece.key.iv or piece.number.to_bytes(KEY_BYTES, "big")

    def _answer(self, url: str, fact: _Facts) -> Answer:
        fetcher = self._own if _is_allowed(self.session, url) else self._other
        headers: Mapping[str, str] = fact.content["headers"]
        place = fetcher.get(Request("GET", url, "text", headers=dict(headers)), (), {}, None)
        if place.answer is None or place.answer.status != 200:
            raise RemoteError(f"{hls.where(url)}: the host answered without a playlist")
        return place.answer

    def _say(self, fact: _Facts, reason: str) -> None:
        self.reader.note(fact.file.urls.where, reason)


def _is_allowed(session: Session, url: str) -> bool:
    try:
        return replace(session.policy, anywhere=False).allows(target_of(url))
    except InvalidURL:
        return False  # the other session says what is wrong


def _inline(url: str) -> bytes:
    """What a `data:` URL holds."""
    head, _, data = url.partition(",")
    raw = unquote_to_bytes(data)
    try:
        return base64.b64decode(raw, validate=True) if head.lower().endswith(";base64") else raw
    except binascii.Error:
        return b""


def _extension(playlist: hls.Media) -> str:
    if playlist.has_init:
        return "mp4"
    found = {"m4a": "mp4", "m4s": "mp4", "m4v": "mp4", "webvtt": "vtt"}
    extension = url_extension(playlist.pieces[0].url) or ""
    extension = found.get(extension, extension)
    return extension if extension in PLAIN_EXTENSIONS else "ts"


def _shares(renditions: Sequence[hls.Rendition]) -> list[float]:
    """Of the file's own quality: k/n over n distinct bandwidths, those without one lowest."""
    keys = [rendition.bandwidth or 0 for rendition in renditions]
    distinct = sorted(set(keys))
    return [(distinct.index(key) + 1) / len(distinct) for key in keys]


def _labels(renditions: Sequence[hls.Rendition]) -> list[str]:
    """A name for each: by the height, where several have that also by the bandwidth, else by that alone."""
    heights = Counter(rendition.height for rendition in renditions)

    def label(rendition: hls.Rendition) -> str:
        height = f"{rendition.height}p" if rendition.height else ""
        bits = f"{rendition.bandwidth // 1000}k" if rendition.bandwidth else ""
        if height and (heights[rendition.height] == 1 or not bits):
            return height
        return f"{height}-{bits}" if height else bits or "unknown"

    return list(_unique(map(label, renditions)))


def _unique(labels: Iterable[str], taken: Iterable[str] = ()) -> Iterator[str]:
    """The labels, with a number behind each that was there before."""
    seen = set(taken)
    for label in labels:
        number, name = 1, label
        while name in seen:
            number += 1
            name = f"{label}-{number}"
        seen.add(name)
        yield name


def _slug(text: str) -> str:
    words = "".join(char if char.isascii() and char.isalnum() else " " for char in text.lower()).split()
    return "-".join(words)[:40] or "other"
