"""What happens in a run, in words: the same wherever it is shown."""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from typing import NotRequired, TypedDict, cast

from dlkit.events import (
    Checkpointed,
    Commanded,
    Event,
    Finished,
    Forked,
    Machine,
    Notice,
    Preparing,
    Resumed,
    Retried,
    Sampled,
    Started,
)
from dlkit.present.numbers import duration, grouped, number, size
from dlkit.present.table import table


class GpuUse(TypedDict, total=False):
    """An entry of ``Machine.gpus``: percent, bytes of the job and of the whole, what it has and draws (of an older run:
    missing); None where the driver is silent."""

    index: int
    name: str
    use: float | None
    memory: int | None
    total: int | None
    celsius: int | None
    watts: float | None


class LayerSummary(TypedDict):
    name: str
    type: str
    output: list[int]
    parameters: int


class ModelSummary(TypedDict):
    """``memory`` in bytes, with gradients; ``more_layers`` are those left out of ``layers``."""

    name: str
    parameters: int
    frozen: NotRequired[int]
    memory: int
    layers: list[LayerSummary]
    more_layers: int


class DataSummary(TypedDict):
    splits: dict[str, int]
    notes: list[str]


class StartSummary(TypedDict):
    """``Started.summary``, as a run of this version writes it."""

    model: ModelSummary
    data: DataSummary
    device: str
    precision: str
    threads_why: NotRequired[str]


def describe_answer(event: Commanded) -> str:
    """What a run did, or did not do, because it was told to."""
    if event.refused:
        asked = f"set {event.key}" if event.action == "set" else event.action
        return f"{asked} was refused at step {event.step}: {event.refused}"
    match event.action:
        case "stop":
            return f"stopping after step {event.step}"
        case "pause":
            return f"paused at step {event.step}; it keeps its memory and its device"
        case "unpause":
            return f"goes on at step {event.step}"
        case "release":
            return f"gives its device back after step {event.step}{_for_whom(event.value)}"
        case "set":
            return f"{event.key} = {'none' if event.value is None else event.value} from step {event.step + 1} on"
        case action:
            return f"{action} asked for at step {event.step}"


def _for_whom(value: object) -> str:
    """What an order to give way says of who is to have the device."""
    if not isinstance(value, dict) or not value.get("to"):
        return ""
    whose = {"urgent": "which is urgent", "turn": "whose turn it is"}.get(str(value.get("why")), "")
    return f", to {value.get('called') or value['to']}{f', {whose}' if whose else ''}"


def describe_command(event: Commanded) -> str:
    """What came of a command, and whose it was."""
    said = describe_answer(event) + (f" ({event.reason})" if event.reason else "")
    return f"{event.by}: {said}" if event.by else said


def describe_restart(event: Retried) -> str:
    """Why a job's processes are started again, and what is different."""
    changed = ", ".join(f"{key} = {value}" for key, value in event.settings.items())
    return f"{event.reason}; started again ({event.attempt} of {event.of}){f' with {changed}' if changed else ''}"


def describe_preparing(event: Preparing) -> str:
    """How far the splits are made ready, before the first step."""
    return f"{event.text}: {event.done} of {event.total}"


def describe_fork(event: Forked) -> str:
    """Where a run comes from, and what is otherwise from there on."""
    changed = ", ".join(f"{key} {_as_it_is(change)}" for key, change in event.changes.items())
    differing = "" if event.exact else "; not exactly: " + ", ".join(map(str, event.differences))
    where = f"from {event.parent} at step {event.from_step} of {event.total_steps}"
    return f"{where}{f', with {changed}' if changed else ''}{differing}"


def _as_it_is(change: object) -> str:
    return str(change[-1]) if isinstance(change, list) and change else str(change)


def describe(event: Event) -> str:
    """What happened, in a line; empty for what is measured all the time."""
    match event:
        case Forked():
            text = describe_fork(event)
        case Started():
            text = f"{grouped(event.total_steps)} steps to go"
        case Resumed():
            differing = "" if event.exact else "; not exactly: " + ", ".join(map(str, event.differences))
            text = f"goes on from step {event.from_step} of {event.total_steps}{differing}"
        case Sampled():
            text = ", ".join(dict.fromkeys(str(ref.title or ref.name) for ref in event.samples))
        case Checkpointed():
            text = f"{event.folder}{', the best so far' if event.best else ''}, in {duration(event.seconds)}"
        case Notice():
            text = event.text
        case Preparing():
            text = describe_preparing(event)
        case Commanded():
            text = describe_command(event)
        case Retried():
            text = describe_restart(event)
        case Finished():
            text = ", ".join(filter(None, (event.reason, main_values(event.metrics), f"in {duration(event.seconds)}")))
        case _:
            text = ""
    return " ".join(text.split())


