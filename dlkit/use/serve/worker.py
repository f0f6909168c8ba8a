"""``python -m dlkit.use.serve.worker RUN|FOLDER … ``: a served model, in a process of its own.

Frames in and out (``frames``). It begins with ``{"hello": {…}}``, or ``{"error": …, "kind": …}`` and ends. Then every
``{"questions": [{"json": …} | {"part": N}], "options": {…}, "show": false, "stream": false}`` has a reply,
``{"answers": [{"answer": …} | {"error": …, "kind": …}], "notes": […], "shown": […]}``; where ``stream``, first any
number of ``{"piece": TEXT}``. It ends with its standard input.

What is asked is a run's predictor (``of_run``), or an exported folder (``of_folder``), which takes no torch.
"""

from __future__ import annotations

import argparse
import base64
import io
import os
import sys
from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import IO, Protocol

from dlkit.answering import Answered, Input
from dlkit.errors import ComponentError, DlkitError, in_words
from dlkit.json_types import Settings
from dlkit.present.output import say_traceback
from dlkit.samples import Pairs, Sample, Table, Text
from dlkit.use.serve.frames import Frame, Told, packed, read_frame

_SHOWN = 8
"""Samples that an answer is drawn as, at most."""


class Asked(Protocol):
    """What answers: a predictor, or an exported folder."""

    def accept(self, value: object) -> object: ...

    def predict(self, inputs: Sequence[Input]) -> Sequence[Answered]: ...

    def show(self, inputs: Sequence[Input], answers: Sequence[Answered]) -> Sequence[Sample]: ...

    def stream(self, value: Input) -> Iterator[str]: ...

    def notes(self) -> list[str]: ...


class Source(Protocol):
    """Where answers come from."""

    def hello(self) -> Told:
        """What the page and OpenAPI are made of."""

    def asked_with(self, options: Settings) -> Asked:
        """It with other options than its own; UsageError says which it does not have."""


@dataclass(frozen=True)
class Request:
    """A frame, taken apart."""

    questions: Sequence[object]
    options: Settings
    show: bool
    stream: bool

    @classmethod
    def of(cls, frame: Frame) -> Request:
        told = frame.told
        listed, options = told["questions"], told.get("options") or {}
        assert isinstance(listed, list) and isinstance(options, dict)
        questions = [frame.parts[one["part"]] if "part" in one else one["json"] for one in listed]
        return cls(questions, options, bool(told.get("show")), bool(told.get("stream")))


class Worker:
    """A model, asked by frames."""

    def __init__(self, source: Source) -> None:
        self._source = source
        self.hello = source.hello()

    def reply(self, request: Request, tell: Callable[[Told], None]) -> Told:
        """The reply to one request; pieces to ``tell`` as they come."""
        try:
            predictor = self._source.asked_with(request.options)
        except DlkitError as error:
            return {"answers": [_failure(error) for _ in request.questions]}
        accepted: list[object] = [_accepted(predictor, question) for question in request.questions]
        sound = [one.value for one in accepted if isinstance(one, _Sound)]
        if request.stream and sound:
            return self._streamed(predictor, sound[0], tell)
        asked = _answers(predictor, sound)
        found = iter(asked)
        answers = [next(found) if isinstance(one, _Sound) else one for one in accepted]
        told: Told = {"answers": answers, "notes": predictor.notes()}
        return {**told, "shown": _shown(predictor, sound, asked)} if request.show else told

    def _streamed(self, predictor: Asked, value: object, tell: Callable[[Told], None]) -> Told:
        pieces = []
        try:
            for piece in predictor.stream(value):
                pieces.append(piece)
                tell({"piece": piece})
        # The plugin boundary, as below.
        except (Exception, SystemExit) as error:
            return {"answers": [_failure(error)]}
        return {"answers": [{"answer": {"text": "".join(pieces)}}], "notes": predictor.notes()}


@dataclass(frozen=True)
class _Sound:
    value: object


def _accepted(predictor: Asked, question: object) -> object:
    """The input, or what is wrong with the question."""
    try:
        return _Sound(predictor.accept(question))
    except (Exception, SystemExit) as error:
        return _failure(error)


