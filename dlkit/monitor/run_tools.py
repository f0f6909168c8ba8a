"""What else can be done with a run: measured, sampled, exported, served, reported; each as the command that
does it, so that the two never differ."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path

from dlkit.monitor.choices import Choices
from dlkit.runs.folder import RunFolder
from dlkit.runs.looks import looks
from dlkit.studies.folder import StudyFolder

SPLITS = ("test", "val", "train")


@dataclass(frozen=True)
class Tool:
    """``words`` are those behind ``dlkit``; ``output`` is the folder that it writes into, if it does."""

    name: str
    summary: str
    words: Sequence[str]
    output: Path | None = None
    warning: str = ""
    """What is to be known before it is done."""


def tools_of(run: RunFolder, folder: Path, checkpoint: str = "best") -> dict[str, Tool]:
    """By name. ``folder`` is where files go, in a folder of the run's id."""
    where, files = ("--checkpoint", checkpoint), folder / run.id
    found = [_evaluation(run, split, where) for split in SPLITS]
    found.append(
        Tool(
            "sample",
            f"draw new samples from the model, into {files / 'samples'}",
            ("sample", str(run.path), "-o", str(files / "samples"), *where),
            files / "samples",
        )
    )
    found.append(
        Tool(
            "export",
            f"what the model knows as files for other programs, into {files / 'export'}",
            ("export", str(run.path), "-o", str(files / "export"), "--force", *where),
            files / "export",
        )
    )
    found.append(
        Tool(
            "serve",
            "answer over HTTP on this machine, until this is closed: a page to try the model, and POST /predict",
            ("serve", str(run.path), *where),
        )
    )
    page = files / "report.html"
    found.append(
        Tool(
            "report",
            f"all of the run as one page for others, {page}",
            ("report", str(run.path), "-o", str(page)),
            files,
        )
    )
    return {tool.name: tool for tool in found}


def report_of(runs: Sequence[RunFolder], folder: Path) -> Sequence[str]:
    """The words that write several runs, compared, as one page."""
    return ("report", *(str(run.path) for run in runs), "-o", str(folder / f"{len(runs)}-runs.html"))


def study_report(study: StudyFolder, folder: Path) -> Sequence[str]:
    """Those that write a study's answer as one page."""
    where = ("--workspace", str(study.workspace))
    return ("report", "--study", study.id, *where, "-o", str(folder / f"{study.id}.html"))


def choices(tools: dict[str, Tool]) -> Choices:
    return tuple((tool.name, f"{tool.name}  {tool.summary}") for tool in tools.values())


def _evaluation(run: RunFolder, split: str, where: Sequence[str]) -> Tool:
    before = str(looks(run, split)) if split == "test" else ""
    summary = f"measure the checkpoint on the {split} split; it is put on record"
    return Tool(
        f"evaluate {split}",
        f"{summary}. Looked at before: {before}" if before else summary,
        ("evaluate", str(run.path), "--split", split, *where),
    )
