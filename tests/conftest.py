"""For all tests: the samples in these folders are read by tests, and are no site files whose examples pytest should run."""

from __future__ import annotations

collect_ignore_glob = ["specs/*", "repairs/*"]
