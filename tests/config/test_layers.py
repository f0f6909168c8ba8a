"""Configuration: layers and what wins, what is refused and how that is said, TOML out and in, flags."""

from __future__ import annotations

import re
from importlib.metadata import EntryPoint
from pathlib import Path
from typing import Any

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from dlkit.catalog import BUILTIN, GROUP, Catalog
from dlkit.cli.flags import layers_of, split_words
from dlkit.cli.main import main
from dlkit.cli.train_help import help_text
from dlkit.components import PARTS
from dlkit.config import SECTIONS, Config, EngineConfig, Layer, Resolved, fields_of, merge, resolve
from dlkit.config_file import preset_layer, presets, read_toml, to_toml
from dlkit.errors import UsageError

CATALOG = Catalog([EntryPoint(BUILTIN, "dlkit.builtin", GROUP), EntryPoint("mixture", "mixture", GROUP)])
CATALOG.load("mixture")
CATALOG.load_all()
TASK = "mixture"


def flags(line: str) -> Resolved:
    """A command line after ``dlkit train mixture``."""
    return resolve(CATALOG, TASK, layers_of(CATALOG, TASK, split_words(line.split())))


def layered(*layers: dict[str, Any]) -> Resolved:
    return resolve(CATALOG, TASK, [Layer(f"layer {i}", values) for i, values in enumerate(layers)])


def names(resolved: Resolved) -> dict[str, str]:
    return {part: spec.name for part, spec in resolved.specs.items()}


def value(resolved: Resolved, key: str) -> tuple[Any, str]:
    """A setting and where it comes from."""
    section, _, name = key.partition(".")
    return getattr(resolved.sections[section], name), resolved.origins.get(key, "default")


# Layers and components


def test_later_layers_win_and_are_named() -> None:
    assert value(layered(), "trainer.lr") == (0.5, "task mixture")
    assert value(layered(), "engine.batch_size") == (64, "default")
    assert value(layered({"dataset": {"name": "large"}}), "trainer.lr") == (0.25, "dataset large")
    first, second = {"trainer": {"lr": 2.0}}, {"trainer": {"lr": 3.0}}
    assert value(layered(first), "trainer.lr") == (2.0, "layer 0")
    assert value(layered(first, second), "trainer.lr") == (3.0, "layer 1")


def test_suggestions_hold_for_the_components_they_name() -> None:
    assert value(flags("--dataset large --model plain"), "trainer.lr") == (0.125, "dataset large")
    assert value(flags("--dataset large"), "engine.batch_size") == (512, "dataset large")
    assert value(flags("--model deep"), "engine.steps") == (900, "model deep")
    assert value(flags("--model deep --dataset large"), "engine.steps") == (None, "default")


def test_a_component_chooses_others() -> None:
    assert names(flags(""))["model"] == "plain"
    chosen = flags("--dataset large")
    assert names(chosen)["model"] == "deep"
    assert chosen.origins["model.name"] == "dataset large"
    chosen = flags("--model handmade")
    assert (names(chosen)["loss"], names(chosen)["trainer"]) == ("byhand", "byhand")
    assert chosen.origins["trainer.name"] == "model handmade"
    assert names(flags("--dataset large --model plain"))["model"] == "plain"


@pytest.mark.parametrize(
    ("line", "mixed", "fitting"),
    [
        (
            "--model handmade --trainer usual",
            "model 'handmade' (handmade), loss 'byhand' (handmade), trainer 'usual' (supervised)",
            "trainers that fit model 'handmade' (handmade): byhand; "
            "models that fit trainer 'usual' (supervised): deep, plain",
        ),
        (
            "--loss byhand",
            "model 'plain' (supervised), loss 'byhand' (handmade), trainer 'usual' (supervised)",
            "losses that fit model 'plain' (supervised): l1, l2; models that fit loss 'byhand' (handmade): handmade",
        ),
    ],
)
def test_interfaces_do_not_mix_and_what_fits_is_listed(line: str, mixed: str, fitting: str) -> None:
    with pytest.raises(UsageError) as caught:
        flags(line)
    assert str(caught.value) == f"these do not combine: {mixed}; {fitting}"


