"""The flags of ``train``: read from the configuration schema of the components that a command line names."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from dataclasses import dataclass, field
from pathlib import Path

from dlkit.catalog import Catalog
from dlkit.config import CHOICES, SHORT_FLAGS, EngineConfig, JobConfig, Layer
from dlkit.config_file import Typed, typed_layers
from dlkit.errors import UsageError, nearest

SWITCHES = {
    "detach": "train in a process of its own, which outlives this terminal; print the run's id at once",
    "queue": "train when a device is free; print the run's id at once",
    "urgent": "with --queue: at once; the least important job gives way, and goes on after it by itself",
    "json": "one JSON event a line on stdout",
    "estimate": "say how long it will take, how much memory and disk, by a few steps of it; train nothing",
    "print-config": "print the resolved configuration as TOML, and who set each value; train nothing",
    "offline": "never use the network",
    "quiet": "nothing on stderr but what goes wrong; notes about the data are in the run's log",
    "help": "show this",
}
VALUES = {
    "preset": ("NAME", "settings that the plugin brings"),
    "config": ("FILE", "a run.toml: as --print-config prints it, or part of it"),
    "name": ("TEXT", "a name for the run"),
    "priority": ("N", "with --queue: jobs of a higher number start first (default 0)"),
    "after": ("RUN", "with --queue: only when that run is completed; may be given several times"),
    "at": ("TIME", "with --queue: not before 18:30, 2026-12-02T06:00, or +2h from now"),
    "cpu-slots": ("N", "with --queue: how many jobs may share the CPU, from now on (default 1)"),
    "on": ("NAME", "on that machine (dlkit remote list), whose plugins, data and devices count"),
    "workspace": ("DIR", "default: $DLKIT_WORKSPACE, else ./workspace"),
}


# A parser of our own: which options there are depends on the components that the same line names, which argparse and
# click do not model; tyro does, for 60 ms of import and a second notion of defaults beside the layers.
@dataclass
class Words:
    """A command line taken apart: positional words, switches, plain values, and settings in the order given."""

    positional: list[str] = field(default_factory=list)
    switches: set[str] = field(default_factory=set)
    values: dict[str, str] = field(default_factory=dict)
    names: dict[str, str] = field(default_factory=dict)
    settings: list[tuple[str, str | None]] = field(default_factory=list)


def split_words(
    argv: Iterable[str],
    problems: list[str] | None = None,
    *,
    switches: Mapping[str, str] = SWITCHES,
    values: Mapping[str, tuple[str, str]] = VALUES,
) -> Words:
    """``--key value`` and ``--key=value``; a key is a switch, a plain value, a part, or ``section.field``.

    UsageError for another; or, with ``problems``, it is added to those and left out. ``switches`` and ``values``: those
    of another command that takes a run's options.
    """
    words, rest = Words(), list(argv)
    while rest:
        word = rest.pop(0)
        if word in ("-h", "--help"):
            words.switches.add("help")
        elif not word.startswith("--"):
            words.positional.append(word)
        else:
            try:
                _take(words, word, rest, switches, values)
            except UsageError as error:
                if problems is None:
                    raise
                problems.append(str(error))
    return words


def _instead(flag: str, words: list[str]) -> str:
    """What was meant, perhaps; an option of the engine or the job that has no short flag by its whole name."""
    field, sections = flag.replace("-", "_"), (("engine", EngineConfig.model_fields), ("job", JobConfig.model_fields))
    if whole := [f"--{section}.{field}" for section, fields in sections if field in fields]:
        return f"did you mean {whole[0]}?"
    allowed = [*words, *CHOICES, *(key.replace("_", "-") for key in SHORT_FLAGS)]
    return f"{nearest(flag, allowed)}; and --SECTION.FIELD (see --help)"


def _take(
    words: Words,
    word: str,
    rest: list[str],
    switches: Mapping[str, str],
    values: Mapping[str, tuple[str, str]],
) -> None:
    flag, equals, value = word[2:].partition("=")
    key = flag.replace("-", "_")
    if flag in switches:
        if equals:
            raise UsageError(f"--{flag} is a switch and takes no value, {value!r} was given")
        words.switches.add(flag)
        return
    known = flag in values or key in CHOICES or key in SHORT_FLAGS or "." in key
    if not known:
        raise UsageError(f"unknown option --{flag}: {_instead(flag, [*switches, *values])}")
    given: str | None = value if equals else (rest.pop(0) if rest and not rest[0].startswith("--") else None)
    if "." in key or key in SHORT_FLAGS:
        words.settings.append((SHORT_FLAGS.get(key, key), given))
    elif given is None:
        raise UsageError(f"--{flag} needs a value")
    elif key in CHOICES:
        words.names[key] = given
    elif flag == "after" and flag in words.values:
        words.values[flag] += f" {given}"
    else:
        words.values[flag] = given


def layers_of(catalog: Catalog, task: str, words: Words) -> list[Layer]:
    """Preset, file and flags as layers, lowest first."""
    if "on" in words.values:  # which train and queue have done elsewhere, before they are imported
        raise UsageError("--on NAME goes with dlkit train and dlkit queue: there, dlkit itself does the rest")
    file = Path(words.values["config"]) if "config" in words.values else None
    return typed_layers(catalog, task, Typed(words.values.get("preset"), file, words.names, words.settings))
