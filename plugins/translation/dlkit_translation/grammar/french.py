"""French as it is written: elision and contraction between words, the forms of adjectives and verbs."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from typing import Literal

Gender = Literal["m", "f"]
Tokens = tuple[str, ...]

VOWELS = frozenset("aeiouyhâàéèêëîïôùûœ")
"""First letters before which words are elided: h too, unless it is aspirated."""
ASPIRATED = frozenset(["hibou", "hiboux", "hérisson", "hérissons", "haricot", "haricots", "huit"])
"""Words whose first letter elides nothing."""
ELIDED = {w: w[:-1] + "'" for w in ("le", "la", "je", "me", "ne", "de", "que")}
CONTRACTED = {("à", "le"): "au", ("à", "les"): "aux", ("de", "le"): "du", ("de", "les"): "des"}


def elides(word: str) -> bool:
    """Whether the word before it loses its vowel."""
    return word[0].lower() in VOWELS and word.lower() not in ASPIRATED


def written(tokens: Sequence[str]) -> str:
    """Words as a text: *le* + *eau* → *l'eau*, *de* + *le* + *pain* → *du pain*, a sign after its word.

    An article that is elided is not contracted (*de l'homme*). A question mark keeps its blank.
    """
    found: list[str] = []
    for word, following in zip(tokens, [*tokens[1:], ""], strict=True):
        if word in ELIDED and following and elides(following):
            word = ELIDED[word]
        if found and (found[-1], word) in CONTRACTED:
            found[-1] = CONTRACTED[found[-1], word]
        else:
            found.append(word)
    text = " ".join(found).replace("' ", "'").replace(" ,", ",").replace(" .", ".")
    return text[0].upper() + text[1:]


def plural(word: str) -> str:
    """The regular one: *-s*, *-x* after *-eau*; words in s, x and z stay."""
    return word if word[-1] in "sxz" else word + ("x" if word.endswith("eau") else "s")


@dataclass(frozen=True, eq=False, slots=True)
class Adjective:
    """``before``: it stands before its noun; ``linked``: its masculine singular before a vowel (*bel*)."""

    masculine: str
    feminine: str
    before: bool = False
    linked: str = ""
    invariable: bool = False

    def form(self, gender: Gender, many: bool) -> str:
        one = self.masculine if gender == "m" else self.feminine
        return plural(one) if many and not self.invariable else one

    def beside(self, noun: str, gender: Gender, many: bool) -> str:
        """The form right before a noun."""
        return self.linked if self.linked and gender == "m" and not many and elides(noun) else self.form(gender, many)


@dataclass(frozen=True, eq=False, slots=True)
class Verb:
    """Six forms (je, tu, il, nous, vous, ils) of present and future."""

    present: Tokens
    future: Tokens

    def form(self, person: int, future: bool) -> str:
        return (self.future if future else self.present)[person]


_FUTURE = ("ai", "as", "a", "ons", "ez", "ont")


def irregular(present: str, stem: str) -> Verb:
    """``present``: its six forms; ``stem``: of the future."""
    forms = tuple(present.split())
    assert len(forms) == len(_FUTURE)
    return Verb(forms, tuple(stem + ending for ending in _FUTURE))


def regular(infinitive: str, stressed: str = "", stem: str = "") -> Verb:
    """A verb in *-er*; ``stressed``: its stem before a silent ending (*achèt*), ``stem``: of the future."""
    assert infinitive.endswith("er")
    root = infinitive[:-2]
    strong = stressed or root
    ours = root + "e" if root.endswith("g") else root
    forms = f"{strong}e {strong}es {strong}e {ours}ons {root}ez {strong}ent"
    return irregular(forms, stem or infinitive)


def in_re(infinitive: str) -> Verb:
    """A verb in *-dre* like *vendre*."""
    root = infinitive[:-2]
    return irregular(f"{root}s {root}s {root} {root}ons {root}ez {root}ent", infinitive[:-1])


ETRE = irregular("suis es est sommes êtes sont", "ser")
AVOIR = irregular("ai as a avons avez ont", "aur")


def joined(*parts: Iterable[str]) -> Tokens:
    return tuple(word for part in parts for word in part)
