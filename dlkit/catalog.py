"""Finding plugins, and the typed façade in front of their hooks: nobody else calls one.

Loading has three grains: ``Catalog.discover()`` names what is installed without importing it, ``load(name)`` imports
one plugin and raises what is wrong with it, ``load_all()`` imports every one and keeps what is wrong as data.
"""

from __future__ import annotations

import os
from collections.abc import Iterable, Iterator, Mapping, Sequence
from importlib.metadata import EntryPoint
from pathlib import Path
from typing import Any, Literal, NamedTuple, overload

from dlkit.components import ANY_TASK, DatasetSpec, ModelSpec, SourceSpec, Spec, TaskSpec, load_object
from dlkit.errors import PluginError, UsageError, nearest
from dlkit.loading.choice import Choice, chosen
from dlkit.loading.fitness import check_requirements
from dlkit.loading.found import GROUP, Found, installed, known
from dlkit.loading.loader import load, load_bare
from dlkit.loading.plugin import Plugin, Refused

__all__ = ["BUILTIN", "GROUP", "Catalog", "Plugin", "Refused", "load_config", "load_target"]

BUILTIN = "dlkit"


class Catalog:
    """Every component that the installed plugins offer.

    >>> catalog = Catalog.load_everything()
    >>> catalog.find("model", "mlp", task="regression").summary  # doctest: +SKIP
    """

    def __init__(
        self, entries: Iterable[EntryPoint | Found], disabled: Iterable[str] = (), choice: Choice | None = None
    ) -> None:
        self.choice = choice or Choice(frozenset(disabled))
        self.trouble = ""
        """What is wrong with the workspace's dlkit.toml, which then says nothing."""
        self._entries: list[tuple[Plugin, EntryPoint]] = []
        found = [entry if isinstance(entry, Found) else known(entry) for entry in entries]
        for one in sorted(found, key=_load_order):
            plugin = Plugin(one.entry.name, one.entry.value, one.distribution, one.version)
            self._let_in(plugin, one)
            self._entries.append((plugin, one.entry))

    @classmethod
    def discover(cls, workspace: Path | None = None, *, lenient: bool = False) -> Catalog:
        """What is installed, by name, nothing imported. ``DLKIT_DISABLE=a,b`` leaves plugins out, and so may the
        workspace's dlkit.toml; UsageError if that is no good. ``lenient``: it is ``trouble`` instead."""
        trouble = ""
        try:
            choice = chosen(workspace)
        except UsageError as error:
            if not lenient:
                raise
            choice, trouble = chosen(Path(os.devnull)), str(error)
        builtin = Found(EntryPoint(name=BUILTIN, value="dlkit.builtin", group=GROUP))
        catalog = cls([builtin, *installed()], choice=choice)
        catalog.trouble = trouble
        return catalog

    @classmethod
    def load_everything(
        cls,
        seconds: float | None = None,
        workspace: Path | None = None,
        *,
        lenient: bool = False,
        again: bool = False,
    ) -> Catalog:
        """``discover`` and ``load_all``."""
        catalog = cls.discover(workspace, lenient=lenient)
        catalog.load_all(seconds, again=again)
        return catalog

    @property
    def plugins(self) -> list[Plugin]:
        return [plugin for plugin, _ in self._entries]

    def load(self, name: str, *, bare: bool = False) -> Plugin:
        """Import one plugin; PluginError says what is wrong with it, UsageError that there is none of that name.

        ``bare``: nothing is in the way of what it does to the process, for whoever wants to see that.
        """
        for plugin, entry in self._entries:
            if plugin.name == name:
                if bare and plugin.state == "found":
                    load_bare(plugin, entry)
                load([(plugin, entry)])
                self._settle_names()
                if not plugin.usable:
                    raise PluginError(f"plugin {name!r} is {plugin.state}: {plugin.reason}")
                return plugin
        raise UsageError(f"no plugin {name!r}: {nearest(name, (p.name for p in self.plugins))}")

    def load_all(self, seconds: float | None = None, *, again: bool = False) -> None:
        """Import every plugin; a broken one is kept as data, the rest go on. So is one that takes longer than
        ``seconds``, or ``loading.trial.limit()``. ``again``: those that crashed a process are tried once more."""
        load(self._entries, seconds, again=again)
        self._settle_names()

    @overload
    def specs(self, kind: Literal["task"], task: str | None = None) -> Sequence[TaskSpec]: ...

    @overload
    def specs(self, kind: Literal["source"], task: str | None = None) -> Sequence[SourceSpec]: ...

    @overload
    def specs(self, kind: Literal["dataset"], task: str | None = None) -> Sequence[DatasetSpec]: ...

    @overload
    def specs(self, kind: Literal["model"], task: str | None = None) -> Sequence[ModelSpec]: ...

    @overload
    def specs(self, kind: str, task: str | None = None) -> Sequence[Spec]: ...

    def specs(self, kind: str, task: str | None = None) -> Sequence[Spec]:
        """The components of one kind, by name; with ``task``, those that fit it."""
        found = [s for s in self._all() if s.kind == kind and (task is None or s.fits(task))]
        return sorted(found, key=lambda spec: spec.name)

    @overload
    def find(self, kind: Literal["task"], name: str, task: str | None = None) -> TaskSpec: ...

    @overload
    def find(self, kind: Literal["source"], name: str, task: str | None = None) -> SourceSpec: ...

    @overload
    def find(self, kind: Literal["dataset"], name: str, task: str | None = None) -> DatasetSpec: ...

    @overload
    def find(self, kind: Literal["model"], name: str, task: str | None = None) -> ModelSpec: ...

    @overload
    def find(self, kind: str, name: str, task: str | None = None) -> Spec: ...

    def find(self, kind: str, name: str, task: str | None = None) -> Spec:
        """The component of that kind and name. UsageError names the nearest; PluginError if its plugin is broken."""
        found = [spec for spec in self.specs(kind, task) if spec.name == name]
        if found:
            return found[0]
        broken = next((p for p in self.plugins if p.name == name and not p.usable), None)
        if kind == "task" and broken is not None:
            raise PluginError(f"plugin {name!r} is {broken.state}: {broken.reason}")
        where = f" for task {task!r}" if task else ""
        hint = "".join(f"; plugin {p.name!r} is broken: {p.reason}" for p in self.plugins if p.state == "broken")
        lost = [r.reason for p in self.plugins for r in p.refused if (r.spec.kind, r.spec.name) == (kind, name)]
        hint += "".join(f"; {reason}" for reason in lost)
        raise UsageError(f"no {kind} {name!r}{where}: {nearest(name, {s.name for s in self.specs(kind, task)})}{hint}")

    def task(self, name: str) -> TaskSpec:
        return self.find("task", name)

    def owner(self, spec: Spec) -> Plugin:
        """The plugin that offers this component."""
        return next(plugin for plugin in self.plugins if spec in plugin.specs)

    def observers(self) -> list[Plugin]:
        """The plugins that want to be told of events."""
        return [p for p in self.plugins if p.manager is not None and p.manager.hook.dlkit_event.get_hookimpls()]

    def _all(self) -> Iterator[Spec]:
        for plugin in self.plugins:
            if plugin.usable:
                yield from plugin.specs

    def _let_in(self, plugin: Plugin, found: Found) -> None:
        """The first plugin of a name (in load order) keeps it; one that is switched off, or needs another dlkit, is not
        imported."""
        taken = next((p for p in self.plugins if p.name == plugin.name), None)
        builtin = found.entry.value == "dlkit.builtin"
        if not builtin and (why := self.choice.why_not(plugin.name, found.distribution, found.version)):
            plugin.state, plugin.reason = "disabled", why
        elif taken is not None:
            plugin.broken(f"the name {plugin.name!r} is taken by {taken.distribution or taken.module}")
        else:
            try:
                check_requirements(found.needs)
            except PluginError as error:
                plugin.broken(str(error))

    def _settle_names(self) -> None:
        """Whoever claims a taken name loses that component; a task's own plugin comes before strangers that join it."""
        claims = [_Claim(p, i, spec) for p in self.plugins if p.usable for i, spec in enumerate(p.specs)]
        owners: dict[str, Plugin] = {}
        for claim in sorted(claims, key=lambda claim: _rank(claim.plugin)):
            if claim.spec.kind == "task":
                owners.setdefault(claim.spec.name, claim.plugin)
        kept: list[_Claim] = []
        lost: list[tuple[_Claim, Plugin]] = []
        for claim in sorted(claims, key=lambda claim: _precedence(claim, owners)):
            winner = next((other for other in kept if _clash(claim.spec, other.spec)), None)
            if winner is None:
                kept.append(claim)
            else:
                lost.append((claim, winner.plugin))
        _take_away(lost)


