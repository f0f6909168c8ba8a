"""Files of weights that are pickle: their tensors come out, and nothing else happens."""

from __future__ import annotations

import hashlib
import threading
from functools import partial
from http.server import SimpleHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path

import pytest
import torch

from dlkit.components import LayoutFile, SourceFile, SourceSpec
from dlkit.data.context import Context
from dlkit.data.pickled import tensors_of
from dlkit.data.weights import Origins, coming_from, downloaded_weights, named_weights, read_weights
from dlkit.errors import DataError, UsageError

STATE = {"0.weight": torch.arange(6.0).reshape(2, 3), "0.bias": torch.tensor([1.0, 2.0], dtype=torch.float64)}


def of_run(reference: str) -> dict[str, torch.Tensor]:
    return {"asked": torch.tensor([float(len(reference))])}


@pytest.fixture
def origins(tmp_path: Path) -> Origins:
    return Origins(Context(tmp_path / "data", offline=True), of_run)


def test_tensors_come_out_of_pth_and_are_converted_once(
    tmp_path: Path, origins: Origins, monkeypatch: pytest.MonkeyPatch
) -> None:
    path = tmp_path / "w.pth"
    tied = torch.ones(3)
    torch.save({"state_dict": {**STATE, "a": tied, "b": tied}, "epoch": 3}, path)
    with coming_from(origins):
        weights = read_weights(path)
        assert weights is not None
        assert sorted(weights) == ["0.bias", "0.weight", "a", "b"]
        assert all(torch.equal(weights[name], tensor.float()) for name, tensor in STATE.items())
        kept = tmp_path / "data" / ".converted"
        digest = hashlib.sha256(path.read_bytes()).hexdigest()
        assert [entry.name for entry in kept.iterdir()] == [f"{digest}.safetensors"]
        monkeypatch.setattr("dlkit.data.converting.python", lambda *words: ["false"])  # no process is started again
        assert read_weights(path) is not None
        path.write_bytes(path.read_bytes() + b" ")  # another file
        with pytest.raises(DataError, match=r"w\.pth: not tensors"):
            read_weights(path)


class _Writes:
    def __init__(self, path: Path) -> None:
        self._path = path

    def __reduce__(self) -> tuple[object, ...]:
        return open, (str(self._path), "w")


def test_what_a_file_would_do_is_refused_and_not_done(tmp_path: Path) -> None:
    target, path = tmp_path / "written", tmp_path / "w.pth"
    torch.save({"a": torch.ones(1), "b": _Writes(target)}, path)
    with pytest.raises(DataError, match=r"w\.pth: not tensors that can be read without running what the file says"):
        read_weights(path)
    assert not target.exists()


def test_a_view_of_one_number_that_claims_a_terabyte_takes_no_memory(tmp_path: Path) -> None:
    torch.save({"a": torch.zeros(1).expand(1 << 38)}, tmp_path / "w.pth")
    with pytest.raises(DataError, match=r"w\.pth: .*memory"):
        read_weights(tmp_path / "w.pth")


@pytest.mark.parametrize("content", [b"", b"text that is no file of torch's"])
def test_other_files_are_named(tmp_path: Path, content: bytes) -> None:
    (tmp_path / "w.pt").write_bytes(content)
    with pytest.raises(DataError, match=r"w\.pt: not tensors"):
        read_weights(tmp_path / "w.pt")
    with pytest.raises(DataError, match=r"absent\.pth: not a readable \.pth file"):
        read_weights(tmp_path / "absent.pth")


@pytest.mark.parametrize("found", [[torch.ones(1)], {"lr": 0.1}, {"state_dict": {}}, None])
def test_where_there_are_no_tensors_by_name_that_is_said(found: object) -> None:
    with pytest.raises(ValueError, match=r"save a network's state_dict\(\)"):
        tensors_of(found)


def test_weights_are_named_by_a_file_or_a_run(origins: Origins, tmp_path: Path) -> None:
    with coming_from(origins):
        found = named_weights("last@best")
        assert found is not None and found["asked"].item() == len("last@best")
        with pytest.raises(DataError, match=r"absent\.safetensors: not a readable"):
            named_weights(str(tmp_path / "absent.safetensors"))
    for ask in (named_weights, downloaded_weights):
        with pytest.raises(UsageError, match="here"):
            ask("anything")


def test_weights_are_downloaded_once_and_proved(tmp_path: Path) -> None:
    served = tmp_path / "served" / "small"
    served.mkdir(parents=True)
    torch.save(STATE, served / "small-0.pth")
    content = (served / "small-0.pth").read_bytes()
    sha256 = hashlib.sha256(content).hexdigest()
    handler = partial(SimpleHTTPRequestHandler, directory=str(tmp_path / "served"))
    with ThreadingHTTPServer(("127.0.0.1", 0), handler) as server, pytest.MonkeyPatch.context() as patch:
        threading.Thread(target=server.serve_forever, daemon=True).start()
        patch.setattr(handler.func, "log_message", lambda *words: None)
        patch.setenv("DLKIT_MIRROR", f"http://127.0.0.1:{server.server_port}")

        def declared(sha256: str) -> Context:
            file = SourceFile(url="https://example.invalid/small-0.pth", size=len(content), sha256=sha256)
            layout = (LayoutFile("small-0.pth", len(content), sha256),)
            return Context(
                tmp_path / sha256[:3], {"small": SourceSpec(name="small", summary="s", files=(file,), layout=layout)}
            )

        with coming_from(Origins(declared("0" * 64), of_run)), pytest.raises(DataError, match="SHA-256"):
            downloaded_weights("small")
        right = Origins(declared(sha256), of_run)
        with coming_from(right):
            weights = downloaded_weights("small")
        server.shutdown()
    with coming_from(Origins(Context(right.context.data, right.context.sources, offline=True), of_run)):
        again = downloaded_weights("small")  # neither server nor conversion is needed
    assert weights is not None and again is not None
    assert torch.equal(weights["0.weight"], STATE["0.weight"]) and torch.equal(again["0.weight"], STATE["0.weight"])
