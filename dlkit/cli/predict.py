"""``dlkit predict RUN INPUT …``: ask a trained model."""

from __future__ import annotations

import re
import shutil
import sys

from dlkit.catalog import Catalog
from dlkit.cli.choice import chosen_run, run_parser
from dlkit.cli.common import colours, print_json
from dlkit.cli.render import render
from dlkit.errors import UsageError


def main(argv: list[str]) -> int:
    parser = run_parser("predict", "Ask a trained model. Without INPUT, the lines of standard input are read.")
    parser.add_argument("inputs", metavar="INPUT", nargs="*", help="what the run's predictor reads: files, rows, text")
    parser.add_argument("--checkpoint", default="best", metavar="C", help="best, last or a step (default: best)")
    parser.add_argument("--device", default="cpu", metavar="D", help="cpu, cuda, cuda:N or mps (default: cpu)")
    parser._negative_number_matcher = re.compile(r"-[\d.]")  # a row such as -1,2,3 is an input, not an option
    options = parser.with_json().parse_args(argv)
    run = chosen_run(options)

    from dlkit.engine.device import choose_device
    from dlkit.inference.load import load_predictor

    device = str(choose_device(options.device))
    loaded = load_predictor(Catalog.load_everything(), run, options.checkpoint, device)
    inputs = loaded.predictor.read(_arguments(options.inputs, loaded.predictor.usage))
    answers = loaded.predictor.predict(inputs)
    if options.json:
        position = {"checkpoint": options.checkpoint, "step": loaded.checkpoint.step}
        print_json({"run": run.id, **position, "predictions": [dict(answer) for answer in answers]})
        return 0
    width = shutil.get_terminal_size().columns
    for sample in loaded.predictor.show(inputs, answers):
        print(render(sample, colour=colours(), width=width))
    return 0


def _arguments(given: list[str], usage: str) -> list[str]:
    if given:
        return given
    lines = [] if sys.stdin.isatty() else [line.rstrip("\n") for line in sys.stdin if line.strip()]
    if not lines:
        raise UsageError(f"nothing to predict: give INPUT, or lines on standard input. INPUT: {usage}")
    return lines
