"""``dlkit explain RUN …``: why it failed, why it is slow, whether it is any good."""

from __future__ import annotations

import shutil

from dlkit.cli.choice import RUN_HELP
from dlkit.cli.parser import Parser
from dlkit.present.output import print_json, print_result
from dlkit.runs.finding import find_run
from dlkit.runs.folder import RunFolder, Summary, summarise
from dlkit.runs.workspace import locate


def main(argv: list[str]) -> int:
    parser = Parser(
        "explain",
        "Why a run failed, why it is slow, whether it is any good: verdicts in words, the worst first, each with what "
        "says so and the command that mends it. Of a run that goes on, so far. The exit code is 0 whatever they are.",
    )
    parser.add_argument("runs", metavar="RUN", nargs="+", help=RUN_HELP)
    options = parser.with_workspace().with_json().parse_args(argv)
    workspace = locate(options.workspace)
    runs = [find_run(workspace, name) for name in options.runs]
    if options.json:
        found = [_document(run) for run in runs]
        print_json(found[0] if len(found) == 1 else found)
        return 0
    width = min(shutil.get_terminal_size().columns, 120)
    print_result("\n\n\n".join(_explained(run, width) for run in runs))
    return 0


def _explained(run: RunFolder, width: int) -> str:
    from dlkit.diagnose import diagnose, read_record
    from dlkit.diagnose.words import explained

    found = diagnose(read_record(run))
    return f"{_head(summarise(run))}\n\n{explained(run, found, width)}"


def _head(run: Summary) -> str:
    from dlkit.present.runs import titled

    of = f" of {run.total_steps}" if run.total_steps else ""
    return f"{titled(run)}: {run.state}, step {run.step}{of}"


def _document(run: RunFolder) -> dict[str, object]:
    from dlkit.diagnose import diagnose, read_record
    from dlkit.diagnose.words import document, headline

    found = diagnose(read_record(run))
    summary = summarise(run)
    return {
        "run": run.id,
        "path": str(run.path.absolute()),
        "state": summary.state,
        "step": summary.step,
        "total_steps": summary.total_steps,
        "headline": headline(found),
        "verdicts": [document(verdict, run) for verdict in found],
    }
