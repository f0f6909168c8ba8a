"""Jobs of several processes: what they compute, how they obey, and what becomes of them when one dies.

Those of the launcher ``torchrun`` take eight seconds to begin; the others are forked, with the same variables set.
"""

from __future__ import annotations

import json
import os
import signal
import subprocess
import sys
from collections.abc import Mapping
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st
from torch import Tensor

import workers
from dlkit.data.plans import Plan, Shuffled, in_order
from dlkit.engine.distributed import World, refuse_unshared
from dlkit.engine.loader import own_part
from dlkit.errors import STOPPED, UsageError
from dlkit.events import Checkpointed, Commanded, Finished, MetricsLogged, Resumed, Retried, Sampled
from dlkit.jobs.detach import start_worker
from dlkit.runs import commands
from dlkit.runs.checkpoints import choose, complete
from dlkit.runs.folder import RunFolder
from dlkit.runs.lock import holder
from kills import RECIPES, check, outcome
from toy import finish, toy_attempt, toy_run
from toy_options import ToyInfo, ToyTask
from toy_parts import SquaredError
from workers import ENDLESS, all_events, events_of, make_job, state, until, until_step, work

Quick = dict[str, str]
TOY = RECIPES["toy"]
TWO = {"job": {"nproc": 2}}
PLAIN = {"model": {"name": "linear", "dropout": 0.0}, "dataset": {"name": "plane", "points": 200, "jitter": 0.1}}
ROUNDING = 1e-5
"""The sum over a batch is added up in another order, in float32 (6e-8 each); over the steps that grows a little."""


def troubled(**how: Any) -> dict[str, Any]:
    return {"loss": {"name": "troubled", "wait": 0.005, **how}}


def two(quick: Quick, **layer: Any) -> dict[str, Any]:
    return {"launcher": quick, **TWO, **layer}


def values_of(run: RunFolder) -> dict[tuple[str, int], float]:
    return outcome(run)[2]


def in_one_go(workspace: Path, layer: Mapping[str, Any]) -> RunFolder:
    run = make_job(workspace, layer)
    assert work(run) == 0, run.output.read_text()
    return run


class TestWhatTheyCompute:
    @pytest.mark.parametrize("batch", [{"batch_size": 20}, {"batch_size": 15, "accumulate": 2}])
    def test_the_same_as_one_process(self, workspace: Path, quick: Quick, batch: dict[str, int]) -> None:
        """Of the same global batch; without dropout, which each process draws for itself."""
        run = in_one_go(workspace, two(quick, **PLAIN, engine={"epochs": 5, **batch}))
        alone = toy_run(workspace, layer=PLAIN, **{**workers.ENGINE, "epochs": 5, **batch})
        found, expected = values_of(run), values_of(alone)
        losses = {key for key in expected if key[0] in ("train/loss", "val/loss", "val/mse", "grad_norm", "lr")}
        assert len(losses) > 30
        assert {key: found[key] for key in losses} == pytest.approx({k: expected[k] for k in losses}, rel=ROUNDING)
        assert found != expected or batch["batch_size"] == 15, "two processes do not round as one does"

    def test_two_networks_taking_turns(self, workspace: Path, quick: Quick) -> None:
        """The same as in one process, too, where chance has no part; and where it has, exactly resumed."""
        layer = {"model": {"name": "rivals", "dropout": 0.0, "given": True, "norm": False}}
        engine = {"epochs": 3, "batch_size": 20, "ema": 0.9, "probe_every": 1}
        run = in_one_go(workspace, two(quick, **layer, engine=engine))
        alone = finish(toy_attempt(workspace, layer=layer, plugins=("extras",), **{**workers.ENGINE, **engine}))
        found, expected = values_of(run), values_of(alone)
        assert found == pytest.approx(expected, rel=1e-4) and any(name == "train/g_loss" for name, _ in found)

    @pytest.mark.slow
    @pytest.mark.slow
    def test_two_networks_taking_turns_go_on_exactly(self, workspace: Path, quick: Quick) -> None:
        layer = two(quick, model={"name": "rivals"}, engine={"epochs": 40, "batch_size": 20, "ema": 0.9})
        whole = in_one_go(workspace, layer)
        run, worker = with_a_checkpoint(workspace, layer)
        workers.kill(workers.trainer_of(run))
        worker.wait(workers.PATIENCE)
        assert workers.go_on(run) == 0
        assert outcome(run) == outcome(whole)

    @pytest.mark.slow
    def test_the_same_with_torchrun(self, workspace: Path, quick: Quick) -> None:
        """And so it is with the forked ones, bit for bit: the tests below may use those."""
        layer = {**TOY, "job": {"nproc": 2}, "engine": {**TOY["engine"], "epochs": 5}}
        run = in_one_go(workspace, layer)
        assert run.read()["job"]["launcher"]["name"] == "torchrun"
        assert run.read()["processes"] == 2
        assert outcome(run) == outcome(in_one_go(workspace, {**layer, "launcher": quick}))

    @pytest.mark.slow
    def test_one_process_of_torchrun_is_one_process(self, workspace: Path, plugins: None) -> None:
        layer = {**TOY, "launcher": {"name": "torchrun"}, "engine": {**TOY["engine"], "epochs": 5}}
        run = in_one_go(workspace, layer)
        sections = {key: value for key, value in layer.items() if key not in ("task", "engine", "launcher")}
        alone = finish(toy_attempt(workspace, layer=sections, plugins=("extras",), **layer["engine"]))
        assert outcome(run) == outcome(alone)

    def test_each_has_a_part_of_the_evaluation(self, workspace: Path, quick: Quick) -> None:
        """Of every size: 40 samples in batches of 7 are 6 batches, the last of them of 5."""
        layer = {**PLAIN, "engine": {"eval_batch_size": 7, "epochs": 1, "batch_size": 32, "eval_every": "2 steps"}}
        run = in_one_go(workspace, two(quick, **layer))
        alone = toy_run(workspace, layer=PLAIN, **{**workers.ENGINE, **layer["engine"]})
        for name in ("val/mse", "val/loss"):
            ours = [v for (key, _), v in sorted(values_of(run).items()) if key == name]
            theirs = [v for (key, _), v in sorted(values_of(alone).items()) if key == name]
            assert ours == pytest.approx(theirs, rel=ROUNDING) and len(ours) == 3


