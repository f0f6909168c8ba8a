"""Faults planted in the sound plugin, each with the rule that must catch it."""

from __future__ import annotations

from typing import NamedTuple


class Fault(NamedTuple):
    """``old`` stands once in the sound source, ``new`` in its place makes the mutant."""

    rule: str
    what: str
    old: str
    new: str


SAMPLE = "x = self.x[index]"
STEP = "return super().step(batches, step)"
FORWARD = "return self.second(self.dropout(hidden))"
LOSS = "loss = F.cross_entropy(outputs, label)"
SHIFT = 'return {**batch, "x": batch["x"] + drawn["shift"]}'
VALIDATED = "class NetConfig(Config):"
CHECKED = """    @{kind}
    def look({words}):
        {body}


class NetConfig(Config):"""
OWN_STEP = """for optimizer in self.optimizers_made:
            optimizer.zero_grad()
        for batch, share in zip(batches, {shares}, strict=True):
            (share * self.losses(batch)["loss"]).backward()
        for optimizer in self.optimizers_made:
            optimizer.step()
            optimizer.zero_grad()
        return {{}}"""

FAULTS = [
    # Options
    Fault("options-bounded", "a number without bounds", "Field(96, ge=12, le=1000, ", "Field(96, "),
    Fault("options-bounded", "a list of any numbers", "    points: int",
          '    more: list[int] = Field([], description="What others there are")\n    points: int'),
    Fault("options-described", "its name once more", 'description="Spots to train on"', 'description="Points."'),
    Fault("options-described", "no word", 'description="Standard deviation within a kind"', 'description=""'),
    Fault("options-defaults-validate", "a default out of its bounds", "Field(0.3, ge=0, le=2", "Field(3.0, ge=0, le=2"),
    Fault("options-defaults-validate", "a default that nobody can know", "spread: float = Field(0.3, ",
          "spread: float = Field("),
    Fault("options-defaults-validate", "defaults that do not go together", VALIDATED,
          CHECKED.format(words="self", kind="model_validator(mode='after')",
                         body="assert self.points < 50\n        return self")),
    Fault("options-schema-round-trips", "another name in the schema", "seed: int = Field(0, ",
          'seed: int = Field(0, alias="drawn", '),
    Fault("options-schema-round-trips", "a default that is computed", "seed: int = Field(0, ge=0, le=1000",
          "seed: int = Field(2000, ge=0, le=1000"),
    Fault("options-shown-by-the-form", "a type that no field has", VALIDATED,
          '    shares: dict[str, float] = Field({}, description="Of each kind")\n\n' + VALIDATED),
    Fault("options-toml-round-trips", "halved at every reading", VALIDATED,
          CHECKED.format(words="cls, spread", kind="field_validator('spread')\n    @classmethod",
                         body="return spread / 2")),
    # Robust
    Fault("robust-options-run-or-refuse", "trips over odd numbers", "np.arange(count) % len(NAMES)",
          "np.arange(count).reshape(2, -1).ravel() % len(NAMES)"),
    Fault("robust-options-run-or-refuse", "asserts what a user may set", "    draws = numbers(config.seed, what)",
          "    assert config.spread <= 0.4\n    draws = numbers(config.seed, what)"),
    # Data
    Fault("learning-carries-over", "labels of the next sample", "Noisy(x, label, O", "Noisy(x, label.roll(1), O"),
    Fault("learning-carries-over", "labels shuffled apart", "Noisy(x, label, O",
          "Noisy(x, label[torch.from_numpy(numbers(1).permutation(len(label)))], O"),
    Fault("learning-carries-over", "validation labels swapped", '"label": val_label}', '"label": (val_label + 1) % 3}'),
    Fault("data-splits-disjoint", "validation is training", 'drawn(config, "val", 30)', "(x[:30], label[:30])"),
    Fault("data-splits-disjoint", "a few samples leaked", 'test_x, test_label = drawn(config, "test", 20)',
          'test_x, test_label = torch.cat([drawn(config, "test", 15)[0], val_x[:5]]), val_label[:20]'),
    Fault("data-same-for-a-seed", "drawn without a seed", "draws = numbers(config.seed, what)",
          "draws = np.random.default_rng()"),
    Fault("data-same-for-a-seed", "drawn from the global generator", "draws = numbers(config.seed, what)",
          "draws = np.random.default_rng(np.random.randint(1 << 30))"),
    Fault("data-order-from-the-seed", "shuffled without a seed", 'numbers(seed, "order", epoch).permutation',
          "np.random.default_rng().permutation"),
    Fault("data-order-from-the-seed", "one order for all epochs", 'numbers(seed, "order", epoch)',
          'numbers(seed, "order")'),
    Fault(
        "data-order-from-the-seed",
        "a batch less than it says",
        "batch_size) + 1) * batch_size",
        "batch_size)) * batch_size",
    ),
    Fault(
        "data-same-in-any-workers",
        "noise of the worker's own",
        "rng.normal(0, 0.05, 4)",
        "self.own.normal(0, 0.05, 4)",
    ),
    Fault("data-evaluation-draws-nothing", "noise in evaluation", SAMPLE, f"{SAMPLE} + 0.01 * torch.randn(4)"),
    Fault("data-evaluation-draws-nothing", "one crop a visit", SAMPLE,
          "x = self.x[index].roll(int(self.own.integers(4)))"),
    Fault("data-augmentation-by-sample", "drawn in apply", SHIFT,
          'return {**batch, "x": batch["x"] + 0.1 * torch.randn_like(batch["x"])}'),
    Fault("data-augmentation-by-sample", "of the batch's mean", SHIFT,
          'return {**batch, "x": batch["x"] + drawn["shift"] - batch["x"].mean(0)}'),
    Fault(
        "data-augmentation-by-sample",
        "drawn without the generator",
        '"shift": rng.normal',
        '"shift": np.random.normal',
    ),
    Fault("data-fingerprint-tells", "a constant fingerprint",
          "return hashlib.sha256(self.x.numpy().tobytes() + self.label.numpy().tobytes()).hexdigest()",
          'return "spots-1"'),
    Fault("data-fingerprint-tells", "a fingerprint of the length",
          "hashlib.sha256(self.x.numpy().tobytes() + self.label.numpy().tobytes())",
          "hashlib.sha256(str(len(self)).encode())"),
    Fault("data-columns-as-declared", "float64 in the test split", '"x": test_x', '"x": test_x.double()'),
    Fault("data-columns-as-declared", "another width in the test split", '"x": test_x', '"x": test_x[:, :3]'),
    Fault("data-values-as-declared", "a NaN in the validation split", "    val = TensorSplit",
          "    val_x[3, 1] = torch.nan\n    val = TensorSplit"),
    Fault("data-values-as-declared", "labels from 1", '"label": test_label}', '"label": test_label + 1}'),
    Fault("data-info-round-trips", "a tuple in info", '"mean": float(x.mean())}',
          '"mean": 0.0, "extra": {"spots.range": (0, 1)}}'),
    Fault("data-info-round-trips", "a set in info", '"mean": float(x.mean())}',
          '"mean": 0.0, "extra": {"spots.names": {"dark"}}}'),
    Fault("data-info-round-trips", "the model needs a module's global", "self.mean = info.mean",
          "self.mean = HERE.setdefault('mean', 0.0) + len(HERE)\n        HERE[str(len(HERE))] = 0"),
    Fault("data-offline", "a download of its own", '    val_x, val_label = drawn(config, "val", 30)',
          "    import contextlib\n    import socket\n\n    with contextlib.suppress(OSError):\n"
          '        socket.create_connection(("127.0.0.1", 9), 0.05).close()\n'
          '    val_x, val_label = drawn(config, "val", 30)'),
    Fault("data-example-as-told", "another example each time", 'numbers(0, "example", index)',
          "np.random.default_rng()"),
    Fault("data-example-as-told", "a file that nobody explains", '{"spots.csv": "a row', '{"points.csv": "a row'),
    Fault("data-example-as-told", "an option that there is not", 'Example({"table"', 'Example({"path"'),
    # Model
    Fault(
        "model-evaluation-draws-nothing",
        "dropout in evaluation",
        FORWARD,
        "return self.second(F.dropout(hidden, 0.2))",
    ),
    Fault(
        "model-evaluation-draws-nothing",
        "counts in evaluation",
        "        if self.training:\n            self.seen += 1",
        "        self.seen += 1",
    ),
    Fault("model-evaluation-draws-nothing", "input changed in place", "self.first(x - self.mean)",
          "self.first(x.sub_(self.mean))"),
    Fault("model-each-alone", "centred by the batch", "self.first(x - self.mean)", "self.first(x - x.mean(0))"),
    Fault("model-each-alone", "batch norm of the batch at hand", "nn.BatchNorm1d(config.hidden)",
          "nn.BatchNorm1d(config.hidden, track_running_stats=False)"),
    Fault("model-each-alone", "softmax over the batch", FORWARD, f"{FORWARD}.log_softmax(0)"),
    Fault("model-outputs-as-declared", "squeezed", FORWARD, f"{FORWARD}.squeeze()"),
    Fault("model-outputs-as-declared", "infinite outputs", FORWARD, f"{FORWARD} / (hidden.sum(1, keepdim=True) * 0)"),
    Fault(
        "model-gradients-reach-all",
        "a detached layer",
        FORWARD,
        "return self.second(self.dropout(hidden.detach()))",
    ),
    Fault("model-gradients-reach-all", "a layer that is never called", "        self.dropout = ",
          "        self.spare = nn.Linear(2, 2)\n        self.dropout = "),
    Fault("model-drawn-from-the-seed", "seeds in build", "    return Net(config, info)",
          "    torch.manual_seed(0)\n    return Net(config, info)"),
    Fault(
        "model-drawn-from-the-seed",
        "weights of NumPy's own",
        "    return Net(config, info)",
        "    net = Net(config, info)\n    net.second.weight.data.uniform_(-0.3, 0.3, "
        "generator=torch.Generator().manual_seed(int(np.random.default_rng().integers(9999))))\n    return net",
    ),
    Fault("model-whole-in-its-state", "a running mean as an attribute", "self.seen += 1",
          "self.mean = 0.9 * self.mean + 0.1 * float(x.mean()) + 0.05"),
    Fault("model-whole-in-its-state", "a buffer that is not stored",
          'self.register_buffer("seen", torch.zeros((), dtype=torch.int64))',
          'self.register_buffer("seen", torch.zeros((), dtype=torch.int64), persistent=False)\n'
          "        self.register_forward_hook(lambda module, given, found: found * (1 + 0.1 * module.seen))"),
    Fault("model-bf16", "a fixed type", FORWARD,
          "logits = self.second(self.dropout(hidden))\n        rows = torch.arange(len(x))\n"
          "        return torch.zeros(len(x), logits.shape[1]).index_add_(0, rows, logits)"),
    Fault("model-bf16", "overflows and cancels in half precision", FORWARD,
          "return (self.second(self.dropout(hidden)) + self.first(x).new_tensor(1000.0).to(hidden.dtype)) - 1000.0"),
    Fault("model-exports", "decides by a value", "        hidden = torch.relu",
          "        if x.abs().max() > 50:\n            x = x / 50\n        hidden = torch.relu"),
    # Loss
    Fault("loss-mean-of-its-parts", "a sum", LOSS, 'loss = F.cross_entropy(outputs, label, reduction="sum")'),
    Fault("loss-mean-of-its-parts", "a weighted mean that does not say so", LOSS,
          "loss = F.cross_entropy(outputs, label, torch.tensor([1.0, 5.0, 25.0]))"),
    Fault("loss-mean-of-its-parts", "the neighbour's label", 'label = batch["label"]\n        loss',
          'label = batch["label"].roll(1)\n        loss'),
    Fault("loss-precision", "float64", LOSS, "loss = F.cross_entropy(outputs.double(), label)"),
    Fault("loss-finite", "the logarithm of a softmax", LOSS,
          "loss = -outputs.softmax(1).log().gather(1, label[:, None]).mean()"),
    Fault(
        "loss-looks-at-the-batch",
        "its own guess for target",
        LOSS,
        "loss = F.cross_entropy(outputs, outputs.argmax(1))",
    ),
    Fault("loss-same-twice", "targets changed in place", 'label = batch["label"]\n        loss',
          'label = batch["label"].clamp_(max=1)\n        loss'),
    Fault("loss-same-twice", "counts its calls", LOSS,
          "self.calls = getattr(self, 'calls', 0) + 1\n        loss = F.cross_entropy(outputs, label) / self.calls"),
    Fault("loss-at-the-start", "sure of one class from the start", "    return Net(config, info)",
          "    net = Net(config, info)\n    net.second.bias.data[0] = 30.0\n    return net"),
    # Learning
    Fault("learning-overfits", "minimises the negative", LOSS, "loss = -F.cross_entropy(outputs, label)"),
    Fault("learning-overfits", "a gradient of nothing", LOSS, "loss = F.cross_entropy(outputs * 1e-9, label)"),
    Fault("learning-overfits", "the wrong way is better", 'direction="max"', 'direction="min"'),
    Fault(
        "learning-moves-every-weight",
        "an optimizer of the head alone",
        "    def step(self, batches: Sequence[Batch], step",
        "    def optimizers(self) -> list[torch.optim.Optimizer]:\n        return "
        "[torch.optim.SGD(self.model.second.parameters(), self.config.lr)]\n\n"
        "    def step(self, batches: Sequence[Batch], step",
    ),
    Fault("learning-moves-every-weight", "a step in vain", STEP,
          "for batch in batches:\n            self.losses(batch)['loss'].backward()\n        return {}"),
    Fault("learning-repeats", "noise without a seed", STEP,
          "noise = float(np.random.default_rng().normal())\n"
          '        return super().step([{**b, "x": b["x"] + noise} for b in batches], step)'),
    # Engine
    Fault("engine-looking-changes-nothing", "samples change weights", "        batch = examples.take(index)",
          "        self.model.second.weight.data.add_(1e-3)\n        batch = examples.take(index)"),
    Fault("engine-looking-changes-nothing", "a loss that counts evaluations too", LOSS,
        "self.calls = getattr(self, 'calls', 0) + 1\n"
        "        loss = F.cross_entropy(outputs, label) * (1 + 0.3 * self.calls)"),
    Fault("engine-resumes-exactly", "a trainer's counter that is not stored", STEP,
          "self.done = getattr(self, 'done', 0) + 1\n"
          '        return super().step([{**b, "x": b["x"] + self.done * b["x"] ** 2} for b in batches], step)'),
    Fault("engine-resumes-exactly", "a model's counter that is not stored", "self.seen += 1",
          "self.dropout.p = min(0.9, self.dropout.p + 0.2)"),
    Fault(
        "engine-resumes-exactly",
        "a generator carried on",
        STEP,
        "self.noise = getattr(self, 'noise', None) or np.random.default_rng(5)\n        shift = "
        'float(self.noise.normal())\n        return super().step([{**b, "x": b["x"] + shift * b["x"] ** 2} '
        "for b in batches], step)",
    ),
    Fault("engine-answers-without-data", "classes in a module's global", "    info = {",
          "    HERE['classes'] = list(NAMES)\n    info = {"),
    Fault("engine-answers-without-data", "a file of the data set", "    info = {",
          "    context.data.mkdir(parents=True, exist_ok=True)\n"
          '    (context.data / "names.txt").write_text(" ".join(NAMES))\n    info = {'),
    Fault("engine-accumulates", "a sum of means", STEP, OWN_STEP.format(shares="[1.0] * len(batches)")),
    Fault("engine-shared-by-processes", "every process weighs as if it were alone", STEP,
          OWN_STEP.format(shares="[len(b['x']) / sum(len(c['x']) for c in batches) for b in batches]")),
    Fault("engine-obeys-set", "a change that is not taken over", "        super().change(config)", "        pass"),
    Fault("engine-obeys-set", "a change forgets the moments", "        super().change(config)",
          "        super().change(config)\n        self._optimizers = self.optimizers()"),
    # Metrics
    Fault("metrics-in-any-batches", "a mean of means", "right = (outputs.argmax(1) == label).sum()",
          "right = (outputs.argmax(1) == label).float().mean() * 10"),
    Fault(
        "metrics-in-any-batches",
        "the last batch alone",
        "self.right = right if self.right is None else self.right + right",
        "self.right = right",
    ),
    Fault("metrics-over-ranks", "a count that is not reduced", "        self.count = over_ranks(self.count)\n", ""),
    Fault(
        "metrics-over-ranks",
        "the mean over processes",
        "self.right = over_ranks(self.right)",
        "self.right = over_ranks(self.right)\n        self.right = None if self.right is None else self.right "
        "/ over_ranks.size",
    ),
    Fault("metrics-plain-numbers", "a metric by full name", 'return {"accuracy"', 'return {"val/accuracy"'),
    Fault("metrics-plain-numbers", "the primary metric is missing", 'return {"accuracy"', 'return {"share"'),
    Fault("metrics-plain-numbers", "an infinite metric", '"surety": float(self.surety) / int(self.count)',
          '"surety": float("inf")'),
    Fault(
        "metrics-do-not-wait",
        "item() at every batch",
        "surety = outputs.softmax(1).gather(1, label[:, None]).double().sum()",
        "surety = torch.tensor(outputs.softmax(1).gather(1, label[:, None]).double().sum().item())",
    ),
    Fault("metrics-begin-anew", "sums of everybody", "        return Accuracy()",
          '        return HERE.setdefault("metrics", Accuracy())'),
    Fault("metrics-begin-anew", "outputs changed in place", "right = (outputs.argmax(1) == label).sum()",
          "right = (outputs.mul_(2).argmax(1) == label).sum()"),
    Fault(
        "metrics-in-any-order",
        "a running average",
        "self.right = right if self.right is None else self.right + right",
        "self.right = right if self.right is None else 0.5 * self.right + right",
    ),
    # Samples
    Fault("samples-can-be-shown", "images of floats", "(scores * 255).round().byte().numpy()", "scores.numpy()"),
    Fault("samples-can-be-shown", "a caption too few", "captions=[row[1] for row in rows]",
          "captions=[row[1] for row in rows[1:]]"),
    Fault("samples-can-be-shown", "a line of tensors", "line = scores[0].tolist()", "line = list(scores[0])"),
    Fault("samples-can-be-shown", "two of one name", 'Curve(name="first"', 'Curve(name="kinds"'),
    Fault("samples-same-draws", "examples by chance", "rng.permutation(len(examples))",
          "np.random.default_rng().permutation(len(examples))"),
    Fault("samples-same-draws", "examples in turn", "rng.permutation(len(examples))",
          "np.roll(np.arange(len(examples)), HERE.setdefault('turns', []).append(0) or len(HERE['turns']))"),
    Fault("samples-preview", "a header too few", '"d", "kind"]', '"d"]'),
    # Predictor
    Fault("predictor-same-twice", "remembers what it was asked", "scores = self.forward(rows).softmax(1)",
          "self.asked = getattr(self, 'asked', 0.0) + rows.mean()\n"
          "        scores = self.forward(rows + self.asked).softmax(1)"),
    Fault("predictor-same-twice", "learns from questions", "scores = self.forward(rows).softmax(1)",
          "self.model.second.bias.data += 0.1 * rows[0, :3]\n        scores = self.forward(rows).softmax(1)"),
    Fault("predictor-each-alone", "scaled by the batch", "rows = torch.tensor(inputs, dtype=torch.float32)",
          "rows = torch.tensor(inputs, dtype=torch.float32)\n        rows = rows - rows.mean(0)"),
    Fault("predictor-each-alone", "answers in another order", "rows = torch.tensor(inputs, dtype=torch.float32)",
          "rows = torch.tensor(sorted(inputs), dtype=torch.float32)"),
    Fault("predictor-in-evaluation-mode", "asks the model as it is", "scores = self.forward(rows).softmax(1)",
          "scores = self.model(rows).detach().softmax(1)"),
    Fault("predictor-refuses-in-words", "takes any length", "len(row) != self.info.measures or not all", "not all"),
    Fault("predictor-refuses-in-words", "trips over words", "except (TypeError, ValueError, OverflowError)",
          "except (TypeError, OverflowError)"),
    Fault("predictor-refuses-in-words", "trips over lists in lists", "except (TypeError, ValueError, OverflowError)",
          "except (ValueError, OverflowError)"),
    Fault("predictor-keeps-its-schema", "answers in tensors", "for row in scores.tolist()]", "for row in scores]"),
    Fault("predictor-keeps-its-schema", "percent for shares", "scores = self.forward(rows).softmax(1)",
          "scores = 100 * self.forward(rows).softmax(1)"),
    Fault(
        "predictor-keeps-its-schema",
        "an example that it refuses",
        "example=[0.5] * self.info.measures",
        "example=[0.5] * 3",
    ),
    Fault(
        "predictor-keeps-its-schema",
        "words that it cannot read",
        '",".join(map(str, row))',
        '";".join(map(str, row))',
    ),
    Fault(
        "predictor-opens-nothing",
        "opens what it is told",
        'cells = value.split(",") if isinstance(value, str) else value',
        "if isinstance(value, str) and Path(value).is_file():\n            value = Path(value).read_text()\n   "
        '     cells = value.split(",") if isinstance(value, str) else value',
    ),
]  # fmt: skip

NAMED = "zip(self.info.classes, row, strict=True)"
ALSO = {
    "classes in a module's global": [(NAMED, "zip(HERE['classes'], row, strict=True)")],
    "a file of the data set": [
        (NAMED, "zip((Path(self.info.extra['spots.file']) / 'names.txt').read_text().split(), row, strict=True)"),
        ('"mean": float(x.mean())}', '"mean": float(x.mean()), "extra": {"spots.file": str(context.data)}}'),
    ],
}
"""Further changes, of faults that take several."""
