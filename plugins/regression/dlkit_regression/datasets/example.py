"""An example of the tables that ``files`` reads."""

from __future__ import annotations

from pathlib import Path

from dlkit.data.example import Example
from dlkit.data.seeds import rng

_ADDS = {"centre": 300, "harbour": 220, "hills": 120}
"""To the rent, by the place."""


def write(folder: Path) -> Example:
    """160 flats: numbers, a word and a date, of which the rent follows, but for what nobody knows."""
    generator = rng(0, "example")
    lines = ["square_metres,rooms,place,built,rent"]
    for _ in range(160):
        metres, rooms = generator.uniform(25, 140), int(generator.integers(1, 6))
        place, year = list(_ADDS)[generator.integers(len(_ADDS))], int(generator.integers(1900, 2020))
        rent = 11 * metres + 40 * rooms + _ADDS[place] + 2 * (year - 1900) + 30 * generator.normal()
        lines.append(f"{metres:.1f},{rooms},{place},{year}-{generator.integers(1, 13):02}-01,{rent:.0f}")
    (folder / "flats.csv").write_text("\n".join([*lines, ""]), encoding="utf-8")
    what = "a header, then a row a sample: numbers, words and dates to predict from; the last column is predicted"
    return Example({"path": str(folder / "flats.csv"), "unit": "€"}, {"flats.csv": what})
