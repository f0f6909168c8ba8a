"""Kernels: what people write, what OpenCV makes of the same image, and one that is found by gradient descent."""

from __future__ import annotations

import time
from pathlib import Path
from typing import Any

import numpy as np
import pytest
import torch
from hypothesis import given
from hypothesis import strategies as st
from PIL import Image

import dlkit
from dlkit.cli.main import main
from dlkit.data.context import Context
from dlkit.errors import DataError, SettingError, UsageError
from dlkit.runs.checkpoints import choose
from dlkit_insight.kernels.data import build, build_files, moments
from dlkit_insight.kernels.info import KernelsInfo
from dlkit_insight.kernels.known import NAMED, parse, written
from dlkit_insight.kernels.metrics import kernel_error
from dlkit_insight.kernels.models import Fixed, Learnt, filtered
from dlkit_insight.kernels.options import FilesConfig, FilteredConfig, FixedConfig, LearntConfig

SOBEL = torch.tensor(NAMED["sobel-x"], dtype=torch.float32)
CONTEXT = Context(Path("unused"), offline=True)


@pytest.fixture(scope="module")
def picture() -> np.ndarray[Any, np.dtype[np.float32]]:
    return np.random.default_rng(0).random((31, 45), np.float32)


# OpenCV's own functions where it has one of that name; its filter2D for any numbers.

OWN = {
    "sobel-x": lambda cv2, image, border: cv2.Sobel(image, -1, 1, 0, ksize=3, borderType=border),
    "sobel-y": lambda cv2, image, border: cv2.Sobel(image, -1, 0, 1, ksize=3, borderType=border),
    "scharr": lambda cv2, image, border: cv2.Scharr(image, -1, 1, 0, borderType=border),
    "scharr-y": lambda cv2, image, border: cv2.Scharr(image, -1, 0, 1, borderType=border),
    "laplacian": lambda cv2, image, border: cv2.Laplacian(image, -1, ksize=1, borderType=border),
    "gaussian": lambda cv2, image, border: cv2.GaussianBlur(image, (5, 5), 0, borderType=border),
    "box": lambda cv2, image, border: cv2.blur(image, (3, 3), borderType=border),
}
BORDERS = {
    "reflect": "BORDER_REFLECT_101",
    "symmetric": "BORDER_REFLECT",
    "replicate": "BORDER_REPLICATE",
    "zero": "BORDER_CONSTANT",
}


@pytest.mark.parametrize("border", BORDERS)
@pytest.mark.parametrize("name", NAMED)
def test_every_named_kernel_is_opencvs(name: str, border: str, picture: Any) -> None:
    cv2 = pytest.importorskip("cv2")
    kernel, mode = np.array(NAMED[name], np.float32), getattr(cv2, BORDERS[border])
    own = filtered(torch.from_numpy(picture)[None, None], torch.from_numpy(kernel), border)[0, 0].numpy()
    expected = OWN.get(name, lambda cv2, image, mode: cv2.filter2D(image, -1, kernel, borderType=mode))
    np.testing.assert_allclose(own, expected(cv2, picture, mode), atol=1e-5)


@pytest.mark.parametrize("size", [(1, 1), (2, 2), (1, 5), (4, 3), (7, 7), (31, 31)])
@pytest.mark.parametrize("border", BORDERS)
def test_any_size_is_opencvs_also_where_the_border_is_wider_than_the_image(size: tuple[int, int], border: str) -> None:
    cv2 = pytest.importorskip("cv2")
    generator = np.random.default_rng(1)
    kernel = generator.normal(size=size).astype(np.float32) / (size[0] * size[1])
    image = generator.random((9, 12), np.float32)
    own = filtered(torch.from_numpy(image)[None, None], torch.from_numpy(kernel), border)[0, 0].numpy()
    expected = cv2.filter2D(image, -1, kernel, borderType=getattr(cv2, BORDERS[border]))
    np.testing.assert_allclose(own, expected, atol=1e-5)


