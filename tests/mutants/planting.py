"""The sound plugin with a fault, as a module that can be imported, and the subject that a rule is given."""

from __future__ import annotations

import sys
from importlib import invalidate_caches
from importlib.metadata import EntryPoint
from itertools import count
from pathlib import Path

from dlkit.catalog import BUILTIN, GROUP, Catalog
from dlkit.testing.finding import Finding, Skipped
from dlkit.testing.package import Package
from dlkit.testing.rules import find_rule
from dlkit.testing.subject import Subject
from mutants.faults import ALSO, Fault

SOURCE = (Path(__file__).parent / "sound_source.py").read_text()
KINDS = ("task", "dataset", "model", "loss", "trainer", "inference")
_NUMBERS = count()


def source_of(fault: Fault | None) -> str:
    """The sound source, or the mutant's; AssertionError where what is to be changed does not stand there once."""
    text = SOURCE
    changes = [] if fault is None else [(fault.old, fault.new), *ALSO.get(fault.what, [])]
    for old, new in changes:
        assert text.count(old) == 1, f"{old!r} stands {text.count(old)} times in the sound source"
        text = text.replace(old, new)
    return text


def planted(folder: Path, fault: Fault | None = None, *, quick: bool = True) -> Subject:
    """Of the plugin as a whole; ``about`` gives one of its components. Its folder is on sys.path until ``uprooted``."""
    name = f"mutant{next(_NUMBERS)}"
    folder.mkdir(parents=True, exist_ok=True)
    (folder / f"{name}.py").write_text(source_of(fault))
    sys.path.insert(0, str(folder))
    invalidate_caches()
    catalog = Catalog([EntryPoint(BUILTIN, "dlkit.builtin", GROUP), EntryPoint(name, name, GROUP)])
    catalog.load(name)
    catalog.load_all()
    return Subject(Package(f"dlkit-{name}", "1.0"), catalog, folder / "scratch", quick=quick)


def uprooted(folder: Path) -> None:
    """What was imported from there is forgotten."""
    sys.path.remove(str(folder))
    for name, module in list(sys.modules.items()):
        if Path(getattr(module, "__file__", None) or "/").is_relative_to(folder):
            del sys.modules[name]


def component(subject: Subject, kind: str) -> Subject:
    """The plugin's one component of a kind."""
    (spec,) = [spec for spec in subject.catalog.specs(kind) if "mutant" in spec.target]
    return subject.about(spec, "spots", {}, {})


def caught(subject: Subject, rule: str) -> list[Finding]:
    """What the rule finds; an error that it raises is a finding too, as the kit has it."""
    found = find_rule(rule)
    kind = next(kind for kind in KINDS if kind in found.kinds)
    if rule in ("learning-overfits", "loss-at-the-start") and "model" in found.kinds:
        kind = "model"
    try:
        return list(found.check(component(subject, kind)))
    except Skipped:
        return []
    # What a rule need not catch of a plugin's code.
    except Exception as error:
        return [Finding(f"{type(error).__name__}: {error}", "no error")]
