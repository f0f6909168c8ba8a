"""Tags and notes: append-only, bounded, found again by filters, groups and names."""

from __future__ import annotations

from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st

from dlkit.errors import RunError, UsageError
from dlkit.monitor.run_groups import in_groups
from dlkit.monitor.run_query import parse
from dlkit.runs import labels as kept
from dlkit.runs.finding import find_run
from dlkit.runs.folder import Summary, summarise, told
from dlkit.runs.index import list_runs, note
from dlkit.runs.labelling import noted, retag, tag
from dlkit.runs.labels import checked_tag, labels
from recorded import record_run


def test_tags_come_and_go_and_nothing_is_lost(tmp_path: Path) -> None:
    run = record_run(tmp_path, 0)
    assert labels(run.path) == ((), ())
    assert tag(run, ["paper", "baseline", "paper"]).tags == ("paper", "baseline")
    before = (run.path / "labels.jsonl").read_bytes()
    assert tag(run, ["last-try"], ["paper"]).tags == ("baseline", "last-try")
    assert (run.path / "labels.jsonl").read_bytes().startswith(before)
    noted(run, "better than\nit looks")
    assert [(entry.text, "@" in entry.by) for entry in labels(run.path).notes] == [("better than\nit looks", True)]
    assert retag(run, "one, two") == f"{run.id}: one, two"
    found = summarise(run)
    assert (found.tags, found.note) == ("one two", "better than") and told(found, run)["tags"] == ["one", "two"]


@pytest.mark.parametrize("word", ["", "two words", "-x", "a,b", "a:b", "x" * 51, "a\x1b", "!a", "tag\n"])
def test_what_is_no_tag(word: str, tmp_path: Path) -> None:
    run = record_run(tmp_path, 0)
    with pytest.raises(UsageError, match="a word of letters"):
        tag(run, [word])
    assert not (run.path / "labels.jsonl").exists()


@pytest.mark.parametrize(
    ("add", "remove", "message"),
    [
        (["a"], ["a"], "given and taken away at once"),
        ([], ["b"], "has no tag 'b': it has a"),
        ([f"t{i}" for i in range(40)], [], "more than 32 tags"),
    ],
)
def test_what_cannot_be_done_changes_nothing(add: list[str], remove: list[str], message: str, tmp_path: Path) -> None:
    run = record_run(tmp_path, 0)
    tag(run, ["a"])
    before = (run.path / "labels.jsonl").read_bytes()
    with pytest.raises(UsageError, match=message):
        tag(run, add, remove)
    with pytest.raises(UsageError, match="the note is empty"):
        noted(run, " \n")
    with pytest.raises(UsageError, match="at most 10000"):
        noted(run, "x" * 10_001)
    assert (run.path / "labels.jsonl").read_bytes() == before


@given(
    st.lists(st.binary(max_size=80) | st.sampled_from([b'{"action":"tag","value":"a"}', b'{"action":"note"}', b"[]"]))
)
def test_a_damaged_file_hides_nothing_else(lines: list[bytes]) -> None:
    from tempfile import TemporaryDirectory

    with TemporaryDirectory() as folder:
        run = record_run(Path(folder), 0)
        (run.path / "labels.jsonl").write_bytes(b"\n".join(lines))
        found = summarise(run)
        assert found.state == "completed" and set(found.tags.split()) <= {"a"} | {
            checked_tag(t) for t in labels(run.path).tags
        }


def test_the_file_is_bounded_and_a_newer_run_stays_as_it_is(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    run = record_run(tmp_path, 0)
    monkeypatch.setattr(kept, "LARGEST", 100)
    with pytest.raises(RunError, match="is full"):
        noted(run, "x" * 200)
    run.update(format=99)
    with pytest.raises(RunError, match="newer dlkit"):
        tag(run, ["a"])


def test_a_link_in_its_place_is_not_followed(tmp_path: Path) -> None:
    run = record_run(tmp_path, 0)
    (tmp_path / "outside").write_text("")
    (run.path / "labels.jsonl").symlink_to(tmp_path / "outside")
    with pytest.raises(RunError, match="not a regular file"):
        tag(run, ["a"])
    assert (tmp_path / "outside").read_text() == "" and labels(run.path).tags == ()


def test_an_ended_run_is_listed_with_its_new_tag_though_the_index_knew_it(tmp_path: Path) -> None:
    run = record_run(tmp_path, 0)
    note(tmp_path, run)
    assert list_runs(tmp_path)[0].tags == ""
    tag(run, ["paper"])
    assert list_runs(tmp_path)[0].tags == "paper"


def test_a_unique_tag_names_a_run_and_a_unique_name_more_so(tmp_path: Path) -> None:
    first, second = record_run(tmp_path, 0), record_run(tmp_path, 1)
    tag(first, ["paper"])
    assert find_run(tmp_path, "paper") == first
    tag(second, ["paper"])
    with pytest.raises(UsageError, match="'paper' could be any of"):
        find_run(tmp_path, "paper")
    second.update(name="paper")
    assert find_run(tmp_path, "paper") == second


def test_filters_and_groups() -> None:
    runs = [Summary("a", tags="baseline paper"), Summary("b", tags="paper", note="odd"), Summary("c")]
    assert [run.id for run in runs if parse("tag:base").matches(run)] == ["a"]
    assert [run.id for run in runs if parse("note:odd !tag:baseline").matches(run)] == ["b"]
    groups = in_groups(runs, ["tag"])
    assert [(group.title, [run.id for run in group.runs]) for group in groups] == [
        ("baseline", ["a"]), ("paper", ["a", "b"]), ("no tag", ["c"]),
    ]  # fmt: skip
