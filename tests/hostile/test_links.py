"""A run folder whose files and folders are links: nothing is written, made, cut off or deleted where they lead."""

from __future__ import annotations

import os
import shutil
import stat
import sys
from collections.abc import Callable, Iterator
from contextlib import suppress
from pathlib import Path

import pytest

from dlkit.cli.main import main
from dlkit.errors import DlkitError, RunError
from dlkit.jobs.detach import start_worker
from dlkit.runs import commands, opening
from dlkit.runs.conclude import end_run
from dlkit.runs.contents import load_sample, save_sample
from dlkit.runs.finding import find_run
from dlkit.runs.folder import RunFolder, summarise
from dlkit.runs.index import list_runs
from dlkit.runs.log import EventLog, read_events
from dlkit.runs.opening import Refused
from dlkit.samples import Text
from hostile.bad_runs import contents
from toy import finish, toy_resume, toy_run

FILES = (
    "run.json", "config.toml", "events.jsonl", "commands.jsonl", "evaluations.jsonl", "output.log", "run.lock",
    "init.safetensors", ".reserve", ".report-0.json", ".run.json.1.tmp",
)  # fmt: skip
FOLDERS = ("samples", "checkpoints", "checkpoints/{last}")
PLANTED = (*FILES, *FOLDERS)


@pytest.fixture(scope="session")
def template(tmp_path_factory: pytest.TempPathFactory) -> RunFolder:
    return toy_run(tmp_path_factory.mktemp("template"))


@pytest.fixture
def outside(tmp_path: Path) -> Path:
    """Somebody's home: the shell executes what stands in a file there."""
    folder = tmp_path / "home"
    (folder / "folder").mkdir(parents=True)
    (folder / "folder" / "kept").write_text("kept\n")
    (folder / "bashrc").write_text("alias ls=ls\nno end of a line")
    return folder


@pytest.fixture
def run(tmp_path: Path, template: RunFolder) -> RunFolder:
    copy = tmp_path / "workspace" / "runs" / template.id
    shutil.copytree(template.path, copy)
    return RunFolder(copy)


def plant(run: RunFolder, name: str, target: Path) -> Path:
    """Put a link in the place of a file or folder; what it leads to has what was there, as a stranger would have it."""
    path = run.path / name.format(last=max(path.name for path in run.checkpoints.iterdir()))
    if path.is_dir():
        shutil.copytree(path, target, dirs_exist_ok=True)
        shutil.rmtree(path)
    elif path.exists():
        path.unlink()
    path.symlink_to(target)
    return path


def resumed(run: RunFolder) -> None:
    finish(toy_resume(run, epochs=4, allow_inexact=True))


def evaluated(run: RunFolder) -> None:
    main(["evaluate", str(run.path), "--split", "val"])


def ended(run: RunFolder) -> None:
    end_run(run, "failed", "$(touch owned)")


def asked(run: RunFolder) -> None:
    commands.append(run.commands, "stop", by="$(touch owned)")


def logged(run: RunFolder) -> None:
    EventLog(run.events).close()


def started(run: RunFolder) -> None:
    run.update(state="completed")  # its worker finds nothing to do
    start_worker(run).wait()


def sampled(run: RunFolder) -> None:
    save_sample(run, Text(name="x", text="$(touch owned)"), "step-00000001-x")


def renamed(run: RunFolder) -> None:
    main(["rename", str(run.path), "another"])


def cleaned(run: RunFolder) -> None:
    main(["clean", "--workspace", str(run.path.parent.parent), "--yes", "--interrupted"])


def removed(run: RunFolder) -> None:
    main(["remove", run.id, "--workspace", str(run.path.parent.parent), "--yes"])


def shown(run: RunFolder) -> None:
    main(["show", str(run.path), "--samples", "--log", "--config"])


QUICK = (asked, logged, ended, sampled, renamed, cleaned, removed, shown)
THOROUGH = {
    resumed: ("events.jsonl", "run.lock", "config.toml", "samples", "checkpoints", "checkpoints/{last}", ".reserve"),
    evaluated: ("evaluations.jsonl", "checkpoints", "run.json"),
    started: ("output.log", "run.lock"),
}  # fmt: skip
CASES = [(act, name) for act in QUICK for name in PLANTED]
CASES += [(act, name) for act, names in THOROUGH.items() for name in names]


