"""``dlkit study extend S``: more seeds for what is undecided, or more settings."""

from __future__ import annotations

from argparse import Namespace

from dlkit.catalog import Catalog
from dlkit.cli.study_choice import chosen_study, study_parser
from dlkit.cli.study_watch import watch
from dlkit.errors import UsageError
from dlkit.present.numbers import counted
from dlkit.present.output import print_json, print_result, say
from dlkit.studies.control import extend, more_seeds
from dlkit.studies.document import summary
from dlkit.studies.planning import draw, more_settings
from dlkit.studies.results import Look
from dlkit.studies.waking import wake


def main(argv: list[str]) -> int:
    parser = study_parser("extend", "Train more: each setting with more seeds, or more settings; then go on.")
    parser.add_argument("--seeds", type=int, metavar="N", help="N more seeds for each setting")
    parser.add_argument("--top", type=int, metavar="K", help="with --seeds: for the K best settings alone")
    parser.add_argument("--trials", type=int, metavar="N", help="N more settings; of a search that draws them")
    parser.add_argument("--detach", action="store_true", help="do not stay and watch")
    options = parser.with_json().parse_args(argv)
    for flag in ("seeds", "top", "trials"):
        if (value := getattr(options, flag)) is not None and value < 1:
            raise UsageError(f"--{flag} {value}: must be at least 1")
    if (options.seeds is None) == (options.trials is None):
        raise UsageError("give either --seeds N or --trials N")
    if options.top is not None and options.seeds is None:
        raise UsageError("--top goes with --seeds")
    study = chosen_study(options)
    look = Look(study)
    found = look.results()
    lines, said = (
        more_seeds(look, found, options.seeds, options.top) if options.seeds else _more_settings(look, options)
    )
    extend(look, found, lines, trials=options.trials or 0, by="dlkit study extend", say=say)
    wake(study)
    if not options.json:
        say(f"{study.id}: {said}")
    if not options.detach:
        return watch(study, as_json=options.json)
    if options.json:
        print_json(summary(look.results()))
    else:
        print_result(study.id)
    return 0


def _more_settings(look: Look, options: Namespace) -> tuple[list[bytes], str]:
    question, state = look.question, look.state
    if question.search not in ("random", "optuna"):
        raise UsageError(f"{look.study.id} is a grid: it has all its settings; --seeds N trains them with more seeds")
    if question.search == "optuna":  # they are proposed when it is their turn
        return [], counted(options.trials, "more setting")
    space = question.space(Catalog.load_everything())
    settings, _ = draw(space, question.search_seed, options.trials, state.settings.values(), skip=True)
    lines = more_settings(settings, max(state.settings, default=-1) + 1)
    return lines, counted(len(settings), "more setting")
