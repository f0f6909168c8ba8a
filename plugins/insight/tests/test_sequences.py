"""Models that read text, looked into: cells, attention, surprise."""

from __future__ import annotations

import json
import math
from collections.abc import Callable
from itertools import pairwise
from pathlib import Path
from typing import Any, cast

import numpy as np
import pytest
import torch
import torch.nn.functional as F
from hypothesis import given, settings
from hypothesis import strategies as st
from PIL import ImageFont
from torch import Tensor, nn

from dlkit.catalog import Catalog
from dlkit.cli.main import main
from dlkit.data.context import make_context
from dlkit.errors import UsageError
from dlkit.present.coloured import _placed, coloured_text, stacked
from dlkit.present.shades import shades
from dlkit.runs.folder import RunFolder
from dlkit.samples import Images, Shaded, Table, checked
from dlkit.use.load import Loaded, Question, asked_otherwise, load_predictor, validation_split
from dlkit_insight.attending import attention_of, product_weights
from dlkit_insight.cells import traces
from dlkit_insight.following import followers, liveliest, things
from dlkit_insight.surprise import Surprise

CATALOG = Catalog.load_everything()
SHORT = ["--steps", "12", "--batch-size", "4", "--engine.eval-batch-size", "8", "--limit-batches", "2",
         "--device", "cpu", "--engine.eval-every", "end", "--engine.sample-every", "never",
         "--engine.threads", "1"]  # fmt: skip
RUNS: dict[str, list[str]] = {
    "lstm": ["textgen", "--model", "lstm", "--model.hidden", "12", "--model.embedding", "8", "--model.layers", "2",
             "--model.attention", "true", "--dataset.context", "16"],
    "gru": ["textgen", "--model", "gru", "--model.hidden", "12", "--model.embedding", "8", "--model.layers", "1",
            "--dataset.context", "16", "--dataset.tokens", "words", "--dataset.vocabulary", "300"],
    "gpt": ["textgen", "--model", "transformer", "--model.width", "8", "--model.heads", "2", "--model.layers", "2",
            "--dataset.context", "16"],
    "translation": ["translation", "--model", "transformer", "--model.width", "8", "--model.heads", "2",
                    "--model.layers", "1", "--model.decoder-layers", "1", "--dataset.pairs", "400",
                    "--dataset.vocabulary", "120"],
    "recurrent": ["translation", "--model", "recurrent", "--model.width", "8", "--model.embedding", "6",
                  "--dataset.pairs", "400", "--dataset.vocabulary", "120"],
    "conjugation": ["conjugation", "--model", "attention", "--model.width", "8", "--model.heads", "2",
                    "--model.embedding", "8", "--dataset.vocabulary", "200", "--dataset.embeddings", "none"],
    "rnn": ["conjugation", "--model", "rnn", "--model.units", "6", "--model.embedding", "8",
            "--dataset.vocabulary", "200", "--dataset.embeddings", "none"],
}  # fmt: skip
QUESTIONS = {"translation": "the cat sees a dog", "recurrent": "the cat sees a dog",
             "conjugation": "The value ___ 3 or 4 .", "rnn": "The value ___ 3 or 4 ."}  # fmt: skip


@pytest.fixture(scope="module")
def trained(tmp_path_factory: pytest.TempPathFactory) -> Callable[[str], Loaded]:
    """Runs by name, each trained for a moment when it is first asked for."""
    workspace = tmp_path_factory.mktemp("workspace")
    made: dict[str, Loaded] = {}

    def get(name: str) -> Loaded:
        if name not in made:
            assert main(["train", *RUNS[name], *SHORT, "--name", name, "--workspace", str(workspace), "--quiet"]) == 0
            (folder,) = (
                p for p in (workspace / "runs").iterdir() if json.loads((p / "run.json").read_text())["name"] == name
            )
            made[name] = load_predictor(CATALOG, RunFolder(folder))
        return made[name]

    return get


def asked(loaded: Loaded, inference: str, **options: Any) -> Any:
    return asked_otherwise(CATALOG, loaded, Question(inference, options)).predictor


def examples(loaded: Loaded, folder: Path) -> Any:
    return validation_split(CATALOG, loaded, make_context(CATALOG, folder, offline=True))


