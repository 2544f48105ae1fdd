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
from qetch.tools.new.items import Reach
from qetch.tools.new.yaml_text import Noted

if TYPE_CHECKING:
    from collections.abc import Iterator

    from qetch.tools.new.proposals import Proposal, Scene

MAX_SCRIPTS = 100
MAX_SCRIPT = 4_000_000
MAX_ASSIGNMENTS = 20
MIN_LENGTH = 20
ASSIGNED = re.compile(
    r"(?:window\s*\.\s*|self\s*\.\s*|window\[[\"']|var\s+|let\s+|const\s+|^|[;\s])"
    r"([A-Za-z_$][\w$]{1,60})(?:[\"']\])?\s*=\s*(?=[\[{]|JSON\.parse\([\"'])"
)
LITERAL = re.compile(r"""JSON\.parse\((?:("(?:[^"\\\n]|\\.)*")|'((?:[^'\\\n]|\\.)*)')""")
DOUBLE, SINGLE = r"""("(?:[^"\\]|\\.)*")""", r"""'((?:[^'\\]|\\.)*)'"""
REQUOTED = [[r"\\\\", r"\\u005c"], [r"\\(['\"])", r"\1"], ['"', r"\\u0022"], [r"\\x", r"\\u00"], [r"\A|\Z", '"']]
"""What makes JSON of what stands between single quotes in a script."""


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
    for proposal in find_in(value, scene, f"JSON in <{selector}>", Reach("state")):
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
        name = found[1]
        value, let = _literal(text, found) if text.startswith("JSON", found.end()) else _object(text, found)
        script = {"xpath": f"//script[contains(., '{name}')]/text()"}
        if not value or not let or next(iter(_scripts(scene, script["xpath"])), None) != text:
            continue
        let = {"script": {**script, **let.pop("script")}, **let}
        for proposal in find_in(value, scene, f"JSON in a script, {name}", Reach("state")):
            yield replace(proposal, let=let, score=proposal.score - 0.02)


def _object(text: str, found: re.Match[str]) -> tuple[Any, dict[str, Any]]:
    """The JSON behind an assignment, and the names that lead to it."""
    piece = _json_at(text, found.end())
    pattern = _pattern(found, text, piece) if piece else None
    if pattern is None:
        return None, {}
    return _read(piece), {"script": {"regex": pattern}, "state": {"of": "script", "parse": "json"}}


def _literal(text: str, found: re.Match[str]) -> tuple[Any, dict[str, Any]]:
    """The JSON in the text behind an assignment, `JSON.parse("…")`, and the names that lead to it."""
    literal = LITERAL.match(text, found.end())
    if literal is None:
        return None, {}
    quoted_so = literal[1] is not None
    written = literal[1] if quoted_so else literal[2]
    for pattern, replacement in () if quoted_so else REQUOTED:
        written = re.sub(pattern, replacement, written)
    value = _read(written)
    before = _start(found, text) + r"JSON\.parse\("
    let: dict[str, Any] = {"script": {"regex": before + (DOUBLE if quoted_so else SINGLE)}}
    if not quoted_so:
        let["literal"] = Noted({"of": "script", "replace": REQUOTED}, "it has single quotes: this makes JSON of it")
    let["text"] = {"of": "script" if quoted_so else "literal", "parse": "json"}
    return (_read(value) if isinstance(value, str) else None), {**let, "state": {"of": "text", "parse": "json"}}


def _json_at(text: str, start: int) -> str:
    """The JSON value that begins at an index, or nothing."""
    try:
        _, end = json.JSONDecoder().raw_decode(text, start)
    except (ValueError, RecursionError):
        return ""
    return text[start:end] if end - start >= MIN_LENGTH else ""


def _pattern(found: re.Match[str], text: str, piece: str) -> str | None:
    """A regex whose first match is the JSON: up to the end of the script, of the line, or to what follows."""
    opened, closed = (r"\{", r"\}") if piece[0] == "{" else (r"\[", r"\]")
    behind = re.match(r"\s*(;?)\s*(\S{0,15}?)(?=\s|[=({]|$)", text[found.end() + len(piece) :])
    whole = f"(?s){_start(found, text)}({opened}"
    ends = [rf".*{closed})\s*;?\s*$", rf".*?{closed})\s*;?\s*[\r\n]"]
    if behind and (behind[1] or behind[2]):
        ends.append(rf".*?{closed})\s*{behind[1]}\s*{re.escape(behind[2])}")
    for end in ends:
        try:
            match = patterns.search(patterns.compiled(whole + end), text)
        except patterns.PatternTooSlow:
            continue
        if match and match[1] == piece:
            return whole + end
    return None


def _start(found: re.Match[str], text: str) -> str:
    """A regex for the assignment: of a name, or of `window["name"]`."""
    return re.escape(found[1]) + (r"[\"']\]" if text[found.end(1)] in "\"'" else "") + r"\s*=\s*"


def _scripts(scene: Scene, xpath: str) -> list[str]:
    from qetch.selectors.markup import compile_xpath

    return [str(text) for text in compile_xpath(xpath)(scene.page.root)]


def _read(text: str) -> Any:
    try:
        return read_json(text)
    except ValueError:
        return None
