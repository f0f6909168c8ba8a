"""``dlkit serve RUN|FOLDER``: a trained model over HTTP."""

from __future__ import annotations

import argparse
from dataclasses import replace
from pathlib import Path

from dlkit.cli.choice import chosen_run, run_parser
from dlkit.cli.parser import Parser
from dlkit.errors import UsageError
from dlkit.folders import has_file
from dlkit.interpreter import python
from dlkit.use.serve.limits import Limits

MEGA = 1_000_000
EXAMPLES, MOST_EXAMPLES = 6, 24
_LIMITS = Limits()
_NUMBERS = (
    ("--batch", int, _LIMITS.batch, "N", "questions that are answered together, at most"),
    ("--gather", float, 1000 * _LIMITS.gather, "MS", "milliseconds that they wait for one another, at most"),
    ("--seconds", float, _LIMITS.seconds, "S", "seconds that an answer may take"),
    ("--max-body", float, _LIMITS.body / MEGA, "MB", "megabytes of a request"),
    ("--max-megapixels", float, _LIMITS.pixels / MEGA, "N", "of an image, before it is decoded"),
    ("--max-tokens", int, _LIMITS.tokens, "N", "that an answer may be asked to have"),
    ("--max-waiting", int, _LIMITS.waiting, "N", "questions that may wait at once"),
)


def main(argv: list[str]) -> int:
    options = _parser().with_json().parse_args(argv)
    title, place = _model(options)
    for name in ("batch", "seconds", "max_body", "max_megapixels", "max_tokens", "max_waiting"):
        if getattr(options, name) <= 0:
            raise UsageError(f"--{name.replace('_', '-')} {getattr(options, name):g}: must be above 0")
    if options.examples is not None and not 0 <= options.examples <= MOST_EXAMPLES:
        raise UsageError(f"--examples {options.examples}: must be 0 to {MOST_EXAMPLES}")
    if not 0 <= options.gather <= 1000:
        raise UsageError(f"--gather {options.gather:g}: must be 0 to 1000")

    from dlkit.use.serve.command import Serving, is_loopback, serve, token_of

    limits = replace(
        _LIMITS,
        batch=options.batch,
        gather=options.gather / 1000,
        seconds=options.seconds,
        body=int(options.max_body * MEGA),
        pixels=int(options.max_megapixels * MEGA),
        tokens=options.max_tokens,
        waiting=options.max_waiting,
    )
    words = python(
        "dlkit.use.serve.worker", str(place), "--checkpoint", options.checkpoint, "--device", options.device,
        "--inference", options.inference, "--pixels", str(limits.pixels), "--tokens", str(limits.tokens),
    )  # fmt: skip
    count = EXAMPLES * is_loopback(options.host) if options.examples is None else options.examples
    examples = _examples(options, place, count)
    serving = Serving(
        title, words, options.host, options.port, options.workers, token_of(options.token), limits, examples
    )
    return serve(serving, as_json=options.json)


def _parser() -> Parser:
    parser = run_parser(
        "serve", "Answer over HTTP: a page to try it, POST /predict, GET /schema. RUN may be an exported folder."
    )
    parser.add_argument("--port", type=int, default=0, metavar="N", help="1 to 65535 (default: a free one)")
    parser.add_argument(
        "--host",
        default="127.0.0.1",
        metavar="ADDRESS",
        help="where to listen (default: 127.0.0.1, this machine alone; 0.0.0.0: everybody who has the token)",
    )
    parser.add_argument("--workers", type=int, default=1, metavar="N", help="processes with the model (default: 1)")
    parser.add_argument(
        "--token",
        default="",
        metavar="TEXT",
        help="what clients must know; $DLKIT_SERVE_TOKEN too (default: none on this machine, beyond it one is made)",
    )
    parser.add_argument("--checkpoint", default="best", metavar="C", help="best, last or a step (default: best)")
    parser.add_argument("--device", default="cpu", metavar="D", help="cpu, cuda, cuda:N or mps (default: cpu)")
    parser.add_argument("--inference", default="", metavar="NAME", help="another inference component than the run's")
    parser.add_argument(
        "--examples",
        type=int,
        metavar="N",
        help="questions of the validation split that the page offers "
        f"(default: {EXAMPLES} on this machine, 0 beyond it: whoever sees the page sees that data)",
    )
    for flag, kind, default, metavar, about in _NUMBERS:
        parser.add_argument(flag, type=kind, default=default, metavar=metavar, help=f"{about} (default: {default:g})")
    return parser


def _examples(options: argparse.Namespace, place: Path, count: int) -> list[str]:
    """An exported folder has no data."""
    if has_file(place, "export.json") or not count:
        return []
    return python(
        "dlkit.use.serve.examples", str(place), "--checkpoint", options.checkpoint, "--inference", options.inference,
        "--count", str(count),
    )  # fmt: skip


def _model(options: argparse.Namespace) -> tuple[str, Path]:
    """What is served, and where it lies: a run, or an exported folder, if that is what RUN names."""
    folder = Path(options.run)
    if not has_file(folder, "export.json"):
        run = chosen_run(options)
        return run.id, run.path
    for name, default in (("checkpoint", "best"), ("device", "cpu"), ("inference", ""), ("examples", None)):
        if getattr(options, name) != default:
            raise UsageError(f"--{name}: {folder} answers as it was exported; it is for serving a run")
    return folder.absolute().name, folder.absolute()
