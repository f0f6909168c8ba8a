"""Comparisons that ship with plugins: each is what somebody could type, and has a quick form."""

from __future__ import annotations

import json
import sys
from collections.abc import Callable
from pathlib import Path

import pytest

from at_length import ALL
from dlkit.catalog import Catalog
from dlkit.cli.main import main
from dlkit.errors import PluginError, UsageError
from dlkit.studies import recipes as module
from dlkit.studies.recipes import Recipe, recipe_of, recipes
from installed import all_but

Offer = Callable[[str], None]
SHIPPED = [
    *("localization lenets", "detection grids", "embeddings perceptrons", "conjugation mlp-rnn", "textgen cells"),
    *("translation recurrent-transformer", "autoencoder families", "gan spectral", "classification descent"),
    *("classification initialisations", "classification optimizers", "classification pretrained"),
    "classification regularisations",
]


@pytest.fixture
def offer(tmp_path: Path, monkeypatch: pytest.MonkeyPatch, toy_installed: Path) -> Offer:
    """A plugin's folder with one recipe of this text."""
    folder = tmp_path / "site" / "with_recipes" / "studies"
    folder.mkdir(parents=True)
    (folder.parent / "__init__.py").touch()
    monkeypatch.syspath_prepend(folder.parent.parent)
    monkeypatch.delitem(sys.modules, "with_recipes", raising=False)
    monkeypatch.setattr(module, "_folders", lambda *_: ["with_recipes:studies"])
    return lambda text: (folder / "one.toml").write_text(text) and None


GOOD = (
    'recipe = "rates"\nsummary = "Two rates"\nstudy = "--vary lr=0.1,0.2 --seeds 2"\nquick = "--seeds 1 --epochs 1"\n'
)


def planned(capsys: pytest.CaptureFixture[str], *words: str) -> dict[str, object]:
    capsys.readouterr()
    assert main(["study", *words, "--print-trials", "--no-probe", "--json"]) == 0
    found: dict[str, object] = json.loads(capsys.readouterr().out)
    return found


def test_its_words_are_taken_and_those_that_are_typed_win(offer: Offer, capsys: pytest.CaptureFixture[str]) -> None:
    offer(GOOD)
    whole = planned(capsys, "toy", "--recipe", "rates")
    assert (whole["trials"], whole["seeds"]) == (4, [0, 1])
    quick = planned(capsys, "toy", "--recipe", "rates", "--quick")
    assert (quick["trials"], quick["seeds"]) == (2, [0])
    assert {one["config"]["engine"]["epochs"] for one in quick["settings"]} == {1}  # type: ignore[attr-defined]
    typed = planned(capsys, "toy", "--recipe", "rates", "--quick", "--vary", "lr=0.5", "--seeds", "3", "--epochs", "2")
    assert [one["values"] for one in typed["settings"]] == [{"trainer.lr": 0.5}]  # type: ignore[attr-defined]
    assert typed["trials"] == 3
    assert {one["config"]["engine"]["epochs"] for one in typed["settings"]} == {2}  # type: ignore[attr-defined]


def test_what_there_is_not_is_named(offer: Offer, capsys: pytest.CaptureFixture[str]) -> None:
    offer(GOOD)
    for words, said in (
        (["toy", "--recipe", "rate"], "no recipe 'rate' for task 'toy': did you mean 'rates'?"),
        (["toy", "--quick", "--vary", "lr=1,2"], "give --recipe NAME"),
        (["tooy", "--recipe", "rates"], "'tooy'"),
    ):
        assert main(["study", *words, "--yes"]) == 2
        assert said in capsys.readouterr().err
    assert main(["study", "toy", "--help"]) == 0
    assert "rates  Two rates" in capsys.readouterr().out


@pytest.mark.parametrize(
    "text",
    [
        "recipe = ",
        'recipe = "a"',
        'recipe = "a"\nstudy = 3',
        'recipe = "a"\nstudy = "--seeds 2"\nseeds = "2"',
        'recipe = "a"\nstudy = "--vary \'lr=1"',
        'recipe = ""\nstudy = "--seeds 2"',
    ],
)
def test_a_broken_one_is_its_plugin_s_fault(offer: Offer, text: str) -> None:
    offer(text)
    with pytest.raises(PluginError, match=r"with_recipes:studies/one\.toml is broken"):
        recipes(Catalog.load_everything(), "toy")


def test_one_of_another_task_is_not_offered(offer: Offer) -> None:
    offer('task = "other"\n' + GOOD)
    assert not recipes(Catalog.load_everything(), "toy")
    offer('task = "toy"\n' + GOOD)
    assert recipes(Catalog.load_everything(), "toy") == [
        Recipe("rates", "Two rates", ["--vary", "lr=0.1,0.2", "--seeds", "2"], ["--seeds", "1", "--epochs", "1"])
    ]
    with pytest.raises(UsageError, match="no recipe"):
        recipe_of(Catalog.load_everything(), "toy", "other")


def test_all_that_ship_are_tried_here() -> None:
    catalog = Catalog.load_everything()
    there = {f"{spec.name} {one.name}" for spec in catalog.specs("task") for one in recipes(catalog, spec.name)}
    assert there == set(SHIPPED)


@pytest.mark.parametrize("shipped", SHIPPED)
def test_each_fits_as_it_is(shipped: str, capsys: pytest.CaptureFixture[str], tmp_path: Path) -> None:
    task, name = shipped.split()
    where = ["--workspace", str(tmp_path)]
    whole = planned(capsys, task, "--recipe", name, *where)
    quick = planned(capsys, task, "--recipe", name, "--quick", *where)
    assert len(whole["settings"]) > 1 and len(whole["seeds"]) >= 3, "one seed decides nothing"  # type: ignore[arg-type]
    assert int(str(quick["trials"])) <= int(str(whole["trials"]))


@pytest.mark.slow
@pytest.mark.parametrize("shipped", SHIPPED)
@pytest.mark.usefixtures("quick", "imported")
def test_each_quick_form_is_trained(
    shipped: str, capsys: pytest.CaptureFixture[str], tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    task, name = shipped.split()
    monkeypatch.setenv("DLKIT_DISABLE", all_but(task, "scratch", "transfer", "embeddings"))
    words = [task, "--recipe", name, "--quick", "--yes", "--no-probe", "--json", "--offline"]
    # Every trial of it, of a few batches each, in processes that have imported torch: six minutes together otherwise.
    shorter = [] if ALL else ["--limit-batches", "8", "--launcher", "zygote"]
    capsys.readouterr()
    assert main(["study", *words, *shorter, "--workspace", str(tmp_path)]) == 0
    found = json.loads(capsys.readouterr().out)
    assert found["state"] == "finished" and found["failed"] == 0 and found["ended"] == found["planned"]