@pytest.mark.parametrize(("act", "name"), CASES, ids=[f"{act.__name__}: {name}" for act, name in CASES])
@pytest.mark.parametrize("dangling", [False, True], ids=["to a file", "to nothing"])
@pytest.mark.usefixtures("toy_installed", "capsys")
def test_nothing_is_done_where_a_link_leads(
    act: Callable[[RunFolder], None], name: str, dangling: bool, run: RunFolder, outside: Path
) -> None:
    target = outside / "nothing" if dangling else outside / ("folder" if name in FOLDERS else "bashrc")
    if dangling and name in FOLDERS:
        pytest.skip("a folder's link leads to a folder")
    plant(run, name, target)
    before = contents(outside)
    with suppress(DlkitError):  # an error for people, or what can be done without that file
        act(run)
    assert contents(outside) == before


@pytest.mark.parametrize("name", ["run.json", "events.jsonl", "commands.jsonl", "run.lock", "output.log"])
@pytest.mark.parametrize("make", [os.mkfifo, Path.mkdir, lambda path: path.symlink_to("/dev/zero")])
def test_what_is_no_file_is_refused_by_name(name: str, make: Callable[[Path], object], run: RunFolder) -> None:
    path = run.path / name
    path.unlink(missing_ok=True)
    make(path)
    for flags in (os.O_RDONLY, opening.APPEND):
        with pytest.raises(RunError, match=rf"{name}: a (named pipe|folder|link), not a regular file"):
            opening.open_file(run.path, name, flags)


@pytest.mark.parametrize(
    "name",
    ["../home/bashrc", "/etc/passwd", "samples/../../x.json", "samples/.x.json", "samples/a/b.json", "other", "", ".",
     "checkpoints/step-00000001/../x", "checkpoints/step-1/x", "checkpoints/step-00000001/.x", "run.json/x",
     "samples/x"],
)  # fmt: skip
def test_a_name_that_no_run_has_is_refused(name: str, run: RunFolder) -> None:
    with pytest.raises(Refused, match="not the name of anything in a run's folder"):
        opening.open_file(run.path, name)


def test_a_sample_that_names_another_file_is_not_read(run: RunFolder, outside: Path) -> None:
    (outside / "picture.png").write_bytes(b"secret")
    (run.samples / "step-00000001-x.json").write_text(
        f'{{"kind": "images", "name": "x", "images": {{"file": "{outside / "picture.png"}", "shape": [1, 1, 1]}}}}'
    )
    for file in ("samples/step-00000001-x.json", f"../../../{outside.name}/bashrc"):
        with pytest.raises(Refused, match="not the name of anything"):
            load_sample(run, file)


@pytest.fixture
def linked(run: RunFolder, tmp_path: Path) -> RunFolder:
    """A link among the runs of a workspace; ``run`` is what it leads to."""
    other = tmp_path / "another" / "runs"
    other.mkdir(parents=True)
    (other / run.id).symlink_to(run.path)
    return RunFolder(other / run.id)


def test_a_linked_run_is_listed_as_what_it_is(linked: RunFolder, run: RunFolder) -> None:
    (summary,) = list_runs(linked.path.parent.parent)
    assert (summary.id, summary.state) == (run.id, "damaged")
    assert summary.reason == f"{linked.path}: a link to {run.path}, which is not followed: name that folder"


@pytest.mark.usefixtures("toy_installed")
def test_a_linked_run_is_never_written_through(
    linked: RunFolder, run: RunFolder, capsys: pytest.CaptureFixture[str]
) -> None:
    before = contents(run.path)
    where = ["--workspace", str(linked.path.parent.parent)]
    for words in (["rename", run.id, "x"], ["resume", run.id, "--epochs", "9"], ["evaluate", run.id], ["stop", run.id]):
        with suppress(DlkitError):
            assert main([*words, *where]) != 0
    for reference in (linked.path, f"{linked.path}/", run.id):
        with pytest.raises(Refused, match="a link to"):
            find_run(linked.path.parent.parent, str(reference)).update(name="x")
    assert contents(run.path) == before


