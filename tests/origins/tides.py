"""Pages that carry their state as JSON in a script."""

from __future__ import annotations

import json
from typing import TYPE_CHECKING, Any

from tests.make_media import mp4
from tests.origins import as_file, as_html

if TYPE_CHECKING:
    from tests.origin import Script

FILES = {
    ("a1", "hd"): mp4(1280, 720),
    ("a1", "sd"): mp4(640, 360),
    ("b2", "hd"): mp4(1280, 720),
    ("b2", "sd"): mp4(640, 360),
}
STATE: dict[str, Any] = {
    "pool": {
        "name": "North rocks",
        "films": [
            {"id": "t-1", "title": "Hermit crab", "status": "public", "folder": "a1", "created_ms": 1656662400000},
            {"id": "t-2", "title": "Test, ignore", "status": "draft", "folder": "zz", "created_ms": 1656662401000},
            {"id": "t-3", "title": "Low water", "status": "public", "folder": "b2", "created_ms": 1656748800000},
        ],
    }
}
for film in STATE["pool"]["films"]:
    film["sizes"] = {kind: len(body) for (folder, kind), body in FILES.items() if folder == film["folder"]}

SCRIPTS = (
    f"<script>window.visits = {{n: 7}};</script><script>window.state = {json.dumps(STATE, indent=2)};\ngo();</script>"
)

ROUTES: dict[str, Script] = {
    "/tides.example/pools/north-rocks": as_html(
        f'<div id="app">Loading…</div><script id="state" type="application/json">{json.dumps(STATE)}</script>'
    ),
    "/tides.example/pools/south-rocks": as_html(f'<div id="app">Loading…</div>{SCRIPTS}'),
    **{f"/cdn.tides.example/{folder}/{kind}.mp4": as_file(body, "video/mp4") for (folder, kind), body in FILES.items()},
}
