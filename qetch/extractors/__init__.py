"""Extractors: who can handle a URL, and what it yields.

Classes made from specs are attributes of this package, and of a module of their own, under the name that the spec
gives them; see `qetch.extractors.modules`.
"""

from __future__ import annotations

import sys
from typing import TYPE_CHECKING, Any

from qetch.extractors.modules import SpecModules

if TYPE_CHECKING:
    from qetch.extractors._common import BaseExtractor
    from qetch.extractors.generic import GenericExtractor

__all__ = ["BaseExtractor", "GenericExtractor", "find_extractor"]

sys.meta_path.append(SpecModules())


def find_extractor(url: str, generic: bool = True) -> type[BaseExtractor]:
    """Who handles a URL: a hand-written extractor (the latest first), else a spec, else the generic one for files.

    Args:
        url: Of http or https.
        generic: Whether the generic extractor is asked too.

    Raises:
        InvalidURL: It is not a URL that qetch can read.
        UnsupportedURL: No site claims it, and it is not the URL of a file.
        SiteClosed: It belongs to a dead site, and no handle of its spec claims it.
        SpecError: The spec that claims it has become unreadable.
    """
    from qetch.errors import UnsupportedURL
    from qetch.extractors._common import hand_written
    from qetch.extractors.hosts import split
    from qetch.extractors.registry import registry

    split(url)
    for reference in reversed(hand_written):
        extractor = reference()
        if extractor is not None and extractor.can_handle(url):
            return extractor
    try:
        return registry().find(url)
    except UnsupportedURL:
        from qetch.extractors.generic import GenericExtractor

        if generic and GenericExtractor.can_handle(url):
            return GenericExtractor
        raise


def __getattr__(name: str) -> Any:
    if name == "BaseExtractor":
        from qetch.extractors._common import BaseExtractor

        return BaseExtractor
    if name == "GenericExtractor":
        from qetch.extractors.generic import GenericExtractor

        return GenericExtractor
    if not name[:1].isupper():  # no class: the import machinery asks for submodules here too
        raise AttributeError(f"module {__name__!r} has no attribute {name!r}")
    from qetch.extractors.modules import find_class

    return find_class(__name__, name)


def __dir__() -> list[str]:
    from qetch.extractors.registry import registry

    return sorted({*__all__, *(entry.class_name for entry in registry().entries)})