@pytest.mark.parametrize("name", RUNS)
def test_every_reader_is_looked_into(name: str, trained: Callable[[str], Loaded], tmp_path: Path) -> None:
    """Samples and answers of every component that fits; those that do not say why."""
    loaded = trained(name)
    split, rng = examples(loaded, tmp_path), np.random.default_rng(0)
    fits = {"attention": name not in ("gru", "rnn"), "gates": name in ("lstm", "gru", "rnn", "recurrent")}
    if RUNS[name][0] != "conjugation":
        fits["surprise"] = True
    for inference, fitting in fits.items():
        if not fitting:
            with pytest.raises(UsageError, match="and the model has none"):
                asked(loaded, inference)
            continue
        predictor = asked(loaded, inference)
        before = predictor.model.training
        samples = checked(predictor.samples(2, rng, split), inference)
        assert samples and predictor.model.training == before
        inputs = predictor.read([QUESTIONS.get(name, "the value is 1")])
        answers = predictor.predict(inputs)
        json.dumps(answers)
        assert checked(predictor.show(inputs, answers), inference)
        assert predictor.draw(inputs[0], answers[0]).width > 20
        assert predictor.read(predictor.example(split, rng, tmp_path)[:1])


def test_attention_over_the_source_has_a_row_a_word(trained: Callable[[str], Loaded]) -> None:
    for name in ("translation", "recurrent"):
        loaded = trained(name)
        (answer,) = asked(loaded, "attention").predict(["the cat sees a dog"])
        (own,) = loaded.predictor.predict(["the cat sees a dog"])
        info: Any = loaded.predictor.info
        across = [o for o in answer["layers"] if o["rows"] == answer["written"] and o["columns"][-1] == "∎"]
        assert across, [(o["name"], o["rows"], o["columns"]) for o in answer["layers"]]
        for layer in across:
            weights = np.array(layer["weights"])
            assert weights.shape == (len(layer["rows"]), len(layer["columns"]))
            assert weights.sum(1) == pytest.approx(np.ones(len(weights)), abs=1e-4), "nothing is left out"
        assert len(answer["written"]) <= 2 * len(across[0]["columns"]) + 11
        assert own["translation"] or len(answer["written"]) == 1, info


def test_attention_is_what_the_model_says_it_is(trained: Callable[[str], Loaded]) -> None:
    """Translation's models offer their weights themselves."""
    for name in ("translation", "recurrent"):
        loaded = trained(name)
        predictor = asked(loaded, "attention")
        passage = predictor.reading.passage("the cat sees a dog")
        with torch.no_grad():
            expected = cast(Any, loaded.predictor.model).attend(*passage.inputs)[0].numpy()
        found = [o for o in predictor.looked(passage) if o.weights.shape == expected.shape and "own" not in o.name]
        assert any(np.allclose(o.weights, expected, atol=1e-5) for o in found)


def test_a_gap_is_read_as_the_conjugator_reads_it(trained: Callable[[str], Loaded]) -> None:
    for name in ("conjugation", "rnn"):
        loaded = trained(name)
        sentence = "The value of x ___ 3 , or None ."
        (own,) = loaded.predictor.predict([sentence])
        predictor = asked(loaded, "attention" if name == "conjugation" else "gates")
        passage = predictor.reading.passage(sentence)
        probabilities = loaded.predictor.forward(*passage.inputs).softmax(1)[0].tolist()
        assert probabilities == pytest.approx(list(own["probabilities"].values()), abs=1e-6)


def test_the_wrong_number_of_gaps_is_named(trained: Callable[[str], Loaded]) -> None:
    predictor = asked(trained("conjugation"), "attention")
    for sentence, said in (("no gap here", "no gap"), ("a ___ b ___", "2 gaps"), ("  ", "an empty text")):
        with pytest.raises(Exception, match=said):
            predictor.read([sentence])


def test_a_text_that_the_model_cannot_hold_is_refused(trained: Callable[[str], Loaded]) -> None:
    with pytest.raises(Exception, match="a text of 20 tokens: the model holds 16 at once"):
        asked(trained("gpt"), "attention").read(["the value of a value"])


def test_what_the_text_never_had_is_named(trained: Callable[[str], Loaded]) -> None:
    with pytest.raises(Exception, match="never had: '日'"):
        asked(trained("lstm"), "surprise").read(["日"])


def test_a_layer_that_is_not_there_is_named_with_the_nearest(trained: Callable[[str], Loaded]) -> None:
    for inference, layer, near in (("attention", "layer.1", "layers.1"), ("gates", "layers.7", "layers.")):
        loaded = trained("gpt" if inference == "attention" else "lstm")
        with pytest.raises(Exception, match=rf"no .*{layer}.*{near}"):
            asked(loaded, inference, layer=layer).predict(["the value"])


def test_heads_are_shown_one_by_one(trained: Callable[[str], Loaded]) -> None:
    loaded = trained("gpt")
    (mean,) = asked(loaded, "attention", layer="layers.1").predict(["the value"])
    (apart,) = asked(loaded, "attention", layer="layers.1", heads=True).predict(["the value"])
    heads = np.array([layer["weights"] for layer in apart["layers"]])
    assert len(heads) == 2
    assert np.allclose(heads.mean(0), mean["layers"][0]["weights"], atol=1e-6)
    assert not np.triu(heads, 1).any(), "nobody looks at what is to come"


