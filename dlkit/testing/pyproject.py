"""pyproject.toml of a package that is not installed: as the metadata that installing it would write."""

from __future__ import annotations

from collections.abc import Mapping
from pathlib import Path
from typing import TypeGuard

from dlkit.bounded import BadFile, read_toml
from dlkit.errors import UsageError
from dlkit.json_types import Settings


def read_project(folder: Path) -> Settings:
    """The table ``[project]``; UsageError says what is wrong with the file."""
    file = folder / "pyproject.toml"
    if not file.is_file():
        raise UsageError(f"{folder}: no pyproject.toml there; it lies in the folder of a plugin's project")
    try:
        project = read_toml(file).get("project")
    except (OSError, BadFile) as error:
        raise UsageError(str(error)) from error
    if not isinstance(project, Mapping) or not isinstance(project.get("name"), str):
        raise UsageError(f"{file}: no [project] with a name")
    return project


def metadata_of(project: Settings, folder: Path) -> dict[str, str | list[str]]:
    """Core metadata, by its own names; what the project leaves to its build backend ("dynamic") is not known."""
    found: dict[str, str | list[str]] = {"Name": str(project["name"])}
    for key, name in _TEXTS.items():
        if isinstance(project.get(key), str):
            found[name] = str(project[key])
    for key, name in _LISTS.items():
        value = project.get(key)
        if isinstance(value, list):
            found[name] = [str(item) for item in value]
    licence = project.get("license")
    if _is_table(licence):
        found["License"] = str(licence.get("text") or licence.get("file") or "")
    urls = project.get("urls")
    if _is_table(urls):
        found["Project-URL"] = [f"{key}, {value}" for key, value in urls.items()]
    readme = project.get("readme")
    if isinstance(readme, str) and (folder / readme).is_file():
        found["Description"] = (folder / readme).read_text(encoding="utf-8", errors="replace")
    return found


_TEXTS = {
    "version": "Version",
    "description": "Summary",
    "license": "License-Expression",
    "requires-python": "Requires-Python",
}
_LISTS = {"dependencies": "Requires-Dist", "classifiers": "Classifier", "license-files": "License-File"}


def _is_table(value: object) -> TypeGuard[Settings]:
    return isinstance(value, Mapping)
