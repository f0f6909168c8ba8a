"""Every example in the documentation is executed: what a newcomer types is what works."""

from __future__ import annotations

import os
import re
import shlex
import subprocess
import sys
from collections.abc import Iterator
from itertools import pairwise
from pathlib import Path

import pytest

from dlkit.cli.main import COMMANDS, main
from jobsite import imported, plugins, quick, site, zygote_address
from serving import started
from waiting import LONG

__all__ = ["imported", "plugins", "quick", "site", "zygote_address"]

ROOT = Path(__file__).parent.parent
PAGES = [ROOT / "README.md", *sorted(ROOT.glob("docs/**/*.md")), *sorted(ROOT.glob("plugins/*/*.md"))]
WRITTEN = ROOT / "docs" / "reference"
"""Pages that are written by the code (``test_reference.py``): they show no examples."""
REAL = {name: name for name in ("mnist", "cifar10", "bike-sharing", "tinyshakespeare", "fra-eng", "lfwcrop")}
REAL["gutenberg"] = "gutenberg-books"
"""Data sets that are not embedded, and the folder that each one needs."""
_CANVASES = ["--dataset.train", "800", "--dataset.val", "200", "--dataset.test", "200"]
SMALLER = {"translation": ["--dataset.pairs", "4000"], "localization": _CANVASES, "detection": _CANVASES}
"""Options of the embedded data sets that take seconds to draw in full."""
IMPORTED = ["--launcher", "zygote"]
"""Each training process imports torch for 4 s otherwise; ``tests/jobs`` starts them as they are started for people."""
BLOCK = re.compile(r"^```(\w*)\n(.*?)^```", re.MULTILINE | re.DOTALL)
SHORTEN = {
    "train": ["--epochs", "1", "--limit-batches", "2", "--device", "cpu"],
    "clean": ["--yes"],
}


def blocks(page: Path, language: str) -> list[str]:
    return [body for kind, body in BLOCK.findall(page.read_text(encoding="utf-8")) if kind == language]


def commands(page: Path) -> Iterator[list[str]]:
    """The ``dlkit …`` lines of a page's sh blocks, continuation lines joined, comments off."""
    for block in blocks(page, "sh"):
        for line in block.replace("\\\n", " ").splitlines():
            words = shlex.split(line, comments=True)
            if words[:2] == ["uv", "run"]:
                words = words[2:]
            if words[:1] == ["dlkit"]:
                yield words[1:]


def expanded(words: list[str]) -> list[str]:
    """Patterns as a shell would expand them, relative to the repository."""
    return [match for word in words for match in (sorted(map(str, Path().glob(word))) if "*" in word else [word])]


