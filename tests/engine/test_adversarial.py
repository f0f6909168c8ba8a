"""Adversarial training through the ordinary engine: turns, what is averaged, exact resume, what is refused."""

from __future__ import annotations

from itertools import pairwise
from pathlib import Path
from typing import Any

import pytest
import torch
import torch.nn.functional as F

import rivals
from dlkit.data.randomness import derive, rng, seed_all
from dlkit.engine import loop
from dlkit.engine.checkpoint import load_state, tensors_of
from dlkit.errors import UsageError
from dlkit.runs.checkpoints import choose
from extras_options import RivalsConfig
from outcome import close_at, outcome, values_of
from toy import finish, toy_attempt, toy_resume
from toy_options import ToyInfo

EXTRAS = ("extras",)
RIVALS: dict[str, Any] = {
    "model": {"name": "rivals"},
    "loss": {"name": "rivals"},
    "trainer": {"name": "adversarial", "lr": 0.01},
}


@pytest.fixture
def every_step(monkeypatch: pytest.MonkeyPatch) -> None:
    """The loop flushes after each step, so that it can be left at any."""
    monkeypatch.setattr(loop, "FLUSH_SECONDS", 0)


def layer(**sections: dict[str, Any]) -> dict[str, Any]:
    return {**RIVALS, **{name: {**RIVALS.get(name, {}), **section} for name, section in sections.items()}}


def weights(run: Any) -> dict[str, torch.Tensor]:
    return tensors_of(choose(run.path, "last"), "model.safetensors")


def test_it_is_the_loop_that_one_would_write_by_hand(tmp_path: Path) -> None:
    """Bit for bit: discriminator on real and drawn, then the generator on the new discriminator's verdict."""
    attempt = toy_attempt(tmp_path, layer=RIVALS, plugins=EXTRAS, epochs=2, eval_every="never", sample_every="never")
    train = attempt.job.data.train
    x = train.take(torch.arange(len(train)))["x"]
    found = weights(finish(attempt))
    seed_all(derive(0, "init"))
    model = rivals.Rivals(3, RivalsConfig())
    seed_all(derive(0, "train"))
    optimizers = [
        torch.optim.Adam(part.parameters(), 0.01, (0.5, 0.999), fused=True)
        for part in (model.discriminator, model.generator)
    ]
    for epoch in range(2):
        order = torch.from_numpy(rng(0, "order", epoch).permutation(len(x)))
        for index in order.split(16):
            drawn = model.generator(torch.randn(16, rivals.LATENT))
            real, fake = model.discriminator(x[index]), model.discriminator(drawn.detach())
            (F.softplus(-real).mean() + F.softplus(fake).mean()).backward()
            optimizers[0].step()
            F.softplus(-model.discriminator(drawn)).mean().backward()
            optimizers[1].step()
            model.zero_grad()
    assert found.keys() == model.state_dict().keys()
    for name, tensor in model.state_dict().items():
        assert torch.equal(found[name], tensor), name


@pytest.mark.usefixtures("every_step")
@pytest.mark.parametrize(
    ("trainer", "engine"),
    [
        ({}, {}),
        ({"turns": 2, "schedule": "cosine", "warmup": 0.2, "discriminator_lr": 0.02}, {"ema": 0.8, "clip": 0.5}),
        ({"turns": 3}, {"accumulate": 2, "ema": 0.9, "epochs": 4}),
        ({}, {"precision": "bf16", "ema": 0.9}),
    ],
    ids=["plain", "turns", "accumulated", "bf16"],
)
def test_resumed_at_any_step_it_ends_the_same(tmp_path: Path, trainer: dict[str, Any], engine: dict[str, Any]) -> None:
    """Both networks, both optimizers, the average, the latents, and every recorded value."""
    settings: dict[str, Any] = {"eval_every": "2 steps", "probe_every": 2, **engine}
    recipe = layer(trainer=trainer)
    whole = finish(toy_attempt(tmp_path, layer=recipe, plugins=EXTRAS, **settings))
    run = close_at(toy_attempt(tmp_path, layer=recipe, plugins=EXTRAS, **settings), 5)
    close_at(toy_resume(run, plugins=EXTRAS), 8)
    finish(toy_resume(run, plugins=EXTRAS))
    assert outcome(run) == outcome(whole)
    assert values_of(run) == values_of(whole)


