"""Cores that a process may use: affinity and control groups, of either version."""

from __future__ import annotations

import os
from pathlib import Path

import pytest

from dlkit import cores


def group(root: Path, path: str, **files: str) -> None:
    folder = root / path
    folder.mkdir(parents=True, exist_ok=True)
    for name, text in files.items():
        (folder / name.replace("__", ".")).write_text(f"{text}\n")


@pytest.fixture
def own(tmp_path: Path) -> Path:
    return tmp_path / "own"


def limit(tmp_path: Path, own: Path) -> float | None:
    found = cores.quota(tmp_path, own)
    return None if found > 1000 else found


@pytest.mark.parametrize(("said", "found"), [("max 100000", None), ("150000 100000", 1.5), ("50000 100000", 0.5)])
def test_version_2(tmp_path: Path, own: Path, said: str, found: float | None) -> None:
    own.write_text("0::/user.slice/job\n")
    group(tmp_path, "user.slice/job", cpu__max=said)
    assert limit(tmp_path, own) == found


def test_the_smallest_of_all_above_holds(tmp_path: Path, own: Path) -> None:
    own.write_text("0::/a/b/c\n")
    group(tmp_path, "a", cpu__max="300000 100000")
    group(tmp_path, "a/b", cpu__max="800000 100000")
    group(tmp_path, "a/b/c", cpu__max="max 100000")
    assert limit(tmp_path, own) == 3


def test_a_container_sees_its_group_as_the_root(tmp_path: Path, own: Path) -> None:
    own.write_text("0::/\n")
    group(tmp_path, ".", cpu__max="200000 100000")
    assert limit(tmp_path, own) == 2
    own.write_text("0::/../../docker/abc\n")
    assert limit(tmp_path, own) == 2


@pytest.mark.parametrize("folder", ["cpu,cpuacct", "cpu"])
def test_version_1(tmp_path: Path, own: Path, folder: str) -> None:
    own.write_text("4:memory:/docker/x\n3:cpu,cpuacct:/docker/x\n")
    group(tmp_path, f"{folder}/docker/x", cpu__cfs_quota_us="250000", cpu__cfs_period_us="100000")
    assert limit(tmp_path, own) == 2.5
    group(tmp_path, f"{folder}/docker/x", cpu__cfs_quota_us="-1")
    assert limit(tmp_path, own) is None


def test_nothing_is_said(tmp_path: Path, own: Path) -> None:
    assert limit(tmp_path, own) is None
    own.write_text("nonsense\n0::/x\n")
    group(tmp_path, "x", cpu__max="many")
    assert limit(tmp_path, own) is None


def test_a_share_is_given_where_the_user_says_nothing(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(cores, "own_cores", lambda: 8)
    monkeypatch.delenv("OMP_NUM_THREADS", raising=False)
    assert cores.share(3) == {"OMP_NUM_THREADS": "2", cores.ALLOTTED: "2"}
    assert cores.share(9) == {"OMP_NUM_THREADS": "1", cores.ALLOTTED: "1"}
    monkeypatch.setenv("OMP_NUM_THREADS", "5")
    assert cores.share(3) == {}


@pytest.mark.parametrize(("quota", "found"), [(0.5, 1), (1.9, 1), (1e6, None)])
def test_cores_are_whole_and_one_at_least(monkeypatch: pytest.MonkeyPatch, quota: float, found: int | None) -> None:
    monkeypatch.setattr(cores, "quota", lambda: quota)
    there = len(os.sched_getaffinity(0)) if hasattr(os, "sched_getaffinity") else os.cpu_count()
    assert cores.own_cores() == (found or there)
