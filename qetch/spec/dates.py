"""Dates as sites write them: `unix`, `ms`, `iso`, or strptime codes."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta, tzinfo
from functools import lru_cache

EPOCH = datetime(1970, 1, 1, tzinfo=UTC)


@lru_cache(maxsize=256)
def check_format(text: str) -> str | None:
    """What is wrong with a date format, or None."""
    if text in ("unix", "ms", "iso"):
        return None
    if "%" not in text:
        return "neither unix, ms, iso nor strptime codes such as %d %B %Y"
    try:
        datetime.strptime("", text)
    except ValueError as error:
        message = str(error)
        return None if "does not match" in message or "unconverted" in message else message
    except (IndexError, KeyError):
        return "not strptime codes"
    return None


@lru_cache(maxsize=256)
def zone(name: str) -> tzinfo:
    """A time zone by its IANA name.

    Raises:
        ValueError: There is none of that name.
    """
    if name == "UTC":
        return UTC
    from zoneinfo import ZoneInfo

    try:
        return ZoneInfo(name)
    except (KeyError, OSError, ValueError):
        raise ValueError(f"unknown time zone {name!r}") from None


def check_zone(name: str) -> str | None:
    """What is wrong with the name of a time zone, or None."""
    try:
        zone(name)
    except ValueError as error:
        return str(error)
    return None


def from_unix(seconds: float) -> datetime:
    """Unix seconds as an aware date.

    Raises:
        ValueError: Outside the years 1 to 9999.
    """
    try:
        return EPOCH + timedelta(seconds=seconds)
    except (OverflowError, ValueError):
        raise ValueError(f"{seconds!r} is no time in Unix seconds") from None


def read(value: str | float, formats: tuple[str, ...], zone_name: str) -> datetime:
    """The date that a text or number means in the first format that fits, aware, in UTC.

    Args:
        value: What the site gave.
        formats: `unix`, `ms`, `iso` or strptime codes, tried in order.
        zone_name: The time zone of a date that does not name its own.

    Raises:
        ValueError: None of them fits.
    """
    for text in formats:
        try:
            date = _read_one(value, text)
            if date.tzinfo is None:
                date = date.replace(tzinfo=zone(zone_name))
            return date.astimezone(UTC)
        except (ValueError, OverflowError):
            continue
    raise ValueError(f"{value!r} is no date of the form {' or '.join(formats)}")


def _read_one(value: str | float, text: str) -> datetime:
    if text in ("unix", "ms"):
        return from_unix(float(value) / (1000 if text == "ms" else 1))
    written = str(value).strip()
    return datetime.fromisoformat(written) if text == "iso" else datetime.strptime(written, text)
