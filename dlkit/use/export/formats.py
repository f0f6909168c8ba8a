"""Writes exported folders: of weights, of torch programs, of ONNX with what answers raw input. Whole, or not at all."""

from __future__ import annotations

import shutil
import tempfile
import time
from collections.abc import Callable, Iterator, Sequence
from contextlib import contextmanager
from dataclasses import dataclass, field
from importlib.metadata import version
from pathlib import Path
from typing import cast

import torch
from safetensors.torch import load_file, save_file
from torch import Tensor, nn

import dlkit
from dlkit.answering import Answered
from dlkit.catalog import Catalog
from dlkit.data.splits import Split
from dlkit.errors import UsageError, blamed
from dlkit.json_types import JsonObject
from dlkit.portable import Graph, Portable
from dlkit.predictor import AnyPredictor
from dlkit.runs.folder import RunFolder
from dlkit.runs.stored import readable
from dlkit.steering import without_steering
from dlkit.use.export.asking import ProvingChild
from dlkit.use.export.card import Card, licences
from dlkit.use.export.carried import PACKAGE, carried
from dlkit.use.export.exported import answering_class
from dlkit.use.export.folder import RECORD_FILE, Record, write_given, write_record
from dlkit.use.export.metric import Measured, StandIn, compare_metric, measure
from dlkit.use.export.networks import OPSET, is_large, program_of, save_onnx, save_program, smaller, without_weights
from dlkit.use.export.proof import (
    EXAMPLES,
    SECONDS,
    compare_answers,
    compare_networks,
    compare_programs,
    examples_of,
    measure_latency,
    measure_size,
)
from dlkit.use.export.verdicts import Proof
from dlkit.use.load import Loaded, put_on_record

KINDS = {
    "safetensors": "weights, configuration and model card; loaded by plain torch",
    "torch": "torch.export programs (.pt2), any size of batch",
    "onnx": "ONNX networks and a run.py that answers raw input without torch and dlkit, proved equal",
}
"""The formats that every run may have, each with what it is."""


@dataclass(frozen=True)
class Wanted:
    """How a run is to be exported. ``split``: what the metric is proved on (None: not at all), called ``verify``;
    ``examples``: real inputs that are answered both ways; ``seconds``: for how long a latency is measured."""

    int8: bool = False
    verify: str = "val"
    split: Split | None = None
    examples: int = EXAMPLES
    seconds: float = SECONDS
    why_unproved: str = ""
    say: Callable[[str], None] = field(default=lambda text: None)
    progress: Callable[[int, int], None] = field(default=lambda done, total: None)


@dataclass(frozen=True)
class Made:
    """An export: ``folder`` is None where its proof failed, and nothing is left of it."""

    kind: str
    folder: Path | None
    proof: Proof


def export(
    catalog: Catalog, run: RunFolder, loaded: Loaded, kind: str, target: Path, wanted: Wanted, *, force: bool = False
) -> Made:
    """One format of a run's model as a folder; UsageError says what cannot be exported and why, and what can be."""
    refuse_existing(target, force=force)
    with _hidden(target) as folder:
        writer = _Writer(catalog, run, loaded, folder, wanted)
        proof = {"safetensors": writer.safetensors, "torch": writer.torch, "onnx": writer.onnx}[kind]()
        if not proof.passed:
            return Made(kind, None, proof)
        if target.exists():
            shutil.rmtree(target)
        folder.rename(target)
    return Made(kind, target, proof)


def refuse_existing(target: Path, *, force: bool) -> None:
    """UsageError where something is in the way that ``--force`` is not for, or was not given for."""
    if not target.exists() and not target.is_symlink():
        return
    if target.is_dir() and not target.is_symlink() and not any(target.iterdir()):
        target.rmdir()
        return
    if not (target / RECORD_FILE).is_file() or target.is_symlink():
        raise UsageError(f"-o {target}: already there, and no exported folder: nothing is written over it")
    if not force:
        raise UsageError(f"-o {target}: already there; --force writes over it")


