"""What does not fit into memory is refused, with its size, before anything is made; nothing is killed."""

from __future__ import annotations

import resource
import threading
from pathlib import Path

import numpy as np
import pytest
import torch

from dlkit.catalog import Catalog
from dlkit.config import Layer, resolve
from dlkit.data.context import make_context
from dlkit.engine import room
from dlkit.engine.contract import blaming
from dlkit.engine.room import bounded_memory, free_memory
from dlkit.engine.start import start
from dlkit.errors import UsageError
from small import models, small

WIDE = ("hidden", "width", "widths", "channels", "units", "size", "embedding", "code", "latent", "neck")
"""Options that say how wide a model is."""
CATALOG = Catalog.load_everything()


@pytest.fixture
def little(monkeypatch: pytest.MonkeyPatch) -> int:
    """A machine with so many bytes left."""
    monkeypatch.setattr(room, "free_memory", lambda: 300 << 20)
    return 300 << 20


@pytest.mark.parametrize(("task", "model"), models(CATALOG))
def test_a_model_too_large_for_memory_is_refused_with_its_size(
    task: str, model: str, little: int, tmp_path: Path
) -> None:
    config = small(task, model, steps=1)
    fields = type(resolve(CATALOG, task, [Layer("t", config)]).sections["model"]).model_fields
    for name in WIDE:
        if name not in fields:
            continue
        default = config["model"].get(name, fields[name].default)
        huge = [10_000_000] * len(default) if isinstance(default, (list, tuple)) else 10_000_000
        layer = {**config, "model": {**config["model"], name: huge}}
        bounded = "must be a whole number from 1 to"  # some may not be so wide
        with pytest.raises(
            UsageError, match=rf"({model}|trainer).*does not fit into memory: .* [GTM]B|{bounded}"
        ) as refused:
            start(CATALOG, resolve(CATALOG, task, [Layer("t", layer)]), tmp_path, make_context(CATALOG, tmp_path))
        assert "are free" in str(refused.value) or bounded in str(refused.value)
        assert list(tmp_path.iterdir()) == []
        return
    scratch = [f"scratch-{name}" for name in ("linear", "logistic", "softmax", "perceptron")]
    as_wide_as_the_data = ("linear", "logistic", "softmax", "perceptron", *scratch, "fixed")
    assert model in (*as_wide_as_the_data, "backbone", "squeezenet", "vgg19")  # these as published


def test_a_model_that_fits_but_cannot_be_trained_is_refused(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    """Weights of 16 MB, for which Adam needs 96 more."""
    config = {
        "model": {"name": "mlp", "hidden": [2000, 2000]},
        "engine": {"device": "cpu"},
        "trainer": {"optimizer": "adam"},
    }
    resolved = resolve(CATALOG, "regression", [Layer("t", config)])
    small_one = resolve(CATALOG, "regression", [Layer("t", {**config, "model": {"name": "mlp", "hidden": [2]}})])
    start(CATALOG, small_one, tmp_path, make_context(CATALOG, tmp_path))  # what is imported meanwhile counts too
    monkeypatch.setattr(room, "free_memory", lambda: 90_000_000)
    with pytest.raises(UsageError, match=r"4,\d+,\d+ parameters, and to train them takes 9\d\.\d MB more"):
        start(CATALOG, resolved, tmp_path, make_context(CATALOG, tmp_path))
    monkeypatch.setattr(room, "free_memory", lambda: 110_000_000)
    assert start(CATALOG, resolved, tmp_path, make_context(CATALOG, tmp_path)).run.path.is_dir()


def test_inside_nothing_gets_more_than_is_free_and_afterwards_all_is_as_before(little: int) -> None:
    before = resource.getrlimit(resource.RLIMIT_DATA)
    with bounded_memory(1):
        assert torch.zeros(10_000_000).sum() == 0
        with pytest.raises(RuntimeError, match="allocate 4000000000 bytes"):
            torch.zeros(1_000_000_000)
        with pytest.raises(MemoryError):
            np.zeros(1_000_000_000)
        kept = []
        with pytest.raises(RuntimeError, match="allocate"):
            while True:
                kept.append(torch.ones(1_000_000))
        assert len(kept) < 1000  # 4 GB: what was freed before is taken again, beside what is free
    assert resource.getrlimit(resource.RLIMIT_DATA) == before


def test_where_all_memory_is_taken_the_bound_still_ends(little: int, monkeypatch: pytest.MonkeyPatch) -> None:
    """Then not even a file can be opened to see how much there is."""

    def none_left() -> None:
        raise MemoryError

    before = resource.getrlimit(resource.RLIMIT_DATA)
    with bounded_memory(1):
        assert resource.getrlimit(resource.RLIMIT_DATA) != before
        for told in (none_left, lambda: None):
            monkeypatch.setattr(room, "_data_size", told)
    assert resource.getrlimit(resource.RLIMIT_DATA) == before


def test_several_bounds_at_once_end_with_the_last(little: int) -> None:
    before = resource.getrlimit(resource.RLIMIT_DATA)
    first, second = bounded_memory(), bounded_memory()
    first.__enter__()
    inner = resource.getrlimit(resource.RLIMIT_DATA)
    thread = threading.Thread(target=second.__enter__)
    thread.start()
    thread.join()
    first.__exit__(None, None, None)
    assert resource.getrlimit(resource.RLIMIT_DATA) == inner != before
    second.__exit__(None, None, None)
    assert resource.getrlimit(resource.RLIMIT_DATA) == before


def test_a_container_has_what_its_limit_leaves(tmp_path: Path) -> None:
    assert free_memory(tmp_path) > 0
    for name, text in {
        "memory.max": "2000\n",
        "memory.current": "1500\n",
        "memory.stat": "a 1\ninactive_file 100\n",
    }.items():
        (tmp_path / name).write_text(text)
    assert free_memory(tmp_path) == 600
    (tmp_path / "memory.max").write_text("max\n")
    assert free_memory(tmp_path) > 1 << 20


@pytest.mark.parametrize(
    ("error", "said"),
    [
        (
            RuntimeError("DefaultCPUAllocator: can't allocate memory: you tried to allocate 400000000000 bytes."),
            "400.0 GB",
        ),
        (MemoryError("Unable to allocate 3.7 TiB for an array"), "3.7 TiB"),
        (MemoryError(), "none is left"),
        (torch.OutOfMemoryError("CUDA out of memory. Tried to allocate 20 GiB. 3 GiB are free"), "20 GiB"),
    ],
)
def test_whoever_asks_for_too_much_is_named_with_how_much_it_was(error: Exception, said: str) -> None:
    with (
        pytest.raises(UsageError, match=r"model 'x' does not fit into memory: .*are free") as refused,
        blaming("model 'x'"),
    ):
        raise error
    assert said in str(refused.value)
