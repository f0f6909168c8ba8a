"""``dlkit predict`` of many inputs: patterns, JSON Lines, files of answers, what cannot be answered."""

from __future__ import annotations

import csv
import io
import json
import subprocess
import sys
from collections.abc import Callable, Sequence
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from PIL import Image

import dlkit
from dlkit.errors import DataError
from dlkit.use.many import answered, expanded, of_inputs, of_json_lines
from outcome import Outcome

Dlkit = Callable[..., Outcome]


class Halves:
    """Answers even numbers, some at a time."""

    def __init__(self) -> None:
        self.asked: list[list[Any]] = []

    def accept(self, value: object) -> object:
        if not isinstance(value, int):
            raise DataError(f"no number: {value!r}")
        return value

    def predict(self, inputs: Sequence[Any]) -> list[dict[str, Any]]:
        self.asked.append(list(inputs))
        if odd := [value for value in inputs if value % 2]:
            raise DataError(f"{odd[0]} is odd")
        return [{"half": value // 2} for value in inputs]


def test_answers_are_in_order_and_what_fails_spoils_no_other() -> None:
    halves = Halves()
    found = list(answered(halves, of_inputs([2, 3, 4, 6, 8]), batch=3))
    assert [dict(one.answer) for one in found] == [
        {"half": 1}, {"error": "3 is odd"}, {"half": 2}, {"half": 3}, {"half": 4}
    ]  # fmt: skip
    assert halves.asked == [[2, 3, 4], [2], [3], [4], [6, 8]]
    assert [str(one.error) if one.error else "" for one in found] == ["", "3 is odd", "", "", ""]


def test_no_more_is_taken_than_is_answered() -> None:
    taken = []

    def numbers() -> Any:
        for number in range(0, 100, 2):
            taken.append(number)
            yield number

    found = answered(Halves(), of_inputs(numbers()), batch=4)
    next(found)
    assert taken == [0, 2, 4, 6]


def test_lines_of_json_name_their_number() -> None:
    lines = [b"\xef\xbb\xbf2\n", b"\n", b'"x"\n', b"{oh\n", b"[" * 200 + b"\n", b"4"]
    found = [dict(one.answer) for one in answered(Halves(), of_json_lines(Halves(), lines, "f"), batch=2)]
    assert found[0] == {"half": 1} and found[-1] == {"half": 2}
    assert [one.get("line") for one in found[1:-1]] == [3, 4, 5]
    assert "f, line 3: no number: 'x'" in found[1]["error"] and "not JSON" in found[2]["error"]


def test_patterns_mean_files_where_files_are_asked_for(tmp_path: Path) -> None:
    for name in ("b.png", "a.png", "sub/c.png", "[1].png", ".hidden.png"):
        (tmp_path / name).parent.mkdir(exist_ok=True)
        (tmp_path / name).write_text("")
    found = expanded([f"{tmp_path}/*.png", f"{tmp_path}/**/c.png", f"{tmp_path}/[1].png"], "image")
    names = [str(Path(path).relative_to(tmp_path)) for path in found]
    assert names == ["[1].png", "a.png", "b.png", "sub/c.png", "[1].png"]
    assert expanded(["what? *", '[{"a": 1}]'], "text") == ["what? *", '[{"a": 1}]']
    with pytest.raises(DataError, match=r"x\*\.png: no file is called so"):
        expanded(["x*.png"], "image")


@pytest.fixture
def asked(dlkit: Dlkit, trained: Path, ids: Sequence[str]) -> Dlkit:
    """``dlkit predict`` of a run whose answer to a row is the same number every time."""
    return lambda *words: dlkit("predict", ids[0], *words, "--workspace", trained)


def test_lines_in_and_lines_out(asked: Dlkit, monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    single = asked("1,2,3", "--json").json["predictions"][0]["y"]
    questions = b'[1, 2, 3]\n"1,2,3"\n[1]\n{"path": "/etc/passwd"}\n'
    monkeypatch.setattr("sys.stdin", io.TextIOWrapper(io.BytesIO(questions)))
    outcome = asked("--jsonl")
    lines = [json.loads(line) for line in outcome.out.splitlines()]
    assert outcome.code == 3
    assert [line.get("y") for line in lines[:2]] == pytest.approx([single, single])
    assert [line.get("line") for line in lines] == [None, None, 3, 4] and all("error" in line for line in lines[2:])
    assert "no answer: standard input, line 3: row [1.0] has 1 numbers" in outcome.err
    file = tmp_path / "asked.jsonl"
    file.write_bytes(questions)
    mixed = asked("0,0,0", file, "--json", "--batch", "1")
    assert mixed.code == 3 and len(mixed.json["predictions"]) == 5
    strict = asked(file, "--strict", "--jsonl")
    assert strict.code == 3 and len(strict.out.splitlines()) <= 2 and "line 3" in strict.err


def test_answers_as_a_file(asked: Dlkit, tmp_path: Path) -> None:
    out = tmp_path / "out"
    out.mkdir()
    for name in ("a.csv", "a.jsonl"):
        outcome = asked("1,2,3", "0,0,0", "-o", out / name)
        assert outcome.code == 0 and outcome.out == "" and f"wrote 2 answers into {out / name}" in outcome.err
    with (out / "a.csv").open(newline="") as file:
        table = [float(row["y"]) for row in csv.DictReader(file)]
    assert [json.loads(line)["y"] for line in (out / "a.jsonl").read_text().splitlines()] == table
    broken = tmp_path / "broken.jsonl"
    broken.write_text("[1]\n[2]\n")
    assert asked(broken, "--strict", "-o", out / "b.csv").code == 3
    assert sorted(path.name for path in out.iterdir()) == ["a.csv", "a.jsonl"]
    refused = asked("1,2,3", "-o", tmp_path / "no" / "c.csv")
    assert refused.code == 2 and "cannot be written" in refused.err


def test_usage_is_said(asked: Dlkit) -> None:
    assert "--batch 0: must be at least 1" in asked("1,2,3", "--batch", "0").err
    assert asked("1,2,3", "--json", "--jsonl").code == 2
    one = asked("1,2")
    assert one.code == 3 and one.out == ""


PEAK = """
import resource, subprocess, sys
done = subprocess.run(sys.argv[1:], stdout=subprocess.DEVNULL, stderr=subprocess.PIPE, text=True)
assert done.returncode == 0, done.stderr
print(resource.getrusage(resource.RUSAGE_CHILDREN).ru_maxrss)
"""


@pytest.mark.slow
@pytest.mark.skipif(sys.platform == "win32", reason="Windows has no resource usage of children")
def test_a_folder_of_images_takes_the_memory_of_one_batch(tmp_path: Path) -> None:
    run = dlkit.train("classification", dataset="digits", model="mlp", workspace=tmp_path, engine={"steps": 1})
    pixels = np.random.default_rng(0).integers(256, size=(256, 256), dtype=np.uint8)
    peaks = []
    for count in (100, 800):
        folder = tmp_path / str(count)
        folder.mkdir()
        for number in range(count):
            Image.fromarray(pixels).save(folder / f"{number}.png", compress_level=0)
        words = ["-m", "dlkit", "predict", str(run.path), str(folder), "-o", str(tmp_path / f"{count}.jsonl")]
        done = subprocess.run([sys.executable, "-c", PEAK, sys.executable, *words], capture_output=True, text=True)
        assert done.returncode == 0, done.stderr
        peaks.append(int(done.stdout) * (1 if sys.platform == "darwin" else 1024))
        assert len((tmp_path / f"{count}.jsonl").read_text().splitlines()) == count
    # Decoded, the others would be 46 MB.
    assert peaks[1] - peaks[0] < 20_000_000
