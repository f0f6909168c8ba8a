"""The entry point: dispatches to one module per command, and owns the exit codes (dlkit.errors)."""

from __future__ import annotations

import gc
import os
import sys
from io import TextIOWrapper
from itertools import pairwise
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from collections.abc import Sequence
    from types import TracebackType

    from dlkit.errors import DlkitError

from dlkit.interpreter import ThisProcess, leave_out_current_folder
from dlkit.openmp import wait_asleep
from dlkit.plain_letters import PLAIN
from dlkit.steering import FitStream

COMMANDS = {
    "tui": "the terminal interface; dlkit alone opens it too",
    "web": "the same interface in a browser on this machine",
    "tasks": "what can be trained",
    "plugins": "installed plugins, and what is wrong with broken ones",
    "new-plugin": "begin a plugin of one's own: a package that can be trained, tested and published as it is",
    "check-plugin": "does a plugin keep its contracts? Rule by rule, with how to mend what is broken",
    "components": "data sets, models, losses, trainers and predictors, with their options",
    "data": "list, get, verify, path, show, example: the data behind the tasks",
    "train": "train a task: here, detached, or when a device is free",
    "queue": "list, run, cancel, priority, settings: jobs that wait for a device",
    "service": "install, uninstall, status: jobs go on by themselves when the machine has come back",
    "study": "vary settings, train every combination, say which is better and whether that is more than luck",
    "resume": "go on with a run from its last checkpoint, exactly",
    "fork": "a new run with the whole state of a checkpoint, and other settings from there on",
    "reproduce": "train a run again from its record, and prove it equal or say what differs first",
    "runs": "list runs",
    "watch": "attach to a run: progress, metrics, samples and log as they come; Ctrl-C detaches",
    "wait": "until runs have ended, wherever they are trained; the exit code says how",
    "stop": "end a running job after its step, checkpoint written",
    "pause": "have a running job wait; it keeps its device, or with --release gives it back",
    "unpause": "have a paused job go on",
    "set": "change an option of a running job: set RUN trainer.lr 0.01",
    "ask": "have a running job make samples or a checkpoint now",
    "show": "one run: state, metrics, configuration, checkpoints, samples",
    "explain": "why a run failed, why it is slow, whether it is any good; what says so, and what to type",
    "compare": "runs side by side: what differs, and how they ended",
    "report": "a run, several, or a study as one page: curves, samples, configuration, how to make it again",
    "evaluate": "measure a run's best checkpoint on a split (default: test)",
    "predict": "ask a trained model",
    "sample": "see what a trained model does",
    "export": "write what a trained model knows into files for other programs",
    "serve": "answer over HTTP: a page to try a trained model, and an interface for programs",
    "rename": "give a run a name",
    "tag": "give a run tags: baseline, paper; runs tag:baseline finds it again",
    "note": "write down what you think of a run; it stays with it",
    "remove": "delete a run",
    "clean": "free disk space: old checkpoints, interrupted runs",
    "remote": "add, list, check, remove: other machines by ssh, whose runs stand in the same lists",
    "completion": "bash, zsh, fish: what the shell needs to complete commands, options and runs",
    "doctor": "versions, devices, workspace, plugins: is everything in order?",
}

_FIRST = ("tui", "tasks", "train", "watch", "runs", "show", "compare", "predict", "stop", "resume", "doctor")
"""What one needs in the first hour: ``--help`` tells of these, ``--help all`` of every command."""
_LOADING = (
    "train",
    "resume",
    "fork",
    "reproduce",
    "evaluate",
    "predict",
    "sample",
    "export",
    "doctor",
    "data show",
    "plugins --check",
)
"""What loads torch, which takes seconds: the first sign of life must not wait for it."""
_BRIEF = ("runs", "help", "--help", "-h")
"""What ends before there is anything to collect: to look for it takes 2 ms of ``runs``, and 1 ms of ``--help``."""
SAFE = "--safe-mode"
_FOR_ALL = ("DLKIT_SAFE_MODE", "DLKIT_WORKSPACE", "DLKIT_USUAL_WORKSPACE")
"""What options that every command takes set for the time of the command."""
_SILENT = ("--json", "--quiet", "--help", "-h", "--print-config", "--dry-run", "--queue", "--detach")
"""Words with which torch is not loaded, or nothing is said meanwhile."""

