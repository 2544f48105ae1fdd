"""The thread that reads what to download."""

from __future__ import annotations

from concurrent.futures import CancelledError
from contextlib import suppress
from typing import TYPE_CHECKING, Any

from qetch.client.job import Job, job_of
from qetch.client.request import DownloadReport, DownloadRequest, shown
from qetch.extractors import GenericExtractor, find_extractor

if TYPE_CHECKING:
    from collections.abc import Callable, Iterable

    from qetch.client.run import Run
    from qetch.content import Content


class Feeder:
    """Makes jobs, or pages, of what somebody's iterable gives.

    Args:
        run: Takes them.
        items: What to download.
        url_map: Makes a URL or a request of each, if they are none.
        reserve: Gives files by their own URLs their plain names; None if the URLs are not those of pages.

    Attributes:
        is_known: Whether all of them are there already, so that each is accounted for, also after a cancellation.
    """

    def __init__(
        self,
        run: Run,
        items: Iterable[Any],
        url_map: Callable[[Any], Any] | None,
        reserve: Callable[[Content], object] | None,
    ) -> None:
        self.is_known = isinstance(items, list | tuple | set | frozenset | dict)
        self._run = run
        self._is_at_once = run.client.settings.max_concurrent > 1  # else a file waits for the pages before it
        self._items = items
        self._map = url_map
        self._reserve = reserve

    def work(self) -> None:
        """Reads until there is no more, or everything shall end.

        Raises:
            Exception: What the iterable raises.
        """
        for item in self._items:
            self._begin(item)
            if self._run.canceled.is_set() and not self.is_known:
                break

    def _begin(self, item: Any) -> None:
        is_page, canceled = self._reserve is not None, self._run.canceled.is_set()
        try:
            job = job_of(item if canceled else self._mapped(item), is_page=is_page)
        except Exception as error:  # noqa: BLE001 - `failed` logs what is a bug
            job = Job(DownloadReport(shown(item)), "", is_page=is_page)
            self._run.make_room(job)
            self._run.failed(job, CancelledError() if canceled else error)
        else:
            if self._reserve is not None and not canceled and _is_file(job.report.url):
                self._begin_file(job, self._reserve)
            else:
                self._run.begin(job)

    def _begin_file(self, page: Job, reserve: Callable[[Content], object]) -> None:
        """Begins the download of a file by its own URL, for which no host need be asked first.

        Its plain name goes to the first URL of the list that ends in it, whatever comes first.
        """
        url = page.report.url
        extractor = GenericExtractor()
        extractor.root = self._run.client.session
        [(content,)] = extractor.extract(url)
        reserve(content)
        self._run.begin(Job.of(DownloadRequest(url), content) if self._is_at_once else page)

    def _mapped(self, item: Any) -> Any:
        """What the map makes of an object, which comes back with the report."""
        if self._map is None:
            return item
        found = self._map(item)
        return DownloadRequest(found, data=item) if isinstance(found, str) else found


def _is_file(url: str) -> bool:
    """Whether a URL is that of a file, and of no site that qetch knows."""
    with suppress(Exception):  # of somebody's extractor too; the extraction will say it
        return find_extractor(url) is GenericExtractor
    return False
