"""The generator of bad runs makes what it promises, and the same again."""

from __future__ import annotations

import re
from pathlib import Path

from hostile.bad_runs import KINDS, contents, make_bad_run, make_bad_runs


def test_there_is_a_folder_of_every_kind(bad_workspace: Path) -> None:
    found = make_bad_runs(bad_workspace)
    assert len(KINDS) >= 150
    assert [bad.kind for bad in found] == list(KINDS)
    assert {bad.run.id for bad in found} == {path.name for path in (bad_workspace / "runs").iterdir()}


def test_a_seed_decides(bad_workspace: Path, tmp_path: Path) -> None:
    names = [name for name in KINDS if name.endswith("of the wrong type")]

    def made(where: str, seed: int) -> list[bytes]:
        found = [make_bad_run(tmp_path / where, name, i, seed) for i, name in enumerate(names)]
        return [_without_times(bad.run.record.read_bytes()) for bad in found]

    assert made("one", 1) == made("again", 1) != made("another", 2)


def test_what_links_lead_to_is_known(bad_workspace: Path) -> None:
    make_bad_run(bad_workspace, "a folder that is a link to a run elsewhere")
    outside = bad_workspace.parent / "outside"
    before = contents(outside)
    assert {"profile", "folder/kept", "run/run.json"} <= before.keys()
    (outside / "profile").write_text("another")
    assert contents(outside) != before


def _without_times(record: bytes) -> bytes:
    """The created time and the id, which begins with it, are the clock's."""
    return re.sub(rb'"(created|id|updated|mark)": ("[^"]*"|[\d.]+)', b"", record)
