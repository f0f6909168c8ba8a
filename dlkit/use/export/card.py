"""The model card, README.md of an exported folder: what the model is, where it comes from, what it is worth."""

from __future__ import annotations

import shlex
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass

from dlkit.catalog import Catalog
from dlkit.components import SourceSpec
from dlkit.config import Resolved
from dlkit.present.table import markdown_table
from dlkit.runs.checkpoints import Checkpoint
from dlkit.runs.run_record import RunRecord
from dlkit.use.export.verdicts import Proof


@dataclass(frozen=True)
class Card:
    """What a card is made of."""

    run: str
    record: RunRecord
    resolved: Resolved
    checkpoint: Checkpoint
    usage: Sequence[str]
    """The section on how it is used, lines of Markdown."""
    proof: Proof
    licences: Sequence[str] = ()

    def text(self) -> str:
        return "\n".join(self._lines()) + "\n"

    def _lines(self) -> Iterator[str]:
        specs = self.resolved.specs
        task, data, model = self.resolved.task, specs["dataset"], specs["model"]
        yield from (f"# {self.record.get('name') or self.run}: {task.name}, {model.name}", "")
        yield from (f"{task.title}: {task.summary}. Model {model.name}: {model.summary}.", "")
        yield from ("## Use", "", *self.usage, "")
        yield from ("## Data", "", f"{data.name}: {data.summary}.", "")
        yield from (*(f"- {licence}" for licence in self.licences), "") if self.licences else ()
        yield from ("## Metrics", "", self._measured(), "")
        yield from ("## Proof", "", self.proof.markdown() or "Not asked for.", "")
        yield from ("## Training", "", *self._training(), "")
        yield from ("## Limits", "", *self._limits())

    def _measured(self) -> str:
        metrics: Mapping[str, float] = self.checkpoint.manifest.metrics
        where = "best" if self.checkpoint.manifest.best else "not the best"
        head = f"Of the checkpoint of step {self.checkpoint.step} ({where}), as the run recorded them.\n\n"
        return head + markdown_table(("metric (split/name)", "value"), sorted(metrics.items()))

    def _training(self) -> Iterator[str]:
        command = self.record.get("command") or ()
        if command:
            yield from ("```", shlex.join(["dlkit", *command]), "```", "")
        versions = self.record.get("versions", {})
        told = {
            "seed": self.resolved.engine.seed,
            "device": self.record.get("device", ""),
            "precision": self.record.get("precision", ""),
            "threads": self.record.get("threads", ""),
            "data (SHA-256)": self.record.get("fingerprint", ""),
            "weights (SHA-256)": self.checkpoint.sha256,
            "commit": self.record.get("git", ""),
            **versions,
        }
        yield markdown_table(("environment", ""), [(name, str(value)) for name, value in told.items() if value != ""])

    def _limits(self) -> Iterator[str]:
        data = self.resolved.specs["dataset"].name
        yield f"- It has learnt from {data} alone: of what is unlike that, nothing is known."
        yield "- The figures above are of the split named in front of each; of one that is not named, nothing is said."
        yield "- Inputs are brought to the training data's form (size, colours, scales); what that loses is never seen."


def licences(catalog: Catalog, resolved: Resolved) -> list[str]:
    """Of the sources of a run's data set, a line each."""
    named = getattr(resolved.specs["dataset"], "sources", ())
    found: list[SourceSpec] = [spec for spec in catalog.specs("source") if spec.name in named]
    return [
        f"{spec.name}: {spec.licence or 'licence not declared'}{f' ({spec.homepage})' if spec.homepage else ''}"
        for spec in found
    ]
