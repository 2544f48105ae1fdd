"""Which path a file gets, and which of two that want the same one."""

from __future__ import annotations

import os
import re
import threading
import unicodedata
from functools import lru_cache
from hashlib import sha256
from pathlib import Path, PurePath
from typing import TYPE_CHECKING
from urllib.parse import unquote, urlsplit

from qetch.client.request import shown
from qetch.downloaders._part import refuse_part
from qetch.downloaders._verify import shown as shown_url
from qetch.errors import FileError, InvalidSetting, InvalidURL
from qetch.filenames import PLAIN, file_name, plain_name, safe_name

if TYPE_CHECKING:
    from collections.abc import Callable

    from qetch.content import Content

    MapPath = Callable[[str], str | os.PathLike[str]]

MAX_SEGMENTS = 32
PLAIN_URL = re.compile(
    r"https?://([a-z0-9-]+(?:\.[a-z0-9-]+)*(?::(?:[1-9][0-9]{0,3}|[1-5][0-9]{4}))?)"
    rf"((?:/(?:{PLAIN.pattern})){{1,{MAX_SEGMENTS}}})"
)
"""URLs whose path is safe as it is, as it mostly is."""


def url_path(url: str) -> str:
    """The relative path for the file at a URL: its host, and the segments of its path, each as a safe name.

    What follows a `?` becomes a short hash in the file's name, so that two pages of one program do not meet in one
    file; a URL that ends with a slash gets the name `index`.

    >>> url_path("https://files.example/2024/a%20walk.jpg")
    'files.example/2024/a walk.jpg'
    >>> url_path("https://files.example/view.php?id=7")
    'files.example/view-f422c82d.php'

    Raises:
        InvalidURL: It has no host.
    """
    plain = PLAIN_URL.fullmatch(url)
    if plain:
        return f"{_host_name(plain[1].replace(':', '_'))}{plain[2]}"
    try:
        parts = urlsplit(url)
        host, port = (parts.hostname or "").rstrip("."), parts.port
    except ValueError:
        host, port = "", None
    if not host:
        raise InvalidURL(f"{url!r:.200}: not a URL with a host")
    *folders, name = parts.path.lstrip("/").split("/")
    if parts.query:
        stem, dot, suffix = (name or "index").rpartition(".")
        digest = sha256(parts.query.encode("utf-8", "surrogatepass")).hexdigest()[:8]
        name = f"{stem}-{digest}.{suffix}" if dot and stem else f"{suffix}-{digest}"
    inner = [safe_name(unquote(segment)) for segment in (*filter(None, folders[:MAX_SEGMENTS]), name or "index")]
    return "/".join([_host_name(f"{host}_{port}" if port else host), *inner])


_host_name = lru_cache(1024)(safe_name)


class Targets:
    """The paths of the files of one batch.

    Args:
        folder: The folder of all that have no path of their own.
        map_path: Gives the relative path for a URL.

    Attributes:
        map: That.
    """

    def __init__(self, folder: str | os.PathLike[str], map_path: MapPath = url_path) -> None:
        name = os.fsdecode(folder)
        self._folder = "" if name in ("", ".") else f"{name}/"
        self.map = map_path
        self._made: set[str] = set()
        self._real: dict[str, str] = {}
        self._owners: dict[bytes, str] = {}
        self._whole: set[bytes] = set()
        self._lock = threading.Lock()

    def of_url(self, url: str) -> str:
        """The path for the file at a URL; its folder is there then.

        Raises:
            InvalidSetting: What the mapping gives is no relative path, or leaves the folder.
            FileError: The folder cannot be made.
        """
        relative = self.map(url)
        if self.map is not url_path:
            relative = self._checked(relative)
        return self._made_for(f"{self._folder}{relative}")

    def _checked(self, found: object) -> str:
        """The path that somebody's mapping gives, in its plainest form."""
        name = getattr(self.map, "__qualname__", type(self.map).__qualname__)
        if not isinstance(found, (str, os.PathLike)):
            raise InvalidSetting(f"{name} gave {shown(found)}, where a relative path is wanted")
        path = PurePath(os.fsdecode(found))
        if path.is_absolute() or path.drive or ".." in path.parts or not path.name:
            raise InvalidSetting(f"{name} gave {str(path)!r}, where a path inside the folder is wanted")
        return str(path)

    def reserve(self, content: Content) -> bool:
        """Gives a file by its own URL the name that it has there, unless another one has it; whether it has it then."""
        return self._owner(self._key(f"{self._folder}{plain_name(content)}"), content.uid) == content.uid

    def of_content(self, content: Content) -> str:
        """The path for a content: named by its title and uid; a file by its own URL is named as there, if it can.

        Raises:
            FileError: The folder cannot be made.
        """
        if content.extractor is not None and content.extractor.name == "generic" and self.reserve(content):
            return self._made_for(f"{self._folder}{plain_name(content)}")
        return self._made_for(f"{self._folder}{file_name(content)}")

    def claim(self, path: str, owner: str) -> bytes:
        """Notes whose a path is, and gives what stands for it; two that want the same file have the same owner.

        Raises:
            FileError: It is another one's already, or called like the part file of one.
        """
        refuse_part(path)
        key = self._key(path)
        first = self._owner(key, owner)
        if first != owner:
            raise FileError(f"{path} is the file of {shown_url(first)} already - give one of them another path")
        return key

    def complete(self, key: bytes) -> None:
        """Notes that a claimed path has its file."""
        with self._lock:
            self._whole.add(key)

    def is_complete(self, key: bytes) -> bool:
        """Whether a claimed path has its file, by this batch."""
        with self._lock:
            return key in self._whole

    def _owner(self, key: bytes, owner: str) -> str:
        with self._lock:
            return self._owners.setdefault(key, owner)

    def _made_for(self, path: str) -> str:
        folder = os.path.dirname(path)  # noqa: PTH120
        if folder and folder not in self._made:
            try:
                Path(folder).mkdir(parents=True, exist_ok=True)
            except (OSError, ValueError) as error:  # the latter for a path that none can have
                reason = getattr(error, "strerror", None) or error
                raise FileError(
                    f"cannot make the folder {folder!r}: {reason} - give another one, or make it by hand"
                ) from error
            self._made.add(folder)
        return path

    def _key(self, path: str) -> bytes:
        """Stands for a path, in few bytes: there may be a million. Some disks know no case, and some no accents apart.

        Two ways into one folder are one.
        """
        folder, name = os.path.split(path)
        if folder not in self._real:
            try:
                self._real[folder] = os.path.realpath(folder)
            except ValueError:  # a path that none can have: that is said when it is written
                self._real[folder] = folder
        plain = f"{self._real[folder]}/{name}"
        plain = plain if plain.isascii() else unicodedata.normalize("NFC", plain)
        return sha256(plain.casefold().encode("utf-8", "surrogatepass")).digest()[:12]
