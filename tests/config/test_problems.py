"""What people are told when an option's value is refused."""

from __future__ import annotations

from typing import Any, Literal

import pytest
from pydantic import Field, ValidationError, field_validator

from dlkit.config import Config, problem_of
from dlkit.errors import Problem


class Options(Config):
    """One of each."""

    count: int = Field(3, ge=1, le=10, description="How many")
    share: float = Field(0.5, ge=0, lt=1, description="A share")
    rate: float = Field(0.1, gt=0, allow_inf_nan=False, description="A rate")
    limit: int | None = Field(None, ge=1, description="At most")
    most: float = Field(1.0, le=2, description="Not more")
    kind: Literal["relu", "tanh"] = Field("relu", description="Which")
    side: Literal[3, 5] = Field(3, description="Side")
    quiet: bool = Field(False, description="Or not")
    text: str = Field("", description="Any words")
    every: str = Field("1 epoch", pattern=r"^\d+ epochs?$", description="'N epochs'")
    widths: list[int] = Field([1], min_length=1, description="Some")
    pair: tuple[float, float] = Field((0.9, 0.99), description="Two")
    sizes: list[Literal["s", "m"]] = Field(["s"], max_length=3, description="Sizes")
    either: int | str = Field(1, description="A number or a word")
    even: int = Field(2, description="An even number")

    @field_validator("even")
    @classmethod
    def _is_even(cls, value: int) -> int:
        if value % 2:
            raise ValueError("must be divided by two, which it cannot")
        return value


class Needed(Config):
    size: int = Field(ge=1, description="How large")


def problems(model: type[Config], values: dict[str, Any]) -> list[Problem]:
    with pytest.raises(ValidationError) as caught:
        model.model_validate(values)
    return [problem_of("model", model, found, {"model.count": "flag"}, "model 'x'") for found in caught.value.errors()]


@pytest.mark.parametrize(
    ("name", "value", "text"),
    [
        ("count", 0, "model.count = 0 (from flag): must be a whole number from 1 to 10"),
        ("count", "three", "model.count = 'three' (from flag): must be a whole number from 1 to 10"),
        ("count", 2.5, "model.count = 2.5 (from flag): must be a whole number from 1 to 10"),
        ("share", 1, "model.share = 1: must be a number of at least 0 and below 1"),
        ("rate", float("inf"), "model.rate = inf: must be a number above 0, and finite"),
        ("limit", 0, "model.limit = 0: must be a whole number of at least 1"),
        ("most", 3, "model.most = 3: must be a number of at most 2"),
        ("kind", "gelu", "model.kind = 'gelu': must be one of relu, tanh"),
        ("side", 4, "model.side = 4: must be one of 3, 5"),
        ("quiet", "perhaps", "model.quiet = 'perhaps': must be true or false"),
        ("text", 3, "model.text = 3: must be a text"),
        ("every", "weekly", "model.every = 'weekly': does not fit: 'N epochs'"),
        ("widths", 3, "model.widths = 3: must be a list of 1 or more whole numbers"),
        ("widths", [], "model.widths = []: must be a list of 1 or more whole numbers"),
        ("widths", [1, "x"], "model.widths.1 = 'x': must be a whole number"),
        ("pair", [0.9], "model.pair.1"),
        ("pair", [0.9, "x"], "model.pair.1 = 'x': must be a number"),
        ("sizes", ["s"] * 4, "must be a list of up to 3 values, each one of s, m"),
        ("sizes", ["s", "l"], "model.sizes.1 = 'l': must be one of s, m"),
        ("either", [1], "model.either = [1]: must be a whole number or a text"),
        ("even", 3, "model.even = 3: must be divided by two, which it cannot"),
    ],
)
def test_it_is_said_what_a_value_must_be(name: str, value: Any, text: str) -> None:
    found = problems(Options, {name: value})
    assert {problem.key for problem in found} == {f"model.{name}"}
    assert all(text in problem.text for problem in found)
    assert not any(word in problem.text for problem in found for word in ("Input", "should", "valid "))


def test_a_form_is_told_which_of_a_list() -> None:
    (problem,) = problems(Options, {"widths": [1, 2, "x"]})
    assert problem.reason == "value 3, 'x', must be a whole number"


def test_what_is_missing_is_named_alone() -> None:
    (problem,) = problems(Needed, {})
    assert problem == Problem("model.size", "model.size: is needed: a whole number of at least 1", problem.reason)


def test_what_has_no_words_of_ours_has_pydantics() -> None:
    class Nested(Config):
        values: dict[str, int] = Field({}, description="By name")

    (problem,) = problems(Nested, {"values": 3})
    assert problem.text == "model.values = 3: Input should be a valid dictionary"
