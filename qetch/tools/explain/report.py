"""An explanation as one JSON document. Its shape is that of `document`; nothing in it is secret."""

from __future__ import annotations

import re
from datetime import date
from typing import TYPE_CHECKING, Any

from qetch.engine.why import line_of
from qetch.selectors.markup import Html, visible_text
from qetch.tools.explain.elements import is_element

if TYPE_CHECKING:
    from qetch.content import Content
    from qetch.tools.explain import Explanation
    from qetch.tools.explain.propose import Gone, Repair
    from qetch.tools.explain.sheet import Edit, Sheet
    from qetch.tools.explain.trace import Asked, Find

FIRST = 3
"""Of what a selector found, so many are shown."""
LONGEST = 100
"""Characters of a value."""
LOST = {
    "nothing": "finds nothing",
    "less": "finds only some of what was recorded",
    "type": "finds the recorded values as another type, text or number",
    "blind": "asks for something that is no longer there",
    "other": "finds something else than was recorded",
}
"""What has become of a selector, in words."""
_names = re.compile(r"[\w.\[\]@-]+")
FIELDS = ("uid", "variant", "quality", "extension", "title", "uploaded_by", "uploaded_date", "size", "fragments")


def document(found: Explanation) -> dict[str, Any]:
    """The whole explanation.

    - `url`; `claim`: `site`, `handle`, `captures`, `path` of the spec, its `status` (`alive`, `broken` or `dead`) with
      a `note`, and `why` if nobody takes the URL
    - `not_claimed`: the other handles of the specs of this host: `site`, `handle`, `why`, and `failed_at`, the index
      of the character of the URL at which the regex fails (null if it does not)
    - `other_sites`: how many specs are of other hosts
    - `visits`: each handle that was at work: `site`, `handle`, `url`, `depth` in `goto`s, and `requests`: `method`,
      `url`, `status`, `bytes`, `ms`, `cassette` (whether it came from one), `error`, `selectors`, `left_out` (`where`,
      `reason`, `file` and `line` of the spec or null), `contents` (lists of contents, best first). What was done before
      the first request has no `url`.
    - a selector: `where` in the spec, `selector`, `language`, `role` (`value` or `rows`), `read` (how often), `nothing`
      (how often it found nothing), `empty` (how often that was an empty list), `found` (how many values or rows in
      all), `first` (some of them, shortened)
    - `stopped`: whether the run was given up before its end, as there was enough to see
    - `items`: how many lists of contents there are
    - `error`: null, or `kind` and `message`
    - `repair`: null, or what the comparison with the cassettes came to: `compared_with` (URLs), `same_url`, `gone`
      (selectors that do not find what they found: `where`, `file`, `line`, `column`, `selector`, `message`,
      `cured` by the proposals; `recorded`, one of the recorded values, and `now_at`, where that stands now, or null),
      `proposals` (`where`, `file`, `line`, `column`, `old`, `new`, `message`, `sure`, `old_line`, `new_line`: two
      proposals for one line have the same new line, with both in it), `items` that the changed spec gives, `wanted`
      (in the cassettes), `complete` (whether it finds everything again), `sure` (whether it gives what was recorded,
      and nothing else)
    - a proposal is `sure` if it was tried on the new answer for the very URL that was recorded, finds exactly the
      recorded values, and no other path would find them as well
    - `not_compared`: why there is no `repair`
    """
    claim, trace = found.claim, found.trace
    whole = {
        "url": found.url,
        "claim": {
            "site": claim.site or None,
            "handle": claim.handle or None,
            "captures": claim.captures,
            "path": claim.path or None,
            "status": claim.status,
            "note": claim.note or None,
            "why": claim.why or None,
        },
        "not_claimed": [
            {"site": each.site, "handle": each.handle, "why": each.why, "failed_at": each.failed_at}
            for each in claim.refusals
        ],
        "other_sites": claim.others,
        "visits": [
            {
                "site": visit.site,
                "handle": visit.handle,
                "url": visit.url,
                "depth": visit.depth,
                "requests": [
                    _request(asked) for asked in visit.requests if asked.method or asked.finds or asked.contents
                ],
            }
            for visit in trace.visits
        ],
        "stopped": trace.stopped,
        "items": len(trace.contents),
        "error": {"kind": type(found.error).__name__, "message": str(found.error)} if found.error else None,
        "repair": _repair(found.repair) if found.repair else None,
        "not_compared": found.uncompared or None,
    }
    hidden: dict[str, Any] = trace.veil.hide(whole)
    return hidden


