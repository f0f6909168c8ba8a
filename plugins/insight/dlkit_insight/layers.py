"""``layers``: what a network of images has learnt, and what it makes of an image, layer by layer."""

from __future__ import annotations

from collections.abc import Mapping, Sequence

import numpy as np
import torch
from PIL import Image
from torch import Tensor, nn

from dlkit.data.encoding import Encoding
from dlkit.data.splits import Split
from dlkit.engine.trainer import evaluation_mode
from dlkit.errors import UsageError, nearest
from dlkit.image_predictor import ImageInfo, ImagePredictor, as_pictures
from dlkit.metrics.selection import some_indices
from dlkit.predictor import Answer
from dlkit.samples import Images, Sample, Table
from dlkit.task import AnyTask, Info
from dlkit_insight.options import LayersConfig
from dlkit_insight.pictures import Pixels, enlarged, grey, in_colour, side_by_side, signed
from dlkit_insight.probing import Probed, blank, device_of, image_encoding, lacks_images, probing

EXAMPLES = 500
"""Validation images among which those are looked for that excite a channel."""
_BATCH = 50
_SIDE = 96
"""Pixels of a drawn map's longer side, at least."""
_FILTER = 48
_BEST = 6
"""Images shown of those that excite a channel most."""
_LAYERS = 12
"""Layers that are shown where none is named."""


