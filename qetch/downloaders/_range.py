"""Parts of a file by HTTP: what a host says about an object, and whether a part is the one that was asked for.

The rules are those of RFC 9110, section 14: a 206 counts only with the `Content-Range` that was asked for.
"""

from __future__ import annotations

import re
from typing import TYPE_CHECKING

from qetch.downloaders._body import declared_length
from qetch.downloaders._journal import Object, is_validator
from qetch.downloaders._transfer import Changed, NoParts
from qetch.downloaders._verify import shown, status_of
from qetch.errors import RemoteError

if TYPE_CHECKING:
    from qetch.network import Response
    from qetch.wire import Answer

_range = re.compile(r"bytes (\d{1,18})-(\d{1,18})/(\d{1,18})")


def validator_of(response: Response) -> str:
    """What tells one version of the object from another: a strong `ETag`, else the `Last-Modified`, else ""."""
    tag: str = response.headers.get("ETag", "").strip()
    found: str = tag if tag.startswith('"') else response.headers.get("Last-Modified", "").strip()
    return found if is_validator(found) else ""


def is_plain(response: Response) -> bool:
    """Whether the body is sent as it is; parts of an encoded body are of no use."""
    return response.headers.get("Content-Encoding", "").strip().lower() in {"", "identity"}


def bounds(response: Response) -> tuple[int, int, int] | None:
    """The first byte, the one behind the last, and the size of the object, of a proper `Content-Range`."""
    found = _range.fullmatch(response.headers.get("Content-Range", "").strip())
    if not found:
        return None
    start, end, size = int(found[1]), int(found[2]) + 1, int(found[3])
    return (start, end, size) if start < end <= size else None


def is_empty(response: Response) -> bool:
    """Whether a host says that there are no bytes, not even a first one."""
    return response.status_code == 416 and response.headers.get("Content-Range", "").replace(" ", "") == "bytes*/0"


def first_part(response: Response) -> tuple[int, int] | None:
    """How many bytes of the object come first, and how many it has; None if there are no proper parts."""
    found = bounds(response) if response.status_code == 206 else None
    if found is None or found[0] != 0 or not is_plain(response):
        return None
    return found[1:] if declared_length(response) in (None, found[1]) else None


def is_whole(answer: Answer) -> bool:
    """Whether an answer by the wire is all that is to be known, and all of the file."""
    if not answer.is_complete:
        return False
    if answer.status_code == 200:
        return True
    size = answer.left
    return answer.status_code == 206 and answer.headers.get("Content-Range") == f"bytes 0-{size - 1}/{size}"


def thing_of(url: str, response: Response, size: int) -> Object:
    """The object of `size` bytes that a response is a part of."""
    return Object(url, size, validator_of(response))


def checked_end(response: Response, start: int, end: int, thing: Object) -> int:
    """Where a part ends, after it was found to be one of the bytes that were asked for.

    Args:
        response: The answer to a request for `start` to `end`.
        start: The first byte.
        end: The one behind the last.
        thing: Of which object.

    Raises:
        Changed: It is a part of another object.
        NoParts: It is the whole file.
        RemoteError: It is something else.
    """
    place = shown(response.url)
    same = not thing.validator or validator_of(response) in ("", thing.validator)
    if response.status_code == 416 or (response.status_code in (200, 206) and not same):
        raise Changed
    if response.status_code == 200:
        raise NoParts(f"{place}: the host sent the whole file where a part was asked for")
    found = bounds(response)
    if response.status_code != 206 or found is None or not is_plain(response):
        raise RemoteError(f"{place}: the host answered {status_of(response)} where a part of the file was asked for")
    if found[2] != thing.size:
        raise Changed
    if found[0] != start or found[1] > end or declared_length(response) not in (None, found[1] - start):
        raise RemoteError(
            f"{place}: the host sent bytes {found[0]} to {found[1]} where {start} to {end} were asked for"
        )
    return found[1]
