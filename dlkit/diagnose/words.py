"""Verdicts as people read them: the sentence first, below it what says so, then what to type."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from textwrap import wrap

from dlkit.diagnose.verdict import Verdict
from dlkit.present.commands import to_type, tool
from dlkit.runs.folder import RunFolder

ANYWHERE = ("check-plugin",)
"""Commands that have to do with no workspace."""
MARKS = {"bad": "!", "note": "·", "unknown": "?"}
WELL = "nothing wrong is on record"
UNKNOWN = "cannot be told"


def headline(verdicts: Sequence[Verdict]) -> str:
    """The worst in one line, and how many more there are to read; empty where there is nothing to say."""
    told = [verdict for verdict in verdicts if verdict.weight != "unknown"]
    if not told:
        return ""
    more = f" (and {len(told) - 1} more)" if len(told) > 1 else ""
    return f"{told[0].text}{more}"


def explained(run: RunFolder, verdicts: Sequence[Verdict], width: int) -> str:
    """All of them, as paragraphs."""
    told = [verdict for verdict in verdicts if verdict.weight != "unknown"]
    unknown = [verdict for verdict in verdicts if verdict.weight == "unknown"]
    parts = ["\n".join(_told(run, verdict, width)) for verdict in told] or [f"  {WELL}"]
    if unknown:
        parts.append("\n".join(line for verdict in unknown for line in _told(run, verdict, width)))
    return "\n\n".join(parts)


def _told(run: RunFolder, verdict: Verdict, width: int) -> Iterator[str]:
    yield from _wrapped(verdict.text, f"{MARKS[verdict.weight]} ", width)
    for seen in verdict.evidence:
        yield from _wrapped(seen.text, "    ", width)
    for mend in verdict.mends:
        # A command is one line, however long: it is there to be copied.
        yield f"  → {typed(run, mend.words)}"
        yield from _wrapped(mend.why, "      ", width)


def _wrapped(text: str, before: str, width: int) -> list[str]:
    return wrap(
        text, max(20, width), initial_indent=before, subsequent_indent=" " * len(before), break_long_words=False,
        break_on_hyphens=False,
    )  # fmt: skip


def typed(run: RunFolder, words: str) -> str:
    """A whole command line."""
    return f"{tool()} {words}" if words.partition(" ")[0] in ANYWHERE else to_type(run, words)


def document(verdict: Verdict, run: RunFolder) -> dict[str, object]:
    """The same for programs."""
    return {
        "name": verdict.name,
        "about": verdict.about,
        "weight": verdict.weight,
        "text": verdict.text,
        "evidence": [
            {"text": seen.text, "step": seen.step, "figures": dict(seen.figures)} for seen in verdict.evidence
        ],
        "mend": [{"command": typed(run, mend.words), "why": mend.why} for mend in verdict.mends],
    }