class _Claim(NamedTuple):
    """A plugin's component, the ``number``-th of those it declares."""

    plugin: Plugin
    number: int
    spec: Spec


def _rank(plugin: Plugin) -> tuple[bool, bool, bool, str]:
    """Built-ins, then plugins named as the task they offer, then others that offer tasks, then the rest."""
    tasks = [spec.name for spec in plugin.specs if spec.kind == "task"]
    return plugin.name != BUILTIN, plugin.name not in tasks, not tasks, plugin.name


def _precedence(claim: _Claim, owners: Mapping[str, Plugin]) -> tuple[object, ...]:
    """Built-ins, then what plugins offer for their own tasks, then what they offer for others'."""
    own = all(owners.get(task) is claim.plugin for task in claim.spec.tasks)
    return claim.plugin.name != BUILTIN, not own, *_rank(claim.plugin), claim.number


def _take_away(lost: Sequence[tuple[_Claim, Plugin]]) -> None:
    """The components of these claims from their plugins, each with who has its name."""
    for plugin in {id(claim.plugin): claim.plugin for claim, _ in lost}.values():
        numbers = {claim.number for claim, _ in lost if claim.plugin is plugin}
        refused = [Refused(claim.spec, _taken(claim.spec, owner)) for claim, owner in lost if claim.plugin is plugin]
        plugin.refused = (*plugin.refused, *refused)
        plugin.specs = tuple(spec for i, spec in enumerate(plugin.specs) if i not in numbers)