def test_changing_a_component_drops_the_fields_of_the_old_one() -> None:
    file = {"model": {"name": "plain", "width": 3}, "trainer": {"lr": 2.0}}
    changed = layered(file, {"model": {"name": "deep"}})
    assert changed.values()["model"] == {
        "name": "deep",
        "hidden": [16, 16],
        "activation": "relu",
        "dropout": 0.0,
        "norm": False,
    }
    assert not [key for key in changed.origins if key.startswith("model.width")]
    assert value(changed, "trainer.lr") == (2.0, "layer 0")


def test_naming_the_same_component_again_keeps_its_fields() -> None:
    file = {"model": {"name": "deep", "dropout": 0.5}}
    assert value(layered(file, {"model": {"name": "deep"}}), "model.dropout") == (0.5, "layer 0")
    assert value(layered(file, {"model": {"norm": True}}), "model.dropout") == (0.5, "layer 0")


@pytest.mark.parametrize(
    ("low", "high", "expected"),
    [
        ({}, {}, (7, None)),
        ({}, {"steps": 5}, (None, 5)),
        ({"steps": 5}, {}, (None, 5)),
        ({"steps": 5}, {"epochs": 3}, (3, None)),
        ({"epochs": 3}, {"steps": 5}, (None, 5)),
        ({"epochs": 3}, {"epochs": 4}, (4, None)),
    ],
)
def test_epochs_and_steps_displace_each_other(
    low: dict[str, int], high: dict[str, int], expected: tuple[int | None, int | None]
) -> None:
    engine = layered({"engine": low}, {"engine": high}).engine
    assert (engine.epochs, engine.steps) == expected


def test_epochs_and_steps_at_once_are_refused() -> None:
    with pytest.raises(UsageError, match=r"flag: give either engine\.epochs or engine\.steps, not both"):
        flags("--epochs 3 --steps 5")


def test_a_run_without_end_is_refused() -> None:
    with pytest.raises(UsageError, match=r"give engine\.epochs or engine\.steps"):
        layered({"engine": {"epochs": None}})


def test_a_configuration_of_another_task_is_refused() -> None:
    assert layered({"task": "mixture"}).task.name == "mixture"
    with pytest.raises(UsageError, match="layer 0: task = 'regression', but the task asked for is 'mixture'"):
        layered({"task": "regression"})


# What is refused


@pytest.mark.parametrize(
    ("line", "message"),
    [
        ("--model depe", "no model 'depe' for task 'mixture': did you mean 'deep'? There are: deep, handmade, plain"),
        ("--model.widht 3", "unknown option --model.widht: model 'plain' has no such option; did you mean 'width'?"),
        ("--modle.width 3", "unknown option --modle.width: did you mean 'model'?"),
        ("--epochz 3", "unknown option --epochz: did you mean 'epochs'?"),
        ("--engine.epoch 3", "the engine has no such option; did you mean 'epochs'?"),
        ("--trainer.lr -1", "trainer.lr = -1 (from flag): must be a number above 0"),
        ("--lr=0", "trainer.lr = 0 (from flag): must be a number above 0"),
        ("--lr fast", "trainer.lr = 'fast' (from flag): must be a number above 0"),
        ("--model.width 5000", "model.width = 5000 (from flag): must be a whole number from 1 to 4096"),
        ("--model.width 1.5", "model.width = 1.5 (from flag): must be a whole number from 1 to 4096"),
        ("--model deep --model.activation gelu", "model.activation = 'gelu' (from flag): must be one of relu, "),
        ("--model deep --model.hidden 1,x", "model.hidden.1 = 'x' (from flag): must be a whole number"),
        ("--model.bias perhaps", "model.bias = 'perhaps' (from flag): must be true or false"),
        ("--engine.eval-every weekly", "engine.eval_every = 'weekly' (from flag): does not fit: 'N steps', "),
        ("--device gpu", "engine.device = 'gpu' (from flag): does not fit: auto, cpu, mps, cuda or cuda:N"),
        ("--model.width", "--model.width needs a value: integer ≥ 1, ≤ 4096"),
        ("--lr", "--trainer.lr needs a value: number > 0"),
        ("--model", "--model needs a value"),
        ("--config", "--config needs a value"),
        ("--preset quikc", "no preset 'quikc' for task 'mixture': did you mean 'quick'? There are: quick, thorough"),
    ],
)
def test_what_is_wrong_is_said(line: str, message: str) -> None:
    with pytest.raises(UsageError, match=re.escape(message)):
        flags(line)


