"""``dlkit sample RUN``: see what a trained model does."""

from __future__ import annotations

import dataclasses
import json
import shutil
from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import TYPE_CHECKING

from dlkit.catalog import Catalog
from dlkit.cli.answer_files import json_line
from dlkit.cli.choice import chosen_run, run_parser
from dlkit.cli.parser import Parser
from dlkit.cli.question import question_of, taken, with_inference
from dlkit.cli.sample_json import sample_document
from dlkit.data.context import make_context
from dlkit.errors import DataError, UsageError, blamed
from dlkit.present.output import colours, print_json, print_result, say
from dlkit.present.samples import render
from dlkit.present.text import Painted
from dlkit.runs.workspace import locate
from dlkit.samples import Boxes, Images, Plane, Sample, checked, save, tile

if TYPE_CHECKING:
    from dlkit.data.splits import Split
    from dlkit.use.load import Loaded


def main(argv: list[str]) -> int:
    argv, changed = taken(argv)
    options = _parser().with_json().parse_args(argv)
    for flag, value, least in (("-n", options.n, 1), ("--seed", options.seed, 0)):
        if value < least:
            raise UsageError(f"{flag} {value}: must be at least {least}")
    if options.jsonl and (options.json or options.o):
        other = "--json prints one document" if options.json else "-o DIR writes files"
        raise UsageError(f"{other}, --jsonl a line a sample: give one of them")
    run = chosen_run(options)

    from dlkit.data.randomness import forked
    from dlkit.use.load import load_predictor

    catalog = Catalog.load_everything()
    loaded = load_predictor(catalog, run, options.checkpoint, options.device, question_of(options, changed))
    examples = _examples(catalog, loaded, locate(options.workspace))
    who = f"inference {loaded.resolved.specs['inference'].name!r}"
    with blamed(who), forked(options.seed, "sample") as generator:
        made = checked(loaded.predictor.samples(options.n, generator, examples), who)
    asked = {"step": loaded.checkpoint.step, "inference": loaded.resolved.specs["inference"].name}
    head = {"run": run.id, "checkpoint": options.checkpoint, **asked}
    if options.o:
        _write(made, Path(options.o), head if options.json else None)
    elif options.jsonl:
        for sample in made:
            print_result(json_line(sample_document(sample, pixels=True)), flush=True)
    elif options.json:
        print_json({**head, "samples": [sample_document(sample, pixels=True) for sample in made]})
    else:
        width = shutil.get_terminal_size().columns
        drawn = (render(sample, colour=colours(), width=width) for sample in made)
        print_result(Painted.joined("\n\n", drawn))
    return 0


def _parser() -> Parser:
    parser = run_parser("sample", "See what a trained model does, on the validation split where it needs one.")
    parser.add_argument("-n", type=int, default=16, metavar="N", help="about how many items (default: 16)")
    parser.add_argument(
        "-o",
        metavar="DIR",
        help="write the samples there, as PNG (pictures also one by one) and JSON, and list the files",
    )
    parser.add_argument("--jsonl", action="store_true", help="print a sample a line, as JSON")
    parser.add_argument("--device", default="cpu", metavar="D", help="cpu, cuda, cuda:N or mps (default: cpu)")
    parser.add_argument("--checkpoint", default="best", metavar="C", help="best, last or a step (default: best)")
    with_inference(parser)
    parser.add_argument("--seed", type=int, default=0, metavar="S", help="which samples are drawn (default: 0)")
    return parser


def _examples(catalog: Catalog, loaded: Loaded, workspace: Path) -> Split | None:
    """The validation split, if its data is here: to look at samples downloads nothing."""
    from dlkit.engine.build import build_data, build_task

    try:
        resolved = loaded.resolved
        context = make_context(catalog, workspace, offline=True, say=say)
        context = dataclasses.replace(context, earlier=lambda: loaded.predictor.info)
        return build_data(catalog, resolved, build_task(catalog, resolved.task), context)[0].val
    except DataError as error:
        say(f"without examples of the validation split: {error}")
        return None


def _write(made: Sequence[Sample], folder: Path, head: Mapping[str, object] | None) -> None:
    try:
        folder.mkdir(parents=True, exist_ok=True)
        files = [_saved(sample, folder) for sample in made]
    except OSError as error:
        raise UsageError(f"-o {folder}: cannot be written: {error.strerror}") from error
    if head is None:
        print_result("\n".join(sorted(str(path) for paths in files for path in paths)))
    else:
        listed = [{"kind": s.kind, "name": s.name, "path": str(paths[0])} for s, paths in zip(made, files, strict=True)]
        print_json({**head, "samples": listed})


def _saved(sample: Sample, folder: Path) -> list[Path]:
    """Write a sample; its JSON file, then its pictures. Of images there is one picture of all, and each by itself."""
    if not isinstance(sample, Images):
        path = folder / save(sample, folder, sample.name)
        picture = path.with_suffix(".png")
        if isinstance(sample, Plane):
            return [path, picture, _painted(sample, picture.with_stem(f"{picture.stem}-drawn"))]
        return [path, picture] if isinstance(sample, Boxes) else [path]
    from PIL import Image

    path, grid = folder / f"{sample.name}.json", folder / f"{sample.name}.png"
    Image.fromarray(tile(sample.images, sample.columns)).save(grid)
    # Pictures for people, and for other programs: one of all to look at, each by itself to go on with.
    single = [folder / f"{sample.name}-{number:04d}.png" for number in range(1, len(sample.images) + 1)]
    for file, image in zip(single, sample.images, strict=True):
        Image.fromarray(image).save(file)
    told = {"kind": sample.kind, "title": sample.title, "images": [file.name for file in single]}
    path.write_text(json.dumps({**told, "captions": list(sample.captions)}, ensure_ascii=False), encoding="utf-8")
    return [path, grid, *single]


def _painted(sample: Plane, path: Path) -> Path:
    """The colours alone lie beside the JSON: for people, a picture with points and paths."""
    from PIL import Image

    from dlkit.present.plane_pixels import painted

    Image.fromarray(painted(sample)).save(path)
    return path
