"""Noun phrases, subjects, times and places: what sentences are put together from."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from functools import cache

from dlkit_translation.grammar import lexicon as words
from dlkit_translation.grammar.french import Gender, Tokens, elides, joined
from dlkit_translation.grammar.lexicon import Noun, Place, Quality
from dlkit_translation.grammar.space import Choice, Product, Space, Union

THIRD, THIRD_PLURAL = 2, 5


@dataclass(frozen=True, eq=False, slots=True)
class Phrase:
    """A noun phrase, or any other part of a sentence, in both languages.

    ``denied``: both, as the object of a negated verb (*a dog*, *pas de chien*); ``origin``: the French after *de*, with
    that *de*; ``person``: 0 to 5 for je … ils; ``content``: its content words in English.
    """

    english: str
    french: Tokens
    content: tuple[str, ...] = ()
    person: int = THIRD
    gender: Gender = "m"
    denied: tuple[str, Tokens] | None = None
    origin: Tokens = ()

    @property
    def many(self) -> bool:
        return self.person > THIRD

    @property
    def after_de(self) -> Tokens:
        return self.origin or ("de", *self.french)

    def said(self, negative: bool) -> tuple[str, Tokens]:
        """As an object."""
        return self.denied if negative and self.denied else (self.english, self.french)


@dataclass(frozen=True, eq=False, slots=True)
class Determiner:
    """English; French, masculine, feminine and plural. ``linked``: before a vowel, masculine and feminine, where that
    differs; ``plural_feminine`` likewise. ``open``: an indefinite one, which becomes *de* in a negation."""

    english: str
    masculine: Tokens
    feminine: Tokens
    plural: Tokens
    linked: tuple[Tokens, Tokens] = ((), ())
    plural_feminine: Tokens = ()
    open: bool = False

    def french(self, noun: str, gender: Gender, many: bool) -> Tokens:
        if many:
            return (gender == "f" and self.plural_feminine) or self.plural
        linked = self.linked[gender == "f"]
        return linked if linked and elides(noun) else self.masculine if gender == "m" else self.feminine


THE = Determiner("the", ("le",), ("la",), ("les",))
ALL = Determiner("all the", (), (), ("tous", "les"), plural_feminine=("toutes", "les"))
SOME = Determiner("some", (), (), ("des",), open=True)
A = Determiner("a", ("un",), ("une",), (), open=True)
_OWN = [
    Determiner(english, (m,), (f,), (p,), ((), (m,)))
    for english, (m, f, p) in words.OWNERS.items()
]  # fmt: skip
_THIS = Determiner("this", ("ce",), ("cette",), (), (("cet",), ()))
_THESE = Determiner("these", (), (), ("ces",))
NUMBERED = [Determiner(english, (), (), (french,)) for english, french in words.NUMBERS.items()]
ONE: Space[Determiner] = Union((3, Choice([THE])), (2, Choice([A])), (2, Choice(_OWN)), (1, Choice([_THIS])))
SEVERAL: Space[Determiner] = Union(
    (3, Choice([THE])), (2, Choice([SOME])), (2, Choice(_OWN)), (1, Choice([_THESE])), (1, Choice([ALL])),
    (2, Choice(NUMBERED)),
)  # fmt: skip
OWN: Space[Determiner] = Choice(_OWN)


@cache
def noun_phrase(determiner: Determiner, noun: Noun, many: bool, quality: Quality | None = None) -> Phrase:
    """*my old tree*, *mon vieil arbre*: the adjective on its side of the noun, all words in agreement."""
    english_core = f"{quality.english} {noun.english[many]}" if quality else noun.english[many]
    core = _core(noun, many, quality)
    before = quality is not None and quality.french.before
    article = determiner.french(core[0], noun.gender, many)
    if determiner is SOME and before:
        article = ("de",)  # de petites voitures
    content = (noun.english[0], *((quality.english,) if quality else ()))
    person = THIRD_PLURAL if many else THIRD
    english = f"{_english(determiner, english_core)} {english_core}"
    any_english = f"any {english_core}" if many else english
    return Phrase(
        english,
        joined(article, core),
        content,
        person,
        noun.gender,
        (any_english, ("de", *core)) if determiner.open else None,
        ("de", *core) if determiner is SOME else (),
    )


def _core(noun: Noun, many: bool, quality: Quality | None) -> Tokens:
    """Noun and adjective in French."""
    name = noun.french[many]
    if quality is None:
        return (name,)
    french = quality.french
    if french.before:
        return (french.beside(name, noun.gender, many), name)
    return (name, french.form(noun.gender, many))


def _english(determiner: Determiner, following: str) -> str:
    vowel = following[0] in "aeiou" and not following.startswith("useful")
    return "an" if determiner is A and vowel else determiner.english


def phrases(nouns: Sequence[Noun], qualities: Sequence[Quality], plain: float = 2.0) -> Space[Phrase]:
    """All phrases of these nouns, with one of these adjectives or (``plain``: that often) without."""

    def one(determiner: Determiner, noun: Noun, quality: Quality | None = None) -> Phrase:
        return noun_phrase(determiner, noun, False, quality)

    def several(determiner: Determiner, noun: Noun, quality: Quality | None = None) -> Phrase:
        return noun_phrase(determiner, noun, True, quality)

    named, described = Choice(nouns), Choice(qualities)
    return Union(
        (plain, Product(one, ONE, named)),
        (plain, Product(several, SEVERAL, named)),
        (1, Product(one, ONE, named, described)),
        (1, Product(several, SEVERAL, named, described)),
    )


def definite(nouns: Sequence[Noun]) -> Space[Phrase]:
    """*the dog*, *my dog*, *the dogs*…: without adjective, known to the listener."""
    known = Union((2, Choice([THE])), (1, OWN))
    return Union(
        (2, Product(lambda d, n: noun_phrase(d, n, False), known, Choice(nouns))),
        (1, Product(lambda d, n: noun_phrase(d, n, True), known, Choice(nouns))),
    )


def all_of(nouns: Sequence[Noun]) -> Space[Phrase]:
    """*apples*, in general: *les pommes*."""
    found = []
    for noun in nouns:
        found.append(Phrase(noun.english[1], ("les", noun.french[1]), (noun.english[0],), THIRD_PLURAL, noun.gender))
    return Choice(found)


def any_of(nouns: Sequence[Noun]) -> Space[Phrase]:
    """*apples*, an unknown number: *des pommes*, *pas de pommes*."""
    found = []
    for noun in nouns:
        english, bare = noun.english[1], ("de", noun.french[1])
        found.append(
            Phrase(
                english,
                ("des", noun.french[1]),
                (noun.english[0],),
                THIRD_PLURAL,
                noun.gender,
                (english, bare),
                bare,
            )
        )
    return Choice(found)


def masses(kind: Mapping[str, str], *, general: bool) -> Space[Phrase]:
    """*bread*: in general *le pain*, else *du pain* and *pas de pain*."""
    found = []
    for english, entry in kind.items():
        french, gender = entry.split()
        article = "le" if gender == "m" else "la"
        bare = ("de", french)
        if general:
            found.append(Phrase(english, (article, french), (english,)))
        else:
            found.append(Phrase(english, ("de", article, french), (english,), denied=(english, bare), origin=bare))
    return Choice(found)


def owned(owner: Phrase, noun: Noun, many: bool, quality: Quality | None = None) -> Phrase:
    """*the king's old dogs*: *les vieux chiens du roi*."""
    own = noun_phrase(THE, noun, many, quality)
    english = f"{owner.english}'s {own.english.removeprefix('the ')}"
    return Phrase(english, joined(own.french, owner.after_de), (*owner.content, *own.content), own.person, own.gender)