def _answers(predictor: Asked, inputs: Sequence[object]) -> list[Told]:
    """One an input; what fails is asked alone, so that it spoils no other."""
    try:
        found = predictor.predict(inputs) if inputs else []
        return [{"answer": dict(answer)} for answer in found]
    # The plugin boundary: a predictor that throws, or wants to exit, spoils one question and no other.
    except (Exception, SystemExit) as error:
        if len(inputs) == 1:
            return [_failure(error)]
        return [answer for value in inputs for answer in _answers(predictor, [value])]


def _failure(error: BaseException) -> Told:
    """The traceback goes to standard error, unless the error is meant for people as it is; then it is the client's."""
    kind = type(error).__name__
    if isinstance(error, DlkitError) and not isinstance(error, ComponentError):
        return {"error": str(error), "kind": error.kind}
    say_traceback(error)
    return {"error": f"the model failed: {kind}", "kind": "failed"}


def _shown(predictor: Asked, inputs: Sequence[object], answers: Sequence[Told]) -> list[Told]:
    pairs = [(value, one["answer"]) for value, one in zip(inputs, answers, strict=True) if "answer" in one]
    if not pairs:
        return []
    try:
        shown = predictor.show([value for value, _ in pairs], [answer for _, answer in pairs])  # type: ignore[misc]
        return [_drawn(sample) for sample in shown[:_SHOWN]]
    # The plugin boundary: an answer stands, though it cannot be drawn.
    except (Exception, SystemExit) as error:
        return [{"kind": "text", "title": "not drawn", "text": in_words(error)}]


def _drawn(sample: Sample) -> Told:
    """A sample for the page: texts and tables as such, all else as a picture."""
    sample.check()
    head: Told = {"kind": sample.kind, "title": sample.title or sample.name}
    if isinstance(sample, Text):
        return {**head, "prompt": sample.prompt, "text": sample.text}
    if isinstance(sample, (Table, Pairs)):
        return {**head, "headers": list(sample.headers), "rows": [list(row) for row in sample.rows]}
    from dlkit.present.frames import drawn

    file = io.BytesIO()
    drawn(sample).save(file, "PNG")
    return {**head, "png": base64.b64encode(file.getvalue()).decode()}


def main(argv: list[str]) -> int:
    parser = argparse.ArgumentParser(prog="python -m dlkit.use.serve.worker")
    parser.add_argument("run")
    parser.add_argument("--checkpoint", default="best")
    parser.add_argument("--device", default="cpu")
    parser.add_argument("--inference", default="")
    parser.add_argument("--pixels", type=int, required=True)
    parser.add_argument("--tokens", type=int, required=True)
    options = parser.parse_args(argv)
    replies = _reserved_stdout()

    def tell(told: Told) -> None:
        replies.write(packed(told))
        replies.flush()

    try:
        worker = _loaded(options)
        tell({"hello": worker.hello})
    # The process's boundary: plugins build the model, and whatever they throw is told to whoever serves.
    except (Exception, SystemExit) as error:
        if not isinstance(error, DlkitError):
            say_traceback(error)
        tell({"error": in_words(error), "exit_code": getattr(error, "exit_code", 1)})
        return 1
    while (frame := read_frame(sys.stdin.buffer)) is not None:
        tell(_replied(worker, frame, tell))
    return 0


def _replied(worker: Worker, frame: Frame, tell: Callable[[Told], None]) -> Told:
    reply = worker.reply(Request.of(frame), tell)
    try:
        packed(reply)
    except (TypeError, ValueError) as error:
        count = len(frame.told["questions"])  # type: ignore[arg-type]
        failed = {"error": f"the answer is not JSON: {error}", "kind": "failed"}
        return {"answers": [failed] * count}
    return reply


def _loaded(options: argparse.Namespace) -> Worker:
    from dlkit.use.export.folder import is_exported

    source: Source
    if is_exported(Path(options.run)):
        from dlkit.use.serve.of_folder import ServedFolder

        source = ServedFolder(Path(options.run))
    else:
        from dlkit.use.serve.of_run import ServedRun

        source = ServedRun(options.run, options.checkpoint, options.device, options.inference, options.tokens)
    from PIL import Image

    Image.MAX_IMAGE_PIXELS = options.pixels  # as the server says, whatever the predictor allowed
    return Worker(source)


def _reserved_stdout() -> IO[bytes]:
    """The standard output for the replies alone; what else writes there, below Python too, writes to stderr."""
    sys.stdout.flush()
    reserved = os.fdopen(os.dup(1), "wb")
    os.dup2(2, 1)
    return reserved


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
