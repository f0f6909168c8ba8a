"""``dlkit show RUN``: everything that a run's folder says, as far as it can be understood."""

from __future__ import annotations

import shutil
from argparse import Namespace
from collections.abc import Mapping
from dataclasses import fields
from pathlib import Path
from typing import Any

from dlkit.cli.choice import chosen_run, run_parser
from dlkit.cli.note import told as told_note
from dlkit.cli.parser import Parser
from dlkit.cli.show_family import family_tree, origin
from dlkit.cli.show_profile import profile_document, show_profile
from dlkit.diagnose import diagnose, read_record
from dlkit.diagnose.words import document, headline
from dlkit.errors import RunError, UsageError
from dlkit.events import Event, Machine, MetricsLogged, Sampled, Spent
from dlkit.monitor.defaults import differences
from dlkit.present import spending
from dlkit.present.commands import to_type
from dlkit.present.events import machine_use
from dlkit.present.numbers import duration, number, size
from dlkit.present.output import colours, print_json, print_result, say
from dlkit.present.reproduction import on_record
from dlkit.present.sparkline import sparkline
from dlkit.present.table import table
from dlkit.present.text import Painted, from_here
from dlkit.runs import contents, opening
from dlkit.runs.folder import RunFolder, Summary, summarise, told
from dlkit.runs.labels import labels
from dlkit.runs.log import history, read_events
from dlkit.runs.profile import NAME
from dlkit.runs.reproductions import reproductions
from dlkit.runs.run_record import RunRecord
from dlkit.runs.spending import Spending
from dlkit.steering import one_line

LOG_LINES = 1000
CURVES = "{}-curves.png"
FOLDER = "{}-samples"
"""Where samples are written unless something else is said, below the current folder."""


def main(argv: list[str]) -> int:
    options = _parser().with_json().parse_args(argv)
    run = chosen_run(options)
    if options.command:
        return _command(run, as_json=options.json)
    if options.profile and not options.json:  # there, everything is in the document
        return show_profile(run)
    events = _events(run)
    summary = summarise(run)
    exported = _exported(run, events, options)
    if options.json:
        files = [str(path.absolute()) for path in exported or ()]
        print_json({**_document(run, summary, events), **({"exported": files} if exported is not None else {})})
        return 0
    if exported is not None:
        print_result("\n".join(map(str, exported)))
        return 0
    width = shutil.get_terminal_size().columns
    values = contents.stored_values(run)
    shown = contents.flatten(values) if options.config else differences(values)
    parts = [
        _head(summary, run, _last_machine(events), Spending(events).in_all(), _verdict(run, events)),
        _metrics(summary, events, width),
        family_tree(run, _readable_record(run)),
        _configuration(shown, whole=options.config),
        _checkpoints(run),
        _evaluations(run),
        _notes(run),
        _samples(run, events, width if options.samples else None),
        _log(run) if options.log else _traceback(events),
    ]
    print_result(Painted.joined("\n\n", (part for part in parts if part)))
    return 0


def _parser() -> Parser:
    parser = run_parser("show", "One run: state, metrics, configuration, checkpoints, samples.")
    parser.add_argument("--samples", action="store_true", help="the newest samples, drawn in the terminal")
    parser.add_argument("--gif", action="store_true", help="samples through the training: a GIF of each name")
    parser.add_argument("--html", action="store_true", help="samples through the training: one page with a slider")
    parser.add_argument(
        "-o",
        "--output",
        metavar="DIR|FILE",
        help=f"write samples there; alone: all as PNG (default: {FOLDER.format('RUN')}); of --curves the file",
    )
    parser.add_argument(
        "--curves", action="store_true", help=f"its curves as PNG, SVG or PDF (default: {CURVES.format('RUN')})"
    )
    parser.add_argument("--only", metavar="NAME", default="", help="of the samples that are written, those of one name")
    parser.add_argument("--log", action="store_true", help="what happened, was measured and was printed")
    parser.add_argument("--config", action="store_true", help="the whole configuration, not what differs from defaults")
    parser.add_argument("--profile", action="store_true", help="operators of the steps that train --profile N recorded")
    parser.add_argument("--command", action="store_true", help="the command that trains it again, and nothing else")
    return parser


def _command(run: RunFolder, *, as_json: bool) -> int:
    if as_json:
        raise UsageError("--command gives a line for a shell: not with --json, whose config has the settings")
    from dlkit.catalog import Catalog
    from dlkit.monitor.again import train_line
    from dlkit.present.commands import tool

    print_result(train_line(Catalog.load_everything(), run, tool()))
    return 0


