"""What a form offers to choose from: presets and components; with the reason, those too that cannot be used."""

from __future__ import annotations

from pathlib import Path

from dlkit.catalog import Catalog
from dlkit.components import DatasetSpec, Spec
from dlkit.config_file import broken_presets, presets
from dlkit.monitor.choices import Choices
from dlkit.monitor.data_state import BY_HAND, data_state
from dlkit.present.numbers import size


def preset_choices(catalog: Catalog, task: str, asked: str) -> Choices:
    """A task's presets, and ``asked``, which may be none of them. A broken one stands where it would, by its file's
    name: whoever takes it is told again."""
    found: dict[str, list[str]] = {}
    for preset in presets(catalog, task):
        made_for = ", ".join(preset.components().values())
        found.setdefault(preset.name, []).append(preset.summary or made_for)
    broken = broken_presets(catalog, task)
    for file in broken:
        found.setdefault(file.name, []).append(str(file))
    if asked:
        found.setdefault(asked, [])
    count = f"  {len(broken)} broken" if broken else ""
    labels = {name: f"{name}  {'; '.join(filter(None, texts))}".strip() for name, texts in found.items()}
    return (("", f"none{count}"), *labels.items())


def component_choices(catalog: Catalog, part: str, task: str, data: Path) -> dict[str, str]:
    """A part's components by name, with their labels; also those whose name another plugin has."""
    specs = catalog.specs(part, task)
    labels = {spec.name: f"{spec.name}  {spec.summary}{_to_fetch(catalog, spec, data)}" for spec in specs}
    for plugin in catalog.plugins:
        for lost in plugin.refused:
            if lost.spec.kind == part and lost.spec.fits(task):
                name, why = lost.spec.name, f"that of plugin {plugin.name!r} cannot be used: {lost.reason}"
                labels[name] = f"{labels[name]} ({why})" if name in labels else f"{name}  {why}"
    return labels


def _to_fetch(catalog: Catalog, spec: Spec, data: Path) -> str:
    """That a data set must be downloaded first."""
    if not isinstance(spec, DatasetSpec):
        return ""
    state = data_state(catalog, spec, data)
    if state["state"] == BY_HAND:
        return " (fetched by hand)"
    amount = f" {size(state['download'])}" if state["download"] else ""
    return f" (download{amount})" if state["state"] == "download" else ""
