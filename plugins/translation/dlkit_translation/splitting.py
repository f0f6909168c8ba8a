"""Which pairs are trained on, and which are kept for validation and test: no source sentence is in two of them."""

from __future__ import annotations

import re
import unicodedata
from collections.abc import Sequence

from dlkit.data.randomness import derive, rng
from dlkit.data.text.segments import BEFORE, NOW, Rules
from dlkit.errors import DataError
from dlkit_translation.grammar.sentences import Pair

_SIGNS = re.compile(r"[^\w]+")


def sentence_key(text: str, rules: Rules = NOW) -> str:
    """The same for sentences that differ in capitals and signs alone."""
    if rules == BEFORE:
        return _SIGNS.sub(" ", text.casefold()).strip() or text
    # Vowel signs of Hindi or Thai are no punctuation: without them, sentences of other words would be the same.
    kept = (c if c.isalnum() or c == "_" or unicodedata.category(c)[0] == "M" else " " for c in text.casefold())
    return " ".join("".join(kept).split()) or text


def by_sentence(
    pairs: Sequence[tuple[str, str]], val: int, test: int, seed: int, who: str, rules: Rules = NOW
) -> dict[str, list[tuple[str, str]]]:
    """``val`` and ``test`` pairs of as many source sentences, and for training all pairs of the others.

    A sentence with several translations is held out with the first of them; the others are left out altogether.
    DataError, naming ``who``, if too few sentences are there.
    """
    groups: dict[str, list[tuple[str, str]]] = {}
    for pair in dict.fromkeys(pairs):
        groups.setdefault(sentence_key(pair[0], rules), []).append(pair)
    keys = list(groups)
    if len(keys) < val + test + 1:
        raise DataError(f"{who}: {len(keys)} different source sentences; {val + test} are to be kept from training")
    order = [keys[i] for i in rng(seed, "split").permutation(len(keys))]
    parts = {"val": order[test : test + val], "test": order[:test], "train": order[test + val :]}
    found = {name: [groups[key][0] for key in some] for name, some in parts.items() if name != "train"}
    kept = set(parts["train"])
    found["train"] = [pair for key, group in groups.items() if key in kept for pair in group]
    return found


def by_combination(pairs: Sequence[Pair], val: float, test: float, seed: int) -> dict[str, list[tuple[str, str]]]:
    """Every combination of two content words or more is in one part, with all its sentences; a single word is trained.

    So whatever is asked at the test, its words were never seen together.
    """
    found: dict[str, list[tuple[str, str]]] = {"train": [], "val": [], "test": []}
    for pair in pairs:
        place = derive(seed, "combination", *pair.content) / 2**63 if len(pair.content) > 1 else 1.0
        part = "test" if place < test else "val" if place < test + val else "train"
        found[part].append((pair.english, pair.french))
    return found