@contextmanager
def _hidden(target: Path) -> Iterator[Path]:
    """A folder beside the target, gone afterwards unless it was renamed."""
    try:
        target.parent.mkdir(parents=True, exist_ok=True)
        folder = Path(tempfile.mkdtemp(prefix=".export-", dir=target.parent))
    except OSError as error:
        raise UsageError(f"-o {target}: cannot be written: {error.strerror or error}") from error
    try:
        folder.chmod(0o755)
        yield folder
    except OSError as error:
        raise UsageError(f"-o {target}: cannot be written: {error.strerror or error}") from error
    finally:
        shutil.rmtree(folder, ignore_errors=True)


class _Writer:
    """Writes one folder and proves it."""

    def __init__(self, catalog: Catalog, run: RunFolder, loaded: Loaded, folder: Path, wanted: Wanted) -> None:
        self._catalog, self._run, self._loaded, self._folder, self._wanted = catalog, run, loaded, folder, wanted
        self._predictor: AnyPredictor = loaded.predictor
        self._who = f"inference {loaded.resolved.specs['inference'].name!r}"

    def safetensors(self) -> Proof:
        """Weights, configuration, card; the architecture as a program without weights, where torch can export it."""
        proof = Proof()
        graphs = self._graphs_if_any(proof)
        usage: list[str] = []
        for graph in graphs:
            save_file(_weights(graph.module), self._folder / f"{graph.name}.safetensors")
            try:
                save_program(without_weights(program_of(graph)), self._folder / f"{graph.name}.pt2")
            except UsageError as error:
                proof.remarks.append(f"{error}: its architecture is not in this folder, dlkit builds it")
                continue
            compare_programs(proof, graph, _filled(self._folder, graph.name))
            usage += _loading(graph)
        if not graphs:
            save_file(_weights(self._predictor.model), self._folder / "model.safetensors")
        if not usage:
            usage = _loading_by_dlkit(self._run.id)
        shutil.copyfile(self._run.config, self._folder / "config.toml")
        self._finish("safetensors", proof, usage, [_described(graph, f"{graph.name}.safetensors") for graph in graphs])
        return proof

    def torch(self) -> Proof:
        """Programs of torch.export."""
        proof, graphs = Proof(), self._portable().graphs
        for graph in graphs:
            save_program(program_of(graph), self._folder / f"{graph.name}.pt2")
            compare_programs(proof, graph, torch.export.load(self._folder / f"{graph.name}.pt2").module())
        measure_size(proof, self._folder, {graph.name: f"{graph.name}.pt2" for graph in graphs})
        usage = [line for graph in graphs for line in _running(graph)]
        self._finish("torch", proof, usage, [_described(graph, f"{graph.name}.pt2") for graph in graphs])
        return proof

    def onnx(self) -> Proof:
        """Networks, answering and run.py, proved in a process that has nothing else."""
        portable = self._portable()
        spec = self._loaded.resolved.specs["inference"]
        answering = answering_class(self._catalog, spec.name, self._loaded.resolved.task.name)
        source = carried(answering.__module__)
        described: list[dict[str, object]] = []
        files: dict[str, str] = {}
        for graph in portable.graphs:
            self._wanted.say(f"exporting {graph.name} to ONNX, opset {OPSET}")
            small = f"{graph.name}.int8.onnx" if self._wanted.int8 else None
            save_onnx(graph, self._folder / f"{graph.name}.onnx")
            if small:
                beside = is_large(graph.module)
                smaller(self._folder / f"{graph.name}.onnx", self._folder / small, beside=beside)
            described.append({**_described(graph, f"{graph.name}.onnx"), "int8": small})
            files |= {graph.name: f"{graph.name}.onnx", **({f"{graph.name} int8": small} if small else {})}
        package = self._folder / PACKAGE
        package.mkdir()
        (package / "__init__.py").write_text('"""Raw input to batch, outputs to answer; from dlkit (Apache-2.0)."""\n')
        for name, text in source.sources.items():
            (package / name).write_text(text, encoding="utf-8")
        needs = ["onnxruntime", *(need for need in source.needs if need != "onnxruntime")]
        named = write_given(self._folder, portable.given)
        (self._folder / "run.py").write_text(
            _run_py(self._title(), answering.usage, needs, source.entry, answering.__name__), encoding="utf-8"
        )
        head = self._record("onnx", described, answers=f"{answering.__module__}:{answering.__name__}", needs=needs)
        write_record(self._folder, Record(**{**vars(head), "bytes": named, "opset": OPSET}))
        proof = self._proved(portable, files, answering.alike)
        usage = [
            "```",
            f"pip install {' '.join(needs)}",
            "python run.py INPUT …",
            "```",
            "",
            f"INPUT: {answering.usage}.",
        ]
        self._finish("onnx", proof, usage, described, head=Record(**{**vars(head), "bytes": named, "opset": OPSET}))
        return proof

    def _proved(self, portable: Portable, files: dict[str, str], alike: Callable[[Answered, Answered], bool]) -> Proof:
        proof, wanted = Proof(), self._wanted
        wanted.say("proving it in a process without torch and dlkit")
        with tempfile.TemporaryDirectory() as place, ProvingChild(self._folder) as child:
            words = examples_of(self._predictor, wanted.split, Path(place), wanted.examples)
            compare_networks(proof, portable.graphs, child)
            self._compare_metric(proof, portable, child)
            compare_answers(proof, self._predictor, child, words, alike)
            measure_size(proof, self._folder, files)
            if not wanted.int8:
                measure_latency(proof, portable.graphs, child, None, wanted.seconds)
                return proof
            with ProvingChild(self._folder, int8=True) as small:
                measure_latency(proof, portable.graphs, child, small, wanted.seconds)
                lossy = Proof()
                compare_networks(lossy, portable.graphs, small, lossy=True)
                self._compare_metric(lossy, portable, small, lossy=True)
                compare_answers(lossy, self._predictor, small, words, alike, lossy=True)
            for row in lossy.rows:
                proof.add(f"int8: {row.what}", row.found)
        return proof

    def _compare_metric(self, proof: Proof, portable: Portable, child: ProvingChild, *, lossy: bool = False) -> None:
        wanted, resolved = self._wanted, self._loaded.resolved
        if wanted.split is None:
            if not lossy:
                proof.remarks.append(wanted.why_unproved or "the metric was not proved (--verify none)")
            return
        standing = portable.model or (lambda run: StandIn(portable.graphs[0], run, self._predictor.model))
        measured = measure(self._predictor, resolved, wanted.split, wanted.verify, standing(child), wanted.progress)
        if not lossy:
            self._put_on_record(measured)
        metric = f"{wanted.verify}/{resolved.task.metric.partition('/')[2]}"
        recorded = self._loaded.checkpoint.manifest.metrics.get(metric) if wanted.verify == "val" else None
        compare_metric(proof, measured, metric, recorded, readable(self._run).get("precision", ""), lossy=lossy)

    def _put_on_record(self, measured: Measured) -> None:
        """That test was looked at; of the validation split, training looks all the time."""
        if self._wanted.verify != "test":
            return
        checkpoint = self._loaded.checkpoint
        told = {"run": self._run.id, "checkpoint": str(checkpoint.step), "step": checkpoint.step, "split": "test"}
        line = {**told, "metrics": dict(measured.torch), "sha256": checkpoint.sha256, "time": round(time.time(), 3)}
        if problem := put_on_record(self._run, line):
            self._wanted.say(f"not on record: {problem}")

    def _portable(self) -> Portable:
        try:
            with blamed(self._who):
                return self._predictor.portable()
        except UsageError as error:
            raise UsageError(f"{error}; its weights can be: --format safetensors") from error

    def _graphs_if_any(self, proof: Proof) -> Sequence[Graph]:
        try:
            with blamed(self._who):
                return self._predictor.portable().graphs
        except UsageError as error:
            proof.remarks.append(f"weights alone, since {error}")
            return ()

    def _title(self) -> str:
        resolved = self._loaded.resolved
        return f"Answers of run {self._run.id} ({resolved.task.name}, {resolved.specs['model'].name})"

    def _record(
        self, kind: str, graphs: Sequence[dict[str, object]], answers: str = "", needs: Sequence[str] = ()
    ) -> Record:
        resolved, checkpoint = self._loaded.resolved, self._loaded.checkpoint
        specs = resolved.specs
        made_by = [f"dlkit {dlkit.__version__}", f"torch {torch.__version__}"]
        made_by += [f"{name} {version(name)}" for name in ("onnxscript", "onnxruntime")] if kind == "onnx" else []
        return Record(
            kind=kind, run=self._run.id, task=resolved.task.name, model=specs["model"].name,
            dataset=specs["dataset"].name, inference=specs["inference"].name, answers=answers,
            checkpoint="best" if checkpoint.manifest.best else "", step=checkpoint.step, made_by=", ".join(made_by),
            graphs=graphs, needs=needs, schema=cast(JsonObject, self._predictor.schema()),
        )  # fmt: skip

    def _finish(
        self,
        kind: str,
        proof: Proof,
        usage: Sequence[str],
        graphs: Sequence[dict[str, object]],
        head: Record | None = None,
    ) -> None:
        """The card, the proof, and the record, which is written last."""
        (self._folder / RECORD_FILE).unlink(missing_ok=True)
        shutil.rmtree(self._folder / PACKAGE / "__pycache__", ignore_errors=True)
        shutil.rmtree(self._folder / "__pycache__", ignore_errors=True)
        found = licences(self._catalog, self._loaded.resolved)
        card = Card(
            self._run.id, readable(self._run), self._loaded.resolved, self._loaded.checkpoint, usage, proof, found
        )
        (self._folder / "README.md").write_text(without_steering(card.text()), encoding="utf-8")
        proof.write(self._folder)
        write_record(self._folder, head or self._record(kind, graphs))


