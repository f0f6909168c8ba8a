"""What a form's run, or its runs, will take: asked of a process that takes a few steps, and ended when nobody waits."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path
from typing import NamedTuple

from dlkit.engine.probe.asking import Child
from dlkit.errors import DlkitError
from dlkit.jobs.estimating import estimate
from dlkit.monitor.form import Checked, Form
from dlkit.present.estimate import amounts, in_a_line
from dlkit.runs.estimates import Estimate
from dlkit.studies.planning import Plan
from dlkit.studies.tries import cost

SECONDS = 2.0
"""Of training that is tried: somebody waits."""


class Known(NamedTuple):
    """What is known of a form: a line for people, whether it ``fits``, and the estimate if it is of one run."""

    form: Form
    text: str
    fits: bool = True
    estimate: Estimate | None = None


class FormEstimate:
    """One question. ``find`` takes seconds, and belongs into a thread; ``end`` may be called from another one."""

    def __init__(self) -> None:
        self._process: Child | None = None
        self.ended = False

    def find(self, checked: Checked, workspace: Path, say: Callable[[str], None] = lambda stage: None) -> Known:
        """Raises nothing: what goes wrong is what is known."""
        form = checked.form
        try:
            if checked.plan is not None:
                return self._of_all(form, checked.plan, workspace, say)
            if checked.resolved is None:
                return Known(form, "the form has problems", fits=False)
            found = estimate(checked.resolved, workspace, seconds=SECONDS, say=say, begun=self._begun)
        except DlkitError as error:
            return Known(form, str(error).partition("\n")[0], fits=False)
        except OSError as error:
            return Known(form, f"nothing can be tried: {error.strerror or error}", fits=False)
        if form.fork is not None:  # the parent's steps are behind it; and its record says what it comes from instead
            return Known(form, in_a_line(found.after(form.fork.step_of(form.settings))), found.fits)
        advice = f". To change: {'; '.join(found.advice)}" if found.advice else ""
        return Known(form, in_a_line(found) + advice, found.fits, found)

    def end(self) -> None:
        """Nobody waits for it any more: its process ends now."""
        self.ended = True
        if self._process is not None:
            self._process.end()

    def _begun(self, process: Child) -> None:
        self._process = process
        if self.ended:  # while it was being started
            process.end()

    def _of_all(self, form: Form, plan: Plan, workspace: Path, say: Callable[[str], None]) -> Known:
        """As the plan of a study says it."""
        configurations = [(plan.resolved(number), len(plan.seeds)) for number in range(len(plan.settings))]
        price = cost(configurations, workspace, offline=True, say=say, begun=self._begun)
        if price.problems:
            return Known(form, f"does not fit: {'; '.join(price.problems)}", fits=False)
        told = amounts(price.seconds, price.memory, price.device_memory, price.disk, price.unknown)
        return Known(form, f"{plan.trials} runs one after the other: {told}")
