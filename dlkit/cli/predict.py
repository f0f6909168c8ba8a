"""``dlkit predict RUN INPUT …``: ask a trained model."""

from __future__ import annotations

import argparse
import re
import shutil
import sys
from collections.abc import Iterator, Mapping, Sequence
from contextlib import nullcontext
from itertools import chain
from pathlib import Path
from typing import TYPE_CHECKING

from dlkit.catalog import Catalog
from dlkit.cli.answer_files import TABLES, AnswerFile, Pictures, json_line, writing
from dlkit.cli.choice import chosen_run, run_parser
from dlkit.cli.counting import counting
from dlkit.cli.parser import Parser
from dlkit.cli.question import question_of, taken, with_inference
from dlkit.errors import DataError, UsageError, blamed
from dlkit.folders import has_file
from dlkit.present.output import colours, print_json, print_result, say
from dlkit.present.samples import render
from dlkit.samples import checked

if TYPE_CHECKING:
    from dlkit.predictor import AnyPredictor
    from dlkit.use.export.exported import Exported
    from dlkit.use.many import Answered, Question

    Asked = AnyPredictor | Exported
    Position = Mapping[str, str | int]
    """Which run is asked, at which checkpoint, by what."""

PICTURES = "predictions"
"""The folder that pictures are written into, below the current one, where none is named."""
LINES = (".jsonl", ".ndjson")
"""What files of questions end with, a JSON value a line."""
STDIN = "-"
_NAMED = 20
"""Inputs without an answer that are named."""


def main(argv: list[str]) -> int:
    argv, changed = taken(argv)
    options = _parser().with_json().parse_args(argv)
    if options.batch is not None and options.batch < 1:
        raise UsageError(f"--batch {options.batch}: must be at least 1")
    if options.json and options.jsonl:
        raise UsageError("--json prints one document, --jsonl a line an answer: give one of them")
    predictor, position = _exported(options, changed) or _of_run(options, changed)
    who = f"inference {position['inference']!r}"
    # A reader that has seen enough (head) is nobody's fault.
    with blamed(who, passing=lambda error: isinstance(error, BrokenPipeError)):
        return _ask(predictor, position, options, who)


def _of_run(options: argparse.Namespace, changed: Mapping[str, str]) -> tuple[Asked, Position]:
    run = chosen_run(options)

    from dlkit.use.load import load_predictor

    catalog = Catalog.load_everything()
    loaded = load_predictor(catalog, run, options.checkpoint, options.device, question_of(options, changed))
    inference = loaded.resolved.specs["inference"].name
    step = loaded.checkpoint.step
    return loaded.predictor, {"run": run.id, "checkpoint": options.checkpoint, "step": step, "inference": inference}


def _exported(options: argparse.Namespace, changed: Mapping[str, str]) -> tuple[Asked, Position] | None:
    """An exported folder, if RUN names one: it is asked without torch, as it was exported."""
    folder = Path(options.run)
    if not has_file(folder, "export.json"):
        return None

    from dlkit.use.export.exported import load_exported

    if changed or options.inference:
        raise UsageError(f"{folder}: asked as it was exported; --inference and its options are for dlkit export")
    asked = load_exported(folder, Catalog.load_everything())
    made = asked.record
    return asked, {"run": made.run, "checkpoint": made.checkpoint, "step": made.step, "inference": made.inference}


def _ask(predictor: Asked, position: Position, options: argparse.Namespace, who: str) -> int:
    table = bool(options.output) and Path(options.output).suffix.lower() in TABLES
    if options.output and not table and not predictor.draws:
        raise UsageError(f"-o {options.output}: {who} draws no pictures; answers go to a file of {' or '.join(TABLES)}")
    if options.batch:
        predictor.batch = options.batch
    words, lines = _words(options, predictor)
    inputs = predictor.read(words) if words else []
    # Piece by piece is for people: whoever asks for JSON is a program, and takes whole answers.
    if predictor.streams and not (options.json or options.jsonl or table or lines):
        _stream(predictor, inputs)
        return 0
    found = _answered(predictor, inputs, lines, options)
    if predictor.draws and not table:  # what is found on a photograph cannot be judged in a terminal
        found = _drawn(predictor, inputs, found, Path(options.output or PICTURES))
    kept = _told(found, Path(options.output) if table else None, lines=options.jsonl)
    notes = predictor.notes()
    for note in notes:
        say(f"note: {note}")
    if options.json and not table:
        _print(position, kept, notes)
    elif not (options.jsonl or table):
        _show(predictor, kept, who)
    return _verdict(kept)


