"""``dlkit study show S``: the answer, what it rests on, every setting. Imports no plugin, no pydantic, no torch."""

from __future__ import annotations

from dlkit.cli.study_choice import chosen_study, next_words, say_remarks, study_parser, text
from dlkit.errors import UsageError
from dlkit.present.output import print_json, print_result, say
from dlkit.present.table import csv_table, markdown_table, table
from dlkit.studies.document import document
from dlkit.studies.results import Look, Results
from dlkit.studies.telling import columns, full_columns
from dlkit.studies.waking import wake


def main(argv: list[str]) -> int:
    parser = study_parser("show", "One study: the answer, what it rests on, every setting, the best first.")
    parser.add_argument("--trials", action="store_true", help="every trial, not the settings")
    parser.add_argument(
        "--charts", action="store_true",
        help="best so far, curves overlaid, what each option has to do with it, every setting's way, and slices",
    )  # fmt: skip
    parser.add_argument("--by", metavar="KEY", default="", help="with --charts: a curve each value of this option")
    options = parser.with_json().with_tables().parse_args(argv)
    if options.by and not options.charts:
        raise UsageError("--by goes with --charts: it groups their curves")
    study = chosen_study(options)
    look = Look(study)
    found = look.results()
    if wake(study, look.state):
        found = look.results()
    if options.json:
        print_json({**document(found), **({"charts": charts(found, options.by)} if options.charts else {})})
    elif options.csv:
        print_result(csv_table(*full_columns(found)))
    elif options.md:
        print_result(markdown_table(*columns(found)))
    elif options.trials:
        print_result(table(*_trials(found)))
    else:
        print_result(text(found))
        if options.charts:
            _draw(found, options.by)
        say_remarks(found)
        say("\n".join(["", "next:", *(f"  {word}" for word in next_words(found))]))
    return 0


def charts(found: Results, by: str) -> dict[str, object]:
    """What ``--charts --json`` adds."""
    from dlkit.studies.reading import document as of_charts

    return of_charts(found, by)


def _draw(found: Results, by: str) -> None:
    import shutil

    from dlkit.present.output import colours
    from dlkit.present.text import Painted
    from dlkit.studies.reading import told  # NumPy draws

    drawn = told(found, by, colour=colours(), width=shutil.get_terminal_size().columns)
    print_result(Painted.joined("\n\n", ["", *drawn]))


def _trials(found: Results) -> tuple[list[str], list[list[object]]]:
    rows = sorted((trial for row in found.rows for trial in row.trials), key=lambda trial: trial.number)
    live = found.live
    return ["trial", "setting", "seed", "state", found.question.metric, "step", "run", "reason"], [
        [
            t.number, t.setting, t.seed, live[t.number].state if t.number in live else t.state,
            live[t.number].best if t.number in live else t.best,
            live[t.number].step if t.number in live else t.steps, t.run, t.reason,
        ]
        for t in rows
    ]  # fmt: skip
