"""Configurations that nobody has tried: options drawn within their bounds, mostly near what they are."""

from __future__ import annotations

from collections import deque
from collections.abc import Iterator
from typing import TYPE_CHECKING

from hypothesis import HealthCheck, Phase, given, seed, settings
from hypothesis import strategies as st

from dlkit.config import FieldInfo, Property, fields_of
from dlkit.errors import DataError, UsageError, in_words
from dlkit.testing.finding import Skipped
from dlkit.testing.subject import Sections, Subject

if TYPE_CHECKING:
    from dlkit.engine.attempt import Attempt

MOST = 3
"""Entries of a list, and times a number may be of what it is at most: what is large is slow, and not wrong for it."""
_ONE_STEP: Sections = {"engine": {"steps": 1, "eval_every": "end"}}


def configurations(subject: Subject, count: int) -> Iterator[dict[str, dict[str, object]]]:
    """``count`` of them, the same every time; each sets one to four options of the component."""
    strategies = {
        field.name: _of(field.schema, _now(subject, field))
        for field in fields_of(subject.options())
        if not _is_fixed(field)
    }
    if not strategies:
        return
    found: list[dict[str, object]] = []
    some = st.lists(st.sampled_from(sorted(strategies)), min_size=1, max_size=4, unique=True)

    @seed(0)
    @settings(
        max_examples=count, database=None, deadline=None, derandomize=False, phases=[Phase.generate],
        suppress_health_check=list(HealthCheck),
    )  # fmt: skip
    @given(some.flatmap(lambda names: st.fixed_dictionaries({name: strategies[name] for name in names})))
    def draw(options: dict[str, object]) -> None:
        found.append(options)

    draw()
    for options in found:
        yield {subject.spec.kind: options}


def outcome(subject: Subject, chosen: Sections) -> str:
    """What is wrong with how a run of these settings goes: an error that nobody foresaw. Empty: it runs, or is refused
    in words."""
    from dlkit.events import Finished

    sections = {**chosen}
    sections["engine"] = {**_ONE_STEP["engine"], **sections.get("engine", {})}
    try:
        last = deque(_begun(subject, sections).events(), 1).pop()
    except (UsageError, DataError, Skipped):
        return ""
    # The plugin boundary: that a stranger's code raises anything else is what is looked for.
    except (Exception, SystemExit) as error:
        return in_words(error)
    return last.reason if isinstance(last, Finished) and last.traceback else ""


def _begun(subject: Subject, sections: Sections) -> Attempt:
    """A run of these settings. Data that they say nothing of is that of the experiment: to build it takes longest."""
    from dlkit.engine.start import start
    from dlkit.testing.offline import offline_data
    from dlkit.testing.trying import attempt

    if subject.spec.kind != "dataset":
        return attempt(subject, sections)
    with offline_data(subject.catalog, subject.scratch) as context:
        return start(subject.catalog, subject.resolved(sections), subject.folder("fuzz"), context)


def _of(schema: Property, now: object) -> st.SearchStrategy[object]:
    """Values of an option: the ends of its bounds where they are near, what lies around what it is, its choices."""
    if several := schema.get("anyOf"):
        return st.one_of([_of(one, now) for one in several])
    if "enum" in schema:
        return st.sampled_from(schema["enum"])
    if "const" in schema:
        return st.just(schema["const"])
    kind = schema.get("type")
    if kind == "boolean":
        return st.booleans()
    if kind in ("integer", "number"):
        return _numbers(schema, now, whole=kind == "integer")
    if kind == "array":
        return _lists(schema, now)
    if kind == "null":
        return st.none()
    return st.just(now)  # a text or a path that means something: no other does


def _numbers(schema: Property, now: object, *, whole: bool) -> st.SearchStrategy[float]:
    centre = float(now) if isinstance(now, int | float) and not isinstance(now, bool) else 1.0
    low, high = (
        schema.get("minimum", schema.get("exclusiveMinimum")),
        schema.get("maximum", schema.get("exclusiveMaximum")),
    )
    widest = MOST * max(abs(centre), 2.0)
    least = max(-widest, low) if low is not None else -widest
    most = min(widest, high) if high is not None else max(widest, least)
    if whole:
        first = int(least) + ("exclusiveMinimum" in schema and least == low)
        last = int(most) - ("exclusiveMaximum" in schema and most == high)
        return st.integers(first, max(first, last))
    return st.floats(
        least, most, exclude_min="exclusiveMinimum" in schema and least == low,
        exclude_max="exclusiveMaximum" in schema and most == high, allow_nan=False, allow_infinity=False,
    )  # fmt: skip


def _lists(schema: Property, now: object) -> st.SearchStrategy[object]:
    entries = now if isinstance(now, list) else []
    if fixed := schema.get("prefixItems"):
        at = [entries[place] if place < len(entries) else None for place in range(len(fixed))]
        return st.tuples(*(_of(one, value) for one, value in zip(fixed, at, strict=True))).map(list)
    inner = _of(schema.get("items", {}), entries[0] if entries else None)
    fewest = schema.get("minItems", 0)
    return st.lists(inner, min_size=fewest, max_size=max(fewest, min(schema.get("maxItems", MOST), MOST)))


def _now(subject: Subject, field: FieldInfo) -> object:
    """What the option is in the small experiment."""
    return subject.resolved().sections[subject.spec.kind].model_dump(mode="json").get(field.name, field.default)


def _is_fixed(field: FieldInfo) -> bool:
    """Whether only what it is makes sense: paths and texts."""
    kinds = field.schema.get("anyOf", [field.schema])
    return all(one.get("type") in ("string", "null") and not {"enum", "const"} & one.keys() for one in kinds)