def test_several_errors_are_said_at_once() -> None:
    with pytest.raises(UsageError) as caught:
        flags("--model deep --model.dropout 2 --model.hidden x")
    assert len(str(caught.value).splitlines()) == 2


@pytest.mark.parametrize(
    ("values", "message"),
    [
        ({"modle": {}}, "layer 0: unknown key 'modle'; did you mean 'model'?"),
        ({"model": "deep"}, "layer 0: model = 'deep' must be a table with a name and its options"),
        ({"engine": {"epoch": 3}}, "unknown option engine.epoch (from layer 0): the engine has no such option"),
        ({"engine": {"name": "x"}}, "unknown option engine.name (from layer 0)"),
        ({"model": {"name": 3}}, "no model '3'"),
    ],
)
def test_what_is_wrong_in_a_file_is_said(values: dict[str, Any], message: str) -> None:
    with pytest.raises(UsageError, match=re.escape(message)):
        layered(values)


@pytest.mark.parametrize(
    "line", ["nothing", "toy --modle x", "toy --model x", "toy --lr -1", "toy --epochs 1 --steps 1", "toy --preset x"]
)
def test_the_command_line_exits_with_2(line: str, capsys: pytest.CaptureFixture[str], toy_installed: Path) -> None:
    assert main(["train", *line.split()]) == 2
    out, err = capsys.readouterr()
    assert out == ""
    assert err.startswith("dlkit train: ")


# Files and presets


def test_a_file_that_is_no_toml_is_said_with_its_place(tmp_path: Path) -> None:
    path = tmp_path / "run.toml"
    path.write_text("[engine]\nepochs = \n")
    with pytest.raises(UsageError, match=r"run\.toml: Invalid value \(at line 2, column 10\)"):
        read_toml(path)
    with pytest.raises(UsageError, match=r"no configuration file .*absent\.toml"):
        read_toml(tmp_path / "absent.toml")
    path.write_bytes(b"\xff\xfe")
    with pytest.raises(UsageError, match=r"run\.toml: "):
        read_toml(path)


def test_presets_lie_below_file_and_flags(tmp_path: Path) -> None:
    assert value(flags("--preset quick"), "trainer.lr") == (0.75, "preset quick")
    assert value(flags("--preset quick --lr 2"), "trainer.lr") == (2, "flag")
    file = tmp_path / "mine.toml"
    file.write_text("[trainer]\nlr = 3.0\n")
    assert value(flags(f"--preset quick --config {file}"), "trainer.lr") == (3.0, "mine.toml")
    assert value(flags(f"--preset quick --config {file}"), "engine.epochs") == (2, "preset quick")


def test_presets_fit_the_components_chosen() -> None:
    assert sorted(p.name for p in presets(CATALOG, TASK)) == ["quick", "thorough", "thorough"]
    assert value(flags("--preset thorough --model deep"), "model.hidden") == ((64, 64, 64), "preset thorough")
    assert value(flags("--preset thorough --dataset large --model plain"), "model.width") == (1024, "preset thorough")
    with pytest.raises(UsageError, match=r"fits several choices: .*name --dataset and --model too"):
        flags("--preset thorough")
    with pytest.raises(UsageError, match="preset 'thorough' is not made for model handmade; there are: "):
        flags("--preset thorough --model handmade")


