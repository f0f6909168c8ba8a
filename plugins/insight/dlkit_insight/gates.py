"""``gates``: what LSTM and GRU layers do while they read: their gates and states, and what single units follow."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import TYPE_CHECKING

import numpy as np
import numpy.typing as npt
from torch import Tensor, nn

from dlkit.data.splits import Split
from dlkit.errors import DataError, nearest
from dlkit.predictor import Answer
from dlkit.present.coloured import stacked
from dlkit.present.shades import mixed, place
from dlkit.samples import Images, Sample, Shaded, Table
from dlkit.task import AnyTask, Info
from dlkit_insight.asked_texts import AskedTexts
from dlkit_insight.cells import Trace, cells_of, traces
from dlkit_insight.following import Floats, Follower, followers, liveliest
from dlkit_insight.passages import passages, running
from dlkit_insight.reading import Passage, Reading, WritingInfo
from dlkit_insight.text_options import GatesConfig

if TYPE_CHECKING:
    from PIL.Image import Image

CELL = (4, 6)
"""Pixels of one unit at one place: its height and its width."""
_LEAST = 200
"""Tokens of a text from which it is asked what units follow."""
Pixels = npt.NDArray[np.uint8]


class Gates(AskedTexts[GatesConfig]):
    """Any model that has torch's LSTM or GRU layers, over any text that its task reads."""

    @classmethod
    def lacks(cls, task: AnyTask, model: nn.Module, info: Info) -> str:
        return Reading.lacks(info) or (
            "" if cells_of(model) else "it looks at LSTM and GRU layers, and the model has none"
        )

    def predict(self, inputs: Sequence[str]) -> list[Answer]:
        """``text``, ``tokens`` and ``layers``: of each its ``name``, its ``state`` and its ``gates`` by name, lists of
        units for each token; ``follow``: of a long text, what units follow (``thing``, ``layer``, ``unit``,
        ``correlation``)."""
        answers: list[Answer] = []
        for text in inputs:
            passage = self.reading.passage(text)
            found = self.traced(passage)
            layers = [
                {"name": t.layer, "state": t.state.tolist(), "gates": {n: g.tolist() for n, g in t.gates.items()}}
                for t in found
            ]
            follow = [vars(one) for one in self.followed(passage, found)]
            answers.append({"text": text, "tokens": list(passage.read), "layers": layers, "follow": follow})
        return answers

    def show(self, inputs: Sequence[str], answers: Sequence[Answer]) -> Sequence[Sample]:
        shown: list[Sample] = []
        for number, answer in enumerate(answers, 1):
            found = [_trace(layer) for layer in answer["layers"]]
            follow = [Follower(**one) for one in answer["follow"]]
            shown += self._units(str(number), answer["tokens"], found, follow)
            shown += self._shown(str(number), found)
        return shown

    def draw(self, value: str, answer: Answer) -> Image:
        """All states and gates below one another."""
        found = [_trace(layer) for layer in answer["layers"]]
        return stacked({f"{t.layer}: {what}": p for t in found for what, p in self._pictures(t).items()})

    def stem(self, value: str) -> str:
        return "gates"

    def samples(self, count: int, rng: np.random.Generator, examples: Split | None) -> Sequence[Sample]:
        """Validation text, the same each time; what units follow is sought in more of it than is shown."""
        if examples is None:
            return ()
        (passage, *_) = passages(self.reading, examples, 1, self.config.tokens)
        found = self.traced(passage)
        units: list[Sample] = []
        if isinstance(self.info, WritingInfo) and self.config.searched:
            long = self.reading.tokens(running(examples, 0, self.config.searched))
            whole = self.traced(long)
            units = self._units("1", long.read, whole, self.followed(long, whole))
        return [*units, *self._shown("1", found)]

    def example(self, examples: Split | None, rng: np.random.Generator, folder: Path) -> list[str]:
        return [p.text.strip() for p in passages(self.reading, examples, 2, self.config.tokens)] if examples else []

    def traced(self, passage: Passage) -> list[Trace]:
        """The chosen layers. DataError: there is none of that name."""
        found, wanted = traces(self.model, passage.inputs), self.config.layer
        kept = [
            t for t in found if wanted == "all" or t.layer == wanted or t.layer.startswith((f"{wanted}.", f"{wanted} "))
        ]
        if not kept:
            raise DataError(f"no LSTM or GRU layer {wanted!r}: {nearest(wanted, [*(t.layer for t in found), 'all'])}")
        return kept

    def followed(self, passage: Passage, found: Sequence[Trace]) -> list[Follower]:
        """What units follow in a text; nothing where it is short, or no layer reads it token by token."""
        states: Mapping[str, Floats] = {
            trace.layer: trace.bounded.double().numpy() for trace in found if len(trace.state) == len(passage.read)
        }
        return followers(passage.read, states) if states and len(passage.read) >= _LEAST else []

    def _units(
        self, number: str, tokens: Sequence[str], found: Sequence[Trace], follow: Sequence[Follower]
    ) -> list[Sample]:
        """What units follow, and those that do so most closely in the stretch of the text where it changes most."""
        shown: list[Sample] = [_table(number, follow)] if follow else []
        by_name = {trace.layer: trace for trace in found}
        for one in [one for one in follow if one.closely][: self.config.named]:
            stretch = liveliest(tokens, one.thing, 2 * self.config.tokens)
            shown.append(_unit(number, tokens[stretch], by_name[one.layer].bounded[stretch, one.unit], one))
        return shown

    def _shown(self, number: str, found: Sequence[Trace]) -> list[Sample]:
        shown: list[Sample] = []
        for trace in found:
            pictures = self._pictures(trace)
            units = min(self.config.units, trace.state.shape[1])
            title = (
                f"{trace.layer}: {len(trace.state)} places from left to right, {units} of {trace.state.shape[1]} units"
            )
            named = f"gates-{number}-{trace.layer}".replace("/", "-")[:100]
            shown.append(Images(name=named, title=title, images=np.stack(list(pictures.values())),
                                captions=list(pictures), columns=2))  # fmt: skip
        return shown

    def _pictures(self, trace: Trace) -> dict[str, Pixels]:
        """State and gates by name, the same units in each: those whose state changes most, the most first."""
        last = self.config.tokens
        order = trace.bounded.std(0, correction=0).argsort(descending=True)[: self.config.units]
        pictures = {"state": time_by_units(trace.bounded[:last, order], (-1.0, 1.0))}
        for name, gate in trace.gates.items():
            pictures[f"{name} gate"] = time_by_units(gate[:last, order], (0.0, 1.0))
        return pictures


