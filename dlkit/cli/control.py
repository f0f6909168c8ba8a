"""What stop, pause, unpause, ask and set share: they ask something of a running job and say what came of it."""

from __future__ import annotations

from argparse import Namespace
from collections.abc import Iterator, Mapping
from contextlib import contextmanager

from dlkit.cli.choice import run_parser, with_reason
from dlkit.cli.parser import Parser, duration
from dlkit.errors import RunError
from dlkit.events import Finished
from dlkit.jobs.follow import Gone, state_now
from dlkit.jobs.requests import PATIENCE, Answer, Refusal, Refused, Request
from dlkit.present.commands import to_type
from dlkit.present.events import describe_answer
from dlkit.present.outcome import unrecorded_end
from dlkit.present.output import print_json, print_result, say
from dlkit.runs.commands import checked_reason
from dlkit.runs.folder import RunFolder


def control_parser(command: str, description: str) -> Parser:
    parser = run_parser(command, description)
    parser.add_argument(
        "--timeout",
        type=duration,
        default=PATIENCE,
        metavar="SECONDS",
        help=f"wait for the job's answer ({PATIENCE:g})",
    )
    with_reason(parser)
    return parser.with_json()


def perform(run: RunFolder, action: str, key: str = "", value: object = None, *, options: Namespace) -> None:
    """Send a command and report it, as text or JSON; RunError if it was refused or came too late."""
    request, answer = answered(run, action, key, value, options=options)
    if options.json:
        print_json(document(request, answer))
    else:
        tell(request, answer)


def answered(
    run: RunFolder, action: str, key: str = "", value: object = None, *, options: Namespace
) -> tuple[Request, Answer]:
    """Send a command and wait for what comes of it; RunError if it was refused or came too late."""
    checked_reason(options.reason)
    request = Request(run, action, key, value, reason=options.reason, timeout=options.timeout, say=say)
    with refusing(run):
        answer = request.send()
    if answer.event is not None and answer.event.refused:
        raise RunError(f"{run.id}: {answer.event.refused}").knowing(document(request, answer))
    if answer.event is None and answer.end is not None and action != "stop":
        late = f"it was too late for {action}: {how_it_ended(run, answer.end)}"
        raise RunError(late).knowing(document(request, answer))
    if answer.event is None and answer.end is None:
        say(f"{run.id} has not answered within {options.timeout:g} s; the command stays in line")
    return request, answer


def could(run: RunFolder, action: str, *, options: Namespace) -> None:
    """``--dry-run``: whether the run would be asked; RunError says why not."""
    with refusing(run):
        Request(run, action, say=say).check()
    tell_plan({run: state_now(run)}, action, as_json=options.json)


def tell_plan(runs: Mapping[RunFolder, str], action: str, *, as_json: bool) -> None:
    """What an order would be done to, by the states that the runs are in; nothing is done."""
    if as_json:
        print_json({"would": action, "runs": [{"run": run.id, "state": state} for run, state in runs.items()]})
    else:
        print_result("\n".join(f"would {action} {run.id}, which is {state}" for run, state in runs.items()))


@contextmanager
def refusing(run: RunFolder) -> Iterator[None]:
    try:
        yield
    except Refused as error:
        what, hint = _why_not(run, error.refusal)
        raise RunError(f"{what}: {hint}" if hint else what).hinting(hint) from error


def tell(request: Request, answer: Answer) -> None:
    """To people, if there is an answer."""
    if answer.event is not None or answer.end is not None:
        print_result(_text(request.run, answer))


def document(request: Request, answer: Answer) -> dict[str, object]:
    """What ``--json`` prints. A run that ended when it was told to stop has obeyed."""
    event, end = answer
    what = {"key": request.key, "value": request.value} if request.key else {}
    step = event.step if event is not None else end.steps if isinstance(end, Finished) else None
    obeyed = not event.refused if event is not None else request.action == "stop" and isinstance(end, Finished)
    return {
        "run": request.run.id,
        "action": request.action,
        **what,
        "id": request.id,
        "obeyed": obeyed,
        "step": step,
        "refused": event.refused if event is not None else "",
    }


def how_it_ended(run: RunFolder, end: Finished | Gone) -> str:
    if isinstance(end, Gone):
        return unrecorded_end(run, end.state)
    return f"{run.id}: {end.status} at step {end.steps}{f' ({end.reason})' if end.reason else ''}"


def _text(run: RunFolder, answer: Answer) -> str:
    if answer.event is None:
        assert answer.end is not None
        return how_it_ended(run, answer.end)
    hint = f" ({to_type(run, f'unpause {run.id}')} goes on)" if answer.event.action == "pause" else ""
    return f"{run.id}: {describe_answer(answer.event)}{hint}"


def _why_not(run: RunFolder, refusal: Refusal) -> tuple[str, str]:
    """The run's state, and what can be done."""
    match refusal.kind:
        case "newer":
            return f"{run.id} was written by a newer dlkit (format {run.read().get('format')})", ""
        case "queued":
            return f"{run.id} is queued, not running", f"{to_type(run, f'queue cancel {run.id}')} takes it out"
        case "foreign":
            return f"{run.id} is foreign, not running", f"{to_type(run, f'resume {run.id}')} starts it"
        case "completed":
            return f"{run.id} is completed", f"{to_type(run, f'resume {run.id} --epochs N')} trains it longer"
        case "interrupted":
            return unrecorded_end(run, refusal.state), ""
        case "ended":
            return f"{run.id} is {refusal.state}, not running", f"{to_type(run, f'resume {run.id}')} goes on with it"
        case _:
            return f"{run.id} is {refusal.state}, not running", ""
