"""Networks as programs of torch.export and as ONNX; torch's own exporters, and never another one in their place."""

from __future__ import annotations

import logging
import warnings
from collections.abc import Callable, Iterator, Mapping
from contextlib import contextmanager
from inspect import Parameter, signature
from pathlib import Path
from typing import TypeVar

import torch
from torch import Tensor, nn
from torch.export import Dim, ExportedProgram

from dlkit.errors import UsageError, in_words
from dlkit.nn.any_length import any_length
from dlkit.portable import Graph
from dlkit.use.export.plain_recurrent import plain_recurrent

OPSET = 18
"""Of ONNX: what torch's exporter writes without converting, and what ONNX Runtime has had since 1.14."""
_COUNT = 7
"""Samples of the batch that a network is exported with. 0 and 1 are special to torch, and a size that another axis has
(three channels) may be taken for that axis' own."""
ONE_FILE = 1_900_000_000
"""Bytes of weights up to which ONNX is one file: a protocol buffer has less than 2^31. Those of more lie beside it."""
BESIDE = ".data"
"""What the file of such weights is called, after the network's own name."""
Found = TypeVar("Found")


def program_of(graph: Graph) -> ExportedProgram:
    """The network with its open axes; UsageError says why torch cannot export it."""
    inputs = graph.draw(_COUNT, _unlike(graph), 0)
    sizes = tuple(dict.fromkeys(graph.varying(name), Dim.DYNAMIC) for name in graph.inputs)
    several = [p.kind for p in signature(graph.module.forward).parameters.values()] == [Parameter.VAR_POSITIONAL]
    varying = (sizes,) if several else sizes
    graph.module.eval()
    with _quiet(), torch.no_grad():
        return _tried(
            graph,
            lambda: torch.export.export(graph.module, tuple(inputs.values()), dynamic_shapes=varying, strict=False),
        )


def save_program(program: ExportedProgram, path: Path) -> None:
    """As ``torch.export.load`` reads it."""
    with _quiet():
        torch.export.save(program, path)


def without_weights(program: ExportedProgram) -> ExportedProgram:
    """The same with all weights 0 and next to nothing on disk: what is to be filled from a file of weights."""
    for name, tensor in list(program.state_dict.items()):
        hollow = torch.zeros((), dtype=tensor.dtype).expand(tensor.shape)
        filled = nn.Parameter(hollow, requires_grad=False) if isinstance(tensor, nn.Parameter) else hollow
        program.state_dict[name] = filled
    return program


def save_onnx(graph: Graph, path: Path) -> None:
    """As ONNX of OPSET, its open axes named, in one file where that can be; UsageError says why torch cannot export
    it."""
    inputs = graph.draw(_COUNT, _unlike(graph), 0)
    varying = {name: dict.fromkeys(graph.varying(name), Dim.DYNAMIC) for name in graph.inputs}
    module = _Named(graph).eval()
    with _quiet(), torch.no_grad():
        program = _tried(
            graph,
            lambda: torch.export.export(
                module, tuple(inputs.values()), dynamic_shapes=(tuple(varying.values()),), strict=False
            ),
        )
        # Checks of the inputs, made from examples, are no part of the network; some cannot be decomposed.
        program.example_inputs = None
        made = _tried(
            graph,
            lambda: torch.onnx.export(
                program, (), dynamo=True, opset_version=OPSET, verbose=False, external_data=False,
                input_names=list(graph.inputs), output_names=list(graph.outputs),
                dynamic_shapes=(tuple(graph.varying(name) for name in graph.inputs),),
                custom_translation_table=plain_recurrent(),
            ),
        )  # fmt: skip
        assert made is not None
        made.save(path, external_data=is_large(graph.module))


def is_large(module: nn.Module) -> bool:
    """Whether its weights do not fit into one file."""
    total: int = sum(tensor.nbytes for tensor in module.state_dict().values())
    return total > ONE_FILE


class _Named(nn.Module):
    """A network whose outputs are a tuple in the graph's order: those of a dict that are not exported are left out."""

    def __init__(self, graph: Graph) -> None:
        super().__init__()
        self.whole = graph.module
        self._graph = graph

    def forward(self, *inputs: Tensor) -> tuple[Tensor, ...]:
        return tuple(self._graph.named(self.whole(*inputs)).values())


def _unlike(graph: Graph) -> dict[str, int]:
    """Sizes of free axes, no two alike and none that of the batch: equal ones would be taken for one."""
    sizes: dict[str, int] = {}
    for axis, tried in graph.free.items():
        size = tried[0]
        while size in sizes.values() or size == _COUNT:
            size -= 1
        sizes[axis] = max(2, size)
    return sizes


def _tried(graph: Graph, export: Callable[[], Found]) -> Found:
    try:
        return export()
    # Torch's exporters raise nearly anything; what is wrong is in the first line.
    except Exception as error:
        raise UsageError(
            f"network {graph.name!r} cannot be exported by torch {torch.__version__}: {in_words(error)}"
        ) from error


@contextmanager
def _quiet() -> Iterator[None]:
    """Without what the exporters say of their own workings, on paper and in warnings."""
    loggers = [logging.getLogger(name) for name in ("torch.onnx", "torch.export", "onnxscript", "onnx_ir")]
    levels = [logger.level for logger in loggers]
    try:
        for logger in loggers:
            logger.setLevel(logging.ERROR)
        with warnings.catch_warnings(), any_length():
            warnings.simplefilter("ignore")
            yield
    finally:
        for logger, level in zip(loggers, levels, strict=True):
            logger.setLevel(level)


def run_module(graphs: Mapping[str, Graph]) -> Callable[..., dict[str, Tensor]]:
    """Runs networks by name in torch, tensors in and out."""

    def run(graph: str, /, **inputs: Tensor) -> dict[str, Tensor]:
        one = graphs[graph]
        with torch.no_grad():
            return one.named(one.module(*(inputs[name] for name in one.inputs)))

    return run


def smaller(path: Path, target: Path, *, beside: bool = False) -> None:
    """A network with weights of 8 bits, by ONNX Runtime's dynamic quantisation: activations are scaled as they come.
    ``beside``: the weights lie in a file of their own."""
    from onnxruntime.quantization import QuantType, quantize_dynamic

    with _quiet():
        # Unsigned: ONNX Runtime has no convolution of signed ones.
        quantize_dynamic(path, target, weight_type=QuantType.QUInt8, use_external_data_format=beside)
