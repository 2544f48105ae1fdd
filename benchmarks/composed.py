"""What the benchmarks chew on: variants of the shipped specs, and answers in the shape of a thread or a long list."""

from __future__ import annotations

import json
import re
from typing import TYPE_CHECKING, Any

from measure import ROOT

if TYPE_CHECKING:
    from pathlib import Path

    from requests import PreparedRequest, Response, Session

SITES = sorted((ROOT / "sites").glob("*.yaml"))

HOSTS = re.compile(r"4chan|4cdn|imgur|gfycat")
KEYS = re.compile(
    r"\b(?:filedeleted|tim|fsize|filename|threads"
    r"|data|success|images_count|images|items|link|account_url|mp4_size|is_album|datetime"
    r"|gfyItem|gfyName|userName|createDate|errorMessage|\w+Url|\w+Size)\b"
)
"""Keys of the three sites' answers."""


def variant(text: str, number: int) -> str:
    """A spec with a name, hosts and JSON keys of its own, so that no cache of regexes or selectors knows it."""
    text = HOSTS.sub(lambda found: f"{found[0]}{number}", text)
    text = re.sub(r"(?m)^(class: \w+)Extractor$", rf"\g<1>{number}Extractor", text)
    return KEYS.sub(lambda found: f"{found[0]}{number}", text)


def write_variants(folder: Path, count: int, first: int = 0) -> list[Path]:
    """So many specs, in turn of each shipped one."""
    folder.mkdir(parents=True, exist_ok=True)
    texts = [file.read_text("utf-8") for file in SITES]
    files = [folder / f"site{number}.yaml" for number in range(first, first + count)]
    for number, file in enumerate(files, start=first):
        file.write_text(variant(texts[number % len(texts)], number), "utf-8")
    return files


def post(number: int) -> dict[str, Any]:
    """A post with a file, as the API of an image board gives it."""
    return {
        "no": 100_000 + number,
        "now": "12/31/18(Mon)17:05:48",
        "name": "Anonymous",
        "com": f'<a href="#p1" class="quotelink">&gt;&gt;100001</a><br>Fold &amp; turn the paper, {number} times.',
        "filename": f"crane [{number}] (paper)",
        "ext": ".png",
        "w": 1200,
        "h": 900,
        "tn_w": 125,
        "tn_h": 93,
        "tim": 1_546_293_948_883 + number,
        "time": 1_546_293_948 + number,
        "md5": "ek8W9ixWVGHr4BdOIVCyhg==",
        "fsize": 515_000 + number,
        "resto": 100_000,
    }


LIST_SPEC = """\
qetch: 1
name: long-list
class: LongListExtractor
description: A list of many pages.
domains: [list.example]
request: {as: json}
handles:
  all:
    match: '^https?://list\\.example/(?P<name>\\w+)$'
    examples: ["https://list.example/birds"]
    get: "https://list.example/api/{name}?page={page}"
    pages: {counter: page}
    each:
      in: posts
      content:
        uid: {text: "{name}-{no}"}
        title: filename
        uploaded_date: time
        metadata: "@"
        url: {text: "https://files.list.example/{no}.png"}
      let: {no: no}
"""
LIST_URL = "https://list.example/birds"
PAGE = 100
"""Rows a page of the long list."""


def thread(count: int) -> bytes:
    """The answer of an image board for a thread of so many posts."""
    return json.dumps({"posts": [post(number) for number in range(count)]}).encode()


def mount(session: Session, answer: Any) -> None:
    """Lets a session be answered by a function from a URL to a JSON body, in place of a network."""
    from io import BytesIO

    from requests.adapters import BaseAdapter, HTTPAdapter
    from urllib3 import HTTPResponse

    build = HTTPAdapter().build_response

    class Answers(BaseAdapter):
        offline = True

        def pause(self, seconds: float) -> None:
            """No time passes here."""

        def send(self, request: PreparedRequest, *_: Any, **__: Any) -> Response:
            body = BytesIO(answer(str(request.url)))
            json_type = {"Content-Type": "application/json"}
            return build(request, HTTPResponse(body, headers=json_type, status=200, preload_content=False))

        def close(self) -> None:
            """Nothing is open."""

    session.mount("https://", Answers())
    session.mount("http://", Answers())
