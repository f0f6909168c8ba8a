"""``python -m dlkit.testing.worker``: looks at one plugin's components in a process of its own, which may die of it.

It reads an order, one JSON document, on stdin, and writes lines of JSON on what was its stdout: which look begins, and
what became of it. What the plugin prints goes to stderr.
"""

from __future__ import annotations

import json
import os
import sys
from collections.abc import Iterator
from pathlib import Path
from typing import TextIO, TypedDict

from dlkit.catalog import Catalog
from dlkit.processes import die_with_parent
from dlkit.testing.look import LookRecord
from dlkit.testing.package import installed_package, package_at
from dlkit.testing.rule import Rule
from dlkit.testing.rules import find_rule, rule_names
from dlkit.testing.subject import Subject


class Order(TypedDict):
    """What to look at. ``project``: of a package that is not installed, its folder; ``done``: looks that are not to be
    taken again, as (rule, component, task); ``components``: those alone, if there are any."""

    plugin: str
    project: str
    rules: list[str]
    quick: bool
    scratch: str
    done: list[list[str]]
    components: list[str]


class Began(TypedDict):
    """The line before a look."""

    began: str
    component: str
    task: str


def main() -> int:
    die_with_parent()
    order: Order = json.load(sys.stdin)
    # The plugin may print: its words must not stand among ours.
    with os.fdopen(os.dup(1), "w", encoding="utf-8") as out:
        os.dup2(2, 1)
        for record in looks(order):
            _tell(out, record)
    sys.stdout.flush()
    os._exit(0)  # threads that a plugin has left behind are not waited for


def looks(order: Order) -> Iterator[Began | LookRecord]:
    """Rule after rule, each for all the components that it is for."""
    from dlkit.testing.looking import look
    from dlkit.testing.notes import FILE, read_notes
    from dlkit.testing.subjects import subjects_of

    package = package_at(Path(order["project"])) if order["project"] else installed_package(order["plugin"])
    catalog = Catalog.load_everything()
    plugin = next(found for found in catalog.plugins if found.name == order["plugin"])
    whole = Subject(package, catalog, Path(order["scratch"]), plugin, quick=order["quick"])
    notes = read_notes(package.beside(FILE), rule_names())
    chosen, done = order["components"], {tuple(found) for found in order["done"]}
    subjects = [found for found in subjects_of(whole) if not chosen or found.component_name in chosen]
    for rule in map(find_rule, order["rules"]):
        for subject in _of(rule, [] if chosen else [whole], subjects):
            if (rule.name, subject.component_name, subject.task) not in done:
                yield {"began": rule.name, "component": subject.component_name, "task": subject.task}
                yield look(rule, subject, notes).record()


def _of(rule: Rule, whole: list[Subject], subjects: list[Subject]) -> list[Subject]:
    return [found for found in subjects if found.spec.kind in rule.kinds] if rule.kinds else whole


def _tell(out: TextIO, record: Began | LookRecord) -> None:
    out.write(f"{json.dumps(record)}\n")
    out.flush()


if __name__ == "__main__":
    sys.exit(main())
