"""A GraphQL endpoint, whose answers list the renditions of a film in no order."""

from __future__ import annotations

import json
from typing import TYPE_CHECKING

from tests.make_media import mp4, webm
from tests.origins import as_file, as_json

if TYPE_CHECKING:
    from tests.origin import Reply, Request, Script

CDN = "https://cdn.kites.example"
FILES = {
    "k7-360-700.mp4": mp4(640, 360),
    "k7-1080-4200.mp4": mp4(1920, 1080),
    "k7-720-1800.mp4": mp4(1276, 720),
    "k7-720-2600.mp4": mp4(1280, 720),
    "k7-720-1200.webm": webm(1280, 720),
}
FILM = {
    "id": "k7",
    "title": "Two kites, one wind",
    "pilot": {"name": "amal"},
    "flown": 1650000000,
    "files": [
        {
            "height": int(name.split("-")[1]),
            "bitrate": int(name.split("-")[2].partition(".")[0]),
            "format": name.partition(".")[2],
            "url": f"{CDN}/{name}",
            "bytes": len(body),
        }
        for name, body in FILES.items()
    ],
}


def graphql(request: Request) -> Reply:
    """The answer to a posted query."""
    asked = json.loads(request.body)
    if "files { height" not in asked["query"]:
        return as_json({"errors": [{"message": "this query is not known here"}]})
    found = {"k7": FILM}.get(asked["variables"]["id"])
    return as_json({"data": {"film": found}})


ROUTES: dict[str, Script] = {
    "/kites.example/graphql": graphql,
    **{f"/cdn.kites.example/{name}": as_file(body, f"video/{name.partition('.')[2]}") for name, body in FILES.items()},
}