def time_by_units(values: Tensor, limits: tuple[float, float]) -> Pixels:
    """[T,H] as colours: places from left to right, units from top to bottom."""
    colours = np.array(
        [[mixed(place(value, limits) or 0.0) for value in column] for column in values.T.tolist()], np.uint8
    )
    return colours.repeat(CELL[0], 0).repeat(CELL[1], 1)


def _table(number: str, follow: Sequence[Follower]) -> Table:
    rows = [
        [one.thing, f"unit {one.unit} of {one.layer}", round(one.correlation, 3), "closely" if one.closely else ""]
        for one in follow
    ]
    title = "What units follow: the closest of all, and its correlation on text that it was not chosen on"
    return Table(name=f"follow-{number}", title=title, headers=["what", "who", "correlation", ""], rows=rows)


def _unit(number: str, tokens: Sequence[str], state: Tensor, one: Follower) -> Shaded:
    title = f"Unit {one.unit} of {one.layer} follows: {one.thing} (correlation {one.correlation:.2f})"
    name = f"unit-{number}-{one.thing.replace(' ', '-')}"
    return Shaded(name=name, title=title, pieces=list(tokens), values=state.tolist(), limits=(-1.0, 1.0), unit="state")


def _trace(layer: Mapping[str, object]) -> Trace:
    gates = layer["gates"]
    assert isinstance(gates, Mapping)
    state = Tensor(layer["state"])
    return Trace(str(layer["name"]), state, state, {name: Tensor(values) for name, values in gates.items()})
