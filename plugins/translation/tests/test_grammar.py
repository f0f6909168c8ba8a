"""The grammar: right French, one French for each English sentence, as many as it says."""

from __future__ import annotations

import re
from random import Random

import pytest
from hypothesis import given
from hypothesis import strategies as st

from dlkit_translation.grammar import lexicon as words
from dlkit_translation.grammar import phrases as parts
from dlkit_translation.grammar import sentences as grammar
from dlkit_translation.grammar.french import ASPIRATED, AVOIR, ETRE, VOWELS, elides, plural, written
from dlkit_translation.grammar.lexicon import Noun, Quality
from dlkit_translation.grammar.phrases import noun_phrase
from dlkit_translation.grammar.sentences import Pair, derivable, pairs
from dlkit_translation.grammar.space import Choice, Product, Space, Union


@pytest.fixture(scope="module")
def drawn() -> list[Pair]:
    return pairs(12_000, 7)


@pytest.mark.parametrize(
    ("tokens", "text"),
    [
        ("le hiver", "L'hiver"),
        ("de le hôtel", "De l'hôtel"),
        ("de le pain", "Du pain"),
        ("de la eau", "De l'eau"),
        ("à le Canada", "Au Canada"),
        ("à les États-Unis", "Aux États-Unis"),
        ("de les Pays-Bas", "Des Pays-Bas"),
        ("à la école", "À l'école"),
        ("à la gare", "À la gare"),
        ("je aime", "J'aime"),
        ("je ne aime pas", "Je n'aime pas"),
        ("elle me aime", "Elle m'aime"),
        ("il ne y a pas de eau", "Il n'y a pas d'eau"),
        ("est-ce que il", "Est-ce qu'il"),
        ("que Alice", "Qu'Alice"),
        ("de Emma", "D'Emma"),
        ("le hibou", "Le hibou"),
        ("de les hiboux", "Des hiboux"),
        ("beaucoup de haricots", "Beaucoup de haricots"),
        ("à le hérisson", "Au hérisson"),
        ("le homme", "L'homme"),
        ("plus que huit chats", "Plus que huit chats"),
        ("en été", "En été"),
        ("de tous les ours", "De tous les ours"),
        ("le œuf", "L'œuf"),
        ("de Égypte", "D'Égypte"),
    ],
)
def test_elision_and_contraction(tokens: str, text: str) -> None:
    assert written(tokens.split()) == text


@pytest.mark.parametrize(
    ("one", "many"), [("chat", "chats"), ("souris", "souris"), ("bateau", "bateaux"), ("nez", "nez"), ("roi", "rois")]
)
def test_regular_plurals(one: str, many: str) -> None:
    assert plural(one) == many


def _noun(english: str) -> Noun:
    everything = [*words.ANIMALS, *words.PEOPLE, *words.FAMILY, *words.FRUITS, *words.THINGS, *words.SITES]
    return next(noun for noun in everything if noun.english[0] == english)


def _quality(english: str) -> Quality:
    return next(q for q in (*words.BEFORE, *words.COLOURS, *words.MOODS, *words.TRAITS) if q.english == english)


DETERMINERS = {d.english: d for d in (*parts.ONE, *parts.SEVERAL)}


@pytest.mark.parametrize(
    ("determiner", "quality", "noun", "many", "english", "french"),
    [
        ("the", "red", "car", False, "the red car", "La voiture rouge"),
        ("the", "white", "house", True, "the white houses", "Les maisons blanches"),
        ("the", "brown", "shoe", True, "the brown shoes", "Les chaussures marron"),
        ("a", "old", "tree", False, "an old tree", "Un vieil arbre"),
        ("a", "beautiful", "elephant", False, "a beautiful elephant", "Un bel éléphant"),
        ("a", "new", "hat", False, "a new hat", "Un nouveau chapeau"),
        ("my", "new", "bird", False, "my new bird", "Mon nouvel oiseau"),
        ("the", "old", "tree", True, "the old trees", "Les vieux arbres"),
        ("a", "old", "owl", False, "an old owl", "Un vieux hibou"),
        ("some", "small", "dog", True, "some small dogs", "De petits chiens"),
        ("some", "grey", "dog", True, "some grey dogs", "Des chiens gris"),
        ("some", "young", "eagle", True, "some young eagles", "De jeunes aigles"),
        ("this", None, "tree", False, "this tree", "Cet arbre"),
        ("this", "old", "tree", False, "this old tree", "Ce vieil arbre"),
        ("this", "beautiful", "ant", False, "this beautiful ant", "Cette belle fourmi"),
        ("this", None, "owl", False, "this owl", "Ce hibou"),
        ("my", None, "school", False, "my school", "Mon école"),
        ("her", "pretty", "school", False, "her pretty school", "Sa jolie école"),
        ("his", None, "apple", False, "his apple", "Sa pomme"),
        ("his", None, "orange", False, "his orange", "Son orange"),
        ("their", None, "uncle", True, "their uncles", "Leurs oncles"),
        ("all the", None, "queen", True, "all the queens", "Toutes les reines"),
        ("all the", None, "king", True, "all the kings", "Tous les rois"),
        ("a", "useful", "key", False, "a useful key", "Une clé utile"),
        ("eight", "blue", "horse", True, "eight blue horses", "Huit chevaux bleus"),
    ],
)
def test_agreement(determiner: str, quality: str | None, noun: str, many: bool, english: str, french: str) -> None:
    phrase = noun_phrase(DETERMINERS[determiner], _noun(noun), many, _quality(quality) if quality else None)
    assert (phrase.english, written(phrase.french)) == (english, french)


