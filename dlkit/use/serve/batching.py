"""``Batcher``: simultaneous questions, gathered and given to whichever worker is free."""

from __future__ import annotations

import asyncio
import time
from collections.abc import AsyncIterator, Callable, Sequence
from contextlib import suppress
from dataclasses import dataclass, field

from dlkit.present.output import say
from dlkit.use.serve.figures import Figures
from dlkit.use.serve.frames import Told
from dlkit.use.serve.limits import Limits
from dlkit.use.serve.model import Model, ModelGone

LONGEST_PAUSE = 5.0
"""Seconds between two attempts to start a worker, at most."""


class Unavailable(Exception):
    """There is no answer now; its text says why. HTTP calls it 503."""


@dataclass
class Job:
    """A question: a JSON value or bytes, and how it is asked. Questions of one ``key`` may be answered together."""

    question: object
    options: Told
    key: str
    show: bool = False
    pieces: asyncio.Queue[str | None] | None = None
    answer: asyncio.Future[Told] = field(default_factory=lambda: asyncio.get_running_loop().create_future())

    @property
    def alone(self) -> bool:
        """Whether it is asked by itself: what is streamed, or drawn."""
        return self.pieces is not None or self.show


class Batcher:
    """``make`` makes a worker that is not started yet; ``workers`` of them answer."""

    def __init__(self, make: Callable[[], Model], workers: int, limits: Limits, figures: Figures) -> None:
        self._make, self._limits, self._figures = make, limits, figures
        self._waiting: asyncio.Queue[Job] = asyncio.Queue(limits.waiting)
        self._workers = workers
        self._tasks: list[asyncio.Task[None]] = []
        self._held: dict[int, Job] = {}
        self._company: dict[int, int] = {}
        self.hello: Told = {}
        self.ready = 0
        """Workers that can answer."""

    async def start(self) -> None:
        """Start the workers; raises what keeps the first from loading."""
        models = [self._make() for _ in range(self._workers)]
        try:
            self.hello = await models[0].start()
            for model in models[1:]:
                await model.start()
        except BaseException:
            await asyncio.gather(*(model.end() for model in models))
            raise
        self._tasks = [asyncio.create_task(self._serve(number, model)) for number, model in enumerate(models)]

    async def stop(self, seconds: float) -> None:
        """Answer what is waiting, for so long at most; then the workers end."""
        with suppress(TimeoutError):
            async with asyncio.timeout(seconds):
                while not self._waiting.empty() or self._figures.busy:
                    await asyncio.sleep(0.02)
        for task in self._tasks:
            task.cancel()
        await asyncio.gather(*self._tasks, return_exceptions=True)
        for job in [*self._held.values(), *_all(self._waiting)]:
            _fail(job, "the server ends")

    def put(self, job: Job) -> None:
        """Have a question answered; Unavailable if too many wait."""
        try:
            self._waiting.put_nowait(job)
        except asyncio.QueueFull:
            raise Unavailable(f"{self._limits.waiting} questions wait already: ask again in a moment") from None

    async def _serve(self, number: int, model: Model) -> None:
        """Answer by one worker, and by another when that is gone."""
        try:
            self.ready += 1
            while True:
                batch = await self._gathered(number)
                self._figures.batch(len(batch))
                try:
                    await self._answered(model, batch)
                except asyncio.CancelledError:
                    for job in batch:
                        _fail(job, "the server ends")
                    raise
                except ModelGone as error:
                    self.ready -= 1
                    say(f"worker {number + 1}: {error}; it is started again")
                    for job in batch:
                        _fail(job, f"{error}: ask again in a moment")
                    model = await self._again(model)
                    self.ready += 1
                finally:
                    self._figures.busy -= len(batch)
        finally:
            await model.end()

    async def _again(self, model: Model) -> Model:
        self._figures.restarts += 1
        pause = 0.1
        while True:
            await model.end()
            model = self._make()
            try:
                await model.start()
                return model
            except Exception as error:
                say(f"the model cannot be started again: {error}")
                await asyncio.sleep(pause)
                pause = min(2 * pause, LONGEST_PAUSE)

    async def _gathered(self, number: int) -> list[Job]:
        """Questions that may be answered together: those that wait, and those that come in a moment, where as many were
        together the last time: whoever asks alone waits for nobody."""
        first = self._held.pop(number, None) or await self._waiting.get()
        batch = [first]
        self._figures.busy += 1
        until, company = time.monotonic() + self._limits.gather, self._company.get(number, 1)
        while not first.alone and len(batch) < self._limits.batch:
            job = await self._next(until if len(batch) < company else 0.0)
            if job is None:
                break
            if job.alone or job.key != first.key:
                self._held[number] = job
                break
            batch.append(job)
            self._figures.busy += 1
        self._company[number] = len(batch)
        return batch

    async def _next(self, until: float) -> Job | None:
        with suppress(asyncio.QueueEmpty):
            return self._waiting.get_nowait()
        left = until - time.monotonic()
        if left <= 0:
            return None
        try:
            async with asyncio.timeout(left):
                return await self._waiting.get()
        except TimeoutError:
            return None

    async def _answered(self, model: Model, batch: Sequence[Job]) -> None:
        asked = [job for job in batch if not job.answer.done()]  # a client may have gone
        if not asked:
            return
        parts = [job.question for job in asked if isinstance(job.question, bytes)]
        numbers = iter(range(len(parts)))
        questions = [
            {"part": next(numbers)} if isinstance(job.question, bytes) else {"json": job.question} for job in asked
        ]
        first = asked[0]
        how = {"options": first.options, "show": first.show, "stream": first.pieces is not None}
        async for told in model.ask({"questions": questions, **how}, parts, self._limits.seconds):
            if "piece" in told and first.pieces is not None:
                first.pieces.put_nowait(str(told["piece"]))
            elif "answers" in told:
                _hand_out(asked, told)


def _all(waiting: asyncio.Queue[Job]) -> list[Job]:
    return [waiting.get_nowait() for _ in range(waiting.qsize())]


def _hand_out(jobs: Sequence[Job], told: Told) -> None:
    answers = told["answers"]
    assert isinstance(answers, list) and len(answers) == len(jobs)
    beside = {key: told[key] for key in ("notes", "shown") if told.get(key)}
    for job, answer in zip(jobs, answers, strict=True):
        if not job.answer.done():
            job.answer.set_result({**answer, **beside})
        if job.pieces is not None:
            job.pieces.put_nowait(None)


def _fail(job: Job, why: str) -> None:
    if not job.answer.done():
        job.answer.set_exception(Unavailable(why))
    if job.pieces is not None:
        job.pieces.put_nowait(None)


async def pieces_of(job: Job) -> AsyncIterator[str]:
    """The pieces of a streamed answer as they come."""
    assert job.pieces is not None
    while (piece := await job.pieces.get()) is not None:
        yield piece
