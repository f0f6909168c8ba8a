"""Maps of what layers make, and components beside PCA's."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path
from typing import Any, cast

import numpy as np
import pytest
import torch
from hypothesis import given
from hypothesis import strategies as st
from torch import Tensor, nn

from dlkit.catalog import Catalog
from dlkit.cli.main import main
from dlkit.data.context import make_context
from dlkit.data.splits import TensorSplit
from dlkit.errors import UsageError
from dlkit.runs.folder import RunFolder
from dlkit.samples import Curve, Images, Scatter, Table, checked
from dlkit.use.load import Loaded, Question, asked_otherwise, load_predictor, validation_split
from dlkit_insight.components import Components
from dlkit_insight.plane import pca, purity, t_sne
from dlkit_insight.representation_options import ComponentsConfig

CATALOG = Catalog.load_everything()
SHORT = ["--steps", "20", "--device", "cpu", "--engine.eval-every", "end", "--engine.sample-every", "never",
         "--engine.threads", "1", "--quiet"]  # fmt: skip
RUNS = {
    "classification": ["--model", "cnn", "--model.channels", "4,8"],
    "autoencoder": ["--model", "linear", "--model.code", "6"],
    "embeddings": ["--model.size", "8", "--dataset.vocabulary", "80", "--dataset.evaluated", "64"],
}
ORDER = np.random.default_rng(0)


@pytest.fixture(scope="module")
def trained(tmp_path_factory: pytest.TempPathFactory) -> Callable[[str], Loaded]:
    workspace = tmp_path_factory.mktemp("workspace")
    made: dict[str, Loaded] = {}

    def get(task: str) -> Loaded:
        if task not in made:
            assert main(["train", task, *RUNS[task], *SHORT, "--name", task, "--workspace", str(workspace)]) == 0
            folders = [RunFolder(path) for path in (workspace / "runs").iterdir()]
            (run,) = (folder for folder in folders if folder.read()["name"] == task)
            made[task] = load_predictor(CATALOG, run)
        return made[task]

    return get


def asked(loaded: Loaded, inference: str, **options: Any) -> Any:
    return asked_otherwise(CATALOG, loaded, Question(inference, options)).predictor


def examples(loaded: Loaded, folder: Path) -> Any:
    return validation_split(CATALOG, loaded, make_context(CATALOG, folder, offline=True))


def drawn(loaded: Loaded, folder: Path, **options: Any) -> Scatter:
    made = checked(asked(loaded, "map", **options).samples(8, ORDER, examples(loaded, folder)), "map")
    (scatter,) = (sample for sample in made if isinstance(sample, Scatter))
    return scatter


def test_points_have_the_names_of_their_classes(trained: Callable[[str], Loaded], tmp_path: Path) -> None:
    loaded = trained("classification")
    scatter = drawn(loaded, tmp_path, points=60)
    assert len(scatter.x) == len(scatter.labels) == 60
    assert set(scatter.labels) <= set(map(str, range(10)))
    split = examples(loaded, tmp_path)
    places = torch.linspace(0, len(split) - 1, 60).round().long()
    assert [int(label) for label in scatter.labels] == split.take(places)["label"].tolist()
    assert "reads" in scatter.title, "what the head sees, not the logits"
    layer = next(name for name, module in loaded.predictor.model.named_modules() if isinstance(module, nn.Conv2d))
    assert layer in drawn(loaded, tmp_path, layer=layer, points=20).title
    with pytest.raises(Exception, match="no layer 'nowhere'"):
        drawn(loaded, tmp_path, layer="nowhere")


def test_an_autoencoders_points_are_its_codes(trained: Callable[[str], Loaded], tmp_path: Path) -> None:
    loaded = trained("autoencoder")
    scatter = drawn(loaded, tmp_path, points=40)
    split = examples(loaded, tmp_path)
    codes = loaded.predictor.forward(split.take(torch.linspace(0, len(split) - 1, 40).round().long())["image"])["code"]
    expected, _ = pca(codes.numpy())
    assert np.stack([scatter.x, scatter.y], 1) == pytest.approx(expected, abs=1e-4)
    assert len(drawn(loaded, tmp_path, points=40, method="t-sne").x) == 40


def test_words_are_points_by_name(trained: Callable[[str], Loaded], tmp_path: Path) -> None:
    loaded = trained("embeddings")
    info: Any = loaded.predictor.info
    scatter = drawn(loaded, tmp_path, points=30)
    assert list(scatter.labels) == [word for word in info.words if not word.startswith("<")][:30]
    predictor = asked(loaded, "map")
    words = list(scatter.labels[:5])
    answers = predictor.predict(predictor.read(words))
    assert [answer["word"] for answer in answers] == words
    assert checked(predictor.show(words, answers), "map")
    with pytest.raises(Exception, match="no vector for 'zzzz'"):
        predictor.read(["zzzz"])


def test_components_say_what_a_model_spans(trained: Callable[[str], Loaded], tmp_path: Path) -> None:
    loaded = trained("autoencoder")
    made = checked(asked(loaded, "components").samples(8, ORDER, examples(loaded, tmp_path)), "components")
    pictures, curve, table = made
    assert isinstance(pictures, Images) and isinstance(curve, Curve) and isinstance(table, Table)
    assert pictures.images.shape == (12, 28, 28, 3), "six of each"
    assert "training" in str(table.rows[1][0])
    lost, trained_on, least = (float(cast(float, row[1])) for row in table.rows[:3])
    assert lost > least > 0 and trained_on > least, "nobody loses less on these images than their own components"
    with pytest.raises(UsageError, match="no inference 'components' for task 'classification'"):
        asked(trained("classification"), "components")


class Projection(nn.Module):
    """The best linear autoencoder of some images, its code turned at random."""

    def __init__(self, images: Tensor, code: int) -> None:
        super().__init__()
        flat = images.flatten(1)
        self.mean = nn.Parameter(flat.mean(0))
        rows = torch.linalg.svd(flat - flat.mean(0), full_matrices=False).Vh[:code]
        mix = torch.randn(code, code)
        self.encode, self.decode = nn.Parameter(mix @ rows), nn.Parameter(rows.T @ torch.linalg.inv(mix))

    def forward(self, image: Tensor) -> dict[str, Tensor]:
        code = (image.flatten(1) - self.mean) @ self.encode.T
        return {"image": (code @ self.decode.T + self.mean).view_as(image), "code": code}


def test_the_optimum_has_the_components_whatever_its_weights_are() -> None:
    torch.manual_seed(0)
    images = (torch.randn(80, 6) * 2.0 ** -torch.arange(6) @ torch.randn(6, 25)).view(80, 1, 5, 5)
    split = TensorSplit({"image": images})
    components = Components(Projection(images, 3), cast(Any, None), ComponentsConfig(images=80, shown=3))
    pictures, _, table = components.samples(1, ORDER, split)
    assert list(cast(Images, pictures).captions[3:]) == ["1.00"] * 3
    above, below = np.split(cast(Images, pictures).images.astype(int), 2)
    assert np.abs(above - below).max() <= 2
    (lost, least, _) = (float(cast(float, row[1])) for row in cast(Table, table).rows)
    assert lost == pytest.approx(least, rel=1e-3)


@given(st.integers(3, 30), st.integers(1, 6), st.integers(0, 99))
def test_two_directions_of_largest_variance(count: int, size: int, seed: int) -> None:
    values = np.random.default_rng(seed).normal(size=(count, size)) * np.arange(size, 0, -1)
    flat, shares = pca(values)
    assert flat.shape == (count, 2)
    variances = np.sort(np.linalg.eigvalsh(np.atleast_2d(np.cov(values.T))))[::-1]
    assert shares[0] == pytest.approx(variances[0] / variances.sum(), rel=1e-6)
    assert shares.sum() == pytest.approx(variances[:2].sum() / variances.sum(), rel=1e-6)
    assert pca(values * 2)[0] == pytest.approx(flat * 2), "a sign that is arbitrary stays"
    assert not pca(np.ones((4, 3)))[1].any()


def test_groups_stay_together_and_the_same_every_time() -> None:
    rng = np.random.default_rng(0)
    labels = np.repeat([0, 1, 2], 20)
    values = rng.normal(size=(60, 10)) + 20 * np.eye(10)[labels]
    flat = t_sne(values, 10)
    assert purity(flat, labels) == 1 == purity(values, labels)
    assert (flat == t_sne(values, 10)).all()
    assert purity(rng.normal(size=(60, 2)), labels) < 0.6
