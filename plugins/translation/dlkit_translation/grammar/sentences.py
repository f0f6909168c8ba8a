"""The sentences: who does what, how, where and when, in both languages."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from random import Random
from typing import Any

from dlkit_translation.grammar import lexicon as words
from dlkit_translation.grammar import phrases as parts
from dlkit_translation.grammar.french import AVOIR, ETRE, Tokens, Verb, irregular, joined, written
from dlkit_translation.grammar.lexicon import Action, Quality
from dlkit_translation.grammar.phrases import THIRD, Phrase
from dlkit_translation.grammar.space import Choice, Product, Space, Union

BE = ("am", "are", "is", "are", "are", "are")
_FAIRE = irregular("fais fais fait faisons faites font", "fer")


@dataclass(frozen=True)
class Pair:
    """An English sentence, its one French, and its content words (English, sorted, each once)."""

    english: str
    french: str
    content: tuple[str, ...]


@dataclass(frozen=True, eq=False, slots=True)
class Manner:
    """An adverb before the English verb and after the French one; ``negative``: with *ne*."""

    english: str
    french: str
    negative: bool = False


PLAIN, NOT = Manner("", ""), Manner("not", "pas", True)
ADVERBS = [Manner("often", "souvent"), Manner("always", "toujours"), Manner("sometimes", "parfois")]
MANNERS: Space[Manner] = Union(
    (4, Choice([PLAIN])), (3, Choice([NOT])), (2, Choice([Manner("never", "jamais", True),
    Manner("no longer", "plus", True)])), (2, Choice(ADVERBS)),
)  # fmt: skip
COMPARED: Space[Manner] = Union((4, Choice([PLAIN])), (2, Choice([NOT])), (1, Choice(ADVERBS)))
AFFIRMATIVE: Space[Manner] = Union((3, Choice([PLAIN])), (1, Choice(ADVERBS)))
TENSES: Space[bool] = Union((3, Choice([False])), (1, Choice([True])))
"""Whether it is in the future."""


@dataclass(frozen=True, eq=False, slots=True)
class Event:
    """A clause before it is put in order.

    english, french  the verbs; None: to be
    rest, reste      what follows them
    clitics          what stands before the French verb
    person           of the French verb, where it is another than the subject's
    """

    subject: Phrase
    manner: Manner
    future: bool
    english: Action | None
    french: Verb
    rest: str = ""
    reste: Tokens = ()
    clitics: Tokens = ()
    content: tuple[str, ...] = ()
    person: int | None = None

    def statement(self) -> tuple[str, Tokens]:
        return " ".join(filter(None, (self.subject.english, self._english_verb(), self.rest))), self._french()

    def question(self) -> tuple[str, Tokens]:
        subject, how = self.subject.english, self.manner.english
        if self.future:
            first, verb = "will", self.english.english if self.english else "be"
        elif self.english is None:
            first, verb = BE[self.subject.person], ""
        else:
            first, verb = "does" if self.subject.person == THIRD else "do", self.english.english
        return " ".join(filter(None, (first, subject, how, verb, self.rest))), ("est-ce", "que", *self._french())

    def words(self) -> tuple[str, ...]:
        verb = (self.english.english,) if self.english else ()
        return (*self.subject.content, *verb, *self.content)

    def _english_verb(self) -> str:
        how, person = self.manner.english, self.subject.person
        base = self.english.english if self.english else "be"
        if self.future:
            return f"will {how} {base}" if how else f"will {base}"
        if self.english is None:
            return f"{BE[person]} {how}".strip()
        if self.manner is NOT:
            return f"{'does' if person == THIRD else 'do'} not {base}"
        return f"{how} {self.english.third if person == THIRD else base}".strip()

    def _french(self) -> Tokens:
        ne = ("ne",) if self.manner.negative else ()
        how = (self.manner.french,) if self.manner.french else ()
        verb = self.french.form(self.subject.person if self.person is None else self.person, self.future)
        return joined(self.subject.french, ne, self.clitics, (verb,), how, self.reste)


def finished(said: tuple[str, Tokens], mark: str, content: Sequence[str]) -> Pair:
    """A sentence with its capital and its sign."""
    english, french = said
    ending = f"{mark}" if mark == "." else f" {mark}"
    return Pair(english[0].upper() + english[1:] + mark, written(french) + ending, tuple(sorted(set(content))))


def state(event: Event) -> Pair:
    return finished(event.statement(), ".", event.words())


def ask(event: Event) -> Pair:
    return finished(event.question(), "?", event.words())


def contrast(one: Event, other: Event) -> Pair:
    """…, but …"""
    return _linked(one, "but", ("mais",), other, comma=True)


def reason(one: Event, other: Event) -> Pair:
    """… because …"""
    return _linked(one, "because", ("parce", "que"), other, comma=False)


def _linked(one: Event, english: str, french: Tokens, other: Event, *, comma: bool) -> Pair:
    (first, premier), (second, deuxieme) = one.statement(), other.statement()
    said = f"{first}{',' if comma else ''} {english} {second}"
    return finished(
        (said, joined(premier, (",",) if comma else (), french, deuxieme)), ".", (*one.words(), *other.words())
    )


def _tail(*tails: Phrase) -> tuple[str, Tokens, tuple[str, ...]]:
    """Places and times at the end."""
    english = " ".join(tail.english for tail in tails if tail.english)
    return english, joined(*(t.french for t in tails)), tuple(w for t in tails for w in t.content)


def acting(subject: Phrase, action: Action, manner: Manner, future: bool, thing: Phrase, *tails: Phrase) -> Event:
    """Somebody does something to something."""
    english, french, content = _tail(*tails)
    said, dit = thing.said(manner.negative)
    return Event(subject, manner, future, action, action.french, f"{said} {english}".strip(), (*dit, *french),
                 content=(*thing.content, *content))  # fmt: skip


def moving(subject: Phrase, action: Action, manner: Manner, future: bool, *tails: Phrase) -> Event:
    """Somebody does something somewhere."""
    english, french, content = _tail(*tails)
    return Event(subject, manner, future, action, action.french, english, french, content=content)


def replacing(subject: Phrase, action: Action, manner: Manner, future: bool, thing: Phrase, *tails: Phrase) -> Event:
    """The object is a pronoun, which French puts before the verb."""
    english, french, content = _tail(*tails)
    rest = f"{thing.english} {english}".strip()
    return Event(subject, manner, future, action, action.french, rest, french, thing.french, content)


def being(subject: Phrase, quality: Quality, manner: Manner, future: bool, *tails: Phrase) -> Event:
    english, french, content = _tail(*tails)
    form = quality.french.form(subject.gender, subject.many)
    return Event(subject, manner, future, None, ETRE, f"{quality.english} {english}".strip(), (form, *french),
                 content=(quality.english, *content))  # fmt: skip


def having(subject: Phrase, need: str, manner: Manner, future: bool, *tails: Phrase) -> Event:
    """*to be hungry*: *avoir faim*."""
    english, french, content = _tail(*tails)
    return Event(subject, manner, future, None, AVOIR, f"{need} {english}".strip(), (words.NEEDS[need], *french),
                 content=(need, *content))  # fmt: skip


def comparing(subject: Phrase, quality: Quality, equal: bool, other: Phrase, manner: Manner, future: bool) -> Event:
    form = quality.french.form(subject.gender, subject.many)
    degree = f"as {quality.english} as" if equal else f"{quality.compared} than"
    french = ("aussi" if equal else "plus", form, "que", *other.french)
    return Event(subject, manner, future, None, ETRE, f"{degree} {other.english}", french,
                 content=(quality.english, *other.content))  # fmt: skip


def existing(thing: Phrase, place: Phrase, manner: Manner, future: bool) -> Event:
    """*there is*: *il y a*."""
    there = Phrase("there", ("il",), person=thing.person)
    said, dit = thing.said(manner.negative)
    return Event(there, manner, future, None, AVOIR, f"{said} {place.english}", (*dit, *place.french), ("y",),
                 (*thing.content, *place.content), THIRD)  # fmt: skip


def needing(subject: Phrase, thing: Phrase, manner: Manner, future: bool) -> Event:
    action = Action("need", AVOIR)
    return Event(subject, manner, future, action, AVOIR, thing.english, ("besoin", *thing.after_de),
                 content=thing.content)  # fmt: skip


def fearing(subject: Phrase, thing: Phrase, manner: Manner, future: bool) -> Event:
    return Event(subject, manner, future, None, AVOIR, f"afraid of {thing.english}", ("peur", *thing.after_de),
                 content=("afraid", *thing.content))  # fmt: skip


def minding(subject: Phrase, how: tuple[Action, str, str], thing: Phrase, manner: Manner, future: bool) -> Event:
    """*to think of*: *penser à*."""
    action, english, french = how
    after = thing.after_de if french == "de" else (french, *thing.french)
    return Event(subject, manner, future, action, action.french, f"{english} {thing.english}", after,
                 content=thing.content)  # fmt: skip


IT = Phrase("it", ("il",))


def airing(air: str, manner: Manner, future: bool, *tails: Phrase) -> Event:
    english, french, content = _tail(*tails)
    return Event(IT, manner, future, None, _FAIRE, f"{air} {english}".strip(), (words.AIR[air], *french),
                 content=(air, *content))  # fmt: skip


def blowing(sky: str, manner: Manner, future: bool, *tails: Phrase) -> Event:
    """*it is windy*: *il y a du vent*, *il n'y a pas de vent*."""
    english, french, content = _tail(*tails)
    article, name = words.SKY[sky].split()
    there = ("de", name) if manner.negative else ("de", article, name)
    return Event(IT, manner, future, None, AVOIR, f"{sky} {english}".strip(), (*there, *french), ("y",),
                 (sky, *content))  # fmt: skip


