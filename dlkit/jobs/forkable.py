"""Which options may change where a fork begins, known without building anything: each declares how it fits the state
that the fork goes on with (``config.Fit``)."""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from typing import NamedTuple, cast

from dlkit.catalog import Catalog
from dlkit.config import CHOICES, FITS, NAMES_FIT, SECTIONS, FieldInfo, Fit, Resolved, schema_of
from dlkit.errors import UsageError
from dlkit.json_types import Json
from dlkit.runs.contents import flatten

WHY: Mapping[str, str] = {
    "engine.batch_size": "the same step is another place in the data",
    "engine.accumulate": "the same step is another place in the data",
    "engine.limit_batches": "the same step is another place in the data",
    "engine.overfit_batches": "the same step is another place in the data",
    "engine.seed": "the data come in another order, and may be divided otherwise",
    "engine.device": "another device rounds otherwise",
    "engine.precision": "it is computed otherwise",
    "engine.compile": "it is computed otherwise",
    "engine.deterministic": "other kernels round otherwise",
    "engine.threads": "another number of threads rounds otherwise",
    "engine.ema": "an average that begins here knows nothing of the weights before",
    "engine.init_from": "it has begun already: dlkit train --init-from starts from the weights alone",
    "trainer.optimizer": "another rule begins without what it remembers",
    "job.nproc": "each process has generators of its own, and a checkpoint those of as many as there were",
}
_OF_SECTION = {
    "dataset": "the data differ, and so do their order and what the best value so far was measured on",
    "loss.name": "what another loss has learned or counted begins afresh",
    "trainer.name": "another trainer has nothing that this state fits",
    "model": "the weights fit this model alone: dlkit train --init-from takes what fits of them",
}


class Change(NamedTuple):
    """An option that a fork has otherwise than its parent had it at the branch. ``why``: what does not fit, if so."""

    key: str
    before: Json
    now: Json
    fit: Fit
    why: str = ""


def fit_of(section: str, field: FieldInfo | None) -> Fit:
    """How an option of a section fits; without a ``field``, how another component in its place does."""
    if field is None:
        return NAMES_FIT.get(section, FITS[section])
    return cast("Fit", field.schema.get("at_fork", FITS[section]))


def fits(catalog: Catalog, task: str, names: Mapping[str, str]) -> dict[str, Fit]:
    """Full key → how it fits, of all options of a run with these components."""
    found: dict[str, Fit] = {}
    schema = schema_of(catalog, task, names)
    for section in SECTIONS:
        if section in CHOICES:
            found[f"{section}.name"] = fit_of(section, None)
        found |= {f"{section}.{name}": fit_of(section, field) for name, field in schema[section].items()}
    return found


def changes(catalog: Catalog, before: Resolved, now: Resolved) -> list[Change]:
    """What differs, by full key. Of a component that takes another's place, its name alone: its options are its own."""
    found = fits(catalog, now.task.name, {part: spec.name for part, spec in now.specs.items()})
    old, new = flatten(before.values()), flatten(now.values())
    replaced = {part for part in CHOICES if before.specs[part].name != now.specs[part].name}
    return list(_changes(old, new, found, replaced))


def _changes(
    old: Mapping[str, object], new: Mapping[str, object], found: Mapping[str, Fit], replaced: set[str]
) -> Iterator[Change]:
    for key in dict.fromkeys([*new, *old]):
        section = key.partition(".")[0]
        if old.get(key) == new.get(key) or (section in replaced and not key.endswith(".name")):
            continue
        fit = found.get(key, "exact")
        yield Change(
            key, cast("Json", old.get(key)), cast("Json", new.get(key)), fit, why_not(key) if fit != "exact" else ""
        )


def why_not(key: str) -> str:
    """What of the state does not fit where an option changes, in words."""
    section = key.partition(".")[0]
    return WHY.get(key) or _OF_SECTION.get(key) or _OF_SECTION.get(section, "it does not fit the state")


def check(found: Sequence[Change], *, allow_inexact: bool) -> None:
    """UsageError names what fits nothing of the state, or needs ``--allow-inexact``."""
    never = [f"{change.key}: {change.why}" for change in found if change.fit == "never"]
    if never:
        raise UsageError(f"cannot be changed at a fork: {'; '.join(never)}")
    inexact = [f"{change.key}: {change.why}" for change in found if change.fit == "inexact"]
    if inexact and not allow_inexact:
        hint = "--allow-inexact goes on all the same"
        raise UsageError(f"not all of the state fits: {'; '.join(inexact)}; {hint}").hinting(hint)
