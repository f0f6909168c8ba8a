"""Which plugins are used: what the environment, safe mode and a workspace's dlkit.toml say."""

from __future__ import annotations

import tomllib
from pathlib import Path

import pytest

import dlkit as package
from dlkit.errors import UsageError
from dlkit.loading.choice import OWN, chosen
from structure import ROOT


def write(folder: Path, text: str | bytes) -> Path:
    folder.mkdir(exist_ok=True)
    (folder / "dlkit.toml").write_bytes(text if isinstance(text, bytes) else text.encode())
    return folder


def test_dlkits_own_distributions_are_those_of_this_repository() -> None:
    files = [tomllib.loads(path.read_text(encoding="utf-8")) for path in ROOT.glob("plugins/*/pyproject.toml")]
    assert sorted(file["project"]["name"] for file in files) == sorted(OWN)


def test_a_workspace_switches_plugins_off(tmp_path: Path) -> None:
    choice = chosen(write(tmp_path, '[plugins]\ndisable = ["gan", "style"]\n'), {})
    assert choice.why_not("gan", "dlkit-gan", "1.0") == f"{tmp_path}/dlkit.toml disables it"
    assert choice.why_not("toy", "dlkit-toy", "1.0") == ""


def test_or_names_those_that_it_wants(tmp_path: Path) -> None:
    choice = chosen(write(tmp_path, '[plugins]\nenable = ["toy", "gan"]\ndisable = ["gan"]\n'), {})
    assert choice.why_not("toy", "dlkit-toy", "1.0") == ""
    assert choice.why_not("style", "dlkit-style", "1.0") == f"{tmp_path}/dlkit.toml enables others only"
    assert choice.why_not("gan", "dlkit-gan", "1.0").endswith("disables it")


def test_it_switches_on_nothing_that_the_environment_switches_off(tmp_path: Path) -> None:
    choice = chosen(write(tmp_path, '[plugins]\nenable = ["toy"]\n'), {"DLKIT_DISABLE": "x, toy"})
    assert choice.why_not("toy", "dlkit-toy", "1.0") == "named in DLKIT_DISABLE"
    safe = chosen(tmp_path, {"DLKIT_SAFE_MODE": "1"})
    assert safe.why_not("toy", "dlkit-toy", "1.0").startswith("safe mode: ")


def test_safe_mode_leaves_dlkits_own_of_this_version() -> None:
    safe = chosen(None, {"DLKIT_SAFE_MODE": "1"})
    assert safe.why_not("gan", "dlkit-gan", package.__version__) == ""
    assert safe.why_not("gan", "dlkit-gan", "99.0").startswith("safe mode")
    assert chosen(None, {"DLKIT_SAFE_MODE": "0"}).why_not("gan", "else", "1") == ""


@pytest.mark.parametrize(
    ("text", "told"),
    [
        ("[plugins]\ndisabled = []", "no key plugins.disabled: did you mean 'disable'? There are: disable, enable"),
        ("[plugin]\n", "no key plugin: did you mean 'plugins'?"),
        ("plugins = 3", "plugins is not a table"),
        ("[plugins]\nenable = 'gan'", "plugins.enable is not a list of plugins' names"),
        ("[plugins]\ndisable = [1]", "plugins.disable is not a list of plugins' names"),
        ("[plugins]\nenable = gan", "line 2, column 10"),
        (b"\xff\xfe", "'utf-8' codec can't decode"),
        ("a = " + 200 * "[" + 200 * "]", "more than 100 levels"),
        ("#" * (1 << 17), "131072 bytes, more than the 65536 that are read"),
    ],
)
def test_a_file_that_is_no_good_is_named(tmp_path: Path, text: str, told: str) -> None:
    with pytest.raises(UsageError) as error:
        chosen(write(tmp_path, text), {})
    assert str(error.value).startswith(f"{tmp_path}/dlkit.toml: ") and told in str(error.value)


def test_what_is_no_file_is_refused_and_waited_for_by_nobody(tmp_path: Path) -> None:
    import os

    os.mkfifo(tmp_path / "dlkit.toml")
    with pytest.raises(UsageError, match="a named pipe, not a regular file"):
        chosen(tmp_path, {})
    (tmp_path / "dlkit.toml").unlink()
    (tmp_path / "dlkit.toml").mkdir()
    with pytest.raises(UsageError, match=r"dlkit\.toml: "):
        chosen(tmp_path, {})
