"""Your own pairs: one file with a tab between the two sentences of a line, or two files, line by line."""

from __future__ import annotations

from pathlib import Path

from dlkit.data.context import Context
from dlkit.data.parts import held_out
from dlkit.data.splits import Data
from dlkit.data.text.corpus import read_text
from dlkit.errors import DataError
from dlkit_translation.options import FilesConfig
from dlkit_translation.splitting import by_sentence, sentence_key
from dlkit_translation.storage import SetDescription, build_data
from dlkit_translation.texts import normal


def build(config: FilesConfig, context: Context) -> Data:
    path = Path(config.path)
    other = Path(config.target_path) if config.target_path else None
    pairs = parallel(path, other, config.encoding) if other else tsv(path, config.encoding)
    languages = config.source_language, config.target_language
    if config.swap:
        pairs, languages = [(target, source) for source, target in pairs], languages[::-1]
    sentences = len({sentence_key(source) for source, _ in pairs})
    val, test = held_out(sentences, config.val_fraction), held_out(sentences, config.test_fraction)
    parts = by_sentence(pairs, val, test, config.split_seed, str(path))
    if not test:
        del parts["test"]
    return build_data(parts, config, SetDescription(languages))


def tsv(path: Path, encoding: str) -> list[tuple[str, str]]:
    """Two sentences a line; empty lines are passed over. DataError names file and line."""
    pairs = []
    for number, line in enumerate(read_text(path, encoding).split("\n"), 1):
        if not line.strip():
            continue
        columns = line.split("\t")
        if len(columns) != 2:
            what = "no tab" if len(columns) == 1 else f"{len(columns) - 1} tabs"
            raise DataError(f"{path}: line {number}: {what}; a line is a sentence, a tab, its translation")
        source, target = map(normal, columns)
        if not (source and target):
            raise DataError(f"{path}: line {number}: nothing {'after' if source else 'before'} the tab")
        pairs.append((source, target))
    return pairs


def parallel(source: Path, target: Path, encoding: str) -> list[tuple[str, str]]:
    """Lines of the same number belong together; where both are empty they are passed over. DataError names both."""
    lines, others = (read_text(path, encoding).rstrip("\n").split("\n") for path in (source, target))
    if len(lines) != len(others):
        raise DataError(f"{source} has {len(lines)} lines and {target} has {len(others)}: they do not belong together")
    pairs = []
    for number, pair in enumerate(zip(map(normal, lines), map(normal, others), strict=True), 1):
        if bool(pair[0]) != bool(pair[1]):
            empty, other = (target, source) if pair[0] else (source, target)
            raise DataError(f"{empty}: line {number}: empty, where {other} has a sentence")
        if pair[0]:
            pairs.append(pair)
    return pairs
