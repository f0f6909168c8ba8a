"""An open interface learns of plugins that somebody installs meanwhile."""

from __future__ import annotations

import os
from pathlib import Path

import pytest

from dlkit.monitor.installed import SETTLING, Change, Installed
from installed import install_metadata


@pytest.fixture
def place(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """A folder that packages are installed in."""
    monkeypatch.syspath_prepend(tmp_path)
    monkeypatch.setattr("site.getsitepackages", lambda: [str(tmp_path)])
    return tmp_path


def touch(place: Path, seconds: float) -> None:
    """Its time goes on, whatever the file system's clock can tell apart."""
    os.utime(place, (seconds, seconds))


def test_what_is_installed_is_new_once(place: Path) -> None:
    now = [100.0]
    installed = Installed(lambda: now[0])
    assert installed.poll() is installed.poll() is None
    folder = place / "dlkit_waves-1.0.dist-info"
    folder.mkdir()  # which tells that something is on its way
    touch(place, 1.0)
    assert installed.poll() is None
    (folder / "METADATA").write_text("Metadata-Version: 2.1\nName: dlkit-waves\nVersion: 1.0\n")
    (folder / "entry_points.txt").write_text("[dlkit]\nwaves = dlkit_waves.plugin\n")
    now[0] += SETTLING / 2
    assert installed.poll() == Change(["waves"], [])
    assert installed.poll() is None
    now[0] += SETTLING
    install_metadata(place, "dlkit-later", "later", "later")
    touch(place, 1.0)  # nobody looks where nothing has changed
    assert installed.poll() is None
    touch(place, 2.0)
    assert installed.poll() == Change(["later"], [])


def test_another_version_and_a_removed_plugin_are_stale(place: Path) -> None:
    install_metadata(place, "dlkit-waves", "waves", "waves")
    touch(place, 1.0)
    installed = Installed()
    assert installed.poll() is None
    (place / "dlkit_waves-1.0.dist-info").rename(place / "gone")
    install_metadata(place, "dlkit-waves", "waves", "waves", "2.0")
    touch(place, 2.0)
    assert installed.poll() == Change([], ["waves"])
    (place / "dlkit_waves-2.0.dist-info").rename(place / "gone-too")
    touch(place, 3.0)
    assert installed.poll() == Change([], ["waves"])


def test_an_editable_package_is_found_where_its_path_file_says(
    place: Path, tmp_path_factory: pytest.TempPathFactory, monkeypatch: pytest.MonkeyPatch
) -> None:
    project = tmp_path_factory.mktemp("project")
    (project / "dlkit_puddles.py").touch()
    monkeypatch.setattr("sys.path", [*__import__("sys").path])
    installed = Installed()
    assert installed.poll() is None
    install_metadata(place, "dlkit-puddles", "puddles", "dlkit_puddles")
    (place / "_puddles.pth").write_text(f"{project}\n")
    touch(place, 1.0)
    assert installed.poll() == Change(["puddles"], [])
    assert __import__("dlkit_puddles").__file__ == str(project / "dlkit_puddles.py")