class TestControl:
    def test_they_obey_together(self, workspace: Path, quick: Quick) -> None:
        run, worker = workers.begun(workspace, two(quick, **troubled()), **ENDLESS)
        ask(run, "pause")
        until(lambda: state(run) == "paused")
        paused = obeyed(run)[-1]
        ask(run, "checkpoint")
        ask(run, "sample")
        ask(run, "set", "trainer.lr", 0.001)
        ask(run, "set", "engine.batch_size", 3)
        assert all(event.step == paused.step for event in obeyed(run))
        assert {event.action: bool(event.refused) for event in obeyed(run)[:4]} == {
            "pause": False, "checkpoint": False, "sample": False, "set": False
        }  # fmt: skip
        assert "cannot be changed while the run goes" in obeyed(run)[4].refused
        until(lambda: any(event.step == paused.step for event in events_of(run, Checkpointed)))
        until(lambda: any(event.step == paused.step for event in events_of(run, Sampled)))
        assert max(e.last_step for e in events_of(run, MetricsLogged)) == paused.step
        ask(run, "unpause")
        until_step(run, paused.step + 20)
        ask(run, "stop")
        assert worker.wait(workers.PATIENCE) == STOPPED
        last = choose(run.path, "last")
        assert (state(run), last.step) == ("stopped", run.read()["result"]["step"])
        assert last.manifest.settings == {"trainer.lr": 0.001}
        rates = {step: value for (name, step), value in values_of(run).items() if name == "lr"}
        assert rates[max(rates)] == 0.001 and rates[min(rates)] != 0.001

    def test_an_evaluation_is_interrupted(self, workspace: Path, quick: Quick) -> None:
        """By a stop that not every process has a batch left to hear of."""
        layer = two(quick, **troubled(wait=0.0, evaluation_wait=0.2))
        run = make_job(workspace, layer, eval_every="3 steps", eval_batch_size=4, epochs=1000)
        worker = start_worker(run)
        until_step(run, 3)
        ask(run, "stop")
        assert worker.wait(workers.PATIENCE) == STOPPED
        assert choose(run.path, "last").step == run.read()["result"]["step"]

    def test_sigterm(self, workspace: Path, quick: Quick) -> None:
        run, worker = workers.begun(workspace, two(quick, **troubled()), **ENDLESS)
        worker.send_signal(signal.SIGTERM)
        assert worker.wait(workers.PATIENCE) == STOPPED
        assert run.read()["reason"] == "stopped by SIGTERM"
        assert choose(run.path, "last").problems() == []

    def test_a_limit_of_time(self, workspace: Path, quick: Quick) -> None:
        run = make_job(workspace, two(quick, **troubled()), **{**ENDLESS, "eval_every": "end"}, max_time=1.0)
        assert work(run) == 0
        assert run.read()["reason"] == "max_time of 1 s reached"
        assert events_of(run, Finished)[-1].metrics["val/mse"] > 0


def ask(run: RunFolder, action: str, key: str = "", value: object = None) -> None:
    identity = commands.append(run.commands, action, key, value, by="a test")
    until(lambda: any(event.id == identity for event in obeyed(run)), f"{action} was not obeyed")


