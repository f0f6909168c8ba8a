"""``dlkit components [KIND] [--task T]``: everything that runs are put together from, with its options."""

from __future__ import annotations

from collections.abc import Mapping
from typing import NotRequired, TypedDict

from dlkit.catalog import Catalog, load_target
from dlkit.cli.parser import Parser
from dlkit.components import SPECS, Spec
from dlkit.config import FieldInfo, config_class, fields_of
from dlkit.errors import PluginError, UsageError, nearest
from dlkit.present.output import print_json, print_result
from dlkit.task import Task


class Option(TypedDict):
    """One option of a component, as ``--json`` gives it."""

    name: str
    type: str
    allowed: str
    default: object
    required: bool
    description: str


class BatchColumn(TypedDict):
    column: str
    padding: float | None


class Contract(TypedDict):
    """What a task's components meet in; ``outputs`` by key, or under an empty one where there is a single tensor."""

    batch: dict[str, BatchColumn]
    inputs: list[str]
    outputs: dict[str, str]
    info: list[Option]


class Component(TypedDict):
    """One component; ``reason`` says why it cannot be used, empty if it can. ``contract`` is a task's alone."""

    kind: str
    name: str
    tasks: list[str]
    plugin: str
    summary: str
    interface: str
    version: int
    options: list[Option]
    schema: Mapping[str, object]
    reason: str
    contract: NotRequired[Contract]


def main(argv: list[str]) -> int:
    parser = Parser("components", "List components with their options; with --task, the task's contract too.")
    parser.add_argument("kind", metavar="KIND", nargs="?", help=f"one of: {', '.join(SPECS)}")
    parser.add_argument("--task", metavar="T", help="only what fits this task")
    options = parser.with_workspace().with_json().parse_args(argv)
    if options.kind is not None and options.kind not in SPECS:
        raise UsageError(f"no kind {options.kind!r}: {nearest(options.kind, SPECS)}")
    catalog = Catalog.load_everything()
    task = catalog.task(options.task) if options.task else None
    kinds = [options.kind] if options.kind else list(SPECS)
    found = [record for kind in kinds for record in _records(catalog, kind, options.task)]
    if options.json:
        print_json(found)
        return 0
    if task is not None:
        print_result(_contract_text(task.name, contract(catalog, task)))
    print_result("\n\n".join(_text(record) for record in found))
    return 0


def _records(catalog: Catalog, kind: str, task: str | None) -> list[Component]:
    """With ``task``: of tasks, that one; of sources, those that its data sets name."""
    specs = catalog.specs(kind, task)
    if task is not None and kind == "task":
        specs = [spec for spec in specs if spec.name == task]
    if task is not None and kind == "source":
        needed = {name for dataset in catalog.specs("dataset", task) for name in dataset.sources}
        specs = [spec for spec in specs if spec.name in needed]
    if kind == "source":  # several plugins may declare the same one
        specs = list({spec.name: spec for spec in specs}.values())
    return [_record(catalog, spec) for spec in specs]


def _record(catalog: Catalog, spec: Spec) -> Component:
    record: Component = {
        "kind": spec.kind,
        "name": spec.name,
        "tasks": list(spec.tasks),
        "plugin": catalog.owner(spec).name,
        "summary": spec.summary,
        "interface": getattr(spec, "interface", ""),
        "version": spec.version,
        "options": [],
        "schema": {},
        "reason": "",
    }
    try:
        model = config_class(catalog, spec)
        if spec.kind == "task":
            record["contract"] = contract(catalog, spec)
        record["options"] = [_option(f) for f in fields_of(model)]
        record["schema"] = model.model_json_schema()
    except PluginError as error:  # one component whose options cannot be read leaves the others listed
        record["reason"] = str(error)
    return record


def _option(info: FieldInfo) -> Option:
    return {
        "name": info.name,
        "type": info.type,
        "allowed": info.allowed,
        "default": info.default,
        "required": info.required,
        "description": info.description,
    }


def contract(catalog: Catalog, spec: Spec) -> Contract:
    """What a task's components meet in: batch columns, inputs, outputs, and the fields of ``info``."""
    target = load_target(spec, catalog)
    if not (isinstance(target, type) and issubclass(target, Task)):
        raise PluginError(f"task {spec.name!r}: {spec.target} is not a subclass of dlkit.task.Task")
    outputs = target.outputs if isinstance(target.outputs, Mapping) else {"": target.outputs}
    return {
        "batch": {key: {"column": c.text, "padding": c.padding} for key, c in target.batch.items()},
        "inputs": list(target.inputs),
        "outputs": {key: column.text for key, column in outputs.items()},
        "info": [_option(info) for info in fields_of(target.Info)],
    }


def _contract_text(task: str, found: Contract) -> str:
    lines = [f"contract of task {task}", "  batch"]
    for key, column in found["batch"].items():
        padding = "" if column["padding"] is None else f", padded with {column['padding']:g}"
        lines.append(f"    {key}: {column['column']}{padding}")
    lines += [f"  inputs of the model: {', '.join(found['inputs'])}", "  outputs of the model"]
    lines += [f"    {key}: {text}" if key else f"    {text}" for key, text in found["outputs"].items()]
    lines += ["  info", *(f"    {_option_line(option)}" for option in found["info"])]
    return "\n".join(lines) + "\n"


def _text(record: Component) -> str:
    interface = f", {record['interface']}" if record["interface"] else ""
    tasks = "" if record["kind"] in ("task", "source", "launcher") else f", for {'/'.join(record['tasks'])}"
    head = f"{record['kind']} {record['name']}  ({record['plugin']}{tasks}{interface})"
    lines = [head, f"  {record['summary']}"]
    lines += [f"  cannot be used: {record['reason']}"] if record["reason"] else []
    return "\n".join([*lines, *(f"    {_option_line(option)}" for option in record["options"])])


def _option_line(option: Option) -> str:
    default = "required" if option["required"] else f"default {_plain(option['default'])}"
    return f"{option['name']}: {option['description']} [{option['allowed']}; {default}]"


def _plain(value: object) -> str:
    if value is None:
        return "none"
    return str(value).lower() if isinstance(value, bool) else "(empty)" if value == "" else str(value)
