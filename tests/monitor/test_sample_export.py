"""Samples that leave a run as files."""

from __future__ import annotations

from pathlib import Path

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st
from PIL import Image

from dlkit.errors import UsageError
from dlkit.events import Sampled, SampleRef
from dlkit.monitor.sample_export import GIF, HTML, MOST_FRAMES, PNG, export, spread
from dlkit.runs.contents import save_sample
from dlkit.runs.folder import RunFolder
from dlkit.samples import Images, Sample, Text
from recorded import record_run


def sampled(run: RunFolder, steps: dict[int, list[Sample]]) -> list[Sampled]:
    return [
        Sampled(
            step=step,
            samples=[
                SampleRef(kind=s.kind, name=s.name, title=s.title, file=save_sample(run, s, f"{step}-{place}"))
                for place, s in enumerate(made)
            ],
        )
        for step, made in steps.items()
    ]


def grey(value: int, side: int = 4) -> Images:
    return Images(name="drawn", images=np.full((2, side, side), value, np.uint8))


def test_a_film_shows_every_step_for_as_long(tmp_path: Path) -> None:
    run = record_run(tmp_path)
    events = sampled(run, {step: [grey(step), Text(name="said", text=f"at {step}")] for step in (0, 100, 200)})
    made = export(run, events, tmp_path / "out", GIF)
    assert [file.name for file in made.files] == ["drawn.gif", "said.gif"] and not made.notes
    with Image.open(made.files[0]) as film:
        assert getattr(film, "n_frames", 1) == 3
        levels = []
        for place in range(3):
            film.seek(place)
            levels.append(int((np.asarray(film.convert("RGB")) == (100 * place,) * 3).all(2).sum()))
            assert film.info["duration"] == (2000 if place == 2 else 200)
    assert min(levels) >= 2 * 32 * 32


def test_a_picture_of_each_and_a_page_of_all(tmp_path: Path) -> None:
    run = record_run(tmp_path)
    events = sampled(run, {5: [grey(1), Text(name="said", text="one")], 10: [grey(2)]})
    made = export(run, events, tmp_path / "out", PNG)
    assert sorted(f.name for f in made.files) == [
        "drawn-00000005.png", "drawn-00000010.png", "said-00000005.png",
    ]  # fmt: skip
    (page,) = export(run, events, tmp_path / "out", HTML).files
    assert page.name == f"{run.id}.html" and page.read_text().count("<section") == 3
    assert export(run, events, tmp_path / "one", PNG, only="said").files == [tmp_path / "one" / "said-00000005.png"]


def test_of_many_steps_so_many_that_lie_evenly(tmp_path: Path) -> None:
    run = record_run(tmp_path)
    most = MOST_FRAMES[GIF]
    events = sampled(run, {step: [Text(name="said", text=".")] for step in range(3 * most)})
    made = export(run, events, tmp_path, GIF)
    assert made.notes == [f"said: {most} of its {3 * most} steps, evenly apart"]
    with Image.open(made.files[0]) as film:
        assert getattr(film, "n_frames", 1) == most


@given(st.integers(1, 5000), st.integers(1, 200))
def test_places_lie_evenly_with_both_ends(count: int, most: int) -> None:
    places = spread(count, most)
    assert len(places) == min(count, most) and places == sorted(set(places))
    assert places[-1] == count - 1 and (most == 1 < count or places[0] == 0)
    gaps = np.diff(places)
    assert not len(gaps) or gaps.max() - gaps.min() <= 1


def test_what_cannot_be_shown_leaves_the_rest(tmp_path: Path) -> None:
    run = record_run(tmp_path)
    events = sampled(run, {step: [Text(name="said", text="a")] for step in range(3)})
    for torn in (0, 1):
        (run.samples / f"{torn}-0.json").write_text('{"kind": "hologram"}')
    made = export(run, events, tmp_path / "out", PNG)
    assert [file.name for file in made.files] == ["said-00000002.png"]
    (note,) = made.notes
    assert note.startswith("left out, since it cannot be shown: 0-0.json and 1 more: ")
    (run.samples / "2-0.json").unlink()
    with pytest.raises(UsageError, match="none of its samples can be read"):
        export(run, events, tmp_path / "out", GIF)


def test_names_of_others_stay_in_the_folder(tmp_path: Path) -> None:
    run = record_run(tmp_path)
    file = save_sample(run, Text(name="said", text="a"), "1-0")
    names = ("../../away", "a/b", ".", "a b", "a_b", "")
    events = [Sampled(step=1, samples=[SampleRef(kind="text", name=n, title="", file=file) for n in names])]
    made = export(run, events, tmp_path / "deep" / "out", PNG)
    assert {path.parent for path in made.files} == {tmp_path / "deep" / "out"}
    assert len({path.name for path in made.files}) == len(names)


def test_without_samples_it_says_so(tmp_path: Path) -> None:
    run = record_run(tmp_path)
    with pytest.raises(UsageError, match="no samples to write"):
        export(run, [], tmp_path, GIF)
    events = sampled(run, {1: [grey(1)]})
    with pytest.raises(UsageError, match="no sample 'x'; its samples are drawn"):
        export(run, events, tmp_path, GIF, only="x")
    with pytest.raises(UsageError, match="cannot be written"):
        export(run, events, run.config, GIF)
