"""The proof of an export: that the folder's networks, its answering and its metric are the run's.

The folder is asked in a process of its own, which has neither torch nor dlkit (``asking``); what it says is compared
with torch's own here.
"""

from __future__ import annotations

import json
import time
from collections.abc import Callable, Iterator, Mapping, Sequence
from contextlib import contextmanager
from functools import partial
from itertools import product
from pathlib import Path
from typing import Any

import numpy as np
import torch
from torch import Tensor, nn

from dlkit.answering import TOLERANCE, Answered, Values
from dlkit.data.randomness import forked
from dlkit.data.splits import Split
from dlkit.errors import DlkitError, in_words
from dlkit.portable import Graph
from dlkit.predictor import AnyPredictor
from dlkit.present.numbers import counted, duration, size
from dlkit.use.export.asking import ProvingChild
from dlkit.use.export.networks import BESIDE
from dlkit.use.export.verdicts import Proof

Plain = Any
"""A JSON value, or what NumPy has for one."""
BATCHES = (1, 5, 32)
"""Sizes of batches of fresh inputs; the network was exported with another."""
LATENCIES = (1, 32)
EXAMPLES = 16
"""Real inputs that are answered both ways, unless more are asked for."""
SECONDS = 0.5
_RUNS = 200
"""Runs at most that a latency is measured by."""
_THREADS = 1
_TOLD = 300
"""Characters of an answer that differs."""


def compare_networks(proof: Proof, graphs: Sequence[Graph], child: ProvingChild, *, lossy: bool = False) -> None:
    """Fresh random inputs through both, at several sizes of batch and of every free axis."""
    for graph in graphs:
        most, tried = 0.0, 0
        for number, (count, lengths) in enumerate(product(BATCHES, _lengths(graph))):
            inputs = graph.draw(count, lengths, 1 + number)
            with torch.no_grad():
                wanted = graph.named(graph.module(*inputs.values()))
            found = child(graph.name, **{name: _array(value) for name, value in inputs.items()})
            most = max([most, *(difference(found[name], _array(value)) for name, value in wanted.items())])
            tried += 1
        what = f"{graph.name}: largest difference, {tried} random batches of {', '.join(map(str, BATCHES))}{_of(graph)}"
        passed = None if lossy else most <= TOLERANCE
        proof.add(what, f"{most:.2g}", "" if lossy else f"{TOLERANCE:g}", passed)


def difference(found: Values, wanted: Values) -> float:
    """The largest absolute difference, relative to the wanted values' size where that is above 1; infinite where
    shapes, types of number or what is finite differ."""
    if found.shape != wanted.shape or found.dtype != wanted.dtype:
        return float("inf")
    if wanted.dtype.kind != "f":
        return 0.0 if np.array_equal(found, wanted) else float("inf")
    finite = np.isfinite(wanted)
    if not np.array_equal(finite, np.isfinite(found)) or not np.array_equal(found[~finite], wanted[~finite], True):
        return float("inf")
    away = np.abs(found[finite].astype(np.float64) - wanted[finite])
    scale = max(1.0, float(np.abs(wanted[finite]).max(initial=0.0)))
    return float(away.max(initial=0.0)) / scale


def compare_answers(
    proof: Proof,
    predictor: AnyPredictor,
    child: ProvingChild,
    words: Sequence[str],
    alike: Callable[[Answered, Answered], bool],
    *,
    lossy: bool = False,
) -> None:
    """Raw inputs, answered by ``dlkit predict`` and by the folder's run.py."""
    if not words:
        proof.remarks.append("no real inputs to answer: the run's predictor gives no examples without its data")
        return
    wanted: list[Answered] = [plain(answer) for answer in predictor.predict(predictor.read(words))]
    found = child.answers(words)
    pairs = zip(wanted, found, strict=False)
    differing = [(one, other) for one, other in pairs if not alike(one, other)]
    same = len(wanted) - len(differing) if len(wanted) == len(found) else 0
    passed = None if lossy else same == len(wanted)
    if differing and not lossy:
        told = " against ".join(json.dumps(answer, ensure_ascii=False)[:_TOLD] for answer in differing[0])
        proof.remarks.append(f"the first answer that differs: {told}")
    proof.add("raw input → answer, as dlkit predict gives it", f"{same} of {len(wanted)} equal", "all", passed)


def examples_of(predictor: AnyPredictor, split: Split | None, folder: Path, count: int = EXAMPLES) -> list[str]:
    """So many inputs as words of a command line, drawn from the validation split where there is one."""
    words: dict[str, None] = {}
    for seed in range(4 * count):
        try:
            with forked(seed, "examples"):
                words |= dict.fromkeys(predictor.example(split, np.random.default_rng(seed), folder))
        except DlkitError:
            break
        if len(words) >= count or (split is None and seed):
            break
    return list(words)[:count]


