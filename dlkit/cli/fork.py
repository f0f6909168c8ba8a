"""``dlkit fork RUN[@STEP|@best] …``: a new run that begins with the whole state of a checkpoint."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from pathlib import Path

from dlkit.catalog import Catalog
from dlkit.cli.flags import SWITCHES as SHARED
from dlkit.cli.flags import VALUES, Words, split_words
from dlkit.cli.parser import HELP, asks_for_help
from dlkit.config import CHOICES, Layer
from dlkit.config_file import Typed, typed_layers
from dlkit.errors import DlkitError, UsageError
from dlkit.jobs.forking import Plan, plan
from dlkit.present.numbers import size
from dlkit.present.output import print_json, print_result, say
from dlkit.present.runs import change
from dlkit.runs.checkpoints import Checkpoint
from dlkit.runs.init_from import named_checkpoint
from dlkit.runs.stored import readable, stored_config
from dlkit.runs.workspace import locate

SWITCHES = {
    "detach": "train in a process of its own, which outlives this terminal; print the run's id at once",
    "queue": "train when a device is free; print the run's id at once",
    "urgent": SHARED["urgent"],
    "allow-inexact": "change also what not all of the state fits",
    "dry-run": "say what would be done, and what of the state would fit; make nothing",
    "json": "one JSON event a line on stdout; with --dry-run one document",
    "offline": "never use the network",
    "quiet": "nothing on stderr but what goes wrong, or is dropped",
    "help": "show this; after RUN: which of its options may be changed",
}
TAKEN = {name: VALUES[name] for name in ("name", "priority", "after", "at", "workspace")}
USAGE = "\n".join([
    "usage: dlkit fork RUN[@STEP|@best|@last] [OPTION VALUE …]",
    "",
    "A new run that begins with the whole state of a checkpoint (the last, unless another is named): weights,",
    "optimizer, average, generators, position; from there on with the settings that are given. With none, its end is",
    "the parent's, bit for bit. The parent may go: nothing of the new run lies in its folder.",
    "",
    *(f"  --{flag:20} {text}" for flag, text in SWITCHES.items()),
    *(f"  --{flag + ' ' + what:20} {text}" for flag, (what, text) in TAKEN.items()),
    "",
    "and what is to be otherwise, as for dlkit train: --lr, --epochs, --SECTION.FIELD VALUE, --loss NAME …",
    "dlkit fork RUN --help says which of a run's options fit the state, and which need --allow-inexact.",
])  # fmt: skip
_HEADS = {
    "exact": "may be changed: the state goes on as it is",
    "inexact": "may be changed with --allow-inexact: not all of the state fits",
    "never": "cannot be changed: nothing of the state would fit",
}


def main(argv: list[str]) -> int:
    if asks_for_help(argv):
        return _help([word for word in argv if word not in HELP])
    words = split_words(argv, switches=SWITCHES, values=TAKEN)
    workspace = locate(words.values.get("workspace"))
    catalog = Catalog.load_everything()
    planned = plan(
        catalog,
        _chosen(words.positional, workspace),
        lambda task, names: _layer(catalog, task, names, words),
        allow_inexact="allow-inexact" in words.switches,
        say=say,
    )
    if "dry-run" in words.switches:
        _tell(planned, as_json="json" in words.switches)
        return 0
    return _fork(catalog, planned, workspace, words)


def _chosen(positional: Sequence[str], workspace: Path) -> Checkpoint:
    if len(positional) != 1:
        raise UsageError(
            f"{'which run?' if not positional else f'unexpected {positional[1]!r}.'}\n  {USAGE.splitlines()[0]}"
        )
    return named_checkpoint(positional[0], workspace, "fork", "last")


def _layer(catalog: Catalog, task: str, names: Mapping[str, str], words: Words) -> Layer | None:
    """The settings of the line, over the components that the parent has."""
    if not words.names and not words.settings:
        return None
    typed = Typed(names={**{part: names[part] for part in CHOICES}, **words.names}, settings=words.settings)
    (layer,) = typed_layers(catalog, task, typed)
    return Layer("flag", layer.values)


def _fork(catalog: Catalog, planned: Plan, workspace: Path, words: Words) -> int:
    from dlkit.cli.launching import how_to, show
    from dlkit.data.context import silent
    from dlkit.jobs import launch

    how = how_to(
        workspace,
        detach="detach" in words.switches,
        queue="queue" in words.switches,
        priority=words.values.get("priority"),
        after=words.values.get("after", "").split(),
        cpu_slots=None,
        offline="offline" in words.switches,
        urgent="urgent" in words.switches,
        at=words.values.get("at"),
    )
    quiet, as_json = "quiet" in words.switches, "json" in words.switches
    if not quiet and not as_json:
        say(_summary(planned))
    talk = silent if quiet else say
    launched = launch.fork(catalog, planned, workspace, how, name=words.values.get("name", ""), say=talk)
    return show(launched, as_json=as_json, quiet=quiet)


def _tell(planned: Plan, *, as_json: bool) -> None:
    chosen = planned.chosen
    if not as_json:
        print_result(_summary(planned))
        return
    fits = [{"key": c.key, "before": c.before, "now": c.now, "fit": c.fit, "why": c.why} for c in planned.changes]
    print_json(
        {
            "parent": planned.parent.id,
            "step": chosen.step,
            "epoch": chosen.manifest.epoch + 1,
            "sha256": chosen.sha256,
            "bytes": chosen.size,
            "exact": not planned.inexact,
            "changes": fits,
        }
    )


def _summary(planned: Plan) -> str:
    """What is forked, where, and with what: said before anything starts."""
    chosen, total = planned.chosen, readable(planned.parent).get("total_steps")
    of = f" of {total}" if total is not None else ""
    about = f"epoch {chosen.manifest.epoch + 1}{', the best' if chosen.manifest.best else ''}, {size(chosen.size)}"
    head = f"fork of {planned.parent.id} at step {chosen.step}{of} ({about})"
    lines = [f"  {change(c.key, (c.before, c.now))}{f' (inexact: {c.why})' if c.why else ''}" for c in planned.changes]
    return "\n".join([head, *(lines or ["  nothing is changed: its end is the parent's, bit for bit"])])


def _help(words: list[str]) -> int:
    """Of a run: every option by how it fits; of none: how the command is used."""
    problems: list[str] = []
    found = split_words(words, problems, switches=SWITCHES, values=TAKEN)
    print_result(USAGE)
    try:
        if found.positional:
            print_result(f"\n{_options(_chosen(found.positional, locate(found.values.get('workspace'))))}")
    except DlkitError as error:
        problems.append(str(error))
    for problem in problems:
        say(f"note: {problem}")
    return 0


def _options(chosen: Checkpoint) -> str:
    from dlkit.jobs.forkable import fits
    from dlkit.jobs.forking import parent_of

    catalog, parent = Catalog.load_everything(), parent_of(chosen)
    resolved = stored_config(catalog, parent, readable(parent))
    by_fit: dict[str, list[str]] = {fit: [] for fit in _HEADS}
    for key, fit in fits(catalog, resolved.task.name, {p: spec.name for p, spec in resolved.specs.items()}).items():
        by_fit[fit].append(key)
    return "\n".join(f"{head}\n{_wrapped(by_fit[fit])}" for fit, head in _HEADS.items() if by_fit[fit])


def _wrapped(keys: Sequence[str], width: int = 110) -> str:
    lines = [" "]
    for key in keys:
        if len(lines[-1]) + len(key) >= width:
            lines.append(" ")
        lines[-1] += f" {key}"
    return "\n".join(lines)
