"""Records the examples of a site: runs them live, and writes a cassette for each handle."""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Any

from qetch.errors import FileError, QetchError
from qetch.tools.cassette import keys_of, read_records, refuse_secrets, write
from qetch.tools.examples import ask, play
from qetch.tools.guard import known_secrets
from qetch.tools.records import Record, make_record
from qetch.tools.scrub import TELLING, Scrubber

if TYPE_CHECKING:
    from collections.abc import Iterable, Iterator
    from pathlib import Path

    from qetch.session import Session
    from qetch.spec.model import Site
    from qetch.tools.examples import Case, Result
    from qetch.tools.records import Key
    from qetch.tools.tape import Tape


@dataclass(slots=True)
class Recording:
    """The records of one site, while they are made.

    Attributes:
        folder: Where the cassettes of the site are.
        whole: Whether all examples of a handle are asked; if all are recorded, its cassette is made anew.
        left: What was not recorded, since another cassette answers it: the request, and the file.
    """

    site: Site
    folder: Path
    whole: bool = True
    results: list[Result] = field(default_factory=list)
    left: list[tuple[Key, Path]] = field(default_factory=list)
    _records: dict[str, list[Record]] = field(default_factory=dict)
    _old: dict[str, list[Record]] = field(default_factory=dict)
    _secrets: dict[str, set[str]] = field(default_factory=dict)
    _headers: frozenset[str] = frozenset()
    _elsewhere: dict[Key, Path] = field(default_factory=dict)
    _known: set[Key] = field(default_factory=set)

    def prepare(self, handles: Iterable[str]) -> None:
        """Looks at what is there, before anybody is asked.

        Raises:
            FileError: A cassette of one of the handles cannot be replaced, since somebody else wrote it.
        """
        files = {handle: self.folder / f"{handle}.yaml" for handle in handles}
        for handle, file in files.items():
            self._old[handle] = read_records(file) if file.exists() else []
            self._records[handle] = []
        for file in sorted(self.folder.rglob("*.yaml")):
            if file not in files.values():
                self._elsewhere |= dict.fromkeys(keys_of(file), file)
        self._secrets = known_secrets(self.site)
        self._headers = headers_read(self.site)

    def ask(self, case: Case, *, allow_private: bool = False) -> Result:
        """Runs an example live, and keeps its records unless it ended in an error that it does not expect.

        It fails if an answer is too large for a cassette, or holds a secret that no rule takes out.
        """
        from qetch.tools.tape import Tape

        tape = Tape()
        result = ask(case, allow_private=allow_private, prepare=lambda session: listen(session, tape))
        self.results.append(result)
        unexpected = result.error is not None and result.outcome == "failed"
        if result.outcome != "skipped" and not unexpected:
            try:
                self._keep(case.handle, tape)
            except FileError as error:
                result.error = error
                result.failed(str(error))
        return result

    def _keep(self, handle: str, tape: Tape) -> None:
        """Adds the records of a run; what an earlier run has asked is recorded already."""
        self._secrets.setdefault(self.site.name, set()).update(
            secret for secret in tape.secrets if len(secret) >= TELLING
        )
        known = {secret for secrets in self._secrets.values() for secret in secrets}
        scrubber = Scrubber(tape.secrets | known)
        made = [make_record(exchange, scrubber, self._headers) for exchange in tape.exchanges]
        new = [record for record in made if record.key not in self._known]
        refuse_secrets(self.folder / f"{handle}.yaml", new, self._secrets)
        for key in {record.key: None for record in new}:
            if key in self._elsewhere:
                self.left.append((key, self._elsewhere[key]))
        new = [record for record in new if record.key not in self._elsewhere]
        self._known |= {record.key for record in new}
        self._records[handle] += new

    def kept(self) -> list[str]:
        """The handles that have something to be written."""
        kept = {result.case.handle for result in self.results if _is_kept(result)}
        return [handle for handle, records in self._records.items() if records and handle in kept]

    def write(self, handle: str) -> Path:
        """Writes the cassette of a handle, and says which file it is. What was there stays for what was not recorded.

        Raises:
            FileError: It cannot be written, or would hold a secret.
        """
        file, new = self.folder / f"{handle}.yaml", self._records[handle]
        whole = self.whole and all(_is_kept(result) for result in self.results if result.case.handle == handle)
        keys = {record.key for record in new}
        old = [] if whole else [record for record in self._old[handle] if record.key not in keys]
        write(file, [*old, *new], self._secrets)
        return file

    def differing(self) -> Iterator[tuple[Result, str]]:
        """The examples that do not give from the cassettes what they gave live, and how."""
        for result in self.results:
            if _is_kept(result):
                again = play(result.case, self.folder if self.folder.is_dir() else None)
                reason = _difference(result, again)
                if reason:
                    yield result, reason


def _is_kept(result: Result) -> bool:
    return result.outcome == "passed" or (result.outcome == "failed" and result.error is None)


def _difference(live: Result, again: Result) -> str:
    if type(live.error) is not type(again.error):
        ended = f"ends in {type(again.error).__name__}: {again.error}" if again.error else "ends well"
        return f"the recording {ended}"
    if live.outcome == "passed" and again.outcome == "failed":
        return f"from the recording, {again.problems[0]}"
    uids = [[content.uid for content in contents] for result in (live, again) for contents in result.lists]
    half = len(live.lists)
    if uids[:half] != uids[half:]:
        return f"the recording gives {len(again.lists)} items instead of {half}, or others"
    return ""


def listen(session: Session, tape: Tape) -> None:
    """Lets a session send everything over adapters that record."""
    from qetch.tools.tape import RecordingAdapter

    adapter = RecordingAdapter(session, tape)
    for prefix in ("http://", "https://"):
        session.mount(prefix, adapter)


def headers_read(site: Site) -> frozenset[str]:
    """The names of the answer's headers that a site's file reads.

    Raises:
        FileError: The file cannot be read.
    """
    from qetch.spec.load import load

    if site.path is None:
        return frozenset()
    try:
        return frozenset(_headers(load(site.path, site.path.read_bytes()).data))
    except (OSError, QetchError):
        raise FileError(f"{site.path}: cannot be read any more") from None


def _headers(data: Any) -> Iterator[str]:
    for key, inner in data.items() if isinstance(data, dict) else enumerate(data) if isinstance(data, list) else ():
        if key == "header" and isinstance(inner, str):
            yield inner
        yield from _headers(inner)
