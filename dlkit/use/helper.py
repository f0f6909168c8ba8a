"""``python -m dlkit.use.helper RUN [--checkpoint best] [--inference NAME]``: a model that answers, in a process
of its own.

One JSON object a line. It begins with ``{"hello": {…}}`` (see ``hello``), or ``{"error": …, "kind": …}`` and ends.
Then every request has one reply with the request's ``id``: in order, but that an example waits until the validation
data has been looked at, which is done meanwhile:

    {"id": 1, "ask": ["1,2,3"], "options": {"top": 3}}   {"id": 1, "answers": […], "samples": [PATH…], "seconds": 0.01}
    the same with "stream": true, of a predictor that    {"id": 1, "piece": TEXT} any number of times, before that
    answers piece by piece
    {"id": 2, "example": true}                           {"id": 2, "words": ["1,2,3"]}
    {"id": 3, "offered": true}                           {"id": 3, "offered": [{"name": …, "summary": …, "lacks": …}]}
    {"id": 4, "inference": NAME}                         {"id": 4, "hello": {…}}, and NAME answers from then on
    what fails                                           {"id": 5, "error": TEXT, "kind": "DataError"}

Samples are those of ``dlkit.samples.save``; their files live until the next question. It ends with its standard input,
so with whoever started it. Standard output belongs to the replies: what a plugin prints goes to standard error.
"""

from __future__ import annotations

import argparse
import json
import os
import queue
import shutil
import sys
import tempfile
import threading
import time
from collections.abc import Callable, Sequence
from pathlib import Path
from typing import NoReturn, TextIO, TypedDict, cast

from dlkit import samples
from dlkit.catalog import Catalog
from dlkit.config import Property, config_class, fields_of
from dlkit.data.context import make_context
from dlkit.data.randomness import forked
from dlkit.data.splits import Split
from dlkit.errors import ComponentError, DlkitError, UsageError
from dlkit.json_types import Json, Settings
from dlkit.predictor import Answer, AnyPredictor
from dlkit.present.output import say, say_traceback
from dlkit.runs.checkpoints import complete
from dlkit.runs.finding import find_run
from dlkit.runs.folder import RunFolder
from dlkit.runs.workspace import locate
from dlkit.strict_numbers import encode
from dlkit.use.load import Loaded, Question, asked_otherwise, load_predictor, offered, validation_split

Reply = dict[str, object]


class OptionField(TypedDict):
    """An option as a form shows it; ``value`` is its present one; ``seldom``: shown on demand alone."""

    name: str
    allowed: str
    description: str
    value: Json
    schema: Property
    seldom: bool