def falling(action: Action, manner: Manner, future: bool, *tails: Phrase) -> Event:
    return moving(IT, action, manner, future, *tails)


def _masses(*kinds: Mapping[str, str], general: bool) -> Space[Phrase]:
    return parts.masses({word: entry for kind in kinds for word, entry in kind.items()}, general=general)


_NONE, _TIME, _LANDS = parts.NOTHING, parts.TIME, parts.LANDS
_MAYBE_TIME: Space[Phrase] = Union((1, _NONE), (1, _TIME))
_MAYBE_LAND: Space[Phrase] = Union((1, _NONE), (2, _LANDS))
_MAYBE_WHERE: Space[Phrase] = Union((1, _NONE), (1, parts.WHERE))
_GENERAL: Space[Phrase] = Union(
    (3, parts.all_of(words.FRUITS)), (3, parts.all_of(words.ANIMALS)),
    (2, _masses(words.FOODS, words.DRINKS, general=True)), (1, parts.COUNTRIES),
    (1, Choice([Phrase(season, tuple(names[1].split()), (season,)) for season, names in words.SEASONS.items()])),
)  # fmt: skip
_FOOD: Space[Phrase] = Union(
    (2, parts.any_of(words.FRUITS)), (2, _masses(words.FOODS, general=False)),
    (2, parts.phrases(words.FRUITS, [*words.COLOURS[:6], *words.BEFORE[:2]])),
)  # fmt: skip
_KNOWN: Space[Phrase] = Union(
    (2, parts.definite(words.ANIMALS)), (2, parts.definite(words.THINGS)), (1, parts.NAMES), (1, parts.FAMILY)
)
_WHO: Space[Phrase] = Union((1, parts.OTHERS), (3, parts.SOMEBODY))
"""Those whose gender is known."""


