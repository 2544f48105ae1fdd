"""Certificates and keys, which are given as files or as texts, as the files that `requests` wants."""

from __future__ import annotations

import contextlib
import os
import ssl
import tempfile
import weakref
from pathlib import Path
from typing import TYPE_CHECKING

from qetch.errors import FileError, InvalidSetting

if TYPE_CHECKING:
    from collections.abc import Iterator

    from qetch.downloaders.settings import Settings

PAIRS = {"ca_file": "ca_data", "client_cert": "client_cert_data", "client_key": "client_key_data"}
"""By the setting with a path, that with the same as a text; only one of both may be given."""


class PrivateFile(str):
    """The path of a file that only this user can read, and that is gone as soon as nobody holds this path.

    The sessions and connections that may still need the file hold this very object.
    """

    __slots__ = ("__weakref__",)

    def __deepcopy__(self, _: object) -> PrivateFile:
        """Itself, for there is one file."""
        return self


def _in_file(text: str) -> PrivateFile:
    try:
        descriptor, path = tempfile.mkstemp(prefix="qetch-", suffix=".pem")
        with os.fdopen(descriptor, "wb") as file:
            file.write(text.encode(errors="replace"))
    except OSError as error:
        raise FileError(f"no private file can be made for a certificate or key: {error.strerror}") from None
    made = PrivateFile(path)
    weakref.finalize(made, _remove, Path(path), os.getpid())
    return made


def _remove(path: Path, owner: int) -> None:
    if os.getpid() == owner:  # and not in a child, whose parent goes on
        path.unlink(missing_ok=True)


def paths_of(settings: Settings) -> dict[str, str]:
    """The paths of the certificates and keys that are given, by the names in `PAIRS`; each was read once.

    Raises:
        InvalidSetting: They contradict each other, or a text holds something else.
        FileError: A file cannot be read, or holds something else.
    """
    given: dict[str, str] = {}
    for name, other in PAIRS.items():
        path, text = getattr(settings, name), getattr(settings, other)
        if path is not None and text is not None:
            raise InvalidSetting(f"{name} and {other} are both given - drop one of them")
        if path is not None:
            given[name] = os.fsdecode(path)
        if text is not None:
            given[name] = _in_file(_pem(other, text))
    _refuse_contradictions(settings, given)
    _load(given)
    return given


def _pem(name: str, text: object) -> str:
    if not isinstance(text, str) or "-----BEGIN " not in text:
        raise InvalidSetting(f"{name} must be the text of a PEM file, which has a line -----BEGIN …-----")
    return text


def _refuse_contradictions(settings: Settings, given: dict[str, str]) -> None:
    if "client_key" in given and "client_cert" not in given:
        raise InvalidSetting("client_key is given without client_cert")
    if "ca_file" in given and not settings.verify:
        raise InvalidSetting("ca_file says whom to trust, verify=False to trust everybody - drop one of them")


def _load(given: dict[str, str]) -> None:
    if not given:
        return
    context = ssl.SSLContext(ssl.PROTOCOL_TLS_CLIENT)
    if "ca_file" in given:
        with _readable("ca_file", given):
            context.load_verify_locations(cafile=given["ca_file"])
    if "client_cert" in given:
        with _readable("client_cert", given):
            context.load_cert_chain(given["client_cert"], given.get("client_key"), password="")


@contextlib.contextmanager
def _readable(name: str, given: dict[str, str]) -> Iterator[None]:
    """Tells what goes wrong with a file or text of certificates."""
    try:
        yield
    except OSError as error:  # an SSLError is one, whose text is for experts
        bad = "not the certificates (with their key) that are needed - give a PEM file, its key without a password"
        reason = bad if isinstance(error, ssl.SSLError) else f"cannot be read: {error.strerror}"
        if isinstance(given[name], PrivateFile):
            raise InvalidSetting(f"{PAIRS[name]}: {reason}") from None
        raise FileError(f"{given[name] or 'an empty path'}: {reason}") from None