class Helper:
    """``catalog`` and ``loaded`` answer; ``folder`` is where samples and examples are written."""

    def __init__(self, catalog: Catalog, loaded: Loaded, run: RunFolder, folder: Path) -> None:
        self._catalog, self._run, self._folder = catalog, run, folder
        self._own = self._loaded = loaded
        self._present = loaded
        self._values: dict[str, object] = {}
        self._split: Split | None = None
        self._looking = threading.Lock()
        self.looked = False
        """Whether ``look`` has been done."""
        self._examples = self._questions = 0

    def hello(self) -> Reply:
        """What a form must know: how to ask, options with their present values, which checkpoint answers."""
        predictor, checkpoint = self._loaded.predictor, self._loaded.checkpoint
        return {
            "run": self._run.id,
            "task": self._loaded.resolved.task.name,
            **{key: str(getattr(predictor, key)) for key in ("usage", "asks", "label", "placeholder")},
            "inference": self._loaded.resolved.specs["inference"].name,
            "options": self._options(),
            "step": checkpoint.step,
            "best": checkpoint.manifest.best,
            "steps": [c.step for c in complete(self._run.path)],
            "device": "cpu",
            "folder": str(self._folder),
        }

    def reply(self, request: Settings, tell: Callable[[str], None] | None = None) -> Reply:
        """The reply to one request, pieces of it to ``tell`` as they come. Raises what the predictor does."""
        if request.get("example"):
            return {"words": self._example()}
        if request.get("offered"):
            return {"offered": offered(self._catalog, self._loaded)}
        if "inference" in request:
            return self._ask_by(str(request["inference"]))
        if "ask" not in request:
            raise UsageError(f"none of ask, example, offered and inference: {sorted(request)}")
        words, options = cast("list[object]", request["ask"]), cast(Settings, request.get("options") or {})
        answer = [str(word) for word in words], options
        return self._answer(*answer, tell if request.get("stream") and tell is not None else None)

    def _ask_by(self, name: str) -> Reply:
        """Another component from now on, with its default options; or the run's own, with the run's."""
        own = name == self._own.resolved.specs["inference"].name
        self._loaded = self._own if own else asked_otherwise(self._catalog, self._own, Question(name))
        self._present, self._values = self._loaded, {}
        return {"hello": self.hello()}

    def _answer(self, words: list[str], options: Settings, tell: Callable[[str], None] | None) -> Reply:
        began = time.perf_counter()
        predictor = self._with(options).predictor
        inputs = predictor.read(words)
        drawn: Sequence[samples.Sample]
        letters = 0
        if tell is not None and predictor.streams and len(inputs) == 1:
            answers, written = _streamed(predictor, inputs[0], tell)
            drawn, letters = [written], len(written.text)
        else:
            answers = predictor.predict(inputs)
            drawn = predictor.show(inputs, answers)
        shown = [*drawn, *_said(predictor.notes())]
        seconds = time.perf_counter() - began
        self._questions += 1
        target = self._folder / f"answer-{self._questions}"
        shutil.rmtree(self._folder / f"answer-{self._questions - 1}", ignore_errors=True)
        target.mkdir()
        files = [str(target / samples.save(sample, target, str(i))) for i, sample in enumerate(shown)]
        told = {"answers": [dict(answer) for answer in answers], "samples": files, "seconds": seconds}
        return {**told, "letters": letters} if letters else told

    def _with(self, options: Settings) -> Loaded:
        """The predictor with these options; words are read as a flag's are."""
        if options != self._values:
            question = Question(options=options, typed=True)
            self._present = asked_otherwise(self._catalog, self._loaded, question) if options else self._loaded
            self._values = dict(options)
        return self._present

    def _options(self) -> list[OptionField]:
        resolved = self._loaded.resolved
        present = resolved.sections["inference"].model_dump(mode="json")
        fields = fields_of(config_class(self._catalog, resolved.specs["inference"]))
        return [
            {"name": f.name, "allowed": f.allowed, "description": f.description, "value": present[f.name],
             "schema": f.schema, "seldom": f.name in self._loaded.predictor.seldom}
            for f in fields
        ]  # fmt: skip

    def look(self) -> None:
        """Have the validation data at hand, which may take long; may be called by another thread, beside answers."""
        with self._looking:
            if not self.looked:
                self.looked = True  # whatever comes of it
                context = make_context(self._catalog, self._run.path.parent.parent, offline=True, say=say)
                self._split = validation_split(self._catalog, self._own, context)

    def _example(self) -> list[str]:
        self.look()
        self._examples += 1
        with forked(self._loaded.resolved.engine.seed, "example", self._examples) as generator:
            return [str(word) for word in self._present.predictor.example(self._split, generator, self._folder)]


def _streamed(predictor: AnyPredictor, value: object, tell: Callable[[str], None]) -> tuple[list[Answer], samples.Text]:
    """An answer as it is written; to have it drawn again by ``predict`` would take as long once more."""
    pieces = []
    for piece in predictor.stream(value):
        pieces.append(piece)
        tell(piece)
    text, prompt = "".join(pieces), str(value)
    goes_on = text.startswith(prompt)
    shown = samples.Text(
        name="written", title="Written", prompt=prompt if goes_on else "", text=text[len(prompt) * goes_on :]
    )
    return [{"text": text}], shown


def _said(notes: list[str]) -> list[samples.Sample]:
    """What is to be said of the inputs, below the answers."""
    return [samples.Text(name="notes", title="Notes", text="\n".join(notes))] if notes else []


