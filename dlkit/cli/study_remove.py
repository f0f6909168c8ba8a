"""``dlkit study remove S …``: delete studies; their runs stay, unless --runs is given."""

from __future__ import annotations

from dlkit.cli.choice import confirm
from dlkit.cli.parser import Parser
from dlkit.cli.study_choice import STUDY_HELP
from dlkit.present.numbers import counted, size
from dlkit.present.output import print_json, print_result, say
from dlkit.runs.folder import RunFolder, disk_use
from dlkit.runs.removal import delete_run
from dlkit.runs.workspace import locate
from dlkit.studies.control import check_ended, remove, runs_made
from dlkit.studies.folder import StudyFolder, find_study


def main(argv: list[str]) -> int:
    parser = Parser("study remove", "Delete studies. The runs that they made stay, and are runs like any other.")
    parser.add_argument("studies", metavar="S", nargs="+", help=STUDY_HELP)
    parser.add_argument("--runs", action="store_true", help="delete the runs that they made, too")
    parser.add_argument("--dry-run", action="store_true", help="say what would go, and delete nothing")
    parser.add_argument("--yes", action="store_true", help="do not ask")
    options = parser.with_workspace().with_json().parse_args(argv)
    workspace = locate(options.workspace)
    studies = list(dict.fromkeys(find_study(workspace, reference) for reference in options.studies))
    runs = [run for study in studies for run in _checked(study, options.runs)]
    total = sum(disk_use(str(path)) for path in [*(study.path for study in studies), *(run.path for run in runs)])
    what = counted(len(studies), "study") if len(studies) == 1 else f"{len(studies)} studies"
    if options.dry_run:
        if options.json:
            print_json({"could_go": [s.id for s in studies], "runs": [run.id for run in runs], "bytes": total})
        else:
            print_result("\n".join([*(str(s.path) for s in studies), *(str(run.path) for run in runs), size(total)]))
        return 0
    with_runs = f" and {counted(len(runs), 'run')}" if options.runs else ""
    if not confirm(f"Remove {what}{with_runs}, {size(total)}?", options.yes):
        say("nothing removed")
        return 0
    for run in runs:
        delete_run(run)
    for study in studies:
        remove(study)
        if not options.json:
            print_result(study.id)
    if options.json:
        print_json({"removed": [s.id for s in studies], "runs": [run.id for run in runs], "bytes": total})
    return 0


def _checked(study: StudyFolder, with_runs: bool) -> list[RunFolder]:
    """The runs that a study made; all are looked at before anything is touched. RunError: it goes on."""
    check_ended(study)
    return runs_made(study) if with_runs else []
