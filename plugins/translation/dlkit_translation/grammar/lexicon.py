"""The words: English and French, one to one within each kind.

A line of ``NOUNS`` is ``english french gender``; an irregular plural follows its singular after a slash.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import cast

from dlkit_translation.grammar.french import Adjective, Gender, Verb, in_re, irregular, plural, regular


@dataclass(frozen=True, eq=False, slots=True)
class Noun:
    """Both languages, singular and plural."""

    english: tuple[str, str]
    french: tuple[str, str]
    gender: Gender


@dataclass(frozen=True, eq=False, slots=True)
class Quality:
    """An adjective of both languages; ``compared``: the English comparative, empty where none is made."""

    english: str
    compared: str
    french: Adjective


@dataclass(frozen=True, eq=False, slots=True)
class Action:
    """A verb of both languages; ``thirds``: its English third person."""

    english: str
    french: Verb
    thirds: str = ""

    @property
    def third(self) -> str:
        return self.thirds or english_s(self.english)


@dataclass(frozen=True, eq=False, slots=True)
class Place:
    """A country or city: with its article where it has one, and with the preposition of being there."""

    english: str
    named: tuple[str, ...]
    inside: tuple[str, ...]
    gender: Gender = "m"
    many: bool = False
    definite_origin: bool = False


def english_s(word: str) -> str:
    """The ending of plurals and third persons: *watches*, *carries*, *dogs*."""
    if word.endswith(("s", "sh", "ch", "x", "o")):
        return word + "es"
    if word.endswith("y") and word[-2] not in "aeou":
        return word[:-1] + "ies"
    return word + "s"


def _nouns(text: str) -> list[Noun]:
    found = []
    for line in text.strip().splitlines():
        for entry in line.split(";"):
            english, french, gender = entry.split()
            one, _, several = english.partition("/")
            un, _, des = french.partition("/")
            found.append(Noun((one, several or english_s(one)), (un, des or plural(un)), cast(Gender, gender)))
    return found


ANIMALS = _nouns("""
dog chien m; cat chat m; horse cheval/chevaux m; bird oiseau m; rabbit lapin m; mouse/mice souris f; lion lion m
tiger tigre m; bear ours m; shark requin m; snake serpent m; cow vache f; goat chèvre f; monkey singe m
elephant éléphant m; giraffe girafe f; wolf/wolves loup m; fox renard m; turtle tortue f; frog grenouille f
duck canard m; hen poule f; spider araignée f; bee abeille f; butterfly papillon m; donkey âne m; swan cygne m
owl hibou/hiboux m; hedgehog hérisson m; squirrel écureuil m; eagle aigle m; whale baleine f; ant fourmi f
""")
PEOPLE = _nouns("""
boy garçon m; girl fille f; man/men homme m; woman/women femme f; child/children enfant m; teacher professeur m
student étudiant m; doctor médecin m; farmer fermier m; king roi m; queen reine f; nurse infirmière f
actress actrice f; neighbour voisin m; gardener jardinier m; singer chanteuse f; artist artiste m
""")
FAMILY = _nouns("""
sister sœur f; brother frère m; mother mère f; father père m; uncle oncle m; aunt tante f; friend ami m
grandmother grand-mère/grands-mères f; cousin cousin m; daughter fille f
""")
FRUITS = _nouns("""
apple pomme f; pear poire f; orange orange f; lemon citron m; strawberry fraise f; peach pêche f; mango mangue f
cherry cerise f; banana banane f; apricot abricot m; raspberry framboise f; plum prune f; pineapple ananas m
carrot carotte f; tomato tomate f; onion oignon m; mushroom champignon m; cucumber concombre m; bean haricot m
leek poireau m; artichoke artichaut m; egg œuf m; cake gâteau m; almond amande f
""")
THINGS = _nouns("""
car voiture f; truck camion m; house maison f; hat chapeau m; book livre m; table table f; chair chaise f
bicycle vélo m; boat bateau m; tree arbre m; flower fleur f; dress robe f; shirt chemise f; coat manteau m
shoe chaussure f; bag sac m; key clé f; lamp lampe f; door porte f; window fenêtre f; umbrella parapluie m
clock horloge f; picture tableau m; letter lettre f; gift cadeau m; knife/knives couteau m; ladder échelle f
ring anneau m; plate assiette f; bridge pont m
""")
SITES = _nouns("""
garden jardin m; forest forêt f; park parc m; kitchen cuisine f; village village m; market marché m
restaurant restaurant m; hotel hôtel m; hospital hôpital m; airport aéroport m; library bibliothèque f
station gare f; museum musée m; school école f; church église f; office bureau m; castle château m; farm ferme f
theatre théâtre m; bakery boulangerie f
""")

FOODS = {
    "bread": "pain m", "cheese": "fromage m", "chocolate": "chocolat m", "honey": "miel m", "rice": "riz m",
    "meat": "viande f", "soup": "soupe f", "butter": "beurre m", "jam": "confiture f", "fish": "poisson m",
}  # fmt: skip
DRINKS = {
    "milk": "lait m", "water": "eau f", "tea": "thé m", "coffee": "café m", "beer": "bière f", "wine": "vin m",
    "juice": "jus m", "lemonade": "limonade f",
}  # fmt: skip


def _quality(english: str, compared: str, masculine: str, feminine: str = "", **more: object) -> Quality:
    forms = feminine or (masculine if masculine.endswith("e") else masculine + "e")
    return Quality(english, compared, Adjective(masculine, forms, **more))  # type: ignore[arg-type]


COLOURS = [
    _quality("red", "", "rouge"), _quality("green", "", "vert"), _quality("blue", "", "bleu"),
    _quality("black", "", "noir"), _quality("white", "", "blanc", "blanche"), _quality("yellow", "", "jaune"),
    _quality("grey", "", "gris"), _quality("pink", "", "rose"), _quality("purple", "", "violet", "violette"),
    _quality("brown", "", "marron", "marron", invariable=True),
]  # fmt: skip
BEFORE = [
    _quality("big", "bigger", "grand", before=True), _quality("small", "smaller", "petit", before=True),
    _quality("new", "newer", "nouveau", "nouvelle", before=True, linked="nouvel"),
    _quality("old", "older", "vieux", "vieille", before=True, linked="vieil"),
    _quality("beautiful", "more beautiful", "beau", "belle", before=True, linked="bel"),
    _quality("pretty", "prettier", "joli", before=True),
]  # fmt: skip
MOODS = [
    _quality("sad", "sadder", "triste"), _quality("happy", "happier", "heureux", "heureuse"),
    _quality("tired", "more tired", "fatigué"), _quality("calm", "calmer", "calme"),
    _quality("intelligent", "more intelligent", "intelligent"), _quality("funny", "funnier", "drôle"),
    _quality("dangerous", "more dangerous", "dangereux", "dangereuse"), _quality("shy", "shyer", "timide"),
    _quality("lazy", "lazier", "paresseux", "paresseuse"), _quality("strong", "stronger", "fort"),
    _quality("slow", "slower", "lent"), _quality("fast", "faster", "rapide"),
    _quality("gentle", "gentler", "doux", "douce"), _quality("brave", "braver", "courageux", "courageuse"),
    _quality("curious", "more curious", "curieux", "curieuse"), _quality("proud", "prouder", "fier", "fière"),
    _quality("young", "younger", "jeune", before=True),
]  # fmt: skip
TRAITS = [
    _quality("expensive", "more expensive", "cher", "chère"), _quality("heavy", "heavier", "lourd"),
    _quality("useful", "more useful", "utile"), _quality("strange", "stranger", "étrange"),
    _quality("round", "rounder", "rond"), _quality("clean", "cleaner", "propre"),
    _quality("dirty", "dirtier", "sale"), _quality("fragile", "more fragile", "fragile"),
    _quality("modern", "more modern", "moderne"), _quality("precious", "more precious", "précieux", "précieuse"),
]  # fmt: skip
CLIMATE = [
    _quality("beautiful", "", "beau", "belle"), _quality("calm", "", "calme"), _quality("green", "", "vert"),
    _quality("magnificent", "", "magnifique"), _quality("sunny", "", "ensoleillé"), _quality("dry", "", "sec", "sèche"),
    _quality("humid", "", "humide"), _quality("pleasant", "", "agréable"),
]  # fmt: skip

LIKING = [
    Action("like", regular("aimer")), Action("love", regular("adorer")), Action("hate", regular("détester", "détest")),
    Action("prefer", regular("préférer", "préfèr")),
]  # fmt: skip
EATING = [
    Action("eat", regular("manger")), Action("buy", regular("acheter", "achèt", "achèter")),
    Action("sell", in_re("vendre")), Action("want", irregular("veux veux veut voulons voulez veulent", "voudr")),
    Action("cut", regular("couper")), Action("prepare", regular("préparer")),
]  # fmt: skip
DRINKING = [
    Action("drink", irregular("bois bois boit buvons buvez boivent", "boir")),
    Action("order", regular("commander")),
    Action("serve", irregular("sers sers sert servons servez servent", "servir")),
]  # fmt: skip
SEEING = [
    Action("see", irregular("vois vois voit voyons voyez voient", "verr")), Action("find", regular("trouver")),
    Action("hear", in_re("entendre")), Action("watch", regular("observer")), Action("draw", regular("dessiner")),
    Action("follow", irregular("suis suis suit suivons suivez suivent", "suivr")),
    Action("photograph", regular("photographier")), Action("admire", regular("admirer")),
    Action("forget", regular("oublier")), Action("hide", regular("cacher")), Action("carry", regular("porter")),
    Action("wash", regular("laver")), Action("clean", regular("nettoyer", "nettoi", "nettoier")),
]  # fmt: skip
"""What one does to a living being or a thing, without a preposition."""
MOVING = [
    Action("sleep", irregular("dors dors dort dormons dormez dorment", "dormir")),
    Action("run", irregular("cours cours court courons courez courent", "courr")),
    Action("play", regular("jouer")), Action("jump", regular("sauter")), Action("wait", in_re("attendre")),
]  # fmt: skip
"""What people and animals do by themselves."""
WORKING = [
    Action("sing", regular("chanter")), Action("dance", regular("danser")), Action("work", regular("travailler")),
    Action("cook", regular("cuisiner")), Action("talk", regular("parler")),
]  # fmt: skip
"""What people alone do."""
GOING = Action("go", irregular("vais vas va allons allez vont", "ir"))
COMING = Action("come", irregular("viens viens vient venons venez viennent", "viendr"))
LIVING = Action("live", regular("habiter"))
TRAVELLING = Action("travel", regular("voyager"))
THINKING = Action("think", regular("penser"))
TALKING = Action("talk", regular("parler"))
DREAMING = Action("dream", regular("rêver"))
ARRIVING = Action("return", regular("retourner"))

_COUNTRIES = """
France France f; Spain Espagne f; Italy Italie f; China Chine f; India Inde f; Germany Allemagne f; Greece Grèce f
Switzerland Suisse f; Ireland Irlande f; Norway Norvège f; Egypt Égypte f; Belgium Belgique f; Poland Pologne f
Canada Canada m; Japan Japon m; Portugal Portugal m; Brazil Brésil m; Morocco Maroc m; Mexico Mexique m
Denmark Danemark m; Kenya Kenya m
"""
_CITIES = """
Paris Paris; London Londres; Rome Rome; Berlin Berlin; Vienna Vienne; Athens Athènes; Brussels Bruxelles
Lisbon Lisbonne; Geneva Genève; Moscow Moscou; Venice Venise; Amsterdam Amsterdam; Madrid Madrid; Oslo Oslo
"""


def _country(english: str, french: str, gender: str) -> Place:
    """*en* before feminine names, *au* before masculine ones; *de France*, but *du Canada*."""
    if gender == "f":
        return Place(english, ("la", french), ("en", french), "f")
    return Place(english, ("le", french), ("à", "le", french), "m", definite_origin=True)


def _split(text: str) -> list[list[str]]:
    return [entry.split() for line in text.strip().splitlines() for entry in line.split(";")]


COUNTRIES = [
    *(_country(*entry) for entry in _split(_COUNTRIES)),
    Place("the United States", ("les", "États-Unis"), ("à", "les", "États-Unis"), "m", True, True),
    Place("the Netherlands", ("les", "Pays-Bas"), ("à", "les", "Pays-Bas"), "m", True, True),
]
CITIES = [Place(english, (french,), ("à", french)) for english, french in _split(_CITIES)]

SEASONS = {
    "winter": ("en hiver", "le hiver"), "spring": ("à le printemps", "le printemps"),
    "summer": ("en été", "le été"), "autumn": ("en automne", "le automne"),
}  # fmt: skip
"""English → being in it, its name with the article; contracted and elided when written."""
MONTHS = {
    "January": "janvier", "February": "février", "March": "mars", "April": "avril", "May": "mai", "June": "juin",
    "July": "juillet", "August": "août", "September": "septembre", "October": "octobre", "November": "novembre",
    "December": "décembre",
}  # fmt: skip
DAYS = {
    "Mondays": "lundi", "Tuesdays": "mardi", "Wednesdays": "mercredi", "Thursdays": "jeudi", "Fridays": "vendredi",
    "Saturdays": "samedi", "Sundays": "dimanche",
}  # fmt: skip
MOMENTS = {"in the morning": "le matin", "in the evening": "le soir", "at night": "la nuit"}

AIR = {
    "cold": "froid", "hot": "chaud", "cool": "frais", "mild": "doux", "nice": "beau", "humid": "humide", "dry": "sec",
    "dark": "sombre",
}  # fmt: skip
"""It is …: *il fait …*"""
SKY = {"windy": "le vent", "foggy": "le brouillard", "sunny": "le soleil", "stormy": "le orage", "icy": "le verglas"}
"""It is …: *il y a du …*"""
FALLING = [
    Action("rain", irregular("pleus pleus pleut pleuvons pleuvez pleuvent", "pleuvr")),
    Action("snow", regular("neiger")),
    Action("freeze", regular("geler", "gèl", "gèler")), Action("thunder", regular("tonner")),
]  # fmt: skip
NEEDS = {"hungry": "faim", "thirsty": "soif", "sleepy": "sommeil", "cold": "froid", "right": "raison", "wrong": "tort"}
"""What somebody is: *avoir …*"""
NAMES: dict[str, Gender] = {
    "Paul": "m", "Thomas": "m", "Lucas": "m", "Antoine": "m", "Marie": "f", "Sophie": "f", "Alice": "f", "Emma": "f",
}  # fmt: skip
NUMBERS = {
    "two": "deux", "three": "trois", "four": "quatre", "five": "cinq", "six": "six", "seven": "sept", "eight": "huit",
    "nine": "neuf", "ten": "dix",
}  # fmt: skip
OWNERS = {
    "my": ("mon", "ma", "mes"), "his": ("son", "sa", "ses"), "her": ("son", "sa", "ses"),
    "our": ("notre", "notre", "nos"), "your": ("votre", "votre", "vos"), "their": ("leur", "leur", "leurs"),
}  # fmt: skip
"""Possessives before a masculine, a feminine and a plural; a feminine one is masculine before a vowel."""
