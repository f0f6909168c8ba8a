"""The headless command line: one module a command, results on stdout, talk on stderr."""

from __future__ import annotations


def module_of(command: str) -> str:
    """Where a command is: ``check-plugin`` is ``dlkit.cli.check_plugin``."""
    return f"{__name__}.{command.replace('-', '_')}"
