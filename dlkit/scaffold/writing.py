"""From a template to a folder: whole, or not there."""

from __future__ import annotations

import os
import re
import tempfile
from collections.abc import Iterable, Iterator
from dataclasses import dataclass
from datetime import date
from importlib.resources import files
from importlib.resources.abc import Traversable
from pathlib import Path

import dlkit
from dlkit.errors import UsageError
from dlkit.folders import remove_tree
from dlkit.scaffold.kinds import Template, Words, exchanged
from dlkit.scaffold.names import PREFIX, package_of

LICENCES = ("MIT", "Apache-2.0", "BSD-3-Clause", "none")
_PLACES = {"gitignore": ".gitignore", "ci.yml": ".github/workflows/test.yml"}
"""Files of every package that are called otherwise among the templates, where they would be in force."""


@dataclass(frozen=True)
class Package:
    """What is to be written. ``texts`` are the sentences of its documents, by what stands for them: ``@SUMMARY@``."""

    name: str
    template: Template
    licence: str
    texts: Words

    @property
    def distribution(self) -> str:
        return PREFIX + self.name

    def contents(self) -> dict[str, str]:
        """Path in the package's folder → text, in the order of paths."""
        root = files("dlkit.scaffold") / "templates"
        found = dict(_texts_below(root / self.template.folder))
        common = {_PLACES.get(path, path): text for path, text in _texts_below(root / "package")}
        if self.licence != "none":
            common["LICENSE"] = (root / "licences" / f"{self.licence}.txt").read_text(encoding="utf-8")
        whole = {**{path: self._marked(text) for path, text in common.items()}, **self._code(found)}
        return {self._named(path): self._named(whole[path]) for path in sorted(whole)}

    def _code(self, found: Words) -> dict[str, str]:
        """A template's modules, the words of the task that it was written for exchanged."""
        return {path: sorted_imports(exchanged(text, self.template.words)) for path, text in found.items()}

    def _named(self, text: str) -> str:
        """The text, the plugin's own name in the place of the template's: in code, in prose, as a title."""
        own = {
            "my-plugin": self.name,
            "my_plugin": self.name.replace("-", "_"),
            "My plugin": self.name.replace("-", " ").capitalize(),
        }
        return re.sub("|".join(own), lambda word: own[word[0]], text)

    def _marked(self, text: str) -> str:
        needed = [f'"dlkit{bounds(dlkit.__version__)}"']
        needed += [f'"{name}{bounds(version)}"' for name, version in self.template.needs.items() if name]
        licence = f'license = "{self.licence}"\nlicense-files = ["LICENSE"]'
        private = 'classifiers = ["Private :: Do Not Upload"]'  # which package indexes refuse
        marks = {
            **self.texts,
            '["dlkit"]': f"[{', '.join(needed)}]",
            'license = "@LICENCE@"': licence if self.licence != "none" else private,
            "@YEAR@": str(date.today().year),
        }
        return re.sub("|".join(map(re.escape, marks)), lambda mark: marks[mark[0]], text)


def bounds(version: str) -> str:
    """Which versions a package needs that was made beside this one: no older, and of the same major number."""
    major, _, rest = version.partition(".")
    return f">={major}.{rest.partition('.')[0]},<{int(major) + 1}" if major.isdigit() and rest else ""


def _texts_below(top: Traversable, below: str = "") -> Iterator[tuple[str, str]]:
    for entry in top.iterdir():
        if entry.name.startswith((".", "__pycache__")):  # what tools leave
            continue
        if entry.is_dir():
            yield from _texts_below(entry, f"{below}{entry.name}/")
        else:
            yield below + entry.name, entry.read_text(encoding="utf-8")


_IMPORTS = re.compile(r"(?:^(?:from|import) [^\n(]+\n)+", re.MULTILINE)
_FROM = re.compile(r"from (\S+) import (.+)\n")


def sorted_imports(text: str) -> str:
    """The blocks of imports in order, two of one module as one: what was exchanged in them has other names."""
    return _IMPORTS.sub(lambda block: "".join(_in_order(block[0].splitlines(keepends=True))), text)


def _in_order(lines: Iterable[str]) -> list[str]:
    names: dict[str, list[str]] = {}
    plain = []
    for line in lines:
        if (found := _FROM.fullmatch(line)) is None:
            plain.append(line)
        else:
            names.setdefault(found[1], []).extend(name.strip() for name in found[2].split(","))
    joined = [f"from {module} import {', '.join(_by_case(names[module]))}\n" for module in sorted(names)]
    return [*sorted(plain), *joined]


def _by_case(names: Iterable[str]) -> list[str]:
    """Constants, classes, functions; each by the alphabet, once."""
    return sorted(set(names), key=lambda name: (not name.isupper(), not name[0].isupper(), name))


def write(package: Package, into: Path) -> Path:
    """Write the package's folder into ``into``, which is made where it is missing; returns it.

    UsageError: something of that name is there; nothing is ever written over.
    """
    place = into / package.distribution
    if os.path.lexists(place):
        raise UsageError(f"{place} is there already: --into DIR writes elsewhere, and another name makes another one")
    into.mkdir(parents=True, exist_ok=True)
    made = Path(tempfile.mkdtemp(prefix=f".{package.distribution}-", dir=into))
    try:
        for path, text in package.contents().items():
            (made / path).parent.mkdir(parents=True, exist_ok=True)
            (made / path).write_text(text, encoding="utf-8")
        made.chmod(0o777 & ~_umask())
        made.rename(place)
    except OSError as error:
        remove_tree(made)
        if os.path.lexists(place):  # somebody else was quicker
            raise UsageError(f"{place} is there already") from error
        raise
    return place


def _umask() -> int:
    """What of a new folder's rights is left out: ``mkdtemp`` gives others none at all."""
    mask = os.umask(0)
    os.umask(mask)
    return mask


__all__ = ["LICENCES", "Package", "package_of", "write"]
