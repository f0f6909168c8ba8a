"""Whatever the files of a run hold, those who read them give what they understand, or say which file it is."""

from __future__ import annotations

import json
from collections.abc import Callable, Iterator, Mapping
from pathlib import Path
from random import Random
from typing import NamedTuple

import pytest

from at_length import times
from dlkit.cli.main import main
from dlkit.jobs.follow import Follower, OutputLog, state_now
from dlkit.jobs.queue import decisions, listing, startable
from dlkit.jobs.queue_state import QueueState
from dlkit.monitor.comparison import compare
from dlkit.monitor.runs import Runs
from dlkit.monitor.view import RunView
from dlkit.runs import commands, contents
from dlkit.runs.folder import RunFolder, summarise
from dlkit.runs.index import newest_runs, note
from dlkit.runs.log import history, read_events, tail_events
from dlkit.runs.stored import readable
from hostile import bad_runs
from hostile.bad_runs import JOB, SHAPES, Place, delete
from hostile.fuzzing import Findings
from hostile.mutations import mutated_bytes, mutated_json, mutated_lines, mutated_toml
from toy import toy_run

Mutation = Callable[[bytes, Random], bytes]
MUTATIONS: Mapping[str, Mutation] = {
    ".json": mutated_json, ".jsonl": mutated_lines, ".toml": mutated_toml, ".log": mutated_bytes,
    ".png": mutated_bytes, ".safetensors": mutated_bytes,
}  # fmt: skip


class Victim(NamedTuple):
    """A run that was trained, the bytes of its files, and another beside it that nobody touches."""

    workspace: Path
    run: RunFolder
    other: RunFolder
    files: Mapping[Path, bytes]


@pytest.fixture(scope="module")
def victim(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Victim]:
    folder = tmp_path_factory.mktemp("readers")
    workspace = folder / "workspace"
    other = toy_run(workspace, name="other", epochs=1)
    run = toy_run(workspace, name="victim", epochs=2, keep=2, sample_every="1 epoch", checkpoint_every=1e-6)
    run.evaluations.write_text(
        json.dumps({"split": "test", "step": 12, "metrics": {"test/mse": 0.5}, "time": 1.0}) + "\n"
    )
    commands.append(run.commands, "set", "trainer.lr", 0.1)
    run.output.write_text("a line\nanother\n")
    (folder / "outside").mkdir()
    files = {path: path.read_bytes() for path in sorted(run.path.rglob("*")) if path.is_file()}
    yield Victim(workspace, run, other, {p: data for p, data in files.items() if p.suffix in MUTATIONS})
    delete(folder)


def readers(victim: Victim) -> dict[str, Callable[[], object]]:
    """All that look at a run without changing it. Each gives something, or a DlkitError that names the file."""
    run, workspace = victim.run, victim.workspace

    def seen_by_the_list() -> None:
        runs = Runs(workspace)
        told = runs.poll()
        assert told is not None and victim.other.id in {summary.id for summary in told}
        runs._looked = runs._followed = -1e9
        runs.poll()

    def seen_by_the_queue() -> None:
        queue = QueueState(workspace)
        assert listing(workspace, queue) is not None
        startable(queue, decisions(queue))
        queue.states()

    def seen_by_a_view() -> None:
        view = RunView(run)
        view.poll()
        for name in view.names:
            view.series(name)

    def seen_by_a_list() -> None:
        assert victim.other.id in {summary.id for summary in newest_runs(workspace)[0]}

    def events() -> None:
        found = read_events(run.events)
        history(found, "val/mse")
        contents.samples(found)

    def command(*words: str) -> Callable[[], object]:
        return lambda: main([*words, "--workspace", str(workspace)])

    return {
        "summarise": lambda: summarise(run),
        "newest_runs": seen_by_a_list,
        "note": lambda: note(workspace, run),
        "monitor.Runs": seen_by_the_list,
        "monitor.RunView": seen_by_a_view,
        "queue": seen_by_the_queue,
        "events": events,
        "tail_events": lambda: tail_events(run.events),
        "compare": lambda: compare([run, victim.other]),
        "evaluations": lambda: contents.latest_evaluations(run),
        "stored_values": lambda: contents.flatten(contents.stored_values(run)),
        "checkpoints": lambda: contents.checkpoints(run),
        "commands": lambda: commands.read(run.commands),
        "state_now": lambda: state_now(run),
        "Follower": lambda: Follower(run).poll(),
        "OutputLog": lambda: OutputLog(run).poll(torn=True),
        "readable": lambda: readable(run),
        "show": command("show", run.id, "--log", "--config", "--samples"),
        "show --json": command("show", run.id, "--json"),
        "runs": command("runs"),
        "compare (command)": command("compare", run.id, victim.other.id),
        "queue list": command("queue", "list"),
        "clean": command("clean", "--dry-run"),
    }


STATES: Mapping[str, Mapping[str, object]] = {
    "completed": {},
    "interrupted": {"state": "running", "result": None},
    "queued": {"state": "queued", "result": None, "job": JOB},
}


def fuzz(victim: Victim, seed: int, calls: int) -> Findings:
    findings = Findings()
    number = 0
    while findings.calls < calls and not findings.enough:
        number += 1
        random = Random(f"{seed} {number}")
        record = json.loads(victim.files[victim.run.record])
        state = random.choice(list(STATES))
        victim.run.record.write_text(json.dumps({**record, **STATES[state]}))
        path = victim.run.record if random.random() < 0.25 else random.choice(list(victim.files))
        if random.random() < 0.04:
            how = random.choice(SHAPES)
            bad_runs._replace(
                str(path.relative_to(victim.run.path)),
                how,
                Place(victim.run, victim.workspace.parent / "outside", random),
            )
        else:
            path.write_bytes(MUTATIONS[path.suffix](path.read_bytes(), random))
        for name, read in readers(victim).items():
            findings.attempt(f"{name}, seed {seed} {number}, {state}, {path.name}", read)
        _restore(victim, path)
    return findings


def _restore(victim: Victim, path: Path) -> None:
    for file in {path, victim.run.record}:
        if file.is_symlink() or not file.is_file():
            delete(file)
        file.write_bytes(victim.files[file])


def test_readers_of_a_run(victim: Victim, toy_installed: Path) -> None:
    findings = fuzz(victim, seed=1, calls=500)
    assert not findings.report(), findings.report()


@pytest.mark.slow
def test_readers_of_a_run_at_length(victim: Victim, toy_installed: Path) -> None:
    findings = fuzz(victim, seed=2, calls=times(50_000))
    assert not findings.report(), findings.report()
    assert findings.calls >= times(50_000)