def main(argv: list[str]) -> NoReturn:
    parser = argparse.ArgumentParser(prog="python -m dlkit.use.helper")
    parser.add_argument("run", metavar="RUN")
    parser.add_argument("--checkpoint", default="best")
    parser.add_argument("--inference", default="")
    options = parser.parse_args(argv)
    replies = _reserved_stdout()
    folders: list[Path] = []
    requests = _listen(folders)
    try:
        helper = _loaded(options.run, options.checkpoint, options.inference, folders)
        hello = helper.hello()
    # The process's boundary: plugins build the model, and whatever they throw is told to whoever asked.
    except (Exception, SystemExit) as error:
        _tell(replies, _failure(error))
        _remove(folders)
        sys.stderr.flush()
        os._exit(1)  # the thread that reads requests cannot be asked to stop
    _tell(replies, {"hello": hello})
    while True:
        line = requests.get()
        if helper.looked or not _wants_example(line):
            _tell(replies, _replied(helper, line, replies))
        else:  # questions are answered while that is being looked for
            threading.Thread(target=_look_first, args=(helper, requests, line), daemon=True).start()


def _wants_example(line: str) -> bool:
    try:
        request = json.loads(line)
    except ValueError:
        return False
    return isinstance(request, dict) and bool(request.get("example"))


def _look_first(helper: Helper, requests: queue.SimpleQueue[str], line: str) -> None:
    try:
        helper.look()
    finally:  # a plugin's code, whose traceback goes to standard error: then there is no split, and it is answered so
        requests.put(line)


def _loaded(reference: str, checkpoint: str, inference: str, folders: list[Path]) -> Helper:
    run = find_run(locate(), reference)
    catalog = Catalog.load_everything()
    loaded = load_predictor(catalog, run, checkpoint)
    folders.append(Path(tempfile.mkdtemp(prefix="dlkit-asked-")))
    helper = Helper(catalog, loaded, run, folders[0])
    if inference:
        helper.reply({"inference": inference})
    return helper


def _replied(helper: Helper, line: str, replies: TextIO) -> Reply:
    identity: Reply = {}
    try:
        request = json.loads(line)
        if not isinstance(request, dict):
            raise UsageError(f"not a request: {line.strip()}")
        identity = {"id": request.get("id")}
        return {**identity, **helper.reply(request, lambda piece: _tell(replies, {**identity, "piece": piece}))}
    # The plugin boundary: a predictor that throws, or wants to exit, spoils one question and no other.
    except (Exception, SystemExit) as error:
        return {**identity, **_failure(error)}


def _failure(error: BaseException) -> Reply:
    """The traceback goes to standard error, unless the error is meant for people as it is."""
    kind = type(error).__name__
    if isinstance(error, DlkitError):
        if isinstance(error, ComponentError):
            say_traceback(error.__cause__)
        return {"error": str(error), "kind": kind}
    say_traceback(error)
    return {"error": f"{kind}: {error}" if str(error) else kind, "kind": kind}


def _reserved_stdout() -> TextIO:
    """The standard output for the replies alone; what else writes there, below Python too, writes to stderr."""
    sys.stdout.flush()
    reserved = os.fdopen(os.dup(1), "w", encoding="utf-8")
    os.dup2(2, 1)
    return reserved


def _tell(replies: TextIO, reply: Reply) -> None:
    try:
        line = json.dumps(encode(reply), ensure_ascii=False, allow_nan=False, default=_plain)
    except (TypeError, ValueError) as error:
        kept = {"id": reply["id"]} if "id" in reply else {}
        line = json.dumps({**kept, "error": f"the answer is not JSON: {error}", "kind": "PluginError"})
    try:
        replies.write(line.encode("utf-8", "replace").decode() + "\n")
        replies.flush()
    except BrokenPipeError:  # nobody listens any more
        os._exit(0)


def _plain(value: object) -> object:
    """Arrays and tensors as lists of numbers."""
    if hasattr(value, "tolist"):
        return encode(value.tolist())
    raise TypeError(f"{type(value).__name__} is not a JSON value")


def _remove(folders: list[Path]) -> None:
    for folder in folders:
        shutil.rmtree(folder, ignore_errors=True)


def _listen(folders: list[Path]) -> queue.SimpleQueue[str]:
    """Requests as they come. When no more can, the process ends at once, whatever it is doing."""
    requests: queue.SimpleQueue[str] = queue.SimpleQueue()

    def read() -> None:
        for line in sys.stdin:
            if line.strip():
                requests.put(line)
        _remove(folders)
        os._exit(0)

    threading.Thread(target=read, name="requests", daemon=True).start()
    return requests


if __name__ == "__main__":
    main(sys.argv[1:])
