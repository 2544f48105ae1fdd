"""An explanation as a tree of lines for people."""

from __future__ import annotations

import re
from dataclasses import dataclass, field
from itertools import groupby
from operator import itemgetter
from pathlib import PurePath
from typing import TYPE_CHECKING, Any, NamedTuple

if TYPE_CHECKING:
    from collections.abc import Iterator

MAX_CONTENTS = 3
MAX_LEFT_OUT = 12


@dataclass
class Branch:
    """A line with those below it; `style` is one of title, good, bad, dim, old, new or empty."""

    text: str
    style: str = ""
    below: list[Branch] = field(default_factory=list)

    def add(self, text: str, style: str = "") -> Branch:
        """One more line below."""
        self.below.append(Branch(text, style))
        return self.below[-1]


class Line(NamedTuple):
    """A line of the tree: what stands before its text, the text, and its style."""

    lead: str
    text: str
    style: str


def lines(document: dict[str, Any], *, drawn: bool) -> Iterator[Line]:
    """The tree of a document as `qetch.tools.explain.report` makes it; `drawn` with lines between the branches."""
    root = _tree(document)
    yield Line("", root.text, root.style)
    yield from _lines(root, "", drawn=drawn)


def _lines(branch: Branch, lead: str, *, drawn: bool) -> Iterator[Line]:
    for i, below in enumerate(branch.below):
        last = i == len(branch.below) - 1
        joint = ("└─ " if last else "├─ ") if drawn else "  "
        yield Line(lead + joint, below.text, below.style)
        yield from _lines(below, lead + (("   " if last else "│  ") if drawn else "  "), drawn=drawn)


def _tree(document: dict[str, Any]) -> Branch:
    root = Branch(document["url"], "title")
    _claim(document, root)
    for visit in document["visits"]:
        _visit(visit, root)
    if document["stopped"]:
        root.add("there is more, but this is enough to see", "dim")
    if document["error"] and document["claim"]["site"]:
        root.add(f"{document['error']['kind']}: {document['error']['message']}", "bad")
    elif document["visits"]:
        root.add(f"{_count(document['items'], 'item')} in all", "good" if document["items"] else "bad")
    _repair(document, root)
    return root


def _claim(document: dict[str, Any], root: Branch) -> None:
    claim = document["claim"]
    if claim["site"]:
        captures = ", ".join(f"{name}={value}" for name, value in claim["captures"].items() if value is not None)
        path = f" ({claim['path']})" if claim["path"] else ""
        branch = root.add(f"taken by {claim['site']}, handle {claim['handle']}{path}", "good")
        if claim["status"] != "alive":
            branch.add(f"known to be {claim['status']}: {claim['note']}", "bad")
        if captures:
            branch.add(f"read in the URL: {captures}")
    else:
        why = re.sub(r"^https?://\S+: ", "", claim["why"])  # it stands above
        branch = root.add(f"taken by nobody: {why}", "bad")
    for each in document["not_claimed"]:
        branch.add(f"not {each['site']}, handle {each['handle']}: {each['why']}", "dim")
    if document["other_sites"]:
        branch.add(f"not {_count(document['other_sites'], 'other site')}: the host is none of theirs", "dim")


def _visit(visit: dict[str, Any], root: Branch) -> None:
    where = f"{visit['site']}, handle {visit['handle']}" if visit["site"] else "before the first handle"
    gone_to = f" (goto {visit['depth']})" if visit["depth"] else ""
    branch = root.add(f"{where}{gone_to}: {visit['url']}" if visit["url"] else where, "title")
    for (_, _, error), requests in groupby(visit["requests"], itemgetter("method", "url", "error")):
        tries = list(requests)
        if error and len(tries) > 1:
            text, style = _head(tries[0])
            branch.add(f"{text} ({len(tries)} tries)", style)
            continue
        for request in tries:
            _request(request, branch)


def _request(request: dict[str, Any], branch: Branch) -> None:
    below = branch.add(*_head(request)) if request["method"] else branch
    idle = [find for find in request["selectors"] if _is_idle(find)]
    for find in request["selectors"]:
        if find not in idle:
            below.add(*_selector(find))
    if idle:
        below.add(f"{_count(len(idle), 'rule')} of `errors` {'does' if len(idle) == 1 else 'do'} not hold", "dim")
    for left_out in request["left_out"][:MAX_LEFT_OUT]:
        below.add(_left_out(left_out), "dim")
    if len(request["left_out"]) > MAX_LEFT_OUT:
        below.add(f"left out: {len(request['left_out']) - MAX_LEFT_OUT} more", "dim")
    for item in request["contents"][:MAX_CONTENTS]:
        _item(item, below)
    if len(request["contents"]) > MAX_CONTENTS:
        below.add(f"and {_count(len(request['contents']) - MAX_CONTENTS, 'more item')}", "dim")


