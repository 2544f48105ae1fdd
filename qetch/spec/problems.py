"""A problem of a spec: a value until somebody prints it."""

from __future__ import annotations

from typing import NamedTuple


class Problem(NamedTuple):
    """What is wrong, where, and what would be right. Sorts by place; lines and columns count from 1."""

    file: str
    line: int
    column: int
    message: str
    cure: str = ""

    def __str__(self) -> str:
        cure = f" - {self.cure}" if self.cure else ""
        return f"{self.file}:{self.line}:{self.column}: {self.message}{cure}"
