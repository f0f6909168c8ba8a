"""Command lines and configurations of any sort: a result, or exit code 2 with the reason; never a traceback."""

from __future__ import annotations

import io
import sys
from collections.abc import Iterator, Sequence
from pathlib import Path
from random import Random

import pytest

from at_length import times
from dlkit.catalog import Catalog
from dlkit.cli.flags import SWITCHES, VALUES
from dlkit.cli.main import COMMANDS, main
from dlkit.config import CHOICES, SHORT_FLAGS, resolve
from dlkit.config_file import read_toml, to_toml
from hostile.bad_runs import delete
from hostile.fuzzing import Findings
from hostile.mutations import mutated_bytes, mutated_toml
from toy import toy_catalog, toy_run

ENDLESS = {"tui", "web", "serve", "doctor", "service"}
"""Commands that wait for a person, ask the network, or have the system start something."""
FLAGS = (
    "--json", "--limit", "--task", "--log", "--samples", "--config", "--checkpoint", "--split", "--device", "-n", "-o",
    "--seed", "--format", "--force", "--dry-run", "--interrupted", "--yes", "--interval", "--timeout", "--wait",
    "--inference.x", "--kind", "--help", "--check", "--offline", "-h", "--", "-", "--=", "--x", "-1",
)  # fmt: skip
TEXTS: Sequence[str] = (
    "", " ", "last", "best", "toy", "good", "list", "cancel", "get", "verify", "path", "show", "sample", "1", "0", "-1",
    "1e999", "nan", "9" * 5000, "a" * 300, "a" * 5000, "../..", "/", "/dev/zero", "/dev/null", ".", "*", "\x1b[2J",
    "\n", "\udcff", "x\ud800", "日本", "=", "a=b", "[", "[[1]", "{" * 200, "trainer.lr", "engine.epochs", "1,2,3",
    "nan,inf,x", "true", "0.5", "10000000000000000000000", "%s", "$(id)", "'", '"',
)  # fmt: skip


class Site:
    """A workspace with a run named ``good``, and a folder for files."""

    def __init__(self, folder: Path) -> None:
        self.folder, self.workspace = folder, folder / "workspace"
        self.run = toy_run(self.workspace, name="good", epochs=1)
        self.file = folder / "run.toml"


@pytest.fixture(scope="module")
def site(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Site]:
    folder = tmp_path_factory.mktemp("commands")
    yield Site(folder)
    delete(folder)


def command_line(random: Random, site: Site) -> list[str]:
    """Words that may begin like a command. What would train prints its configuration instead."""
    command = random.choice([name for name in COMMANDS if name not in ENDLESS])
    words: list[str] = []
    if command in ("train", "resume"):
        command, words = "train", ["--print-config"]
        flags = [
            *(f"--{name}" for name in (*SWITCHES, *VALUES, *CHOICES, *SHORT_FLAGS)),
            "--engine.epochs",
            "--model.x",
        ]
        words += ["toy"] if random.random() < 0.8 else []
    else:
        flags = list(FLAGS)
        words += random.choice(([site.run.id], ["good"], ["last"], [str(site.run.path)], []))
    if command in ("queue", "data"):
        words.insert(0, random.choice(("list", "cancel", "path", "verify", "x", "")))
    for _ in range(random.randint(0, 4)):
        flag, text = random.choice(flags), random.choice(TEXTS)
        words += random.choice(([flag], [flag, text], [f"{flag}={text}"], [text]))
    if random.random() < 0.5:
        random.shuffle(words)
    return [command, *words]


def fuzz_lines(site: Site, seed: int, calls: int) -> Findings:
    findings = Findings()
    while findings.calls < calls and not findings.enough:
        random = Random(f"{seed} {findings.calls}")
        words = command_line(random, site)
        if words[0] == "export":
            words[1:1] = ["--format", "safetensors"]  # unless the line says otherwise: the others take seconds
        sys.stdin = io.StringIO("1,2,3\n")  # predict reads it
        findings.attempt(f"{words!r:.400}", lambda words=words: called([*words, "--workspace", str(site.workspace)]))  # type: ignore[misc]
        if not site.run.record.exists():  # it was removed, as somebody asked
            site.run = toy_run(site.workspace, name="good", epochs=1)
    return findings


def called(words: list[str]) -> int:
    try:
        return main(words)
    except SystemExit as end:  # --help
        assert end.code in (0, None)
        return 0


