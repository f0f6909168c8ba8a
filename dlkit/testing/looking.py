"""Asking one rule about one subject: whatever the plugin's code raises meanwhile is a finding."""

from __future__ import annotations

import time
import traceback
from collections.abc import Iterator
from itertools import islice
from pathlib import Path

from dlkit.errors import in_words
from dlkit.testing.finding import Finding, Skipped
from dlkit.testing.look import Look
from dlkit.testing.notes import Notes
from dlkit.testing.rule import Rule
from dlkit.testing.subject import Subject, Unbuilt

MOST_FINDINGS = 10
"""Of one rule and component: who mends these sees the others then."""


def look(rule: Rule, subject: Subject, notes: Notes) -> Look:
    """What the rule says of it."""
    plugin = subject.plugin.name if subject.plugin is not None else ""
    began = time.perf_counter()
    found, skipped = _findings(rule, subject)
    seconds = time.perf_counter() - began
    if skipped:
        return Look(rule, plugin, subject.component_name, subject.task, "skipped", (), skipped, seconds)
    exemption = notes.exempts(rule.name, subject.component_name, subject.task)
    if found and exemption is not None:
        return Look(rule, plugin, subject.component_name, subject.task, "exempt", found, exemption.why, seconds)
    return Look(rule, plugin, subject.component_name, subject.task, "broken" if found else "kept", found, "", seconds)


def _findings(rule: Rule, subject: Subject) -> tuple[tuple[Finding, ...], str]:
    found: list[Finding] = []
    try:
        found.extend(islice(rule.check(subject), MOST_FINDINGS))
    except Skipped as skipped:
        return (tuple(found), "") if found else ((), str(skipped))
    except Unbuilt as error:
        if rule.name != BUILDS:  # told once, by the rule that is about it
            return (), f"it cannot be built: see {BUILDS}"
        found.append(Finding(in_words(error.error), "it is built without an error", _where(error.error, subject)))
    # The plugin boundary: a stranger's code may raise anything, and the other rules are still to be asked.
    except (Exception, SystemExit) as error:
        found.append(Finding(in_words(error), f"no error: {rule.title}", _where(error, subject)))
    return tuple(found), ""


BUILDS = "engine-builds"
"""The rule that tells what cannot be built; the others that need it built pass it over."""


def _where(error: BaseException, subject: Subject) -> str:
    """The innermost line of the plugin's own code that an error came through; else the innermost of all."""
    frames = list(_frames(error))
    roots = [str(root) for root in subject.package.roots.values()]
    own = [frame for frame in frames if any(frame.filename.startswith(root) for root in roots)]
    if not (own or frames):
        return ""
    frame = (own or frames)[-1]
    return f"{_short(Path(frame.filename), subject)}:{frame.lineno}"


def _frames(error: BaseException) -> Iterator[traceback.FrameSummary]:
    if error.__cause__ is not None:
        yield from _frames(error.__cause__)
    yield from traceback.extract_tb(error.__traceback__)


def _short(file: Path, subject: Subject) -> str:
    for root in subject.package.roots.values():
        if file.is_relative_to(root.parent):
            return file.relative_to(root.parent).as_posix()
    return str(file)
