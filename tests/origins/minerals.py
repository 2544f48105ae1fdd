"""A JSON API with cursor pages; every request needs a bearer token."""

from __future__ import annotations

from hashlib import sha256
from typing import TYPE_CHECKING, Any
from urllib.parse import parse_qs, urlsplit

from tests.make_media import png
from tests.origins import as_file, as_json

if TYPE_CHECKING:
    from tests.origin import Reply, Request, Script

TOKEN = "a-token-that-is-none"
NAMES = ["Amethyst", "Citrine", "Smoky quartz", "Rock crystal", "Rose quartz"]
FILES = {str(number): png(8, 8, (40 * number, 60, 120)) for number in range(1, 6)}


def photo(number: str) -> dict[str, Any]:
    """What the API says of one photograph."""
    original = FILES[number]
    files = "https://files.minerals.example"
    return {
        "id": int(number),
        "name": NAMES[int(number) - 1],
        "note": f"<p>Found <em>high up</em>.</p><p>Photo {number} of 5.</p>",
        "photographer": {"name": "ottilie"},
        "taken": f"2023-06-0{number}T10:00:00Z",
        "mohs": 7,
        "place": None if number == "2" else "a quarry",
        "files": {
            "original": {
                "href": f"{files}/{number}.png",
                "bytes": len(original),
                "sha256": sha256(original).hexdigest(),
            },
            "small": {"href": f"{files}/{number}-s.png"} if number != "5" else None,
        },
    }


def api(request: Request) -> Reply:
    """Everything below /v2/."""
    if request.headers.get("Authorization") != f"Bearer {TOKEN}":
        return as_json({"error": {"code": "token", "text": "a token, please"}}, 401)
    url = urlsplit(request.path)
    match url.path.split("/")[3:]:
        case ["drawers", "quartz", "photos"]:
            query = parse_qs(url.query)
            start = int(query.get("after", ["c-0"])[0].removeprefix("c-"))
            stop = start + int(query["limit"][0])
            cursor = f"c-{stop}" if stop < len(FILES) else None
            return as_json(
                {"photos": [photo(number) for number in [*FILES][start:stop]], "page": {"next_cursor": cursor}}
            )
        case ["photos", number] if number in FILES:
            return as_json({"photo": photo(number)})
    return as_json({"error": {"code": "no_such_drawer", "text": "There is no such drawer."}})


ROUTES: dict[str, Script] = {
    **{
        f"/api.minerals.example/v2/{path}": api
        for path in ("drawers/quartz/photos", "drawers/cheese/photos", "photos/3")
    },
    **{f"/files.minerals.example/{number}.png": as_file(body, "image/png") for number, body in FILES.items()},
}
