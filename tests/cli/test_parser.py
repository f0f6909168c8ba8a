"""The order of words on a command line is nobody's business."""

from __future__ import annotations

from itertools import permutations

import pytest

from dlkit.cli.parser import Parser
from dlkit.errors import UsageError


def parser() -> Parser:
    made = Parser("ask", "Ask.")
    made.add_argument("run")
    made.add_argument("inputs", metavar="INPUT", nargs="*")
    made.add_argument("-o", "--output")
    made.add_argument("--after", action="append", default=[])
    return made.with_json()


def test_options_may_stand_anywhere() -> None:
    groups = (["RUN"], ["a.png", "-1.5"], ["--json"], ["-o", "out"], ["--after=x"])
    for order in permutations(groups):
        if order.index(["RUN"]) > order.index(["a.png", "-1.5"]):
            continue
        found = parser().parse_args([word for group in order for word in group])
        assert (found.run, found.inputs) == ("RUN", ["a.png", "-1.5"]), order
        assert (found.json, found.output, found.after) == (True, "out", ["x"]), order


def test_what_begins_with_a_dash_goes_after_two() -> None:
    found = parser().parse_args(["RUN", "--json", "--", "-Bonjour", "--json"])
    assert (found.run, found.inputs, found.json) == ("RUN", ["-Bonjour", "--json"], True)
    assert parser().parse_args(["--json", "--", "RUN", "-"]).inputs == ["-"]
    with pytest.raises(UsageError, match=r"-Bonjour: .*INPUT that begins with a dash goes after --"):
        parser().parse_args(["RUN", "--json", "-Bonjour"])


@pytest.mark.parametrize(
    ("words", "said"),
    [
        (["RUN", "--jsn"], "unrecognized arguments: --jsn: did you mean '--json'"),
        (["RUN", "a", "--output"], "--output: expected one argument"),
        (["--json"], "required: run"),
        ([], "required: run"),
    ],
)
def test_what_is_wrong_is_said(words: list[str], said: str) -> None:
    with pytest.raises(UsageError, match=said):
        parser().parse_args(words)
