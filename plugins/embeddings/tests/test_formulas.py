"""Every formula of the documentation is named by the code that computes it, and by a test that proves it."""

from __future__ import annotations

import re
from pathlib import Path

import pytest

PLUGIN = Path(__file__).parent.parent
FORMULA = re.compile(r"^    .*\((C?\d+)\)$", re.MULTILINE)
PAGES = {"README.md": 13, "CONJUGATION.md": 6}
"""Page → formulas on it."""


@pytest.mark.parametrize("page", PAGES)
def test_formulas_are_computed_and_proved(page: str) -> None:
    numbers = FORMULA.findall((PLUGIN / page).read_text(encoding="utf-8"))
    prefix = "C" if page == "CONJUGATION.md" else ""
    assert numbers == [f"{prefix}{number}" for number in range(1, PAGES[page] + 1)]
    for folder in ("dlkit_embeddings", "tests"):
        text = "\n".join(path.read_text(encoding="utf-8") for path in (PLUGIN / folder).rglob("*.py"))
        # A blank or a quotation mark before it: ``sum(1)`` names no formula.
        missing = [number for number in numbers if not re.search(rf"[\s\"]\({number}\)", text)]
        assert not missing, f"{folder} names no formula {', '.join(missing)}"
