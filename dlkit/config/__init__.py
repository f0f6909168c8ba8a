"""Configuration: options declared once, merged in layers, validated once, and the words for what is wrong.

A plugin's options are a ``Config`` with pydantic's ``Field``s; everything else here is dlkit's own: ``options`` has the
declarations, ``layers`` and ``resolved`` make a run's configuration, ``schema`` and ``problems`` have the words.
"""

from dlkit.config.layers import Layer, Merged, choose_components, merge
from dlkit.config.options import (
    CHANGEABLE,
    CHOICES,
    EXCLUSIVE,
    FITS,
    NAMES_FIT,
    OWN,
    SECTIONS,
    SHORT_FLAGS,
    Bytes,
    Config,
    EngineConfig,
    Fit,
    Gibibytes,
    JobConfig,
    NoOptions,
    at_fork,
    changeable,
    config_class,
)
from dlkit.config.problems import explain, problem_of
from dlkit.config.resolved import Resolved, resolve
from dlkit.config.schema import (
    FieldInfo,
    Property,
    Schema,
    fields_of,
    may_be_unset,
    parse_option,
    parse_text,
    schema_of,
)

__all__ = [
    "CHANGEABLE",
    "CHOICES",
    "EXCLUSIVE",
    "FITS",
    "NAMES_FIT",
    "OWN",
    "SECTIONS",
    "SHORT_FLAGS",
    "Bytes",
    "Config",
    "EngineConfig",
    "FieldInfo",
    "Fit",
    "Gibibytes",
    "JobConfig",
    "Layer",
    "Merged",
    "NoOptions",
    "Property",
    "Resolved",
    "Schema",
    "at_fork",
    "changeable",
    "choose_components",
    "config_class",
    "explain",
    "fields_of",
    "may_be_unset",
    "merge",
    "parse_option",
    "parse_text",
    "problem_of",
    "resolve",
    "schema_of",
]
