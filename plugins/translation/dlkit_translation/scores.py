"""BLEU and chrF as sacreBLEU counts them, BLEU in the words of the language that is written."""

from __future__ import annotations

from collections.abc import Sequence
from functools import cache

from sacrebleu.metrics.bleu import BLEU
from sacrebleu.metrics.chrf import CHRF

USUAL, CHARACTERS = "13a", "char"
"""sacreBLEU's tokenizers: of languages that put blanks between words, and of none."""

_TOKENIZERS = {
    "zh": ("zh", "zho", "cmn", "chinese", "mandarin"),
    "ja-mecab": ("ja", "jpn", "japanese"),
    "ko-mecab": ("ko", "kor", "korean"),
    CHARACTERS: (
        "th",
        "tha",
        "thai",
        "lo",
        "lao",
        "km",
        "khm",
        "khmer",
        "my",
        "mya",
        "burmese",
        "bo",
        "bod",
        "tibetan",
    ),
}


def wanted_tokenizer(language: str) -> str:
    """What cuts a language into words, by its name or code (``zh``, ``zh-TW``, ``Chinese``)."""
    # 13a sees one word in a sentence without blanks: BLEU would be 0 but for sentences that are right as a whole.
    head = language.casefold().replace("_", "-").partition("-")[0].strip()
    return next((name for name, languages in _TOKENIZERS.items() if head in languages), USUAL)


@cache
def tokenizer_of(language: str) -> tuple[str, str]:
    """The tokenizer that is used for a language, and a note where it is not the one that is wanted."""
    wanted = wanted_tokenizer(language)
    try:
        BLEU(tokenize=wanted)
    except (ImportError, RuntimeError):
        extra = wanted.partition("-")[0]
        note = f"bleu: {wanted} needs mecab, which is not installed (pip install 'sacrebleu[{extra}]'): of characters"
        return CHARACTERS, note
    return wanted, ""


def scores(language: str) -> dict[str, BLEU | CHRF]:
    return {"bleu": BLEU(tokenize=tokenizer_of(language)[0]), "chrf": CHRF()}


def score_notes(language: str) -> list[str]:
    """sacreBLEU's own words for how it counts, and what is not as it should be."""
    found = {}
    for name, score in scores(language).items():
        score.corpus_score(["a b c d"], [["a b c d"]])  # signatures are known once something is counted
        found[name] = str(score.get_signature())
    note = tokenizer_of(language)[1]
    return [*([note] if note else []), f"bleu: {found['bleu']}; chrf: {found['chrf']}"]


def corpus_scores(written: Sequence[str], references: Sequence[str], language: str = "") -> dict[str, float]:
    """``bleu`` and ``chrf``, 0 to 100, of a whole corpus (Post 2018, arXiv 1804.08771; Popović 2015)."""
    return {name: s.corpus_score(list(written), [list(references)]).score for name, s in scores(language).items()}
