"""``python -m dlkit.studies.driver STUDY``: decides what is trained next, until the study has its answer.

It is no daemon, and keeps nothing that matters: the queue's scheduler starts trials, each is a run's folder, and what
was decided is in the log before it is done. Killed at any instant, another one goes on from there; whoever looks at
the study starts it (``waking``).
"""

from __future__ import annotations

import os
import sys
import time
from collections.abc import Callable, Iterator
from itertools import islice
from pathlib import Path

from dlkit.catalog import Catalog
from dlkit.engine.stacked.differing import why_not
from dlkit.errors import DAMAGE, DlkitError, RunError, UsageError, in_words
from dlkit.events import MetricsLogged, Started
from dlkit.gpus import gpus
from dlkit.jobs import queue, shares
from dlkit.jobs.follow import Follower, state_now
from dlkit.jobs.job_record import Submission
from dlkit.jobs.requests import send
from dlkit.jobs.submit import TrialOf, resubmit, submit
from dlkit.present.output import print_stamped
from dlkit.runs import commands
from dlkit.runs.faults import point
from dlkit.runs.folder import ENDED, RunFolder, new_id, summarise
from dlkit.runs.lock import RunLock
from dlkit.runs.log import every_event
from dlkit.studies import log
from dlkit.studies.folder import StudyFolder
from dlkit.studies.proposing import propose
from dlkit.studies.pruning import verdict
from dlkit.studies.question import Question, read_question
from dlkit.studies.reuse import Finished
from dlkit.studies.space import Space
from dlkit.studies.state import State, StudyState, Trial
from dlkit.studies.testing import look_at_test
from dlkit.studies.waking import run_of

ROUND_SECONDS = 0.1
"""Between two looks at the trials that run: a few files each."""
WAKE_SECONDS = 2.0
"""Between two looks whether the queue's scheduler is alive."""
TRIES = 5
"""Interruptions in a row that gain no step before a trial is given up."""
LEAST_AHEAD = 4
"""Trials in the queue at once at least, so that no device waits for the next: others' jobs come in between."""
STACKED_AHEAD = 256
"""The same of trials that may be trained as one: those that wait when the first of them begins are."""
Say = Callable[[str], None]