_HEAD = (
    "usage: dlkit COMMAND …      (dlkit COMMAND --help: its options)\n\nTrain deep-learning tasks from the terminal.\n"
)
_TAIL = """
RUN is a run's id, its unique beginning or end, its name, last, last~N, TASK@best, or its folder.
Every command that reads takes --json.
The workspace is --workspace DIR (also before COMMAND), else $DLKIT_WORKSPACE, else ./workspace.
--safe-mode, with any command, leaves out every plugin but dlkit's own.

Start with:  dlkit train classification
"""


def main(argv: list[str] | None = None) -> int:
    """Run one command; returns its exit code."""
    wait_asleep()  # here, since commands load torch when they need it, and processes that they start inherit it
    if argv is None:
        if sys.argv[1:2] and sys.argv[1] in _BRIEF:
            gc.disable()
        _prepare_streams()
        leave_out_current_folder()
    before = {name: os.environ.get(name) for name in _FOR_ALL}
    try:
        code = _dispatch(argv)
        if sys.stdout is not None:
            sys.stdout.flush()
        return code
    except BrokenPipeError:  # the reader of our output (head, less) has seen enough, and of what is still buffered too
        os.dup2(os.open(os.devnull, os.O_WRONLY), sys.stdout.fileno())
        return 0
    finally:
        for name, value in before.items():
            os.environ.pop(name, None) if value is None else os.environ.update({name: value})


def _prepare_streams() -> None:
    """This process is dlkit's own: what its streams cannot encode is plain there, and nothing on stderr steers the
    terminal, neither a traceback nor what other packages say."""
    for stream in (sys.stdout, sys.stderr):
        if isinstance(stream, TextIOWrapper):  # else there is none, or somebody's own
            stream.reconfigure(errors=PLAIN)
    ThisProcess.is_command = True
    sys.excepthook = _show_unexpected
    if isinstance(sys.stderr, TextIOWrapper):
        sys.stderr = FitStream(sys.stderr)


def _show_unexpected(kind: type[BaseException], error: BaseException, trace: TracebackType | None) -> None:
    from dlkit.present.output import print_json, say_traceback

    say_traceback(error)
    if wants_json(sys.argv[1:]):
        from dlkit.errors import in_parts, in_words

        print_json({"error": in_parts("internal", in_words(error))}, indent=None)


def _dispatch(argv: list[str] | None) -> int:
    arguments = _for_all_commands(sys.argv[1:] if argv is None else argv)
    if not arguments and sys.stdin.isatty() and sys.stdout.isatty():
        arguments = ["tui"]
    if not arguments or arguments[0] in ("-h", "--help", "help"):
        print(_help([*COMMANDS] if arguments[1:] == ["all"] else _FIRST))
        return 0
    if arguments[0] in ("-V", "--version", "version"):
        from dlkit import __version__

        print(f"dlkit {__version__}")
        return 0
    if arguments[0] not in COMMANDS:
        from dlkit.errors import UsageError, nearest

        return _fail("dlkit", UsageError(f"no command {arguments[0]!r}: {nearest(arguments[0], COMMANDS)}"), arguments)
    return _run(arguments[0], arguments[1:])


def _for_all_commands(arguments: list[str]) -> list[str]:
    """The line, its command first. ``--safe-mode`` may stand anywhere, ``--workspace DIR`` before the command as well,
    or either alone: that opens the interface. Both hold for plugins, and for the processes that the command starts."""
    options, others = _split(arguments)
    if SAFE in options:
        os.environ["DLKIT_SAFE_MODE"] = "1"
        options = [word for word in options if word != SAFE] or ["tui"]
    if options[:1] == ["--workspace"] and len(options) > 1:
        options = [*(options[2:] or ["tui"]), *options[:2]]
    for word, value in pairwise([*options, ""]):
        if chosen := value if word == "--workspace" else word.partition("--workspace=")[2]:
            os.environ.setdefault("DLKIT_USUAL_WORKSPACE", os.environ.get("DLKIT_WORKSPACE", ""))
            os.environ["DLKIT_WORKSPACE"] = os.path.abspath(os.path.expanduser(chosen))  # noqa: PTH100, PTH111
    return [*options, *others]


