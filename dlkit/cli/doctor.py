"""``dlkit doctor``: is everything in order, and if not, what to do."""

from __future__ import annotations

from typing import TypedDict

from dlkit.catalog import Catalog
from dlkit.cli import machine
from dlkit.cli.parser import Parser
from dlkit.cli.plugins import choice_lines
from dlkit.errors import PluginError
from dlkit.gpus import driver_version
from dlkit.jobs.logind import at_logout
from dlkit.present.numbers import size
from dlkit.present.output import print_json, print_result
from dlkit.present.text import first_line
from dlkit.runs.workspace import locate
from dlkit.testing import usable_apart
from dlkit.testing.usable import ComponentProblem, words_of


class PluginReport(TypedDict):
    name: str
    state: str
    reason: str


class Report(TypedDict):
    """What ``--json`` gives; ``versions`` by package, empty where it is not installed."""

    versions: dict[str, str]
    devices: list[machine.DeviceReport]
    nvidia_driver: str
    workspace: machine.WorkspaceReport
    plugins: list[PluginReport]
    plugin_choice: list[str]
    network: machine.NetworkReport
    terminal: machine.TerminalReport
    problems: list[machine.Problem]


def main(argv: list[str]) -> int:
    parser = Parser("doctor", "Versions, devices, precision, workspace, plugins: is everything in order?")
    options = parser.with_workspace().with_json().parse_args(argv)
    catalog = Catalog.load_everything(lenient=True, again=True)
    report: Report = {
        "versions": machine.versions(),
        "devices": machine.devices(),
        "nvidia_driver": driver_version(),
        "workspace": machine.workspace(locate(options.workspace)),
        "plugins": _plugins(catalog),
        "network": machine.network(),
        "terminal": machine.terminal(),
        "plugin_choice": choice_lines(catalog),
        "problems": [],
    }
    wrong = usable_apart.check(catalog)
    report["problems"] = [*_problems(catalog, report), *_component_problems(wrong)]
    if options.json:
        print_json(report)
    else:
        print_result(_text(report))
    if any(problem["stops_training"] for problem in report["problems"]):
        return 1
    return PluginError.exit_code if wrong else 0


def _plugins(catalog: Catalog) -> list[PluginReport]:
    return [{"name": p.name, "state": p.state, "reason": p.reason} for p in catalog.plugins]


def _problems(catalog: Catalog, report: Report) -> list[machine.Problem]:
    """What is wrong, whether it stops training, and what to do."""
    found = [
        *machine.version_problems(report["versions"]),
        *machine.device_problems(report["devices"], report["nvidia_driver"]),
    ]
    found += [*machine.workspace_problems(report["workspace"]), *machine.logout_problems(at_logout())]
    for plugin in report["plugins"]:
        if plugin["state"] in ("broken", "slow"):
            what = f"plugin {plugin['name']!r} is {plugin['state']}: {first_line(plugin['reason'])}"
            hint = "see `dlkit plugins --verbose`; update or uninstall it, or leave it out with DLKIT_DISABLE"
            found.append(machine.problem(what, hint, stops=False))
    if catalog.trouble:
        hint = "correct the file, or delete it: commands that load plugins refuse to go on"
        found.append(machine.problem(catalog.trouble, hint, stops=True))
    if not catalog.specs("task"):
        hint = "install a plugin, for example: pip install dlkit-classification"
        found.append(machine.problem("no plugin offers a task", hint, stops=True))
    return found


def _component_problems(wrong: list[ComponentProblem]) -> list[machine.Problem]:
    """What is wrong with single components; of plugins that are broken as a whole it is told already."""
    hint = "see `dlkit plugins --check`; update the plugin, or leave it out with DLKIT_DISABLE"
    return [machine.problem(words_of(problem), hint, stops=False) for problem in wrong if problem["kind"]]


def _text(report: Report) -> str:
    lines = ["versions", *(f"  {name:14} {value or 'not installed'}" for name, value in report["versions"].items())]
    lines += ["", "devices", *(f"  {_device_line(device)}" for device in report["devices"])]
    lines.append(f"  NVIDIA driver {report['nvidia_driver'] or 'none'}")
    space = report["workspace"]
    there = "" if space["exists"] else " (not there yet: made by the first run)"
    lines += ["", "workspace", f"  {space['path']}{there}"]
    lines.append(f"  {space['runs']} runs, data {size(space['data_bytes'])}, disk {size(space['free_bytes'])} free")
    lines.append(f"  {'writable' if space['writable'] else 'not writable'}")
    lines += ["", "plugins", *(f"  {p['name']:14} {p['state']}" for p in report["plugins"])]
    lines += [f"  {line}" for line in report["plugin_choice"]]
    lines += ["", "network", f"  {report['network']['text']}", "", "terminal", f"  {report['terminal']['text']}", ""]
    for found in report["problems"]:
        lines.append(f"{'problem' if found['stops_training'] else 'note'}: {found['what']}\n  {found['hint']}")
    return "\n".join([*lines, *([] if report["problems"] else ["everything is in order"])])


def _device_line(device: machine.DeviceReport) -> str:
    parts = [device["device"], device["name"], *device["details"]]
    return ", ".join([*(part for part in parts if part), f"bf16 {device['bf16']}"])