class Driver:
    """Serves one study. ``say`` gets a line for whatever happens."""

    def __init__(self, study: StudyFolder, say: Say = lambda text: None, catalog: Catalog | None = None) -> None:
        self.study, self._say = study, say
        self.question: Question = read_question(study)
        self._state = StudyState(study)
        self._catalog = catalog
        self._space: Space | None = None
        self._finished: Finished | None = None
        self._told_to_stop: set[int] = set()
        self._followers: dict[int, Follower] = {}
        self._totals: dict[str, int] = {}
        self._alone: dict[int, str] = {}
        self._woke = 0.0

    @property
    def state(self) -> State:
        return self._state.now

    def serve(self) -> None:
        """Until there is nothing left to decide. BlockingIOError: the study has a driver already."""
        while True:
            with RunLock(self.study.lock):
                self._say("driver started")
                while self.step():
                    time.sleep(ROUND_SECONDS)
                self._say("driver ends")
            self._state.refresh()  # whoever asked for more after the last look saw us alive
            if self.state.finished or self.state.stopped:
                return

    def step(self) -> bool:
        """Look at what has become of the trials, and do what comes next; whether there is more to do."""
        self._state.refresh()
        live = [trial for trial in self.state.open if self._look(trial)]
        self._state.refresh()
        if self.state.stopped:
            return self._stop(live)
        if self.question.prune:
            self._prune(live)
        if not self._is_time_up():
            self._hand_in(len(live))
        if self.state.open:
            self._keep_the_queue_going()
            return True
        if not self.state.finished:
            self._conclude()
        return False

    def _look(self, trial: Trial) -> bool:
        """What has become of a trial goes into the log; whether it waits, runs, or will."""
        run = run_of(self.study, trial)
        if trial.state == "settled" and not os.path.lexists(run.path):  # we, or the one before us, were killed here
            return not self.state.stopped and self._make(trial)
        if trial.state == "settled":
            self._log("handed", trial=trial.number)
        state = state_now(run)
        if trial.state == "reopened" and state in ("stopped", "failed"):
            return not self.state.stopped and self._go_on(trial, run)
        if state == "interrupted":
            return not self.state.stopped and self._go_on(trial, run)
        if state in (*ENDED, "removed", "damaged", "foreign"):
            self._ended(trial, run, state)
            return False
        if trial.state == "reopened":
            self._log("handed", trial=trial.number)
        return True

    def _make(self, trial: Trial) -> bool:
        """The run's folder, queued, and then the word that it is there."""
        space = self._whole_space()
        try:
            resolved = space.resolve(self.state.settings[trial.setting], trial.seed)
            submit(
                space.catalog, resolved, self.study.workspace,
                self._submission,
                name=f"{self.study.short}-{trial.number}",
                trial=TrialOf(self.study.id, trial.number, trial.run),
            )  # fmt: skip
        except DlkitError as error:  # a plugin that is gone, a disk that is full: the others need not wait for it
            self._log("ended", trial=trial.number, state="failed", reason=in_words(error))
            return False
        point("study.made")
        self._log("handed", trial=trial.number)
        return True

    def _go_on(self, trial: Trial, run: RunFolder) -> bool:
        """Have an interrupted run, or one that was stopped and is wanted again, go on from its checkpoint."""
        step = summarise(run).step
        if trial.state != "reopened" and trial.tries >= TRIES and step <= trial.again_at:
            reason = f"interrupted {TRIES} times in a row at step {step}: output.log of the run has the details"
            self._ended(trial, run, "failed", reason)
            return False
        try:
            resubmit(self._whole_space().catalog, run, self._submission)
        except UsageError as error:  # it cannot go on exactly, or there is nothing left to do
            self._ended(trial, run, "failed", in_words(error))
            return False
        except RunError as error:  # somebody has it just now: the next look tells
            self._say(in_words(error))
            return True
        self._log("handed" if trial.state == "reopened" else "again", trial=trial.number, step=step)
        return True

    def _ended(self, trial: Trial, run: RunFolder, state: str, reason: str = "") -> None:
        found = summarise(run)
        if state == "stopped" and trial.pruned:
            state, reason = "pruned", trial.pruned
        metrics = {name: value for name, value in found.metrics.items() if name.count("/") < 2}
        self._log(
            "ended", trial=trial.number, state=state, best=found.best, metrics=metrics, seconds=found.seconds,
            steps=found.step, reason=reason or found.reason, parameters=parameters(run),
        )  # fmt: skip
        self._say(f"trial {trial.number}: {state}")

    @property
    def _submission(self) -> Submission:
        """What is handed over; with a word, it may be trained as one with others that wait with the same."""
        word = f"study {self.study.id}" if self.question.stack != "off" else ""
        return Submission(True, self.question.priority, (), self.question.offline, word)

    def _is_time_up(self) -> bool:
        most = self.question.max_time
        return most > 0 and self.state.elapsed(time.time()) > most

    def _hand_in(self, live: int) -> None:
        """Settle the next trials, so many that no device waits; each is in the log before its folder is made."""
        wanted = self._at_once() - live
        pairs = self._next_pairs(wanted) if wanted > 0 else iter(())
        handed = False
        for setting, seed in pairs:
            number = max(self.state.trials, default=-1) + 1
            reused = self._same_run(setting, seed) if self.question.needed else None
            model = str(self.state.settings[setting].get("model.name") or self._model(setting))
            run = reused.id if reused is not None else new_id(self.question.task, model)
            self._log(
                "trial", durable=True, number=number, setting=setting, seed=seed, run=run, reused=reused is not None
            )
            point("study.settled")
            self._state.refresh()
            self._look(self.state.trials[number])
            handed = True
        if handed:
            self._state.refresh()
            self._woke = 0.0

    def _next_pairs(self, wanted: int) -> Iterator[tuple[int, int]]:
        """Of settings that are there, then of those that are proposed for what is left."""
        while wanted > 0:
            pairs = list(islice(self.state.missing(), wanted))
            yield from pairs
            wanted -= len(pairs)
            if wanted <= 0 or not self._propose():
                return

    def _propose(self) -> bool:
        """One more setting, if some are to be proposed; whether there is one."""
        if self.question.search != "optuna" or not self.state.to_ask:
            return False
        asked = self.question
        setting = propose(self._whole_space(), self.state, asked.direction, asked.sampler, asked.search_seed)
        if setting is None:  # the space is smaller than what was wanted of it
            self._log("extended", trials=-self.state.to_ask)
        else:
            self._log("setting", number=max(self.state.settings, default=-1) + 1, values=setting)
        self._state.refresh()
        return setting is not None

    def _prune(self, live: list[Trial]) -> None:
        """Put on record what the trials measure on their way, and stop those that are not worth their time."""
        for trial in live:
            for step, value in self._measured(trial):
                self._log("value", trial=trial.number, step=step, value=value)
        self._state.refresh()
        for trial in live:
            run, asked = run_of(self.study, trial), self.question
            if trial.pruned or not trial.values:
                continue
            total = self._totals.setdefault(trial.run, int(run.read().get("total_steps", 0)))
            if max(trial.values) >= total:  # it has ended all but in name
                continue
            if reason := verdict(asked.prune, self.state, trial, asked.direction, total):
                self._log("pruned", trial=trial.number, step=max(trial.values), reason=reason)
                commands.append(run.commands, "stop", by=f"study {self.study.short}: {reason}")

    def _measured(self, trial: Trial) -> list[tuple[int, float]]:
        """Evaluations that are not on record yet."""
        follower = self._followers.setdefault(trial.number, Follower(run_of(self.study, trial)))
        metric = self.question.metric
        events = [event for event in follower.poll() if isinstance(event, MetricsLogged) and metric in event.values]
        return [(s, v) for event in events for s, v in event.points(metric) if s not in trial.values]

    def _at_once(self) -> int:
        slots = max(shares.cpu_slots(self.study.workspace), len(gpus()))
        # What is proposed goes by what has ended: the fewer are in hand, the more is known.
        ahead = slots if self.question.search == "optuna" else max(LEAST_AHEAD, 2 * slots)
        if self.question.stack != "off" and self.question.search != "optuna" and self._stacks():
            ahead = STACKED_AHEAD
        return self.question.parallel or ahead

    def _stacks(self) -> bool:
        """Whether the next trials may be trained as one, as far as options tell: they must wait together for it."""
        setting = next(self.state.missing(), (None, 0))[0]
        if setting is None:
            return False
        if setting not in self._alone:
            self._alone[setting] = why_not(self._whole_space().resolve(self.state.settings[setting]))
        return not self._alone[setting]

    def _model(self, setting: int) -> str:
        return self._whole_space().resolve(self.state.settings[setting]).specs["model"].name

    def _same_run(self, setting: int, seed: int) -> RunFolder | None:
        """A finished run of the workspace that did the same."""
        if self._finished is None:
            self._finished = Finished(self.study.workspace, self.question.task)
        space = self._whole_space()
        return self._finished.like(space.resolve(self.state.settings[setting], seed))

    def _keep_the_queue_going(self) -> None:
        if time.monotonic() - self._woke >= WAKE_SECONDS or not self._woke:
            self._woke = time.monotonic()
            try:
                queue.wake(self.study.workspace)
            except DAMAGE as error:
                self._say(f"the queue cannot be woken: {in_words(error)}")

    def _stop(self, live: list[Trial]) -> bool:
        """Take out what waits, and have what runs stop; whether something still does."""
        for trial in live:
            if trial.number in self._told_to_stop:
                continue
            run = run_of(self.study, trial)
            try:
                queue.cancel(run)
            except RunError:  # it runs
                send(run, "stop")
            self._told_to_stop.add(trial.number)
        return bool(live)

    def _conclude(self) -> None:
        """The chosen setting is looked at on test, once; then the study is finished."""
        left = next(self.state.missing(), None) or (self.state.to_ask or None)
        look_at_test(self.study, self.question, self._state, self._say)
        self._state.refresh()
        if self.state.stopped or (next(self.state.missing(), None) or (self.state.to_ask or None)) != left:
            return
        self._log("finished", reason="its time is up" if left is not None else "all trials have ended")
        self._state.refresh()

    def _whole_space(self) -> Space:
        if self._space is None:
            self._catalog = self._catalog or Catalog.load_everything()
            self._space = self.question.space(self._catalog)
        return self._space

    def _log(self, event: str, *, durable: bool = False, **fields: object) -> None:
        log.append(self.study.log, event, durable=durable, **fields)


def parameters(run: RunFolder) -> int | None:
    """Of the run's model, as its log says."""
    try:
        began = next((event for event in every_event(run.events) if isinstance(event, Started)), None)
        model = began.summary.get("model") if began is not None else None
        count = model.get("parameters") if isinstance(model, dict) else None
    except DAMAGE:
        return None
    return count if isinstance(count, int) else None


def main(argv: list[str]) -> int:
    study = StudyFolder(Path(argv[0]))
    try:
        Driver(study, print_stamped).serve()
    except BlockingIOError:  # there is one: it sees what we were started for
        return 0
    return 0


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