def _request(asked: Asked) -> dict[str, Any]:
    answer = asked.answer
    return {
        "method": asked.method or None,
        "url": asked.url or None,
        "status": answer.status if answer else None,
        "bytes": len(answer.body) if answer else None,
        "ms": round(asked.seconds * 1000, 1) if asked.method else None,
        "cassette": asked.recorded,
        "error": asked.error or None,
        "selectors": [_selector(find) for find in asked.finds.values()],
        "left_out": [
            {
                "where": left_out.where,
                "reason": left_out.reason,
                "file": str(left_out.path) if left_out.path else None,
                "line": line_of(left_out.path, left_out.where),
            }
            for left_out in asked.left_out
        ],
        "contents": [list(map(content_record, item)) for item in asked.contents],
    }


def _selector(find: Find) -> dict[str, Any]:
    values = [value for _, found in find.samples for value in _values(found, find)]
    return {
        "where": find.where,
        "selector": find.text,
        "language": find.selector.language if find.selector else None,
        "role": find.role,
        "read": find.count,
        "nothing": find.nothing,
        "empty": find.empty,
        "found": len(values),
        "first": ["***"] * bool(values) if find.secret else [short(value) for value in values[:FIRST]],
    }


def _values(found: Any, find: Find) -> list[Any]:
    """What was found, one by one; nothing is none."""
    if isinstance(found, list) and (find.role == "rows" or find.every or find.selector):
        return found
    return [] if found is None else [found]


def short(value: Any) -> str:
    """A value on one line: of an object its keys, of an element its tag and text."""
    if isinstance(value, dict):
        names = ", ".join(map(str, list(value)[:6]))
        text = f"{{{names}{f', … {len(value)} keys' if len(value) > 6 else ''}}}"
    elif isinstance(value, list):
        text = f"[{', '.join(short(item) for item in value[:3])}{f', … {len(value)}' if len(value) > 3 else ''}]"
    elif is_element(value):
        names = "".join(f".{name}" for name in (value.get("class") or "").split()[:2])
        text = f"<{value.tag}{names}> {visible_text(value)}"
    elif isinstance(value, Html):
        text = visible_text(value)
    else:
        text = value.isoformat() if isinstance(value, date) else str(value)
    text = " ".join(text.split())
    return text if len(text) <= LONGEST else f"{text[: LONGEST - 1]}…"


def content_record(content: Content) -> dict[str, Any]:
    """The fields of a content that tell most, without those that are empty."""
    fields = {name: getattr(content, name) for name in FIELDS}
    fields["uploaded_date"] = content.uploaded_date.isoformat() if content.uploaded_date else None
    return {name: value for name, value in fields.items() if value not in (None, "", [], {})}


def _repair(repair: Repair) -> dict[str, Any]:
    return {
        "compared_with": repair.compared,
        "same_url": repair.same_url,
        "gone": [_gone(gone, repair.sheet) for gone in repair.gone],
        "proposals": list(_proposals(repair)),
        "items": repair.items,
        "wanted": repair.wanted,
        "complete": repair.complete,
        "sure": repair.sure,
    }


def _gone(gone: Gone, sheet: Sheet) -> dict[str, Any]:
    line, column = sheet.line_of(gone.where, gone.text.partition(" | ")[0])
    return {
        "where": gone.where,
        "file": str(sheet.path),
        "line": line,
        "column": column,
        "selector": gone.text,
        "message": f"{_quoted(gone.text)} {LOST[gone.lost]}",
        "cured": gone.cured,
        "recorded": short(gone.value) if gone.value else None,
        "now_at": gone.place or None,
    }


def _proposals(repair: Repair) -> list[dict[str, Any]]:
    proposals = []
    for edit in repair.edits:
        line, column = repair.sheet.line_of(edit.where, edit.old)
        proposals.append(
            {
                "where": edit.where,
                "file": str(repair.sheet.path),
                "line": line,
                "column": column,
                "old": edit.old,
                "new": edit.new,
                "message": _message(edit),
                "sure": edit.sure,
                "old_line": repair.sheet.line(line),
                "new_line": repair.changed.line(repair.changed.line_of(edit.where, edit.new)[0]),
            }
        )
    return sorted(proposals, key=lambda proposal: (proposal["line"], proposal["column"]))


def _message(edit: Edit) -> str:
    """What has become of a selector, and what to put in its place."""
    is_path = _names.fullmatch(edit.old) and _names.fullmatch(edit.new)
    gone = edit.lost == "nothing" and is_path
    happened = f"{_quoted(edit.old)} {'is gone' if gone else LOST[edit.lost]}"
    if not edit.sure and not edit.rivals:
        return f"{happened}; perhaps {_quoted(edit.new)} is meant: compare what it finds"
    new = (
        f"the recorded values are now at {_quoted(edit.new)}"
        if is_path
        else f"{_quoted(edit.new)} finds what was recorded"
    )
    if not edit.rivals:
        return f"{happened}; {new}"
    return f"{happened}; {new}, but they are at {' and '.join(map(_quoted, edit.rivals[:2]))} too: choose"


def _quoted(text: str) -> str:
    """A selector in a sentence; those of JMESPath may have backticks in them."""
    return repr(text) if "`" in text else f"`{text}`"
