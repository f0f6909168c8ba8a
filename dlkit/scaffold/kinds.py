"""The kinds of plugins that can be begun: which template, what stands in its place, what to type next."""

from __future__ import annotations

import re
from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from typing import TYPE_CHECKING

from dlkit.catalog import Catalog
from dlkit.errors import UsageError, nearest

if TYPE_CHECKING:
    from dlkit.scaffold.contracts import Contract

Words = Mapping[str, str]


@dataclass(frozen=True)
class Template:
    """A folder of ``templates/`` and what its words become: a word of the template → what is written instead.

    ``needs``: distributions besides dlkit, with their versions.
    """

    folder: str
    words: Words = field(default_factory=dict)
    needs: Words = field(default_factory=dict)


@dataclass(frozen=True)
class Kind:
    """One kind of plugin.

    ``summary`` is what is written for the ``description``; ``change`` says where an author goes on. ``commands`` are
    what to type next, with NAME and TASK in them. ``choose`` finds the template for a task: that of ``--for``, else
    ``task``. Where nothing is said and ``general`` is, that folder is a template for every task; where ``reason`` is,
    none can be named.
    """

    summary: str
    change: str
    commands: tuple[str, ...]
    choose: Callable[[Catalog, str], Template]
    task: str = ""
    general: str = ""
    reason: str = ""

    def template(self, catalog: Catalog, asked: str | None) -> Template:
        """What it is made of. UsageError: no template fits the task."""
        if asked is not None and self.reason:
            raise UsageError(f"--for {asked}: {self.reason}")
        if asked is None and self.general:
            return Template(self.general)
        if asked is None and self.task not in (tasks := [spec.name for spec in catalog.specs("task")]):
            raise UsageError(f"task {self.task!r} is not installed: --for names one that is. {nearest('', tasks)}")
        return self.choose(catalog, asked or self.task)


def _dataset(catalog: Catalog, task: str) -> Template:
    catalog.task(task)  # a UsageError, if there is none
    if task not in _DATASETS:
        raise UsageError(
            f"no template of a data set fits task {task!r}: what one has to tell its models differs from task to task. "
            f"There are templates for {', '.join(_DATASETS)}; docs/authors/components.md says how another is written"
        )
    owner = catalog.owner(catalog.task(task))
    return Template(_DATASETS[task], needs={owner.distribution: owner.version})


_DATASETS = {"classification": "dataset-images", "regression": "dataset-table"}


def _model(catalog: Catalog, task: str) -> Template:
    found = _contract(catalog, task, "model")
    shapes = f"{found.input} {found.task.batch[found.input].text} → {found.output.text}"
    return _written("model", found, {"image float32[N,C,H,W] → float32[N,classes]": shapes})


def _loss(catalog: Catalog, task: str) -> Template:
    found = _contract(catalog, task, "loss")
    if (label := found.classes()) is not None:
        return _written("loss-classes", found, {'"label"': f'"{label}"'})
    if (target := found.numbers()) is not None:
        return _written("loss-numbers", found, {'"target"': f'"{target}"'})
    raise found.no_loss()


def _inference(catalog: Catalog, task: str) -> Template:
    found = _contract(catalog, task)
    if found.of_images():
        return _written("inference-images", found, {'"label"': f'"{found.classes()}"'})
    assert found.output  # a UsageError, if it has several
    return _written("inference-numbers", found, {"features": found.input})


def _trainer(catalog: Catalog, task: str) -> Template:
    from dlkit.scaffold.contracts import check_ordinary

    check_ordinary(catalog, catalog.task(task), "trainer")
    owner = catalog.owner(catalog.task(task))
    return Template("trainer", {'"any"': f'"{task}"', '"regression"': f'"{task}"'}, {owner.distribution: owner.version})


def _contract(catalog: Catalog, task: str, kind: str = "") -> Contract:
    from dlkit.scaffold.contracts import check_ordinary, read_contract

    found = read_contract(catalog, task)
    if kind:
        check_ordinary(catalog, catalog.task(task), kind)
    return found


def _written(folder: str, found: Contract, words: Words) -> Template:
    """A template in which the task's names stand for those of the task that it was written for."""
    own = "Regression" if folder in ("loss-numbers", "inference-numbers") else "Classification"
    package = f"dlkit_{own.lower()}"
    names = {
        f"{package}.info": found.info.__module__,
        f"{own}Info": found.info.__name__,
        f"{package}.task": found.task.__module__,
        own: found.task.__name__,
        f'"{own.lower()}"': f'"{found.name}"',
    }
    return Template(folder, {**names, **words}, {found.distribution: found.version})


KINDS: Mapping[str, Kind] = {
    "task": Kind(
        "The flight of a ball, from how it is thrown",
        "Three files make a task: `plugin.py` says what there is, `task.py` what data set, model and predictor agree "
        "on and which options they have, `parts.py` is the code. Put your own data where `throws` draws some, and say "
        "in `task.py` what a batch of them holds.",
        ("dlkit train NAME", "dlkit predict last 45,15,9.81"),
        _dataset,
        general="task",
        reason="a task is one of its own; --kind names what can be added to another",
    ),
    "dataset": Kind(
        "A data set, drawn at random",
        "`data.py` draws the data: put your own in their place. What `info` says of them goes into every checkpoint.",
        ("dlkit data show TASK --dataset NAME", "dlkit train TASK --dataset NAME", "dlkit sample last"),
        _dataset,
        task="classification",
    ),
    "model": Kind(
        "Fully connected layers with skips",
        "`model.py` is the network: any `torch.nn.Module` that takes the task's inputs and gives its outputs.",
        ("dlkit train TASK --model NAME", "dlkit sample last"),
        _model,
        task="classification",
    ),
    "loss": Kind(
        "A loss",
        "`loss.py` is what is minimised: a function of outputs and batch that gives scalars by name, with a `loss`.",
        ("dlkit train TASK --loss NAME", "dlkit sample last"),
        _loss,
        task="classification",
    ),
    "trainer": Kind(
        "Lion, an update rule",
        "`trainer.py` makes one optimizer step; override `step` itself where gradients are not all there is to it.",
        ("dlkit train TASK --trainer NAME", "dlkit sample last"),
        _trainer,
        general="trainer",
    ),
    "inference": Kind(
        "A predictor",
        "`predictor.py` asks the model: what it may be asked, what it answers, and what people see of it.",
        ("dlkit train TASK --inference NAME", "dlkit sample last"),
        _inference,
        task="classification",
    ),
    "launcher": Kind(
        "A launcher: jobs of low priority",
        "`launcher.py` gives the command that runs a job's processes: `sbatch`, `ssh`, a container.",
        ("dlkit train TASK --launcher NAME --detach", "dlkit wait last"),
        _trainer,
        general="launcher",
        reason="a launcher starts the processes of every task's runs",
    ),
    "observer": Kind(
        "An observer: a line for every run that has ended",
        "`plugin.py` is told of every event of every run; `diary.py` writes those down that end one.",
        ("dlkit train TASK", "cat workspace/NAME.csv"),
        _trainer,
        general="observer",
        reason="an observer is told of every task's runs",
    ),
}
"""By the word of ``--kind``; the first is what is made where nothing is said."""


def exchanged(text: str, words: Words) -> str:
    """A text with each of the words exchanged, all at once: none is looked for in what stands for another."""
    if not words:
        return text
    longest_first = sorted(words, key=len, reverse=True)
    pattern = "|".join(rf"(?<!\w){re.escape(word)}(?!\w)" for word in longest_first)
    return re.sub(pattern, lambda found: words[found[0]], text)