def measure_latency(
    proof: Proof, graphs: Sequence[Graph], child: ProvingChild, small: ProvingChild | None, seconds: float
) -> None:
    """Median and 99th percentile of each network's runs at batches of 1 and 32, beside torch's; each measured for so
    many seconds."""
    for graph, count in product(graphs, LATENCIES):
        inputs = graph.draw(count, {axis: sizes[0] for axis, sizes in graph.free.items()}, 0)
        arrays = {name: _array(value) for name, value in inputs.items()}
        timed = {"ONNX Runtime": _times(partial(child.seconds, graph.name, inputs=arrays), seconds)}
        if small is not None:
            timed["int8"] = _times(partial(small.seconds, graph.name, inputs=arrays), seconds)
        with _torch_threads():
            timed["torch"] = _times(partial(_torch_seconds, graph, inputs), seconds)
        found = ", ".join(f"{who} {_quantiles(each)}" for who, each in timed.items())
        proof.add(f"{graph.name}: latency at batch {count}, median (p99), {counted(_THREADS, 'thread')}", found)


def measure_size(proof: Proof, folder: Path, files: Mapping[str, str]) -> None:
    """Of the networks' files, each called as its key says."""
    proof.add("size", ", ".join(f"{what} {size(_size(folder / file))}" for what, file in files.items()))


def _size(path: Path) -> int:
    """With what lies beside it, where weights are too large for one file."""
    beside = path.with_name(path.name + BESIDE)
    return path.stat().st_size + (beside.stat().st_size if beside.exists() else 0)


def _times(timed: Callable[[int], list[float]], seconds: float) -> list[float]:
    first = timed(3)[-1]
    return timed(max(5, min(_RUNS, int(seconds / max(first, 1e-6)))))


def _torch_seconds(graph: Graph, inputs: Mapping[str, Tensor], times: int) -> list[float]:
    found = []
    with torch.inference_mode():
        for _ in range(times):
            began = time.perf_counter()
            graph.module(*inputs.values())
            found.append(time.perf_counter() - began)
    return found


@contextmanager
def _torch_threads() -> Iterator[None]:
    """Torch with as many threads as ONNX Runtime has; as it was afterwards."""
    before = torch.get_num_threads()
    torch.set_num_threads(_THREADS)
    try:
        yield
    finally:
        torch.set_num_threads(before)


def _quantiles(seconds: Sequence[float]) -> str:
    return f"{_milliseconds(np.median(seconds))} ({_milliseconds(np.quantile(seconds, 0.99))})"


def _milliseconds(seconds: np.floating) -> str:
    return f"{float(seconds) * 1000:.3g} ms" if seconds < 1 else duration(float(seconds))


def _lengths(graph: Graph) -> list[dict[str, int]]:
    """Sizes of the free axes, each tried size once."""
    tried = max((len(sizes) for sizes in graph.free.values()), default=1)
    return [{axis: sizes[number % len(sizes)] for axis, sizes in graph.free.items()} for number in range(tried)]


def _of(graph: Graph) -> str:
    return "".join(f", {axis} of {', '.join(map(str, sizes))}" for axis, sizes in graph.free.items())


def _array(tensor: Tensor) -> Values:
    found: Values = tensor.detach().cpu().numpy()
    return found


def plain(value: Plain) -> Plain:
    """An answer in JSON's own types, as a file of it has them."""
    if isinstance(value, Mapping):
        return {str(key): plain(one) for key, one in value.items()}
    if isinstance(value, (list, tuple)):
        return [plain(one) for one in value]
    return value.item() if isinstance(value, np.generic) else value


def compare_programs(proof: Proof, graph: Graph, program: nn.Module) -> None:
    """Fresh random inputs through the model and through what was loaded of its program again, both in torch."""
    most, tried = 0.0, 0
    for number, (count, lengths) in enumerate(product(BATCHES, _lengths(graph))):
        inputs = graph.draw(count, lengths, 1 + number)
        with torch.no_grad():
            wanted = graph.named(graph.module(*inputs.values()))
            try:
                found = graph.named(program(*inputs.values()))
            # A program checks its inputs' sizes by assertions, which are torch's own; they, too, are a verdict.
            except Exception as error:
                sizes = "".join(f", {axis} of {size}" for axis, size in lengths.items())
                proof.add(f"{graph.name}: a batch of {count}{sizes}", in_words(error), "answered", False)
                return
        most = max([most, *(difference(_array(found[name]), _array(value)) for name, value in wanted.items())])
        tried += 1
    what = f"{graph.name}: largest difference, {tried} random batches of {', '.join(map(str, BATCHES))}{_of(graph)}"
    proof.add(what, f"{most:.2g}", f"{TOLERANCE:g}", most <= TOLERANCE)
