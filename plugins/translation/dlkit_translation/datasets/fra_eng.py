"""tatoeba.org's English–French sentences, as manythings.org hands them out: ``fra.txt``, tab-separated."""

from __future__ import annotations

from pathlib import Path

from dlkit.data.context import Context
from dlkit.data.splits import Data
from dlkit.data.text.reading import TextReader
from dlkit.errors import DataError
from dlkit_translation.options import FraEngConfig
from dlkit_translation.splitting import by_sentence
from dlkit_translation.storage import SetDescription, build_data, rules_of
from dlkit_translation.texts import normal

LANGUAGES = ("English", "French")


def build(config: FraEngConfig, context: Context) -> Data:
    path = context.source("fra-eng") / "fra.txt"
    reader = TextReader(rules=rules_of(context))
    found = read(path, reader)
    parts = by_sentence(found, config.val, config.test, config.split_seed, str(path), reader.rules)
    notes = [f"{len(found)} pairs in {path.name}", *reader.notes()]
    return build_data(parts, config, SetDescription(LANGUAGES, notes, reader.rules))


def read(path: Path, reader: TextReader | None = None) -> list[tuple[str, str]]:
    """English, French and, since 2019, whose they are; DataError names a line without a tab."""
    pairs = []
    for number, line in enumerate((reader or TextReader()).read(path).split("\n"), 1):
        if not line.strip():
            continue
        columns = line.split("\t")
        if len(columns) < 2 or not (columns[0].strip() and columns[1].strip()):
            raise DataError(f"{path}: line {number}: not two sentences with a tab between them")
        pairs.append((normal(columns[0]), normal(columns[1])))
    return pairs
