"""An export is done when raw input gives the same answer: its folder, its proof, and what a wrong one comes to."""

from __future__ import annotations

import json
import os
import shutil
import subprocess
import sys
from importlib.metadata import distribution
from pathlib import Path

import numpy as np
import onnxruntime
import pytest
import torch
from safetensors.torch import load_file

import dlkit
from dlkit.catalog import Catalog
from dlkit.errors import RunError, UsageError
from dlkit.portable import Graph
from dlkit.runs.folder import RunFolder
from dlkit.use.export import formats, networks
from dlkit.use.export.exported import is_exported, load_exported
from dlkit.use.export.formats import Made
from dlkit.use.export.networks import save_onnx, smaller
from dlkit.use.export.proof import measure_size
from dlkit.use.export.verdicts import Proof
from dlkit.use.load import load_predictor
from installed import PLUGINS, install_metadata

ROWS = ["1,2,3", "0.5,-1,0", "-3,0.25,10"]


def folder_of(made: Made) -> Path:
    assert made.folder is not None, made.proof.text()
    return made.folder


def answers_of(trained: RunFolder, catalog: Catalog) -> list[float]:
    predictor = load_predictor(catalog, trained).predictor
    return [answer["y"] for answer in predictor.predict(predictor.read(ROWS))]


def copied(made: Made, tmp_path: Path) -> Path:
    return Path(shutil.copytree(folder_of(made), tmp_path / "copy"))


def test_the_proof_compares_networks_metric_and_answers(exported):
    rows = {row.what: row for row in exported.proof.rows}
    assert exported.proof.passed and json.loads((folder_of(exported) / "proof.json").read_text())["passed"]
    for part in (
        "model: largest difference, 3 random batches of 1, 5, 32",
        "val/mse of the exported model",
        "val/mse that the run recorded",
        "raw input → answer, as dlkit predict gives it",
    ):
        assert rows[part].passed is True, part
    assert rows["raw input → answer, as dlkit predict gives it"].found == "6 of 6 equal"
    assert "ONNX Runtime" in rows["model: latency at batch 32, median (p99), 1 thread"].found
    assert "torch" in rows["model: latency at batch 1, median (p99), 1 thread"].found
    assert any(what.startswith("int8: val/mse") and row.passed is None for what, row in rows.items())


def test_the_folder_answers_as_the_run_does(exported, toy_trained, catalog):
    asked = load_exported(folder_of(exported), catalog)
    wanted = answers_of(toy_trained, catalog)
    assert [answer["y"] for answer in asked.predict(asked.read(ROWS))] == pytest.approx(wanted, abs=1e-5)
    assert [answer["y"] for answer in asked(*ROWS)] == pytest.approx(wanted, abs=1e-5)
    assert asked.predict([asked.accept([1.0, 2.0, 3.0])])[0]["y"] == pytest.approx(wanted[0], abs=1e-5)
    small = load_exported(folder_of(exported), catalog, int8=True)
    assert [answer["y"] for answer in small(*ROWS)] == pytest.approx(wanted, abs=0.5)


def test_its_run_py_is_short_and_answers_where_neither_torch_nor_dlkit_is_installed(
    exported, toy_trained, catalog, tmp_path
):
    script = folder_of(exported) / "run.py"
    assert len(script.read_text().splitlines()) <= 60
    site = tmp_path / "site"
    site.mkdir()
    for name in ("numpy", "onnxruntime", "flatbuffers", "protobuf", "packaging", "coloredlogs", "sympy", "mpmath"):
        link_distribution(name, site)
    # No site-packages but these: what is not named here is not installed.
    code = f"import sys; sys.path[:0] = [{str(site)!r}]; import runpy; sys.argv = sys.argv[1:]; "
    code += "runpy.run_path(sys.argv[0], run_name='__main__')"
    words = [sys.executable, "-I", "-S", "-c", code, str(script), *ROWS]
    done = subprocess.run(words, capture_output=True, text=True, cwd=tmp_path)
    assert done.returncode == 0, done.stderr
    found = [json.loads(line)["y"] for line in done.stdout.splitlines()]
    assert found == pytest.approx(answers_of(toy_trained, catalog), abs=1e-5)
    with subprocess.Popen([*words, *ROWS * 200], stdout=subprocess.PIPE, stderr=subprocess.PIPE, cwd=tmp_path) as asked:
        assert asked.stdout is not None and asked.stderr is not None
        assert asked.stdout.readline()
        asked.stdout.close()  # as head does, when it has seen enough
        assert asked.wait(60) != 0 and asked.stderr.read() == b""
    probe = [sys.executable, "-I", "-S", "-c", f"import sys; sys.path[:0] = [{str(site)!r}]; import torch"]
    assert subprocess.run(probe, capture_output=True).returncode == 1


def link_distribution(name: str, site: Path) -> None:
    """Puts what a distribution has installed into another folder of packages, if it is installed."""
    try:
        found = distribution(name)
    except ModuleNotFoundError:
        return
    for top in {Path(file).parts[0] for file in found.files or () if Path(file).parts[0] != ".."}:
        source = Path(str(found.locate_file(top)))
        if source.exists() and not (site / top).exists():
            (site / top).symlink_to(source)


