"""How many threads a run takes: decided where it starts, written down, the same after every resume."""

from __future__ import annotations

import json
from collections.abc import Callable, Iterator
from dataclasses import replace
from pathlib import Path
from typing import Any

import pytest
import torch
from torch import Tensor, nn
from torch.utils.flop_counter import FlopCounterMode

from dlkit.config import EngineConfig, Layer, resolve
from dlkit.cores import ALLOTTED
from dlkit.data.context import Context
from dlkit.engine import threads
from dlkit.engine.attempt import Attempt
from dlkit.engine.device import Cpu
from dlkit.engine.distributed import World
from dlkit.engine.start import start
from dlkit.engine.threads import SMALL, Cores, Threads, choose_threads, multiplications, step_work
from dlkit.errors import RunError
from dlkit.runs.folder import RunFolder
from dlkit.runs.run_record import RunRecord
from dlkit.testing.seats import seated
from toy import finish, toy_catalog, toy_resume, toy_run

MOST = 8


def attempt(workspace: Path, free: int, why: str) -> Attempt:
    catalog = toy_catalog()
    resolved = resolve(catalog, "toy", [Layer("test", {"engine": {"device": "cpu"}})])
    context = Context(workspace / "data")
    return start(catalog, resolved, workspace, context, cores=lambda processes: Cores(free, why))


def some(free: int) -> Callable[[], Cores]:
    return lambda: Cores(free, "others are there")


def nobody() -> Any:
    raise AssertionError("nobody is to be asked")


@pytest.fixture(autouse=True)
def of_eight(monkeypatch: pytest.MonkeyPatch) -> Iterator[None]:
    """Torch would take eight threads, and the user says nothing of it."""
    monkeypatch.delenv("OMP_NUM_THREADS", raising=False)
    monkeypatch.setattr(threads, "torch_threads", lambda: MOST)
    before = torch.get_num_threads()
    yield
    torch.set_num_threads(before)


def chosen(work: float = SMALL, free: int = MOST, **engine: Any) -> tuple[int, str]:
    return choose_threads(EngineConfig(**engine), Cpu(), lambda: work, some(free))


