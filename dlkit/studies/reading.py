"""Reading a study: the best so far, curves overlaid, what each option has to do with it, every setting's way through
all options, and each option against the metric. As text, and as data for programs."""

from __future__ import annotations

import math

import numpy as np

from dlkit.present.numbers import counted, number
from dlkit.present.parallel import Axis, Path, Ways, parallel_axes
from dlkit.present.plot import curve, scatter
from dlkit.runs.courses import Floats
from dlkit.studies.curves import Curves, Overlaid, curves
from dlkit.studies.importance import PED_ANOVA, Importance, importance
from dlkit.studies.parallel import parallel
from dlkit.studies.results import Results, best_so_far
from dlkit.studies.scales import Scale, is_number, scale_of, values_of
from dlkit.studies.wording import label, shown, words

BAR = 30
HEIGHT = 6
"""Lines of a picture; curves and ways through all options are twice as high."""


def told(found: Results, by: str = "", *, colour: bool, width: int) -> list[str]:
    """All of it as text, a block each; none of what there is nothing of. ``by``: the option that groups curves;
    UsageError: there is no such one."""
    over, how_much = curves(found, by), importance(found)
    blocks = [_best(found, colour=colour, width=width), _curves(found, over, colour=colour, width=width)]
    if len(found.rows) > 2 and any(row.mean for row in found.rows):
        blocks.append(_importance(how_much))
        blocks.append(_parallel(ways(found, how_much), colour=colour, width=width))
        blocks += [_slice(found, key, colour=colour, width=width) for key in how_much.shares if _is_numeric(found, key)]
    return [block for block in blocks if block]


def document(found: Results, by: str = "") -> dict[str, object]:
    """The same for programs."""
    seconds, values = best_so_far(found)
    over, how_much = curves(found, by), importance(found)
    through = parallel(found, list(how_much.shares))
    return {
        "best_so_far": {"seconds": seconds, "values": values},
        "curves": {"by": over.by, "lines": [_line_document(line) for line in over.lines], "left_out": over.left_out},
        "importance": {"by": how_much.by, "shares": dict(how_much.shares), "explained": dict(how_much.explained)},
        "parallel": {
            "axes": [_axis_document(axis) for axis in through.axes],
            "lines": [{"setting": w.setting, "places": list(w.places), "best": w.best} for w in through.lines],
            "left_out": list(through.left_out),
            "flipped": through.flipped,
        },
    }


def _axis_document(axis: Scale) -> dict[str, object]:
    return {"key": axis.key, "names": list(axis.names) or None, **({} if axis.names else _ends(axis))}


def _ends(axis: Scale) -> dict[str, object]:
    return {"low": axis.low, "high": axis.high, "log": axis.log}


def _line_document(line: Overlaid) -> dict[str, object]:
    course = line.course
    names = {"steps": course.x, "mean": course.mean, "low": course.low, "high": course.high}
    return {
        "name": line.name,
        "settings": list(line.settings),
        "runs": line.runs,
        **{name: [value if math.isfinite(value) else None for value in part.tolist()] for name, part in names.items()},
    }


def _best(found: Results, *, colour: bool, width: int) -> str:
    seconds, values = best_so_far(found)
    if len(values) < 2:
        return ""
    lines = {f"best {found.question.metric}": values}
    return curve(seconds, lines, ("seconds", ""), colour=colour, width=width, height=HEIGHT)


def _curves(found: Results, over: Curves, *, colour: bool, width: int) -> str:
    if not over.lines:
        return ""
    steps = np.unique(np.concatenate([line.course.x for line in over.lines]))
    lines = {_told_line(line): _on(steps, line) for line in over.lines}
    more = f", the best {len(over.lines)} of {len(over.lines) + over.left_out}" if over.left_out else ""
    what = f"of each {label(over.by)}" if over.by else "of each setting"
    head = f"{found.question.metric} by step, the mean {what}{more}"
    drawn = curve(steps.tolist(), lines, ("steps", ""), colour=colour, width=width, height=2 * HEIGHT, marked=True)
    return f"{head}\n{drawn}"


def _told_line(line: Overlaid) -> str:
    return f"{line.name} (n = {line.runs})" if line.runs > 1 else line.name


def _on(steps: Floats, line: Overlaid) -> list[float]:
    """Its mean at these steps, NaN where it has not begun or has ended."""
    x, mean, _, _ = line.course
    values: list[float] = np.interp(steps, x, mean, left=np.nan, right=np.nan).tolist()
    return values


def _importance(found: Importance) -> str:
    names = max((len(label(key)) for key in found.shares), default=0)
    if found.by == PED_ANOVA:
        head = "what makes a setting one of the best (PED-ANOVA); in brackets, what settings differ by"
    else:
        head = "what settings differ by (share of the variance that each option explains)"
    return "\n".join([head, *(_bar(found, key, share, names) for key, share in found.shares.items())])


def _bar(found: Importance, key: str, share: float, names: int) -> str:
    other = f"  ({100 * found.explained[key]:.0f} % of the variance)" if found.by == PED_ANOVA else ""
    return f"{label(key):{names}}  {'█' * round(BAR * share)} {100 * share:.0f} %{other}"


def ways(results: Results, how_much: Importance) -> Ways | None:
    """Every setting's way through the options, to be drawn; None where a slice says it better: of one option, or one
    setting."""
    found = parallel(results, list(how_much.shares))
    if len(found.axes) < 3 or len(found.lines) < 2:
        return None
    metric = found.axes[-1]
    axes = [Axis(label(axis.key), axis.ticks()) for axis in found.axes[:-1]]
    axes.append(Axis(metric.key, [(1 - at if found.flipped else at, text) for at, text in metric.ticks()]))
    names = {row.number: words(row.values, results.keys) for row in results.rows}
    paths = [Path(line.places, line.best, names[line.setting]) for line in found.lines]
    best = sum(path.best for path in paths)
    head = f"every setting's way, the best {best if best > 1 else 'one'} of {counted(len(paths), 'setting')} in front"
    if found.left_out:
        head += f"; without {', '.join(map(label, found.left_out))}"
    return Ways(head, axes, paths)


def _parallel(found: Ways | None, *, colour: bool, width: int) -> str:
    if found is None:
        return ""
    drawn = parallel_axes(found.axes, found.paths, colour=colour, width=width, height=2 * HEIGHT)
    return f"{found.title}\n{drawn}"


def _is_numeric(found: Results, key: str) -> bool:
    values = values_of(key, [row.values for row in found.rows])
    return all(map(is_number, values)) and len(set(map(str, values))) > 2


def _slice(found: Results, key: str, *, colour: bool, width: int) -> str:
    """An option against the metric; over powers of ten where its values are that far apart."""
    rows = [row for row in found.rows if key in row.values and row.mean and math.isfinite(row.mean.mean)]
    if not rows:
        return ""
    there = [(float(str(row.values[key])), row.mean.mean) for row in rows if row.mean]
    log = scale_of(key, [value for value, _ in there]).log
    xs = [math.log10(value) if log else value for value, _ in there]
    name = f"{label(key)}{', as a power of ten' if log else ''}"
    head = f"{found.question.metric} by {label(key)}: best at {shown(rows[0].values[key])} ({number(there[0][1])})"
    ys, names = [mean for _, mean in there], ["setting"] * len(there)
    return f"{head}\n{scatter(xs, ys, names, (name, ''), colour=colour, width=width, height=HEIGHT)}"
