"""Rules that components of ours once broke, each asked of the one that broke it."""

from __future__ import annotations

from pathlib import Path

import pytest

from dlkit.catalog import Catalog
from dlkit.testing.finding import Finding, Skipped
from dlkit.testing.notes import FILE, merged, read_notes
from dlkit.testing.package import beside_code, installed_package
from dlkit.testing.rules import find_rule, rule_names
from dlkit.testing.subject import Subject

MENDED = [
    ("autoencoder", "task", "autoencoder", "autoencoder", "metrics-over-ranks"),
    ("insight", "task", "kernels", "kernels", "metrics-over-ranks"),
    ("insight", "inference", "filter", "kernels", "predictor-refuses-in-words"),
    ("insight", "inference", "attention", "textgen", "predictor-keeps-its-schema"),
    ("localization", "dataset", "digit-canvas", "localization", "data-values-as-declared"),
    ("style", "trainer", "pixels", "style", "engine-obeys-set"),
    ("style", "inference", "painter", "style", "predictor-keeps-its-schema"),
]


@pytest.fixture(scope="module")
def catalog() -> Catalog:
    return Catalog.load_everything()


@pytest.mark.parametrize(("plugin", "kind", "name", "task", "rule"), MENDED)
def test_it_keeps_the_rule(
    plugin: str, kind: str, name: str, task: str, rule: str, catalog: Catalog, tmp_path: Path
) -> None:
    installed = next((found for found in catalog.plugins if found.name == plugin), None)
    if installed is None or not any(spec.name == task for spec in catalog.specs("task")):
        pytest.skip(f"{plugin} or the task {task} is not installed")
    spec = next(spec for spec in installed.specs if (spec.kind, spec.name) == (kind, name))
    small = [
        found for one in catalog.plugins for found in read_notes(beside_code(one.module, FILE), rule_names()).small
    ]
    defaults = catalog.task(task).defaults
    sections, stated = merged(found for found in small if found.fits(task, defaults))
    whole = Subject(installed_package(plugin), catalog, tmp_path, installed, quick=True)
    assert _found(whole.about(spec, task, sections, stated), rule) == []


def _found(subject: Subject, rule: str) -> list[Finding]:
    try:
        return list(find_rule(rule).check(subject))
    except Skipped:
        return []