def test_channels_are_filtered_by_themselves_and_a_wrapped_image_has_no_border() -> None:
    image = torch.rand(2, 3, 8, 9)
    found = filtered(image, SOBEL, "wrap")
    assert found[1, 2].allclose(filtered(image[1:, 2:], SOBEL, "wrap")[0, 0])
    assert filtered(image.roll(3, 3), SOBEL, "wrap").allclose(found.roll(3, 3))


# What people write


def test_names_numbers_and_files_are_read_and_written_back(tmp_path: Path) -> None:
    path = tmp_path / "edge.txt"
    path.write_text("1, 0, -1\n2 0 -2\n\n1,0,-1\n")
    text = f"sobel-x, laplacian | 1,0,-1;2,0,-2;1,0,-1 | mean=1/4,1/4;1/4,1/4 | {path}"
    found = parse(text)
    assert list(found) == ["sobel-x", "laplacian", "3×3", "mean", "edge"]
    assert found["edge"] == found["3×3"] == ((1, 0, -1), (2, 0, -2), (1, 0, -1)) and found["mean"] == ((0.25,) * 2,) * 2
    path.unlink()
    assert parse(written(found)) == found
    assert FixedConfig.model_validate({"kernel": written(found)}).kernel == written(found)


NUMBERS = st.floats(-1e6, 1e6, allow_nan=False)


@given(
    st.integers(1, 5).flatmap(
        lambda width: st.lists(st.lists(NUMBERS, min_size=width, max_size=width), min_size=1, max_size=5)
    )
)
def test_any_numbers_come_back_as_they_were(rows: list[list[float]]) -> None:
    kernel = {"k": tuple(map(tuple, rows))}
    assert parse(written(kernel)) == kernel


@pytest.mark.parametrize(
    ("text", "said"),
    [
        ("sobel", r"no kernel 'sobel': did you mean 'sobel-y'\? There are: box, emboss, gaussian"),
        ("1,0;1", r"not a rectangle: row 2 has 1 numbers, row 1 has 2"),
        ("1,x;1,0", r"row 1: 'x' is not a number"),
        ("1,1/0;1,0", r"row 1: '1/0' is not a number"),
        ("1e9,0", r"1e9 is too large"),
        (",".join("1" * 32), r"has 1 × 32 numbers: 31 × 31 at most"),
        ("absent.txt", r"absent\.txt: no such file"),
        ("sobel-x,sobel-x", r"'sobel-x' is there twice"),
        ("", r"no kernel"),
    ],
)
def test_what_cannot_be_read_is_named(text: str, said: str) -> None:
    with pytest.raises(ValueError, match=said):
        parse(text)


def test_a_file_that_is_no_kernel_is_named(tmp_path: Path) -> None:
    (tmp_path / "a.txt").write_text("1 2 3\n4 5\n")
    with pytest.raises(ValueError, match=r"a\.txt is not a rectangle: row 2 has 2 numbers, row 1 has 3"):
        parse(str(tmp_path / "a.txt"))
    (tmp_path / "b.txt").write_bytes(b"\xff\xfe")
    with pytest.raises(ValueError, match=r"b\.txt: not a file of rows of numbers"):
        parse(str(tmp_path / "b.txt"))


# A kernel that is found


def info_of(config: FilteredConfig) -> KernelsInfo:
    return KernelsInfo.model_validate(build(config, CONTEXT).info)


def test_the_sobel_kernel_is_found_within_a_thousandth_in_ten_seconds(tmp_path: Path) -> None:
    began = time.process_time()
    run = dlkit.train("kernels", workspace=tmp_path)
    assert time.process_time() - began < 10
    assert run.metrics["val/kernel_error"] < 1e-3
    kernel = run.predictor().model.kernels()["learnt"]  # type: ignore[operator]
    assert (kernel - SOBEL).abs().max() < 1e-3
    steps, errors = run.history("val/kernel_error")
    assert steps[0] == 0 and errors[0] > 1, "it is not there from the start"


@pytest.mark.parametrize("kernel", ["gaussian", "emboss", "0.5,-0.25;0.125,1"])
def test_any_other_kernel_is_found_too(kernel: str, tmp_path: Path) -> None:
    (rows,) = parse(kernel).values()
    model = {"name": "learnt", "size": [len(rows), len(rows[0])]}
    run = dlkit.train("kernels", dataset={"name": "photographs", "kernel": kernel}, model=model, workspace=tmp_path)
    assert run.metrics["val/kernel_error"] < 1e-3


