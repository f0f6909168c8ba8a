"""Pictures and answers of models whose weights are known."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import numpy as np
import pytest
import torch

from dlkit.data.context import Context
from dlkit.errors import DataError, UsageError
from dlkit.samples import Curve, Images, Plane, Table
from dlkit_points import models
from dlkit_points.colours import CLASSES
from dlkit_points.datasets import files, shapes
from dlkit_points.explorer import Explorer
from dlkit_points.info import PointsInfo
from dlkit_points.options import (
    BlobsConfig,
    CirclesConfig,
    ExplorerConfig,
    FilesConfig,
    GateConfig,
    LinearConfig,
    MlpConfig,
)


def explorer(model: torch.nn.Module, data: Any, **options: Any) -> Explorer:
    return Explorer(model, PointsInfo(**data.info), ExplorerConfig(**options))


def lined(build: Any, a: float, b: float, c: float, data: Any) -> torch.nn.Module:
    """A model of one unit whose sum is a·x + b·y + c."""
    net = build(LinearConfig(), PointsInfo(**data.info))
    with torch.no_grad():
        net.layers[0].weight.copy_(torch.tensor([[a, b]]))
        net.layers[0].bias.fill_(c)
    return net  # type: ignore[no-any-return]


def samples(found: Explorer, data: Any = None) -> dict[str, Any]:
    made = found.samples(24, np.random.default_rng(0), data.val if data else None)
    return {sample.name: sample for sample in made}


def test_regions_lie_where_the_model_draws_the_line(context: Context) -> None:
    data = shapes.and_(GateConfig(), context)
    plane = samples(explorer(lined(models.perceptron, 1, 1, -1.5, data), data))["regions"]
    height, width = plane.image.shape[:2]
    assert (width, height) == (160, 100)
    (left, right), (low, high) = plane.x_range, plane.y_range
    for row, column in np.random.default_rng(0).integers((0, 0), (height, width), size=(50, 2)).tolist():
        x = left + (column + 0.5) / width * (right - left)
        y = high - (row + 0.5) / height * (high - low)
        blue, orange = plane.image[row, column, 2], plane.image[row, column, 0]
        assert (orange > blue) == (x + y > 1.5)
    names = {marks.name for marks in plane.marks}
    assert names == {"false", "true"}


def test_points_on_the_wrong_side_are_crosses(context: Context) -> None:
    data = shapes.and_(GateConfig(), context)
    plane = samples(explorer(lined(models.perceptron, -1, -1, 1.5, data), data), data)["regions"]
    assert {marks.sign for marks in plane.marks} == {"cross"}
    assert plane.title.endswith("0 of 200 training points right")


def test_what_no_line_divides_is_drawn_for_straight_models_alone(context: Context) -> None:
    data = shapes.xor(GateConfig(noise=0), context)
    plane = samples(explorer(lined(models.perceptron, 1, 1, -1.5, data), data))["regions"]
    crossing = [marks for marks in plane.marks if marks.joined]
    ends = {tuple(sorted(zip(marks.x, marks.y, strict=True))) for marks in crossing}
    assert ends == {((0, 0), (1, 1)), ((0, 1), (1, 0))}
    bent = explorer(models.mlp(MlpConfig(), PointsInfo(**data.info)), data)
    assert not any(marks.joined for marks in samples(bent)["regions"].marks)


def test_a_verdict_says_what_is_proved(context: Context) -> None:
    xor, gate = shapes.xor(GateConfig(noise=0), context), shapes.and_(GateConfig(), context)
    (said,) = explorer(lined(models.perceptron, 1, 1, -1.5, xor), xor).verdict()
    assert said.startswith("no line divides these points: already these cannot be divided: (0, 0) false")
    assert said.endswith("The best line has 75.0% of the training points right. This one has 25.0%.")
    assert explorer(lined(models.logistic, 3, 4, -5.5, gate), gate).verdict() == [
        "a line divides these points: 0.6·x + 0.8·y − 1.1 = 0"
    ]
    (said,) = explorer(lined(models.logistic, 1, 1, -5, gate), gate).verdict()
    assert (
        said == "a line divides these points, but not yet as this model has it: 75.0% of the training points are right"
    )
    (said,) = explorer(models.mlp(MlpConfig(), PointsInfo(**xor.info)), xor).verdict()
    assert said.startswith("no line divides these points; this model, whose borders bend, has ")
    blobs = shapes.blobs(BlobsConfig(classes=4, noise=2), context)
    (said,) = explorer(models.softmax(LinearConfig(), PointsInfo(**blobs.info)), blobs).verdict()
    assert said.startswith("no straight lines divide these points: already these cannot be divided: (")


def test_units_are_maps_of_what_each_makes_of_every_place(context: Context) -> None:
    data = shapes.circles(CirclesConfig(), context)
    net = models.mlp(MlpConfig(hidden=[3, 2]), PointsInfo(**data.info))
    units = samples(explorer(net, data))["units"]
    assert isinstance(units, Images) and units.images.shape == (5, 25, 40, 3)
    assert [caption.split()[0] for caption in units.captions] == ["1.1", "1.2", "1.3", "2.1", "2.2"]
    few = samples(explorer(net, data, units=4))["units"]
    assert len(few.images) == 4 and "4 of 5 hidden units" in few.title
    assert "units" not in samples(explorer(net, data, units=0))


def test_the_surface_is_the_error_at_those_weights_and_nothing_has_changed(context: Context) -> None:
    data = shapes.and_(GateConfig(noise=0), context)
    net = lined(models.perceptron, 1, 1, -1.5, data)
    net.train()(torch.zeros(1, 2))
    with torch.no_grad():
        net.layers[0].weight.copy_(torch.tensor([[2.0, 1.0]]))  # type: ignore[index,union-attr]
    before = {name: value.clone() for name, value in net.state_dict().items()}
    plane = samples(explorer(net, data))["surface"]
    assert all(
        torch.equal(
            value,
            before[name],
        )
        for name, value in net.state_dict().items()
        if name != "trace.way"
    )
    way = next(marks for marks in plane.marks if marks.joined)
    assert (way.x, way.y) == ([1, 2], [1, 1])
    assert plane.x_label == "layers.0.weight[0,0]"
    # The share of wrong corners, with the bias at −1.5: dark where AND is right, brighter terraces elsewhere.
    shades = np.unique(plane.image.reshape(-1, 3), axis=0)
    assert 2 <= len(shades) <= 5


def test_weights_are_chosen_by_name_and_wrong_names_are_told(context: Context) -> None:
    data = shapes.and_(GateConfig(), context)
    net = models.mlp(MlpConfig(hidden=[3]), PointsInfo(**data.info))
    chosen = samples(explorer(net, data, weights=["layers.1.bias[1]", "layers.1.weight[1,2]"]))["surface"]
    assert (chosen.x_label, chosen.y_label) == ("layers.1.bias[1]", "layers.1.weight[1,2]")
    for wrong, said in (
        ("layers.1.wieght[0,0]", r"there is no weight 'layers.1.wieght\[0,0\]'; did you mean 'layers.1.weight\[1,2\]'"),
        ("layers.1.weight[2,0]", r"'layers.1.weight\[2,0\]' is outside layers.1.weight, whose last one is \[1,2\]"),
        ("layers.1.weight[0]", "is outside"),
    ):
        with pytest.raises(UsageError, match=said):
            samples(explorer(net, data, weights=[wrong, "layers.1.bias[1]"]))
    divided = {"weights": ["layers.1.weight[1", "2]", "layers.1.bias[1]"]}  # as a command line's commas leave it
    assert ExplorerConfig.model_validate(divided).weights == ["layers.1.weight[1,2]", "layers.1.bias[1]"]
    with pytest.raises(ValueError, match="two different weights"):
        ExplorerConfig(weights=["layers.1.bias[1]"])


def test_descent_s_own_directions_hold_a_straight_way_whole(context: Context) -> None:
    data = shapes.and_(GateConfig(), context)
    net = lined(models.logistic, 0, 0, 0, data)
    for step in range(5):
        net.train()(torch.zeros(1, 2))
        with torch.no_grad():
            net.layers[0].weight.fill_(step + 1.0)  # type: ignore[index,union-attr]
    plane = samples(explorer(net, data, surface="descent"))["surface"]
    assert "100% of descent" in plane.title
    way = next(marks for marks in plane.marks if marks.joined)
    assert max(way.x) - min(way.x) == pytest.approx(5 * 2**0.5, rel=1e-4)
    assert way.y == pytest.approx([0] * 6, abs=1e-4)


def test_step_and_sigmoid_meet_at_the_line(context: Context) -> None:
    data = shapes.or_(GateConfig(), context)
    curve = samples(explorer(lined(models.logistic, 6, 8, -3, data), data))["step"]
    assert isinstance(curve, Curve) and "grows by 10 a unit" in curve.title
    x, step, sigmoid = np.array(curve.x), np.array(curve.lines["step"]), np.array(curve.lines["sigmoid"])
    assert ((x > 0) == (step == 1)).all()
    np.testing.assert_allclose(sigmoid, 1 / (1 + np.exp(-10 * x)), atol=1e-6)
    assert "step" not in samples(explorer(models.softmax(LinearConfig(), PointsInfo(**data.info)), data))  # still at 0


def test_answers_are_classes_with_their_shares(context: Context) -> None:
    data = shapes.and_(GateConfig(), context)
    found = explorer(lined(models.logistic, 2, 2, -3, data), data)
    (low, high) = found.predict(found.read(["0,0", "1;1"]))
    assert low["class"] == "false" and high["class"] == "true"
    assert high["share"] == pytest.approx(1 / (1 + np.exp(-1)), abs=1e-5)
    assert set(high["shares"]) == {"false", "true"}
    (by_name,) = found.predict([{"x": 1, "y": 1}])
    assert by_name == high
    plane, table = found.show([(0, 0), (1, 1)], [low, high])
    assert isinstance(plane, Plane) and plane.marks[0].name == "asked" and plane.marks[0].x == [0, 1]
    assert isinstance(table, Table) and [row[2] for row in table.rows] == ["false", "true"]
    words = found.example(data.val, np.random.default_rng(0), Path())
    assert len(found.predict(found.read(words))) == 4


@pytest.mark.parametrize(
    ("word", "said"),
    [
        ("1", "'1' is not a point: x,y are two numbers"),
        ("a,b", "'a,b' is not a point: give two numbers"),
        ("nan,1", "'nan,1': a point's numbers are finite"),
        ("gone.csv", "gone.csv"),
    ],
)
def test_what_is_no_point_is_told(word: str, said: str, context: Context) -> None:
    data = shapes.and_(GateConfig(), context)
    with pytest.raises(DataError, match=said):
        explorer(lined(models.logistic, 2, 2, -3, data), data).read([word])


def test_points_of_a_file_are_asked_in_their_own_units(tmp_path: Path, context: Context) -> None:
    rows = "".join(f"{1000 + i},{i % 7 / 100},{'far' if i >= 20 else 'near'}\n" for i in range(40))
    path = tmp_path / "points.csv"
    path.write_text(f"length,width,kind\n{rows}")
    data = files.build(FilesConfig(path=str(path)), context)
    found = explorer(lined(models.logistic, -5, 0, 0, data), data)
    answers = [answer["class"] for answer in found.predict(found.read([str(path)]))]
    assert answers[:15] == ["near"] * 15 and answers[-15:] == ["far"] * 15
    assert found.verdict()[0].startswith("a line divides these points")
    plane = samples(found)["regions"]
    assert plane.x_range[0] < 1005 < 1034 < plane.x_range[1]
    assert plane.marks[0].colour in CLASSES