class Layers(ImagePredictor[ImageInfo, LayersConfig]):
    """Of an image it shows each layer's strongest channels, of a network its filters, and of the validation split the
    images that excite a channel most. Norms, ReLU and pooling are layers of their own: before and after can be seen."""

    draws = True

    @classmethod
    def lacks(cls, task: AnyTask, model: nn.Module, info: Info) -> str:
        if missing := lacks_images(task, info):
            return missing
        with evaluation_mode(model), torch.no_grad(), probing(model) as probed:
            model(blank(model, info))
        return "" if probed.maps() else "it looks at maps, and no layer of the model gives one"

    def make_encoding(self) -> Encoding:
        return image_encoding(self.info, self.info.shape[0])  # type: ignore[arg-type]

    def predict(self, inputs: Sequence[object]) -> list[Answer]:
        """``layers``: of each its ``name``, ``kind``, ``shape`` [C,h,w], ``mean``, ``greatest``, and ``silent``, the
        share of channels that are 0 all over this image; for files, ``file``."""
        return [
            self.with_file({"layers": self._described(self._probed(self._encoded(value)))}, value) for value in inputs
        ]

    def show(self, inputs: Sequence[object], answers: Sequence[Answer]) -> Sequence[Sample]:
        shown: list[Sample] = []
        for number, value in enumerate(inputs, 1):
            probed = self._probed(self._encoded(value))
            shown += [self._channels(f"{number:02}-{name}", name, probed) for name in self._asked(probed)]
        return shown

    def draw(self, value: object, answer: Answer) -> Image.Image:
        """A row a layer: its name, and its strongest channels."""
        probed = self._probed(self._encoded(value))
        columns = min(8, self.config.channels)
        pictures, titles = [], []
        (picture,) = as_pictures(self.seen(value)[None])
        size = enlarged(picture, _SIDE).shape[:2]
        for name in self._asked(probed):
            strongest = self._strongest(probed.outputs[name][0])[: columns - 1]
            maps = [_sized(_map(probed.outputs[name][0, c]), *size) for c in strongest]
            blank_ones = [np.full((*size, 3), 255, np.uint8)] * (columns - 1 - len(maps))
            pictures += [in_colour(enlarged(picture, _SIDE)), *maps, *blank_ones]
            named = [f"{name} {self._kind(name, probed)}", *(f"channel {c}" for c in strongest)]
            titles += [*named, *[""] * len(blank_ones)]
        return side_by_side(pictures, titles, columns)

    def samples(self, count: int, rng: np.random.Generator, examples: Split | None) -> Sequence[Sample]:
        found: list[Sample] = list(self._filters())
        if examples is None:
            return found
        index = some_indices(len(examples), EXAMPLES, rng)
        probed = self._probed(examples.take(index[:1])["image"])
        found += [self._channels(f"map-{name}", name, probed) for name in self._asked(probed)]
        return [*found, self._exciting(self._last(probed), index, examples), self._table(probed)]

    # What is looked at

    def _encoded(self, value: object) -> Tensor:
        return self.encoding.encode(torch.from_numpy(self.seen(value)[None]))

    def _probed(self, images: Tensor) -> Probed:
        with evaluation_mode(self.model), torch.no_grad(), probing(self.model) as probed:
            # A model that sends images through in parts, or filled up, leaves those as they are that are followed.
            self.model(images.detach().to(device_of(self.model)).requires_grad_())
        return probed

    def _asked(self, probed: Probed) -> list[str]:
        """The layer of the option; or those that have no layers within them, the first ones."""
        able, asked = probed.maps(), self.config.layer
        if asked and asked not in able:
            why = "gives no map" if asked in probed.outputs else "no such layer"
            raise UsageError(f"inference.layer = {asked!r}: {why}; {nearest(asked, able)}")
        if asked:
            return [asked]
        modules = probed.modules
        leaves = [n for n in able if not (list(modules[n].children()) or isinstance(modules[n], nn.Dropout))]
        return leaves[:_LAYERS]

    def _last(self, probed: Probed) -> str:
        return self.config.layer or self._asked(probed)[-1]

    @staticmethod
    def _kind(name: str, probed: Probed) -> str:
        return type(probed.modules[name]).__name__

    @staticmethod
    def _strongest(maps: Tensor) -> list[int]:
        """Channels of [C,h,w] by how far they are from one value all over: what does not vary tells nothing."""
        order: list[int] = (maps.amax((1, 2)) - maps.amin((1, 2))).argsort(descending=True, stable=True).tolist()
        return order

    # What is shown

    def _channels(self, label: str, name: str, probed: Probed) -> Images:
        maps = probed.outputs[name][0].float().cpu()
        chosen = self._strongest(maps)[: self.config.channels]
        pictures = [enlarged(_map(maps[c]), _SIDE) for c in chosen]
        title = f"{name} ({self._kind(name, probed)} {'×'.join(map(str, maps.shape))}): its channels that vary most"
        captions = [f"channel {c}: {float(maps[c].min()):.2g} … {float(maps[c].max()):.2g}" for c in chosen]
        return Images(name=label.replace("/", "."), title=title, images=np.stack(pictures), captions=captions)

    def _filters(self) -> list[Images]:
        """Of each convolution: a filter's one slice or its three as a colour; of more, the slice that weighs most."""
        named = {n: m for n, m in self.model.named_modules() if isinstance(m, nn.Conv2d) and max(m.kernel_size) > 1}
        wanted = {n: m for n, m in named.items() if not self.config.layer or n == self.config.layer}
        shown = list(wanted.items())[:_LAYERS]
        return [self._filter(name, module.weight.detach().float().cpu()) for name, module in shown]

    def _filter(self, name: str, weight: Tensor) -> Images:
        """Of a convolution's weight [K,C,h,w]."""
        pictures, captions = [], []
        for number, one in enumerate(weight[: self.config.channels]):
            slice_ = int(one.square().sum((1, 2)).argmax())
            if len(one) == 3:
                drawn = np.moveaxis(grey(one.numpy(), -float(one.abs().max()), float(one.abs().max())), 0, -1)
            else:
                drawn = signed(one[slice_].numpy())
            pictures.append(enlarged(drawn, _FILTER))
            captions.append(f"filter {number}" + (f", of channel {slice_}" if len(one) not in (1, 3) else ""))
        title = f"Filters of {name} ({'×'.join(map(str, weight.shape))}): blue below 0, red above"
        return Images(name=f"filters-{name}", title=title, images=np.stack(pictures), captions=captions)

    def _exciting(self, name: str, index: Tensor, examples: Split) -> Images:
        """The validation images that excite a layer's channels most."""
        most = torch.cat([self._most(name, examples.take(rows)["image"]) for rows in torch.split(index, _BATCH)])
        channel = self.config.channel
        if channel is not None and channel >= most.shape[1]:
            raise UsageError(f"inference.channel = {channel}: layer {name!r} has 0 to {most.shape[1] - 1}")
        varied: list[int] = most.std(0, correction=0).argsort(descending=True, stable=True).tolist()
        asked = varied if channel is None else [channel]
        chosen = asked[: max(1, self.config.channels // 2)]
        best = {c: most[:, c].argsort(descending=True, stable=True)[:_BEST] for c in chosen}
        pictures = [self.encoding.pixels(examples.take(index[rows])["image"]) for rows in best.values()]
        captions = [f"channel {c}: {float(most[row, c]):.2g}" for c, rows in best.items() for row in rows]
        title = f"{name}: of {len(index)} validation images those that excite a channel most"
        return Images(name="exciting", title=title, images=np.concatenate(pictures), captions=captions, columns=_BEST)

    def _most(self, name: str, images: Tensor) -> Tensor:
        """The largest value of each channel, [N,C]."""
        return self._probed(images).outputs[name].float().amax((2, 3)).cpu()

    def _described(self, probed: Probed) -> list[Mapping[str, object]]:
        found: list[Mapping[str, object]] = []
        for name in self._asked(probed):
            maps = probed.outputs[name][0].float()
            told = {"mean": maps.mean().item(), "greatest": maps.max().item()}
            silent = (maps == 0).flatten(1).all(1).float().mean().item()
            kind = self._kind(name, probed)
            found.append({"name": name, "kind": kind, "shape": list(maps.shape), **told, "silent": silent})
        return found

    def _table(self, probed: Probed) -> Table:
        rows = [
            [str(t["name"]), str(t["kind"]), "×".join(map(str, t["shape"])), f"{t['mean']:.3g}", f"{t['silent']:.0%}"]  # type: ignore[call-overload]
            for t in self._described(probed)
        ]
        headers = ["layer", "kind", "shape", "mean", "silent channels"]
        return Table(name="layers", title="Layers over one validation image", headers=headers, rows=rows)


def _map(values: Tensor) -> Pixels:
    """A channel [h,w] as a picture [h,w,3]: grey from 0 up, where nothing is below; else blue and red."""
    found = values.float().cpu().numpy()
    return in_colour(grey(found, 0, float(found.max()))) if found.min() >= 0 else signed(found)


def _sized(picture: Pixels, height: int, width: int) -> Pixels:
    return np.asarray(Image.fromarray(picture).resize((width, height), Image.Resampling.NEAREST))
