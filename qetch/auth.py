"""Credentials: their kinds, the registry that holds them while a program runs, and the file that keeps them."""

from __future__ import annotations

import os
import stat
from enum import Enum
from typing import TYPE_CHECKING, Any, ClassVar, Self

from qetch.errors import FileError

if TYPE_CHECKING:
    from collections.abc import Iterable, Mapping
    from pathlib import Path


def load_saved(registry: AuthRegistry | None = None) -> AuthRegistry:
    """Put the saved credentials into the registry; what the program put there itself stays.

    Raises:
        FileError: The file is unreadable, is no credentials file, or others may read it.
    """
    registry = AuthRegistry() if registry is None else registry
    for key, credential in saved().items():
        if isinstance(registry.get(key, credential), SavedCredential):
            registry[key] = credential
    return registry


def saved() -> dict[str, SavedCredential]:
    """Every saved credential by its key (a site's name, or an instance's host); empty without a file.

    Raises:
        FileError: As `load_saved`.
    """
    file = auth_file()
    raw = _read_private(file)
    if raw is None:
        return {}
    import json

    try:
        data = json.loads(raw)
        return {key: _from_json(entry) for key, entry in data.items()}
    except (ValueError, AttributeError, KeyError, TypeError, RecursionError):
        # Nothing of the cause may be shown or chained: it quotes the file.
        raise FileError(
            f"{file}: not a file of saved credentials - move it away, and add them again with `qetch auth add`"
        ) from None


def save(key: str, values: Iterable[str], owner: str, site: str) -> None:
    """Save the credential of `key`, in place of an older one.

    Args:
        key: The site's name, or an instance's host.
        values: In the order of the site's `AuthTypes`.
        owner: Whose specs may use it: `"package"`, or the real path of a folder of sites.
        site: The name of the spec that may use it.

    Raises:
        FileError: The file cannot be read or written.
    """
    _write({**saved(), key: SavedCredential(values, owner, site)})


def forget(key: str) -> bool:
    """Remove the saved credential of `key`; False if there was none.

    Raises:
        FileError: The file cannot be read or written.
    """
    credentials = saved()
    found = credentials.pop(key, None) is not None
    if found:
        _write(credentials)
    return found


def auth_file() -> Path:
    """Where credentials are saved."""
    from qetch.paths import config_dir

    return config_dir() / "auth.json"


def owner_of(spec: Path | None) -> str:
    """Whose the credentials of a spec's file are: "package", or the real path of its folder."""
    from qetch.paths import package_sites

    folder = spec.resolve().parent if spec else None
    return "package" if folder == package_sites().resolve() else str(folder)


def _from_json(entry: Mapping[str, Any]) -> SavedCredential:
    values, owner, site = entry["values"], entry["owner"], entry["site"]
    if not isinstance(values, list) or not all(isinstance(text, str) for text in (*values, owner, site)):
        raise TypeError
    return SavedCredential(values, owner, site)


def _read_private(file: Path) -> bytes | None:
    """The bytes of a file that nobody but its owner may read; None if there is none."""
    try:
        with file.open("rb") as opened:
            mode = os.fstat(opened.fileno()).st_mode
            if os.name == "posix" and stat.S_IMODE(mode) & 0o077:
                raise FileError(f"{file}: others may read the saved credentials - run: chmod 600 '{file}'")
            return opened.read()
    except FileNotFoundError:
        return None
    except OSError as error:
        raise FileError(f"{file}: cannot be read: {error.strerror}") from None


def _write(credentials: Mapping[str, SavedCredential]) -> None:
    """Replace the file whole; it is private from its first byte on."""
    import json
    import tempfile
    from pathlib import Path

    data = {
        key: {"values": list(credential), "owner": credential.owner, "site": credential.site}
        for key, credential in sorted(credentials.items())
    }
    file = auth_file().resolve()  # a link to a file elsewhere stays a link
    try:
        file.parent.mkdir(mode=0o700, parents=True, exist_ok=True)
        handle, name = tempfile.mkstemp(prefix=".auth-", dir=file.parent)  # made with mode 0600
        try:
            with os.fdopen(handle, "w", encoding="utf-8") as opened:
                json.dump(data, opened, indent=2)
                opened.write("\n")
            Path(name).replace(file)
        finally:
            Path(name).unlink(missing_ok=True)
    except OSError as error:
        raise FileError(f"{file}: cannot be written: {error.strerror}") from None


class AuthTypes(Enum):
    """What a site asks for before it answers. A member equals its tuple of words; `NONE` equals None, and is as false.

    >>> AuthTypes.OAUTH == ("KEY", "SECRET")
    True
    """

    NONE = None
    BASIC = ("USERNAME", "PASSWORD")
    OAUTH = ("KEY", "SECRET")
    OAuth = OAUTH
    KEY = ("KEY",)
    COOKIES = ("COOKIES",)

    def __eq__(self, other: object) -> bool:
        return self is other or bool(self.value == other)

    def __hash__(self) -> int:
        return hash(self.value)

    def __bool__(self) -> bool:
        return self.value is not None


class AuthRegistry(dict[str, Any]):
    """Credentials by a site's name, or by an instance's host; every instance is the same one.

    >>> AuthRegistry()["site"] = ("KEY", "SECRET")
    >>> AuthRegistry()["site"]
    ('KEY', 'SECRET')
    """

    _instances: ClassVar[dict[type, Any]] = {}

    def __new__(cls, *_args: Any, **_kwargs: Any) -> Self:
        """The one instance of this class; `__init__` then adds what is given."""
        if cls not in cls._instances:
            cls._instances.setdefault(cls, super().__new__(cls))  # of two threads, one wins
        instance: Self = cls._instances[cls]
        return instance

    def __repr__(self) -> str:
        entries = ", ".join(f"{key!r}: ***" for key in self)
        return f"{type(self).__name__}({{{entries}}})"


class SavedCredential(tuple[str, ...]):
    """A credential from the file: its values, and the one spec that may have them. Its repr shows no secret."""

    owner: str
    site: str

    def __new__(cls, values: Iterable[str], owner: str, site: str) -> Self:
        """Values, then as `save`."""
        self = super().__new__(cls, values)
        self.owner, self.site = owner, site
        return self

    def __getnewargs__(self) -> tuple[Any, ...]:
        return tuple(self), self.owner, self.site

    def __repr__(self) -> str:
        return f"<SavedCredential ({len(self)} values) of {self.site!r}>"
