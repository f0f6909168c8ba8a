"""Finding plugins, and the typed façade in front of their hooks: nobody else calls one.

Loading has three grains: ``Catalog.discover()`` names what is installed without importing it, ``load(name)`` imports
one plugin and raises what is wrong with it, ``load_all()`` imports every one and keeps what is wrong as data.
"""

from __future__ import annotations

import os
import threading
import time
import traceback
from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass, field, fields, replace
from importlib.metadata import EntryPoint, entry_points
from pathlib import Path
from typing import Any, Literal, NamedTuple, overload

import pluggy

from dlkit import hookspecs
from dlkit.components import ANY_TASK, SPECS, DatasetSpec, ModelSpec, SourceSpec, Spec, TaskSpec, load_object
from dlkit.errors import PluginError, UsageError, nearest

GROUP = "dlkit"
BUILTIN = "dlkit"
SLOW_SECONDS = 0.5
"""A plugin whose entry-point module takes longer than this to load is reported as slow.

The time that this thread waits for a core is left out: where others keep the machine busy, no plugin is to blame.
"""

_SCHEDULING = Path("/proc/thread-self/schedstat")


@dataclass(frozen=True)
class Refused:
    """A component that its plugin cannot offer: another one has its name."""

    spec: Spec
    reason: str


@dataclass
class Plugin:
    """One installed plugin and what became of it.

    ``state`` is ``"found"`` (not imported yet), ``"ready"``, ``"slow"`` (works, took over 0.5 s to import),
    ``"broken"`` (see ``reason`` and ``traceback``) or ``"disabled"`` (named in DLKIT_DISABLE). ``specs`` are what it
    offers, ``refused`` what it would offer besides.
    """

    name: str
    module: str
    distribution: str
    version: str
    state: str = "found"
    reason: str = ""
    traceback: str = ""
    seconds: float = 0.0
    specs: tuple[Spec, ...] = ()
    refused: tuple[Refused, ...] = ()
    manager: pluggy.PluginManager | None = field(default=None, repr=False)

    @property
    def usable(self) -> bool:
        return self.state in ("ready", "slow")


class Catalog:
    """Every component that the installed plugins offer.

    >>> catalog = Catalog.load_everything()
    >>> catalog.find("model", "mlp", task="regression").summary  # doctest: +SKIP
    """

    def __init__(self, entries: Iterable[EntryPoint], disabled: Iterable[str] = ()) -> None:
        self._disabled = frozenset(disabled)
        self._entries: list[tuple[Plugin, EntryPoint]] = []
        for entry in sorted(entries, key=_load_order):
            dist = entry.dist
            plugin = Plugin(entry.name, entry.value, dist.name if dist else "", dist.version if dist else "")
            self._claim_plugin_name(plugin)
            self._entries.append((plugin, entry))

    @classmethod
    def discover(cls) -> Catalog:
        """What is installed, by name, nothing imported. ``DLKIT_DISABLE=a,b`` leaves plugins out."""
        disabled = [name.strip() for name in os.environ.get("DLKIT_DISABLE", "").split(",") if name.strip()]
        builtin = EntryPoint(name=BUILTIN, value="dlkit.builtin", group=GROUP)
        return cls([builtin, *entry_points(group=GROUP)], disabled)

    @classmethod
    def load_everything(cls, seconds: float | None = None) -> Catalog:
        catalog = cls.discover()
        catalog.load_all(seconds)
        return catalog

    @property
    def plugins(self) -> list[Plugin]:
        return [plugin for plugin, _ in self._entries]

    def load(self, name: str) -> Plugin:
        """Import one plugin; PluginError says what is wrong with it, UsageError that there is none of that name."""
        for plugin, entry in self._entries:
            if plugin.name == name:
                self._load(plugin, entry)
                self._settle_names()
                if not plugin.usable:
                    raise PluginError(f"plugin {name!r} is {plugin.state}: {plugin.reason}")
                return plugin
        raise UsageError(f"no plugin {name!r}: {nearest(name, (p.name for p in self.plugins))}")

    def load_all(self, seconds: float | None = None) -> None:
        """Import every plugin; a broken one is kept as data, the rest go on. So is, with ``seconds``, one that takes
        longer than that: its import is left behind in a thread."""
        for plugin, entry in self._entries:
            if seconds is None:
                self._load(plugin, entry)
            else:
                self._load_within(seconds, plugin, entry)
        self._settle_names()

    def _load_within(self, seconds: float, plugin: Plugin, entry: EntryPoint) -> None:
        trial = replace(plugin)  # a late end of the import changes what nobody looks at any more
        thread = threading.Thread(target=self._load, args=(trial, entry), name=f"load-{plugin.name}", daemon=True)
        thread.start()
        thread.join(seconds)
        if thread.is_alive():
            plugin.state, plugin.reason = "broken", f"has not been imported within {seconds:g} s"
            return
        for item in fields(Plugin):
            setattr(plugin, item.name, getattr(trial, item.name))

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

    def _claim_plugin_name(self, plugin: Plugin) -> None:
        """The first plugin of a name (in load order) keeps it."""
        taken = next((p for p in self.plugins if p.name == plugin.name), None)
        if plugin.name in self._disabled:
            plugin.state, plugin.reason = "disabled", "named in DLKIT_DISABLE"
        elif taken is not None:
            plugin.state = "broken"
            plugin.reason = f"the name {plugin.name!r} is taken by {taken.distribution or taken.module}"

    def _load(self, plugin: Plugin, entry: EntryPoint) -> None:
        if plugin.state != "found":
            return
        began = _unhindered_seconds()
        try:
            module = entry.load()
            plugin.manager = _registered(module, plugin.name)
            plugin.specs = _collect(plugin.manager)
        # The plugin boundary: whatever a stranger's module does at import, SystemExit too, the other plugins go on.
        except (Exception, SystemExit) as error:
            plugin.state, plugin.specs, plugin.manager = "broken", (), None
            plugin.reason = _reason(error)
            plugin.traceback = traceback.format_exc()
        else:
            plugin.state = "ready"
        plugin.seconds = _unhindered_seconds() - began
        if plugin.state == "ready" and plugin.seconds > SLOW_SECONDS:
            plugin.state = "slow"
            plugin.reason = f"took {plugin.seconds:.1f} s to import"

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


