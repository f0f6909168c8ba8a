"""``dlkit train TASK …``: train, here or in a worker, now or when a device is free."""

from __future__ import annotations

import sys

from dlkit.catalog import Catalog
from dlkit.cli.flags import Words, help_text, layers_of, split_words
from dlkit.config import Resolved, resolve
from dlkit.config_file import to_toml
from dlkit.errors import UsageError, nearest
from dlkit.present.output import print_json, print_result, say
from dlkit.present.text import escaped
from dlkit.runs.workspace import locate

_USAGE = """usage: dlkit train TASK [OPTION VALUE …]

TASK is one of: {tasks}
dlkit train TASK --help shows the options of a task's components."""


def main(argv: list[str]) -> int:
    words = split_words(argv)
    catalog = Catalog.load_everything()
    tasks = [spec.name for spec in catalog.specs("task")]
    if not words.positional:
        if "help" in words.switches:
            print_result(_USAGE.format(tasks=", ".join(tasks)))
            return 0
        raise UsageError(f"which task? There are: {', '.join(tasks)}")
    task, *extra = words.positional
    if extra:
        raise UsageError(f"unexpected {extra[0]!r} after the task: {nearest(extra[0], ['--' + t for t in ('help',)])}")
    resolved = resolve(catalog, task, layers_of(catalog, task, words))
    if "help" in words.switches:
        print_result(help_text(catalog, resolved))
        return 0
    if "print-config" in words.switches:
        if "json" in words.switches:
            print_json({"task": task, "config": resolved.values(), "origins": resolved.origins})
        else:
            print_result(escaped(to_toml(resolved, origins=True)), end="")
        return 0
    return _train(catalog, resolved, words)


def _train(catalog: Catalog, resolved: Resolved, words: Words) -> int:
    from dlkit.cli.launching import how_to, show
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
    )
    launched = launch.train(catalog, resolved, workspace, how, name=words.values.get("name", ""), say=say)
    return show(launched, as_json="json" in words.switches, quiet="quiet" in words.switches)


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
