"""Training: the state goes on with the stream, is forgotten where it should be, and is exact after a resume."""

from __future__ import annotations

import math
from pathlib import Path
from typing import Any

import pytest
import torch
from torch import Tensor, nn

import dlkit
from dlkit.config import EngineConfig
from dlkit.engine import loop, tree
from dlkit.engine.device import Cpu
from dlkit.engine.trainer import Setup
from dlkit.events import Event
from dlkit_textgen.losses import cross_entropy
from dlkit_textgen.models.recurrent import Recurrent
from dlkit_textgen.models.transformer import Transformer
from dlkit_textgen.options import LanguageTrainerConfig, RecurrentConfig, TransformerConfig
from dlkit_textgen.task import TextGeneration
from dlkit_textgen.trainer import LanguageTrainer

VOCABULARY, ROWS = 7, 4
STATES = [("lstm", False), ("gru", False), ("lstm", True)]


def make_trainer(model: nn.Module, **options: Any) -> LanguageTrainer:
    config = LanguageTrainerConfig(**{"optimizer": "sgd", "lr": 1e-9, "forget": 0.0, **options})
    task, info, cpu = TextGeneration(), None, Cpu()
    return LanguageTrainer(
        Setup(model, cross_entropy(None, None), task, info, config, EngineConfig(), cpu, None, 100)  # type: ignore[arg-type]
    )


def recurrent(cell: Any, attention: bool) -> Recurrent:
    torch.manual_seed(0)
    config = RecurrentConfig(embedding=5, hidden=8, dropout=0, attention=attention)
    return Recurrent(cell, config, type("Info", (), {"vocabulary": VOCABULARY, "context": 6}))


def batches(count: int, fresh: bool = False) -> list[dict[str, Tensor]]:
    ids = torch.randint(VOCABULARY, (ROWS, 6 * count + 1), generator=torch.Generator().manual_seed(1))
    return [
        {"token": ids[:, i : i + 6], "target": ids[:, i + 1 : i + 7], "fresh": torch.full((ROWS,), fresh or not i)}
        for i in range(0, 6 * count, 6)
    ]


@pytest.mark.parametrize(("cell", "attention"), STATES)
def test_a_stream_is_read_on(cell: str, attention: bool) -> None:
    model = recurrent(cell, attention)
    trainer, parts = make_trainer(model), batches(3)
    losses = [trainer.losses(batch)["loss"].item() for batch in parts]
    logits, _ = model(torch.cat([batch["token"] for batch in parts], 1), model.begin(ROWS))
    expected = [
        nn.functional.cross_entropy(some.flatten(0, 1), batch["target"].flatten()).item()
        for some, batch in zip(logits.split(6, 1), parts, strict=True)
    ]
    assert losses == pytest.approx(expected, abs=1e-6)
    alone = [make_trainer(model, carry=False).losses(batch)["loss"].item() for batch in parts]
    assert alone[0] == pytest.approx(losses[0], abs=1e-6) and abs(alone[2] - losses[2]) > 1e-5


@pytest.mark.parametrize(("cell", "attention"), STATES)
def test_what_is_fresh_begins_with_nothing(cell: str, attention: bool) -> None:
    model, parts = recurrent(cell, attention), batches(2, fresh=True)
    trainer = make_trainer(model)
    losses = [trainer.losses(batch)["loss"].item() for batch in parts]
    expected = [make_trainer(model, carry=False).losses(batch)["loss"].item() for batch in parts]
    assert losses == pytest.approx(expected, abs=1e-6)
    assert make_trainer(model, forget=1.0).config.forget == 1.0  # type: ignore[attr-defined]


def test_some_streams_are_forgotten_by_the_step_alone() -> None:
    parts = batches(6)

    def losses(**options: Any) -> list[float]:
        trainer = make_trainer(recurrent("lstm", False), **options)
        return [float(trainer.step([batch], step)["train/loss"]) for step, batch in enumerate(parts)]

    half = losses(forget=0.5)
    assert half == losses(forget=0.5)
    assert half != pytest.approx(losses(forget=0.0), abs=1e-7) != losses(forget=1.0)
    assert losses(forget=1.0) == pytest.approx(losses(carry=False), abs=1e-6)


def test_a_transformer_carries_nothing_and_tokens_are_counted() -> None:
    torch.manual_seed(0)
    trainer = make_trainer(Transformer(TransformerConfig(layers=1, width=8, heads=1), VOCABULARY, 6))
    values = [trainer.step([batch], step) for step, batch in enumerate(batches(21))]
    assert trainer.local_state() == {}
    assert ["tokens_per_second" in value for value in values] == [step % 20 == 0 for step in range(21)]
    assert all(0 < float(values[i]["tokens_per_second"]) < 1e9 for i in (0, 20))


@pytest.mark.parametrize(("cell", "attention"), STATES)
def test_what_is_carried_is_handed_over_exactly(cell: str, attention: bool) -> None:
    """As processes send it to each other, too."""
    first, second, parts = (
        make_trainer(recurrent(cell, attention)),
        make_trainer(recurrent(cell, attention)),
        batches(3),
    )
    for batch in parts[:2]:
        first.losses(batch)
    second.load_local(tree.from_bytes(tree.to_bytes(first.local_state())))
    assert second.losses(parts[2])["loss"].item() == first.losses(parts[2])["loss"].item()


LAYERS: dict[str, dict[str, Any]] = {
    "lstm": {"name": "lstm", "embedding": 8, "hidden": 16, "dropout": 0.2, "attention": True},
    "gru": {"name": "gru", "embedding": 8, "hidden": 16, "dropout": 0.2},
    "transformer": {"name": "transformer", "layers": 1, "width": 16, "heads": 2, "dropout": 0.1},
}


@pytest.mark.parametrize("model", LAYERS)
def test_resumed_in_the_middle_of_an_epoch_is_exact(
    model: str, tmp_path: Path, rhyme: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(loop, "FLUSH_SECONDS", 0)
    (tmp_path / "rhymes.txt").write_text(rhyme * 20)
    seen: list[int] = []

    def stop(event: Event) -> None:
        seen.append(int(getattr(event, "first", 0)))
        if seen[-1] >= 7:
            raise KeyboardInterrupt

    def train(**more: Any) -> dlkit.Run:
        return dlkit.train(
            "textgen",
            dataset={"name": "files", "path": str(tmp_path / "rhymes.txt"), "context": 16},
            model=LAYERS[model],
            steps=18,
            batch_size=8,
            device="cpu",
            engine={"eval_every": "5 steps", "sample_every": "never", "threads": 1},
            workspace=tmp_path / "workspace",
            **more,
        )

    whole = train()
    with pytest.raises(KeyboardInterrupt):
        train(on_event=stop)
    cut = dlkit.list_runs(tmp_path / "workspace")[0]
    assert cut.state == "stopped" and cut.id != whole.id
    resumed = cut.resume()
    assert resumed.state == "completed" and max(resumed.history("train/loss")[0]) == 18
    assert resumed.history("train/loss")[1] == whole.history("train/loss")[1]
    weights = [run.predictor("last").model.state_dict() for run in (whole, resumed)]
    assert all(torch.equal(weights[0][name], weights[1][name]) for name in weights[0])
    assert math.isfinite(whole.metrics["val/loss"])