@pytest.mark.usefixtures("toy_installed", "capsys")
@pytest.mark.parametrize("by", ["id", "path"])
def test_a_linked_run_is_removed_itself_alone(linked: RunFolder, run: RunFolder, by: str) -> None:
    before = contents(run.path)
    reference = run.id if by == "id" else str(linked.path)
    assert main(["clean", "--workspace", str(linked.path.parent.parent), "--yes", "--interrupted"]) == 0
    assert linked.path.is_symlink(), "what is damaged is not clean's affair"
    assert main(["remove", reference, "--workspace", str(linked.path.parent.parent), "--yes"]) == 0
    assert not os.path.lexists(linked.path)
    assert contents(run.path) == before


def test_a_run_is_found_where_it_is_named_by_a_way_through_links(run: RunFolder, tmp_path: Path) -> None:
    (tmp_path / "alias").symlink_to(run.path.parent.parent)  # a workspace on another disk
    found = find_run(tmp_path / "alias", run.id)
    found.update(name="here")
    assert summarise(run).name == "here"


def test_a_tree_deeper_than_python_recurs_is_removed(run: RunFolder, outside: Path) -> None:
    deep = os.open(run.path, os.O_RDONLY)
    for _ in range(1100):
        os.mkdir("d", dir_fd=deep)
        inner = os.open("d", os.O_RDONLY, dir_fd=deep)
        os.close(deep)
        deep = inner
    os.symlink(outside, "link", dir_fd=deep)
    os.close(deep)
    before = contents(outside)
    opening.remove_beside(run.path)
    assert not run.path.exists()
    assert contents(outside) == before


def test_a_checkpoint_has_the_rights_that_the_umask_leaves(run: RunFolder) -> None:
    before = os.umask(0o022)
    try:
        resumed(run)
    finally:
        os.umask(before)
    newest = sorted(run.checkpoints.iterdir())[-1]
    assert {stat.S_IMODE(path.stat().st_mode) for path in newest.iterdir()} == {0o644}
    assert stat.S_IMODE(run.record.stat().st_mode) == 0o644


# What opens files in a run's folder: looked at from outside, by Python's own audit.

_watched: list[tuple[str, str]] = []
_below = ""
WRITES = {"open": 0, "os.remove": 0, "os.rename": 0, "os.mkdir": 0, "os.rmdir": 0, "os.truncate": 0, "os.chmod": 0}


def _audit(event: str, arguments: tuple[object, ...]) -> None:
    if _below and event in WRITES:
        path = arguments[0]
        if isinstance(path, (str, bytes, os.PathLike)) and os.fsdecode(path).startswith(_below):
            _watched.append((event, os.fsdecode(path)))


@pytest.fixture
def watched(run: RunFolder) -> Iterator[list[tuple[str, str]]]:
    """What was opened, made or removed by a path that leads into the run's folder, and not from the folder on."""
    global _below
    if not _watched and not getattr(sys, "_dlkit_audited", False):
        sys.addaudithook(_audit)  # for good: hooks cannot be taken away
        sys._dlkit_audited = True  # type: ignore[attr-defined]
    _watched.clear()
    _below = f"{run.path}{os.sep}"
    yield _watched
    _below = ""


COMMANDS = (
    ("runs",), ("show", "{run}", "--samples", "--log", "--config"), ("show", "{run}", "--json"),
    ("compare", "{run}", "{run}/../{id}"), ("predict", "{run}", "1,2,3"), ("sample", "{run}", "-n", "2"),
    ("evaluate", "{run}", "--split", "val"), ("watch", "{run}"), ("resume", "{run}", "--epochs", "5"),
    ("rename", "{run}", "new"), ("queue", "list"), ("clean", "--yes"), ("stop", "{run}"), ("remove", "{id}", "--yes"),
)  # fmt: skip


@pytest.mark.usefixtures("toy_installed")
def test_every_command_opens_files_of_a_run_from_its_folder_on(
    run: RunFolder, watched: list[tuple[str, str]], capsys: pytest.CaptureFixture[str]
) -> None:
    workspace = run.path.parent.parent
    for words in COMMANDS:
        asked = [word.format(run=run.path, id=run.id) for word in words]
        where = [] if "{run}" in words else ["--workspace", str(workspace)]
        with suppress(DlkitError):  # of a run that has ended, ``stop`` says so
            main([*asked, *where])
        assert not watched, f"{words[0]}: {watched}"
    assert not run.path.exists()
    capsys.readouterr()


def test_the_watch_sees_what_goes_by_a_path(run: RunFolder, watched: list[tuple[str, str]]) -> None:
    run.record.read_text()
    read_events(run.events)
    assert watched == [("open", str(run.record))]