def test_weights_load_in_five_lines_of_plain_torch(exporter, toy_trained, catalog, tmp_path):
    made = exporter("safetensors", tmp_path / "weights")
    folder = folder_of(made)
    card = (folder / "README.md").read_text()
    code = card.partition("```python\n")[2].partition("```")[0]
    assert len([line for line in code.splitlines() if line]) == 5 and "dlkit" not in code
    x = torch.tensor([[float(cell) for cell in row.split(",")] for row in ROWS])
    known: dict[str, object] = {"x": x}
    before = Path.cwd()
    os.chdir(folder)
    try:
        exec(code, known)
    finally:
        os.chdir(before)
    assert known["outputs"].tolist() == pytest.approx(answers_of(toy_trained, catalog), abs=1e-5)  # type: ignore[attr-defined]
    weights, program = folder / "model.safetensors", folder / "model.pt2"
    own = load_predictor(catalog, toy_trained).predictor.model.state_dict()
    assert {name: value.tolist() for name, value in load_file(weights).items()} == {
        name: value.tolist() for name, value in own.items()
    }
    assert program.stat().st_size < 50_000 and (folder / "config.toml").read_text() == toy_trained.config.read_text()


def test_a_torch_program_takes_any_size_of_batch(exporter, toy_trained, catalog, tmp_path):
    folder = folder_of(exporter("torch", tmp_path / "program"))
    model = torch.export.load(folder / "model.pt2").module()
    x = torch.tensor([[float(cell) for cell in row.split(",")] for row in ROWS])
    wanted = answers_of(toy_trained, catalog)
    assert model(x).tolist() == pytest.approx(wanted, abs=1e-5)
    assert model(x[:1]).tolist() == pytest.approx(wanted[:1], abs=1e-5)


def test_the_card_says_what_it_is_where_it_comes_from_and_what_it_is_worth(exported, toy_trained):
    card = (folder_of(exported) / "README.md").read_text()
    for words in ("toy, linear", "Points of a plane", "val/mse", "seed", "torch", "## Limits", "python run.py INPUT"):
        assert words in card, words
    assert "largest difference" in card and "NOT EQUAL" not in card


def test_a_wrong_network_fails_its_proof_and_leaves_nothing(exporter, tmp_path, monkeypatch):
    sound = formats.save_onnx

    def wrong(graph, path):
        with torch.no_grad():
            for parameter in graph.module.parameters():
                parameter.add_(0.01)
        sound(graph, path)
        with torch.no_grad():
            for parameter in graph.module.parameters():
                parameter.sub_(0.01)

    monkeypatch.setattr(formats, "save_onnx", wrong)
    made = exporter("onnx", tmp_path / "out")
    assert made.folder is None and not made.proof.passed and "NOT EQUAL" in made.proof.text()
    verdicts = {row.what: row.passed for row in made.proof.rows}
    assert verdicts["val/mse of the exported model"] is False
    assert verdicts["raw input → answer, as dlkit predict gives it"] is False
    assert not list(tmp_path.iterdir())


def test_weights_too_large_for_one_file_lie_beside_it(tmp_path, monkeypatch):
    monkeypatch.setattr(networks, "ONE_FILE", 1000)
    module = torch.nn.Linear(64, 64)

    def draw(count, sizes, seed):
        return {"x": torch.randn(count, 64, generator=torch.Generator().manual_seed(seed))}

    save_onnx(Graph("model", module, {"x": ("N", "64")}, ["outputs"], draw), tmp_path / "model.onnx")
    smaller(tmp_path / "model.onnx", tmp_path / "model.int8.onnx", beside=networks.is_large(module))
    assert {path.name for path in tmp_path.iterdir()} == {
        f"model{kind}.onnx{end}" for kind in ("", ".int8") for end in ("", ".data")
    }
    assert (tmp_path / "model.onnx").stat().st_size < 4000 < (tmp_path / "model.onnx.data").stat().st_size
    x = draw(3, {}, 0)["x"]
    for name, near in (("model", 1e-5), ("model.int8", 0.1)):
        (found,) = onnxruntime.InferenceSession(str(tmp_path / f"{name}.onnx")).run(None, {"x": x.numpy()})
        assert found == pytest.approx(module(x).detach().numpy(), abs=near)
    proof = Proof()
    measure_size(proof, tmp_path, {"model": "model.onnx"})
    assert "17." in proof.rows[0].found or "18." in proof.rows[0].found


def test_a_program_that_takes_one_size_alone_fails_its_proof(exporter, tmp_path, monkeypatch):
    def fixed(graph):
        with torch.no_grad():
            return torch.export.export(graph.module.eval(), tuple(graph.draw(7, {}, 0).values()))

    monkeypatch.setattr(formats, "program_of", fixed)
    made = exporter("torch", tmp_path / "out")
    assert made.folder is None and not list(tmp_path.iterdir())
    (row,) = [row for row in made.proof.rows if row.passed is False]
    assert row.what == "model: a batch of 1" and "7" in row.found