@pytest.mark.parametrize(
    ("verb", "present", "future"),
    [
        ("eat", "mange mangeons mangez mangent", "mangerai"),
        ("buy", "achète achetons achetez achètent", "achèterai"),
        ("prefer", "préfère préférons préférez préfèrent", "préférerai"),
        ("like", "aime aimons aimez aiment", "aimerai"),
        ("clean", "nettoie nettoyons nettoyez nettoient", "nettoierai"),
        ("go", "vais allons allez vont", "irai"),
        ("see", "vois voyons voyez voient", "verrai"),
        ("come", "viens venons venez viennent", "viendrai"),
        ("drink", "bois buvons buvez boivent", "boirai"),
        ("sell", "vends vendons vendez vendent", "vendrai"),
        ("want", "veux voulons voulez veulent", "voudrai"),
        ("sleep", "dors dormons dormez dorment", "dormirai"),
        ("follow", "suis suivons suivez suivent", "suivrai"),
        ("run", "cours courons courez courent", "courrai"),
        ("hear", "entends entendons entendez entendent", "entendrai"),
        ("freeze", "gèle gelons gelez gèlent", "gèlerai"),
        ("serve", "sers servons servez servent", "servirai"),
        ("travel", "voyage voyageons voyagez voyagent", "voyagerai"),
        ("hate", "déteste détestons détestez détestent", "détesterai"),
    ],
)
def test_conjugation(verb: str, present: str, future: str) -> None:
    kinds = (words.EATING, words.DRINKING, words.SEEING, words.LIKING, words.MOVING, words.WORKING, words.FALLING)
    actions = [a for kind in kinds for a in kind] + [words.GOING, words.COMING, words.TRAVELLING]
    french = next(action.french for action in actions if action.english == verb)
    assert " ".join(french.form(person, False) for person in (0, 3, 4, 5)) == present
    assert french.form(0, True) == future


NO, PLAIN, NEVER = grammar.NOT, grammar.PLAIN, list(grammar.MANNERS)[2]
WE, HE = list(parts.PRONOUNS)[2], list(parts.PRONOUNS)[3]
ACTIONS = {a.english: a for a in (*words.EATING, *words.DRINKING, *words.SEEING, *words.LIKING)}


def _phrase(space: Space[parts.Phrase], english: str) -> parts.Phrase:
    return next(phrase for phrase in space if phrase.english == english)


SPRING = _phrase(parts.TIME, "in spring")
BREAD = _phrase(parts.masses(words.FOODS, general=False), "bread")
WATER = _phrase(parts.masses(words.DRINKS, general=False), "water")
APPLES = _phrase(parts.any_of(words.FRUITS), "apples")
ORANGES = _phrase(parts.any_of(words.FRUITS), "oranges")
ALL_APPLES = _phrase(parts.all_of(words.FRUITS), "apples")
A_DOG = noun_phrase(parts.A, _noun("dog"), False)
OLD_DOGS = noun_phrase(parts.SOME, _noun("dog"), True, _quality("old"))
THE_DOG = noun_phrase(parts.THE, _noun("dog"), False)
THE_UNCLE = noun_phrase(parts.THE, _noun("uncle"), False)
FOURS = [p for p in parts.LANDS if p.english in ("in Canada", "in France", "in the United States", "in Athens")]


