"""A page's state as JSON in a `<script>`: whole, or assigned to a name."""

from __future__ import annotations

import json
import re
from dataclasses import replace
from typing import TYPE_CHECKING, Any

from qetch.engine.reading import read_json
from qetch.selectors import patterns
from qetch.tools.new.answers import find_in
from qetch.tools.new.elements import quoted

if TYPE_CHECKING:
    from collections.abc import Iterator

    from qetch.tools.new.proposals import Proposal, Scene

MAX_SCRIPTS = 100
MAX_SCRIPT = 4_000_000
MAX_ASSIGNMENTS = 20
MIN_LENGTH = 20
ASSIGNED = re.compile(
    r"(?:window\s*\.\s*|self\s*\.\s*|var\s+|let\s+|const\s+|^|[;\s])([A-Za-z_$][\w$]{1,60})\s*=\s*(?=[\[{])"
)


def find_states(scene: Scene) -> Iterator[Proposal]:
    """JSON in scripts, other than JSON-LD."""
    for script in scene.page.select("script")[:MAX_SCRIPTS]:
        text = script.text or ""
        kind = (script.get("type") or "").lower()
        if not MIN_LENGTH <= len(text) <= MAX_SCRIPT or "ld+json" in kind:
            continue
        if kind.endswith("json"):
            yield from _whole(script, text, scene)
        elif kind in ("", "text/javascript", "application/javascript", "module"):
            yield from _assigned(text, scene)


def _whole(script: Any, text: str, scene: Scene) -> Iterator[Proposal]:
    value = _read(text)
    selector = _selector(script, scene)
    if value is None or selector is None:
        return
    let = {"state": {"css": f"{selector}::text", "parse": "json"}}
    for proposal in find_in(value, scene, f"JSON in <{selector}>", of="state"):
        yield replace(proposal, let=let, score=proposal.score - 0.01)


def _selector(script: Any, scene: Scene) -> str | None:
    """A selector that finds this script first."""
    for attribute in ("id", "data-name", "class", "type"):
        text = script.get(attribute) or ""
        written = quoted(text)
        if text and written:
            simple = f"script#{text}" if attribute == "id" and re.fullmatch(r"[A-Za-z_][\w-]*", text) else ""
            selector = simple or f"script[{attribute}={written}]"
            if next(iter(scene.page.select(selector)), None) is script:
                return selector
    return None


def _assigned(text: str, scene: Scene) -> Iterator[Proposal]:
    for number, found in enumerate(ASSIGNED.finditer(text)):
        if number >= MAX_ASSIGNMENTS:
            return
        name, start = found[1], found.end()
        piece = _json_at(text, start)
        value = _read(piece) if piece else None
        if not value:
            continue
        pattern = _pattern(name, text, piece)
        xpath = f"//script[contains(., '{name}')]/text()"
        if pattern is None or next(iter(_scripts(scene, xpath)), None) != text:
            continue
        let = {"script": {"xpath": xpath, "regex": pattern}, "state": {"of": "script", "parse": "json"}}
        for proposal in find_in(value, scene, f"JSON in a script, {name}", of="state"):
            yield replace(proposal, let=let, score=proposal.score - 0.02)


def _json_at(text: str, start: int) -> str:
    """The JSON value that begins at an index, or nothing."""
    try:
        _, end = json.JSONDecoder().raw_decode(text, start)
    except (ValueError, RecursionError):
        return ""
    return text[start:end] if end - start >= MIN_LENGTH else ""


def _pattern(name: str, text: str, piece: str) -> str | None:
    """A regex whose first match is the JSON: up to the end of the script, of the line, or to what follows."""
    opened, closed = (r"\{", r"\}") if piece[0] == "{" else (r"\[", r"\]")
    behind = text[text.index(piece) + len(piece) :].strip()[:15]
    whole = rf"(?s){re.escape(name)}\s*=\s*({opened}"
    ends = [rf".*{closed})\s*;?\s*$", rf".*?{closed})\s*;?\s*[\r\n]"]
    if behind:
        ends.append(rf".*?{closed})\s*{re.escape(behind)}")
    for end in ends:
        try:
            found = patterns.search(patterns.compiled(whole + end), text)
        except patterns.PatternTooSlow:
            continue
        if found and found[1] == piece:
            return whole + end
    return None


def _scripts(scene: Scene, xpath: str) -> list[str]:
    from qetch.selectors.markup import compile_xpath

    return [str(text) for text in compile_xpath(xpath)(scene.page.root)]


def _read(text: str) -> Any:
    try:
        return read_json(text)
    except ValueError:
        return None
