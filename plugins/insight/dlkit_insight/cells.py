"""LSTM and GRU layers from the inside: their gates and states at every place, which torch's own layers do not give.

They are computed once more from the layers' weights, by the formulas in torch's documentation: Hochreiter and
Schmidhuber 1997 with the forget gate of Gers et al. 2000, and Cho et al. 2014 (arXiv 1406.1078).
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from contextlib import ExitStack
from dataclasses import dataclass
from typing import cast

import torch
from torch import Tensor, nn

GATES: Mapping[str, tuple[str, ...]] = {"LSTM": ("input", "forget", "output"), "GRU": ("reset", "update")}


State = Tensor | tuple[Tensor, ...] | None
"""What a module was given to begin with: an LSTM output and cell, a GRU the output, each [layers × directions,N,H]."""


@dataclass(frozen=True)
class Trace:
    """One layer, in one direction, over one text: each float32 [T,H] on the CPU.

    ``state`` is what goes along: of an LSTM its cell (which is not bounded), of a GRU its output. ``gates`` are in
    [0, 1]: of an LSTM input, forget and output, of a GRU reset and update.
    """

    layer: str
    state: Tensor
    output: Tensor
    gates: Mapping[str, Tensor]

    @property
    def bounded(self) -> Tensor:
        """The state in [−1, 1]: of an LSTM tanh of its cell, which is what the output gate lets through."""
        return self.state.tanh() if "forget" in self.gates else self.state


def cells_of(model: nn.Module) -> list[tuple[str, nn.LSTM | nn.GRU]]:
    """The layers that can be looked into, by name."""
    return [
        (name, module)
        for name, module in model.named_modules()
        if isinstance(module, (nn.LSTM, nn.GRU)) and not module.proj_size
    ]


@torch.no_grad()
def traces(model: nn.Module, inputs: Sequence[Tensor]) -> list[Trace]:
    """What all LSTM and GRU layers do while the model reads one sample; layers that it calls step by step are put
    together."""
    model.eval()
    calls: dict[str, list[tuple[Tensor, State]]] = {}
    with ExitStack() as stack:
        for name, module in cells_of(model):
            seen = calls.setdefault(name, [])
            hook = module.register_forward_pre_hook(
                lambda _, args, kwargs, seen=seen: seen.append(_taken(args, kwargs)), with_kwargs=True
            )
            stack.callback(hook.remove)
        model(*inputs)
    found: list[Trace] = []
    for name, module in cells_of(model):
        found += _joined([list(unrolled(name, module, x, before)) for x, before in calls[name]])
    return found


def _taken(args: tuple[object, ...], kwargs: Mapping[str, object]) -> tuple[Tensor, State]:
    values = dict(zip(("input", "hx"), args, strict=False)) | dict(kwargs)
    return cast(Tensor, values["input"]), cast(State, values.get("hx"))


def _joined(calls: Sequence[Sequence[Trace]]) -> list[Trace]:
    """Of several calls, one after the other, each layer's."""
    return [
        Trace(
            same[0].layer,
            torch.cat([one.state for one in same]),
            torch.cat([one.output for one in same]),
            {gate: torch.cat([one.gates[gate] for one in same]) for gate in same[0].gates},
        )
        for same in zip(*calls, strict=True)
    ]


def unrolled(name: str, module: nn.LSTM | nn.GRU, inputs: Tensor, before: State) -> Iterator[Trace]:
    """Every layer of a module and both directions, of the first row of ``inputs``, [N,T,F] or [T,N,F] as the module
    says; ``before``: the state that it was given, or None."""
    x = inputs[0] if module.batch_first or inputs.dim() == 2 else inputs[:, 0]
    directions = 2 if module.bidirectional else 1
    first = _first_state(module, before, x)
    for layer in range(module.num_layers):
        outputs = []
        for way in range(directions):
            own = f"{name or type(module).__name__}.{layer}" if module.num_layers > 1 else name or type(module).__name__
            label = f"{own} backwards" if way else own
            start = tuple(state[layer * directions + way] for state in first)
            trace = _layer(label, module, x.flip(0) if way else x, start, f"l{layer}{'_reverse' if way else ''}")
            trace = _flipped(trace) if way else trace
            outputs.append(trace.output.to(x))
            yield trace
        x = torch.cat(outputs, 1)


def _first_state(module: nn.LSTM | nn.GRU, before: State, x: Tensor) -> tuple[Tensor, ...]:
    """Each [layers × directions, H]."""
    count = module.num_layers * (2 if module.bidirectional else 1)
    parts = 2 if isinstance(module, nn.LSTM) else 1
    if before is None:
        return tuple(x.new_zeros(count, module.hidden_size) for _ in range(parts))
    given = before if isinstance(before, tuple) else (before,)
    return tuple(state[:, 0] if state.dim() == 3 else state for state in given)


def _layer(label: str, module: nn.LSTM | nn.GRU, x: Tensor, start: tuple[Tensor, ...], suffix: str) -> Trace:
    from_input = x @ getattr(module, f"weight_ih_{suffix}").T  # [T, gates × H]
    hidden_weight = getattr(module, f"weight_hh_{suffix}").T
    bias_hidden: Tensor | float = 0.0
    if module.bias:
        from_input = from_input + getattr(module, f"bias_ih_{suffix}")
        bias_hidden = getattr(module, f"bias_hh_{suffix}")
    rows = _lstm if isinstance(module, nn.LSTM) else _gru
    columns = zip(*rows(from_input, hidden_weight, bias_hidden, start), strict=True)
    state, output, *gates = (torch.stack(column).float().cpu() for column in columns)
    return Trace(label, state, output, dict(zip(GATES[type(module).__name__], gates, strict=True)))


def _lstm(x: Tensor, weight: Tensor, bias: Tensor | float, start: tuple[Tensor, ...]) -> Iterator[tuple[Tensor, ...]]:
    """c' = f·c + i·tanh(g), h' = o·tanh(c')."""
    hidden, cell = start
    for row in x:
        i, f, g, o = (row + hidden @ weight + bias).chunk(4)
        i, f, o = i.sigmoid(), f.sigmoid(), o.sigmoid()
        cell = f * cell + i * g.tanh()
        hidden = o * cell.tanh()
        yield cell, hidden, i, f, o


def _gru(x: Tensor, weight: Tensor, bias: Tensor | float, start: tuple[Tensor, ...]) -> Iterator[tuple[Tensor, ...]]:
    """n = tanh(Wx + r·(Uh + b)), h' = (1 − z)·n + z·h."""
    (hidden,) = start
    for row in x:
        r_x, z_x, n_x = row.chunk(3)
        r_h, z_h, n_h = (hidden @ weight + bias).chunk(3)
        r, z = (r_x + r_h).sigmoid(), (z_x + z_h).sigmoid()
        hidden = (1 - z) * (n_x + r * n_h).tanh() + z * hidden
        yield hidden, hidden, r, z


def _flipped(trace: Trace) -> Trace:
    gates = {name: values.flip(0) for name, values in trace.gates.items()}
    return Trace(trace.layer, trace.state.flip(0), trace.output.flip(0), gates)
