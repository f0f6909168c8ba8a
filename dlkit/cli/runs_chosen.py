"""Which runs ``dlkit runs`` lists, where that is said: by a filter, in an order, by columns that are named."""

from __future__ import annotations

from argparse import Namespace
from collections.abc import Mapping, Sequence
from pathlib import Path

from dlkit.errors import UsageError, nearest
from dlkit.monitor.run_columns import NONE, arranged, check_keys, falls, is_option, known_keys, value_of
from dlkit.monitor.run_options import RunOptions
from dlkit.monitor.run_query import FORMS, TEXTS, Query, parse
from dlkit.present.output import say
from dlkit.runs.folder import Summary

Settings = Mapping[str, Mapping[str, object]]


def keys_of(text: str, option: str) -> list[str]:
    """The keys of a list with commas; UsageError if there are none."""
    words = [word.strip() for word in text.split(",") if word.strip()]
    keys = list(dict.fromkeys(word if "/" in word else word.replace("-", "_") for word in words))
    if not keys:
        raise UsageError(f"{option} needs keys, for example: task,model,val/loss,lr")
    return keys


def chosen(runs: Sequence[Summary], options: Namespace, workspace: Path) -> tuple[list[Summary], Settings]:
    """Of ``runs`` (newest first) those that match, in the order asked for; and the options of runs, if a word needs
    them. UsageError: a word that cannot be understood, a key that no run has."""
    query = _query(options.filter)
    keys = {
        option: keys_of(text, option)
        for option, text in (("--sort", options.sort), ("--columns", options.columns), ("--group", options.group))
        if text is not None
    }
    settings: Settings = {}
    if query.asks_options or any(is_option(key) for several in keys.values() for key in several):
        reader = RunOptions(workspace)
        reader.read(runs)
        settings = reader.known
    for option, several in keys.items():
        check_keys(several, runs, settings, option)
    found = [run for run in runs if query.matches(run, settings.get(run.id))]
    if runs and not found:
        _say_unknown(query, options.filter, runs, settings)
    for key in reversed(keys.get("--sort", ["created"])):  # the first counts most: a stable sort by it comes last
        found = arranged(found, key, falls(key, found) is not options.reverse, settings)
    return found, settings


def _query(words: Sequence[str]) -> Query:
    found = parse(" ".join(words))
    if found.problems:
        raise UsageError(f"FILTER: {found.problems[0]}; there are: {FORMS}")
    return found


def _say_unknown(query: Query, words: Sequence[str], runs: Sequence[Summary], settings: Settings) -> None:
    """A name that nothing has is told from a value that no run reaches."""
    for term in query.terms:
        if term.key and all(value_of(run, term.key, settings.get(run.id, NONE)) is None for run in runs):
            say(f"note: no run has a {term.key!r}: {nearest(term.key, known_keys(runs, settings))}")
    for word in " ".join(words).split():
        field, colon, _ = word.lstrip("-!").partition(":")
        if colon and field.isalpha() and field not in (*TEXTS, "since", "before"):
            say(f"note: {field}: is no field, so {word!r} was looked for as it is: "
                f"{nearest(field, [*TEXTS, 'since', 'before'])}")  # fmt: skip