def test_command_lines(site: Site, toy_installed: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.chdir(site.folder)
    findings = fuzz_lines(site, seed=1, calls=300)
    assert not findings.report(), findings.report()


@pytest.mark.slow
def test_command_lines_at_length(site: Site, toy_installed: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.chdir(site.folder)
    findings = fuzz_lines(site, seed=2, calls=times(10_000))
    assert not findings.report(), findings.report()


def fuzz_configurations(site: Site, catalog: Catalog, seed: int, calls: int) -> Findings:
    """Mostly without the command around it: what a file says is read, merged, checked, and printed again."""
    findings = Findings()
    whole = (site.run.config.read_bytes(), b"task = 'toy'\n[engine]\nepochs = 3\n[trainer]\nlr = 0.1\n")
    while findings.calls < calls and not findings.enough:
        random = Random(f"{seed} {findings.calls}")
        site.file.write_bytes(mutated_toml(random.choice(whole), random))
        if random.random() < 0.05:
            site.file.write_bytes(mutated_bytes(whole[0], random))
        what = f"seed {seed} {findings.calls}"
        findings.attempt(what, lambda: to_toml(resolve(catalog, "toy", [read_toml(site.file)])))
    return findings


def test_configurations(site: Site) -> None:
    findings = fuzz_configurations(site, toy_catalog(), seed=1, calls=300)
    assert not findings.report(), findings.report()


@pytest.mark.slow
def test_configurations_at_length(site: Site) -> None:
    findings = fuzz_configurations(site, toy_catalog(), seed=2, calls=times(10_000))
    assert not findings.report(), findings.report()


@pytest.mark.parametrize(
    "text",
    [
        f"x = {'[' * 3000}{']' * 3000}",
        f"[{'a.' * 3000}a]\nb = 1",
        f"{'a.' * 3000}a = 1",
        f"[engine]\nepochs = {'9' * 5000}",
        f"[engine]\nepochs = {'9' * 400}",
        "[engine]\nepochs = 200000000",
        f"[trainer]\nlr = {'9' * 400}",
        "engine = 5",
        "engine = []",
        "[[engine]]",
        "model = 'linear'",
        "[model]\nname = 5",
        "[model]\nname = []",
        "task = 5",
        "task = []",
        "preset = {}",
        "[engine]\nepochs = 1979-05-27",
        "[engine]\ninit_from = '" + "a" * 300 + "'",
        "[job]\nnproc = 1e999",
        "[launcher]\nname = []",
    ],
)
def test_a_configuration_that_makes_no_sense(
    site: Site, toy_installed: Path, text: str, capsys: pytest.CaptureFixture[str]
) -> None:
    site.file.write_text(text)
    assert main(["train", "toy", "--config", str(site.file), "--workspace", str(site.workspace)]) == 2
    said = capsys.readouterr().err
    assert "Traceback" not in said and said.startswith("dlkit train: ")


def test_words_that_are_blank_or_half_a_letter(
    site: Site, toy_installed: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    assert main(["sample", "good", "\n", "--workspace", str(site.workspace)]) == 2
    assert main(["train", "toy", "--steps", "x\ud800"]) == 2
    assert "Traceback" not in capsys.readouterr().err


@pytest.mark.parametrize(
    "words",
    [
        ["--epochs", "9" * 5000],
        ["--lr", "9" * 5000],
        ["--name", "a" * 300],
        ["--model", "a" * 5000],
        ["--config", "a" * 300],
        ["--config", "a/" * 3000],
        ["--config", "x\0y"],
        ["--config", "/dev/zero"],
        ["--config", "."],
        ["--model.hidden", "[" * 3000],
        ["--preset", "\udcff"],
        ["--queue", "--priority", "9" * 5000],
        ["--queue", "--after", "a" * 300],
        ["--engine.init-from", "a" * 300],
        ["--engine.init-from", "x\0y@best"],
    ],
)
def test_a_word_that_makes_no_sense(
    site: Site, toy_installed: Path, words: list[str], capsys: pytest.CaptureFixture[str]
) -> None:
    assert main(["train", "toy", *words, "--workspace", str(site.folder / "nowhere")]) == 2
    said = capsys.readouterr().err
    assert "Traceback" not in said and said.startswith("dlkit train: ")
    assert not (site.folder / "nowhere").exists()
