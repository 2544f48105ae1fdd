"""The bridge to asyncio: threads do the work, and the caller's loop is told."""

from __future__ import annotations

import threading
from typing import TYPE_CHECKING, Any, TypeVar

if TYPE_CHECKING:
    import asyncio
    from collections.abc import AsyncGenerator, Callable, Generator

    from qetch.client.request import DownloadReport
    from qetch.client.run import Run

Result = TypeVar("Result")


async def in_thread(work: Callable[[], Result]) -> Result:
    """What a function returns that runs in a thread of its own.

    The thread keeps neither the loop nor the process alive, as those of `asyncio.to_thread` would: who cancels does
    not wait for a host.
    """
    import asyncio  # late: most programs do without

    loop = asyncio.get_running_loop()
    future: asyncio.Future[Result] = loop.create_future()

    def finish(result: Any, error: BaseException | None) -> None:
        if future.done():
            return
        if error is None:
            future.set_result(result)
        else:
            future.set_exception(error)

    def run() -> None:
        result, error = None, None
        try:
            result = work()
        except BaseException as raised:  # noqa: BLE001 - it is raised again where the task waits
            error = raised
        _tell(loop, finish, result, error)

    threading.Thread(target=run, name="qetch-async", daemon=True).start()
    return await future


def _tell(loop: asyncio.AbstractEventLoop, call: Callable[..., object], *arguments: object) -> None:
    try:
        loop.call_soon_threadsafe(call, *arguments)
    except RuntimeError:  # the loop is closed: nobody waits any more
        return


class AsyncBatch:
    """The reports of many downloads, for asyncio: `await` it for the list of all, or `async for` each as it completes.

    The downloads begin then. If the task that waits for them is canceled, or stops before the end, they are.
    """

    def __init__(self, begin: Callable[[], Run]) -> None:
        self._begin = begin

    def __await__(self) -> Generator[Any, None, list[DownloadReport]]:
        return self._all().__await__()

    async def _all(self) -> list[DownloadReport]:
        return [report async for report in self]

    async def __aiter__(self) -> AsyncGenerator[DownloadReport]:
        import asyncio

        loop, news = asyncio.get_running_loop(), asyncio.Event()
        run = self._begin()
        run.on_change = lambda: _tell(loop, news.set)
        try:
            while True:
                news.clear()
                ended = run.ended  # asked first: what comes before the end is there then
                report = run.poll()
                if report is not None:
                    yield report
                elif ended:
                    await in_thread(run.finish)
                    return
                else:
                    await news.wait()
        finally:
            if not run.ended:
                await in_thread(run.cancel)