@pytest.mark.parametrize(
    ("harm", "says"),
    [
        (lambda folder: (folder / "model.onnx").write_bytes(b"no network"), "bytes, not"),
        (lambda folder: (folder / "given.json").unlink(), "given.json: is missing"),
        (lambda folder: (folder / "export.json").write_text("{"), "not JSON"),
        (lambda folder: (folder / "export.json").write_text("{}"), "format, kind"),
        (lambda folder: rewrite(folder, format=99), "format 99, by a newer release"),
        (
            lambda folder: rewrite(folder, graphs=[{"file": "../../secret", "name": "model"}]),
            "not a file of this folder",
        ),
        (lambda folder: rewrite(folder, step="many"), "whole number"),
    ],
)
def test_a_folder_that_is_damaged_newer_or_hostile_is_named(exported, catalog, tmp_path, harm, says):
    folder = copied(exported, tmp_path)
    harm(folder)
    with pytest.raises(RunError, match=says):
        load_exported(folder, catalog)


def rewrite(folder: Path, **fields: object) -> None:
    path = folder / "export.json"
    path.write_text(json.dumps({**json.loads(path.read_text()), **fields}))


def test_code_of_the_folder_is_never_run(exported, toy_trained, catalog, tmp_path):
    """A folder may come from anybody: its own run.py and package are for those who choose to run them."""
    folder = copied(exported, tmp_path)
    for name in ["run.py", *(f"answering/{path.name}" for path in (folder / "answering").glob("*.py"))]:
        (folder / name).write_text("raise SystemExit('run')\n")
    rewrite(folder, answers="os:system", files={
        name: entry for name, entry in json.loads((folder / "export.json").read_text())["files"].items()
        if not name.startswith(("run.py", "answering"))
    })  # fmt: skip
    assert len(load_exported(folder, catalog)(*ROWS)) == len(ROWS)


def test_what_is_in_the_way_stays(exporter, exported, tmp_path):
    (tmp_path / "mine").mkdir()
    (tmp_path / "mine" / "letter").write_text("dear")
    with pytest.raises(UsageError, match="no exported folder: nothing is written over it"):
        exporter("torch", tmp_path / "mine", force=True)
    there = copied(exported, tmp_path)
    with pytest.raises(UsageError, match="--force writes over it"):
        exporter("torch", there)
    assert is_exported(there) and (tmp_path / "mine" / "letter").read_text() == "dear"
    exporter("torch", there, force=True)
    assert (there / "model.pt2").exists() and not (there / "model.onnx").exists()


def test_an_exported_folder_is_asked_by_predict_without_torch_and_pydantic(exported, tmp_path):
    install_metadata(tmp_path / "site", "dlkit-toy", "toy", "toy")
    code = (
        f"import sys; sys.path[:0] = {[str(Path(__file__).parents[1]), str(tmp_path / 'site')]!r}\n"
        "from dlkit.cli.main import main\n"
        "code = main(['predict', sys.argv[1], '1,2,3', '0,0,0', '--json'])\n"
        "assert not (loaded := {'torch', 'pydantic', 'onnx'} & set(sys.modules)), loaded\n"
        "sys.exit(code)\n"
    )
    words = [sys.executable, "-P", "-c", code, str(folder_of(exported))]
    environment = {**os.environ, "DLKIT_DISABLE": ",".join(PLUGINS)}
    done = subprocess.run(words, capture_output=True, text=True, env=environment, cwd=tmp_path)
    assert done.returncode == 0, done.stderr
    told = json.loads(done.stdout)
    assert len(told["predictions"]) == 2 and told["inference"] == "values" and told["step"] > 0
    assert all(np.isfinite(answer["y"]) for answer in told["predictions"])


def test_load_reads_an_exported_folder(exported, toy_trained, catalog, monkeypatch):
    monkeypatch.setattr(Catalog, "load_everything", classmethod(lambda cls, **chosen: catalog))
    asked = dlkit.load(folder_of(exported))
    assert [answer["y"] for answer in asked(*ROWS)] == pytest.approx(answers_of(toy_trained, catalog), abs=1e-5)
    with pytest.raises(UsageError, match="asked as it was exported"):
        dlkit.load(folder_of(exported), inference="other")


def test_a_look_at_test_goes_on_record(exporter, toy_trained, tmp_path):
    run = RunFolder(shutil.copytree(toy_trained.path, tmp_path / "runs" / toy_trained.id))
    made = exporter("onnx", tmp_path / "out", verify="test", run=run)
    assert any(row.what == "test/mse of the exported model" and row.passed for row in made.proof.rows)
    (line,) = [json.loads(line) for line in run.evaluations.read_text().splitlines()]
    assert line["split"] == "test" and line["metrics"]["test/mse"] > 0 and line["run"] == run.id
