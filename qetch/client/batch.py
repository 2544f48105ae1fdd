"""The reports of many downloads, as those who asked for them see them."""

from __future__ import annotations

from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from collections.abc import Iterator

    from qetch.client.request import DownloadReport
    from qetch.client.run import Run


class Batch:
    """The reports of downloads that have begun, each as it completes.

    Iterate over it: the downloads go on meanwhile, up to a bound, and who stops before the end cancels the rest.
    """

    def __init__(self, run: Run) -> None:
        self._run = run

    def __iter__(self) -> Iterator[DownloadReport]:
        try:
            while (report := self._run.take()) is not None:
                yield report
        finally:
            self._run.cancel()  # at the end there is nothing left

    def wait(self) -> list[DownloadReport]:
        """All reports that nobody took yet, when everything is done."""
        self._run.drain()
        return list(self)

    def cancel(self) -> None:
        """Ends what runs, and begins no more; what had not ended by itself is reported as canceled."""
        self._run.cancel()