def _weights(model: nn.Module) -> dict[str, Tensor]:
    """By name, each with memory of its own: tied ones are stored under each of their names."""
    return {name: tensor.detach().cpu().clone().contiguous() for name, tensor in model.state_dict().items()}


def _filled(folder: Path, name: str) -> nn.Module:
    """What the card's five lines give."""
    model = torch.export.load(folder / f"{name}.pt2").module()
    model.load_state_dict(load_file(folder / f"{name}.safetensors"), assign=True)
    return model


def _loading(graph: Graph) -> list[str]:
    given = ", ".join(graph.inputs)
    return [
        "```python", "import torch", "from safetensors.torch import load_file", "",
        f'model = torch.export.load("{graph.name}.pt2").module()',
        f'model.load_state_dict(load_file("{graph.name}.safetensors"), assign=True)',
        f"outputs = model({given})  # {_forms(graph)}", "```", "",
    ]  # fmt: skip


def _running(graph: Graph) -> list[str]:
    given = ", ".join(graph.inputs)
    return [
        "```python", "import torch", "", f'model = torch.export.load("{graph.name}.pt2").module()',
        f"outputs = model({given})  # {_forms(graph)}", "```", "",
    ]  # fmt: skip


def _loading_by_dlkit(run: str) -> list[str]:
    return [
        "```python", "import dlkit", "from safetensors.torch import load_file", "",
        f'model = dlkit.open_run("{run}").predictor().model',
        'model.load_state_dict(load_file("model.safetensors"))', "```",
    ]  # fmt: skip


