"""Word vectors in word2vec's text format."""

from __future__ import annotations

from pathlib import Path

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st
from hypothesis.extra import numpy as arrays

from dlkit.data.text.vectors import read_vectors, vectors_size, write_vectors
from dlkit.errors import DataError

FINITE = st.floats(width=32, allow_nan=False, allow_infinity=False)
MATRICES = arrays.arrays(np.float32, st.tuples(st.integers(1, 5), st.integers(1, 4)), elements=FINITE)


@given(MATRICES)
def test_what_is_written_is_read_to_the_bit(tmp_path_factory: pytest.TempPathFactory, matrix: np.ndarray) -> None:
    path = tmp_path_factory.mktemp("vectors") / "v.txt"
    words = [f"w{i},é" for i in range(len(matrix))]
    write_vectors(path, words, matrix)
    assert vectors_size(path) == matrix.shape[1]
    found = dict(read_vectors(path))
    assert list(found) == words
    np.testing.assert_array_equal(np.stack(list(found.values())), matrix)


@pytest.mark.parametrize(
    ("text", "said"),
    [
        ("", "line 1: must be the number of words"),
        ("cat 1 2\n", "line 1: must be the number of words"),
        ("1 2\ncat 1 x\n", "line 2: could not convert"),
        ("2 2\ncat 1 2\n\ndog 1 2 3\n", "line 4: 3 numbers after 'dog', not 2"),
    ],
)
def test_what_is_wrong_is_named_with_its_line(tmp_path: Path, text: str, said: str) -> None:
    path = tmp_path / "v.txt"
    path.write_text(text, encoding="utf-8")
    with pytest.raises(DataError, match=rf"v\.txt: {said}"):
        list(read_vectors(path))


def test_a_file_that_is_not_there_or_not_text_is_named(tmp_path: Path) -> None:
    (tmp_path / "v.txt").write_bytes(b"1 1\n\xff 1\n")
    for path in (tmp_path / "v.txt", tmp_path / "w.txt"):
        with pytest.raises(DataError, match=path.name):
            list(read_vectors(path))
