"""The nearest words, of an exported model: its vectors are data, and NumPy and regex compare them."""

from __future__ import annotations

from collections.abc import Sequence

from dlkit.answering import Answered, Answering, Given, RunGraph
from dlkit.question_schema import text_of
from dlkit_embeddings.word_vectors.questions import Question, parse_question
from dlkit_embeddings.word_vectors.space import Space


def placed(space: Space, asked: Question) -> tuple[list[int], list[int]]:
    """The numbers of words to add and to take away; DataError names one that has no vector."""
    return [space.place(word) for word in asked.plus], [space.place(word) for word in asked.minus]


def near(space: Space, text: str, top: int) -> dict[str, object]:
    """``question``, ``words`` and their ``scores`` (cosines)."""
    found = space.nearest(*placed(space, parse_question(text)), top)
    return {"question": text, "words": [w for w, _ in found], "scores": [round(s, 4) for _, s in found]}


class Near(Answering):
    """``given``: ``words``, ``vectors`` float32 [words, size], ``lower``, ``rules``, and ``top``: how many it names."""

    usage = "a word, or an analogy ('king - man + woman')"

    def __init__(self, given: Given, run: RunGraph) -> None:
        super().__init__(given, run)
        self._space = Space(given["words"], given["vectors"], lower=given["lower"], rules=given["rules"])

    def read(self, words: Sequence[str]) -> list[str]:
        return [self.accept(word) for word in words]

    def accept(self, value: object) -> str:
        """A word or an analogy; DataError names a word that has no vector."""
        text = text_of(value, "a word or an analogy")
        placed(self._space, parse_question(text))
        return text

    def predict(self, inputs: Sequence[object]) -> list[Answered]:
        """As of ``neighbours``, of questions."""
        return [near(self._space, str(value), self.given["top"]) for value in inputs]
