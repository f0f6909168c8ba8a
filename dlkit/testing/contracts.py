"""Standard tests for pytest, one class a kind of component: subclass one, and every rule for that kind is a test.

    from dlkit.testing.contracts import ModelContract

    class TestConv(ModelContract):
        plugin = "signals"        # the entry point's name; the package must be installed (pip install -e .)
        component = "conv"        # of several tasks' components, task = "…" says in which one
        quick = True              # as --quick; False: everything

A test may be marked as failing, ``@pytest.mark.xfail(reason="…")`` above a call of ``super()``; to override one in
another way is an error of its own (``test_standard_tests_are_kept``). Exemptions of the package's check.toml are
skipped with their reason. Only pytest is needed, and Hypothesis for the rule that draws options:
``pip install 'dlkit[testing]'``.
"""

from __future__ import annotations

import inspect
from collections.abc import Callable, Iterator
from contextlib import suppress
from functools import cache
from pathlib import Path
from tempfile import TemporaryDirectory
from typing import ClassVar, TypeAlias

import pytest

from dlkit.catalog import Catalog
from dlkit.errors import UsageError, nearest
from dlkit.testing.check import Check
from dlkit.testing.look import Look, told
from dlkit.testing.looking import look
from dlkit.testing.notes import FILE, read_notes
from dlkit.testing.overrides import overridden
from dlkit.testing.package import Package, installed_package, package_at
from dlkit.testing.rule import Rule
from dlkit.testing.rules import find_rule, rule_names
from dlkit.testing.subject import Subject
from dlkit.testing.subjects import subjects_of

__all__ = [
    "DatasetContract",
    "InferenceContract",
    "LauncherContract",
    "LossContract",
    "ModelContract",
    "PackageContract",
    "TaskContract",
    "TrainerContract",
]
_KEPT = "test_standard_tests_are_kept"


class _Contract:
    """What all of them have. Their tests are made of the rules, by ``_standard``."""

    plugin: ClassVar[str] = ""
    component: ClassVar[str] = ""
    task: ClassVar[str] = ""
    quick: ClassVar[bool] = True
    kind: ClassVar[str] = ""

    def __init_subclass__(cls, **options: object) -> None:
        super().__init_subclass__(**options)
        if _KEPT in vars(cls):
            raise TypeError(f"{cls.__name__}.{_KEPT} says whether the other tests are kept: it cannot be overridden")

    def test_standard_tests_are_kept(self) -> None:
        """Overridden ones say why, by xfail with a reason."""
        file, own = Path(inspect.getfile(type(self))), type(self).__name__
        mine = [test for _, test in overridden(file) if test.partition(".")[0] == own]
        assert not mine, (
            f"{', '.join(mine)}: a standard test is overridden only with @pytest.mark.xfail(reason='…'); "
            "what does not hold of a component is explained in check.toml, [[exempt]]"
        )


StandardTest: TypeAlias = Callable[[_Contract], None]


class PackageContract(_Contract):
    """Of the package as a whole: its files, and what loading it does; ``plugin`` alone is needed."""


class TaskContract(_Contract):
    """The rules for a task, its metrics, and a run of what it has for a start."""

    kind = "task"


class DatasetContract(_Contract):
    """The rules for a data set: the same for a seed, splits apart, shapes as they are told."""

    kind = "dataset"


class ModelContract(_Contract):
    """The rules for a model: finite, sample by sample, trained wherever it can be."""

    kind = "model"


class LossContract(_Contract):
    """The rules for a loss: finite, with gradients, its mean over what it counts."""

    kind = "loss"


class TrainerContract(_Contract):
    """The rules for a trainer: exact resumes, changed options, several processes."""

    kind = "trainer"


class InferenceContract(_Contract):
    """The rules for a predictor: what its schema says it takes and answers."""

    kind = "inference"


class LauncherContract(_Contract):
    """The rules for a launcher: its options, and the commands that it makes."""

    kind = "launcher"


@cache
def _subjects(plugin: str, quick: bool) -> tuple[TemporaryDirectory[str], list[Subject]]:
    """Of a plugin, once for all the classes of a session: what is built for one test is there for the others."""
    folder = TemporaryDirectory(prefix="dlkit-contract-")
    catalog = Catalog.load_everything()
    found = next((one for one in catalog.plugins if one.name == plugin), None)
    if found is None:
        raise UsageError(f"no plugin {plugin!r}: {nearest(plugin, [one.name for one in catalog.plugins])}")
    return folder, subjects_of(Subject(installed_package(plugin), catalog, Path(folder.name), found, quick=quick))


def _subject(contract: type[_Contract]) -> Subject:
    """The component that a class is about; UsageError names those that there are."""
    _, subjects = _subjects(contract.plugin, contract.quick)
    mine = [one for one in subjects if one.spec.kind == contract.kind]
    component = contract.component or (mine[0].spec.name if contract.kind == "task" and mine else "")
    fitting = [one for one in mine if one.spec.name == component and contract.task in ("", one.task)]
    if not fitting:
        names = sorted({one.spec.name for one in mine})
        raise UsageError(f"{contract.__name__}: no {contract.kind} {component!r}: {nearest(component, names)}")
    return fitting[0]


def _judged(found: Look) -> None:
    if found.state == "skipped":
        pytest.skip(found.reason)
    if found.state == "exempt":
        pytest.skip(f"exempt: {found.reason}")
    assert found.state == "kept", "\n".join(["", *told([found])])


@cache
def _looks(plugin: str, tests: str, quick: bool) -> tuple[Look, ...]:
    """What the rules for whole plugins say, asked at once: those of loading share the processes that it takes."""
    rules = [name for name in rule_names() if not find_rule(name).kinds]
    return tuple(Check(_package(plugin, Path(tests)), rules, quick).looks())


def _package(plugin: str, tests: Path) -> Package:
    """The project that the tests are of, whose files are the truth; tests of another one's: what is installed."""
    for folder in tests.resolve().parents:
        if (folder / "pyproject.toml").is_file():
            with suppress(UsageError):  # a project of something else
                found = package_at(folder)
                if plugin in found.entry_points:
                    return found
            break
    return installed_package(plugin)


def _component_test(rule: Rule) -> StandardTest:
    def test(self: _Contract) -> None:
        subject = _subject(type(self))
        if self.quick and not rule.quick:
            pytest.skip("takes longer: quick = False looks at it")
        _judged(look(rule, subject, read_notes(subject.package.beside(FILE), rule_names())))

    return test


def _package_test(rule: Rule) -> StandardTest:
    def test(self: _Contract) -> None:
        found = [one for one in _looks(self.plugin, inspect.getfile(type(self)), self.quick) if one.rule is rule]
        for one in sorted(found, key=lambda one: one.state != "broken"):  # whatever else was passed over
            _judged(one)

    return test


def _standard(contract: type[_Contract]) -> Iterator[tuple[str, StandardTest]]:
    for rule in map(find_rule, rule_names()):
        name = f"test_{rule.name.replace('-', '_')}"
        if contract is PackageContract and not rule.kinds:
            yield name, _package_test(rule)
        elif contract.kind in rule.kinds:
            yield name, _component_test(rule)


for _each in (
    PackageContract,
    TaskContract,
    DatasetContract,
    ModelContract,
    LossContract,
    TrainerContract,
    InferenceContract,
    LauncherContract,
):
    for _name, _test in _standard(_each):
        _test.__name__, _test.__doc__ = _name, find_rule(_name.removeprefix("test_").replace("_", "-")).title
        setattr(_each, _name, _test)
