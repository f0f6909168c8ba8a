"""``dlkit service install | uninstall | status``: jobs that go on by themselves when the machine has come back."""

from __future__ import annotations

import shlex
from collections.abc import Callable
from pathlib import Path
from typing import TYPE_CHECKING

from dlkit.cli.parser import HELP, Parser, asks_for_help
from dlkit.errors import RunError, UsageError, nearest, refused
from dlkit.present.output import print_json, print_result, say
from dlkit.runs.workspace import locate

if TYPE_CHECKING:
    from dlkit.jobs.service.unit import Manager, Unit

_USAGE = """usage: dlkit service install | uninstall | status

  install    have the workspace's jobs go on when the machine has come back
  uninstall  no longer; jobs that are going go on
  status     whether it is installed and alive, and what it left as it was

After a power cut, queued and detached jobs that were going go on from their last checkpoints, exactly. What a person
stopped, paused or killed before stays as it is. It is the user's own service: systemd on Linux, launchd on macOS."""


def main(argv: list[str]) -> int:
    if argv and argv[0] in ACTIONS:
        return ACTIONS[argv[0]](argv[1:])
    unknown = f"no dlkit service {argv[0]!r}: {nearest(argv[0], ACTIONS)}" if argv and argv[0] not in HELP else ""
    if unknown and not asks_for_help(argv):
        raise UsageError(unknown)
    print_result(_USAGE)
    if unknown:
        say(f"note: {unknown}")
    return 0


def _install(argv: list[str]) -> int:
    from dlkit.jobs.service.managers import manager
    from dlkit.jobs.service.unit import asked, unit_of

    parser = Parser("service install", "Have the workspace's jobs go on by themselves when the machine has come back.")
    parser.add_argument(
        "--dry-run", action="store_true", help="the unit's file on stdout, what would be done on stderr"
    )
    options = parser.with_workspace().with_json().parse_args(argv)
    there = manager()
    unit = unit_of(locate(options.workspace))
    if options.dry_run:
        _plan(there, unit, "install", as_json=options.json)
        return 0
    if not unit.workspace.is_dir():
        raise UsageError(f"no workspace {unit.workspace}: the first run makes one")
    _check(there, unit)
    earlier = _begin_list(unit.workspace)
    _write(there, unit)
    try:
        for command in there.commands_to_install(unit):
            asked(command)
    except RunError:
        there.path(unit).unlink(missing_ok=True)  # half installed would be neither
        raise
    if earlier:
        say(f"{earlier} interrupted run(s) of before stay as they are: dlkit resume RUN")
    _say_when(there)
    if options.json:
        print_json(_document(there, unit))
    else:
        print_result(f"{unit.name}: installed for {unit.workspace}")
    return 0


def _check(there: Manager, unit: Unit) -> None:
    """RunError where nothing can be installed, with what does the same by other means."""
    if why := there.missing():
        words = shlex.join(["env", *(f"{key}={value}" for key, value in unit.environment.items()), *unit.command])
        # In a crontab % means the end of a line.
        line = f"@reboot {words}".replace("%", "\\%")
        raise RunError(
            f"{why}. Whatever starts this with the machine does the same, a line of `crontab -e` say:\n  {line}"
        )


def _begin_list(workspace: Path) -> int:
    """Say which jobs are going now, where no service has yet; how many runs are interrupted already."""
    from dlkit.jobs.queue_state import QueueState
    from dlkit.jobs.service.memory import process_of, remembered

    memory = remembered(workspace)
    if memory.seen or process_of(workspace) is not None:
        return 0
    queue = QueueState(workspace)
    queue.refresh()
    memory.going = dict.fromkeys((name for name in queue.live() if queue.state(name) == "running"), 0.0)
    try:
        memory.write()
    except OSError as error:
        raise RunError(f"{workspace}: {refused(error)}") from error
    return len(queue.interrupted())


def _write(there: Manager, unit: Unit) -> None:
    from dlkit.runs import opening

    path = there.path(unit)
    try:
        path.parent.mkdir(parents=True, exist_ok=True)
        opening.replace(path, there.text(unit))
        path.chmod(0o600)  # what it carries of the environment is its owner's: an address with a password, say
    except OSError as error:
        raise RunError(f"{path}: {refused(error)}") from error


