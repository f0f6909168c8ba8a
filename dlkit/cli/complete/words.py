"""What may be typed, as it is kept: nothing but dicts, lists and texts."""

from __future__ import annotations

from typing import TypedDict


class Option(TypedDict):
    """An option by its spellings, the preferred one first; ``value`` says what its value is, empty of a switch.

    ``value`` is a metavar (``RUN``, ``FILE``) that ``answer`` knows, or any other word. ``set`` takes what is
    ``changeable``.
    """

    words: list[str]
    about: str
    value: str
    choices: list[str]
    changeable: bool


class Input(TypedDict):
    """A word of a command that is no option; ``repeats``: any number of them."""

    value: str
    choices: list[str]
    repeats: bool


class Command(TypedDict):
    about: str
    actions: list[str]
    options: list[Option]
    inputs: list[Input]


class Commands(TypedDict):
    """Everything but the options of a task's components.

    ``commands`` by name, or by name and action (``queue list``); ``names`` that words may be, by what they name.
    """

    commands: dict[str, Command]
    names: dict[str, dict[str, str]]


class Task(TypedDict):
    """What ``train`` takes of one task: components by part, with what each is; options by section, or part and name.

    ``usual`` has the components that nobody need name, ``wants`` those that follow from naming a model or data set.
    """

    parts: dict[str, dict[str, str]]
    usual: dict[str, str]
    wants: dict[str, dict[str, str]]
    presets: dict[str, str]
    recipes: dict[str, str]
    sections: dict[str, list[Option]]
    components: dict[str, list[Option]]
