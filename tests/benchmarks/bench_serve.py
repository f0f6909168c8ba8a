"""A served model against the model in a loop, a FastAPI endpoint written by hand, and LitServe.

    uv run --group benchmarks python tests/benchmarks/bench_serve.py [--seconds 3] [--rounds 5] [--connections 32]

The model is the classification of digits by an MLP, trained here. Every server has the same request (JSON, a PNG of 8×8
pixels in base64) and answers class, probability and the three likeliest. They are asked in turn within every round, by
one process that does nothing but send and receive; all have the machine's cores to share with it. FastAPI and LitServe
are left out where they are not installed.
"""

from __future__ import annotations

import argparse
import json
import os
import re
import selectors
import signal
import socket
import statistics
import subprocess
import sys
import tempfile
import time
import urllib.request
from collections.abc import Callable, Iterator
from contextlib import ExitStack, contextmanager
from dataclasses import dataclass, field, replace
from importlib.util import find_spec
from pathlib import Path

os.environ.setdefault("OMP_NUM_THREADS", "1")

import dlkit

TOGETHER = 32
"""Questions of one request, where a client has many."""

HAND = """
import base64, io, sys
import numpy as np, torch
from PIL import Image
import dlkit
torch.set_num_threads(1)
class Digits:
    def __init__(self, path):
        self.model = dlkit.load(path).model.eval()  # a plain module, built and loaded
    def read(self, question):
        image = Image.open(io.BytesIO(base64.b64decode(question))).convert("L")
        return torch.from_numpy(np.asarray(image, np.float32) / 255 - 0.3)[None]
    @torch.no_grad()
    def answers(self, images):
        top = self.model(images).softmax(-1).topk(3)
        return [{"class": i[0], "probability": p[0], "top": list(zip(i, p))}
                for i, p in zip(top.indices.tolist(), top.values.tolist())]
"""
FASTAPI = (
    HAND
    + """
digits = Digits(sys.argv[1])
import uvicorn
from fastapi import FastAPI
from pydantic import BaseModel
class Question(BaseModel):
    question: str
app = FastAPI()
@app.post("/predict")
async def predict(asked: Question):
    return {"answer": digits.answers(digits.read(asked.question)[None])[0]}
uvicorn.run(app, port=int(sys.argv[2]), log_level="warning", access_log=False)
"""
)
LITSERVE = (
    HAND
    + """
import litserve
digits = Digits(sys.argv[1])
class Api(litserve.LitAPI):
    def setup(self, device): pass
    def decode_request(self, request): return digits.read(request["question"])
    def batch(self, inputs): return torch.stack(inputs)
    def predict(self, images): return digits.answers(images)
    def unbatch(self, answers): return answers
    def encode_response(self, answer): return {"answer": answer}
if __name__ == "__main__":
    api = Api(max_batch_size=32, batch_timeout=0.002)
    litserve.LitServer(api, accelerator="cpu", workers_per_device=1).run(
        port=int(sys.argv[2]), generate_client_file=False, log_level="warning", access_log=False)
"""
)


@dataclass
class Load:
    """Answers of ``seconds`` seconds: how many, how long each took."""

    seconds: float
    latencies: list[float] = field(default_factory=list)
    each: int = 1
    """Questions of a request."""

    @property
    def rate(self) -> float:
        """Answers a second."""
        return self.each * len(self.latencies) / self.seconds

    @property
    def median(self) -> float:
        return statistics.median(self.latencies)

    @property
    def p99(self) -> float:
        return statistics.quantiles(self.latencies, n=100)[-1]


class Asking:
    """One connection that always has a request under way."""

    def __init__(self, port: int, request: bytes) -> None:
        self.socket = socket.create_connection(("127.0.0.1", port), timeout=30)
        self.socket.setsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY, 1)
        self._request, self._come = request.replace(b"PORT", str(port).encode(), 1), b""
        self.began = 0.0

    def send(self) -> None:
        self._come = b""
        self.began = time.perf_counter()
        self.socket.sendall(self._request)

    def received(self) -> bool:
        """Whether the answer is complete."""
        self._come += self.socket.recv(65536)
        head, end, body = self._come.partition(b"\r\n\r\n")
        if not end:
            return False
        assert head.startswith(b"HTTP/1.1 200"), self._come
        length = re.search(rb"(?i)content-length: (\d+)", head)
        assert length
        return len(body) >= int(length[1])


