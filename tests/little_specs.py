"""Small specs for tests about many specs."""

from __future__ import annotations

from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from collections.abc import Mapping, Sequence
    from pathlib import Path

    from qetch.extractors.index import Folder
    from qetch.extractors.registry import Registry

HANDLE = r"""
  {handle}:
    match: '{match}'
    examples: ["{example}"]
    get: "{{id}}"
    content: {{uid: id, url: url}}
"""


def spec(
    name: str,
    *,
    handles: Mapping[str, tuple[str, str]] | None = None,
    domains: Sequence[str] = (),
    top: str = "",
) -> str:
    """The text of a small spec. `handles`: {name: (match, example)}."""
    host = f"{name}.example"
    handles = handles or {"item": (rf"^https?://{host}/i/(?P<id>\w+)$".replace(".example", r"\.example"), "i/abc")}
    text = f"qetch: 1\nname: {name}\ndescription: A site for tests.\ndomains: [{', '.join(domains or [host])}]\n{top}"
    if "request:" not in top:
        text += f"request: {{as: json, base: 'https://{host}/api/'}}\n"
    text += "handles:"
    for handle, (match, example) in handles.items():
        example = example if "://" in example else f"https://{host}/{example}"
        text += HANDLE.format(handle=handle, match=match, example=example)
    return text


def put(folder: Path, **texts: str) -> None:
    """Write specs, each in the file of its keyword."""
    for stem, text in texts.items():
        (folder / f"{stem}.yaml").write_text(text)


def names(found: Registry | Folder) -> list[str]:
    """The sites of a registry, in order."""
    return [entry.name for entry in found.entries]
