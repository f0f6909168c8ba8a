"""``dlkit remove RUN …``: delete runs, after asking."""

from __future__ import annotations

from collections.abc import Iterator, Sequence

from dlkit.cli.choice import RUN_HELP, confirm, with_reason
from dlkit.cli.parser import Parser
from dlkit.errors import RunError
from dlkit.present.numbers import size
from dlkit.present.output import print_json, print_result, say
from dlkit.runs.commands import checked_reason
from dlkit.runs.finding import find_run
from dlkit.runs.folder import RunFolder, disk_use
from dlkit.runs.removal import check_removable, delete_run, note_removal
from dlkit.runs.workspace import locate


def main(argv: list[str]) -> int:
    parser = Parser("remove", "Delete runs with all they hold.")
    parser.add_argument("runs", metavar="RUN", nargs="+", help=RUN_HELP)
    parser.add_argument("--yes", action="store_true", help="do not ask")
    parser.add_argument("--dry-run", action="store_true", help="say what would go, and delete nothing")
    with_reason(parser)
    options = parser.with_workspace().with_json().parse_args(argv)
    workspace = locate(options.workspace)
    reason = checked_reason(options.reason)
    runs = list(dict.fromkeys(find_run(workspace, reference) for reference in options.runs))
    for run in runs:  # all are looked at before the first is touched
        check_removable(run)
    sizes = {run: disk_use(str(run.path)) for run in runs}
    total = sum(sizes.values())
    for run in runs:
        say(f"{run.path}  {size(sizes[run])}")
    if options.dry_run:
        if options.json:
            print_json({"could_go": [run.id for run in runs], "bytes": total})
        else:
            print_result(f"{size(total)} would be freed; without --dry-run they are, after asking")
        return 0
    if not confirm(f"Remove {len(runs)} run{'s' * (len(runs) > 1)}, {size(total)}?", options.yes):
        say("nothing removed")
        return 0
    removed = list(_removed(runs, reason, quiet=options.json))
    if options.json:
        print_json({"removed": [run.id for run in removed], "bytes": sum(sizes[run] for run in removed)})
    return 0 if len(removed) == len(runs) else RunError.exit_code


def _removed(runs: Sequence[RunFolder], reason: str, *, quiet: bool) -> Iterator[RunFolder]:
    """Those that could be; of the rest it is said why not."""
    for run in runs:
        try:
            delete_run(run)
        except RunError as error:
            say(f"dlkit remove: {error}")
            continue
        if problem := note_removal(run, reason):
            say(f"dlkit remove: {problem}")
        if not quiet:
            print_result(run.id)
        yield run