def _taken(spec: Spec, owner: Plugin) -> str:
    where = "" if spec.kind in ("task", "source") else f" for task {'/'.join(spec.tasks)!r}"
    return f"{spec.kind} {spec.name!r}{where} is already offered by plugin {owner.name!r}"


def _clash(one: Spec, other: Spec) -> bool:
    """Whether two components claim the same (kind, task, name); equal sources may be declared twice."""
    if one.kind != other.kind or one.name != other.name:
        return False
    if isinstance(one, SourceSpec):
        return one != other
    if one.kind == "task" or ANY_TASK in (*one.tasks, *other.tasks):
        return True
    return not set(one.tasks).isdisjoint(other.tasks)


def _load_order(found: Found) -> tuple[bool, str, str]:
    """Built-ins first, then by name and distribution, so that who keeps a name never depends on the file system."""
    return found.entry.value != "dlkit.builtin", found.entry.name, found.distribution


def load_target(spec: Spec, catalog: Catalog) -> Any:
    """Import a component's code; PluginError names the plugin if that fails."""
    return load_named(spec, spec.target, catalog)


def load_config(spec: Spec, catalog: Catalog) -> object:
    """Import a component's config class, or ``None`` when it has no options."""
    return load_named(spec, spec.config, catalog) if spec.config else None


def load_named(spec: Spec, reference: str, catalog: Catalog) -> Any:
    """Import whatever else a component names, as ``load_target`` does."""
    try:
        return load_object(reference)
    # The plugin boundary again: an import error in a stranger's module is that plugin's, with its name.
    except (Exception, SystemExit) as error:
        plugin = catalog.owner(spec)
        raise PluginError(
            f"{spec.kind} {spec.name!r} of plugin {plugin.name!r}: cannot import {reference}: "
            f"{type(error).__name__}: {error}"
        ) from error
