"""Which runs a list shows, by what is typed: words, fields, comparisons, ages.

mlp                  a regular expression, anywhere: id, name, task, model, data, device, state, study
state:fail|stop      in one field: task, state, model, data, name, id, device, host, remote, study, parent, tag, note
val/accuracy>0.9     a metric, a number of the list (step, time, size …), or an option (lr, engine.epochs)
optimizer=adam       an option that is a word
since:2d  before:1h  begun since then, or before; a day too: since:2026-11-30
-state:failed        not so
"""

from __future__ import annotations

import operator
import re
import time
import warnings
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from functools import lru_cache
from typing import NamedTuple

from dlkit.durations import seconds
from dlkit.runs.folder import Summary

FORMS = "words, task:… state:… model:… data:… name:…, val/accuracy>0.9, lr<0.01, since:2d, -… for not"
TEXTS: Mapping[str, Callable[[Summary], str]] = {
    "id": lambda run: run.id,
    "name": lambda run: run.name,
    "task": lambda run: run.task,
    "state": lambda run: run.state,
    "model": lambda run: run.model,
    "data": lambda run: run.dataset,
    "device": lambda run: run.device,
    "host": lambda run: run.host,
    "remote": lambda run: run.remote,
    "study": lambda run: run.study,
    "parent": lambda run: run.parent,
    "tag": lambda run: run.tags,
    "note": lambda run: run.note,
}
NUMBERS: Mapping[str, Callable[[Summary], float | None]] = {
    "best": lambda run: run.best,
    "last": lambda run: run.last,
    "step": lambda run: run.step,
    "steps": lambda run: run.total_steps,
    "time": lambda run: run.seconds,
    "size": lambda run: run.size,
    "seed": lambda run: run.seed,
}
OPERATORS: Mapping[str, Callable[[float, float], bool]] = {
    ">=": operator.ge, "<=": operator.le, "!=": operator.ne, "==": operator.eq, ">": operator.gt, "<": operator.lt,
    "=": operator.eq,
}  # fmt: skip
_COMPARISON = re.compile(r"([A-Za-z_][\w./@-]*)(>=|<=|!=|==|>|<|=)(.+)")
_DAY = re.compile(r"\d{4}-\d{2}-\d{2}")
Options = Mapping[str, object]
"""A run's configuration by dotted names."""
_Test = Callable[[Summary, Options], bool]


class Term(NamedTuple):
    """One of those that must hold; ``option``: it asks for an option, by this name; ``key`` is what it compares."""

    holds: _Test
    option: str = ""
    key: str = ""


@dataclass(frozen=True)
class Query:
    """``problems`` are words of what cannot be understood, and left out."""

    terms: tuple[Term, ...] = ()
    problems: tuple[str, ...] = ()

    @property
    def asks_options(self) -> bool:
        """Whether the runs' configurations must be read for it."""
        return any(term.option for term in self.terms)

    def matches(self, run: Summary, options: Options | None = None) -> bool:
        """Whether all of it holds of a run; ``options`` of one that was not read are none."""
        return all(term.holds(run, options or {}) for term in self.terms)


@lru_cache(maxsize=64)
def parse(text: str) -> Query:
    """Never fails: what is being typed is often half a word."""
    terms, problems = [], []
    for word in text.split():
        try:
            terms.append(_term(word))
        except ValueError as error:
            problems.append(str(error))
    return Query(tuple(terms), tuple(problems))


def _term(word: str) -> Term:
    if word[0] in "-!" and len(word) > 1:
        held = _term(word[1:])
        return held._replace(holds=lambda run, options: not held.holds(run, options))
    field, colon, rest = word.partition(":")
    if colon and field in ("since", "before"):
        moment = _moment(rest)
        return Term(lambda run, _: (run.created >= moment()) is (field == "since"))
    if colon and field in TEXTS:
        told, pattern = TEXTS[field], _pattern(rest)
        return Term(lambda run, _: pattern.search(told(run)) is not None)
    if found := _COMPARISON.fullmatch(word):
        return _comparison(*found.groups())
    pattern = _pattern(word)
    return Term(lambda run, _: any(pattern.search(told(run)) for name, told in TEXTS.items() if name != "host"))


def _pattern(text: str) -> re.Pattern[str]:
    try:
        with warnings.catch_warnings():  # "[[" means what it means now; nobody here waits for another Python
            warnings.simplefilter("ignore", FutureWarning)
            return re.compile(text, re.IGNORECASE)
    except (re.error, OverflowError) as error:
        raise ValueError(f"{text!r} is no regular expression: {error}") from error


def _moment(text: str) -> Callable[[], float]:
    """When that is, whenever it is asked: two days ago is another moment tomorrow."""
    if _DAY.fullmatch(text):
        try:
            began = time.mktime(time.strptime(text, "%Y-%m-%d"))
        except (ValueError, OverflowError) as error:
            raise ValueError(f"{text!r} is no day") from error
        return lambda: began
    ago = seconds(text.replace("w", "d") if text.endswith("w") else text) * (7 if text.endswith("w") else 1)
    return lambda: time.time() - ago


def _comparison(key: str, sign: str, wanted: str) -> Term:
    compare = OPERATORS[sign]
    try:
        value = seconds(wanted) if key == "time" else float(wanted)
    except ValueError:
        if sign not in ("=", "==", "!="):
            raise ValueError(f"{wanted!r} is no number: only = and != compare words") from None
        return Term(lambda run, options: _equal_words(key, wanted, run, options) is (sign != "!="), _asked(key), key)

    def holds(run: Summary, options: Options) -> bool:
        found = number_of(run, key, options)
        return found is not None and compare(found, value)

    return Term(holds, _asked(key), key)


def _asked(key: str) -> str:
    """The option that a key may name: what lists have of a run and metrics (``val/…``) are none."""
    return "" if key in NUMBERS or key in TEXTS or "/" in key else key


def number_of(run: Summary, key: str, options: Options) -> float | None:
    """A number of the list, a metric (the primary one: its best), an option; None if it has none of that name."""
    if key in NUMBERS:
        return NUMBERS[key](run)
    if run.best is not None and key in (run.metric, run.metric.rpartition("/")[2]):
        return run.best
    for name, value in run.metrics.items():
        if key in (name, name.rpartition("/")[2] if name.startswith("val/") else name):
            return value
    found = option_of(options, key)
    return float(found) if isinstance(found, (int, float)) and not isinstance(found, bool) else None


def option_of(options: Options, key: str) -> object:
    """By its whole name, or by the last part of it; None if there is none."""
    if key in options:
        return options[key]
    return next((value for name, value in options.items() if name.rpartition(".")[2] == key), None)


def _equal_words(key: str, wanted: str, run: Summary, options: Options) -> bool:
    found = TEXTS[key](run) if key in TEXTS else option_of(options, key)
    return found is not None and str(found).lower() == wanted.lower()