def main_values(metrics: object) -> str:
    """The main metrics; details (``val/accuracy/cat``) are left out."""
    if not isinstance(metrics, Mapping):
        return ""
    main = {k: v for k, v in metrics.items() if str(k).count("/") < 2 and isinstance(v, (int, float))}
    return ", ".join(f"{name} {number(value)}" for name, value in main.items())


def machine_use(event: Machine, *, brief: bool = False) -> str:
    """What a job's processes use: ``cpu 180 %, memory 1.2 GB, 3 processes``; ``brief``: as short as can be."""
    if brief:
        parts = [f"cpu {event.cpu:.0f} %", size(event.memory)]
        return ", ".join([*parts, *(_gpu_briefly(gpu) for gpu in _gpus(event))])
    several = f", {event.processes} processes" if event.processes > 1 else ""
    gpus = [_gpu(gpu) for gpu in _gpus(event)]
    return ", ".join([f"cpu {event.cpu:.0f} %, memory {size(event.memory)}{several}", *gpus])


def _gpus(event: Machine) -> list[GpuUse]:
    # What the driver does not tell is left out or None, in any version's log: every reader of an entry asks with get.
    return [cast("GpuUse", gpu) for gpu in event.gpus]


def _gpu_briefly(gpu: GpuUse) -> str:
    return f"gpu {gpu.get('index', '')} {_figures(gpu)}".rstrip()


def _gpu(gpu: GpuUse) -> str:
    name = f" ({gpu['name']})" if gpu.get("name") else ""
    total = gpu.get("total")
    of = f" of {size(total)}" if total is not None and gpu.get("memory") is not None else ""
    return f"gpu {gpu.get('index', '')}{name} {_figures(gpu)}".rstrip() + of


def _figures(gpu: GpuUse) -> str:
    """Use and memory, as far as the driver tells them."""
    use, memory = gpu.get("use"), gpu.get("memory")
    return ", ".join(([] if use is None else [f"{use:.0f} %"]) + ([] if memory is None else [size(memory)]))


def loss_names(values: Iterable[str]) -> list[str]:
    """The names of what training minimises: ``train/loss``, or the losses of several networks (``train/g_loss``)."""
    # By name, not by position: of two networks that take turns, either may be missing from a step.
    return [name for name in values if name.startswith("train/") and name.count("/") == 1 and name.endswith("loss")]


def metrics_line(head: str, values: Mapping[str, float], primary: str, width: int) -> str:
    """The main metrics in one line, as many as fit: losses, the primary one, then what else evaluation gave.

    Details (``val/accuracy/cat``) are left out.
    """
    others = [name for name in values if name.startswith("val/") and name.count("/") == 1]
    line = head
    for name in dict.fromkeys([*loss_names(values), "val/loss", primary, *others]):
        part = f"  {name} {number(values[name])}" if name in values else ""
        if len(line) + len(part) <= width:
            line += part
    return line


def describe_start(summary: Mapping[str, object]) -> str:
    """Model, data, device and precision at the start of a run; KeyError or TypeError for another version's summary."""
    # Not checked field by field: a summary of another version raises, and who shows it then shows the plain fields.
    found = cast("StartSummary", summary)
    model, data = found["model"], found["data"]
    splits = ", ".join(f"{name} {grouped(count)}" for name, count in data["splits"].items())
    lines = [
        f"data    {splits}",
        *(f"        {note}" for note in data["notes"]),
        f"model   {model['name']}: {_parameters(model)}, {size(model['memory'])} with gradients",
        _indent(_layers(model["layers"], model["more_layers"])),
        f"device  {found['device']}, {found['precision']}",
        f"        number of threads: {found['threads_why']}" if found.get("threads_why") else "",
    ]
    return "\n".join(line for line in lines if line)


def _parameters(model: ModelSummary) -> str:
    frozen = model.get("frozen", 0)  # older versions say nothing of it
    return f"{grouped(model['parameters'])} parameters" + (f", {grouped(frozen)} of them frozen" if frozen else "")


def _layers(layers: Sequence[LayerSummary], more: int) -> str:
    rows = [(e["name"], e["type"], "×".join(map(str, e["output"])), grouped(e["parameters"])) for e in layers]
    if len(rows) > 24:
        rows, more = rows[:24], more + len(rows) - 24
    text = table(("layer", "type", "output", "parameters"), rows)
    return text + (f"\n… and {more} more layers" if more else "")


def _indent(text: str) -> str:
    return "\n".join(f"        {line}" for line in text.splitlines())