def _say_when(there: Manager) -> None:
    """When it starts, and the command that has it start with the machine; nothing of that is done silently."""
    from dlkit.jobs.logind import at_logout

    if there.kind == "launchd":
        say("it starts when you log in (System Settings has automatic login); macOS starts no user's service before")
    elif not at_logout().lingers:
        say("it starts when you log in, and ends with your last login")
        say("  loginctl enable-linger      has it start with the machine, and stay")


def _uninstall(argv: list[str]) -> int:
    from dlkit.jobs.service.managers import manager
    from dlkit.jobs.service.unit import answer, unit_of

    parser = Parser("service uninstall", "Nothing goes on by itself any more; jobs that are going go on.")
    parser.add_argument("--dry-run", action="store_true", help="say what would be taken away, and take away nothing")
    options = parser.with_workspace().with_json().parse_args(argv)
    there = manager()
    unit = unit_of(locate(options.workspace))
    if not there.state(unit).installed:
        raise UsageError(f"no service is installed for {unit.workspace}: there is no {there.path(unit)}")
    if options.dry_run:
        _plan(there, unit, "uninstall", as_json=options.json)
        return 0
    for command in there.commands_to_remove(unit):
        code, words = answer(command)
        if code:  # a manager that is not there starts nothing either
            say(f"note: {shlex.join(command)}: {words}")
    try:
        there.path(unit).unlink()
        (unit.workspace / "service.json").unlink(missing_ok=True)
    except OSError as error:
        raise RunError(refused(error)) from error
    if options.json:
        print_json(_document(there, unit))
    else:
        print_result(f"{unit.name}: uninstalled")
    return 0


def _plan(there: Manager, unit: Unit, action: str, *, as_json: bool) -> None:
    """What would be done: to programs as a document; else the unit's file alone on stdout."""
    installs = action == "install"
    commands = there.commands_to_install(unit) if installs else there.commands_to_remove(unit)
    text = there.text(unit).decode()
    if as_json:
        plan = {"unit": unit.name, "path": str(there.path(unit)), "text": text, "commands": commands}
        print_json({"would": action, **plan})
        return
    say(f"would {'write' if installs else 'delete'} {there.path(unit)}")
    for command in commands:
        say(f"would call {shlex.join(command)}")
    if installs:
        print_result(text, end="")


def _status(argv: list[str]) -> int:
    from dlkit.jobs.service.managers import manager
    from dlkit.jobs.service.unit import unit_of

    parser = Parser("service status", "Whether jobs go on by themselves, and what was left as it was, and why.")
    options = parser.with_workspace().with_json().parse_args(argv)
    there = manager()
    document = _document(there, unit_of(locate(options.workspace)))
    if options.json:
        print_json(document)
    else:
        print_result("\n".join(_lines(document)))
    return 0


def _document(there: Manager, unit: Unit) -> dict[str, object]:
    from dlkit.jobs.logind import at_logout
    from dlkit.jobs.service.memory import process_of, remembered

    memory, state = remembered(unit.workspace), there.state(unit)
    return {
        "workspace": str(unit.workspace),
        "manager": there.kind,
        "unit": unit.name,
        "path": str(there.path(unit)),
        **state._asdict(),
        "process": process_of(unit.workspace),
        "lingers": at_logout().lingers if there.kind == "systemd" else None,
        "going": sorted(memory.going),
        "left": [{"run": name, "why": why} for name, why in sorted(memory.left.items())],
    }


def _lines(told: dict[str, object]) -> list[str]:
    if not told["installed"]:
        alive = f"; process {told['process']} was started by hand" if told["process"] else ""
        return [f"no service for {told['workspace']}{alive}: dlkit service install"]
    state = f"alive (process {told['process']})" if told["process"] else "not running now"
    lines = [f"{told['unit']}: installed, {state}", f"  {told['path']}"]
    if not told["current"]:
        lines.append("  it was written for another Python, environment or dlkit: dlkit service install writes it anew")
    if not told["starts"]:
        lines.append("  it does not start by itself: dlkit service install")
    if told["lingers"] is False:
        lines.append("  it starts when you log in: loginctl enable-linger has it start with the machine")
    left = told["left"]
    assert isinstance(left, list)
    return [*lines, *(f"  left: {one['run']}: {one['why']}" for one in left)]


ACTIONS: dict[str, Callable[[list[str]], int]] = {"install": _install, "uninstall": _uninstall, "status": _status}
