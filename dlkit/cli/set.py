"""``dlkit set RUN KEY VALUE``: change an option of a running job, if the option declares itself changeable."""

from __future__ import annotations

from dlkit.cli.choice import chosen_run
from dlkit.cli.control import control_parser, perform
from dlkit.errors import RunError
from dlkit.runs.contents import stored_sections
from dlkit.runs.folder import RunFolder


def main(argv: list[str]) -> int:
    parser = control_parser("set", "Change an option of a running job, from its next step on.")
    parser.add_argument("key", metavar="KEY", help="trainer.lr, engine.keep, …: options that say they may be changed")
    parser.add_argument("value", metavar="VALUE", help="as on train's command line; none: unset")
    options = parser.parse_args(argv)
    run = chosen_run(options)
    key, value = _judged(run, options.key, options.value)
    perform(run, "set", key, value, options=options)
    return 0


def _judged(run: RunFolder, key: str, text: str) -> tuple[str, object]:
    """The full key and the value; UsageError if this run has no such option, or it cannot be changed to that."""
    from dlkit.catalog import Catalog
    from dlkit.jobs.changeable import parse_change

    try:
        record = run.read()
        names = {"trainer": str(record["components"]["trainer"]["name"])}
        task = str(record["task"])
    except (OSError, ValueError, KeyError, TypeError) as error:
        raise RunError(f"{run.record} does not say what trains {run.id}: {error}") from error
    return parse_change(Catalog.load_everything(), task, names, stored_sections(run), key, text)