PRONOUNS: Space[Phrase] = Choice([
    Phrase("I", ("je",), person=0), Phrase("you", ("vous",), person=4),
    Phrase("we", ("nous",), person=3), Phrase("he", ("il",), person=2),
    Phrase("she", ("elle",), person=2, gender="f"), Phrase("they", ("ils",), person=5),
])  # fmt: skip
SPEAKERS: Space[Phrase] = Choice(list(PRONOUNS)[:3])
OTHERS: Space[Phrase] = Choice(list(PRONOUNS)[3:])
OBJECTS: Space[Phrase] = Choice([
    Phrase("him", ("le",)), Phrase("her", ("la",)), Phrase("them", ("les",)), Phrase("me", ("me",)),
    Phrase("us", ("nous",)), Phrase("you", ("vous",)),
])  # fmt: skip
THEM: Space[Phrase] = Choice(list(OBJECTS)[:3])
NAMES: Space[Phrase] = Choice([Phrase(name, (name,), gender=gender) for name, gender in words.NAMES.items()])
FAMILY: Space[Phrase] = Union(
    (2, Product(lambda d, n: noun_phrase(d, n, False), OWN, Choice(words.FAMILY))),
    (1, Product(lambda d, n: noun_phrase(d, n, True), OWN, Choice(words.FAMILY))),
)
SOMEBODY: Space[Phrase] = Union((2, NAMES), (2, FAMILY), (3, phrases(words.PEOPLE, words.MOODS, plain=4)))
PERSON: Space[Phrase] = Union((3, PRONOUNS), (7, SOMEBODY))
NAMED_PERSON: Space[Phrase] = Union((1, NAMES), (1, Product(
    lambda d, n: noun_phrase(d, n, False), Union((1, Choice([THE])), (1, OWN)), Choice([*words.PEOPLE, *words.FAMILY])
)))  # fmt: skip
"""One person, to own something."""