def test_the_generator_has_its_turns(tmp_path: Path) -> None:
    run = finish(toy_attempt(tmp_path, layer=layer(trainer={"turns": 3}), plugins=EXTRAS))
    found = values_of(run)
    assert [step for name, step in found if name == "train/g_loss"] == [1, 4, 7, 10, 13, 16]
    assert [step for name, step in found if name == "train/d_loss"] == list(range(1, 19))
    assert all(0 <= value <= 1 for (name, _), value in found.items() if name == "train/d_accuracy")


def test_looking_changes_no_weight(tmp_path: Path) -> None:
    """Evaluation and samples draw latents too."""
    runs = [
        finish(toy_attempt(tmp_path, layer=RIVALS, plugins=EXTRAS, eval_every=often, sample_every=often))
        for often in ("never", "1 step")
    ]
    assert outcome(runs[0])[:2] == outcome(runs[1])[:2]


def test_the_average_is_the_generators_alone(tmp_path: Path) -> None:
    attempt = toy_attempt(tmp_path, layer=RIVALS, plugins=EXTRAS, ema=0.5)
    run = finish(attempt)
    averaged = load_state(choose(run.path, "last"))["averaged"]
    live = weights(run)
    expected = {name for name, tensor in live.items() if name.startswith("generator.") and tensor.is_floating_point()}
    assert averaged.keys() == expected
    assert any(not torch.equal(averaged[name], live[name]) for name in expected)


def test_accumulated_batches_weigh_as_one_large_one(tmp_path: Path) -> None:
    """Without what looks at a batch as a whole, and of latents that are all alike."""
    model = {"dropout": 0.0, "given": True, "norm": False}
    runs = [
        finish(toy_attempt(tmp_path, layer=layer(model=model), plugins=EXTRAS, eval_every="never", **engine))
        for engine in ({"batch_size": 32}, {"batch_size": 16, "accumulate": 2})
    ]
    one, other = map(weights, runs)
    for name, tensor in one.items():
        torch.testing.assert_close(tensor, other[name], rtol=1e-4, atol=1e-6)


def test_batches_of_two_sizes_weigh_by_their_samples(tmp_path: Path) -> None:
    recipe = layer(model={"dropout": 0.0, "given": True, "norm": False})
    found = []
    for bounds in ([0, 32], [0, 20, 32]):
        job = toy_attempt(tmp_path, layer=recipe, plugins=EXTRAS).job
        parts = [job.data.val.take(torch.arange(a, b)) for a, b in pairwise(bounds)]
        values = job.trainer.step(parts, 0)
        found.append(({name: float(value) for name, value in values.items()}, job.trainer.model.state_dict()))
    (one, weights_of_one), (two, weights_of_two) = found
    assert two == pytest.approx(one, rel=1e-5)
    torch.testing.assert_close(dict(weights_of_two), dict(weights_of_one), rtol=1e-4, atol=1e-6)


def test_clipping_bounds_both_gradients(tmp_path: Path) -> None:
    run = finish(toy_attempt(tmp_path, layer=RIVALS, plugins=EXTRAS, clip=1e-9, epochs=1))
    norms = [value for (name, _), value in values_of(run).items() if name == "grad_norm"]
    assert len(norms) == 6 and all(value > 0 for value in norms)


def test_rates_can_be_changed_while_it_goes(tmp_path: Path) -> None:
    trainer = toy_attempt(tmp_path, layer=RIVALS, plugins=EXTRAS).job.trainer
    assert trainer.changeable() == ["trainer.lr", "trainer.discriminator_lr"]
    trainer.change(trainer.config.model_copy(update={"lr": 0.5}))
    assert [o.param_groups[0]["lr"] for o in trainer._optimizers] == [0.5, 0.5]
    trainer.change(trainer.config.model_copy(update={"discriminator_lr": 0.1}))
    assert [o.param_groups[0]["lr"] for o in trainer._optimizers] == [0.1, 0.5]


@pytest.mark.parametrize(
    "mixed", [{"trainer": {"name": "supervised"}}, {"loss": {"name": "mse"}}, {"model": {"name": "mlp"}}]
)
def test_what_does_not_go_together_is_refused(tmp_path: Path, mixed: dict[str, Any]) -> None:
    with pytest.raises(UsageError, match="adversarial"):
        toy_attempt(tmp_path, layer={**RIVALS, **mixed}, plugins=EXTRAS)


def test_its_info_is_the_tasks(tmp_path: Path) -> None:
    assert isinstance(toy_attempt(tmp_path, layer=RIVALS, plugins=EXTRAS).job.info, ToyInfo)
