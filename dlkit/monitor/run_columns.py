"""Columns of a list of runs: what may be one, what stands in it, and the order of runs by it."""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from operator import itemgetter

from dlkit.errors import UsageError, nearest
from dlkit.monitor.run_query import NUMBERS, TEXTS, Options, number_of, option_of
from dlkit.present.numbers import number, size, when
from dlkit.present.runs import spent, steps
from dlkit.runs.folder import Summary
from dlkit.runs.outcomes import direction

NONE: Options = {}
NOTHING: Mapping[str, Options] = {}
ALIASES = {"run": "id", "data": "dataset", "time": "seconds", "started": "created", "tag": "tags"}
"""What people call some fields of a summary, in headers, filters and orders alike."""
FIELDS = tuple(name for name in Summary._fields if name not in ("metrics", "total_steps", "direction"))
STATES = ("running", "paused", "queued", "foreign", "interrupted", "failed", "stopped", "completed")
"""In the order in which somebody wants to see them."""
_LATEST_FIRST = ("created", "updated")


def field_of(key: str) -> str:
    """The field of a summary that a key means; the key itself, if it means a metric or an option."""
    return ALIASES.get(key, key)


def value_of(run: Summary, key: str, options: Options = NONE) -> object:
    """What stands in a column: a field of the list, a metric, an option; None if the run has none."""
    field = field_of(key)
    found = getattr(run, field) if field in FIELDS else _measured_or_set(run, key, options)
    return None if found == "" or found != found else found


def _measured_or_set(run: Summary, key: str, options: Options) -> object:
    found = number_of(run, key, options)
    return option_of(options, key) if found is None else found


def words_of(run: Summary, key: str, options: Options = NONE) -> str:
    """The same for people."""
    field, found = field_of(key), value_of(run, key, options)
    if found is None:
        return ""
    match field:
        case "step":
            return steps(run)
        case "seconds":
            return spent(run)
        case "size":
            return size(run.size)
        case "created" | "updated":
            return when(found, "%Y-%m-%d %H:%M") if found else ""
    return number(found) if isinstance(found, float) else str(found)


def known_keys(runs: Iterable[Summary], options: Mapping[str, Options]) -> list[str]:
    """What may be a column of these runs: fields by the names that people use, metrics, options (by run's id)."""
    called = {field: name for name, field in ALIASES.items()}
    there = list(runs)
    return [*(called.get(field, field) for field in FIELDS), *metric_keys(there), *option_keys(there, options)]


def metric_keys(runs: Iterable[Summary]) -> list[str]:
    """Those of whole splits."""
    return list(dict.fromkeys(name for run in runs for name in run.metrics if name.count("/") < 2))


def option_keys(runs: Iterable[Summary], options: Mapping[str, Options]) -> list[str]:
    """By the last part of their name where that means one, else by all of it."""
    wholes = dict.fromkeys(name for run in runs for name in options.get(run.id, NONE))
    shorts = [name.rpartition(".")[2] for name in wholes]
    taken = {*FIELDS, *ALIASES, *NUMBERS, *TEXTS}
    found = [
        whole if short in taken or shorts.count(short) > 1 else short
        for whole, short in zip(wholes, shorts, strict=True)
    ]
    return [key for key in found if key not in taken]  # the task, which stands at the top of a configuration


def is_option(key: str) -> bool:
    """Whether the configurations of runs must be read for it: it is no field, and no metric by its whole name."""
    return field_of(key) not in FIELDS and key not in NUMBERS and key not in TEXTS and "/" not in key


def check_keys(keys: Iterable[str], runs: Sequence[Summary], options: Mapping[str, Options], where: str) -> None:
    """UsageError for a key of which no run has a value, as ``--sort`` (``where``) was given it."""
    for key in keys:
        if field_of(key) in FIELDS or not runs:
            continue
        if all(value_of(run, key, options.get(run.id, NONE)) is None for run in runs):
            raise UsageError(f"{where} {key}: no run has it: {nearest(key, known_keys(runs, options))}")


def falls(key: str, runs: Sequence[Summary]) -> bool:
    """Whether what one wants to see first is the largest: of metrics the best, of moments the latest, of other numbers
    the largest; words go by the alphabet, options from the smallest on."""
    field = field_of(key)
    if field in ("best", "last"):
        return {run.direction for run in runs if run.direction} == {"max"}
    if field in _LATEST_FIRST or field in NUMBERS or field in ("seconds", "total_steps"):
        return True
    return direction(key, runs) == "max"


def arranged(
    runs: Sequence[Summary],
    key: str,
    descending: bool,
    options: Mapping[str, Options] = NONE,  # type: ignore[assignment]
) -> list[Summary]:
    """Sorted by a column; ``runs`` are newest first, and stay so where they are equal. What has no value there comes
    last either way."""
    field = field_of(key)
    if field == "created":
        return list(runs) if descending else list(runs)[::-1]
    ranked = [(_ranked(field, value_of(run, key, options.get(run.id, NONE))), run) for run in runs]
    there = [(value, run) for value, run in ranked if value is not None]
    if any(not isinstance(value, (int, float)) for value, _ in there):
        there = [(str(value).lower(), run) for value, run in there]
    ordered = sorted(there, key=itemgetter(0), reverse=descending)
    return [run for _, run in ordered] + [run for value, run in ranked if value is None]


def _ranked(field: str, value: object) -> object:
    return STATES.index(value) if field == "state" and value in STATES else value
