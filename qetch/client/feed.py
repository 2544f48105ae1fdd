"""The thread that reads what to download."""

from __future__ import annotations

import sys
from collections.abc import Iterable, Sized
from typing import TYPE_CHECKING, Any

from qetch.client.job import Job, job_of
from qetch.client.request import DownloadReport, shown

if TYPE_CHECKING:
    from collections.abc import Callable

    from qetch.client.run import Run


class Feeder:
    """Makes jobs, or pages, of what somebody's iterable gives.

    Args:
        run: Takes them.
        items: What to download.
        url_map: Makes a URL or a request of each, if they are none.

    Attributes:
        most: How many there will be at most, as far as is known; at least 1.
    """

    def __init__(self, run: Run, items: Iterable[Any], url_map: Callable[[Any], Any] | None) -> None:
        self.most = max(len(items), 1) if isinstance(items, Sized) else sys.maxsize
        self._run = run
        self._items = items
        self._map = url_map

    def work(self) -> None:
        """Reads until there is no more, or everything shall end.

        Raises:
            Exception: What the iterable raises.
        """
        for item in self._items:
            self._begin(item)
            if self._run.canceled.is_set():
                break

    def _begin(self, item: Any) -> None:
        is_page = self._run.is_of_pages
        try:
            job = job_of(item if self._map is None else self._map(item), is_page=is_page)
        except Exception as error:  # noqa: BLE001 - `failed` logs what is a bug
            job = Job(DownloadReport(shown(item)), "", is_page=is_page)
            self._run.make_room(job)
            self._run.failed(job, error)
        else:
            self._run.begin(job)
