"""Cassettes as files: in vcr's format, readable, written whole or not at all."""

from __future__ import annotations

import os
import re
import tempfile
from pathlib import Path
from typing import TYPE_CHECKING, Any

from qetch.errors import FileError
from qetch.tools.guard import find_secret
from qetch.tools.records import PLACEHOLDER, Key, Record

if TYPE_CHECKING:
    from collections.abc import Iterable, Iterator, Mapping, Sequence

HEADER = "# Recorded by `qetch record`; secrets and personal data were taken out by rule. Read it before you share it."
MAX_CASSETTE = 5_000_000
YAML_TEXT = re.compile(r"[\t\n\x20-\x7e\xa0-\u2027\u202a-\ud7ff\ue000-\ufefe\uff00-\ufffd\U00010000-\U0010ffff]*")
"""What may stand in a block of YAML as it is."""
PLAIN = re.compile(r"[\x20-\x7e\xa0-\u2027\u202a-\ud7ff\ue000-\ufefe\uff00-\ufffd\U00010000-\U0010ffff]*")
"""What may stand on a line of YAML without escapes: no breaks, of which YAML knows more than Python reads as such."""


def write(file: Path, records: Sequence[Record], secrets: Mapping[str, Iterable[str]]) -> None:
    """Writes a cassette, whole or not at all.

    Args:
        file: Where; its folder is made.
        records: In the order in which they are played.
        secrets: Those of the registry of credentials, by name.

    Raises:
        FileError: It cannot be written, is too large, or would hold one of the secrets.
    """
    refuse_secrets(file, records, secrets)
    text = render(records)
    found = find_secret(text, secrets)
    if found:
        raise FileError(f"{file}: not written: it would hold a secret of {found[0]}, as {found[1]}")
    if len(text) > MAX_CASSETTE:
        raise FileError(f"{file}: not written: {len(text):,} characters are too many - record fewer examples")
    _replace(file, text)


def refuse_secrets(file: Path, records: Iterable[Record], secrets: Mapping[str, Iterable[str]]) -> None:
    """Looks whether a record would bring a secret into a file.

    Raises:
        FileError: It would.
    """
    for record in records:
        found = find_secret("\n".join(_parts(record)), secrets)
        if found:
            raise FileError(
                f"{file}: not written: the record of {record.method} {_host(record.uri)} would hold a secret of"
                f" {found[0]}, as {found[1]} - choose an example whose answers do not show it"
            )


def _parts(record: Record) -> Iterator[str]:
    yield from (record.uri, record.body or "", *record.request_headers.values())
    yield from (value for values in record.headers.values() for value in values)
    answer = record.answer
    yield answer.replace(b"\0", b"").decode("latin-1") if isinstance(answer, bytes) else answer  # UTF-16 has zeros


def _host(uri: str) -> str:
    """A URI without what may be secret."""
    return "/".join(uri.split("/")[:3])


def _replace(file: Path, text: str) -> None:
    try:
        file.parent.mkdir(parents=True, exist_ok=True)
        handle, name = tempfile.mkstemp(prefix=f".{file.stem}-", dir=file.parent)
        try:
            with os.fdopen(handle, "w", encoding="utf-8", newline="\n") as opened:
                opened.write(text)
            mode = file.stat().st_mode & 0o777 if file.exists() else 0o644
            Path(name).chmod(mode)
            Path(name).replace(file)
        finally:
            Path(name).unlink(missing_ok=True)
    except OSError as error:
        raise FileError(f"{file}: cannot be written: {error.strerror}") from None


def render(records: Iterable[Record]) -> str:
    """Records as the text of a cassette: bodies as blocks that a person can read, whatever else on one line."""
    lines = [HEADER, "interactions:"]
    for record in records:
        lines += [f"# {record.note}"] if record.note else []
        request = {
            "method": record.method,
            "uri": record.uri,
            "body": record.body,
            "headers": {name: [value] for name, value in record.request_headers.items()},
        }
        lines.append(f"- request: {_flow(request)}")
        lines.append("  response:")
        lines.append(f"    status: {_flow({'code': record.status, 'message': record.reason})}")
        lines.append(f"    headers: {_flow(record.headers)}")
        lines.append("    body:")
        lines.append(f"      string: {_block(record.answer, 8)}")
    return "\n".join([*lines, "version: 1", ""])


