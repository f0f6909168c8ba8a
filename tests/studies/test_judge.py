"""No winner that cannot be defended: on studies made up with known differences."""

from __future__ import annotations

import math

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from dlkit.studies.judge import Difference, Values, difference, grain, judge

SEEDS = 5


def study(
    rng: np.random.Generator, gaps: list[float], seeds: int = SEEDS, shared: float = 1.0, step: float = 0.0
) -> dict[int, Values]:
    """Settings whose true means are ``gaps``, in units of the spread that a seed has beside what all settings share."""
    common = shared * rng.normal(size=seeds)
    values = {
        number: {seed: float(gap + common[seed] + rng.normal()) for seed in range(seeds)}
        for number, gap in enumerate(gaps)
    }
    if step:
        values = {n: {seed: round(value / step) * step for seed, value in v.items()} for n, v in values.items()}
    return values


def test_of_200_studies_at_most_5_percent_have_a_false_winner() -> None:
    """Pairs of settings, half equal, half unequal by known amounts: false is a winner that is not the better."""
    rng = np.random.default_rng(0)
    false = 0
    for number in range(200):
        gap = 0.0 if number % 2 == 0 else (0.5, 1.0, 2.0, 4.0)[number // 2 % 4]
        winner = judge(study(rng, [0.0, gap]), "max").winner
        false += winner is not None and (gap == 0 or winner != 1)
    assert false <= 10, false


@pytest.mark.parametrize("settings", [2, 3, 8])
@pytest.mark.parametrize("step", [0.0, 0.5])
@pytest.mark.parametrize("seeds", [2, 3, 5, 10])
def test_equal_settings_have_no_winner_however_many_they_are(settings: int, step: float, seeds: int) -> None:
    """Rounded values too, as accuracies are: two equal differences of one step each are no certainty."""
    rng = np.random.default_rng(settings * 100 + seeds)
    studies = 600
    found = sum(judge(study(rng, [0.0] * settings, seeds, step=step), "min").winner is not None for _ in range(studies))
    # 5 % at most in truth: of 600 a binomial count is above 43 in one of 200 cases.
    assert found <= 43, found


def test_undecided_falls_as_seeds_grow() -> None:
    rng = np.random.default_rng(1)
    undecided = [
        sum(judge(study(rng, [0.0, 1.0], seeds), "max").winner is None for _ in range(200))
        for seeds in (2, 4, 8, 16, 32)
    ]
    assert undecided == sorted(undecided, reverse=True) and undecided[0] > 150 and undecided[-1] < 20, undecided


def test_pairing_takes_away_what_seeds_share() -> None:
    """A spread ten times the difference, common to both: paired it is nothing."""
    rng = np.random.default_rng(2)
    values = study(rng, [0.0, 3.0], 8, shared=30.0)
    found = judge(values, "max")
    assert found.winner == 1 and found.against[0].paired
    apart = {0: values[0], 1: {seed + 100: value for seed, value in values[1].items()}}
    other = judge(apart, "max")
    assert other.winner is None and not other.against[other.undecided[0]].paired


def test_equal_differences_do_not_spread() -> None:
    """By less than a sum's rounding, that is."""
    gap = difference({0: 0.9, 1: 0.9, 2: 0.9}, {0: 0.2, 1: 0.2, 2: 0.2})
    assert gap.half == 0.0 and gap.decided


def test_what_one_seed_says() -> None:
    found = judge({0: {0: 1.0}, 1: {0: 2.0}}, "min")
    assert (found.leader, found.winner) == (0, None)
    assert found.against == {1: Difference(1.0, None, 1, True)}
    assert judge({}, "min").leader is None and judge({0: {}}, "min").leader is None
    assert judge({0: {0: 1.0, 1: 2.0}}, "min").winner is None, "there is nobody that it beats"


def test_how_many_more_seeds_would_tell() -> None:
    """Those that are foretold, at the spread seen, do tell."""
    one = {0: 1.0, 1: 2.0, 2: 3.0, 3: 4.0}
    other = {0: 1.5, 1: 1.8, 2: 3.9, 3: 4.4}
    found = difference(one, other, -1.0)
    assert found.more is not None and not found.decided
    spread, n = found.half or 0.0, found.n + found.more
    from dlkit.runs.groups import t_quantile

    std = spread * math.sqrt(found.n) / t_quantile(found.n - 1)
    assert t_quantile(n - 1) * std / math.sqrt(n) < found.mean <= t_quantile(n - 2) * std / math.sqrt(n - 1)
    assert difference(one, dict(one)).more is None, "equal ones are told apart by no number"


VALUES = st.dictionaries(st.integers(0, 9), st.floats(-1e6, 1e6), max_size=6)


@given(st.dictionaries(st.integers(0, 20), VALUES, max_size=6), st.sampled_from(["min", "max"]))
def test_a_verdict_holds_together(values: dict[int, Values], direction: str) -> None:
    found = judge(values, direction)
    there = {number: sum(v.values()) / len(v) for number, v in values.items() if v}
    assert found.leader is None or found.leader in there
    assert set(found.against) == set(there) - {found.leader}
    if found.winner is not None:
        assert found.winner == found.leader and not found.undecided
    mirrored = judge(
        {n: {s: -x for s, x in v.items()} for n, v in values.items()}, {"min": "max", "max": "min"}[direction]
    )
    assert (mirrored.winner, mirrored.leader) == (found.winner, found.leader)


@given(st.lists(st.floats(allow_nan=True, allow_infinity=True), max_size=9))
def test_a_grain_is_the_smallest_step(values: list[float]) -> None:
    step = grain(values)
    finite = {value for value in values if math.isfinite(value)}
    assert step == min((abs(a - b) for a in finite for b in finite if a != b), default=0.0)