def _events(how: Space[Manner]) -> dict[str, tuple[float, Space[Event]]]:
    """Every kind of clause, and how often it is drawn."""
    # Of a thing bought yesterday, *nouveau* is not what is said after its noun: it only stands before.
    after = [quality for quality in words.BEFORE if quality.english != "new"]
    compared, traits = Choice([*words.MOODS, *after]), Choice([*words.TRAITS, *after])
    equal = Choice([False, True])
    be: list[Space[Any]] = [how, TENSES]
    when = [*be, _MAYBE_TIME]
    degree: list[Space[Any]] = [COMPARED if how is MANNERS else how, TENSES]  # *plus plus grand* is not said
    living = Choice([*words.MOODS, *words.BEFORE[:1]])
    mind = Choice([(words.TALKING, "about", "de"), (words.DREAMING, "of", "de"), (words.THINKING, "of", "à")])
    return {
        "air": (2, Product(airing, Choice(list(words.AIR)), *be, _MAYBE_LAND, _MAYBE_TIME)),
        "sky": (2, Product(blowing, Choice(list(words.SKY)), *be, _MAYBE_LAND, _MAYBE_TIME)),
        "rain": (1, Product(falling, Choice(words.FALLING), *be, _MAYBE_LAND, _MAYBE_TIME)),
        "country": (2, Product(being, parts.COUNTRY, Choice(words.CLIMATE), *when)),
        "like": (4, Product(acting, parts.PERSON, Choice(words.LIKING), *be, _GENERAL)),
        "eat": (4, Product(acting, parts.PERSON, Choice(words.EATING), *be, _FOOD, _MAYBE_TIME)),
        "feed": (1, Product(acting, parts.ANIMAL, Choice(words.EATING[:1]), *be, _FOOD)),
        "drink": (2, Product(acting, parts.PERSON, Choice(words.DRINKING), *be,
                             _masses(words.DRINKS, general=False), _MAYBE_TIME)),
        "see": (5, Product(acting, parts.LIVING, Choice(words.SEEING), *be, parts.SOMETHING, _MAYBE_WHERE)),
        "them": (2, Product(replacing, Union((1, parts.SOMEBODY), (1, parts.OTHERS), (1, parts.ANIMAL)),
                            Choice(words.SEEING), *be, parts.OBJECTS, _MAYBE_TIME)),
        "him": (1, Product(replacing, parts.SPEAKERS, Choice(words.SEEING), *be, parts.THEM, _MAYBE_TIME)),
        "mood": (3, Product(being, _WHO, living, *when)),
        "beast": (3, Product(being, parts.ANIMAL, Choice([*words.MOODS, *words.COLOURS[:7], *after]), *when)),
        "thing": (3, Product(being, parts.THING, Choice([*words.COLOURS, *words.TRAITS, *after]), *be)),
        "hungry": (2, Product(having, parts.LIVING, Choice(list(words.NEEDS)), *when)),
        "bigger": (2, Product(comparing, parts.definite(words.ANIMALS), compared, equal,
                              parts.definite(words.ANIMALS), *degree)),
        "heavier": (2, Product(comparing, parts.definite(words.THINGS), traits, equal,
                               parts.definite(words.THINGS), *degree)),
        "older": (1, Union((1, Product(comparing, parts.NAMES, compared, equal, parts.FAMILY, *degree)),
                          (1, Product(comparing, parts.FAMILY, compared, equal, parts.NAMES, *degree)))),
        "there": (3, Product(existing, _INDEFINITE, Union((2, parts.SITES), (1, _LANDS)), *be)),
        "go": (3, Product(moving, parts.LIVING, Choice([words.GOING, words.ARRIVING]), *be, parts.GOALS, _MAYBE_TIME)),
        "come": (2, Product(moving, parts.LIVING, Choice([words.COMING]), *be, parts.ORIGINS, _MAYBE_TIME)),
        "live": (2, Product(moving, parts.PERSON, Choice([words.LIVING]), *be, Union((1, _LANDS), (1, parts.SITES)))),
        "work": (3, Product(moving, parts.PERSON, Choice(words.WORKING), *be, _MAYBE_WHERE, _MAYBE_TIME)),
        "move": (4, Product(moving, parts.LIVING, Choice(words.MOVING), *be, _MAYBE_WHERE, _MAYBE_TIME)),
        "mind": (3, Product(minding, parts.PERSON, mind, _KNOWN, *be)),
        "need": (2, Product(needing, parts.PERSON, Union((1, _KNOWN), (1, parts.any_of(words.THINGS)),
                                                         (1, _masses(words.FOODS, general=False))), *be)),
        "fear": (2, Product(fearing, parts.LIVING, Union((1, _KNOWN), (1, parts.all_of(words.ANIMALS))), *be)),
    }  # fmt: skip