def _forms(graph: Graph) -> str:
    drawn = graph.draw(2, {axis: sizes[0] for axis, sizes in graph.free.items()}, 0)
    forms = []
    for name, value in drawn.items():
        axes = [axis if i in graph.varying(name) else str(value.shape[i]) for i, axis in enumerate(graph.inputs[name])]
        forms.append(f"{name}: {str(value.dtype).removeprefix('torch.')}[{', '.join(axes)}]")
    return "; ".join(forms)


def _described(graph: Graph, file: str) -> dict[str, object]:
    drawn = graph.draw(2, {axis: sizes[0] for axis, sizes in graph.free.items()}, 0)
    inputs = [
        {"name": name, "dtype": str(value.dtype).removeprefix("torch."), "axes": [
            axis if i in graph.varying(name) else str(value.shape[i]) for i, axis in enumerate(graph.inputs[name])]}
        for name, value in drawn.items()
    ]  # fmt: skip
    return {"name": graph.name, "file": file, "int8": None, "inputs": inputs, "outputs": list(graph.outputs)}


def _run_py(title: str, usage: str, needs: Sequence[str], module: str, name: str) -> str:
    text = (Path(__file__).parent / "run.py.txt").read_text(encoding="utf-8")
    words = {"TITLE": title, "USAGE": usage, "NEEDS": ", ".join(needs), "MODULE": module, "CLASS": name}
    for word, value in words.items():
        text = text.replace(f"@{word}@", value)
    return text
