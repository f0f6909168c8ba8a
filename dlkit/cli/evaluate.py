"""``dlkit evaluate RUN``: measure a checkpoint on a split, and put that on record."""

from __future__ import annotations

from collections.abc import Mapping

from dlkit.catalog import Catalog
from dlkit.cli.choice import chosen_run, run_parser
from dlkit.cli.counting import counting
from dlkit.cli.parser import Parser
from dlkit.data.context import make_context
from dlkit.present.output import print_json, print_result, say
from dlkit.present.table import table
from dlkit.runs.contents import why_unrecordable
from dlkit.runs.looks import looks
from dlkit.runs.workspace import locate


def main(argv: list[str]) -> int:
    options = _parser().with_json().parse_args(argv)
    run = chosen_run(options)
    before = looks(run, options.split)
    if str(before):
        say(f"the {options.split} split was looked at before: {before}")

    known = why_unrecordable(run)
    if known:
        say(f"note: this will not be on record: {known}")

    from dlkit.use.load import evaluate_run

    catalog = Catalog.load_everything()
    context = make_context(catalog, locate(options.workspace), offline=options.offline, say=say)
    with counting("evaluating") as progress:
        result = evaluate_run(
            catalog, run, context,
            split=options.split, which=options.checkpoint, device=options.device, progress=progress,
        )  # fmt: skip
    if options.json:
        print_json({**result, "looked_before": before.own, "looked_before_by_others": before.by_others})
    else:
        say(f"{run.id}: checkpoint {options.checkpoint} (step {result['step']}) on {options.split}")
        print_result(metrics_table(result["metrics"]))
    if result["unrecorded"]:
        say(f"not on record: {result['unrecorded']}")
    # Who may not write here was told before the work, and has got what can be had; a disk that fills up is a failure.
    return 1 if result["unrecorded"] and not known else 0


def _parser() -> Parser:
    parser = run_parser("evaluate", "Measure a run's checkpoint on a split.")
    parser.add_argument("--split", default="test", metavar="SPLIT", help="train, val or test (default: test)")
    parser.add_argument("--checkpoint", default="best", metavar="C", help="best, last or a step (default: best)")
    parser.add_argument("--device", metavar="D", help="cpu, cuda, cuda:N or mps (default: the run's setting)")
    parser.add_argument("--offline", action="store_true", help="never use the network")
    return parser


def metrics_table(metrics: Mapping[str, float]) -> str:
    return table(("metric", "value"), list(metrics.items()))
