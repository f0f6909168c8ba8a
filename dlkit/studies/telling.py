"""A study in words and tables: the answer first, then what it rests on."""

from __future__ import annotations

from collections.abc import Sequence

from dlkit.present.numbers import counted, duration, grouped, number
from dlkit.studies.judge import Difference
from dlkit.studies.results import Results, Row
from dlkit.studies.wording import changes, label, shown, words

_MARKS = {"winner": "best", "leader": "leads", "undecided": "undecided", "worse": "worse", "alone": "one seed"}
CHANGED = "changed"
"""The column of an ablation that says what a setting changes."""


def headline(found: Results) -> str:
    """What, how far, how long, what next: one line."""
    parts = [f"{found.ended} of {counted(found.trials, 'trial')}"]
    if found.failed:
        parts.append(f"{found.failed} failed")
    if found.pruned:
        parts.append(f"{found.pruned} pruned")
    parts.append(f"in {duration(found.seconds)}")
    if found.state == "running" and found.left:
        parts.append(f"about {duration(found.left)} to go")
    name = f" ({found.question.name})" if found.question.name else ""
    return f"{found.study.id}{name}: {found.state}, {', '.join(parts)}"


def named(found: Results, row: Row) -> str:
    """A setting by what it has of its own; empty where nothing is varied."""
    base = base_of(found)
    return words(row.values, found.keys) if base is None else changes(row.values, base.values, found.keys)


def base_of(found: Results) -> Row | None:
    """What the settings of an ablation are changes of: the first of all; None of another search."""
    if found.question.search != "ablation":
        return None
    return min(found.rows, key=lambda row: row.number, default=None)


def answer(found: Results) -> str:
    """What may be said: a winner that can be defended, or who leads and what is not decided."""
    row, verdict = found.leader, found.verdict
    if row is None or row.mean is None:
        return (
            "nothing has ended yet that could be compared" if found.state != "finished" else "no setting has a result"
        )
    metric, what = found.question.metric, named(found, row) or "the only setting"
    told = f"{metric} {mean_text(row)}"
    so_far = "" if found.state == "finished" else " so far"
    if len(found.rows) == 1:
        return f"{what}: {told}"
    if not verdict.against:
        return f"{what}: {told}; no other setting has a result{so_far}"
    if verdict.winner is not None:
        others = counted(len(verdict.against), "other setting")
        better = "the other setting" if len(verdict.against) == 1 else f"each of {others}"
        return f"{what} is the best{so_far}: {told}, better than {better} (95 %)"
    return f"undecided{so_far}: {what} has the best mean ({told}), {_why(found, row)}"


def _why(found: Results, row: Row) -> str:
    """What keeps it from being the winner."""
    verdict = found.verdict
    alone = [n for n in verdict.undecided if verdict.against[n].half is None]
    if alone:
        several = "one seed says nothing of luck" if row.mean and row.mean.n == 1 else "some have one seed"
        return f"but {several}: {_extend(found, 2)}"
    near = [other for other in found.rows if other.number in verdict.undecided]
    gap, which = verdict.against[near[0].number], named(found, near[0])
    if len(near) > 1:
        which = f"{len(near)} others, {which} the nearest,"
    text = f"but {which} may be as good: the difference is {difference_text(gap)}"
    if verdict.more is None:
        return f"{text}; at the spread seen no number of seeds that anybody trains would tell"
    more = f"about {counted(verdict.more, 'more seed')} would tell"
    return f"{text}; at the spread seen {more}: {_extend(found, verdict.more)}"


def _extend(found: Results, seeds: int) -> str:
    return f"dlkit study extend {found.study.short} --seeds {seeds}"


def mean_text(row: Row) -> str:
    if row.mean is None:
        return "-"
    return number(row.mean.mean) if row.mean.half is None else f"{number(row.mean.mean)} ± {row.mean.half:.2g}"


def difference_text(gap: Difference) -> str:
    """How much better the leader is."""
    return number(gap.mean) if gap.half is None else f"{number(gap.mean)} ± {gap.half:.2g}"


def columns(found: Results) -> tuple[list[str], list[list[object]]]:
    """The table for people: only what differs, then what came of it."""
    with_states = any(row.states.keys() - {"completed"} for row in found.rows)
    headers = [*titles(found), found.question.metric, "behind", "n", "time", "parameters", ""]
    rows: list[list[object]] = []
    for row in found.rows:
        states = _states(row) if with_states else ""
        mark = ", ".join(filter(None, (_MARKS.get(row.standing, ""), states)))
        rows.append([
            *_cells(found, row),
            mean_text(row),
            difference_text(row.against) if row.against is not None else "",
            f"{row.mean.n if row.mean else 0}/{row.planned}",
            duration(row.seconds) if row.seconds is not None else "",
            grouped(row.parameters) if row.parameters is not None else "",
            mark,
        ])  # fmt: skip
    return headers, rows


def titles(found: Results) -> list[str]:
    """Of the first columns, which tell a setting: an option each; of an ablation, what is changed."""
    return [CHANGED] if base_of(found) is not None else list(map(label, found.keys))


def _cells(found: Results, row: Row) -> list[str]:
    if base_of(found) is not None:
        return [named(found, row)]
    return [shown(row.values[key]) if key in row.values else "-" for key in found.keys]


def _states(row: Row) -> str:
    names = {"handed": "in hand", "settled": "in hand", "reopened": "in hand"}
    counts: dict[str, int] = {}
    for state, count in row.states.items():
        if state != "completed":
            counts[names.get(state, state)] = counts.get(names.get(state, state), 0) + count
    return ", ".join(f"{count} {state}" for state, count in counts.items())


def full_columns(found: Results) -> tuple[list[str], list[list[object]]]:
    """Numbers in full, for programs that read tables."""
    metric = found.question.metric
    headers = ["setting", *found.keys, f"{metric} mean", f"{metric} ± 95 %", "n", "planned", "behind", "behind ± 95 %",
               "standing", "seconds", "parameters", "runs"]  # fmt: skip
    rows: list[list[object]] = [
        [
            row.number,
            *(shown(row.values[key]) if key in row.values else None for key in found.keys),
            *((row.mean.mean, row.mean.half, row.mean.n) if row.mean else (None, None, 0)),
            row.planned,
            *((row.against.mean, row.against.half) if row.against else (None, None)),
            row.standing, row.seconds, row.parameters, " ".join(trial.run for trial in row.trials),
        ]
        for row in found.rows
    ]  # fmt: skip
    return headers, rows


def looks_at_test(found: Results) -> list[str]:
    """The looks at test, and how often it had been looked at before."""
    lines = []
    by_number = {row.number: row for row in found.rows}
    bare = found.question.metric.rpartition("/")[2]
    for look in found.tested:
        row = by_number.get(look.setting)
        what = named(found, row) if row else f"setting {look.setting}"
        if look.problem:
            lines.append(f"test: not looked at: {look.problem}")
            continue
        values = [metrics[f"test/{bare}"] for metrics in look.metrics.values() if f"test/{bare}" in metrics]
        before = f"; looked at {counted(look.looked_before, 'time')} before" if look.looked_before else ""
        lines.append(f"test: {what or 'the setting'}: {bare} {_mean_of(values)}{before}")
    return lines


def _mean_of(values: Sequence[float]) -> str:
    from dlkit.runs.groups import mean

    if not values:
        return "has no value"
    found = mean(values)
    return number(found.mean) if found.half is None else f"{number(found.mean)} ± {found.half:.2g} over {found.n} runs"