def _flow(data: Any) -> str:
    """Data on one line of YAML."""
    import yaml

    class Dumper(yaml.SafeDumper):
        """Quotes and escapes every text that YAML would read as another one."""

    def text(dumper: yaml.SafeDumper, value: str) -> yaml.ScalarNode:
        style = None if PLAIN.fullmatch(value) else '"'
        return dumper.represent_scalar("tag:yaml.org,2002:str", value, style)

    Dumper.add_representer(str, text)
    dumped: str = yaml.dump(
        data, Dumper=Dumper, default_flow_style=True, width=float("inf"), allow_unicode=True, sort_keys=False
    )  # a scalar at the top would be followed by an end mark; these are mappings and lists
    return dumped.strip()


def _block(body: str | bytes, indent: int) -> str:
    """A body as YAML: its own lines where they can stand so, else escaped."""
    if isinstance(body, str) and body.strip("\n") and YAML_TEXT.fullmatch(body):
        stripped = body.rstrip("\n")
        ending = len(body) - len(stripped)
        mark = "-" if ending == 0 else "" if ending == 1 else "+"
        margin = " " * indent
        lines = [f"{margin}{line}" if line else "" for line in body.split("\n")]
        return f"|2{mark}\n" + "\n".join(lines[: len(lines) - bool(ending)])
    return _flow([body]).removeprefix("[").removesuffix("]")


# --- files that are there


def read_records(file: Path) -> list[Record]:
    """The records of a cassette that this module wrote; its notes are made anew.

    Raises:
        FileError: It cannot be read, or somebody else wrote it.
    """
    import yaml

    try:
        text = file.read_text(encoding="utf-8")
    except (OSError, UnicodeDecodeError):
        raise FileError(f"{file}: cannot be read") from None
    if not text.startswith(HEADER):
        raise FileError(
            f"{file}: not overwritten, since `qetch record` did not write it"
            " - move it away, or give another folder with --cassettes"
        )
    try:
        return [_read(item) for item in yaml.safe_load(text)["interactions"]]
    except (yaml.YAMLError, KeyError, TypeError, AttributeError, IndexError):
        raise FileError(f"{file}: no cassette any more, since somebody changed it - mend it, or move it away") from None


def _read(item: Mapping[str, Any]) -> Record:
    request, response = item["request"], item["response"]
    answer = response["body"]["string"]
    cut = isinstance(answer, str) and answer.startswith(PLACEHOLDER)
    return Record(
        request["method"],
        request["uri"],
        request["body"],
        response["status"]["code"],
        response["status"]["message"],
        answer,
        {name: values[0] for name, values in request["headers"].items()},
        response["headers"],
        f"{answer.removeprefix(PLACEHOLDER).strip()} are left out of the answer." if cut else "",
    )


def keys_of(file: Path) -> set[Key]:
    """The requests that a cassette answers, whoever wrote it; none if it is no cassette."""
    import yaml

    try:
        data = yaml.safe_load(file.read_bytes())
        requests = [item["request"] for item in data["interactions"]]
        return {_key(request) for request in requests}
    except (OSError, yaml.YAMLError, KeyError, TypeError, AttributeError):
        return set()


def _key(request: Mapping[str, Any]) -> Key:
    headers = {str(name).lower(): value for name, value in (request.get("headers") or {}).items()}
    asked = headers.get("range") or ""
    body = request.get("body") or ""
    return Key(
        request["method"].upper(),
        request["uri"],
        body if isinstance(body, str) else body.decode("utf-8", "replace"),
        asked[0] if isinstance(asked, list) else asked,
    )