def _exported(run: RunFolder, events: list[Event], options: Namespace) -> list[Path] | None:
    """The files with samples that were asked for, once they are written; None: none were."""
    if options.curves:
        return [_curves(run, options)]
    ways = [way for way, wanted in (("gif", options.gif), ("html", options.html)) if wanted]
    if not ways and options.output is None:
        if options.only:
            raise UsageError(f"--only {options.only}: of samples that are written: give --gif, --html or -o DIR too")
        return None
    from dlkit.monitor.sample_export import export

    folder = Path(options.output or FOLDER.format(run.id))
    sampled = [event for event in events if isinstance(event, Sampled)]
    files: list[Path] = []
    for way in ways or ["png"]:
        made = export(run, sampled, folder, way, only=options.only)
        files += made.files
        for note in made.notes:
            say(f"note: {note}")
    return files


def _curves(run: RunFolder, options: Namespace) -> Path:
    if options.gif or options.html or options.only:
        raise UsageError("--curves writes one picture: not with --gif, --html and --only, which are for samples")
    from dlkit.cli.compare_files import write_curves

    path = Path(options.output or CURVES.format(run.id))
    write_curves(run, path)
    return path


def _document(run: RunFolder, summary: Summary, events: list[Event]) -> dict[str, object]:
    end = contents.how_it_ended(events)
    return {
        **told(summary, run),
        "config": contents.stored_values(run),
        "checkpoints": contents.checkpoints(run),
        "samples": contents.samples(events),
        "evaluations": contents.evaluations(run),
        "reproductions": [found._asdict() for found in reproductions(run)],
        "notes": [note._asdict() for note in labels(run.path).notes],
        "record": _readable_record(run),
        "verdicts": [document(verdict, run) for verdict in diagnose(read_record(run, events))],
        "machine": _machine_document(_last_machine(events)),
        "spent": _spent_document(Spending(events)),
        "profile": profile_document(run),
        "traceback": end.traceback if end else "",
    }


def _events(run: RunFolder) -> list[Event]:
    try:
        return read_events(run.events, say)
    except RunError as error:  # what else is in the folder is shown
        say(str(error))
        return []


def _readable_record(run: RunFolder) -> RunRecord:
    try:
        return run.read()
    except (OSError, ValueError):
        return {}


def _reproduced(run: RunFolder) -> str:
    """What came of training it again, the last time."""
    found = reproductions(run)
    return on_record(found[-1]) if found else ""


def _verdict(run: RunFolder, events: list[Event]) -> str:
    """The worst that can be said of it, and where the rest is."""
    found = headline(diagnose(read_record(run, events)))
    return f"{found}: {to_type(run, f'explain {run.id}')}" if found else ""


def _threads(record: RunRecord) -> str:
    why = record.get("threads_why")
    return f"{record['threads']}: {why}" if why and "threads" in record else str(record.get("threads", ""))


def _estimated(record: RunRecord, run: Summary) -> str:
    """What it was to take, where that was tried beforehand."""
    from dlkit.present.estimate import compared

    known = record.get("estimate")
    words = compared(known, run.seconds, ended=run.state == "completed") if known else ""
    return f" ({words})" if words else ""


def _last_machine(events: list[Event]) -> Machine | None:
    return next((event for event in reversed(events) if isinstance(event, Machine)), None)


def _machine_document(event: Machine | None) -> dict[str, object] | None:
    if event is None:
        return None
    return {key: getattr(event, key) for key in ("time", "cpu", "memory", "processes", "gpus")}


def _spent_document(found: Spending) -> dict[str, object] | None:
    spent = found.in_all()
    if spent is None:
        return None
    told = {item.name: getattr(spent, item.name) for item in fields(Spent) if item.name != "seq"}
    return {**told, "attempts": len(found.attempts)}


