"""What became of one rule for one component, and what all of them together mean."""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass
from typing import Literal, TypedDict, cast

from dlkit.testing.finding import Finding
from dlkit.testing.rule import TIERS, Rule, Tier
from dlkit.testing.rules import find_rule

State = Literal["kept", "broken", "skipped", "exempt"]


class FindingRecord(TypedDict):
    seen: str
    right: str
    where: str


class LookRecord(TypedDict):
    """A look as ``--json`` gives it, and as the process that looks tells it."""

    rule: str
    tier: str
    plugin: str
    component: str
    task: str
    state: str
    reason: str
    seconds: float
    findings: list[FindingRecord]


@dataclass(frozen=True)
class Look:
    """A rule for one component (``"model cnn"``; empty: the plugin) in one task.

    ``reason``: why it was skipped, or is exempt; ``findings``: of a rule that is broken, or exempt.
    """

    rule: Rule
    plugin: str
    component: str = ""
    task: str = ""
    state: State = "kept"
    findings: tuple[Finding, ...] = ()
    reason: str = ""
    seconds: float = 0.0

    def record(self) -> LookRecord:
        return {
            "rule": self.rule.name,
            "tier": self.rule.tier,
            "plugin": self.plugin,
            "component": self.component,
            "task": self.task,
            "state": self.state,
            "reason": self.reason,
            "seconds": round(self.seconds, 3),
            "findings": [{"seen": f.seen, "right": f.right, "where": f.where} for f in self.findings],
        }


def look_of(record: LookRecord) -> Look:
    """The look that a record is of."""
    findings = tuple(Finding(found["seen"], found["right"], found["where"]) for found in record["findings"])
    state = cast(State, record["state"])
    rule, reason = find_rule(record["rule"]), record["reason"]
    return Look(rule, record["plugin"], record["component"], record["task"], state, findings, reason, record["seconds"])


def tier_of(looks: Iterable[Look]) -> Tier | None:
    """The highest tier of which every rule is kept, or exempt with a reason; None: not even the lowest.

    What could not be looked at does not count against a plugin.
    """
    broken = {look.rule.tier for look in looks if look.state == "broken"}
    found: Tier | None = None
    for tier in TIERS:
        if tier in broken:
            break
        found = tier
    return found


def broken(looks: Sequence[Look]) -> list[Look]:
    return [look for look in looks if look.state == "broken"]


def told(looks: Sequence[Look]) -> Iterator[str]:
    """Lines for people about one rule that is broken: what was seen, what is right, how to mend it."""
    rule = looks[0].rule
    yield f"✗ {rule.name} ({rule.tier}): {rule.title}"
    for look in looks:
        for finding in look.findings:
            where = ", ".join(filter(None, [look.component, look.task and f"in {look.task}", finding.where]))
            first, *rest = finding.seen.splitlines() or [""]
            yield f"  {where + ': ' if where else ''}{first}"
            yield from (f"    {line}" for line in rest)
            yield f"    right: {finding.right}"
    yield f"  mend:  {rule.mend}"
    for head, code in (("instead of", rule.buggy), ("write", rule.corrected)):
        if code:
            yield f"  {head}:"
            yield from (f"    {line}" for line in code.strip("\n").splitlines())