def _left_out(left_out: dict[str, Any]) -> str:
    line = f"{PurePath(left_out['file']).name}:{left_out['line']}, " if left_out["line"] else ""
    return f"left out: {line}{left_out['where']}: {left_out['reason']}"


def _head(request: dict[str, Any]) -> tuple[str, str]:
    what = f"{request['method']} {request['url']}"
    if request["error"]:
        return f"{what}: {request['error']}", "bad"
    source = "from a cassette" if request["cassette"] else f"{request['ms']:.0f} ms"
    status = request["status"]
    return f"{what}: {status}, {request['bytes']:,} bytes, {source}", "" if status < 400 else "bad"


def _is_idle(find: dict[str, Any]) -> bool:
    """Whether it is the condition of an error that did not occur."""
    parts = find["where"].split(".")
    return "errors" in parts and parts[-1] == "when" and not _holds(find)


def _holds(find: dict[str, Any]) -> bool:
    return find["nothing"] < find["read"] and set(find["first"]) != {"False"}


def _selector(find: dict[str, Any]) -> tuple[str, str]:
    text = f"{find['where']}: {find['selector']}"
    if find["role"] == "rows" and find["empty"] == find["read"]:
        return f"{text}  → 0 rows", "dim"
    if find["where"].endswith("when") and find["read"] == 1:
        return f"{text}  → {'holds' if _holds(find) else 'does not hold'}", "" if _holds(find) else "dim"
    if find["nothing"] == find["read"]:
        return f"{text}  → nothing", "dim" if find["role"] == "value" else "bad"
    noun = "row" if find["role"] == "rows" else "value"
    number = _count(find["found"], noun) if find["found"] > 1 or find["read"] > 1 else ""
    none = f" (nothing in {find['nothing']} of {find['read']})" if find["nothing"] else ""
    shown = " | ".join(find["first"])
    return f"{text}  → {number}{none}{': ' if number or none else ''}{shown}", ""


def _item(item: list[dict[str, Any]], branch: Branch) -> None:
    first = item[0]
    title = f" {first['title']!r}" if "title" in first else ""
    below = branch.add(f"item{title}", "good")
    for content in item:
        size = f", {content['size']:,} bytes" if "size" in content else ""
        quality = f"quality {content.get('quality', 0):g}"
        below.add(f"{content['uid']}: {quality}{size}: {' '.join(content['fragments'][:2])}")


def _repair(document: dict[str, Any], root: Branch) -> None:
    repair = document["repair"]
    if repair is None:
        if document["not_compared"] and document["claim"]["site"]:
            root.add(f"not compared with recorded answers: {document['not_compared']}", "dim")
        return
    compared = ", ".join(repair["compared_with"][:2])
    if not repair["gone"] and not repair["proposals"]:
        root.add(f"as recorded: every selector finds what it found at {compared}", "good")
        return
    branch = root.add(f"compared with what was recorded at {compared}", "title")
    changed = {proposal["where"] for proposal in repair["proposals"]}
    for gone in repair["gone"]:
        if gone["where"] not in changed and not gone["cured"]:
            below = branch.add(f"{gone['file']}:{gone['line']}:{gone['column']}: {gone['message']}", "bad")
            if gone["recorded"]:
                now = f"now stands at {gone['now_at']}" if gone["now_at"] else "stands nowhere in the new answers"
                below.add(f"the recorded {gone['recorded']!r} {now}")
    for line, proposals in groupby(repair["proposals"], lambda proposal: int(proposal["line"])):
        of_line = list(proposals)
        for proposal in of_line:
            place = f"{proposal['file']}:{line}:{proposal['column']}"
            below = branch.add(f"{place}: {proposal['message']}", "bad")
        below.add(f"- {of_line[0]['old_line']}", "old")
        below.add(f"+ {of_line[0]['new_line']}", "new")
    branch.add(*_verdict(repair))


def _verdict(repair: dict[str, Any]) -> tuple[str, str]:
    if not repair["proposals"]:
        return "no other selector was found that gives what was recorded", "bad"
    gives = f"tried: so changed, the spec gives {_count(repair['items'], 'item')}"
    if repair["same_url"]:
        gives += f", {repair['wanted']} were recorded"
    if repair["sure"]:
        return f"{gives}, and every selector finds what was recorded", "good"
    if repair["complete"]:
        return f"{gives}, and every selector finds something again: compare it before you paste", ""
    return f"{gives}, but not everything is found again", "bad"


def _count(number: int, noun: str) -> str:
    return f"{number} {noun}{'' if number == 1 else 's'}"