@pytest.fixture
def workplace(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """A folder where the repository's files are and its workspace is not."""
    for entry in ("plugins", "tests", "dlkit", "README.md"):
        (tmp_path / entry).symlink_to(ROOT / entry)
    monkeypatch.chdir(tmp_path)
    monkeypatch.delenv("DLKIT_WORKSPACE", raising=False)
    return tmp_path


def needs_real_data(words: list[str]) -> bool:
    return any(word in REAL for word in words) and "--print-config" not in words and "--help" not in words


def runnable(words: list[str]) -> list[str]:
    """A command made short: it does all it says, on a few batches, in processes that have imported torch already."""
    if words[0] == "study" and "--epochs" in words:
        less = {"--seeds": "1", "--epochs": "1"}
        short = [less.get(before, word) for before, word in pairwise(words)]
        return [words[0], *short, "--device", "cpu", "--no-probe", *IMPORTED]
    # A fixed model takes no steps at all: there is nothing to shorten.
    if words[0] != "train" or {"--help", "--print-config", "fixed"} & set(words):
        return words
    shortened = list(words)
    for flag in ("--epochs", "--steps", "--limit-batches"):
        while flag in shortened:
            at = shortened.index(flag)
            del shortened[at : at + 2]
    smaller = [] if "--dataset" in words else SMALLER.get(words[1], [])
    return [*shortened, *smaller, *SHORTEN["train"], *(IMPORTED if {"--detach", "--queue"} & set(words) else [])]


PLUGINS = [page for page in PAGES if "plugins" in page.relative_to(ROOT).parts]
STORY = ROOT / "docs" / "authors" / "ten-minutes.md"
"""Its lines come one after the other, and need a plugin that the first of them writes: ``test_ten_minutes.py``."""
PROJECT = [
    page for page in PAGES if page not in (*PLUGINS, STORY) and any(commands(page)) and WRITTEN not in page.parents
]


@pytest.mark.parametrize(
    "page",
    [*PROJECT, *(pytest.param(page, marks=pytest.mark.slow) for page in PLUGINS)],
    ids=lambda page: str(page.relative_to(ROOT)),
)
@pytest.mark.usefixtures("quick", "imported")
def test_commands_of_the_documentation_work(page: Path, workplace: Path) -> None:
    ran = 0
    for words in commands(page):
        if needs_real_data(words) or words[0] not in COMMANDS:
            assert words[0] in COMMANDS, f"{page.name}: dlkit {words[0]} is no command"
            if words[0] == "train":
                assert main([*words, "--print-config"]) == 0, f"{page.name}: dlkit {shlex.join(words)}"
                ran += 1
            continue
        if words[0] == "serve":  # which stays until it is told to end
            at_any_port = ["0" if before == "--port" else word for before, word in pairwise(["", *words])]
            with started([sys.executable, "-P", "-m", "dlkit", *at_any_port, "--json"]) as server:
                assert server.ask("/ready").status == 200
            continue
        assert main(runnable(expanded(words))) == 0, f"{page.name}: dlkit {shlex.join(words)}"
        ran += 1
    assert ran, f"{page.name} has no command to try"


@pytest.mark.realdata
@pytest.mark.parametrize("page", PAGES, ids=lambda page: str(page.relative_to(ROOT)))
def test_training_commands_on_real_data_work(page: Path, workplace: Path) -> None:
    root = os.environ.get("DLKIT_TEST_DATA")
    if not root:
        pytest.skip("DLKIT_TEST_DATA is not set")
    (workplace / "workspace").mkdir()
    (workplace / "workspace" / "data").symlink_to(Path(root).resolve())
    training = [words for words in commands(page) if words[0] == "train" and needs_real_data(words)]
    lacking = {word for words in training for word in words if word in REAL and not _there(root, word)}
    tried: set[frozenset[str]] = set()
    for words in training:
        if not lacking & set(words):
            # To judge faces takes a minute: what differs in numbers alone is trained once.
            what = frozenset(_named(words))
            shown = ["--print-config"] if what in tried else []
            assert main([*runnable(words), *shown]) == 0, f"{page.name}: dlkit {shlex.join(words)}"
            tried.add(what)
    if lacking:
        pytest.skip(f"DLKIT_TEST_DATA has no {', '.join(sorted(lacking))}: the commands that need it were left out")


def _named(words: list[str]) -> list[str]:
    """The task, and what is named: components, presets."""
    named = {"--dataset", "--model", "--loss", "--trainer", "--inference", "--preset"}
    return [words[1], *(f"{before} {word}" for before, word in pairwise(words) if before in named)]


def _there(root: str, dataset: str) -> bool:
    return (Path(root) / REAL[dataset]).is_dir()


@pytest.mark.parametrize("page", PAGES, ids=lambda page: str(page.relative_to(ROOT)))
def test_python_of_the_documentation_works(page: Path, workplace: Path, capsys: pytest.CaptureFixture[str]) -> None:
    for block in blocks(page, "python"):
        exec(compile(block, str(page), "exec"), {"__name__": "documentation"})


def test_the_guide_shows_every_command_and_readme_names_it() -> None:
    guide = "".join(page.read_text() for room in ("guide", "authors") for page in ROOT.glob(f"docs/{room}/*.md"))
    shown = set(re.findall(r"dlkit ([a-z-]+)", guide))
    assert set(COMMANDS) <= shown, f"the guide shows no: {sorted(set(COMMANDS) - shown)}"
    named = set(re.findall(r"[a-z-]+", (ROOT / "README.md").read_text()))
    assert set(COMMANDS) <= named, f"README names no: {sorted(set(COMMANDS) - named)}"


@pytest.mark.parametrize("page", [*PAGES, *ROOT.glob("*.md")], ids=lambda page: str(page.relative_to(ROOT)))
def test_links_lead_somewhere(page: Path) -> None:
    """To a file that is there, and to a heading that it has."""
    broken = []
    for target in _LINK.findall(_CODE.sub("", page.read_text(encoding="utf-8"))):
        name, _, heading = target.partition("#")
        path = page.parent / name if name else page
        if not path.exists() or (heading and heading not in _headings(path)):
            broken.append(target)
    assert not broken, f"{page.name}: {broken}"


@pytest.mark.slow
def test_the_pages_are_a_site_that_leaves_none_out(tmp_path: Path) -> None:
    built = subprocess.run(
        [sys.executable, "-m", "mkdocs", "build", "--strict", "--site-dir", str(tmp_path)],
        cwd=ROOT,
        capture_output=True,
        text=True,
        timeout=LONG,
    )
    assert built.returncode == 0, built.stderr
    assert 'not included in the "nav"' not in built.stderr, built.stderr
    assert (tmp_path / "guide" / "studies" / "index.html").is_file()


_LINK = re.compile(r"\]\((?!https?:)([^)\s]+)\)")
_CODE = re.compile(r"```.*?```|`[^`\n]*`", re.DOTALL)


def _headings(page: Path) -> set[str]:
    """As GitHub and MkDocs name them in addresses."""
    lines = re.findall(r"^#+ (.+)$", page.read_text(encoding="utf-8"), re.MULTILINE)
    return {re.sub(r"[^\w\- ]", "", line.lower()).strip().replace(" ", "-") for line in lines}
