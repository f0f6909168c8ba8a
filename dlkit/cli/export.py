"""``dlkit export RUN``: a trained model as files for other programs, proved equal."""

from __future__ import annotations

import argparse
import tempfile
from collections.abc import Sequence
from pathlib import Path
from typing import TYPE_CHECKING

from dlkit.catalog import Catalog
from dlkit.cli.choice import chosen_run, run_parser
from dlkit.cli.counting import counting
from dlkit.cli.parser import Parser
from dlkit.cli.question import question_of, taken, with_inference
from dlkit.errors import DlkitError, UsageError, nearest
from dlkit.present.output import print_json, print_result, say
from dlkit.runs.folder import RunFolder
from dlkit.runs.workspace import locate

if TYPE_CHECKING:
    from dlkit.data.splits import Split
    from dlkit.predictor import AnyPredictor
    from dlkit.use.export.formats import Made, Wanted
    from dlkit.use.load import Loaded

FOLDER = "exports"
"""Where files are written, below the current folder, unless another folder is named."""
ALL = "all"


def main(argv: list[str]) -> int:
    argv, changed = taken(argv)
    options = _parser().with_json().parse_args(argv)
    run = chosen_run(options)

    from dlkit.use.export.formats import KINDS
    from dlkit.use.load import load_predictor

    catalog = Catalog.load_everything()
    loaded = load_predictor(catalog, run, options.checkpoint, question=question_of(options, changed))
    own = loaded.predictor.exports
    form = chosen_format(loaded.predictor, options.format)
    if form in own:
        return _own_format(run, loaded, form, options)
    kinds = list(KINDS) if form == ALL else [form]
    made = _exported(catalog, run, loaded, kinds, options)
    failed = [one for one in made if one.folder is None]
    if options.json:
        told = [{"format": m.kind, "folder": m.folder and str(m.folder), "proof": m.proof.told()} for m in made]
        print_json({"run": run.id, "checkpoint": options.checkpoint, "step": loaded.checkpoint.step, "exports": told})
    for one in failed:
        say(f"{one.kind}: the exported model is not the run's: nothing was written (see NOT EQUAL)")
    return 1 if failed else 0


def _exported(
    catalog: Catalog, run: RunFolder, loaded: Loaded, kinds: Sequence[str], options: argparse.Namespace
) -> list[Made]:
    from dlkit.use.export.formats import KINDS, export, refuse_existing

    output = Path(options.output) if options.output else None
    if output is None:
        output = Path(FOLDER) / (run.id if len(kinds) > 1 else f"{run.id}-{kinds[0]}")
    targets = {kind: output / kind if len(kinds) > 1 else output for kind in kinds}
    for target in targets.values():  # before the work
        refuse_existing(target, force=options.force)
    made, reasons = [], []
    with counting("measuring") as progress:
        wanted = _wanted(catalog, run, loaded, kinds, options, progress)
        for kind, target in targets.items():
            say(f"{kind}: {KINDS[kind]}")
            try:
                made.append(export(catalog, run, loaded, kind, target, wanted, force=options.force))
            except UsageError as error:
                if len(kinds) == 1:
                    raise
                say(f"{kind}: cannot be exported: {error}")
                reasons.append(kind)
                continue
            if not options.json:
                print_result(made[-1].proof.text())
                print_result(f"{made[-1].folder}" if made[-1].folder else "")
    if not made:
        raise UsageError(f"nothing was exported: {', '.join(reasons)}: see above")
    return made


def _wanted(
    catalog: Catalog,
    run: RunFolder,
    loaded: Loaded,
    kinds: Sequence[str],
    options: argparse.Namespace,
    progress: object,
) -> Wanted:
    from dlkit.use.export.formats import Wanted

    split, why = None, ""
    if options.verify != "none" and "onnx" in kinds:
        split, why = _split(catalog, run, loaded, options)
    return Wanted(
        int8=options.int8, verify=options.verify, split=split, why_unproved=why, examples=options.examples, say=say,
        progress=progress,  # type: ignore[arg-type]
    )  # fmt: skip


def _split(catalog: Catalog, run: RunFolder, loaded: Loaded, options: argparse.Namespace) -> tuple[Split | None, str]:
    """What the metric is proved on, or why it cannot be; a look at test goes on record."""
    from dlkit.data.context import make_context
    from dlkit.use.export.split import proving_split

    context = make_context(catalog, locate(options.workspace), offline=True, say=say)
    try:
        return proving_split(catalog, run, loaded, context, options.verify), ""
    except DlkitError as error:
        return None, f"the metric was not proved, since the data cannot be had: {error}"


def _own_format(run: RunFolder, loaded: Loaded, form: str, options: argparse.Namespace) -> int:
    files = written(loaded.predictor, form, Path(options.output or FOLDER), force=options.force)
    if options.json:
        position = {"checkpoint": options.checkpoint, "step": loaded.checkpoint.step}
        print_json({"run": run.id, **position, "format": form, "files": [str(path) for path in files]})
        return 0
    say(f"{form}: {loaded.predictor.exports[form]}")
    print_result("\n".join(map(str, files)))
    return 0


def _parser() -> Parser:
    parser = run_parser(
        "export", "Write a trained model as files for other programs, and prove that they answer the same."
    )
    parser.add_argument(
        "--format", metavar="NAME",
        help="safetensors, torch, onnx or all; or a format of the run's predictor (default: its first, else onnx)",
    )  # fmt: skip
    parser.add_argument(
        "-o", "--output", metavar="DIR", help=f"folder to write (default: {FOLDER}/RUN-FORMAT; of files: {FOLDER})"
    )
    parser.add_argument("--checkpoint", default="best", metavar="C", help="best, last or a step (default: best)")
    parser.add_argument(
        "--verify", default="val", choices=("val", "test", "none"), metavar="SPLIT",
        help="val, test or none: the split that the exported model's metric is proved on (default: val)",
    )  # fmt: skip
    parser.add_argument(
        "--examples", type=int, default=16, metavar="N", help="real inputs that are answered both ways (default: 16)"
    )
    parser.add_argument(
        "--int8", action="store_true", help="onnx: smaller networks of 8-bit weights too, and what they cost"
    )
    parser.add_argument("--force", action="store_true", help="write over files, or an exported folder, that are there")
    with_inference(parser)
    return parser


def chosen_format(predictor: AnyPredictor, wanted: str | None) -> str:
    """The format asked for, else the predictor's own first, else ONNX; UsageError names the formats there are."""
    from dlkit.use.export.formats import KINDS

    known = [*predictor.exports, *KINDS, ALL]
    if wanted is None:
        return next(iter(predictor.exports), "onnx")
    if wanted not in known:
        raise UsageError(f"--format {wanted}: no such format; {nearest(wanted, known)}")
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
