"""``dlkit train TASK …``: train, here or in a worker, now or when a device is free."""

from __future__ import annotations

import sys

from dlkit.catalog import Catalog
from dlkit.cli.flags import Words, layers_of, split_words
from dlkit.cli.parser import asks_for_help
from dlkit.cli.train_help import help_for
from dlkit.config import Resolved, resolve
from dlkit.config_file import to_toml
from dlkit.errors import UsageError, nearest
from dlkit.present.output import print_json, print_result, print_toml, say
from dlkit.runs.workspace import locate


def main(argv: list[str]) -> int:
    catalog = Catalog.load_everything()
    if asks_for_help(argv):
        text, problems = help_for(catalog, argv)
        print_result(text)
        for problem in problems:
            say(f"note: {problem}")
        return 0
    words = split_words(argv)
    tasks = [spec.name for spec in catalog.specs("task")]
    if not words.positional:
        raise UsageError(f"which task? There are: {', '.join(tasks)}")
    task, *extra = words.positional
    if extra:
        raise UsageError(f"unexpected {extra[0]!r} after the task: {nearest(extra[0], ['--' + t for t in ('help',)])}")
    resolved = resolve(catalog, task, layers_of(catalog, task, words))
    if "print-config" in words.switches:
        if "json" in words.switches:
            print_json({"task": task, "config": resolved.values(), "origins": resolved.origins})
        else:
            print_toml(to_toml(resolved, origins=True))
        return 0
    if "estimate" in words.switches:
        from dlkit.cli.estimate import tell_estimate

        return tell_estimate(resolved, words)
    return _train(catalog, resolved, words)


def _train(catalog: Catalog, resolved: Resolved, words: Words) -> int:
    from dlkit.cli.launching import how_to, show
    from dlkit.data.context import silent
    from dlkit.jobs import launch

    workspace = locate(words.values.get("workspace"))
    how = how_to(
        workspace,
        detach="detach" in words.switches,
        queue="queue" in words.switches,
        priority=words.values.get("priority"),
        after=words.values.get("after", "").split(),
        cpu_slots=words.values.get("cpu-slots"),
        offline="offline" in words.switches,
        urgent="urgent" in words.switches,
        at=words.values.get("at"),
    )
    quiet = "quiet" in words.switches
    talk = silent if quiet else say
    launched = launch.train(catalog, resolved, workspace, how, name=words.values.get("name", ""), say=talk)
    return show(launched, as_json="json" in words.switches, quiet=quiet)


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