def test_without_whitening_it_takes_far_longer(tmp_path: Path) -> None:
    run = dlkit.train("kernels", model={"name": "learnt", "whiten": False}, workspace=tmp_path)
    assert run.metrics["val/kernel_error"] > 0.1


def test_a_larger_kernel_has_zeros_around_the_one_that_it_finds(tmp_path: Path) -> None:
    run = dlkit.train("kernels", model={"name": "learnt", "size": [5, 7]}, workspace=tmp_path)
    assert run.metrics["val/kernel_error"] < 1e-2


def test_patches_vary_equally_in_all_directions_after_whitening() -> None:
    config = FilteredConfig(side=64)
    images = build(config, CONTEXT).train.take(torch.tensor([0]))["image"]
    patches = torch.nn.functional.unfold(images, 3)[0].T.double()
    basis = Learnt(LearntConfig(), info_of(config)).basis.double()
    spread = torch.linalg.eigvalsh(basis @ (patches.T @ patches / len(patches)) @ basis)
    plain = torch.linalg.eigvalsh(patches.T @ patches / len(patches))
    assert spread.max() / spread.min() < 10 and plain.max() / plain.min() > 1000


def test_moments_are_means_of_products() -> None:
    images = np.random.default_rng(0).integers(0, 256, (2, 1, 7, 9), dtype=np.uint8)
    values = images[:, 0].astype(float) / 255
    found = moments(images)
    assert found.shape == (13, 13)
    assert found[6, 6] == pytest.approx((values**2).mean())
    assert found[6 + 2, 6 + 3] == pytest.approx((values[:, 2:, 3:] * values[:, :-2, :-3]).mean())
    assert found[6 + 2, 6 - 3] == pytest.approx((values[:, 2:, :-3] * values[:, :-2, 3:]).mean())


def test_a_run_that_was_left_ends_the_same(tmp_path: Path) -> None:
    from dlkit.events import MetricsLogged

    whole = dlkit.train("kernels", steps=30, workspace=tmp_path)

    class Enough(Exception):
        pass

    def leave(event: object) -> None:
        if isinstance(event, MetricsLogged) and event.last_step >= 20:
            raise Enough

    with pytest.raises(Enough):
        dlkit.train("kernels", steps=30, workspace=tmp_path, name="left", on_event=leave)
    left = dlkit.open_run("left", tmp_path).resume()
    assert choose(left.path, "last").sha256 == choose(whole.path, "last").sha256


# Kernels that are given, and one's own images


