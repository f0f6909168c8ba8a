"""A plugin's package as it lies on the disk: read, never run."""

from __future__ import annotations

import json
from collections.abc import Iterator, Mapping
from dataclasses import dataclass, field
from importlib.machinery import PathFinder
from importlib.metadata import Distribution, EntryPoint, distributions, entry_points
from pathlib import Path
from urllib.parse import unquote, urlsplit

from dlkit.catalog import GROUP
from dlkit.errors import UsageError, nearest

Metadata = Mapping[str, str | list[str]]
_SEVERAL = ("Requires-Dist", "Classifier", "License-File", "Project-URL", "Provides-Extra")


@dataclass(frozen=True)
class Package:
    """What is known of a distribution without running its code.

    distribution, version   as installed, or as pyproject.toml says
    entry_points            of the group ``dlkit``: plugin's name → module; those that are looked at
    metadata                core metadata (``"Summary"``, ``"License-Expression"``, ``"Requires-Python"``…); what may
                            come several times (``"Requires-Dist"``) is a list
    project                 the folder with pyproject.toml; None: installed from a wheel
    roots                   top-level module of each entry point → its folder, or its file if it is a single one
    path                    folders that Python must look in besides, since the package is not installed
    """

    distribution: str
    version: str
    entry_points: Mapping[str, str] = field(default_factory=dict)
    metadata: Metadata = field(default_factory=dict)
    project: Path | None = None
    roots: Mapping[str, Path] = field(default_factory=dict)
    path: tuple[Path, ...] = ()

    @property
    def installed(self) -> bool:
        return not self.path

    @property
    def modules(self) -> dict[str, Path]:
        """Every Python file of the plugin: ``{"dlkit_toy/plugin.py": Path(…)}``."""
        return {name: path for name, path in self.files().items() if path.suffix == ".py"}

    def files(self) -> dict[str, Path]:
        """All of its files, by the path that they are imported or read by."""
        return {name: path for root in self.roots.values() for name, path in files_below(root).items()}

    def beside(self, name: str) -> Path | None:
        """Where a file that goes with its code lies, as ``beside_code`` says; None: there is no code of it."""
        root = self.roots.get(_top(next(iter(self.entry_points.values()))))
        return _beside(root, name) if root is not None else None


def files_below(root: Path) -> dict[str, Path]:
    """The files of a package's folder, or its one file, by the path that they are imported or read by."""
    paths = sorted(root.rglob("*")) if root.is_dir() else [root]
    return {
        path.relative_to(root.parent).as_posix(): path
        for path in paths
        if path.is_file() and "__pycache__" not in path.parts
    }


def beside_code(module: str, name: str) -> Path | None:
    """Where a file that goes with a plugin lies: in the package of its entry point, or, of one that is a single module,
    beside it, with that module's name before its own. Nothing is imported. None: there is no such module."""
    root = _root_of(_top(module), None)
    return _beside(root, name) if root is not None else None


def _beside(root: Path, name: str) -> Path:
    return root / name if root.is_dir() else root.with_name(f"{root.stem}.{name}")


def installed_package(name: str) -> Package:
    """By the name of a plugin (that one alone is looked at) or of its distribution (all of its plugins); UsageError
    names what there is."""
    points = list(entry_points(group=GROUP))
    mine = [point for point in points if point.name == name]
    mine = mine or [point for point in points if point.dist and _plain(point.dist.name) == _plain(name)]
    if not mine:
        names = sorted({point.name for point in points})
        raise UsageError(f"no plugin {name!r} is installed, and no folder is there: {nearest(name, names)}")
    return _installed(mine)


def _installed(points: list[EntryPoint]) -> Package:
    dist = points[0].dist
    points = [point for point in points if point.dist is None or dist is None or point.dist.name == dist.name]
    modules = {point.name: point.value for point in points}
    roots = {top: root for top in _tops(modules) if (root := _root_of(top, None)) is not None}
    if dist is None:
        return Package("", "", modules, roots=roots)
    return Package(dist.name, dist.version, modules, _metadata(dist), _editable_from(dist), roots)


def package_at(folder: Path) -> Package:
    """A project that may not be installed, by its folder; UsageError says what is missing."""
    from dlkit.testing.pyproject import metadata_of, read_project

    folder = folder.resolve()
    project = read_project(folder)
    name = str(project["name"])
    for dist in distributions():
        if _plain(dist.name) == _plain(name) and _editable_from(dist) == folder:
            return _installed([point for point in dist.entry_points if point.group == GROUP])
    groups = project.get("entry-points")
    points = groups.get(GROUP) if isinstance(groups, Mapping) else None
    if not isinstance(points, Mapping) or not points:
        raise UsageError(
            f"{folder / 'pyproject.toml'}: no entry point of the group dlkit: [project.entry-points.dlkit]"
        )
    modules = {str(key): str(value) for key, value in points.items()}
    path = tuple(place for place in (folder / "src", folder) if place.is_dir())
    roots = {top: root for top in _tops(modules) if (root := _root_of(top, path)) is not None}
    metadata = metadata_of(project, folder)
    return Package(name, str(metadata.get("Version", "")), modules, metadata, folder, roots, path)


def _tops(modules: Mapping[str, str]) -> Iterator[str]:
    yield from dict.fromkeys(map(_top, modules.values()))


def _top(module: str) -> str:
    return module.partition(":")[0].partition(".")[0]


def _root_of(top: str, path: tuple[Path, ...] | None) -> Path | None:
    """The folder or file of a top-level module, found as an import would find it, but not imported."""
    if path is not None:
        spec = PathFinder.find_spec(top, [str(place) for place in path])
    else:
        from importlib.util import find_spec

        try:
            spec = find_spec(top)
        except (ImportError, ValueError, AttributeError):
            return None
    if spec is None:
        return None
    if spec.submodule_search_locations:
        return Path(next(iter(spec.submodule_search_locations)))
    return Path(spec.origin) if spec.origin and spec.has_location else None


def _metadata(dist: Distribution) -> Metadata:
    found: dict[str, str | list[str]] = {}
    for key in dict.fromkeys(dist.metadata):
        values = [str(value) for value in dist.metadata.get_all(key) or ()]
        found[key] = values if key in _SEVERAL else values[0]
    return found


def _editable_from(dist: Distribution) -> Path | None:
    """The folder that an editable installation is of."""
    try:
        record = json.loads(dist.read_text("direct_url.json") or "{}")
        if not record.get("dir_info", {}).get("editable"):
            return None
        return Path(unquote(urlsplit(str(record["url"])).path)).resolve()
    except (ValueError, KeyError, AttributeError):  # another tool's file, in another form
        return None


def _plain(name: str) -> str:
    """A distribution's name as indexes compare it."""
    return name.lower().replace("_", "-").replace(".", "-")
