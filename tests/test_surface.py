"""What others build on does not change unnoticed: the message says what did, and what that means for the version.

Where a change is meant: ``DLKIT_UPDATE_SURFACE=1 uv run pytest tests/test_surface.py`` keeps what there is now.
"""

from __future__ import annotations

import json
import os
import re
from importlib import import_module

import pytest

from structure import ROOT, product
from surface import ORDER, TABLES, Change, documents, weigh

KEPT = ROOT / "tests" / "kept_surface"
UPDATE = "DLKIT_UPDATE_SURFACE=1 uv run pytest tests/test_surface.py"
OWN_KIND = re.compile(r"^class \w+\(\w*Error\):\n(?:(?!class).*\n)*?    kind = ", re.MULTILINE)
"""A class of errors that says its kind."""
MEANS = {
    "minor": "a minor version: whoever relied on what there was goes on as before",
    "major": "a MAJOR version (while dlkit is 0.x, its second number), and the first number of dlkit.api_version where "
    "a plugin would notice: somebody's code, script or stored run breaks. Can the old way stay beside the new one?",
}


@pytest.mark.parametrize("name", TABLES)
def test_nothing_that_others_rely_on_has_changed(name: str) -> None:
    file, now = KEPT / f"{name}.json", TABLES[name]()
    if os.environ.get("DLKIT_UPDATE_SURFACE"):
        KEPT.mkdir(exist_ok=True)
        file.write_text(json.dumps(now, indent=0, ensure_ascii=False, sort_keys=True) + "\n", encoding="utf-8")
    changes = weigh(json.loads(file.read_text(encoding="utf-8")), now)
    if changes:
        pytest.fail(told(name, changes), pytrace=False)


def told(name: str, changes: list[Change]) -> str:
    worst = max(changes, key=lambda change: ORDER.index(change.weight)).weight
    lines = [f"  {change.weight:5}  {change.text}" for change in sorted(changes, key=lambda c: -ORDER.index(c.weight))]
    return "\n".join(
        [f"the public surface has changed ({name}): this is {MEANS[worst]}", *lines, f"Where it is meant: {UPDATE},",
         "and a line in CHANGELOG.md under Unreleased."]
    )  # fmt: skip


@pytest.mark.parametrize(
    ("kept", "now", "weights"),
    [
        ({"a": "x"}, {"a": "x"}, []),
        ({"a": "x"}, {}, ["major"]),
        ({"a": "x"}, {"a": "y"}, ["major"]),
        ({}, {"a": "x"}, ["minor"]),
        ({"f": "gives int"}, {"f": "gives int", "f(x)": "1. int = 3"}, ["minor"]),
        ({"f": "gives int"}, {"f": "gives int", "f(x)": "needed 1. int"}, ["major"]),
        ({}, {"f": "gives int", "f(x)": "needed 1. int"}, ["minor", "minor"]),
        ({"f": "", "f(x)": "needed 1. int"}, {"f": "", "f(x)": "1. int = 3"}, ["minor"]),
        ({"f": "", "f(x)": "1. int = 3"}, {"f": "", "f(x)": "1. int = 4"}, ["major"]),
        ({"run.json.a": '{"type": "string"} always'}, {"run.json.a": '{"type": "string"}'}, ["major"]),
    ],
)
def test_what_a_change_weighs(kept: dict[str, str], now: dict[str, str], weights: list[str]) -> None:
    assert [change.weight for change in weigh(kept, now)] == weights


def test_the_message_says_what_and_how_much() -> None:
    text = told("python", weigh({"dlkit.train(task)": "needed 0. str", "x": "y"}, {"x": "y", "dlkit.new": "gives int"}))
    assert "MAJOR" in text.splitlines()[0] and text.splitlines()[1].startswith("  major  gone: dlkit.train(task)")
    assert "minor  new: dlkit.new" in text and UPDATE in text


def test_the_tables_hold_what_they_are_about() -> None:
    found = {name: table() for name, table in TABLES.items()}
    assert "dlkit.train(name)" in found["python"] and "dlkit.ModelSpec(target)" in found["python"]
    assert "dlkit.task.Task" in found["python"] and "dlkit_models" in found["hooks"]
    assert found["commands"]["dlkit tasks --json"] == "a switch"
    assert found["commands"]["dlkit runs --limit"] == "takes a value"
    assert "finished.status" in found["events"] and {"RunRecord.seed", "file run.json"} <= {*found["runs"]}
    assert found["documents"]["error.error.kind"].endswith("always") or "error.error" in found["documents"]
    assert all(len(table) > 8 for table in found.values())


def test_every_failure_is_of_a_kind_that_is_on_the_list() -> None:
    """A closed set: the classes of errors have no other kind, and programs need not expect one."""
    from dlkit.errors import DlkitError

    for path in product():  # a class that nobody has imported is no subclass yet
        if path.is_relative_to(ROOT / "dlkit") and OWN_KIND.search(path.read_text(encoding="utf-8")):
            import_module(".".join(path.relative_to(ROOT).with_suffix("").parts))

    def kinds(error: type[DlkitError]) -> set[str]:
        return {error.kind, *(kind for inner in error.__subclasses__() for kind in kinds(inner))}

    schema = json.loads((ROOT / "dlkit" / "schemas" / "error.json").read_text(encoding="utf-8"))
    allowed = set(schema["$defs"]["error"]["properties"]["kind"]["enum"])
    assert kinds(DlkitError) | {"refused", "interrupted", "internal"} == allowed
    assert documents()
