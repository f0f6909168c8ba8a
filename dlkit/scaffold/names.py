"""What a new plugin may be called, and whether somebody else is called so already."""

from __future__ import annotations

import re
import unicodedata
from importlib.util import find_spec

from dlkit.catalog import Catalog
from dlkit.components import ANY_TASK
from dlkit.errors import UsageError

PREFIX = "dlkit-"
"""Of the distributions that hold plugins: so they are found beside one another, in an index too."""
LONGEST = 40
_NAME = re.compile(rf"(?=.{{1,{LONGEST}}}\Z)[a-z][a-z0-9]*(-[a-z0-9]+)*\Z")
_FORM = f"lower-case letters, digits and single dashes, a letter first, {LONGEST} at most"
_RESERVED = (ANY_TASK, "last", "all", "dlkit")
"""What means something else where a plugin's, a task's or a run's name may stand."""


def checked(name: str) -> str:
    """The name; UsageError says what is wrong with it, and which is nearest that would do."""
    if name in _RESERVED:
        raise UsageError(f"a plugin cannot be called {name!r}: the word means something else to dlkit")
    if name.startswith(PREFIX):
        rest = name.removeprefix(PREFIX)
        raise UsageError(f"name {name!r}: {PREFIX!r} is put before it by itself{_offer(rest)}")
    if not _NAME.match(name):
        raise UsageError(f"name {name!r} is not made of {_FORM}{_offer(name)}")
    return name


def nearest_valid(name: str) -> str:
    """The nearest name of the right form; empty: nothing of it can be kept."""
    plain = unicodedata.normalize("NFKD", re.sub(r"(?<=[a-z0-9])(?=[A-Z])", "-", name)).encode("ascii", "ignore")
    words = re.findall(r"[a-z0-9]+", plain.decode().lower())
    found = "-".join(words).removeprefix(PREFIX).lstrip("0123456789-")[:LONGEST].rstrip("-")
    return found if _NAME.match(found) and found not in _RESERVED else ""


def _offer(name: str) -> str:
    near = nearest_valid(name)
    return f": did you mean {near!r}?" if near else ""


def check_free(catalog: Catalog, name: str, kind: str, task: str) -> None:
    """UsageError, if a plugin, a distribution, a package or such a component of that name is installed."""
    distribution, package = PREFIX + name, package_of(name)
    for plugin in catalog.plugins:
        if plugin.name == name or plugin.distribution == distribution:
            who = f"{plugin.distribution} {plugin.version}".strip() or plugin.module
            raise UsageError(f"a plugin {plugin.name!r} is installed already ({who}): choose another name")
    if find_spec(package) is not None:
        raise UsageError(f"a package {package!r} is installed already: choose another name")
    if kind == "observer":  # which has no name but its plugin's
        return
    for spec in catalog.specs(kind, task or None):
        if spec.name == name:
            where = f" for task {task!r}" if task else ""
            owner = catalog.owner(spec).name
            raise UsageError(f"plugin {owner!r} offers a {kind} {name!r}{where} already: choose another name")


def package_of(name: str) -> str:
    """The package that holds the plugin's code."""
    return (PREFIX + name).replace("-", "_")
