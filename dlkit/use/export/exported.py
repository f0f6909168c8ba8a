"""``Exported``: an exported folder that answers, by ONNX Runtime; neither torch nor pydantic is imported."""

from __future__ import annotations

import os
from collections.abc import Iterator, Mapping, Sequence
from contextlib import AbstractContextManager
from pathlib import Path
from typing import TYPE_CHECKING, Any

from dlkit.answering import Answered, Answering, Input, Values, in_short
from dlkit.catalog import Catalog
from dlkit.components import load_object
from dlkit.errors import PluginError, RunError, UsageError, blamed, in_words
from dlkit.json_types import JsonObject
from dlkit.samples import Table
from dlkit.use.export.folder import Record, is_exported, read_given, read_record

if TYPE_CHECKING:
    import onnxruntime
    from PIL import Image

__all__ = ["Exported", "Networks", "is_exported", "load_exported"]


class Networks:
    """The networks of a folder, each opened when it is first run. ``threads``: of each operation; 0: all cores."""

    def __init__(self, folder: Path, record: Record, *, int8: bool = False, threads: int = 0) -> None:
        self._folder, self._threads = folder, threads
        self._graphs: Mapping[str, Mapping[str, Any]] = {graph["name"]: graph for graph in record.graphs}
        self._int8 = int8
        self._sessions: dict[str, onnxruntime.InferenceSession] = {}

    def __call__(self, graph: str, /, **inputs: Values) -> dict[str, Values]:
        """Outputs by name; RunError says what the runtime found."""
        session = self._session(graph)
        try:
            found = session.run(None, inputs)
        # Errors of ONNX Runtime have no base but Exception.
        except Exception as error:
            raise RunError(f"{self._folder}: network {graph!r}: {in_words(error)}") from error
        return dict(zip(self._graphs[graph]["outputs"], found, strict=True))

    def _session(self, name: str) -> onnxruntime.InferenceSession:
        if name not in self._sessions:
            graph = self._graphs.get(name)
            if graph is None:
                raise RunError(f"{self._folder}: has no network {name!r}; it has: {', '.join(self._graphs)}")
            if self._int8 and not graph.get("int8"):
                raise UsageError(f"{self._folder}: exported without --int8: it has no smaller network")
            self._sessions[name] = self._opened(self._folder / graph["int8" if self._int8 else "file"])
        return self._sessions[name]

    def _opened(self, path: Path) -> onnxruntime.InferenceSession:
        try:
            import onnxruntime
        except ImportError as error:
            raise UsageError("exported networks are run by ONNX Runtime: pip install 'dlkit[export]'") from error
        options = onnxruntime.SessionOptions()
        options.intra_op_num_threads = self._threads or len(os.sched_getaffinity(0))
        # Threads that wait would spin, on the cores that whoever asks needs: a served model answered half as often.
        options.add_session_config_entry("session.intra_op.allow_spinning", "0")
        options.log_severity_level = 3
        try:
            return onnxruntime.InferenceSession(str(path), options, providers=["CPUExecutionProvider"])
        except Exception as error:
            raise RunError(f"{path}: ONNX Runtime cannot open it: {in_words(error)}") from error


class Exported:
    """A folder that ``dlkit export --format onnx`` wrote, to be asked as a run's predictor is."""

    batch = 64
    """Inputs that are best answered together."""

    def __init__(self, folder: Path, record: Record, answering: Answering) -> None:
        self.folder, self.record, self._answering = folder, record, answering

    def __call__(self, *values: object) -> list[Answered]:
        """Ask from Python: a text is what INPUT of the command line may be, anything else one input."""
        inputs: list[object] = []
        for value in values:
            inputs += self.read([value]) if isinstance(value, str) else [value]
        return self.predict(inputs)

    @property
    def usage(self) -> str:
        return self._answering.usage

    @property
    def asks(self) -> str:
        return self._answering.asks

    @property
    def draws(self) -> bool:
        return self._answering.draws

    @property
    def streams(self) -> bool:
        return self._answering.streams

    def stream(self, value: Input) -> Iterator[str]:
        """One input's answer as text in pieces, for folders that say ``streams``."""
        return self._answering.stream(value)

    def read(self, words: Sequence[str]) -> list[Input]:
        """Inputs from a command line's words; DataError names what cannot be read."""
        with self._blamed():
            return self._answering.read(words)

    def accept(self, value: object) -> Input:
        """One input from a JSON value or bytes, never a path."""
        with self._blamed():
            return self._answering.accept(value)

    def schema(self) -> JsonObject:
        """What it can be asked and answers."""
        return self.record.schema

    def predict(self, inputs: Sequence[Input]) -> list[Answered]:
        """One answer an input, in order."""
        with self._blamed():
            return self._answering.predict(inputs)

    def show(self, inputs: Sequence[Input], answers: Sequence[Answered]) -> list[Table]:
        """The answers as a table."""
        headers = list(dict.fromkeys(name for answer in answers for name in answer))
        rows = [[in_short(answer.get(name)) for name in headers] for answer in answers]
        return [Table(name="predictions", headers=headers, rows=rows)]

    def draw(self, value: Input, answer: Answered) -> Image.Image:
        """One input's answer as a picture, for folders that say ``draws``."""
        with self._blamed():
            return self._answering.draw(value, answer)

    def files(self, value: Input, answer: Answered) -> Mapping[str, bytes]:
        """What belongs beside that picture, by suffix."""
        with self._blamed():
            return self._answering.files(value, answer)

    def stem(self, value: Input) -> str:
        """What the picture of an input's answer is called."""
        return self._answering.stem(value)

    def notes(self) -> list[str]:
        """What is to be said of the inputs since this was last asked."""
        return self._answering.notes()

    def _blamed(self) -> AbstractContextManager[None]:
        return blamed(f"inference {self.record.inference!r}, asked through {self.folder}")


def load_exported(folder: Path, catalog: Catalog, *, int8: bool = False, threads: int = 0) -> Exported:
    """RunError: the folder is damaged, or newer than this release; UsageError: it has no ONNX, or the plugin that
    knows its answers is not installed.

    Code comes from what is installed, never from the folder, which a stranger may have made.
    """
    record = read_record(folder)
    if record.kind != "onnx":
        raise UsageError(
            f"{folder}: exported as {record.kind}; only an ONNX export answers: dlkit export RUN --format onnx"
        )
    answering = answering_class(catalog, record.inference, record.task)
    given = read_given(folder, record)
    with blamed(f"inference {record.inference!r}, given what {folder} holds"):
        return Exported(folder, record, answering(given, Networks(folder, record, int8=int8, threads=threads)))


def answering_class(catalog: Catalog, inference: str, task: str) -> type[Answering]:
    """The installed answering of an inference component; UsageError if there is none."""
    spec = catalog.find("inference", inference, task)
    reference = getattr(spec, "answers", "")
    if not reference:
        raise UsageError(f"inference {inference!r} has nothing that answers without torch")
    with blamed(f"inference {inference!r}: {reference}"):
        found = load_object(reference)
    if not (isinstance(found, type) and issubclass(found, Answering)):
        raise PluginError(f"inference {inference!r}: {reference} is not a subclass of dlkit.answering.Answering")
    return found
