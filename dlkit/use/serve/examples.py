"""``python -m dlkit.use.serve.examples RUN …``: questions of the validation split, for the page where a model is tried.

One JSON array on standard output, of questions as ``POST /predict`` takes them; of an image its file in base64. Empty
where the data is not here: nothing is downloaded for it. A process of its own, so that whoever asks the model meanwhile
does not wait until a data set has been read.
"""

from __future__ import annotations

import argparse
import base64
import json
import os
import sys
import tempfile
from collections.abc import Iterator
from contextlib import suppress
from pathlib import Path

from dlkit.errors import DlkitError, in_words
from dlkit.json_types import Json
from dlkit.predictor import AnyPredictor
from dlkit.present.output import say

LARGEST = 400_000
"""Bytes of an example: a page has several."""


def main(argv: list[str]) -> int:
    parser = argparse.ArgumentParser(prog="python -m dlkit.use.serve.examples")
    parser.add_argument("run")
    parser.add_argument("--checkpoint", default="best")
    parser.add_argument("--inference", default="")
    parser.add_argument("--count", type=int, required=True)
    options = parser.parse_args(argv)
    kept = os.fdopen(os.dup(1), "w", encoding="utf-8")
    os.dup2(2, 1)  # what plugins print is none of the answer
    with tempfile.TemporaryDirectory(prefix="dlkit-examples-") as folder:
        try:
            found = list(_questions(options, Path(folder)))
        # The process's boundary: plugins read data and build the model; a page without examples is a page.
        except Exception as error:
            say(f"no examples for the page: {in_words(error)}")
            found = []
    with kept:
        kept.write(json.dumps(found, ensure_ascii=False))
    return 0


def _questions(options: argparse.Namespace, folder: Path) -> Iterator[Json]:
    from dlkit.catalog import Catalog
    from dlkit.data.context import make_context
    from dlkit.data.randomness import forked
    from dlkit.runs.finding import find_run
    from dlkit.runs.workspace import locate
    from dlkit.use.load import Question, load_predictor, validation_split

    catalog = Catalog.load_everything()
    run = find_run(locate(), options.run)
    loaded = load_predictor(catalog, run, options.checkpoint, question=Question(options.inference))
    context = make_context(catalog, run.path.parent.parent, offline=True, say=say)
    split = validation_split(catalog, loaded, context)
    seen = set[str]()
    for number in range(options.count if split is not None else 0):
        with forked(loaded.resolved.engine.seed, "example", number + 1) as generator:
            words = loaded.predictor.example(split, generator, folder)
        for word in words[:1]:
            with suppress(DlkitError):  # what can be read from a command line need not be a question from afar
                question = _question(loaded.predictor, str(word), folder)
                key = json.dumps(question)
                if len(key) <= LARGEST and key not in seen:
                    seen.add(key)
                    yield question


def _question(predictor: AnyPredictor, word: str, folder: Path) -> Json:
    """What a client would send in the place of a word of the command line. DlkitError: it would be refused."""
    if (path := Path(word)).is_relative_to(folder) and path.is_file():
        found: Json = base64.b64encode(path.read_bytes()).decode()
    else:
        value = predictor.read([word])[0]
        found = value if isinstance(value, (str, int, float, dict, list)) else word
    predictor.accept(found)
    return found


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