def test_what_the_run_asks_for_comes_first(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("OMP_NUM_THREADS", "3")
    assert choose_threads(EngineConfig(threads=5), Cpu(), nobody, nobody) == (5, "engine.threads")


def test_then_what_the_user_says(monkeypatch: pytest.MonkeyPatch) -> None:
    """Torch has heard it."""
    monkeypatch.setenv("OMP_NUM_THREADS", "8")
    assert choose_threads(EngineConfig(), Cpu(), nobody, nobody) == (MOST, "OMP_NUM_THREADS = 8")


def test_what_a_worker_was_allotted_is_not_the_users_word(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("OMP_NUM_THREADS", "8")
    monkeypatch.setenv(ALLOTTED, "8")
    assert chosen(SMALL - 1)[0] == 1
    assert chosen(free=2)[0] == 2


def test_another_device_has_torchs_choice() -> None:
    class Elsewhere(Cpu):
        kind = "cuda"

    assert choose_threads(EngineConfig(), Elsewhere(), nobody, nobody) == (MOST, "")


def test_a_small_step_has_one_whoever_else_is_there() -> None:
    found = choose_threads(EngineConfig(), Cpu(), lambda: 120_000, nobody)
    assert found == (1, "operations of 0.12 million multiplications are too small to share")


@pytest.mark.parametrize(("free", "number", "why"), [
    (64, MOST, ""), (MOST, MOST, ""), (3, 3, "others are there"), (0, 1, "others are there"),
])  # fmt: skip
def test_a_larger_step_has_what_is_free(free: int, number: int, why: str) -> None:
    assert chosen(free=free) == (number, why)


def test_where_torch_takes_one_nothing_is_looked_at(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(threads, "torch_threads", lambda: 1)
    assert choose_threads(EngineConfig(), Cpu(), nobody, nobody) == (1, "")


def test_every_process_takes_what_rank_0_found() -> None:
    found = seated(3, lambda world: Threads(MOST, MOST).chosen(
        EngineConfig(), Cpu(), world, lambda: SMALL, lambda processes: Cores(2 + world.rank, f"{processes} of them"),
    ))  # fmt: skip
    assert found == [Threads(2, MOST, "3 of them")] * 3


class Attention(nn.Module):
    def forward(self, x: Tensor) -> Tensor:
        return nn.functional.scaled_dot_product_attention(x, x, x)


class Products(nn.Module):
    def forward(self, x: Tensor) -> Tensor:
        return x @ x.mT


MODELS: dict[str, tuple[nn.Module, tuple[int, ...]]] = {
    "matrix": (nn.Linear(7, 5), (4, 7)),
    "matrix without offset": (nn.Linear(7, 5, bias=False), (4, 7)),
    "batched": (Products(), (4, 5, 6)),
    "filters": (nn.Conv2d(4, 6, 3, stride=2, groups=2), (2, 4, 9, 9)),
    "transposed filters": (nn.ConvTranspose2d(4, 6, 3, stride=2), (2, 4, 5, 5)),
    "attention": (Attention(), (2, 3, 10, 8)),
    "several": (nn.Sequential(nn.Conv1d(3, 4, 5), nn.ReLU(), nn.Flatten(), nn.Linear(4 * 8, 2)), (2, 3, 12)),
}


@pytest.mark.parametrize("name", MODELS)
def test_multiplications_are_those_that_torch_counts(name: str) -> None:
    model, shape = MODELS[name]
    inputs = (torch.randn(shape),)
    with FlopCounterMode(display=False) as counter, torch.no_grad():
        model.eval()(*inputs)
    with threads._Multiplications() as own, torch.no_grad():
        model.eval()(*inputs)
    assert own.found == counter.get_total_flops() / 2 > 0
    assert multiplications(model, inputs) == own.found / own.operations


@pytest.mark.parametrize("kind", [nn.LSTM, nn.GRU])
def test_recurrent_layers_are_counted_at_every_step(kind: type[nn.Module]) -> None:
    with threads._Multiplications() as own, torch.no_grad():
        kind(6, 10, batch_first=True).eval()(torch.randn(2, 7, 6))
    gates = 4 if kind is nn.LSTM else 3
    assert own.found == pytest.approx(2 * 7 * gates * 10 * (6 + 10), rel=0.2)


def test_work_is_that_of_a_processs_batch() -> None:
    model, inputs = nn.Linear(1000, 1000, bias=False), (torch.randn(2, 1000),)
    world = World()
    once = step_work(model, inputs, EngineConfig(batch_size=2), Cpu(), world)
    assert step_work(model, inputs, EngineConfig(batch_size=200), Cpu(), world) == pytest.approx(100 * once)
    world.size = 4
    assert step_work(model, inputs, EngineConfig(batch_size=200), Cpu(), world) == pytest.approx(25 * once)


def test_what_cannot_be_looked_at_is_not_small() -> None:
    class Closed(nn.Module):
        def forward(self, x: Tensor) -> Tensor:
            raise NotImplementedError("not under a dispatch mode")

    assert step_work(Closed(), (torch.zeros(2, 1),), EngineConfig(), Cpu(), World()) == SMALL


def test_looking_changes_nothing() -> None:
    model = nn.Sequential(nn.Linear(3, 3), nn.Dropout(0.5), nn.BatchNorm1d(3)).train()
    before = {name: value.clone() for name, value in model.state_dict().items()}
    state = torch.get_rng_state()
    step_work(model, (torch.randn(2, 3, generator=torch.Generator()),), EngineConfig(), Cpu(), World())
    assert model.training and torch.equal(torch.get_rng_state(), state)
    assert all(torch.equal(value, before[name]) for name, value in model.state_dict().items())


def test_a_small_run_writes_down_why(tmp_path: Path) -> None:
    record = toy_run(tmp_path).read()
    assert record["threads"] == 1 and record["building_threads"] == MOST
    assert record["threads_why"].endswith("million multiplications are too small to share")


@pytest.fixture
def large(monkeypatch: pytest.MonkeyPatch) -> None:
    """The toys' steps are taken for large ones."""
    monkeypatch.setattr(threads, "SMALL", 0)


def test_a_resume_takes_what_the_run_was_started_with(
    tmp_path: Path, large: None, monkeypatch: pytest.MonkeyPatch
) -> None:
    seen: list[int] = []
    monkeypatch.setattr("dlkit.engine.build.set_threads", lambda number: seen.append(number) or number)
    run = finish(attempt(tmp_path, 3, "another run is there"))
    assert (run.read()["threads"], run.read()["threads_why"]) == (3, "another run is there")
    assert seen == [MOST, 3]
    monkeypatch.setattr(threads, "torch_threads", lambda: 2)
    monkeypatch.setenv("OMP_NUM_THREADS", "5")
    seen.clear()
    resumed = toy_resume(run, epochs=4)
    assert seen == [MOST, 3], "data and model as at first, the steps too"
    assert resumed.differences == () and resumed.job.placement.threads == 3
    finish(resumed)
    assert (run.read()["threads"], run.read()["building_threads"]) == (3, MOST)


@pytest.mark.parametrize(("cores", "said"), [
    (4, "as the run was started, alone"), (3, "as the run was started, alone, though there are 3 cores"),
])  # fmt: skip
def test_a_resume_says_where_there_are_fewer_cores(cores: int, said: str, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(threads, "own_cores", lambda: cores)
    record: RunRecord = {"threads": 4, "building_threads": 8, "threads_why": "alone"}
    run = RunFolder(Path("run"))
    assert Threads.recorded(run, record) == Threads(4, 8, said)
    assert Threads.recorded(run, {}) is None
    with pytest.raises(RunError, match=r"run\.json says building_threads = 100000: allowed are 0 to 1024"):
        Threads.recorded(run, {"threads": 4, "building_threads": 100_000})


def test_a_run_of_before_is_built_with_the_threads_of_its_steps(tmp_path: Path) -> None:
    run = toy_run(tmp_path)
    record = {key: value for key, value in run.read().items() if key not in ("building_threads", "threads_why")}
    run.record.write_text(json.dumps({**record, "threads": 2}))
    assert replace(toy_resume(run, epochs=4).job.threads, why="") == Threads(2, 2)


def test_the_summary_says_what_was_taken(tmp_path: Path, large: None) -> None:
    job = attempt(tmp_path, 1, "others are there").job
    assert (job.summary["threads"], job.summary["threads_why"]) == (1, "others are there")
    assert job.summary["device"] == "cpu (1 thread)"
