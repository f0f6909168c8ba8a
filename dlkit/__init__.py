"""dlkit: a plugin-based task runner for deep learning, at home in the terminal.

A plugin's entry-point module imports from here and from nowhere else::

    from dlkit import ModelSpec, hookimpl

    @hookimpl
    def dlkit_models():
        return [ModelSpec(name="mlp", task="regression", summary="…", target="my_plugin.models:build_mlp")]

Everything is imported on first use, so ``import dlkit`` costs next to nothing.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

__version__ = "0.1.0"
api_version = (1, 0)
"""The plugin interface, major and minor: hooks, specs, and the classes and functions that the documentation names.

The minor number rises with what is added, the major one with what is taken away or means something else: a plugin for
another major version is refused (``dlkit.loading.fitness``).
"""

if TYPE_CHECKING:
    from dlkit import errors
    from dlkit.api import Run, compare, fork, list_runs, load, open_run, submit, train
    from dlkit.components import (
        DatasetSpec,
        InferenceSpec,
        LauncherSpec,
        LayoutFile,
        LossSpec,
        ModelSpec,
        SourceFile,
        SourceSpec,
        Suggest,
        TaskSpec,
        TrainerSpec,
    )
    from dlkit.hookspecs import hookimpl

_HOMES = {
    "hookimpl": "dlkit.hookspecs",
    "Run": "dlkit.api",
    "compare": "dlkit.api",
    "fork": "dlkit.api",
    "list_runs": "dlkit.api",  # not `runs`: that is the package dlkit.runs, once anything has imported it
    "load": "dlkit.api",
    "open_run": "dlkit.api",
    "submit": "dlkit.api",
    "train": "dlkit.api",
}
_COMPONENTS = (
    "DatasetSpec",
    "InferenceSpec",
    "LauncherSpec",
    "LayoutFile",
    "LossSpec",
    "ModelSpec",
    "SourceFile",
    "SourceSpec",
    "Suggest",
    "TaskSpec",
    "TrainerSpec",
)

__all__ = [
    "DatasetSpec",
    "InferenceSpec",
    "LauncherSpec",
    "LayoutFile",
    "LossSpec",
    "ModelSpec",
    "Run",
    "SourceFile",
    "SourceSpec",
    "Suggest",
    "TaskSpec",
    "TrainerSpec",
    "__version__",
    "api_version",
    "compare",
    "errors",
    "fork",
    "hookimpl",
    "list_runs",
    "load",
    "open_run",
    "submit",
    "train",
]


def __getattr__(name: str) -> Any:
    if name == "errors":  # dlkit.errors.UsageError, after "import dlkit" alone
        from importlib import import_module

        return import_module("dlkit.errors")
    home = "dlkit.components" if name in _COMPONENTS else _HOMES.get(name)
    if home is None:
        raise AttributeError(f"module 'dlkit' has no attribute {name!r}")
    from importlib import import_module

    return getattr(import_module(home), name)
