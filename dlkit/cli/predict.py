"""``dlkit predict RUN INPUT …``: ask a trained model."""

from __future__ import annotations

import argparse
import re
import shutil
import sys
from collections.abc import Sequence
from itertools import chain, count
from pathlib import Path
from typing import TYPE_CHECKING

from dlkit.catalog import Catalog
from dlkit.cli.choice import chosen_run, run_parser
from dlkit.cli.parser import Parser
from dlkit.cli.question import question_of, taken, with_inference
from dlkit.errors import UsageError, blamed
from dlkit.present.output import colours, print_json, print_result, say
from dlkit.present.samples import render
from dlkit.runs.folder import RunFolder
from dlkit.samples import checked

if TYPE_CHECKING:
    from dlkit.predictor import Answer, AnyPredictor
    from dlkit.use.load import Loaded

PICTURES = "predictions"
"""The folder that pictures are written into, below the current one, where none is named."""


def main(argv: list[str]) -> int:
    argv, changed = taken(argv)
    options = _parser().with_json().parse_args(argv)
    run = chosen_run(options)

    from dlkit.use.load import load_predictor

    catalog = Catalog.load_everything()
    loaded = load_predictor(catalog, run, options.checkpoint, options.device, question_of(options, changed))
    who = f"inference {loaded.resolved.specs['inference'].name!r}"
    # A reader that has seen enough (head) is nobody's fault.
    with blamed(who, passing=lambda error: isinstance(error, BrokenPipeError)):
        _ask(run, loaded, options, who)
    return 0


def _ask(run: RunFolder, loaded: Loaded, options: argparse.Namespace, who: str) -> None:
    if options.output and not loaded.predictor.draws:
        raise UsageError(f"-o {options.output}: {who} draws no pictures")
    inputs = loaded.predictor.read(_arguments(options.inputs, loaded.predictor.usage))
    # Piece by piece is for people: whoever asks for JSON is a program, and takes whole answers.
    if loaded.predictor.streams and not options.json:
        _stream(loaded.predictor, inputs)
        return
    answers = loaded.predictor.predict(inputs)
    if loaded.predictor.draws:  # what is found on a photograph cannot be judged in a terminal
        answers = _drawn(loaded.predictor, inputs, answers, Path(options.output or PICTURES))
    notes = loaded.predictor.notes()
    for note in notes:
        say(f"note: {note}")
    if options.json:
        position = {
            "checkpoint": options.checkpoint,
            "step": loaded.checkpoint.step,
            "inference": loaded.resolved.specs["inference"].name,
        }
        found = {"predictions": [dict(answer) for answer in answers], **({"notes": notes} if notes else {})}
        print_json({"run": run.id, **position, **found})
        return
    width = shutil.get_terminal_size().columns
    for sample in checked(loaded.predictor.show(inputs, answers), who):
        print_result(render(sample, colour=colours(), width=width))


def _parser() -> Parser:
    parser = run_parser(
        "predict",
        "Ask a trained model. Without INPUT, the lines of standard input are read.",
    )
    parser.add_argument("inputs", metavar="INPUT", nargs="*", help="what the run's predictor reads: files, rows, text")
    parser.add_argument("--checkpoint", default="best", metavar="C", help="best, last or a step (default: best)")
    parser.add_argument("--device", default="cpu", metavar="D", help="cpu, cuda, cuda:N or mps (default: cpu)")
    with_inference(parser)
    parser.add_argument(
        "-o",
        "--output",
        metavar="DIR",
        help=f"folder for pictures of the answers, where the run's predictor draws them (default: {PICTURES})",
    )
    parser._negative_number_matcher = re.compile(r"-[\d.]")  # a row such as -1,2,3 is an input, not an option
    return parser


def _stream(predictor: AnyPredictor, inputs: Sequence[object]) -> None:
    """Each answer as it comes, a blank line between two; of what a model writes nothing steers the terminal."""
    for number, value in enumerate(inputs):
        if number:
            print_result("\n")
        for piece in predictor.stream(value):
            print_result(piece, end="", flush=True)
    print_result("")


def _arguments(given: list[str], usage: str) -> list[str]:
    if given:
        return given
    # PowerShell's pipe begins with a byte order mark, which does not belong to the first input.
    text = "" if sys.stdin.isatty() else sys.stdin.read().removeprefix("\ufeff")
    lines = [line for line in text.split("\n") if line.strip()]
    if not lines:
        raise UsageError(f"nothing to predict: give INPUT, or lines on standard input. INPUT: {usage}")
    return lines


def _drawn(predictor: AnyPredictor, inputs: Sequence[object], answers: Sequence[Answer], folder: Path) -> list[Answer]:
    """The answers, each with its ``picture``: a PNG in the folder, named as the input file is; and what belongs to it.

    Files of an earlier call are written over; an input file never is, and of two inputs of one name each gets its own.
    """
    asked = {Path(value).resolve() for value in inputs if isinstance(value, (str, Path))}
    taken: set[Path] = set()
    drawn: list[Answer] = []
    try:
        folder.mkdir(parents=True, exist_ok=True)
        for number, (value, answer) in enumerate(zip(inputs, answers, strict=True), 1):
            others = predictor.files(value, answer)
            paths = _free(folder, predictor.stem(value) or f"input-{number}", [".png", *others], asked | taken)
            taken |= {path.resolve() for path in paths}
            predictor.draw(value, answer).save(paths[0])
            for path, content in zip(paths[1:], others.values(), strict=True):
                path.write_bytes(content)
            written = {suffix.lstrip("."): str(path) for suffix, path in zip(others, paths[1:], strict=True)}
            drawn.append({**answer, "picture": str(paths[0]), **written})
    except OSError as error:
        raise UsageError(f"-o {folder}: cannot be written: {error.strerror or error}") from error
    say(f"wrote {drawn[0]['picture']}" if len(drawn) == 1 else f"wrote {len(drawn)} pictures into {folder}")
    return drawn


def _free(folder: Path, stem: str, suffixes: Sequence[str], taken: set[Path]) -> list[Path]:
    """``STEM`` with each suffix, or ``STEM-2`` and so on where one of those is taken."""
    names = chain([stem], (f"{stem}-{number}" for number in count(2)))
    candidates = ([folder / f"{name}{suffix}" for suffix in suffixes] for name in names)
    return next(paths for paths in candidates if taken.isdisjoint(path.resolve() for path in paths))
