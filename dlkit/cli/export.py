"""``dlkit export RUN``: what a trained model knows, as files for other programs."""

from __future__ import annotations

import tempfile
from collections.abc import Sequence
from pathlib import Path
from typing import TYPE_CHECKING

from dlkit.catalog import Catalog
from dlkit.cli.choice import chosen_run, run_parser
from dlkit.cli.parser import Parser
from dlkit.cli.question import question_of, taken, with_inference
from dlkit.errors import UsageError, nearest
from dlkit.present.output import print_json, print_result, say

if TYPE_CHECKING:
    from dlkit.predictor import AnyPredictor

FOLDER = "exports"
"""Where files are written, below the current folder, unless another folder is named."""


def main(argv: list[str]) -> int:
    argv, changed = taken(argv)
    options = _parser().with_json().parse_args(argv)
    run = chosen_run(options)

    from dlkit.use.load import load_predictor

    loaded = load_predictor(Catalog.load_everything(), run, options.checkpoint, question=question_of(options, changed))
    form = chosen_format(loaded.predictor, loaded.resolved.specs["inference"].name, options.format)
    files = written(loaded.predictor, form, Path(options.output), force=options.force)
    if options.json:
        position = {"checkpoint": options.checkpoint, "step": loaded.checkpoint.step}
        print_json({"run": run.id, **position, "format": form, "files": [str(path) for path in files]})
        return 0
    say(f"{form}: {loaded.predictor.exports[form]}")
    print_result("\n".join(map(str, files)))
    return 0


def _parser() -> Parser:
    parser = run_parser("export", "Write what a trained model knows into files for other programs.")
    parser.add_argument(
        "--format", metavar="NAME", help="one of the formats of the run's predictor; default: its first"
    )
    parser.add_argument(
        "-o", "--output", default=FOLDER, metavar="DIR", help=f"folder to write into (default: {FOLDER})"
    )
    parser.add_argument("--checkpoint", default="best", metavar="C", help="best, last or a step (default: best)")
    parser.add_argument("--force", action="store_true", help="write over files that are there")
    with_inference(parser)
    return parser


def chosen_format(predictor: AnyPredictor, name: str, wanted: str | None) -> str:
    """The format asked for, else the predictor's first; UsageError if it has no such format, or none at all."""
    if not predictor.exports:
        raise UsageError(f"inference {name!r} has nothing to export")
    if wanted is None:
        return next(iter(predictor.exports))
    if wanted not in predictor.exports:
        raise UsageError(
            f"--format {wanted}: inference {name!r} has no such format; {nearest(wanted, predictor.exports)}"
        )
    return wanted


def written(predictor: AnyPredictor, form: str, folder: Path, *, force: bool = False) -> list[Path]:
    """Export into a folder: every file whole or not there at all. UsageError if one is there already, without
    ``force``, or the folder cannot be written into."""
    try:
        folder.mkdir(parents=True, exist_ok=True)
        with tempfile.TemporaryDirectory(prefix=".export-", dir=folder) as hidden:
            made = predictor.export(form, Path(hidden))
            final = [folder / path.name for path in made]
            if not force:
                _refuse_existing(final)
            for path, place in zip(made, final, strict=True):
                path.replace(place)
    except OSError as error:
        raise UsageError(f"-o {folder}: cannot be written: {error.strerror or error}") from error
    return final


def _refuse_existing(files: Sequence[Path]) -> None:
    there = [str(path) for path in files if path.exists() or path.is_symlink()]
    if there:
        raise UsageError(
            f"{', '.join(there)}: already there; --force writes over {'it' if len(there) == 1 else 'them'}"
        )
