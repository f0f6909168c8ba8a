"""``dlkit report RUN …``: a run, several of them, or a study, as one file for people."""

from __future__ import annotations

from argparse import Namespace
from pathlib import Path
from typing import TYPE_CHECKING

from dlkit.cli.choice import RUN_HELP
from dlkit.cli.parser import Parser
from dlkit.errors import UsageError, nearest
from dlkit.present.numbers import counted, size
from dlkit.present.output import print_json, print_result, say
from dlkit.runs.finding import find_run
from dlkit.runs.folder import RunFolder
from dlkit.runs.workspace import locate

if TYPE_CHECKING:
    from dlkit.report.blocks import Document

FORMATS = ("html", "md")
_SUFFIXES = {".html": "html", ".htm": "html", ".md": "md", ".markdown": "md"}
MOST_RUNS = 100
"""More curves over one another show nothing."""


def main(argv: list[str]) -> int:
    options = _parser().parse_args(argv)
    form = _form(options)
    runs = _runs(options)
    document, stem = _document(options, runs)
    path = Path(options.output or f"{stem}.{form}")
    path = path / f"{stem}.{form}" if path.is_dir() else path

    from dlkit.report.writing import write

    files = write(document, path, form, force=options.force)
    if options.json:
        print_json({"report": str(path.absolute()), "format": form, "runs": [run.id for run in runs],
                    "files": [str(file.absolute()) for file in files]})  # fmt: skip
        return 0
    say("\n".join(document.lead))
    beside = f", {counted(len(files) - 1, 'picture')} beside it" if len(files) > 1 else ""
    say(f"{size(sum(file.stat().st_size for file in files))}{beside}")
    print_result(str(path))
    return 0


def _parser() -> Parser:
    parser = Parser(
        "report",
        "A run as one page that needs no network: curves, samples, configuration, how to make it again. Several runs "
        "are compared; --study has a study's answer and its table.",
    )
    parser.add_argument("runs", metavar="RUN", nargs="*", help=RUN_HELP)
    parser.add_argument("--study", metavar="S", help="a study: id, its unique beginning or end, name, last or last~N")
    parser.add_argument(
        "-o", "--output", metavar="FILE", help="file, or folder for it (default: RUN.html in the current folder)"
    )
    parser.add_argument(
        "--format", metavar="F", help="html: one page; md: Markdown, pictures in a folder beside it (default: by FILE)"
    )
    parser.add_argument("--force", action="store_true", help="write over a file that is no report")
    return parser.with_workspace().with_json()


def _form(options: Namespace) -> str:
    """What is asked for, else what the file's name says. UsageError if they disagree, or it says neither."""
    suffix = Path(options.output or "").suffix.lower()
    named = _SUFFIXES.get(suffix)
    if options.format is not None and options.format not in FORMATS:
        raise UsageError(f"--format {options.format}: {nearest(options.format, FORMATS)}")
    if options.format is not None and named not in (None, options.format):
        raise UsageError(f"-o {options.output} is not what --format {options.format} writes: leave one of them out")
    if options.format is None and suffix and named is None and not Path(options.output).is_dir():
        raise UsageError(f"-o {options.output}: a report is .html or .md; --format says which whatever FILE is called")
    return str(options.format or named or "html")


def _runs(options: Namespace) -> list[RunFolder]:
    if options.study is not None and options.runs:
        raise UsageError("RUN … or --study S: a report is of one of them")
    if options.study is None and not options.runs:
        raise UsageError("of what? Give RUN …, or --study S")
    workspace = locate(options.workspace)
    runs = list(dict.fromkeys(find_run(workspace, reference) for reference in options.runs))
    if len(runs) > MOST_RUNS:
        raise UsageError(f"{len(runs)} runs: at most {MOST_RUNS} can be told apart; dlkit compare --group takes means")
    return runs


def _document(options: Namespace, runs: list[RunFolder]) -> tuple[Document, str]:
    """The report, and what its file is called unless something else is said."""
    from dlkit.catalog import Catalog
    from dlkit.report import one_run, one_study, several
    from dlkit.report.reading import read

    catalog = Catalog.load_everything()
    if options.study is not None:
        from dlkit.studies.folder import find_study
        from dlkit.studies.results import Look

        found = Look(find_study(locate(options.workspace), options.study)).results()
        return one_study.document(found, catalog), found.study.id
    told = [read(run, catalog) for run in runs]
    if len(told) == 1:
        return one_run.document(told[0]), runs[0].id[:200]  # a file's name has 255 bytes, and an ending
    return several.document(told), f"{len(runs)}-runs"