def _unhindered_seconds() -> float:
    """The clock, less what this thread has waited for a core (which Linux tells)."""
    try:
        waited = int(_SCHEDULING.read_text().split()[1]) / 1e9
    except (OSError, ValueError, IndexError):
        waited = 0.0
    return time.perf_counter() - waited


def _load_order(entry: EntryPoint) -> tuple[bool, str, str]:
    """Built-ins first, then by name and distribution, so that who keeps a name never depends on the file system."""
    return entry.value != "dlkit.builtin", entry.name, entry.dist.name if entry.dist else ""


def _registered(module: object, name: str) -> pluggy.PluginManager:
    """A manager of its own for one plugin, so that every result and error can be told apart."""
    manager = pluggy.PluginManager(hookspecs.PROJECT)
    manager.add_hookspecs(hookspecs)
    manager.register(module, name)
    manager.check_pending()
    for attribute in vars(module) if hasattr(module, "__dict__") else ():
        if attribute.startswith("dlkit_") and callable(getattr(module, attribute)):
            if not hasattr(getattr(module, attribute), f"{hookspecs.PROJECT}_impl"):
                raise PluginError(f"{attribute} lacks the @hookimpl mark")
    return manager


def _collect(manager: pluggy.PluginManager) -> tuple[Spec, ...]:
    specs: list[Spec] = []
    for kind, hook in hookspecs.HOOKS.items():
        for result in getattr(manager.hook, hook)():
            specs.extend(_checked(kind, hook, result))
    return tuple(specs)


def _checked(kind: str, hook: str, result: object) -> Iterator[Spec]:
    if not isinstance(result, Iterable) or isinstance(result, str):
        raise PluginError(f"{hook} returned {type(result).__name__}, not a list of {SPECS[kind].__name__}")
    for spec in result:
        if not isinstance(spec, SPECS[kind]):
            raise PluginError(f"{hook} returned a {type(spec).__name__}, not a {SPECS[kind].__name__}")
        problems = spec.problems()
        if problems:
            raise PluginError("; ".join(problems))
        yield spec


def _reason(error: BaseException) -> str:
    text = str(error) or repr(error)
    if isinstance(error, pluggy.PluginValidationError):
        return text.partition("\n")[0]
    return text if isinstance(error, PluginError) else f"{type(error).__name__}: {text}"


def load_target(spec: Spec, catalog: Catalog) -> Any:
    """Import a component's code; PluginError names the plugin if that fails."""
    return _load_named(spec, spec.target, catalog)


def load_config(spec: Spec, catalog: Catalog) -> object:
    """Import a component's config class, or ``None`` when it has no options."""
    return _load_named(spec, spec.config, catalog) if spec.config else None


def _load_named(spec: Spec, reference: str, catalog: Catalog) -> Any:
    try:
        return load_object(reference)
    # The plugin boundary again: an import error in a stranger's module is that plugin's, with its name.
    except (Exception, SystemExit) as error:
        plugin = catalog.owner(spec)
        raise PluginError(
            f"{spec.kind} {spec.name!r} of plugin {plugin.name!r}: cannot import {reference}: "
            f"{type(error).__name__}: {error}"
        ) from error
