"""``dlkit study list``: the studies of a workspace, newest first. Imports no plugin, no pydantic, no torch."""

from __future__ import annotations

from dlkit.cli.parser import Parser
from dlkit.errors import DlkitError, in_words
from dlkit.present.numbers import duration, when
from dlkit.present.output import print_json, print_result, say
from dlkit.present.table import table
from dlkit.runs.workspace import locate
from dlkit.studies.document import summary
from dlkit.studies.folder import list_studies
from dlkit.studies.results import Look, Results
from dlkit.studies.telling import mean_text, named
from dlkit.studies.waking import wake

_HEADERS = ("study", "state", "trials", "metric", "best", "of", "time", "started", "name")


def main(argv: list[str]) -> int:
    parser = Parser("study list", "The studies of a workspace, newest first.")
    options = parser.with_workspace().with_json().parse_args(argv)
    workspace = locate(options.workspace)
    found: list[Results] = []
    for study in list_studies(workspace):
        try:
            look = Look(study)
            found.append(look.results())
            wake(study, look.state)
        except (DlkitError, OSError) as error:  # one that is damaged hides no other
            say(f"{study.id}: {in_words(error)}")
    if options.json:
        print_json([summary(results) for results in found])
    elif found:
        print_result(table(_HEADERS, [_row(results) for results in found]))
    else:
        say(f"no studies in {workspace}: dlkit study TASK --vary KEY=A,B makes one")
    return 0


def _row(found: Results) -> tuple[str, ...]:
    leader, question = found.leader, found.question
    return (
        found.study.id, found.state, f"{found.ended}/{found.trials}", question.metric,
        mean_text(leader) if leader is not None else "",
        named(found, leader) if leader is not None else "",
        duration(found.seconds), when(question.created, "%Y-%m-%d %H:%M"), question.name,
    )  # fmt: skip
