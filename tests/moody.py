"""A plugin with one way to query toy models, which does to its process whatever a prompt says. No torch here."""

from __future__ import annotations

import os
from collections.abc import Iterator
from contextlib import contextmanager
from importlib import invalidate_caches
from pathlib import Path

from pydantic import Field

from dlkit import InferenceSpec, hookimpl
from dlkit.config import Config
from dlkit.runs.folder import RunFolder


class MoodyConfig(Config):
    """How it answers."""

    temperature: float = Field(1.0, ge=0, description="Said with every answer")


class ChoosyConfig(Config):
    """What it is told, which has no default."""

    word: str = Field(min_length=1, description="Said with every answer")


@hookimpl
def dlkit_inference() -> list[InferenceSpec]:
    return [
        InferenceSpec(
            name="moody",
            task="toy",
            summary="Does what the prompt says",
            target="moody_parts:Moody",
            config="moody:MoodyConfig",
        ),
        InferenceSpec(
            name="choosy",
            summary="Asks models of any task, if they have what it is told to need",
            target="moody_parts:Choosy",
            config="moody:ChoosyConfig",
        ),
        InferenceSpec(
            name="teller",
            task="toy",
            summary="Answers word by word",
            target="moody_parts:Teller",
            config="moody:MoodyConfig",
        ),
        InferenceSpec(name="lofty", summary="Asks no model that there is", target="moody_parts:Lofty"),
        InferenceSpec(name="broken", task="toy", summary="Cannot be imported", target="moody_parts:Missing"),
        InferenceSpec(name="foreign", task="another", summary="Of another task", target="moody_parts:Choosy"),
    ]


@contextmanager
def moody_run(folder: Path, inference: str = "moody") -> Iterator[RunFolder]:
    """A trained toy run, and the plugins it needs installed for this process and for those it starts."""
    import pytest

    from installed import PLUGINS, TESTS, install_metadata
    from toy import toy_run

    site = folder / "site"
    for name in ("toy", "moody"):
        install_metadata(site, f"dlkit-{name}", name, name)
    with pytest.MonkeyPatch.context() as patch:
        patch.syspath_prepend(str(site))
        patch.setenv("PYTHONPATH", os.pathsep.join([str(site), str(TESTS)]))
        patch.setenv("DLKIT_DISABLE", ",".join(PLUGINS))
        patch.setenv("DLKIT_DEVICES", str(folder / "devices"))
        invalidate_caches()
        yield toy_run(folder / "workspace", layer={"inference": {"name": inference}}, plugins=("moody",))