def test_a_preset_chooses_components() -> None:
    layer = preset_layer(CATALOG, TASK, "thorough", {"dataset": "large", "model": "plain"})
    assert (layer.origin, layer.values["engine"]) == ("preset thorough", {"steps": 10000})
    chosen = flags("--preset thorough --dataset large --model plain")
    assert (chosen.engine.epochs, chosen.engine.steps) == (None, 10000)


FINITE = st.floats(allow_nan=False, allow_infinity=False)
TEXT = st.text(st.characters(codec="utf-8"), max_size=8)
SETTINGS: dict[str, st.SearchStrategy[Any]] = {
    "engine": st.fixed_dictionaries(
        {},
        optional={
            "batch_size": st.integers(1, 10**9),
            "seed": st.integers(0, 2**63 - 1),
            "clip": st.floats(0, 1e300),
            "ema": st.floats(0, 1, exclude_max=True),
            "compile": st.booleans(),
            "eval_every": st.sampled_from(["never", "end", "3 epochs", "1 step"]),
            "max_time": st.floats(1e-300, 1e300),
            "init_from": TEXT,
        },
    ),
    "dataset": st.fixed_dictionaries(
        {"name": st.just("large")}, optional={"folder": TEXT, "share": st.floats(0, 1, exclude_min=True)}
    ),
    "model": st.one_of(
        st.fixed_dictionaries({"name": st.just("plain")}, optional={"width": st.integers(1, 4096)}),
        st.fixed_dictionaries(
            {"name": st.just("deep")},
            optional={
                "hidden": st.lists(st.integers()),
                "activation": st.sampled_from(["relu", "tanh"]),
                "norm": st.booleans(),
            },
        ),
    ),
    "loss": st.fixed_dictionaries({}, optional={"name": st.sampled_from(["l1", "l2"])}),
    "trainer": st.fixed_dictionaries(
        {},
        optional={
            "lr": st.floats(0, exclude_min=True, allow_nan=False, allow_infinity=False),
            "betas": st.tuples(FINITE, FINITE),
        },
    ),
    "inference": st.fixed_dictionaries({}, optional={"labels": st.lists(TEXT), "top": st.integers(1, 2**62)}),
}


@given(values=st.fixed_dictionaries({}, optional=SETTINGS), origins=st.booleans())
@settings(deadline=None)
def test_what_is_printed_can_be_read_again(
    tmp_path_factory: pytest.TempPathFactory, values: dict[str, Any], origins: bool
) -> None:
    resolved = layered(values)
    path = tmp_path_factory.getbasetemp() / "run.toml"
    path.write_text(to_toml(resolved, origins=origins), encoding="utf-8")
    again = resolve(CATALOG, TASK, [read_toml(path)])
    assert repr(again.values()) == repr(resolved.values())  # repr: nan equals nan
    stored = resolve(CATALOG, TASK, [read_toml(path)], suggest=False)
    assert repr(stored.values()) == repr(resolved.values())


def test_the_printed_configuration_says_who_set_what() -> None:
    lines = to_toml(flags("--dataset large --lr 0.3"), origins=True).splitlines()
    assert 'name = "large" # flag' in lines
    assert 'name = "deep" # dataset large' in lines
    assert "lr = 0.3 # flag" in lines
    assert "batch_size = 512 # dataset large" in lines
    assert "epochs = 7 # task mixture" in lines
    assert "seed = 0 # default" in lines
    assert lines[0] == 'task = "mixture"'


# Flags


