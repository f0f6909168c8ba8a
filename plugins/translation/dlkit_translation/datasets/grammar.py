"""Pairs drawn from the embedded grammar; no network needed."""

from __future__ import annotations

from dlkit.data.context import Context
from dlkit.data.randomness import derive
from dlkit.data.splits import Data
from dlkit_translation.grammar.sentences import derivable, pairs
from dlkit_translation.options import GrammarConfig
from dlkit_translation.splitting import by_combination
from dlkit_translation.storage import SetDescription, build_data, rules_of

LANGUAGES = ("English", "French")


def build(config: GrammarConfig, context: Context) -> Data:
    drawn = pairs(config.pairs, derive(config.split_seed, "grammar"))
    parts = by_combination(drawn, config.val_fraction, config.test_fraction, config.split_seed)
    if not config.test_fraction:
        del parts["test"]
    notes = [f"{len(drawn)} pairs of {derivable():.1e} that the grammar has; held out by combination of content words"]
    return build_data(parts, config, SetDescription(LANGUAGES, notes, rules_of(context)))
