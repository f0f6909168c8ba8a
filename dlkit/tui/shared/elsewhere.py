"""What a form or a screen needs to know of other machines."""

from __future__ import annotations

from pathlib import Path

from dlkit.errors import RunError, UsageError
from dlkit.folders import has_file, settings
from dlkit.jobs.handover import HandedOver
from dlkit.monitor.form import Checked
from dlkit.runs import mirrors
from dlkit.runs.folder import RunFolder

HERE = "this machine"


def machines() -> list[str]:
    """This one, and those that somebody has named; this one alone, where their file makes no sense."""
    if not has_file(settings(), "remotes.toml"):
        return [HERE]
    from dlkit.remote.defined import remotes

    try:
        return [HERE, *remotes()]
    except UsageError:
        return [HERE]


def hand_in_there(checked: Checked, workspace: Path, name: str, *, queued: bool) -> HandedOver:
    """Have another machine start a form's run, by the command that does it there. DlkitError says why not."""
    from dlkit.remote.defined import remote
    from dlkit.remote.orders import document

    if checked.plan is not None:
        raise UsageError(f"a study is begun where it runs: on {name} itself")
    words = checked.words(workspace, queued=queued)
    if "--workspace" in words:
        at = words.index("--workspace")
        del words[at : at + 2]
    told = document(remote(name), words)
    run = str(told.get("run", ""))
    if not mirrors.RUN.fullmatch(run):
        raise RunError(f"{name}: said nothing of a run")
    return HandedOver(RunFolder(mirrors.folder(f"{name}:{run}")), queued, f"on {name}")