@pytest.mark.parametrize(
    ("event", "english", "french"),
    [
        (grammar.acting(HE, ACTIONS["eat"], PLAIN, False, BREAD), "He eats bread.", "Il mange du pain."),
        (grammar.acting(HE, ACTIONS["eat"], NO, False, BREAD), "He does not eat bread.", "Il ne mange pas de pain."),
        (
            grammar.acting(WE, ACTIONS["drink"], NO, True, WATER),
            "We will not drink water.",
            "Nous ne boirons pas d'eau.",
        ),
        (
            grammar.acting(WE, ACTIONS["buy"], NEVER, False, ORANGES),
            "We never buy oranges.",
            "Nous n'achetons jamais d'oranges.",
        ),
        (
            grammar.acting(WE, ACTIONS["buy"], PLAIN, False, APPLES, SPRING),
            "We buy apples in spring.",
            "Nous achetons des pommes au printemps.",
        ),
        (
            grammar.acting(HE, ACTIONS["like"], NO, False, ALL_APPLES),
            "He does not like apples.",
            "Il n'aime pas les pommes.",
        ),
        (grammar.acting(HE, ACTIONS["see"], NO, False, A_DOG), "He does not see a dog.", "Il ne voit pas de chien."),
        (
            grammar.acting(HE, ACTIONS["see"], NO, False, OLD_DOGS),
            "He does not see any old dogs.",
            "Il ne voit pas de vieux chiens.",
        ),
        (
            grammar.acting(HE, ACTIONS["see"], NO, False, THE_DOG),
            "He does not see the dog.",
            "Il ne voit pas le chien.",
        ),
        (
            grammar.replacing(HE, ACTIONS["admire"], NO, False, next(iter(parts.OBJECTS))),
            "He does not admire him.",
            "Il ne l'admire pas.",
        ),
        (
            grammar.replacing(HE, ACTIONS["hear"], PLAIN, True, list(parts.OBJECTS)[2], SPRING),
            "He will hear them in spring.",
            "Il les entendra au printemps.",
        ),
        (
            grammar.existing(A_DOG, FOURS[0], NO, False),
            "There is not a dog in France.",
            "Il n'y a pas de chien en France.",
        ),
        (
            grammar.existing(OLD_DOGS, FOURS[2], PLAIN, True),
            "There will be some old dogs in the United States.",
            "Il y aura de vieux chiens aux États-Unis.",
        ),
        (grammar.needing(HE, APPLES, PLAIN, False), "He needs apples.", "Il a besoin de pommes."),
        (grammar.needing(WE, THE_DOG, NO, False), "We do not need the dog.", "Nous n'avons pas besoin du chien."),
        (grammar.fearing(HE, ALL_APPLES, PLAIN, False), "He is afraid of apples.", "Il a peur des pommes."),
        (grammar.fearing(HE, THE_UNCLE, PLAIN, False), "He is afraid of the uncle.", "Il a peur de l'oncle."),
        (
            grammar.comparing(THE_DOG, _quality("old"), False, THE_UNCLE, PLAIN, False),
            "The dog is older than the uncle.",
            "Le chien est plus vieux que l'oncle.",
        ),
        (grammar.having(HE, "hungry", NO, False), "He is not hungry.", "Il n'a pas faim."),
        (grammar.blowing("stormy", PLAIN, False), "It is stormy.", "Il y a de l'orage."),
        (
            grammar.blowing("stormy", NO, True, FOURS[1]),
            "It will not be stormy in Canada.",
            "Il n'y aura pas d'orage au Canada.",
        ),
        (
            grammar.airing("cold", PLAIN, False, _phrase(parts.TIME, "in winter")),
            "It is cold in winter.",
            "Il fait froid en hiver.",
        ),
        (
            grammar.airing("cold", NEVER, False, FOURS[3]),
            "It is never cold in Athens.",
            "Il ne fait jamais froid à Athènes.",
        ),
    ],
)
def test_sentences(event: grammar.Event, english: str, french: str) -> None:
    pair = grammar.state(event)
    assert (pair.english, pair.french) == (english, french)


def test_questions() -> None:
    asked = grammar.ask(grammar.acting(HE, ACTIONS["like"], PLAIN, False, ALL_APPLES))
    assert (asked.english, asked.french) == ("Does he like apples?", "Est-ce qu'il aime les pommes ?")
    asked = grammar.ask(grammar.having(WE, "hungry", PLAIN, True))
    assert (asked.english, asked.french) == ("Will we be hungry?", "Est-ce que nous aurons faim ?")
    asked = grammar.ask(grammar.existing(A_DOG, FOURS[0], PLAIN, False))
    assert (asked.english, asked.french) == ("Is there a dog in France?", "Est-ce qu'il y a un chien en France ?")