def test_given_kernels_are_compared_without_training(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    workspace = ["--workspace", str(tmp_path / "w")]
    assert (
        main(["train", "kernels", "--model", "fixed", "--model.kernel", "sobel-x|1,0,-1;2,0,-2;1,0,-1", *workspace])
        == 0
    )
    run = dlkit.open_run("last", tmp_path / "w")
    assert run.state == "completed" and run.summary.step == 0 and run.metrics["val/kernel_error"] == 0
    pixels = np.random.default_rng(0).integers(0, 256, (20, 30), np.uint8)
    Image.fromarray(pixels).save(tmp_path / "own.png")
    assert main(["predict", run.id, str(tmp_path / "own.png"), "-o", str(tmp_path / "out"), *workspace]) == 0
    with Image.open(tmp_path / "out" / "own.png") as drawn:
        assert drawn.width > 3 * 30 and drawn.height > 20
    (answer,) = run.predictor()(pixels)
    expected = filtered(torch.from_numpy(pixels)[None, None] / 255, SOBEL, "reflect")
    assert answer["kernels"]["sobel-x"]["greatest"] == pytest.approx(expected.max().item())
    assert answer["kernels"]["3×3"]["least"] == pytest.approx(-expected.max().item())
    capsys.readouterr()


def test_a_kernel_out_of_a_file_is_kept_when_the_file_is_gone(tmp_path: Path) -> None:
    (tmp_path / "mine.txt").write_text("0,1\n1,0\n")
    run = dlkit.train("kernels", model={"name": "fixed", "kernel": str(tmp_path / "mine.txt")}, workspace=tmp_path)
    (tmp_path / "mine.txt").unlink()
    assert run.config["model"]["kernel"] == "mine=0,1;1,0"
    (answer,) = run.predictor()(np.full((4, 4), 255, np.uint8))
    assert answer["kernels"]["mine"]["mean"] == pytest.approx(2)


def test_a_kernel_is_found_from_an_image_and_its_filtered_version(tmp_path: Path) -> None:
    """As files are: whole levels, cut off at black and white."""
    images = (build(FilteredConfig(side=128), CONTEXT).train.take(torch.tensor([0]))["image"] * 255).round()
    pixels = images[0, 0].byte().numpy()
    sharp = filtered(torch.from_numpy(pixels)[None, None] / 255, torch.tensor(NAMED["sharpen"]), "reflect")
    Image.fromarray(pixels).save(tmp_path / "a.png")
    Image.fromarray((sharp[0, 0].clamp(0, 1) * 255).round().byte().numpy()).save(tmp_path / "b.png")
    files = {"name": "files", "path": str(tmp_path / "a.png"), "filtered": str(tmp_path / "b.png")}
    run = dlkit.train("kernels", dataset=files, steps=400, workspace=tmp_path / "w")
    found = run.predictor().model.kernels()["learnt"]  # type: ignore[operator]
    assert kernel_error(found, torch.tensor(NAMED["sharpen"])) < 0.05
    assert "val/kernel_error" not in run.metrics, "nobody has said which it was"


def test_images_that_do_not_fit_are_named(tmp_path: Path) -> None:
    for name, size in (("a", (8, 8)), ("b", (8, 9)), ("tiny", (1, 9))):
        Image.new("L", size).save(tmp_path / f"{name}.png")
    with pytest.raises(DataError, match=r"b\.png: is of 8 × 9 pixels, the image of 8 × 8"):
        build_files(FilesConfig(path=str(tmp_path / "a.png"), filtered=str(tmp_path / "b.png")), CONTEXT)
    with pytest.raises(DataError, match="one image is needed, here are 3"):
        build_files(FilesConfig(path=str(tmp_path), filtered=str(tmp_path / "b.png")), CONTEXT)
    with pytest.raises(DataError, match="too small: 2 × 2 at least"):
        build_files(FilesConfig(path=str(tmp_path / "tiny.png")), CONTEXT)
    with pytest.raises(DataError, match="one kernel is to be found, not 2"):
        build(FilteredConfig(kernel="box,emboss"), CONTEXT)
    with pytest.raises(UsageError, match="are known for up to 11 pixels"):
        Learnt(LearntConfig(size=(3, 13)), info_of(FilteredConfig(side=16)))


def test_a_wrong_kernel_is_an_options_fault(tmp_path: Path) -> None:
    with pytest.raises(SettingError, match=r"model\.kernel.*did you mean 'sobel-x'"):
        dlkit.train("kernels", model={"name": "fixed", "kernel": "sobelx"}, workspace=tmp_path)


@pytest.mark.parametrize("colour", [False, True])
@pytest.mark.parametrize("show", ["auto", "magnitude", "signed", "clip"])
def test_samples_show_image_filtered_and_kernels(colour: bool, show: str) -> None:
    from dlkit_insight.kernels.filtering import Filter
    from dlkit_insight.kernels.options import FilterConfig

    data = build(FilteredConfig(side=32, colour=colour), CONTEXT)
    info = KernelsInfo.model_validate(data.info)
    asked = Filter(Fixed(FixedConfig(kernel="sobel-x,sharpen"), info), info, FilterConfig(show=show))  # type: ignore[arg-type]
    filtered_, kernels = asked.samples(1, np.random.default_rng(0), data.val)
    for sample, captions in (
        (filtered_, ["image", "sobel-x", "sharpen", "wanted: sobel-x"]),
        (kernels, ["sobel-x", "sharpen", "wanted: sobel-x"]),
    ):
        sample.check()
        assert list(sample.captions) == captions  # type: ignore[attr-defined]
    assert (filtered_.images[1] == filtered_.images[3]).all() or show != "auto"  # type: ignore[attr-defined]
