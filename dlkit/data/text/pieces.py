"""Training sentencepiece: one long call into C++, so in a process of its own that can be ended."""

from __future__ import annotations

import json
import re
import signal
import subprocess
import sys
import tempfile
from collections.abc import Iterable, Sequence
from pathlib import Path
from typing import Any, Literal

from dlkit.data.text.lines import BOS, EOS, LONGEST, PAD, UNK, cut_line
from dlkit.data.text.segments import BEFORE, NOW, Rules
from dlkit.errors import DataError, RunError, UsageError
from dlkit.interpreter import python

__all__ = ["BOS", "EOS", "LONGEST", "PAD", "UNK", "cut_line", "long_lines_note", "train_pieces"]

Algorithm = Literal["unigram", "bpe"]
_ALLOWED = re.compile(r"<=? ?(\d+)|>=? ?(\d+)|smaller than (?:the )?required_chars\D*\d+\D+(\d+)")
_SENTENCES = 1_000_000
"""Lines that are read at most, drawn at random from a larger text: sentencepiece holds them all in memory."""


def train_pieces(
    lines: Iterable[str],
    size: int,
    *,
    algorithm: Algorithm = "unigram",
    symbols: Sequence[str] = (),
    rules: Rules = NOW,
) -> bytes:
    """A model of ``size`` pieces, special ones and ``symbols`` (kept whole in any text) among them.

    The same lines give the same bytes. Lines longer than ``LONGEST`` are cut at blanks (by the rules of before: left
    out). UsageError if that many cannot be had, with the number allowed; DataError for
    no text at all. White space and line ends are not normalised beyond what sentencepiece does (NFKC).
    """
    with tempfile.TemporaryDirectory() as folder:
        corpus, model = Path(folder) / "lines.txt", Path(folder) / "pieces.model"
        with corpus.open("w", encoding="utf-8") as file:
            cut = (part for line in lines for part in (cut_line(line) if rules != BEFORE else [line]))
            if not sum(file.write(line.replace("\n", " ") + "\n") for line in cut if line.strip()):
                raise DataError("there is no text to learn subwords from")
        options: dict[str, Any] = {
            "vocab_size": size, "model_type": algorithm,
            "user_defined_symbols": list(symbols), "pad_id": PAD, "unk_id": UNK, "bos_id": BOS, "eos_id": EOS,
            "input_sentence_size": _SENTENCES, "shuffle_input_sentence": True, "max_sentence_length": 1 << 16,
            "num_threads": 1, "character_coverage": 1.0, "minloglevel": 2,
        }  # fmt: skip
        _run([str(corpus), str(model), json.dumps(options)], size)
        return model.read_bytes()


def long_lines_note(lines: Sequence[str]) -> list[str]:
    """What to say of lines that are cut."""
    cut = [number for number, line in enumerate(lines, 1) if len(cut_line(line)) > 1]
    what = f"lines of more than {LONGEST:,} bytes are cut at blanks for sentencepiece, which would leave them out"
    return [f"{len(cut)} {what}; the first: line {cut[0]} of the training text"] if cut else []


def _run(arguments: Sequence[str], size: int) -> None:
    words = python("dlkit.data.text.pieces", *arguments)
    with subprocess.Popen(words, stderr=subprocess.PIPE, stdout=subprocess.DEVNULL, text=True) as process:
        try:
            _, told = process.communicate()
        except BaseException:  # Ctrl-C, or the run is stopped: it must not go on alone
            process.kill()
            raise
    if process.returncode:
        raise _explained(told.strip().splitlines()[-1] if told.strip() else "", size)


def _explained(told: str, size: int) -> Exception:
    """sentencepiece names the allowed number in the middle of its own check's text."""
    if "ocabulary size" in told or "vocab_size" in told:
        numbers = [int(n) for groups in _ALLOWED.findall(told) for n in groups if n]
        too = "small" if "small" in told else "large"
        bound = f"at {'least' if too == 'small' else 'most'} {numbers[-1]}" if numbers else told
        return UsageError(f"a vocabulary of {size} pieces is too {too} for this text: {bound}")
    return RunError(f"sentencepiece: {told or 'ended without a word'}")


def main(words: Sequence[str]) -> int:
    """The process: file of lines, model file, options as JSON; what went wrong is the last line of stderr."""
    from sentencepiece import SentencePieceTrainer

    from dlkit.processes import die_with_parent

    signal.signal(signal.SIGINT, signal.SIG_IGN)  # Ctrl-C is its parent's to deal with
    die_with_parent()
    corpus, model, options = words
    try:
        # Not by name: sentencepiece writes the names of its files into the model, which is to depend on the text alone.
        with Path(corpus).open(encoding="utf-8") as lines, Path(model).open("wb") as file:
            SentencePieceTrainer.train(sentence_iterator=lines, model_writer=file, **json.loads(options))
    except (RuntimeError, OSError) as error:
        print(str(error).replace("\n", " "), file=sys.stderr)
        return 1
    return 0


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
