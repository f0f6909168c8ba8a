"""``dlkit plugins``: what is installed, and what is wrong with what does not work.

The list never fails and never imports torch; ``--check`` imports every component's code, and fails if one cannot be
used.
"""

from __future__ import annotations

from collections import Counter
from typing import NotRequired, TypedDict

from dlkit.catalog import Catalog, Plugin
from dlkit.cli.parser import Parser
from dlkit.errors import PluginError
from dlkit.present.output import print_json, print_result
from dlkit.present.table import table
from dlkit.present.text import first_line, from_here
from dlkit.testing.record import read_record

_HEADERS = ("plugin", "state", "tier", "distribution", "offers", "seconds")


class ComponentName(TypedDict):
    kind: str
    name: str


class RefusedComponent(ComponentName):
    reason: str


class PluginDescription(TypedDict):
    """A plugin as ``--json`` gives it.

    ``offers`` counts components by kind, ``refused`` are those that it would offer besides, ``undone`` is what it did
    to the process when it was imported, ``seconds`` is what loading it took. ``tier`` is what ``check-plugin --record``
    has found, of the version ``tier_of_version``; both are empty where nothing is recorded.
    ``tier_stale`` says what has changed since: the plugin's version or files, or the kit.
    """

    name: str
    state: str
    reason: str
    distribution: str
    version: str
    module: str
    offers: dict[str, int]
    components: list[ComponentName]
    refused: list[RefusedComponent]
    undone: list[str]
    tier: str
    tier_of_version: str
    tier_stale: str
    seconds: float
    traceback: NotRequired[str]


def main(argv: list[str]) -> int:
    parser = Parser("plugins", "List the installed plugins, broken ones with the reason.")
    parser.add_argument("--verbose", action="store_true", help="the traceback of broken ones too")
    parser.add_argument(
        "--check",
        action="store_true",
        help="import the code of every component, look up what it suggests, and say what is wrong (exit code 4)",
    )
    options = parser.with_workspace().with_json().parse_args(argv)
    catalog = Catalog.load_everything(lenient=True, again=options.check)
    if options.check:
        return _check(catalog, as_json=options.json)
    if options.json:
        print_json([_record(catalog, plugin, options.verbose) for plugin in catalog.plugins])
        return 0
    print_result(table(_HEADERS, [_row(catalog, plugin) for plugin in catalog.plugins]))
    for line in problem_lines(catalog, options.verbose):
        print_result(line)
    return 0


def _check(catalog: Catalog, *, as_json: bool) -> int:
    from dlkit.testing import usable_apart
    from dlkit.testing.usable import words_of

    problems = usable_apart.check(catalog)
    if as_json:
        print_json(problems)
    else:
        components = sum(len(plugin.specs) for plugin in catalog.plugins)
        print_result("\n".join(map(words_of, problems)) or f"{components} components, every one can be used")
    return PluginError.exit_code if problems else 0


def offers(catalog: Catalog, plugin: Plugin) -> dict[str, int]:
    """How many components of each kind; observers count as ``observer``."""
    found = Counter(spec.kind for spec in plugin.specs)
    if plugin in catalog.observers():
        found["observer"] = 1
    return dict(found)


def problem_lines(catalog: Catalog, verbose: bool = False) -> list[str]:
    """One line a plugin that is not simply ready, its traceback after it when asked for; one a component it lost."""
    lines = []
    for plugin in catalog.plugins:
        if plugin.reason:
            lines.append(f"{plugin.name} ({_distribution(plugin)}) is {plugin.state}: {first_line(plugin.reason)}")
            if verbose and plugin.traceback:
                lines += [f"  {line}" for line in plugin.traceback.rstrip().splitlines()]
        lines += [f"{plugin.name} ({_distribution(plugin)}) lost a component: {r.reason}" for r in plugin.refused]
        lines += [
            f"{plugin.name} ({_distribution(plugin)}) {what} when it was imported: undone" for what in plugin.undone
        ]
    lines += choice_lines(catalog)
    return ["", *lines] if lines else []


def choice_lines(catalog: Catalog) -> list[str]:
    """That a workspace, or safe mode, leaves plugins out, and what is wrong with how it says so."""
    choice = catalog.choice
    lines = ["safe mode: only plugins of dlkit itself are used"] if choice.safe else []
    if choice.file is not None:
        off = sum(plugin.reason.startswith(str(choice.file)) for plugin in catalog.plugins)
        lines.append(f"{from_here(str(choice.file))} switches off {off} plugin{'s' * (off != 1)}")
    lines += choice.unknown(plugin.name for plugin in catalog.plugins)
    return [*lines, *([f"{catalog.trouble}; nothing of it holds"] if catalog.trouble else [])]


def _distribution(plugin: Plugin) -> str:
    return f"{plugin.distribution} {plugin.version}".strip() or plugin.module


def _row(catalog: Catalog, plugin: Plugin) -> tuple[str, ...]:
    kinds = ", ".join(f"{count} {_plural(kind, count)}" for kind, count in offers(catalog, plugin).items())
    checked = read_record(plugin)
    tier = checked.words(plugin) if checked is not None else ""
    return plugin.name, plugin.state, tier, _distribution(plugin), kinds, f"{plugin.seconds:.3f}"


def _plural(kind: str, count: int) -> str:
    if count == 1 or kind == "inference":
        return kind
    return f"{kind}es" if kind.endswith("s") else f"{kind}s"


def _record(catalog: Catalog, plugin: Plugin, verbose: bool) -> PluginDescription:
    checked = read_record(plugin)
    record: PluginDescription = {
        "name": plugin.name,
        "state": plugin.state,
        "reason": plugin.reason,
        "distribution": plugin.distribution,
        "version": plugin.version,
        "module": plugin.module,
        "offers": offers(catalog, plugin),
        "components": [{"kind": spec.kind, "name": spec.name} for spec in plugin.specs],
        "refused": [{"kind": r.spec.kind, "name": r.spec.name, "reason": r.reason} for r in plugin.refused],
        "undone": list(plugin.undone),
        "tier": checked.tier if checked is not None else "",
        "tier_of_version": checked.version if checked is not None else "",
        "tier_stale": checked.stale(plugin) if checked is not None else "",
        "seconds": round(plugin.seconds, 4),
    }
    return {**record, "traceback": plugin.traceback} if verbose else record