_INDEFINITE: Space[Phrase] = Union(*[
    (1, Product(lambda d, n, many=many: parts.noun_phrase(d, n, many), chosen,
                Choice([*words.ANIMALS, *words.THINGS, *words.PEOPLE])))
    for many, chosen in ((False, Choice([parts.A])), (True, Choice([parts.SOME, *parts.NUMBERED])))
], *[
    (0.5, Product(lambda d, n, q, many=many: parts.noun_phrase(d, n, many, q), chosen,
                  Choice([*words.ANIMALS, *words.THINGS]), Choice([*words.COLOURS[:7], *words.BEFORE])))
    for many, chosen in ((False, Choice([parts.A])), (True, Choice([parts.SOME, *parts.NUMBERED])))
])  # fmt: skip
STATEMENTS = _events(MANNERS)
QUESTIONS = _events(AFFIRMATIVE)
_WEATHER: Space[Event] = Union(*[STATEMENTS[name] for name in ("air", "sky", "rain")])
GRAMMAR: Space[Pair] = Union(
    (16, Union(*[(weight, Product(state, space)) for weight, space in STATEMENTS.values()])),
    (3, Union(*[(weight, Product(ask, space)) for weight, space in QUESTIONS.values()])),
    (1, Product(contrast, STATEMENTS["like"][1], STATEMENTS["like"][1])),
    (0.5, Product(contrast, _WEATHER, _WEATHER)),
    (1, Product(reason, Union(STATEMENTS["move"], STATEMENTS["eat"]), Product(
        having, parts.OTHERS, Choice(list(words.NEEDS)), Choice([PLAIN, NOT]), Choice([False]), _NONE))),
)  # fmt: skip


def derivable() -> int:
    """How many pairs the grammar has, all of them different."""
    return GRAMMAR.size


def pairs(count: int, seed: int) -> list[Pair]:
    """That many different pairs, drawn at random: the same for the same seed."""
    random, found = Random(seed), dict[str, Pair]()
    while len(found) < count:
        pair = GRAMMAR.draw(random)
        found.setdefault(pair.english, pair)
    return list(found.values())