def _split(arguments: Sequence[str]) -> tuple[list[str], list[str]]:
    """What stands before ``--``, and the rest."""
    end = arguments.index("--") if "--" in arguments else len(arguments)
    return [*arguments[:end]], [*arguments[end:]]


def _help(shown: Sequence[str]) -> str:
    width = max(map(len, COMMANDS))
    lines = [f"  {name:{width}}  {COMMANDS[name]}" for name in shown]
    others = [name for name in COMMANDS if name not in shown]
    if others:
        lines += ["", *_wrapped(f"and: {', '.join(others)}"), "  (dlkit --help all: what each of them does)"]
    return _HEAD + "\n" + "\n".join(lines) + "\n" + _TAIL


def _wrapped(text: str, width: int = 78) -> list[str]:
    """Indented lines of whole words; textwrap takes 3 ms to import."""
    lines = [" "]
    for word in text.split():
        if len(lines[-1]) + len(word) >= width:
            lines.append(" ")
        lines[-1] += f" {word}"
    return lines


def _run(command: str, arguments: list[str]) -> int:
    from importlib import import_module

    from dlkit.cli import module_of
    from dlkit.errors import STOPPED, DlkitError, is_refusal, refused
    from dlkit.interrupt import dropped_ones_raised_again
    from dlkit.present.output import say_meanwhile, say_no_longer

    if _loads_torch(command, arguments) and "--on" not in arguments:
        say_meanwhile("loading torch …")

    try:
        with dropped_ones_raised_again():
            if (found := _elsewhere(command, arguments)) is not None:
                if isinstance(found, int):
                    return found
                arguments = found
            return int(import_module(module_of(command)).main(arguments))
    except DlkitError as error:
        return _fail(f"dlkit {command}", error, arguments)
    except OSError as error:
        if not is_refusal(error):
            raise
        _tell("refused", refused(error), f"dlkit {command}: ", arguments)
        return 1
    except KeyboardInterrupt:
        _tell("interrupted", "interrupted", "", arguments)
        return STOPPED
    finally:
        say_no_longer()


def _elsewhere(command: str, arguments: list[str]) -> int | list[str] | None:
    """What came of a line that is about another machine, or the line for here; None of all others: by their letters,
    since no command need wait for what it has nothing to do with."""
    about = command in ("train", "queue") and any(word.partition("=")[0] == "--on" for word in arguments)
    if not about and (command in ("runs", "train", "remote") or not any(":" in word for word in arguments)):
        return None
    from dlkit.cli.elsewhere import elsewhere

    return elsewhere(command, arguments)


def _loads_torch(command: str, arguments: Sequence[str]) -> bool:
    first = f"{command} {arguments[0]}" if arguments else command
    return (command in _LOADING or first in _LOADING) and not {*_SILENT} & {*arguments}


def _fail(who: str, error: DlkitError, arguments: Sequence[str]) -> int:
    """Say what went wrong; the exit code."""
    from dlkit.errors import ComponentError

    if isinstance(error, ComponentError):  # its code raised what nobody foresaw: for whoever wrote it
        from dlkit.present.output import say_traceback

        say_traceback(error.__cause__)
    _tell(error.kind, str(error), f"{who}: ", arguments, error)
    return error.exit_code


def _tell(kind: str, text: str, who: str, arguments: Sequence[str], error: DlkitError | None = None) -> None:
    """To people on stderr; with ``--json`` also as a record on stdout, which is then the only one, or the last line."""
    from dlkit.present.output import print_json, say

    say(f"{who}{text}")
    if wants_json(arguments):
        from dlkit.errors import in_parts

        told, hint = (error.told, error.hint) if error is not None else ({}, "")
        print_json({**told, "error": in_parts(kind, text, hint)}, indent=None, flush=True)


def wants_json(arguments: Sequence[str]) -> bool:
    """Whether ``--json`` is on the line, as an option: known before anything of the line is understood."""
    return "--json" in _split(arguments)[0]


if __name__ == "__main__":
    sys.exit(main())