def test_surprise_is_the_models_own_cross_entropy(trained: Callable[[str], Loaded], tmp_path: Path) -> None:
    loaded = trained("lstm")
    surprise: Surprise = asked(loaded, "surprise")
    text = "the value of an object is an object"
    (answer,) = surprise.predict([text])
    tokens = surprise.reading.passage(text).inputs[0]
    logits = loaded.predictor.forward(tokens)
    loss = F.cross_entropy(logits[0, :-1], tokens[0, 1:])
    assert answer["bits"][0] is None
    assert answer["bits_per_token"] == pytest.approx(float(loss) / math.log(2), rel=1e-4)
    assert "".join(answer["tokens"]) == text
    file = tmp_path / "text.txt"
    file.write_text(text)
    assert surprise.read([str(file)]) == [text]


def test_a_long_text_is_read_window_by_window(trained: Callable[[str], Loaded]) -> None:
    """Each token after half a window at least of what the model can hold."""
    surprise: Surprise = asked(trained("gpt"), "surprise")
    tokens = torch.arange(50)[None] % 40
    limit = cast(int, surprise.model.limit)
    whole = surprise._logits(tokens)
    assert whole.shape[0] == 50
    starts = [0] * limit + [min(-(-(place - limit + 1) // (limit - limit // 2)) * (limit - limit // 2), 50 - limit)
                            for place in range(limit, 50)]  # fmt: skip
    for place, start in enumerate(starts):
        assert place - start >= limit // 2 or start == 0
        alone = surprise.model(tokens[:, start : start + limit])[0, place - start]
        assert torch.allclose(whole[place], alone.detach(), atol=1e-5), place


class Bare(nn.Module):
    def __init__(self, rnn: nn.LSTM | nn.GRU) -> None:
        super().__init__()
        self.rnn = rnn

    def forward(self, x: Tensor, before: Any = None) -> Tensor:
        if before is None:
            return cast(Tensor, self.rnn(x)[0])
        steps = []
        for place in range(x.shape[1]):
            out, before = self.rnn(x[:, place : place + 1], before)
            steps.append(out)
        return torch.cat(steps, 1)


@settings(max_examples=25, deadline=None)
@given(
    kind=st.sampled_from([nn.LSTM, nn.GRU]), layers=st.integers(1, 3), both=st.booleans(), bias=st.booleans(),
    size=st.integers(1, 5), length=st.integers(1, 7), seed=st.integers(0, 99),
)  # fmt: skip
def test_cells_compute_what_torchs_layers_compute(
    kind: type[nn.LSTM | nn.GRU], layers: int, both: bool, bias: bool, size: int, length: int, seed: int
) -> None:
    torch.manual_seed(seed)
    rnn = kind(3, size, layers, bias=bias, batch_first=True, bidirectional=both)
    x = torch.randn(1, length, 3)
    found = traces(Bare(rnn), (x,))
    ways = 2 if both else 1
    assert len(found) == layers * ways
    outputs = torch.cat([trace.output for trace in found[-ways:]], 1)
    assert torch.allclose(outputs, rnn(x)[0][0], atol=1e-5)
    for trace in found:
        assert all(float(gate.min()) >= 0 and float(gate.max()) <= 1 for gate in trace.gates.values())
        assert float(trace.bounded.abs().max()) <= 1
    if not both:  # step by step, from a state
        state = torch.randn(layers, 1, size)
        before = (state, state.flip(2)) if kind is nn.LSTM else state
        stepwise = traces(Bare(rnn), (x, before))[-1]
        assert torch.allclose(stepwise.output, rnn(x, before)[0][0], atol=1e-5)


@given(
    heads=st.integers(1, 3),
    places=st.integers(1, 5),
    width=st.integers(1, 6),
    masked=st.sampled_from(["no", "bool", "float", "causal"]),
)
def test_products_have_the_weights_that_torch_uses(heads: int, places: int, width: int, masked: str) -> None:
    query, key, value = (
        torch.randn(1, heads, places, 4),
        torch.randn(1, heads, width, 4),
        torch.randn(1, heads, width, 4),
    )
    mask: Tensor | None = None
    if masked == "bool":
        mask = torch.rand(places, width) > 0.4
        mask[:, 0] = True
    elif masked == "float":
        mask = torch.randn(places, width)
    causal = masked == "causal"
    expected = F.scaled_dot_product_attention(query, key, value, mask, is_causal=causal)
    found = product_weights(query, key, value, mask, is_causal=causal) @ value
    assert torch.allclose(found, expected, atol=1e-5)


def test_torchs_own_attention_is_seen_too() -> None:
    layer = nn.TransformerEncoderLayer(8, 2, 16, batch_first=True, dropout=0.0)
    model = nn.TransformerEncoder(layer, 2, enable_nested_tensor=False)
    found = attention_of(model, (torch.randn(1, 5, 8),))
    assert [one.module for one in found] == ["layers.0.self_attn", "layers.1.self_attn"]
    assert all(torch.allclose(one.weights.sum(-1), torch.ones(1), atol=1e-5) for one in found)
    assert torch.backends.mha.get_fastpath_enabled()


QUOTED = 'He said "no, not today", and went.\nShe asked (twice) "why then?" of 12 men.\n\nA "line" here. '


def test_units_that_follow_something_are_found_and_named() -> None:
    text = QUOTED * 30
    pieces, rng = list(text), np.random.default_rng(0)
    state = rng.normal(size=(len(pieces), 20))
    measured = things(text)
    state[:, 7] = 2 * measured["inside quotes"] - 1 + rng.normal(0, 0.1, len(pieces))
    state[:, 3] = -measured["line end"]
    found = followers(pieces, {"noise": rng.normal(size=(len(pieces), 5)), "layer": state})
    named = {one.thing: one for one in found}
    assert (named["inside quotes"].layer, named["inside quotes"].unit) == ("layer", 7)
    assert (named["line end"].unit, round(named["line end"].correlation, 6)) == (3, -1)
    assert {one.thing for one in found if one.closely} == {"inside quotes", "line end"}, "chance names nobody"


def test_what_is_inside_quotes_and_brackets() -> None:
    marked = things('a "b" (c)\n“d” "e\n\nf')
    assert (
        "".join(str(int(v)) for v in marked["inside quotes"])
        == "001100000" + "0" + "110" + "0" + "11" + "1" + "0" + "0"
    )
    assert "".join(str(int(v)) for v in marked["inside brackets"]) == "0000001100" + "0" * 9
    assert "digit" not in marked, "nothing in it varies"


def test_samples_of_gates_are_pictures_text_and_names(trained: Callable[[str], Loaded], tmp_path: Path) -> None:
    loaded = trained("lstm")
    gates = asked(loaded, "gates", searched=600, units=5, tokens=20)
    made = gates.samples(1, np.random.default_rng(0), examples(loaded, tmp_path))
    pictures = [sample for sample in made if isinstance(sample, Images)]
    assert [p.name for p in pictures] == ["gates-1-layers.0", "gates-1-layers.1"]
    assert pictures[0].images.shape == (4, 5 * 4, 20 * 6, 3)
    assert list(pictures[0].captions) == ["state", "input gate", "forget gate", "output gate"]
    (table,) = (sample for sample in made if isinstance(sample, Table))
    assert {"line end", "blank"} <= {str(row[0]) for row in table.rows}
    units = [sample for sample in made if isinstance(sample, Shaded)]
    assert len(units) == min(3, sum(row[3] == "closely" for row in table.rows))


def test_a_stretch_is_shown_where_something_happens() -> None:
    pieces = list("nothing is said here, " * 20 + 'but "here" it "is" said. ' * 3 + "nothing again, " * 10)
    stretch = liveliest(pieces, "inside quotes", 60)
    assert "".join(pieces[stretch]).count('"') >= 8
    assert liveliest(list('a "b"'), "inside quotes", 60) == slice(0, 60), "a short text is all of it"


@given(st.lists(st.text("ab \n", max_size=6), max_size=60))
def test_lines_of_pictures_are_broken_between_words(pieces: list[str]) -> None:
    values = [float("nan"), *np.linspace(-1, 1, len(pieces) - 1)] if pieces else []
    picture = coloured_text(pieces, values, (-1, 1))
    assert picture.width == 900 and picture.height >= 42
    font = ImageFont.load_default(16)
    placed = list(_placed(list(shades(pieces, values, (-1, 1))), font))
    assert "".join(part for _, _, _, part, _ in placed) == "".join(pieces).replace("\n", "")
    for (x, line, width, part, _), (_, after, _, following, _) in pairwise(placed):
        assert after >= line and (x + width <= 900 or len(part) > 100)
        if after > line and part and following and "\n" not in pieces:
            assert part[-1] == " " or following[0] == " " or len("".join(pieces).split()[0]) > 80


def test_pictures_stand_below_their_names() -> None:
    grey, colour = np.full((10, 30), 7, np.uint8), np.full((5, 20, 3), 9, np.uint8)
    picture = stacked({"one": grey, "a longer name than the pictures are wide": colour})
    assert picture.height == 10 + 5 + 2 * 20 and picture.width > 100
    assert picture.getpixel((3, 25)) == (7, 7, 7) and picture.getpixel((3, 52)) == (9, 9, 9)
    assert stacked({}).size == (1, 1)
