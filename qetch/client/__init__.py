"""Many URLs at once: one client object, events, strategies, asyncio."""

from __future__ import annotations

from qetch.client.aio import AsyncBatch
from qetch.client.batch import Batch
from qetch.client.client import Client
from qetch.client.listener import DownloadEventListener
from qetch.client.request import DownloadReport, DownloadRequest, ReportState
from qetch.client.strategy import BackOff, Lenient, RequestStrategy
from qetch.client.targets import url_path

__all__ = [
    "AsyncBatch",
    "BackOff",
    "Batch",
    "Client",
    "DownloadEventListener",
    "DownloadReport",
    "DownloadRequest",
    "Lenient",
    "ReportState",
    "RequestStrategy",
    "url_path",
]