def _parser() -> Parser:
    parser = run_parser(
        "predict",
        "Ask a trained model. Without INPUT, the lines of standard input are read. What cannot be answered has its "
        "error for an answer, what can has its own, and the exit code is 3.",
    )
    parser.add_argument(
        "inputs",
        metavar="INPUT",
        nargs="*",
        help="what the run's predictor reads: files, folders, patterns ('*.png'), rows, text; - for standard input; "
        "FILE.jsonl, a question a line as JSON",
    )
    parser.add_argument("--checkpoint", default="best", metavar="C", help="best, last or a step (default: best)")
    parser.add_argument("--device", default="cpu", metavar="D", help="cpu, cuda, cuda:N or mps (default: cpu)")
    with_inference(parser)
    parser.add_argument(
        "-o",
        "--output",
        metavar="PATH",
        help="a file of answers, .csv or .jsonl; or a folder for pictures of them, where the run's predictor draws "
        f"(default: {PICTURES})",
    )
    parser.add_argument("--batch", type=int, metavar="N", help="inputs that are answered together; 1: each as it comes")
    parser.add_argument(
        "--jsonl", action="store_true", help="print an answer a line; lines of standard input are questions as JSON"
    )
    parser.add_argument("--strict", action="store_true", help="stop at the first input that cannot be answered")
    parser._negative_number_matcher = re.compile(r"-[\d.]")  # a row such as -1,2,3 is an input, not an option
    return parser


def _words(options: argparse.Namespace, predictor: Asked) -> tuple[list[str], list[str]]:
    """What is read as a command line's words, and files of JSON lines (``-``: standard input)."""
    from dlkit.use.many import expanded

    given = options.inputs or [STDIN]
    words, lines = list[str](), list[str]()
    for word in given:
        if word == STDIN and options.jsonl:
            lines.append(word)
        elif word == STDIN:
            words += _standard_input(predictor.usage)
        else:
            (lines if word.lower().endswith(LINES) and Path(word).is_file() else words).append(word)
    return expanded(words, predictor.asks), lines


def _standard_input(usage: str) -> list[str]:
    # PowerShell's pipe begins with a byte order mark, which does not belong to the first input.
    text = "" if sys.stdin.isatty() else sys.stdin.read().removeprefix("\ufeff")
    lines = [line for line in text.split("\n") if line.strip()]
    if not lines:
        raise UsageError(f"nothing to predict: give INPUT, or lines on standard input. INPUT: {usage}")
    return lines


def _questions(predictor: Asked, inputs: Sequence[object], lines: Sequence[str]) -> Iterator[Question]:
    from dlkit.use.many import of_inputs, of_json_lines

    yield from of_inputs(inputs)
    for name in lines:
        if name == STDIN:
            yield from of_json_lines(predictor, sys.stdin.buffer, "standard input")
            continue
        try:
            with Path(name).open("rb") as file:
                yield from of_json_lines(predictor, file, name)
        except OSError as error:
            raise DataError(f"{name}: cannot be read: {error.strerror or error}") from error


def _answered(
    predictor: Asked, inputs: Sequence[object], lines: Sequence[str], options: argparse.Namespace
) -> Iterator[Answered]:
    """The answers as they come; with --strict, and where there is but one input, an error is raised."""
    from dlkit.use.many import answered

    questions = answered(predictor, _questions(predictor, inputs, lines), predictor.batch)
    alone = len(inputs) == 1 and not lines
    with counting("predict", unit="input") as progress:
        for done, found in enumerate(questions, 1):
            if found.error is not None and (options.strict or alone):
                raise found.error
            progress(done, 0 if lines else len(inputs))
            yield found


def _drawn(predictor: Asked, inputs: Sequence[object], found: Iterator[Answered], folder: Path) -> Iterator[Answered]:
    from dataclasses import replace

    pictures = Pictures(predictor, folder, inputs)
    with writing(folder):
        folder.mkdir(parents=True, exist_ok=True)
    for one in found:
        yield one if one.error else replace(one, answer=pictures.drawn(one.question.value, one.answer))
    pictures.tell()


def _told(found: Iterator[Answered], table: Path | None, *, lines: bool) -> list[Answered]:
    """The answers, written as they come where a file or lines are asked for; then only the failed ones are kept."""
    kept: list[Answered] = []
    with AnswerFile(table) if table else nullcontext() as file:
        for one in found:
            if file is not None:
                file.add(one.answer)
            elif lines:
                print_result(json_line(one.answer), flush=True)
            if one.error is not None or (file is None and not lines):
                kept.append(one)
    return kept


def _print(position: Position, found: Sequence[Answered], notes: Sequence[str]) -> None:
    answers = {"predictions": [dict(one.answer) for one in found], **({"notes": list(notes)} if notes else {})}
    print_json({**position, **answers})


def _show(predictor: Asked, found: Sequence[Answered], who: str) -> None:
    sound = [one for one in found if one.error is None]
    width = shutil.get_terminal_size().columns
    shown = predictor.show([one.question.value for one in sound], [one.answer for one in sound]) if sound else []
    for sample in checked(shown, who):
        print_result(render(sample, colour=colours(), width=width))


def _verdict(found: Sequence[Answered]) -> int:
    """What could not be answered, and the exit code."""
    failed = [one.error for one in found if one.error is not None]
    if not failed:
        return 0
    more = [f"and {len(failed) - _NAMED} more"] if len(failed) > _NAMED else []
    for line in chain(map(str, failed[:_NAMED]), more):
        say(f"no answer: {line}")
    return DataError.exit_code


def _stream(predictor: Asked, inputs: Sequence[object]) -> None:
    """Each answer as it comes, a blank line between two; of what a model writes nothing steers the terminal."""
    for number, value in enumerate(inputs):
        if number:
            print_result("\n")
        for piece in predictor.stream(value):
            print_result(piece, end="", flush=True)
    print_result("")
