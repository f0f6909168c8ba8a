"""Every plugin of our own is gold: each has that on record, and keeps what can be seen in seconds; at length, all."""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from pathlib import Path

import pytest

from at_length import at_length
from dlkit import __version__
from dlkit.catalog import Catalog
from dlkit.testing.check import Check
from dlkit.testing.look import Look, told
from dlkit.testing.looking import look
from dlkit.testing.notes import FILE, read_notes
from dlkit.testing.package import package_at
from dlkit.testing.record import FILE as RECORD
from dlkit.testing.record import read_file
from dlkit.testing.rules import find_rule, rule_names
from dlkit.testing.subject import Subject
from dlkit.testing.subjects import subjects_of
from structure import ROOT

PROJECTS = sorted(path.parent for path in (ROOT / "plugins").glob("*/pyproject.toml"))
STATIC = [name for name in rule_names() if find_rule(name).static]
LOADING = [name for name in rule_names() if name.startswith("loading-") and not find_rule(name).kinds]
OPTIONS = [name for name in rule_names() if name.startswith("options-")] + ["data-example-as-told", "engine-builds"]
WHOLE = ("regression", "scratch")
"""Looked at wholly in CI: in half a minute each, with every kind of component but a launcher."""
NOT_YET = ("detection", "gan", "insight", "style", "textgen", "translation")
"""Without a tier on record: not every rule has been asked about everything in them since what they are now."""
each = pytest.mark.parametrize("project", PROJECTS, ids=lambda project: project.name)


def none_broken(looks: Iterable[Look]) -> None:
    broken = [found for found in looks if found.state == "broken"]
    assert not broken, "\n".join(line for found in broken for line in told([found]))


@each
def test_it_is_gold_on_record(project: Path) -> None:
    """Whether its files are the same since is said wherever the tier is shown."""
    package = package_at(project)
    file = package.beside(RECORD)
    assert file is not None and file.is_file() == (project.name not in NOT_YET)
    if not file.is_file():
        pytest.skip("nothing is on record")
    found = read_file(file)
    assert found.keys() == package.entry_points.keys()
    for one in found.values():
        assert (one.tier, one.version, one.kit) == ("gold", package.version, __version__)
        assert one.exempt.keys() <= {
            exemption.rule for exemption in read_notes(package.beside(FILE), rule_names()).exemptions
        }


@each
def test_its_files_are_as_they_should_be(project: Path) -> None:
    none_broken(Check(package_at(project), STATIC).looks())


@pytest.mark.slow
@each
def test_it_loads_as_it_should(project: Path) -> None:
    none_broken(Check(package_at(project), LOADING).looks())


@pytest.mark.slow
def test_options_are_as_they_should_be_and_everything_is_built(tmp_path: Path) -> None:
    """In this process, which has torch already, for all of them."""
    catalog = Catalog.load_everything()
    none_broken(found for project in PROJECTS for found in looked_at(project, catalog, tmp_path))


def looked_at(project: Path, catalog: Catalog, folder: Path) -> Iterator[Look]:
    package = package_at(project)
    notes = read_notes(package.beside(FILE), rule_names())
    for plugin in [found for found in catalog.plugins if found.name in package.entry_points]:
        subjects = subjects_of(Subject(package, catalog, folder / plugin.name, plugin, quick=True))
        for rule in map(find_rule, OPTIONS):
            yield from (look(rule, subject, notes) for subject in subjects if subject.spec.kind in rule.kinds)


@pytest.mark.slow
@pytest.mark.parametrize("name", WHOLE)
def test_some_keep_every_rule(name: str) -> None:
    none_broken(Check(package_at(ROOT / "plugins" / name), rule_names()).looks())


@at_length
@each
def test_it_keeps_every_rule(project: Path) -> None:
    none_broken(Check(package_at(project), rule_names()).looks())