def test_no_sentence_breaks_a_rule_of_spelling(drawn: list[Pair]) -> None:
    vowels = "".join(VOWELS)
    whole = re.compile(
        rf"\b(?:le|la|je|me|ne|de|que|ma|sa|ce|(?:un|le|mon|son|ce) (?:beau|nouveau)) ([{vowels}][\w-]*)"
    )
    elided = re.compile(rf"\b(?:[ldjnm]|qu)'(?![{vowels}])|'(?:hibou|hérisson|haricot|huit)")
    for pair in drawn:
        text = pair.french.lower()
        assert not re.search(r"\b(à les?|de les?|de des|de du)\b|\b(du|des|au|aux) l'", text), pair
        assert not [word for word in whole.findall(text) if word not in ASPIRATED], pair
        assert not elided.search(text), pair
        assert "  " not in pair.french and pair.french[0].isupper() and pair.french[-1] in ".?", pair


def test_negation_has_both_its_words(drawn: list[Pair]) -> None:
    negated = re.compile(r"\b(not|never|no longer)\b")
    for pair in drawn:
        count = len(negated.findall(pair.english))
        assert len(re.findall(r"\bne\b|\bn'", pair.french)) == count, pair
        assert len(re.findall(r"\b(pas|jamais)\b|\bplus\b(?! \w+ que)", pair.french)) >= count, pair
        if re.search(r"\bany\b", pair.english):
            assert re.search(r"(pas|jamais|plus)\b.* (de |d')", pair.french), pair


def test_each_english_sentence_has_one_french() -> None:
    random, found = Random(3), dict[str, str]()
    for _ in range(12_000):
        pair = grammar.GRAMMAR.draw(random)
        assert found.setdefault(pair.english, pair.french) == pair.french


@pytest.mark.parametrize("kind", sorted(grammar.STATEMENTS))
def test_different_derivations_are_different_sentences(kind: str) -> None:
    space, random = grammar.STATEMENTS[kind][1], Random(1)
    places = {int(random.random() * space.size) for _ in range(1500)}
    assert len({space[place].statement()[0] for place in places}) == len(places)


def test_kinds_of_sentence_have_none_in_common(drawn: list[Pair]) -> None:
    found: dict[str, str] = {}
    for kind, (_, space) in grammar.STATEMENTS.items():
        random = Random(2)
        for _ in range(400):
            english = space.draw(random).statement()[0]
            assert found.setdefault(english, kind) == kind, english


def test_ten_million_pairs_can_be_derived_and_as_many_words_are_in_them(drawn: list[Pair]) -> None:
    assert derivable() >= 10**7
    simple = sum(space.size for _, space in grammar.STATEMENTS.values())
    assert simple >= 10**7 and derivable() > simple
    english = {word for pair in drawn for word in re.findall(r"\w+", pair.english.lower())}
    french = {word for pair in drawn for word in re.findall(r"\w+", pair.french.lower())}
    assert len(english) >= 250 and len(french) >= 350


def test_the_same_seed_draws_the_same_pairs() -> None:
    assert pairs(200, 5) == pairs(200, 5)
    assert pairs(200, 5) != pairs(200, 6)


@given(st.lists(st.integers(1, 4), min_size=1, max_size=4), st.integers(0, 2**32))
def test_a_space_knows_its_size_and_draws_what_it_has(sizes: list[int], seed: int) -> None:
    choices = [Choice([(part, i) for i in range(size)]) for part, size in enumerate(sizes)]
    product: Space[object] = Product(lambda *chosen: chosen, *choices)
    union: Space[object] = Union(*[(part + 1, choice) for part, choice in enumerate(choices)])
    for space in (product, union):
        everything = list(space)
        assert len(set(everything)) == len(everything) == space.size
        assert space.draw(Random(seed)) in everything


def test_verbs_of_being_and_having() -> None:
    assert " ".join(ETRE.present) == "suis es est sommes êtes sont" and ETRE.future[5] == "seront"
    assert " ".join(AVOIR.present) == "ai as a avons avez ont" and AVOIR.future[0] == "aurai"
    assert elides("homme") and not elides("hibou") and elides("Égypte") and not elides("pomme")
