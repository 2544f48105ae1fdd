"""`python -m qetch` is `qetch`."""

from __future__ import annotations

from qetch.cli import main

if __name__ == "__main__":
    raise SystemExit(main())