def _head(run: Summary, folder: RunFolder, machine: Machine | None, spent: Spent | None, verdict: str) -> str:
    percent = f" ({100 * run.step / run.total_steps:.0f} %)" if run.total_steps else ""
    rows = {
        "run": run.id,
        "name": run.name,
        "tags": run.tags.replace(" ", ", "),
        "task": f"{run.task}: {run.model} on {run.dataset}" if run.task else "",
        "state": f"{run.state}: {run.reason}" if run.reason else run.state,
        "forked": origin(_readable_record(folder)),
        "verdict": verdict,
        "proof": _reproduced(folder),
        "step": f"{run.step} of {run.total_steps}{percent}",
        "time": duration(run.seconds),
        "spent": spending.in_words(spent) if spent is not None else "",
        "profile": "--profile shows it" if opening.status(folder.path, NAME) is not None else "",
        "device": f"{run.device} on {run.host}" if run.device else "",
        "threads": _threads(_readable_record(folder)),
        "machine": machine_use(machine) if machine is not None else "",
        "best": f"{run.metric} {number(run.best)}" if run.best is not None else "",
        "last": f"{run.metric} {number(run.last)}" if run.last is not None else "",
        "folder": str(folder.path),
    }
    rows["time"] += _estimated(_readable_record(folder), run)
    return "\n".join(f"{key:8}{one_line(value)}" for key, value in rows.items() if value)


def _metrics(summary: Summary, events: list[Event], width: int) -> str:
    """Last value, range and course of every main metric; details (``val/accuracy/cat``) are in the JSON."""
    logged = [event for event in events if isinstance(event, MetricsLogged)]
    names = dict.fromkeys(name for event in logged for name in event.values if name.count("/") < 2)
    rows = []
    for name in sorted(names, key=lambda name: (name != summary.metric, "/" not in name)):
        _, values = history(events, name)
        if values:
            marks = number(min(values)), number(max(values)), number(values[-1])
            rows.append((name, *marks, sparkline(values, max(10, width - 58))))
    return table(("metric", "lowest", "highest", "last", "course"), rows) if rows else ""


def _configuration(values: Mapping[str, object], *, whole: bool) -> str:
    if not values:
        return ""
    head = "configuration" if whole else "configuration (where it differs from the options' defaults)"
    return "\n".join([head, *(f"  {key} = {from_here(value)!r}" for key, value in values.items())])


def _checkpoints(run: RunFolder) -> str:
    found = contents.checkpoints(run)
    if not found:
        return "no checkpoints"
    rows = [(str(c["step"]), "best" if c["best"] else "", size(c["size"]), c["folder"]) for c in found]
    return table(("checkpoint", "", "size", "folder"), rows)


def _evaluations(run: RunFolder) -> str:
    lines = []
    for entry in contents.evaluations(run):
        metrics = entry.get("metrics")
        metrics = metrics if isinstance(metrics, dict) else {}
        shown = [f"{name} {number(value)}" for name, value in metrics.items() if name.count("/") < 2]
        lines.append(f"  {entry.get('split')}, step {entry.get('step')}: {', '.join(shown)}")
    return "\n".join(["evaluations on record", *lines]) if lines else ""


def _notes(run: RunFolder) -> str:
    found = labels(run.path).notes
    lines = [f"  {line}" for entry in found for line in told_note(entry).splitlines()]
    return "\n".join(["notes", *lines]) if lines else ""


def _samples(run: RunFolder, events: list[Event], width: int | None) -> str:
    """A count, or with ``width`` the newest samples, drawn."""
    found = contents.samples(events)
    if not found:
        return ""
    if width is None:
        steps = sorted({sample["step"] for sample in found})
        return f"samples at {len(steps)} steps, the last at {steps[-1]} (--samples draws them)"
    newest = [sample for sample in found if sample["step"] == found[-1]["step"]]
    drawn = (_drawn(run, sample, width) for sample in newest)
    return Painted.joined("\n\n", [f"samples at step {found[-1]['step']}", *drawn])


def _drawn(run: RunFolder, sample: Mapping[str, Any], width: int) -> str:
    from dlkit.present.samples import render

    try:
        return render(contents.load_sample(run, sample["file"]), colour=colours(), width=width)
    except (OSError, ValueError, KeyError, TypeError) as error:  # a damaged or newer sample leaves the rest readable
        say(f"{sample['file']} cannot be shown: {error}")
        return f"{sample['title'] or sample['name']}: {sample['file']}"


def _log(run: RunFolder) -> str:
    """What happened, what was measured and what was printed, as the interface has it, the newest last."""
    from dlkit.monitor.run_log import RunLog
    from dlkit.monitor.view import RunView

    view = RunView(run)
    view.poll()
    while view.behind:
        view.poll()
    lines = [line.text for line in RunLog().lines(view)]
    left_out = f", the last {LOG_LINES} of {len(lines)} lines" if len(lines) > LOG_LINES else ""
    return "\n".join([f"log{left_out}", *(f"  {line}".rstrip() for line in lines[-LOG_LINES:])])


def _traceback(events: list[Event]) -> str:
    end = contents.how_it_ended(events)
    return end.traceback.rstrip() if end else ""
