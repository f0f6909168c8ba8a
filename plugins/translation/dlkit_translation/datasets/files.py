"""Your own pairs: one file with a tab between the two sentences of a line, or two files, line by line."""

from __future__ import annotations

from pathlib import Path

from dlkit.data.context import Context
from dlkit.data.parts import held_out
from dlkit.data.splits import Data
from dlkit.data.text.reading import TextReader
from dlkit.errors import DataError, UsageError
from dlkit_translation.options import FilesConfig
from dlkit_translation.splitting import by_sentence, sentence_key
from dlkit_translation.storage import SetDescription, build_data, rules_of
from dlkit_translation.texts import normal


def build(config: FilesConfig, context: Context) -> Data:
    path = Path(config.path)
    other = Path(config.target_path) if config.target_path else None
    reader = TextReader(config.encoding, config.controls, rules_of(context))
    pairs, notes = (parallel(path, other, reader), []) if other else tsv(path, reader, config.columns)
    languages = config.source_language, config.target_language
    if config.swap:
        pairs, languages = [(target, source) for source, target in pairs], languages[::-1]
    sentences = len({sentence_key(source, reader.rules) for source, _ in pairs})
    val, test = held_out(sentences, config.val_fraction), held_out(sentences, config.test_fraction)
    parts = by_sentence(pairs, val, test, config.split_seed, str(path), reader.rules)
    if not test:
        del parts["test"]
    return build_data(parts, config, SetDescription(languages, [*notes, *reader.notes()], reader.rules))


def tsv(
    path: Path, reader: TextReader, columns: tuple[int, int] | None = None
) -> tuple[list[tuple[str, str]], list[str]]:
    """Two sentences a line, and notes; empty lines are passed over.

    ``columns``, counted from 1: where the sentences are; not given: the first two, further ones being ignored and said.
    DataError names file and line: too few columns, or more than the first line has.
    """
    rows = [(number, line.split("\t")) for number, line in enumerate(reader.read(path).split("\n"), 1) if line.strip()]
    _check_columns(path, rows, columns)
    places = tuple(column - 1 for column in columns or (1, 2))
    pairs = []
    for number, row in rows:
        source, target = (normal(row[place]) for place in places)
        if not (source and target):
            raise DataError(f"{path}: line {number}: nothing {'after' if source else 'before'} the tab")
        pairs.append((source, target))
    further = [] if columns else [(number, row) for number, row in rows if _further(row)]
    if not further:
        return pairs, []
    number, row = further[0]
    what = f"lines have further columns, which are ignored (dataset.columns chooses others); the first: line {number}"
    return pairs, [f"{len(further)} {what}, {_further(row)[0][:60]!r}"]


Row = tuple[int, list[str]]
"""A line's number, and its cells."""


def _check_columns(path: Path, rows: list[Row], columns: tuple[int, int] | None) -> None:
    least = max(columns or (1, 2))
    known = bool(_further(rows[0][1]))
    for number, row in rows:
        if len(row) < least:
            what = "no tab" if len(row) == 1 else f"{len(row)} columns"
            raise DataError(f"{path}: line {number}: {what}; a line is a sentence, a tab, its translation")
        # A tab inside a sentence would push the translation aside.
        if not columns and not known and _further(row):
            said = f"{len(row) - 1} tabs, where line {rows[0][0]} has {len(rows[0][1]) - 1}"
            raise DataError(f"{path}: line {number}: {said}; dataset.columns says which columns the sentences are in")
    # Tatoeba's own pairs: number, sentence, number, translation.
    if not columns and known and all(row[0].strip().isdigit() for _, row in rows):
        raise UsageError(
            f"{path}: its first column holds numbers alone: name the columns of the sentences, "
            "--dataset.columns 2,4 for a number before each of the two"
        )


def _further(row: list[str]) -> list[str]:
    return [cell for cell in row[2:] if cell.strip()]


def parallel(source: Path, target: Path, reader: TextReader) -> list[tuple[str, str]]:
    """Lines of the same number belong together; where both are empty they are passed over. DataError names both."""
    lines, others = (reader.read(path).rstrip("\n").split("\n") for path in (source, target))
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