def obeyed(run: RunFolder) -> list[Commanded]:
    return events_of(run, Commanded)


class TestGoingOn:
    @pytest.mark.slow
    def test_from_a_checkpoint_exactly(self, workspace: Path, quick: Quick) -> None:
        """Dropout, jitter, accumulation and averages: each process's generators are in the checkpoint."""
        layer = {**TOY, **two(quick)}
        undisturbed = outcome(in_one_go(workspace, layer))
        run = make_job(workspace, layer)
        worker = start_worker(run)
        until_step(run, 40)
        ask(run, "stop")
        assert worker.wait(workers.PATIENCE) == STOPPED
        assert workers.go_on(run) == 0
        (resumed,) = events_of(run, Resumed)
        assert resumed.exact and resumed.from_step >= 40
        check(run, undisturbed)

    def test_as_fewer_is_not_exact(self, workspace: Path, quick: Quick) -> None:
        run, worker = workers.begun(workspace, two(quick, **troubled()), epochs=20)
        worker.send_signal(signal.SIGTERM)
        worker.wait(workers.PATIENCE)
        run.config.write_text(run.config.read_text().replace("nproc = 2", "nproc = 1"))
        assert workers.go_on(run) == 2
        assert "processes was 2, is 1" in run.output.read_text()
        assert state(run) == "stopped"

    @pytest.mark.slow
    @pytest.mark.parametrize("rank", [0, 1])
    def test_after_one_of_them_was_killed(self, workspace: Path, quick: Quick, rank: int) -> None:
        undisturbed = outcome(in_one_go(workspace, {**TOY, **two(quick)}))
        run, worker = with_a_checkpoint(workspace, {**TOY, "launcher": quick, "job": {"nproc": 2, "max_restarts": 1}})
        ranks = workers.ranks_of(run)
        assert len(ranks) == 2
        workers.kill(ranks[rank])
        assert worker.wait(workers.PATIENCE) == 0
        assert not any(workers.alive(process) for process in ranks.values())
        (retried,) = [event for event in all_events(run) if isinstance(event, Retried)]
        assert retried.reason.endswith("died without a word")
        check(run, undisturbed)

    @pytest.mark.slow
    @pytest.mark.slow
    def test_after_a_rank_of_torchrun_was_killed(self, workspace: Path, quick: Quick) -> None:
        undisturbed = outcome(in_one_go(workspace, {**TOY, **two(quick)}))
        run, worker = with_a_checkpoint(workspace, {**TOY, "job": {"nproc": 2, "max_restarts": 1}})
        before = workers.ranks_of(run)
        workers.kill(before[1])
        assert worker.wait(workers.PATIENCE) == 0
        assert not any(workers.alive(process) for process in before.values())
        check(run, undisturbed)

    @pytest.mark.slow
    def test_without_restarts_a_killed_rank_interrupts(self, workspace: Path, quick: Quick) -> None:
        run, worker = workers.begun(workspace, two(quick, **troubled()), **ENDLESS)
        workers.kill(workers.ranks_of(run)[1])
        assert worker.wait(workers.PATIENCE) == 1
        assert state(run) == "interrupted"
        assert run.read()["reason"].endswith("died without a word")


def with_a_checkpoint(workspace: Path, layer: Mapping[str, Any]) -> tuple[RunFolder, subprocess.Popen[bytes]]:
    run = make_job(workspace, layer)
    worker = start_worker(run)
    until(lambda: complete(run.path) or worker.poll() is not None)
    return run, worker