def asked(port: int, request: bytes, connections: int, seconds: float, least: int = 0) -> Load:
    """``connections`` questions under way at any time, for so long and until ``least`` are answered."""
    load = Load(seconds)
    with selectors.DefaultSelector() as selector:
        all_of_them = [Asking(port, request) for _ in range(connections)]
        for one in all_of_them:
            selector.register(one.socket, selectors.EVENT_READ, one)
            one.send()
        until = time.perf_counter() + seconds
        while time.perf_counter() < until or len(load.latencies) < least:
            for key, _ in selector.select(1):
                if key.data.received():
                    load.latencies.append(time.perf_counter() - key.data.began)
                    key.data.send()
        for one in all_of_them:
            one.socket.close()
    return load


def looped(answer: Callable[[], object], seconds: float) -> Load:
    load, until = Load(seconds), time.perf_counter() + seconds
    while (began := time.perf_counter()) < until:
        answer()
        load.latencies.append(time.perf_counter() - began)
    return load


def free_port() -> int:
    with socket.create_server(("127.0.0.1", 0)) as one:
        return int(one.getsockname()[1])


@contextmanager
def server(words: list[str], port: int) -> Iterator[int]:
    process = subprocess.Popen(words, stdout=subprocess.DEVNULL, start_new_session=True)
    try:
        deadline = time.monotonic() + 120
        while True:
            try:
                socket.create_connection(("127.0.0.1", port), timeout=1).close()
                break
            except OSError:
                assert process.poll() is None and time.monotonic() < deadline, words
                time.sleep(0.01)
        yield port
    finally:
        os.killpg(process.pid, signal.SIGTERM)
        try:
            process.wait(20)
        except subprocess.TimeoutExpired:
            os.killpg(process.pid, signal.SIGKILL)
            process.wait()


def trained(where: Path) -> dlkit.Run:
    return dlkit.train("classification", dataset="digits", model="mlp", workspace=where, engine={"epochs": 5})


def first_answer(folder: Path) -> float:
    """Seconds from the command to the answer."""
    port, began = free_port(), time.perf_counter()
    request = _request({"question": dlkit.load(folder).schema()["example"]})
    with server([sys.executable, "-P", "-m", "dlkit", "serve", str(folder), "--port", str(port)], port):
        asked(port, request, 1, 0.0, least=1)
        return time.perf_counter() - began


