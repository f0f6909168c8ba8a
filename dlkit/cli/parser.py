"""The parser of the commands: its errors are UsageErrors, and it knows the options that many commands have."""

from __future__ import annotations

import argparse
import os
from typing import Any, NoReturn

from dlkit.errors import UsageError
from dlkit.present.output import print_result


class Parser(argparse.ArgumentParser):
    """argparse whose errors are UsageErrors: one line, exit code 2, no usage block before it."""

    def __init__(self, command: str, description: str, **options: Any) -> None:
        options.setdefault("allow_abbrev", False)
        options.setdefault("formatter_class", _formatter)
        super().__init__(prog=f"dlkit {command}", description=description, **options)

    def error(self, message: str) -> NoReturn:
        raise UsageError(f"{message}\n  {self.format_usage().strip()}")

    def print_help(self, file: object = None) -> None:
        print_result(self.format_help(), end="")

    def with_workspace(self) -> Parser:
        self.add_argument("--workspace", metavar="DIR", help="default: $DLKIT_WORKSPACE, else ./workspace")
        return self

    def with_json(self) -> Parser:
        self.add_argument("--json", action="store_true", help="one JSON document on stdout")
        return self


def _formatter(prog: str) -> argparse.HelpFormatter:
    """argparse's own, given the width: asking the terminal for it imports shutil, 3 ms in every command."""
    try:
        columns = os.get_terminal_size().columns
    except OSError:
        columns = 100
    return argparse.HelpFormatter(prog, width=max(60, min(columns, 120)) - 2)