class TestFailures:
    @pytest.mark.parametrize("rank", [0, 1])
    def test_a_rank_that_raises(self, workspace: Path, quick: Quick, rank: int) -> None:
        run = make_job(workspace, two(quick, **troubled(raise_at=30, raise_in=rank)), **ENDLESS)
        worker = start_worker(run)
        assert worker.wait(workers.PATIENCE) == 1
        end = events_of(run, Finished)[-1]
        assert end.status == state(run) == "failed"
        assert end.reason.startswith(f"rank {rank}: ArithmeticError: call 30; ")
        assert "break_at" in end.traceback
        until(lambda: holder(run.lock) is None)
        assert not [p for p in workers.ranks_of(run).values() if workers.alive(p)]

    def test_a_rank_that_fails_leaves_at_once(self, tmp_path: Path) -> None:
        """Its interpreter's own end would wait for peers, who wait for it; its report is there by then."""
        code = (
            "import atexit, sys, time; atexit.register(time.sleep, 600)\n"
            "from dlkit.jobs.rank import main; sys.exit(main(sys.argv[1:]))"
        )
        environment = {**os.environ, "RANK": "1", "WORLD_SIZE": "2"}
        done = subprocess.run([sys.executable, "-c", code, str(tmp_path)], env=environment, timeout=workers.PATIENCE)
        assert done.returncode == 1
        assert json.loads((tmp_path / ".report-1.json").read_text())["reason"]

    @pytest.mark.slow
    @pytest.mark.slow
    def test_torchrun_leaves_none_behind(self, workspace: Path, plugins: None) -> None:
        """Killed is the supervisor, which can tell nobody."""
        run, worker = workers.begun(workspace, {**TWO, **troubled()}, **ENDLESS)
        ranks = workers.ranks_of(run)
        assert len(ranks) == 2
        worker.kill()
        worker.wait()
        until(lambda: not any(workers.alive(process) for process in ranks.values()) and holder(run.lock) is None)
        assert state(run) == "interrupted"

    def test_a_trainer_that_works_alone(self, workspace: Path, quick: Quick) -> None:
        layer = {"task": "regression", "model": {"name": "scratch-mlp"}, "job": {"nproc": 2}, "launcher": quick}
        run = make_job(workspace, layer)
        assert work(run) == 2
        assert "job.nproc = 2: trainer 'scratch' does not support it" in run.read()["reason"]

    def test_a_batch_that_cannot_be_shared(self, workspace: Path, quick: Quick) -> None:
        with pytest.raises(UsageError, match="batch_size"):
            run = make_job(workspace, two(quick), batch_size=1)
            assert work(run) == 2
            raise UsageError(run.read()["reason"])

    def test_metrics_of_one_process(self) -> None:
        pair = World()
        pair.size = 2
        info = ToyInfo(features=3)
        refuse_unshared(ToyTask(), info, pair)
        refuse_unshared(Silent(), info, World())
        with pytest.raises(UsageError, match=r"job.nproc = 2: metrics of Silent have no reduce\(\)"):
            refuse_unshared(Silent(), info, pair)


class Silent(ToyTask):
    """Its metrics know of no other process."""

    def metrics(self, info: Any) -> Any:
        return Lonely()


class Lonely:
    def __init__(self) -> None:
        self._whole = SquaredError()

    def update(self, outputs: Tensor, batch: Mapping[str, Tensor]) -> None:
        self._whole.update(outputs, batch)

    def compute(self) -> Mapping[str, float]:
        return self._whole.compute()


RANKS = st.integers(1, 9)
SIZES = st.integers(1, 400)


class TestParts:
    """No processes: what each of them is given."""

    @given(st.integers(1, 400), st.integers(1, 60), RANKS, st.integers(0, 3))
    def test_every_batch_is_shared_out(self, size: int, batch: int, ranks: int, epoch: int) -> None:
        plan = Shuffled().plan(size, 1, epoch, batch)
        if min(plan.sizes) < ranks:
            with pytest.raises(UsageError, match=f"cannot be shared by {ranks} processes"):
                plan.shard(0, ranks)
            return
        shards = [plan.shard(rank, ranks) for rank in range(ranks)]
        for number, whole in enumerate(plan):
            parts = [shard[number] for shard in shards]
            assert np.concatenate(parts).tolist() == whole.tolist()
            assert max(map(len, parts)) - min(map(len, parts)) <= 1
        assert all(len(shard) == len(plan) for shard in shards)

    @given(st.lists(st.integers(1, 30), min_size=1, max_size=8), RANKS)
    def test_batches_of_several_sizes(self, sizes: list[int], ranks: int) -> None:
        plan = Plan(np.arange(sum(sizes)), np.cumsum([0, *sizes]))
        if min(sizes) >= ranks:
            shards = [plan.shard(rank, ranks) for rank in range(ranks)]
            assert sorted(np.concatenate([shard.order for shard in shards])) == list(range(sum(sizes)))

    @given(SIZES, st.integers(1, 60), RANKS)
    def test_an_evaluation_sees_every_sample_once(self, size: int, batch: int, ranks: int) -> None:
        plan = in_order(size, batch)
        parts = [own_part(plan, rank, ranks) for rank in range(ranks)]
        assert np.concatenate([part.order for part in parts]).tolist() == list(range(size))
        lengths = [len(part.order) for part in parts]
        assert max(lengths) - min(lengths) <= 1
        assert all(sum(part.sizes) == len(part.order) and 0 not in part.sizes for part in parts)
        assert all(max(part.sizes, default=0) <= -(-batch // ranks) for part in parts)
        assert len(parts[0]) == min(map(len, parts)), "rank 0, whose count of batches all go by, has the fewest"

    def test_one_process_has_all(self) -> None:
        plan = in_order(10, 3)
        assert own_part(plan, 0, 1) is plan
        assert [part.tolist() for part in plan.shard(0, 1)] == [part.tolist() for part in plan]