class Contest:
    """Who answers, by name; ``loads`` of the rounds so far."""

    def __init__(self, run: dlkit.Run, exported: Path, stack: ExitStack) -> None:
        self._stack = stack
        self.example = dlkit.load(run.path).schema()["example"]
        self.single = _request({"question": self.example})
        self.several = _request({"questions": [self.example] * TOGETHER})
        self._ports = {
            "dlkit, the run": self._ours(run.path),
            "dlkit, exported": self._ours(exported),
            "without batching (--batch 1)": self._ours(run.path, "--batch", "1"),
        }
        for name, module, code in (("FastAPI by hand", "fastapi", FASTAPI), ("LitServe", "litserve", LITSERVE)):
            if find_spec(module):
                self._ports[name] = self._theirs(code, run.path)
            else:
                print(f"{name}: not installed, left out")
        made: dict[str, object] = {}
        exec(HAND, made)
        digits = made["Digits"](run.path)  # type: ignore[operator]
        self._bare = lambda: digits.answers(digits.read(self.example)[None])
        self._predictor = dlkit.load(run.path)

    def round(self, connections: int, seconds: float) -> dict[str, Load]:
        found = {
            "the model in a loop": looped(self._bare, seconds),
            "dlkit's predictor in a loop": looped(self._by_predictor, seconds),
        }
        for name, port in self._ports.items():
            found[name] = asked(port, self.single, connections, seconds)
            if name.startswith("dlkit"):
                found[f"{name}, one at a time"] = asked(port, self.single, 1, seconds)
                several = asked(port, self.several, max(2, connections // TOGETHER), seconds)
                found[f"{name}, {TOGETHER} a request"] = replace(several, each=TOGETHER)
        return found

    def gains(self) -> Iterator[str]:
        """What the servers say of their batches."""
        for name, port in self._ports.items():
            if name.startswith("dlkit"):
                with urllib.request.urlopen(f"http://127.0.0.1:{port}/metrics") as reply:
                    lines = reply.read().decode().splitlines()
                found = dict(line.rsplit(" ", 1) for line in lines if line.startswith("dlkit_batch_size_"))
                yield f"{name}: {float(found['dlkit_batch_size_sum']) / float(found['dlkit_batch_size_count']):.1f}"

    def _by_predictor(self) -> object:
        return self._predictor.predict([self._predictor.accept(self.example)])

    def _ours(self, path: Path, *more: str) -> int:
        port = free_port()
        words = [sys.executable, "-P", "-m", "dlkit", "serve", str(path), "--port", str(port), *more]
        return self._stack.enter_context(server(words, port))

    def _theirs(self, code: str, path: Path) -> int:
        port = free_port()
        script = path.parent.parent / f"{port}.py"
        script.write_text(code)
        return self._stack.enter_context(server([sys.executable, str(script), str(path), str(port)], port))


def _request(told: object) -> bytes:
    body = json.dumps(told).encode()
    head = ("POST /predict HTTP/1.1", "Host: 127.0.0.1:PORT", "Content-Type: application/json")
    return "\r\n".join([*head, f"Content-Length: {len(body)}", "", ""]).encode() + body


def main() -> None:
    parser = argparse.ArgumentParser()
    parser.add_argument("--seconds", type=float, default=3.0)
    parser.add_argument("--rounds", type=int, default=5)
    parser.add_argument("--connections", type=int, default=32)
    options = parser.parse_args()
    with tempfile.TemporaryDirectory() as folder, ExitStack() as stack:
        run = trained(Path(folder))
        exported = Path(folder) / "exported"
        words = ["-m", "dlkit", "export", str(run.path), "--format", "onnx", "-o", str(exported), "--verify", "none"]
        subprocess.run([sys.executable, "-P", *words], check=True, stdout=subprocess.DEVNULL)
        print(
            f"first answer of the exported folder: {statistics.median(first_answer(exported) for _ in range(5)):.2f} s"
        )
        contest = Contest(run, exported, stack)
        contest.round(options.connections, 0.5)  # warm
        rounds = [contest.round(options.connections, options.seconds) for _ in range(options.rounds)]
        _print(rounds, options.connections)
        gain = statistics.median(
            one["dlkit, the run"].rate / one["without batching (--batch 1)"].rate for one in rounds
        )
        print(f"batching's gain, {options.connections} connections: {gain:.2f} ×")
        print("questions answered together, on average over all of this:", "; ".join(contest.gains()))


def _print(rounds: list[dict[str, Load]], connections: int) -> None:
    print(f"{connections} connections, medians of {len(rounds)} interleaved rounds; × is within a round")
    print(f"{'':34}{'answers/s':>11}{'× the loop':>12}{'median ms':>11}{'p99 ms':>9}{'p99/median':>12}")
    for name in rounds[0]:
        loads = [one[name] for one in rounds]
        times = statistics.median(one[name].rate / one["the model in a loop"].rate for one in rounds)
        columns = (
            statistics.median(load.rate for load in loads),
            times,
            1000 * statistics.median(load.median for load in loads),
            1000 * statistics.median(load.p99 for load in loads),
            statistics.median(load.p99 / load.median for load in loads),
        )
        print("{:34}{:11.0f}{:12.2f}{:11.2f}{:9.2f}{:12.1f}".format(name, *columns))


if __name__ == "__main__":
    main()
