"""Images become code files and come back; samples show what each kind of model is for."""

from __future__ import annotations

import json
import shutil
from collections.abc import Callable
from pathlib import Path
from typing import Any

import numpy as np
import pytest
import torch
from PIL import Image
from torch import Tensor, nn

import dlkit
from dlkit.catalog import Catalog
from dlkit.cli.main import main
from dlkit.data.images import fitted
from dlkit.data.splits import TensorSplit
from dlkit.errors import DataError, UsageError
from dlkit.samples import Images, Table
from dlkit_autoencoder import convolutional, models, variational
from dlkit_autoencoder.compressor import Compressor
from dlkit_autoencoder.gallery import stacked
from dlkit_autoencoder.info import AutoencoderInfo
from dlkit_autoencoder.options import CompressorConfig, DenoisingConfig, LinearConfig, VariationalConfig
from dlkit_autoencoder.storage import scaled

SHAPE = (3, 16, 16)
SMALL: dict[str, Any] = {"code": 5, "width": 8, "stem": 4, "hidden": 16, "blocks": 0}


@pytest.fixture(scope="module")
def run(tmp_path_factory: pytest.TempPathFactory) -> dlkit.Run:
    """A linear model of a folder of coloured stripes, which 16 numbers nearly hold; the folder is gone."""
    root = tmp_path_factory.mktemp("autoencoder")
    (root / "images").mkdir()
    for i in range(40):
        stripes(i).save(root / "images" / f"{i}.png")
    trained = dlkit.train(
        "autoencoder",
        dataset={"name": "files", "path": str(root / "images"), "size": 16, "flip": False},
        model={"name": "linear", "code": 16},
        trainer={"lr": 0.02},
        engine={"threads": 1, "sample_every": "end", "eval_every": "end"},
        epochs=60,
        batch_size=16,
        device="cpu",
        workspace=root / "workspace",
    )
    shutil.rmtree(root / "images")
    return trained


