"""Which study a command means, and how what there is of it is told."""

from __future__ import annotations

from argparse import Namespace

from dlkit.cli.parser import Parser
from dlkit.present.commands import in_workspace
from dlkit.present.output import say
from dlkit.present.table import table
from dlkit.present.text import Painted
from dlkit.runs.workspace import locate
from dlkit.studies.folder import StudyFolder, find_study
from dlkit.studies.results import Results
from dlkit.studies.telling import answer, columns, headline, looks_at_test

STUDY_HELP = "id, its unique beginning or end, name, last or last~N"


def study_parser(command: str, description: str) -> Parser:
    """A parser that begins with S and knows ``--workspace``."""
    parser = Parser(f"study {command}", description)
    parser.add_argument("study", metavar="S", help=STUDY_HELP)
    return parser.with_workspace()


def chosen_study(options: Namespace) -> StudyFolder:
    """The study that the command line names."""
    return find_study(locate(options.workspace), options.study)


def text(found: Results) -> str:
    """The answer first, then what it rests on."""
    parts = ["\n".join([headline(found), answer(found), *looks_at_test(found)]), table(*columns(found))]
    return Painted.joined("\n\n", parts)


def say_remarks(found: Results) -> None:
    for remark in found.remarks:
        say(f"note: {remark}")


def next_words(found: Results) -> list[str]:
    """What to type next."""
    short = found.study.short
    if found.state in ("running", "starting"):
        words = [f"study watch {short}", f"study stop {short}"]
    elif found.state in ("stopped", "interrupted", "stopping"):
        words = [f"study resume {short}"]
    else:
        words = [f"study best {short}"]
    return [in_workspace(found.study.workspace, word) for word in words]
