"""The whole check of a package: files first, then its loading, then its components in processes of their own."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from pathlib import Path
from tempfile import TemporaryDirectory

from dlkit.catalog import Catalog
from dlkit.testing.apart import working
from dlkit.testing.look import Look
from dlkit.testing.looking import look
from dlkit.testing.notes import FILE, read_notes
from dlkit.testing.package import Package
from dlkit.testing.rule import Rule
from dlkit.testing.rules import find_rule, rule_names
from dlkit.testing.site import as_installed
from dlkit.testing.subject import Subject
from dlkit.testing.worker import Order

LIMIT_SECONDS = 300.0
"""What one rule may take for one component: a training run of some steps takes one or two."""
_OUTSIDE = ("package", "loading")
"""Groups whose rules for whole plugins run none of their code in the process that asks them."""


@dataclass(frozen=True)
class Check:
    """What to look at: rules by name, in order; ``components`` (``"model cnn"``), where there are any, alone."""

    package: Package
    rules: Sequence[str]
    quick: bool = False
    seconds: float = LIMIT_SECONDS
    components: Sequence[str] = ()

    def looks(self) -> Iterator[Look]:
        """One after the other, as they are taken; who stops consuming ends the processes."""
        with TemporaryDirectory(prefix="dlkit-check-", ignore_cleanup_errors=True) as name:
            folder = Path(name)
            environment = as_installed(self.package, folder / "site")
            yield from self._outside(folder, environment)
            for plugin in self.package.entry_points:
                yield from self._inside(plugin, folder / plugin, environment)

    def _outside(self, folder: Path, environment: dict[str, str]) -> Iterator[Look]:
        """Of the package's files, and of what loading its modules does, each in a fresh process."""
        notes = read_notes(self.package.beside(FILE), rule_names())
        whole = Subject(self.package, Catalog([]), folder, quick=self.quick, environment=environment)
        for name in self._rules(outside=True) if not self.components else ():
            yield look(find_rule(name), whole, notes)

    def _inside(self, plugin: str, scratch: Path, environment: dict[str, str]) -> Iterator[Look]:
        project = "" if self.package.installed else str(self.package.project)
        order: Order = {
            "plugin": plugin, "project": project, "rules": self._rules(outside=False), "quick": self.quick,
            "scratch": str(scratch), "done": [], "components": list(self.components),
        }  # fmt: skip
        died = bool(order["rules"])
        while died:  # another one for what is left
            with working(order, environment, scratch) as worker:
                for found in worker.looks(self.seconds):
                    order["done"].append([found.rule.name, found.component, found.task])
                    yield found
                died = worker.died

    def _rules(self, *, outside: bool) -> list[str]:
        return [name for name in self.rules if _is_outside(find_rule(name)) == outside]


def _is_outside(rule: Rule) -> bool:
    return rule.group in _OUTSIDE and not rule.kinds
