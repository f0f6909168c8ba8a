"""An example of the pairs that ``files`` reads."""

from __future__ import annotations

from pathlib import Path

from dlkit.data.example import Example
from dlkit.json_types import JsonObject
from dlkit_translation.grammar.sentences import pairs


def write(folder: Path) -> Example:
    """400 English sentences with their French ones, drawn from the grammar that comes with the plugin."""
    lines = [f"{pair.english}\t{pair.french}\n" for pair in pairs(400, seed=0)]
    (folder / "pairs.tsv").write_text("".join(lines), encoding="utf-8")
    what = "a pair a line: a sentence, a tab, its translation"
    # Pieces of words are learnt from the text, and so few sentences have no more than some hundreds.
    options: JsonObject = {
        "path": str(folder / "pairs.tsv"),
        "source_language": "English",
        "target_language": "French",
        "vocabulary": 400,
    }
    return Example(options, {"pairs.tsv": what})
