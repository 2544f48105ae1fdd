"""Explains a URL: who claims it, what is asked and found, and what to change where a site has changed."""

from __future__ import annotations

from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING

from qetch.errors import FileError, QetchError
from qetch.extractors._spec import SpecExtractor
from qetch.tools.explain.claims import find_claim
from qetch.tools.explain.propose import repair
from qetch.tools.explain.running import reference_for, remember, run, trial_on
from qetch.tools.explain.sheet import Sheet
from qetch.tools.explain.trace import Trace
from qetch.tools.spec_files import cassettes_for

if TYPE_CHECKING:
    from collections.abc import Callable

    import requests

    from qetch.tools.explain.claims import Claim
    from qetch.tools.explain.memory import RememberingSession
    from qetch.tools.explain.propose import Repair


@dataclass(slots=True)
class Explanation:
    """All that is known of a URL.

    Attributes:
        error: What the run ended in.
        repair: What the comparison with recorded answers came to; None if there were none to compare with.
        uncompared: Why nothing was compared.
    """

    url: str
    claim: Claim
    trace: Trace
    error: QetchError | None = None
    repair: Repair | None = None
    uncompared: str = ""


def explain(
    url: str,
    prepare: Callable[[requests.Session], None],
    cassettes: Path | None = None,
    auth: tuple[str, ...] | None = None,
) -> Explanation:
    """Runs a URL while somebody looks on, and compares what is found with the cassettes.

    Args:
        url: What to explain.
        prepare: Makes a session answer as the user wants it, such as from cassettes.
        cassettes: The folder with recorded answers to compare with; by default that beside the spec.
        auth: Credentials, if not those of the registry.

    Raises:
        InvalidURL: It is none that qetch can read.
        UserError: The folder is not there.
        FileError: A cassette cannot be read.
    """
    claim = find_claim(url)
    if claim.extractor is None:
        return Explanation(url, claim, Trace(), claim.error)
    extractor = claim.extractor()
    if not isinstance(extractor, SpecExtractor):
        prepare(extractor.session)
        with extractor.session:
            trace, error = run(extractor, url, auth)
        return Explanation(url, claim, trace, error, uncompared="this is no spec")
    with remember(extractor) as session:
        prepare(session)
        trace, error = run(extractor, url, auth)
        found = Explanation(url, claim, trace, error)
        _compare(found, extractor, session, cassettes, auth)
    return found


def _compare(
    found: Explanation,
    extractor: SpecExtractor,
    session: RememberingSession,
    cassettes: Path | None,
    auth: tuple[str, ...] | None,
) -> None:
    site = extractor.site
    spec = Path(found.claim.path or site.path or "")
    folder = cassettes_for(spec, site.name, cassettes)
    if folder is None:
        found.uncompared = f"there are no cassettes of {site.name} - `qetch record` makes them"
        return
    if not any(asked.answer for visit in found.trace.visits for asked in visit.requests):
        asked = any(asked.method for visit in found.trace.visits for asked in visit.requests)
        found.uncompared = "there was no answer" if asked else "nothing was asked"
        return
    reference = reference_for(site, found.claim.handle, found.url, folder)
    if reference is None:
        found.uncompared = f"the cassettes in {folder} hold no good answer of this handle"
        return
    found.repair = repair(_sheet(spec), reference, found.trace, trial_on(session, found.url, auth))


def _sheet(spec: Path) -> Sheet:
    try:
        return Sheet(spec, spec.read_text("utf-8"))
    except (OSError, ValueError) as error:
        raise FileError(f"cannot read {spec}: {error}") from None
