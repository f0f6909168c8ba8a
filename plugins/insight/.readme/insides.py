"""Draws the README's pictures of what is inside: ``python insides.py LSTM UNIT TRANSLATOR LINEAR WATCHED``.

Folders of runs: an LSTM of textgen and the unit of its last layer to show, a transformer of translation, a linear
autoencoder, and a run with ``engine.layers``.
"""

from __future__ import annotations

import sys
from pathlib import Path

import numpy as np
from PIL import Image

from dlkit.catalog import Catalog
from dlkit.data.context import make_context
from dlkit.predictor import AnyPredictor
from dlkit.present.coloured import coloured_text, stacked
from dlkit.runs.folder import RunFolder
from dlkit.samples import Images, load, tile
from dlkit.use.load import Question, load_predictor, validation_split
from dlkit_insight.gates import Gates
from dlkit_insight.pictures import side_by_side

HERE, CATALOG = Path(__file__).parent, Catalog.load_everything()
TEXT = (
    'If an object has a method "get" (or its class has one), the value of "key" is the result of the call: "none" is '
    'no value. The cat sat on the "mat", and zebras quiz it.'
)
SENTENCE = "I am not very tired."


def asked(folder: str, name: str, **options: str | int) -> AnyPredictor:
    return load_predictor(CATALOG, RunFolder(Path(folder)), question=Question(name, options)).predictor


def save(picture: Image.Image, name: str) -> None:
    picture.convert("RGB").quantize(64).save(HERE / f"{name}.png", optimize=True)


def answered(predictor: AnyPredictor, text: str, name: str) -> None:
    (answer,) = predictor.predict([text])
    save(predictor.draw(text, answer), name)


def components(folder: str) -> None:
    loaded = load_predictor(CATALOG, RunFolder(Path(folder)), question=Question("components"))
    examples = validation_split(CATALOG, loaded, make_context(CATALOG, Path(folder), offline=True))
    made = loaded.predictor.samples(1, np.random.default_rng(0), examples)[0]
    assert isinstance(made, Images)
    picture = Image.fromarray(tile(made.images, made.columns))
    save(picture.resize((picture.width * 2, picture.height * 2), Image.Resampling.NEAREST), "components")


def layers(folder: str) -> None:
    """The sampling time in the middle of the run."""
    files = sorted(Path(folder, "samples").glob("*-layers-activations.json"))
    found = {}
    for kind in ("activations", "gradients"):
        made = load(Path(str(files[len(files) // 2]).replace("activations", kind)))
        assert isinstance(made, Images)
        large = [np.kron(image, np.ones((4, 4, 1), np.uint8)) for image in made.images]
        found[made.title] = np.asarray(side_by_side(large, list(made.captions), columns=4).convert("RGB"))
    save(stacked(found), "layers")


def main() -> None:
    reader, unit, translator, linear, watched = sys.argv[1:]
    answered(asked(reader, "surprise"), TEXT, "surprise")
    gates = asked(reader, "gates")
    assert isinstance(gates, Gates)
    last = gates.traced(gates.reading.passage(TEXT))[-1]
    save(coloured_text(list(TEXT), last.bounded[:, int(unit)].tolist(), (-1.0, 1.0)), "unit")
    answered(asked(reader, "gates", layer="layers.0", units=24, tokens=110), TEXT, "gates")
    answered(asked(translator, "attention", layer="decoder.1.cross"), SENTENCE, "attention")
    components(linear)
    layers(watched)


if __name__ == "__main__":
    main()
