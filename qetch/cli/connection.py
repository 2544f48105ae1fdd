"""The flags about connections, and the settings that they make."""

from __future__ import annotations

import argparse
import re
from pathlib import Path
from typing import TYPE_CHECKING

from qetch.errors import InvalidSetting

if TYPE_CHECKING:
    from qetch.downloaders import Settings

CONNECTIONS = 8
JOBS = 16
MAX_CONNECTIONS = 256
MIN_RATE = 1024
UNITS = {"": 1, "k": 1 << 10, "m": 1 << 20, "g": 1 << 30}


def add_connection_flags(parser: argparse.ArgumentParser) -> None:
    """Those that concern every request."""
    group = parser.add_argument_group("connections")
    group.add_argument(
        "--proxy",
        metavar="URL",
        help='go through this proxy, such as http://host:8080; "" means none, whatever the environment says',
    )
    group.add_argument("--timeout", metavar="SECONDS", type=_seconds, help="how long to wait for a host (default: 30)")
    group.add_argument("--cacert", metavar="FILE", help="trust the certificates in this PEM file instead of the usual")
    group.add_argument(
        "--no-check-certificate",
        action="store_true",
        help="take any certificate: whoever is on the way can then read and change everything",
    )


def add_download_flags(parser: argparse.ArgumentParser) -> None:
    """Those that concern files."""
    group = parser.add_argument_group("files")
    group.add_argument(
        "-j",
        "--jobs",
        metavar="N",
        type=_connections,
        default=JOBS,
        help=f"download at most so many files at a time (default: {JOBS})",
    )
    group.add_argument(
        "--connections",
        metavar="N",
        type=_connections,
        default=CONNECTIONS,
        help=f"use at most so many connections to a host at a time (default: {CONNECTIONS}); many ban who opens more",
    )
    group.add_argument(
        "--limit-rate", metavar="RATE", type=_rate, help="receive at most so many bytes a second, such as 500k or 2.5M"
    )
    group.add_argument("--mtime", action="store_true", help="give each file the time that the host says it is from")


def settings_of(arguments: argparse.Namespace) -> Settings:
    """The settings that the flags make.

    Raises:
        InvalidSetting: The proxy is none, or there is no such file of certificates.
        FileError: The file of certificates cannot be read.
    """
    from qetch.downloaders.settings import Settings

    given = vars(arguments)
    if given["cacert"] is not None and not Path(given["cacert"]).is_file():
        raise InvalidSetting(f"--cacert {given['cacert']}: no such file")
    defaults = Settings()
    seconds: float | None = given["timeout"]
    return Settings(
        max_speed=given.get("limit_rate"),
        max_concurrent=given.get("jobs", JOBS),
        connections_per_host=given.get("connections", CONNECTIONS),
        connect_timeout=seconds or defaults.connect_timeout,
        read_timeout=seconds or defaults.read_timeout,
        proxies={} if given["proxy"] is None else dict.fromkeys(("http", "https"), given["proxy"]),
        ca_file=given["cacert"],
        verify=not given["no_check_certificate"],
        set_mtime=given.get("mtime", False),
    )


def _seconds(text: str) -> float:
    number = float(text) if re.fullmatch(r"\d{1,5}(\.\d{1,6})?", text) else 0.0
    if not number:
        raise argparse.ArgumentTypeError(f"{text!r} is no number of seconds above 0")
    return number


def _connections(text: str) -> int:
    number = int(text) if re.fullmatch(r"[0-9]{1,4}", text) else 0
    if not 1 <= number <= MAX_CONNECTIONS:
        raise argparse.ArgumentTypeError(f"{text!r} is no number from 1 to {MAX_CONNECTIONS}")
    return number


def _rate(text: str) -> int:
    r"""Bytes a second, from a number that may end in k, M or G.

    >>> _rate("2.5M")
    2621440
    """
    found = re.fullmatch(r"([0-9]{1,12}(?:\.[0-9]{1,6})?)([kmg]?)", text.lower())
    rate = int(float(found[1]) * UNITS[found[2]]) if found else 0
    if rate < MIN_RATE:
        raise argparse.ArgumentTypeError(f"{text!r} is no rate of 1k or more, such as 500k or 2.5M")
    return rate
