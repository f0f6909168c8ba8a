"""What may be varied, how it is written, and that nothing is started that cannot be."""

from __future__ import annotations

import math
from itertools import islice
from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st

from asked import planned
from dlkit.catalog import Catalog
from dlkit.config import Layer
from dlkit.errors import UsageError
from dlkit.studies.space import Space, drawn, grid, pick, space_of
from dlkit.studies.vary import Range, axis
from toy import toy_catalog


@pytest.fixture(scope="module")
def catalog() -> Catalog:
    return toy_catalog("extras")


def space(catalog: Catalog, *words: str, layers: list[Layer] | None = None) -> Space:
    return space_of(catalog, "toy", layers or [], [axis(word) for word in words])


@pytest.mark.parametrize(
    ("word", "values"),
    [
        ("trainer.lr=0.1,0.03", [0.1, 0.03]),
        ("lr = 0.1 , 0.03", [0.1, 0.03]),
        ("--trainer.lr=1e-3|2e-3", [1e-3, 2e-3]),
        ("engine.batch-size=1..4", [1, 2, 3, 4]),
        ("engine.compile=true,false", [True, False]),
        ("trainer.optimizer=sgd,adamw", ["sgd", "adamw"]),
        ("engine.max_time=none,9m", [None, 540.0]),
        ("engine.steps=3", [3]),
        ("lr=0.1,0.1", [0.1]),
    ],
)
def test_alternatives(catalog: Catalog, word: str, values: list[object]) -> None:
    found = grid(space(catalog, word))
    assert [next(iter(setting.values())) for setting in found] == values


def test_values_of_lists() -> None:
    """A comma belongs to the value; alternatives are apart by bars, or in brackets."""
    catalog = Catalog.load_everything()
    for text in ("64|128,64", "[64],[128,64]", "[64]|[128, 64]"):
        (found,) = space_of(catalog, "regression", [], [axis(f"model.hidden={text}")]).branches
        assert found.domains["model.hidden"] == ([64], [128, 64])


def test_options_are_varied_where_they_exist(catalog: Catalog) -> None:
    """Two models, an option of one: as many settings as differ."""
    found = grid(space(catalog, "model=linear,mlp", "model.dropout=0,0.5", "model.tied=true,false"))
    by_model = {name: [s for s in found if s["model.name"] == name] for name in ("linear", "mlp")}
    assert all("model.tied" not in setting for setting in by_model["linear"])
    assert len(by_model["linear"]) == 2 and len(found) == len({repr(s) for s in found})


@pytest.mark.parametrize(
    ("words", "says"),
    [
        (["trainer.lrr=1,2"], "--vary trainer.lrr: none of the chosen components has it; did you mean 'trainer.lr'?"),
        (["trainr.lr=1,2"], "--vary trainr.lr: no such option: did you mean 'trainer'?"),
        (["model=linaer"], "did you mean 'linear'?"),
        (["trainer.lr"], "give KEY=VALUES, for example trainer.lr=0.1,0.03"),
        (["seed=1,2"], "seeds are not settings: --seeds N"),
        (["lr=1,2", "trainer.lr=3"], "--vary trainer.lr: given twice"),
        (["lr=1..2"], "a grid takes values one by one, and this is a range"),
        (["lr=2..1"], "a range goes from a number to a larger one"),
        (["lr=log:0..1"], "log: takes numbers above 0"),
        (["engine.batch_size=1.5..3"], "engine.batch_size takes whole numbers"),
        (["engine.batch_size=1..100000"], "more than 10000 values"),
    ],
)
def test_what_is_wrong_is_named(catalog: Catalog, words: list[str], says: str) -> None:
    with pytest.raises(UsageError) as error:
        grid(space(catalog, *words))
    assert says in str(error.value)


@pytest.mark.usefixtures("toy_installed")
def test_a_setting_that_does_not_fit_starts_nothing(tmp_path: Path) -> None:
    with pytest.raises(UsageError) as error:
        planned(tmp_path / "w", "lr=0.1,-1", "engine.batch_size=16,0")
    text = str(error.value)
    assert text.startswith("nothing was started: these settings do not fit:")
    assert "trainer.lr -1" in text and "must be a number above 0" in text and "engine.batch_size = 0" in text
    assert text.endswith("--skip-unfit leaves such settings out") and not (tmp_path / "w").exists()
    found = planned(tmp_path / "w", "lr=0.1,-1", "engine.batch_size=16,0", skip_unfit=True)
    assert found.settings == [{"trainer.lr": 0.1, "engine.batch_size": 16}] and len(found.left_out) == 3


@pytest.mark.usefixtures("toy_installed")
def test_drawn_settings_are_judged_by_the_ends_of_their_ranges(tmp_path: Path) -> None:
    """One draw in a million would break the bound: it is named before the first."""
    with pytest.raises(UsageError, match=r"model\.dropout = 1\.0"):
        planned(tmp_path, "model.dropout=0..1", search="random", trials=3)


def test_draws_are_a_function_of_their_seed(catalog: Catalog) -> None:
    there = space(catalog, "model=linear,mlp", "lr=log:1e-4..1e-1", "engine.batch_size=1..64")
    first = list(islice(drawn(there, 7), 20))
    assert first == list(islice(drawn(there, 7), 20)) != list(islice(drawn(there, 8), 20))
    assert list(islice(drawn(there, 7, first[:12]), 8)) == first[12:], "who goes on draws the next ones"
    assert all(1e-4 <= s["trainer.lr"] <= 1e-1 and 1 <= s["engine.batch_size"] <= 64 for s in first)  # type: ignore[operator]


def test_a_space_that_is_used_up_ends(catalog: Catalog) -> None:
    there = space(catalog, "lr=0.1,0.2,0.3")
    assert sorted(s["trainer.lr"] for s in drawn(there, 0)) == [0.1, 0.2, 0.3]  # type: ignore[type-var]
    assert list(drawn(there, 0, grid(there))) == []


@given(st.floats(1e-6, 1e6), st.floats(1.5, 1e6), st.booleans(), st.booleans(), st.randoms(use_true_random=False))
def test_what_is_drawn_lies_in_its_range(low: float, factor: float, whole: bool, log: bool, rng: object) -> None:
    high = low * factor
    if whole:
        low, high = float(max(1, round(low))), float(round(low) + max(1, round(high)))
    value = pick(Range(low, high, whole, log), rng)  # type: ignore[arg-type]
    assert isinstance(value, int if whole else float) and low <= float(str(value)) <= high


def test_a_logarithmic_range_is_even_in_powers_of_ten(catalog: Catalog) -> None:
    draws = islice(drawn(space(catalog, "lr=log:1e-4..1"), 0), 400)
    counts = [0] * 4
    for setting in draws:
        counts[min(3, int(math.log10(float(str(setting["trainer.lr"]))) + 4))] += 1
    assert min(counts) > 60, counts