@pytest.fixture
def ask(run: dlkit.Run, capsys: pytest.CaptureFixture[str], tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Any:
    """``ask("photo.png", "--json")``: ``dlkit predict`` in a folder of its own; exit code, results, talk."""
    monkeypatch.chdir(tmp_path)

    def call(*words: str) -> tuple[int, str, str]:
        capsys.readouterr()
        code = main(["predict", str(run.path), *words])
        return code, *capsys.readouterr()

    return call


def stripes(seed: int, width: int = 16, height: int = 16) -> Image.Image:
    colours = np.random.default_rng(seed).integers(0, 256, (2, 3))
    pixels = np.broadcast_to(colours[np.arange(width) * 2 // width], (height, width, 3))
    return Image.fromarray(pixels.astype(np.uint8))


def test_an_image_to_a_file_and_back(ask: Callable[..., tuple[int, str, str]], tmp_path: Path) -> None:
    stripes(99).save("photo.png")
    before = Path("photo.png").read_bytes()
    code, out, err = ask("photo.png", "-o", ".", "--json")
    assert code == 0 and "wrote photo-2.png" in err and Path("photo.png").read_bytes() == before
    (answer,) = json.loads(out)["predictions"]
    assert answer["picture"] == "photo-2.png" and answer["code"] == "photo-2.code" and answer["psnr"] > 25
    size = Path("photo-2.code").stat().st_size
    assert (answer["code_bytes"], answer["file_bytes"], answer["raw_bytes"], answer["ratio"]) == (16, size, 768, 48)
    assert len(answer["numbers"]) == 16 and answer["brought_to"] == ""
    restored = np.asarray(Image.open("photo-2.png"))
    error = np.square((restored - np.asarray(stripes(99), float)) / 255).mean()
    assert -10 * np.log10(error) == pytest.approx(answer["psnr"], abs=0.1)
    Path("photo.png").unlink()
    written = Path("photo-2.code").read_bytes()
    code, out, _ = ask("photo-2.code", "-o", "back", "--json")
    (again,) = json.loads(out)["predictions"]
    assert code == 0 and "code" not in again and again["psnr"] is None and again["numbers"] == answer["numbers"]
    assert np.array_equal(np.asarray(Image.open(again["picture"])), restored)
    assert Path("photo-2.code").read_bytes() == written
    code, out, _ = ask("photo-2.code", "photo-2.png")
    assert code == 0 and "48.0x" in out and "code bytes" in out and " dB" in out
    assert sorted(path.name for path in Path("predictions").iterdir()) == [
        "photo-2-2.code",
        "photo-2-2.png",
        "photo-2.png",
    ]


@pytest.mark.parametrize(("width", "height"), [(64, 64), (40, 20), (9, 12)])
def test_another_size_is_brought_to_the_models_and_that_is_said(
    ask: Callable[..., tuple[int, str, str]], width: int, height: int
) -> None:
    stripes(7, width, height).save("photo.png")
    code, out, _ = ask("photo.png", "--json")
    (answer,) = json.loads(out)["predictions"]
    side = min(width, height)
    assert code == 0 and answer["brought_to"] == ("16x16" if width == height else "16x16, its middle")
    assert (answer["width"], answer["height"]) == (width, height)
    with Image.open(answer["picture"]) as picture:
        assert picture.size == (side, side)
    shutil.copy(answer["code"], "other.code")
    code, out, _ = ask("other.code", "--json")
    with Image.open(json.loads(out)["predictions"][0]["picture"]) as picture:
        assert picture.size == (side, side)


def test_sixteen_bits_and_negatives(ask: Callable[..., tuple[int, str, str]], run: dlkit.Run) -> None:
    stripes(3).save("photo.png")
    Image.fromarray(255 - np.asarray(stripes(3))).save("negative.png")
    found = {}
    for name, words in (("8", []), ("16", ["--inference.bits", "16"]), ("negative", ["--inference.invert", "true"])):
        file = "negative.png" if name == "negative" else "photo.png"
        code, out, _ = ask(file, "--json", "-o", name, *words)
        assert code == 0
        (found[name],) = json.loads(out)["predictions"]
    assert (found["8"]["code_bytes"], found["16"]["code_bytes"]) == (16, 32)
    assert found["8"]["psnr"] == pytest.approx(found["16"]["psnr"], abs=0.3)
    assert found["negative"]["numbers"] == found["8"]["numbers"]
    code, out, _ = ask("negative/negative.code", "--json", "-o", "back")  # a file of a negative says so itself
    negative, positive = np.asarray(Image.open("back/negative.png")), np.asarray(Image.open("8/photo.png"))
    assert code == 0 and np.array_equal(negative, 255 - positive)


def test_what_cannot_be_restored_is_named(ask: Callable[..., tuple[int, str, str]], run: dlkit.Run) -> None:
    stripes(3).save("photo.png")
    assert ask("photo.png", "-o", "out")[0] == 0
    content = Path("out/photo.code").read_bytes()
    own = content.partition(b'"model":"')[2][:16]
    Path("other.code").write_bytes(content.replace(own, b"0123456789abcdef"))
    Path("cut.code").write_bytes(content[:-3])
    Path("foreign.code").write_bytes(b"PK\x03\x04 something else")
    Path("text.png").write_text("text")
    for file, match in (
        ("other.code", "made with other weights"),
        ("cut.code", "not a readable code file"),
        ("foreign.code", "not a readable code file"),
        ("absent.code", "no such file"),
        ("text.png", "not a readable image"),
    ):
        code, out, err = ask(file)
        assert code == DataError.exit_code and file in err and match in err and not out


def test_every_form_of_one_image_has_one_answer(run: dlkit.Run, tmp_path: Path) -> None:
    stripes(5, 30, 20).save(tmp_path / "i.png")
    pixels = np.asarray(Image.open(tmp_path / "i.png"))
    predictor = run.predictor()
    forms = [tmp_path / "i.png", str(tmp_path / "i.png"), Image.fromarray(pixels), pixels, pixels.tolist()]
    answers = predictor.predict(forms)
    assert len({json.dumps(answer["numbers"]) for answer in answers}) == 1
    assert ["file" in answer for answer in answers] == [True, True, False, False, False]
    assert predictor.predict([]) == []
    images, table = predictor.show(forms, answers)
    assert isinstance(images, Images) and len(images.images) == 10 and images.columns == 5
    assert isinstance(table, Table) and len(table.rows) == 5
    expected = np.moveaxis(fitted(Image.fromarray(pixels), 16, 16, "crop"), 0, -1)
    assert np.array_equal(images.images[0], expected)


def split(count: int = 60) -> TensorSplit:
    made = torch.Generator().manual_seed(0)
    image = (torch.rand(count, *SHAPE, generator=made) * 255).to(torch.uint8)
    image[7] = torch.arange(16).remainder(2).mul(255).to(torch.uint8)  # stripes that no smooth network restores
    return TensorSplit({"image": image}, transform=scaled(3))


def compressor(model: nn.Module) -> Compressor:
    return Compressor(model, AutoencoderInfo(shape=SHAPE), CompressorConfig())


def test_samples_show_typical_ones_and_the_worst() -> None:
    torch.manual_seed(0)
    asked = compressor(models.linear(LinearConfig(code=5), AutoencoderInfo(shape=SHAPE)))
    typical, worst = asked.samples(24, np.random.default_rng(1), split())
    assert isinstance(typical, Images) and isinstance(worst, Images)
    assert (typical.name, worst.name) == ("typical", "worst")
    assert typical.images.shape == worst.images.shape == (16, 16, 16, 3) and typical.columns == 8
    losses = [float(caption.removesuffix(" dB")) for caption in worst.captions[8:]]
    assert losses == sorted(losses) and list(worst.captions[:8]) == ["original"] * 8
    stored = split().columns["image"]
    assert isinstance(stored, Tensor)
    assert np.array_equal(worst.images[0], np.moveaxis(stored[7].numpy(), 0, -1))
    again = asked.samples(24, np.random.default_rng(1), split())
    assert np.array_equal(again[0].images, typical.images)  # type: ignore[attr-defined]
    assert asked.samples(24, np.random.default_rng(1), None) == []
    few, _ = asked.samples(1, np.random.default_rng(1), split(2 + 8))
    assert isinstance(few, Images) and len(few.images) == 2


def test_a_denoising_model_shows_three_rows() -> None:
    torch.manual_seed(0)
    asked = compressor(convolutional.denoising(DenoisingConfig(**SMALL), AutoencoderInfo(shape=SHAPE)))
    typical, worst = asked.samples(16, np.random.default_rng(1), split())
    for sample in (typical, worst):
        assert isinstance(sample, Images) and len(sample.images) == 24
        assert sample.title.startswith("Noisy above restored above clean")
        assert list(sample.captions[16:]) == ["clean"] * 8
        assert all(6 < float(caption.removesuffix(" dB")) < 11 for caption in sample.captions[:8])  # σ 0.4: 8 dB


def test_a_model_with_a_prior_draws_and_walks() -> None:
    torch.manual_seed(0)
    model = variational.build(VariationalConfig(**SMALL), AutoencoderInfo(shape=SHAPE))
    asked = compressor(model)
    names = [sample.name for sample in asked.samples(16, np.random.default_rng(1), split())]
    assert names == ["typical", "worst", "random", "walk"]
    random, walk = asked.samples(16, np.random.default_rng(1), split())[2:]
    assert isinstance(random, Images) and random.images.shape == (16, 16, 16, 3)
    assert isinstance(walk, Images) and walk.images.shape == (32, 16, 16, 3)
    index = np.random.default_rng(1)
    index.standard_normal((16, model.prior), np.float32)
    chosen = torch.from_numpy(index.permutation(60))[:2]
    with torch.no_grad():
        ends = model.eval()(split().take(chosen)["image"])["image"]
    assert np.array_equal(walk.images[[0, 7]], scaled(3).pixels(ends))
    alone = asked.samples(16, np.random.default_rng(1), None)
    assert [sample.name for sample in alone] == ["random", "walk"]
    assert np.array_equal(alone[0].images, random.images)  # type: ignore[attr-defined]
    single = asked.samples(1, np.random.default_rng(1), None)
    assert len(single[0].images) == 1 and len(single[1].images) == 8  # type: ignore[attr-defined]


def test_any_network_of_that_form_trains_but_only_one_that_decodes_restores() -> None:
    class Mean(nn.Module):
        def __init__(self) -> None:
            super().__init__()
            self.scale = nn.Parameter(torch.ones(1))

        def forward(self, image: Tensor) -> dict[str, Tensor]:
            mean = image.mean((2, 3), keepdim=True) * self.scale
            return {"image": mean.expand_as(image), "code": mean.flatten(1)}

    asked = compressor(Mean())
    assert len(asked.samples(4, np.random.default_rng(0), split())) == 2
    with pytest.raises(UsageError, match=r"has no decode\(code\)"):
        asked.predict([np.zeros((16, 16, 3), np.uint8)])


def test_rows_are_filled_up() -> None:
    pixels = np.arange(11, dtype=np.uint8)[:, None, None].repeat(4, 1).repeat(4, 2)
    captions = [str(i) for i in range(11)]
    grid = stacked("name", "title", [(pixels, captions), (pixels + 100, captions)])
    assert grid.columns == 8 and len(grid.images) == len(grid.captions) == 32
    assert grid.images[:, 0, 0].tolist() == [
        *range(8), *range(100, 108), *range(8, 11), *[128] * 5, *range(108, 111), *[128] * 5
    ]  # fmt: skip


@pytest.mark.parametrize("invert", [False, True])
def test_an_example_is_a_validation_image(run: dlkit.Run, invert: bool, tmp_path: Path) -> None:
    from dlkit.use.load import Question, load_predictor

    catalog = Catalog.load_everything()
    asked = load_predictor(catalog, run.folder, question=Question(options={"invert": invert})).predictor
    (word,) = asked.example(split(), np.random.default_rng(1), tmp_path)
    stored = split().columns["image"]
    assert isinstance(stored, Tensor)
    expected = np.moveaxis(stored[int(Path(word).stem.rpartition("-")[2])].numpy(), 0, -1)
    assert np.array_equal(np.asarray(Image.open(word)), 255 - expected if invert else expected)
    assert asked.example(None, np.random.default_rng(1), tmp_path) == []
    assert asked.read([word]) == [Path(word)]


class Kept(nn.Module):
    """Its code is the image."""

    def __init__(self) -> None:
        super().__init__()
        self.weight = nn.Parameter(torch.zeros(1))

    def forward(self, image: Tensor) -> dict[str, Tensor]:
        return {"code": image.flatten(1), "image": image}

    def decode(self, code: Tensor) -> Tensor:
        return code.view(-1, 1, 8, 12)


@pytest.mark.parametrize("invert", [False, True])
def test_what_is_beside_an_image_is_black_in_its_negative_too(invert: bool) -> None:
    """To the model, and in what comes back."""
    info = AutoencoderInfo(shape=(1, 8, 12), fit="letterbox")
    asked = Compressor(Kept(), info, CompressorConfig(bits=16, invert=invert))
    image = np.full((8, 8), 55, np.uint8)
    answers = asked.predict([image])
    code = np.array(answers[0]["numbers"]).reshape(8, 12) * 255
    assert (
        code[:, 2:10] == pytest.approx(200 if invert else 55, abs=1)
        and not code[:, :2].any()
        and not code[:, 10:].any()
    )
    shown = asked.show([image], answers)[0]
    assert isinstance(shown, Images)
    back = np.asarray(shown.images[shown.columns])
    assert back[:, 2:10] == pytest.approx(55, abs=1) and not back[:, :2].any() and not back[:, 10:].any()
