"""The form that starts a run: a task's whole configuration as sections and fields, made from the schema.

A ``Form`` is what somebody has chosen and typed so far, as text; ``dlkit.monitor.form_check`` makes a ``Checked`` of
it, which is what an interface shows.
"""

from __future__ import annotations

import shlex
from collections.abc import Iterator, Mapping
from dataclasses import dataclass, field, replace
from pathlib import Path

from dlkit.config import EXCLUSIVE, SHORT_FLAGS, Resolved
from dlkit.config_file import dashed
from dlkit.jobs.forkable import Change
from dlkit.monitor.choices import Choices
from dlkit.monitor.form_fields import SUBMIT, Field, Section
from dlkit.runs.estimates import Estimate
from dlkit.runs.folder import RunFolder
from dlkit.runs.workspace import usual
from dlkit.studies.planning import Plan

LAUNCHER = "launcher.name"
NAME, PRIORITY, AFTER = (f"{SUBMIT}.{name}" for name in ("name", "priority", "after"))
CHECKPOINT, INEXACT = (f"{SUBMIT}.{name}" for name in ("checkpoint", "allow_inexact"))
LABELS = {"dataset": "data set"}
"""Parts whose name is not what they are called."""


def partners(key: str) -> tuple[str, ...]:
    """The options that cannot be given together with this one."""
    groups = [tuple(f"engine.{name}" for name in group) for group in EXCLUSIVE]
    return tuple(other for group in groups if key in group for other in group if other != key)


@dataclass(frozen=True)
class Fork:
    """What a form forks: a run that has checkpoints of these steps, the newest last."""

    run: RunFolder
    steps: tuple[int, ...]

    def step_of(self, settings: Mapping[str, str]) -> int:
        """The checkpoint that is chosen."""
        return int(settings.get(CHECKPOINT) or self.steps[-1])


@dataclass(frozen=True)
class Form:
    """What somebody asks for. ``names``: the components chosen by hand; ``settings``: texts by dotted key; ``fork``:
    what it goes on from, where it makes a fork."""

    task: str
    preset: str = ""
    names: Mapping[str, str] = field(default_factory=dict)
    settings: Mapping[str, str] = field(default_factory=dict)
    fork: Fork | None = None
    estimate: Estimate | None = field(default=None, compare=False)
    """What is known of how long it takes, for the run's record."""

    def choose(self, part: str, name: str) -> Form:
        """Take a component; an empty name leaves the choice to preset, model and task."""
        others = {p: n for p, n in self.names.items() if p != part}
        return replace(self, names={**others, part: name} if name else others)

    def set(self, key: str, text: str) -> Form:
        """Type something into a field; of epochs and steps, the other one is emptied."""
        if key == LAUNCHER:
            return self.choose("launcher", text)
        others = partners(key) if text else ()
        return replace(self, settings={**{k: t for k, t in self.settings.items() if k not in others}, key: text})

    def reset(self, key: str) -> Form:
        """Back to the default."""
        if key == LAUNCHER:
            return self.choose("launcher", "")
        return replace(self, settings={k: text for k, text in self.settings.items() if k != key})


@dataclass(frozen=True)
class Part:
    """A component to be chosen: ``automatic`` is what it would be had nobody chosen it, ``origin`` who chose it."""

    name: str
    chosen: str
    automatic: str
    origin: str
    summary: str
    choices: Choices

    @property
    def label(self) -> str:
        return LABELS.get(self.name, self.name)


@dataclass(frozen=True)
class DataNeed:
    """What the chosen data set still lacks: sources to be fetched, their bytes. ``state`` as ``data_state`` has it."""

    state: str = "embedded"
    sources: tuple[str, ...] = ()
    size: int = 0