@pytest.mark.parametrize(
    ("line", "key", "expected"),
    [
        ("--model.width 3", "model.width", 3),
        ("--model.width=3", "model.width", 3),
        ("--model deep --model.norm", "model.norm", True),
        ("--model deep --model.norm --epochs 3", "model.norm", True),
        ("--model deep --model.norm true", "model.norm", True),
        ("--model.bias false", "model.bias", False),
        ("--model.bias=false", "model.bias", False),
        ("--model deep --model.hidden 32,16", "model.hidden", (32, 16)),
        ("--model deep --model.hidden [32,16]", "model.hidden", (32, 16)),
        ("--model deep --model.hidden 32", "model.hidden", (32,)),
        ("--model deep --model.hidden []", "model.hidden", ()),
        ("--model deep --model.hidden=-3", "model.hidden", (-3,)),
        ("--model deep --model.hidden -3,4", "model.hidden", (-3, 4)),
        ("--inference.labels cat,dog", "inference.labels", ("cat", "dog")),
        ('--inference.labels ["a,b","c"]', "inference.labels", ("a,b", "c")),
        ("--inference.top 3", "inference.top", 3),
        ("--trainer.betas 0.5,1", "trainer.betas", (0.5, 1.0)),
        ("--lr 1e-3", "trainer.lr", 0.001),
        ("--lr 3", "trainer.lr", 3.0),
        ("--batch-size 32", "engine.batch_size", 32),
        ("--batch_size 32", "engine.batch_size", 32),
        ("--engine.batch-size 32", "engine.batch_size", 32),
        ("--engine.batch_size=32", "engine.batch_size", 32),
        ("--engine.eval-every never", "engine.eval_every", "never"),
        ("--max-time 5", "engine.max_time", 5.0),
        ("--engine.init-from last", "engine.init_from", "last"),
        ("--dataset large --dataset.folder 1e3", "dataset.folder", "1e3"),
        ("--dataset large --dataset.folder=a=b", "dataset.folder", "a=b"),
        ("--lr 1 --lr 2", "trainer.lr", 2.0),
    ],
)
def test_flags_are_read_as_their_option_wants(line: str, key: str, expected: Any) -> None:
    assert value(flags(line), key) == (expected, "flag")


def test_words_are_told_apart() -> None:
    words = split_words(["toy", "--json", "--name", "my run", "--model=mlp", "-h", "extra", "--epochs=3"])
    assert words.positional == ["toy", "extra"]
    assert words.switches == {"json", "help"}
    assert (words.values, words.names) == ({"name": "my run"}, {"model": "mlp"})
    assert words.settings == [("engine.epochs", "3")]


def test_help_names_every_option() -> None:
    resolved = flags("--model deep")
    text = help_text(CATALOG, merge(CATALOG, TASK, layers_of(CATALOG, TASK, split_words(["--model", "deep"]))))
    for section in SECTIONS:
        for field in fields_of(type(resolved.sections[section])):
            assert f"--{section}.{field.name.replace('_', '-')}" in text
            assert field.description in text
    assert "presets:               quick (), thorough (" in text
    assert all(f"--{part} " in text for part in PARTS)


def test_every_engine_option_is_described_and_bounded() -> None:
    for field in fields_of(EngineConfig):
        assert field.description, field.name
        assert "value" not in field.type, field.name


def test_configurations_are_frozen_and_closed() -> None:
    for model in (EngineConfig, *(type(flags("").sections[part]) for part in PARTS)):
        assert issubclass(model, Config)
        assert model.model_config["frozen"]
        assert model.model_config["extra"] == "forbid"


def test_a_tasks_presets_are_its_own() -> None:
    catalog = Catalog.load_everything()
    assert "fast" in {preset.name for preset in presets(catalog, "classification")}
    assert "fast" not in {preset.name for preset in presets(catalog, "regression")}


def test_durations_may_be_written_as_people_write_them(tmp_path: Path) -> None:
    """As a flag, in a file, with the bounds and the words of any other option."""
    given = flags("--max-time 1h30m --engine.checkpoint_every 2m")
    assert value(given, "engine.max_time")[0] == 5400.0
    assert value(given, "engine.checkpoint_every")[0] == 120.0
    path = tmp_path / "run.toml"
    path.write_text('[engine]\nmax_time = "9m"\n')
    assert value(resolve(CATALOG, TASK, [read_toml(path)]), "engine.max_time")[0] == 540.0
    for text, said in {"0m": "above 0", "soon": "is not a duration"}.items():
        with pytest.raises(UsageError, match=said):
            flags(f"--max-time {text}")
