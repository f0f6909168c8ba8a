"""What stands in tables about one run: data, model, options, environment, how to make it again."""

from __future__ import annotations

from collections.abc import Iterator, Mapping

from dlkit.errors import DlkitError
from dlkit.monitor.again import train_line
from dlkit.monitor.defaults import defaults
from dlkit.present.numbers import counted, duration, grouped, number, size, when
from dlkit.report.blocks import Block, Facts, Grid, Listing, Words
from dlkit.report.reading import Told, setting
from dlkit.runs.contents import evaluations, flatten
from dlkit.runs.looks import looks

MOMENT = "%Y-%m-%d %H:%M"


def data(told: Told) -> list[Block]:
    """What it was trained on, how much of it, and under which licence."""
    found = told.of_summary("data")
    splits, notes = found.get("splits"), found.get("notes")
    rows = {"data set": told.summary.dataset, **_sources(told)}
    if isinstance(splits, dict):
        rows["samples"] = ", ".join(f"{name} {_count(count)}" for name, count in splits.items())
    rows["fingerprint"] = str(told.view.record.get("fingerprint", ""))
    texts = notes if isinstance(notes, list) else []
    return [Facts(rows), *(Words(str(note)) for note in texts)]


def _count(value: object) -> str:
    return grouped(value) if isinstance(value, int) else str(value)


def _sources(told: Told) -> dict[str, str]:
    """Where its files come from; what is embedded, or somebody's own, names no source."""
    try:
        names = told.catalog.find("dataset", told.summary.dataset, told.summary.task).sources
        sources = [told.catalog.find("source", name) for name in names]
    except DlkitError:
        return {}
    return {
        what: ", ".join(text for text in (getattr(source, field) for source in sources) if text)
        for what, field in (("licence", "licence"), ("from", "homepage"), ("to be cited as", "citation"))
    }


def model(told: Told) -> list[Block]:
    """Its size and its layers."""
    found = told.of_summary("model")
    rows = {"model": told.summary.model}
    for name in ("parameters", "trainable", "frozen"):
        value = found.get(name)
        if isinstance(value, int) and (name == "parameters" or value != found.get("parameters")) and value:
            rows[name] = grouped(value)
    layers = found.get("layers")
    listed = [layer for layer in layers if isinstance(layer, dict)] if isinstance(layers, list) else []
    blocks: list[Block] = [Facts(rows)]
    if listed:
        cells = [[_word(layer.get("name")), _word(layer.get("type")), _shape(layer.get("output")),
                  _count(layer.get("parameters", ""))] for layer in listed]  # fmt: skip
        blocks.append(Grid(("layer", "type", "output", "parameters"), cells, folded=counted(len(cells), "layer")))
    return blocks


def _word(value: object) -> str:
    return "" if value is None else str(value)


def _shape(value: object) -> str:
    return " × ".join(map(str, value)) if isinstance(value, list) else ""


def configuration(told: Told) -> list[Block]:
    """Options that are not at their default, and all of them when asked for."""
    known = {**defaults(told.catalog, told.values), **_usual_parts(told)}
    flat = {key: value for key, value in flatten(told.values).items() if key != "task"}
    differing = {key: value for key, value in flat.items() if key not in known or known[key] != value}
    rows = [[key, setting(value), setting(known[key]) if key in known else ""] for key, value in differing.items()]
    whole = [[key, setting(value)] for key, value in flat.items()]
    strong = frozenset((place, 1) for place, key in enumerate(flat) if key in differing)
    if not flat:
        return [Words("config.toml cannot be read.")]
    return [
        Grid(("option", "value", "default"), rows) if rows else Words("Every option is at its default."),
        Grid(("option", "value"), whole, strong, folded=f"all {counted(len(whole), 'option')}"),
    ]


def _usual_parts(told: Told) -> dict[str, object]:
    """The components that a run of the task has if nobody names others."""
    try:
        return {f"{part}.name": name for part, name in told.catalog.task(told.summary.task).defaults.items()}
    except DlkitError:
        return {}


def environment(told: Told) -> list[Block]:
    """What computed it, with which software, for how long."""
    record, summary = told.view.record, told.summary
    versions, identity = record.get("versions", {}), record.get("identity")
    memory = max((event.memory for event in told.view.machine), default=0)
    threads = record.get("threads")
    why = record.get("threads_why", "")
    return [
        Facts({
            "began": when(summary.created, MOMENT),
            "took": duration(summary.seconds) if summary.seconds else "",
            "device": _device(summary.device, identity["model"] if identity else ""),
            "precision": str(record.get("precision", "")),
            "threads": f"{threads}{f': {why}' if why else ''}" if threads else "",
            "processes": str(record.get("processes", "")),
            "memory": size(memory) if memory else "",
            "software": ", ".join(f"{name} {version}" for name, version in versions.items()),
            "plugins": ", ".join(dict.fromkeys(_plugins(told))),
            "commit": record.get("git", ""),
        })
    ]  # fmt: skip


def _device(name: str, model: str) -> str:
    return f"{name}, {model}" if name and model else name or model


def _plugins(told: Told) -> Iterator[str]:
    for part in told.view.record.get("components", {}).values():
        if part.get("plugin") and part.get("plugin_version"):
            yield f"{part['plugin']} {part['plugin_version']}"


def again(told: Told) -> list[Block]:
    """The command that trains it again, and what it depends on."""
    try:
        line = train_line(told.catalog, told.run, "dlkit")
    except DlkitError as error:
        return [Words(f"The command that trains it again cannot be told: {error}")]
    seed = told.view.record.get("seed")
    text = "On the same machine and software it gives the same weights, bit for bit"
    return [Listing(line), Words(f"{text}{f' (seed {seed})' if seed is not None else ''}; elsewhere, nearly the same.")]


def measured(told: Told) -> list[Block]:
    """Main metrics over the training, evaluations on record, and how often test was looked at."""
    view = told.view
    names = sorted((n for n in view.names if n.startswith("val/") and n.count("/") < 2),
                   key=lambda name: name != told.summary.metric)  # fmt: skip
    rows = []
    for name in names:
        values = view.series(name).values
        rows.append([name, told.summary.metrics.get(name), float(values.min()), float(values.max()), float(values[-1])])
    blocks: list[Block] = []
    if rows:
        strong = frozenset([(0, 1)] if names[0] == told.summary.metric else [])
        blocks.append(Grid(("metric", "best evaluation", "lowest", "highest", "last"), rows, strong))
    on_record = [list(_evaluation(record)) for record in evaluations(told.run)]
    if on_record:
        blocks.append(Grid(("split", "checkpoint", "step", "when", "metrics"), on_record))
    return [*blocks, Words(test_looks(told))]


def _evaluation(record: Mapping[str, object]) -> Iterator[object]:
    yield from (record.get("split", ""), record.get("checkpoint", ""), record.get("step", ""))
    yield when(record.get("time"), MOMENT)
    metrics = record.get("metrics")
    shown = metrics.items() if isinstance(metrics, Mapping) else ()
    yield ", ".join(f"{name.partition('/')[2]} {number(value)}" for name, value in shown if name.count("/") < 2)


def test_looks(told: Told) -> str:
    """A sentence. How often it was looked at says how far a figure on it is to be trusted."""
    before = str(looks(told.run, "test"))
    return f"The test split was looked at {before}." if before else "Nobody has looked at the test split."
