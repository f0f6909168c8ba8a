"""What a proof found: rows of a table, each with what was allowed."""

from __future__ import annotations

import json
from collections.abc import Mapping
from dataclasses import asdict, dataclass, field
from pathlib import Path
from typing import Any

from dlkit.present.table import markdown_table, table

FILE = "proof.json"


Told = Mapping[str, Any]
"""A proof for programs, in JSON values."""


@dataclass(frozen=True)
class Row:
    """One thing that was looked at. ``passed`` None: it is told, and nothing depends on it."""

    what: str
    found: str
    allowed: str = ""
    passed: bool | None = None

    @property
    def verdict(self) -> str:
        return {True: "equal", False: "NOT EQUAL", None: ""}[self.passed]


@dataclass
class Proof:
    """Rows, in the order in which they were found; ``remarks``: what could not be looked at, and why."""

    rows: list[Row] = field(default_factory=list)
    remarks: list[str] = field(default_factory=list)

    @property
    def passed(self) -> bool:
        return not any(row.passed is False for row in self.rows)

    def add(self, what: str, found: str, allowed: str = "", passed: bool | None = None) -> None:
        self.rows.append(Row(what, found, allowed, passed))

    def text(self) -> str:
        """The table for a terminal."""
        return "\n".join([table(_HEADERS, self._cells()), *self.remarks])

    def markdown(self) -> str:
        """The table for the folder's README."""
        return "\n".join([markdown_table(_HEADERS, self._cells()), "", *(f"- {remark}" for remark in self.remarks)])

    def write(self, folder: Path) -> None:
        (folder / FILE).write_text(json.dumps(self.told(), ensure_ascii=False, indent=1) + "\n", encoding="utf-8")

    def told(self) -> Told:
        """For programs."""
        return {"passed": self.passed, "rows": [asdict(row) for row in self.rows], "remarks": self.remarks}

    def _cells(self) -> list[tuple[str, str, str, str]]:
        return [(row.what, row.found, row.allowed, row.verdict) for row in self.rows]


_HEADERS = ("what was compared", "found", "allowed", "verdict")
