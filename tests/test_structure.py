"""The tree's structure stays what makes it readable: sizes, types, reasons. ``python tests/structure.py`` prints it."""

from __future__ import annotations

import statistics

import pytest

from structure import ROOT, Module, measure, product

LONGEST_FUNCTION, LONGEST_MODULE = 50, 400
MOST_ANY = 60
REASONED = ("engine", "jobs", "runs", "data")
COMMENTS = 3.0
"""Comments for each 100 lines of the rooms whose code has the most reasons."""


@pytest.fixture(scope="module")
def modules() -> list[Module]:
    return [measure(path) for path in product()]


def test_functions_are_short(modules):
    functions = [function for module in modules for function in module.functions]
    lengths = sorted(function.lines for function in functions)
    long = [f"{f.path.relative_to(ROOT)}:{f.line} {f.name}: {f.lines}" for f in functions if f.lines > LONGEST_FUNCTION]
    assert not long, "\n".join(long)
    assert statistics.median(lengths) <= 6
    assert lengths[int(0.9 * (len(lengths) - 1))] <= 16


def test_a_module_holds_one_idea(modules):
    long = [f"{m.path.relative_to(ROOT)}: {m.lines}" for m in modules if m.lines > LONGEST_MODULE]
    assert not long, "\n".join(long)


def test_signatures_say_what_they_take_and_give(modules):
    counts = {str(m.path.relative_to(ROOT)): m.any_mentions for m in modules if m.any_mentions}
    most = sorted(counts, key=lambda name: -counts[name])[:10]
    assert sum(counts.values()) <= MOST_ANY, f"Any in signatures; most: {[(name, counts[name]) for name in most]}"


@pytest.mark.parametrize("room", REASONED)
def test_code_with_reasons_says_them(room, modules):
    inside = [m for m in modules if ROOT / "dlkit" / room in m.path.parents]
    found = 100 * sum(m.comments for m in inside) / sum(m.lines for m in inside)
    assert found >= COMMENTS, f"dlkit/{room}: {found:.2f} comments for each 100 lines"