def _owned(nouns: Sequence[Noun], qualities: Sequence[Quality]) -> Space[Phrase]:
    numbers = Choice([False, True])
    return Union(
        (2, Product(owned, NAMED_PERSON, Choice(nouns), numbers)),
        (1, Product(owned, NAMED_PERSON, Choice(nouns), numbers, Choice(qualities))),
    )


_LIVING_QUALITIES = [*words.COLOURS[:7], *words.BEFORE, *words.MOODS]
_THING_QUALITIES = [*words.COLOURS, *words.BEFORE, *words.TRAITS]
ANIMAL: Space[Phrase] = Union(
    (3, phrases(words.ANIMALS, _LIVING_QUALITIES)), (1, _owned(words.ANIMALS, _LIVING_QUALITIES))
)
THING: Space[Phrase] = Union((3, phrases(words.THINGS, _THING_QUALITIES)), (1, _owned(words.THINGS, _THING_QUALITIES)))
LIVING: Space[Phrase] = Union((2, PERSON), (1, ANIMAL))
SOMETHING: Space[Phrase] = Union((1, THING), (1, ANIMAL))


def _times() -> list[Phrase]:
    found = []
    for season, (inside, named) in words.SEASONS.items():
        found.append(Phrase(f"in {season}", tuple(inside.split()), (season,)))
        found.append(Phrase(f"during the {season}", ("pendant", *named.split()), (season,)))
    found += [Phrase(f"in {month}", ("en", french), (month,)) for month, french in words.MONTHS.items()]
    found += [Phrase(f"on {day}", ("le", french), (day,)) for day, french in words.DAYS.items()]
    return [*found, *(Phrase(english, tuple(french.split()), (english,)) for english, french in words.MOMENTS.items())]


TIME: Space[Phrase] = Choice(_times())
NOTHING: Space[Phrase] = Choice([Phrase("", ())])


def _inside(place: Place) -> Phrase:
    return Phrase(f"in {place.english}", place.inside, (place.english,))


def _towards(place: Place) -> Phrase:
    return Phrase(f"to {place.english}", place.inside, (place.english,))


def _from(place: Place) -> Phrase:
    french = ("de", *(place.named if place.definite_origin else place.named[-1:]))
    return Phrase(f"from {place.english}", french, (place.english,))


_SITE = [noun_phrase(THE, noun, False) for noun in words.SITES]
LANDS: Space[Phrase] = Choice([_inside(place) for place in (*words.COUNTRIES, *words.CITIES)])
SITES: Space[Phrase] = Choice([
    Phrase(f"{english} {site.english}", (*french, *site.french), site.content)
    for english, french in (("in", ("dans",)), ("near", ("près", "de")), ("behind", ("derrière",)),
                            ("in front of", ("devant",)))
    for site in _SITE
])  # fmt: skip
NEXT_TO: Space[Phrase] = Product(
    lambda thing: Phrase(f"next to {thing.english}", ("à", "côté", *thing.after_de), thing.content),
    Union((1, definite(words.THINGS)), (1, definite(words.ANIMALS))),
)
WHERE: Space[Phrase] = Union((1, LANDS), (2, SITES), (1, NEXT_TO))
GOALS: Space[Phrase] = Union(
    (1, Choice([_towards(place) for place in (*words.COUNTRIES, *words.CITIES)])),
    (1, Choice([Phrase(f"to {site.english}", ("à", *site.french), site.content) for site in _SITE])),
)
ORIGINS: Space[Phrase] = Union(
    (1, Choice([_from(place) for place in (*words.COUNTRIES, *words.CITIES)])),
    (1, Choice([Phrase(f"from {site.english}", site.after_de, site.content) for site in _SITE])),
)
COUNTRIES: Space[Phrase] = Choice([Phrase(p.english, p.named, (p.english,), gender=p.gender) for p in words.COUNTRIES])
COUNTRY: Space[Phrase] = Choice([
    Phrase(p.english, p.named, (p.english,), gender=p.gender) for p in words.COUNTRIES if not p.many
])  # fmt: skip
"""Those that are singular in both languages."""
