"""Whether a plugin is meant for this dlkit: what its distribution requires, and what its module says.

A plugin that was written for another major version may be imported without an error, and train wrongly: it is refused,
with the reason. What its distribution requires is read before any of its code runs.
"""

from __future__ import annotations

import re
from collections.abc import Iterable
from operator import eq, ge, gt, le, lt, ne

from dlkit import __version__, api_version
from dlkit.errors import PluginError

ATTRIBUTE = "dlkit_api_version"
"""What a plugin's module may say beside its hooks: ``dlkit_api_version = (1, 0)``."""

_REQUIREMENT = re.compile(r"dlkit\s*(?:\[[^]]*\])?\s*\(?(?P<bounds>[^;)]*)\)?\s*(?:;.*)?\Z", re.IGNORECASE)
_BOUND = re.compile(r"\s*(?P<sign>~=|===?|!=|<=|>=|<|>)\s*(?P<release>\d+(?:\.\d+)*)(?P<any>\.\*)?\s*\Z")
_SIGNS = {"==": eq, "===": eq, "!=": ne, "<=": le, ">=": ge, "<": lt, ">": gt}


def unmet(needs: Iterable[str], version: str = __version__) -> str:
    """The bounds on dlkit that ``version`` is outside of, as the plugin states them; empty: none that can be judged.

    Releases are compared, numbers with dots, as far as both go. What else a bound may say (``1.0rc1``, ``@ https://…``)
    has been judged by whoever installed the plugin.
    """
    release = _numbers(version)
    for need in needs:
        found = _REQUIREMENT.match(need)
        if found and "extra ==" not in need and not all(_met(bound, release) for bound in found["bounds"].split(",")):
            return found["bounds"].strip()
    return ""


def _met(bound: str, release: tuple[int, ...]) -> bool:
    found = _BOUND.match(bound)
    if found is None:
        return True
    wanted, sign = _numbers(found["release"]), found["sign"]
    if sign == "~=":
        return release[: len(wanted) - 1] == wanted[:-1] and release >= wanted
    if found["any"]:
        return (release[: len(wanted)] == wanted) is (sign == "==")
    longest = max(len(wanted), len(release))
    return bool(_SIGNS[sign](_padded(release, longest), _padded(wanted, longest)))


def _numbers(version: str) -> tuple[int, ...]:
    found = re.match(r"\d+(?:\.\d+)*", version)
    return tuple(int(number) for number in found[0].split(".")) if found else ()


def _padded(release: tuple[int, ...], length: int) -> tuple[int, ...]:
    return release + (0,) * (length - len(release))


def check_requirements(needs: Iterable[str]) -> None:
    """PluginError for a distribution that says it needs another dlkit."""
    if bounds := unmet(needs):
        raise PluginError(
            f"it needs dlkit {bounds}, and this is dlkit {__version__}: install a version of it for this dlkit"
        )


def check_module(module: object) -> None:
    """PluginError for a module that says it was written for another major version of the plugin interface."""
    said = getattr(module, ATTRIBUTE, None)
    if said is None:
        return
    if not isinstance(said, tuple) or [type(number) for number in said] != [int, int]:
        raise PluginError(f"{ATTRIBUTE} = {said!r} is not of the form (major, minor), such as {api_version}")
    major, minor = said
    if major != api_version[0]:
        which = "an older" if major < api_version[0] else "a newer"
        raise PluginError(
            f"it was written for {which} plugin interface, {major}.{minor}, and this dlkit {__version__} has "
            f"{'.'.join(map(str, api_version))}: {'update the plugin' if major < api_version[0] else 'update dlkit'}"
        )
    if minor > api_version[1]:
        raise PluginError(
            f"it needs version {major}.{minor} of the plugin interface, and this dlkit {__version__} has "
            f"{'.'.join(map(str, api_version))}: update dlkit"
        )
