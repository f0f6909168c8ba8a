"""``dlkit queue settings``: how a machine is shared between jobs, workspaces and people."""

from __future__ import annotations

from pathlib import Path

from dlkit.cli.parser import Parser
from dlkit.durations import seconds
from dlkit.errors import UsageError
from dlkit.present.numbers import duration
from dlkit.present.output import print_json, print_result
from dlkit.runs.workspace import locate

NONE = "none"


def main(argv: list[str]) -> int:
    from dlkit.jobs.shares import change, change_person

    parser = Parser("queue settings", "Show how devices are shared, or change it; a scheduler that runs takes it over.")
    parser.add_argument("--cpu-slots", type=int, metavar="N", help="how many jobs may share the CPU")
    parser.add_argument("--quota", metavar="N|none", help="how many devices and CPU slots this workspace may hold")
    parser.add_argument("--user-quota", metavar="N|none", help="how many you may hold, in all workspaces together")
    parser.add_argument(
        "--turn",
        metavar="TIME|none",
        help="a job that waits for so long gets the device of one no more important that has run for so long (30m)",
    )
    options = parser.with_workspace().with_json().parse_args(argv)
    workspace = locate(options.workspace)
    said: dict[str, int | float | None] = {}
    if options.cpu_slots is not None:
        said["cpu_slots"] = options.cpu_slots
    if options.quota is not None:
        said["quota"] = _count("--quota", options.quota)
    if options.turn is not None:
        said["turn"] = _turn(options.turn)
    if said:
        change(workspace, **said)
    if options.user_quota is not None:
        change_person(_count("--user-quota", options.user_quota))
    _tell(workspace, as_json=options.json)
    return 0


def _count(flag: str, text: str) -> int | None:
    if text == NONE:
        return None
    try:
        return int(text)
    except ValueError as error:
        raise UsageError(f"{flag} {text!r}: must be a whole number, or none") from error


def _turn(text: str) -> float | None:
    if text == NONE:
        return None
    try:
        return seconds(text)
    except ValueError as error:
        raise UsageError(f"--turn {error}, or none") from error


def _tell(workspace: Path, *, as_json: bool) -> None:
    from dlkit.jobs.shares import shares

    found = shares(workspace)
    if as_json:
        quotas = [{"of": quota.whose, "devices": quota.most} for quota in found.quotas]
        print_json({"cpu_slots": found.cpu_slots, "quotas": quotas, "turn": found.turn})
        return
    lines = [f"CPU slots  {found.cpu_slots}"]
    lines += [f"quota      {quota.most} ({quota.whose})" for quota in found.quotas] or ["quota      none"]
    turn = "none: a job runs until it ends, or gives way to an urgent one"
    lines.append(f"turn       {duration(found.turn) if found.turn is not None else turn}")
    print_result("\n".join(lines))
