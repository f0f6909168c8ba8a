"""What plugins offer and nobody can use: plugins that do not work, components whose name is taken, broken presets."""

from __future__ import annotations

from dataclasses import dataclass

from dlkit.catalog import Catalog, Plugin


@dataclass(frozen=True)
class Fault:
    """What a plugin would offer and nobody can use: ``what`` names a component or a preset, or is empty for all of it;
    ``state`` is what became of it: ``broken``, or ``lost`` to another plugin; ``undone``: what a plugin that works did
    to the process when it was imported. ``traceback`` is empty if there is none.
    """

    plugin: Plugin
    state: str
    what: str
    reason: str
    traceback: str = ""


def plugin_faults(catalog: Catalog) -> list[Fault]:
    """Plugins that do not work, components whose name another plugin has, and what plugins did that was undone."""
    found = []
    for plugin in catalog.plugins:
        if plugin.state == "broken":
            found.append(Fault(plugin, "broken", "", plugin.reason, plugin.traceback))
        for lost in plugin.refused:
            found.append(Fault(plugin, "lost", f"{lost.spec.kind} {lost.spec.name}", lost.reason))
        if plugin.undone and plugin.usable:
            done = "; ".join(plugin.undone)
            found.append(Fault(plugin, "undone", "", f"{done}, when it was imported: that has been undone"))
    return found


def preset_faults(catalog: Catalog) -> list[Fault]:
    """Files that should be presets and are not. Their plugins' packages are imported, which may take long."""
    from dlkit.config_file import broken_presets  # pydantic: 70 ms that no list of tasks is to wait for

    owners = {spec.presets: p for p in reversed(catalog.plugins) if p.usable for spec in p.specs if spec.presets}
    broken = {b.file: b for task in catalog.specs("task") for b in broken_presets(catalog, task.name)}
    return [Fault(owners[b.reference], "broken", f"preset {b.name}", str(b)) for b in broken.values()]
