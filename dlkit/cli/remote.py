"""``dlkit remote add | list | check | remove``: other machines by ssh; and ``serve``, which their dlkit is asked by."""

from __future__ import annotations

import time
from collections.abc import Callable

from dlkit.cli.parser import Parser, asks_for_help
from dlkit.errors import DlkitError, RunError, UsageError, nearest
from dlkit.present.output import print_json, print_result, say
from dlkit.present.table import table
from dlkit.remote.defined import COMMAND, FORM, Remote, add, parsed, remote, remotes, remove
from dlkit.runs import mirrors

_USAGE = f"""usage: dlkit remote add NAME {FORM.partition(",")[0]} [--command WORDS] [--port N]
       dlkit remote list | check [NAME …] | remove NAME

  add     name another machine; nothing is connected to yet
  list    those that there are, and when they were last heard
  check   connect, and say what is there or what is wrong
  remove  forget one, and the copies of its runs; nothing happens over there

Their runs stand in the lists as NAME:RUN, which commands take for RUN; dlkit train TASK --on NAME trains there.
What is needed: ssh HOST without a password, and dlkit there. No server, no port."""


def main(argv: list[str]) -> int:
    if argv[:1] == ["serve"]:
        from dlkit.remote.far import main as serve

        return serve()
    if not argv or argv[0] in ("-h", "--help") or (argv[0] not in ACTIONS and asks_for_help(argv)):
        print_result(_USAGE)
        return 0
    if argv[0] not in ACTIONS:
        raise UsageError(f"no dlkit remote {argv[0]!r}: {nearest(argv[0], ACTIONS)}")
    return ACTIONS[argv[0]](argv[1:])


def _add(argv: list[str]) -> int:
    parser = Parser("remote add", "Name another machine, in your own configuration: remotes.toml.")
    parser.add_argument("name", metavar="NAME", help="what you call it")
    parser.add_argument("address", metavar="USER@HOST:WORKSPACE", help="for ssh; the folder from your home there on")
    parser.add_argument(
        "--command",
        metavar="WORDS",
        default=COMMAND,
        help="what runs dlkit there, where dlkit is not on the PATH: '~/venv/bin/dlkit'",
    )
    parser.add_argument("--port", type=int, metavar="N", help="of its sshd, if ssh's own configuration does not say it")
    options = parser.with_json().parse_args(argv)
    found = parsed(options.name, options.address, options.command, options.port)
    add(found)
    if options.json:
        print_json(_told(found))
    else:
        say(f"{found.name}: {found.address}; dlkit remote check {found.name} connects to it")
    return 0


def _list(argv: list[str]) -> int:
    options = Parser("remote list", "The machines that there are.").with_json().parse_args(argv)
    found = remotes()
    if options.json:
        print_json([_told(one) for one in found.values()])
    elif not found:
        say(f"no remotes: dlkit remote add NAME {FORM}")
    else:
        rows = [(one.name, one.address, one.command, mirrors.silence(one.name) or "heard just now") for one in
                found.values()]  # fmt: skip
        print_result(table(("name", "address", "command", "heard"), rows))
    return 0


def _told(one: Remote) -> dict[str, object]:
    return {**one._asdict(), "heard": mirrors.heard(one.name)}


def _check(argv: list[str]) -> int:
    parser = Parser("remote check", "Connect, and say what is there or what is wrong.")
    parser.add_argument("names", metavar="NAME", nargs="*", help="default: all")
    options = parser.with_json().parse_args(argv)
    found = [remote(name) for name in options.names] or list(remotes().values())
    if not found:
        raise UsageError(f"no remotes: dlkit remote add NAME {FORM}")
    told = []
    for one in found:
        told.append(_checked(one))
        if not options.json:
            error = told[-1]["error"]
            (say if error else print_result)(str(error) if error else _line(told[-1]))
    if options.json:
        print_json(told)
    bad = [str(one["name"]) for one in told if one["error"]]
    if bad and not options.json:
        raise RunError(f"{', '.join(bad)}: not reached, or not usable")
    return 1 if bad else 0


def _checked(one: Remote) -> dict[str, object]:
    from dlkit.remote.connection import Connection
    from dlkit.remote.mirror import Mirror

    keeper, began, error = Mirror(one), time.monotonic(), ""
    with Connection(one) as connection:
        try:
            keeper.refresh(connection)
        except DlkitError as problem:
            error = str(problem)
            keeper.note_trouble(error)
    return {
        "name": one.name,
        "address": one.address,
        "dlkit": connection.version,
        "host": connection.host,
        "runs": len(keeper.told) if not error else None,
        "seconds": round(time.monotonic() - began, 3),
        "error": error,
    }


def _line(told: dict[str, object]) -> str:
    return "{name}: dlkit {dlkit} on {host}, {runs} runs, answered in {seconds} s".format(**told)


def _remove(argv: list[str]) -> int:
    parser = Parser("remote remove", "Forget a machine, and the copies of its runs; nothing happens over there.")
    parser.add_argument("name", metavar="NAME")
    options = parser.with_json().parse_args(argv)
    found = remove(options.name)
    if options.json:
        print_json(_told(found))
    else:
        say(f"{found.name}: forgotten")
    return 0


ACTIONS: dict[str, Callable[[list[str]], int]] = {"add": _add, "list": _list, "check": _check, "remove": _remove}