@dataclass(frozen=True)
class Checked:
    """A form as it is shown. ``form`` lacks what its components no longer have; ``dropped`` names that.

    ``general``: problems that belong to no field. ``resolved`` is there if there is no problem at all.
    """

    asked: Form
    form: Form
    title: str = ""
    summary: str = ""
    presets: Choices = ()
    parts: tuple[Part, ...] = ()
    sections: tuple[Section, ...] = ()
    general: tuple[str, ...] = ()
    dropped: tuple[str, ...] = ()
    data: DataNeed = field(default_factory=DataNeed)
    resolved: Resolved | None = None
    varied: tuple[str, ...] = ()
    """Lists of numbers, ``KEY=VALUES`` as a study has them, ``engine.seed`` among them; then there is a ``plan``."""
    plan: Plan | None = None
    changes: tuple[Change, ...] = ()
    """Of a fork: what it has otherwise than its parent."""

    def fields(self) -> Iterator[Field]:
        for section in self.sections:
            yield from section.fields

    @property
    def runs(self) -> int:
        """How many it starts."""
        return self.plan.trials if self.plan is not None else 1

    @property
    def problems(self) -> int:
        return len(self.general) + sum(bool(found.problem) for found in self.fields())

    @property
    def priority(self) -> int:
        """Its place in the queue; 0 while it is not a number."""
        text = self.form.settings.get(PRIORITY, "").strip()
        return int(text) if is_whole(text) else 0

    @property
    def after(self) -> list[str]:
        """Runs that must be completed before, as they were named."""
        return self.form.settings.get(AFTER, "").split()

    @property
    def name(self) -> str:
        return self.form.settings.get(NAME, "").strip()

    def command(self, workspace: Path, *, queued: bool = False, tool: str = "dlkit", here: bool = False) -> str:
        """The command line that does the same, with what differs from the defaults, quoted for a shell. ``here``: in
        the foreground, where one sees it."""
        return f"{tool} {shlex.join(self.words(workspace, queued=queued, here=here))}"

    @property
    def ready(self) -> str:
        """What would be started, in a few words."""
        if self.form.fork is None:
            return f"ready: {self.runs} runs, queued" if self.plan is not None else "ready"
        if not self.changes:
            return "fork: nothing changed"
        exact = all(change.fit == "exact" for change in self.changes)
        return f"fork: {len(self.changes)} changed, {'exact' if exact else 'inexact'}"

    def words(self, workspace: Path, *, queued: bool = False, here: bool = False) -> list[str]:
        if self.form.fork is not None:
            return [*self._fork_words(self.form.fork), *self._how(workspace, queued=queued, here=here, study=False)]
        shorts = {full: short for short, full in SHORT_FLAGS.items()}
        varied = dict(word.partition("=")[::2] for word in self.varied)
        words = ["study" if varied else "train", self.form.task]
        words += _flag("preset", self.form.preset) if self.form.preset else ()
        for part, name in self.form.names.items():
            words += _flag(part, name)
        for found in self.fields():
            if found.key in varied:
                continue
            if found.changed and found.key != LAUNCHER and not found.key.startswith(SUBMIT):
                words += _flag(dashed(shorts.get(found.key, found.key)), found.text)
        words += _flag("name", self.name) if self.name else ()
        for key, texts in varied.items():
            short = dashed(shorts.get(key, key))
            words += _flag("seeds", texts) if key == "engine.seed" else _flag("vary", f"{short}={texts}")
        return [*words, *self._how(workspace, queued=queued, here=here, study=bool(varied))]

    def _how(self, workspace: Path, *, queued: bool, here: bool, study: bool) -> list[str]:
        words: list[str] = []
        if not here:
            words += ["--yes", "--detach"] if study else ["--queue"] if queued else ["--detach"]
        if queued and not study:
            words += _flag("priority", str(self.priority)) if self.priority else ()
            words += [word for run in self.after for word in _flag("after", run)]
        same = workspace.resolve() == usual().resolve()
        return words if same else [*words, *_flag("workspace", str(workspace))]

    def _fork_words(self, fork: Fork) -> list[str]:
        """What differs from the parent, and of a component that takes another's place, what is not its default."""
        shorts = {full: short for short, full in SHORT_FLAGS.items()}
        words = ["fork", f"{fork.run.id}@{fork.step_of(self.form.settings)}"]
        keys = {change.key for change in self.changes}
        replaced = {key.partition(".")[0] for key in keys if key.endswith(".name")}
        for part in sorted(replaced):
            words += _flag(part, str(next(c.now for c in self.changes if c.key == f"{part}.name")))
        for found in self.fields():
            section, _, name = found.key.partition(".")
            other = not found.text and any(key in keys for key in partners(found.key))  # it goes where that is given
            if name != "name" and not other and (found.key in keys or (section in replaced and found.changed)):
                words += _flag(dashed(shorts.get(found.key, found.key)), found.text or "none")
        words += ["--allow-inexact"] if any(change.fit == "inexact" for change in self.changes) else []
        return [*words, *(_flag("name", self.name) if self.name else ())]


def _flag(flag: str, value: str) -> list[str]:
    return [f"--{flag}={value}"] if value.startswith("--") else [f"--{flag}", value]


def is_whole(text: str) -> bool:
    """Whether a text is a whole number."""
    return text.removeprefix("-").isdecimal()
