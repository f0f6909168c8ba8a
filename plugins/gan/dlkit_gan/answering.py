"""Images drawn from seeds, by an exported model: NumPy, and Pillow for the pictures."""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np
from PIL import Image

from dlkit.answering import Answered, Answering, Values, softmax
from dlkit_gan.seeds import accepted_seed, noise_of, read_seeds


class SeedAnswering(Answering):
    """``given``: ``latent``, ``kinds`` and ``temperature`` of the latents; ``classes`` of the judge, or none."""

    usage = "seeds: whole numbers such as 7, or ranges such as 0-15"
    asks = "seed"
    draws = True

    def read(self, words: Sequence[str]) -> list[int]:
        return read_seeds(words)

    def accept(self, value: object) -> int:
        return accepted_seed(value)

    def predict(self, inputs: Sequence[int]) -> list[Answered]:
        """``seed``; of digits also ``class`` and ``sure``, as ``Artist.predict``."""
        answers: list[Answered] = []
        for some in self.batches([int(seed) for seed in inputs]):
            if not self.given["classes"]:
                answers += [{"seed": seed} for seed in some]
                continue
            shares = softmax(self.run("judge", image=self._images(some))["logits"])
            answers += [self._judged(seed, row) for seed, row in zip(some, shares, strict=True)]
        return answers

    def draw(self, value: int, answer: Answered) -> Image.Image:
        pixels = ((self._images([int(value)])[0] + 1) * 127.5).round().clip(0, 255).astype(np.uint8)
        return Image.fromarray(pixels[0] if len(pixels) == 1 else np.moveaxis(pixels, 0, -1))

    def stem(self, value: object) -> str:
        return f"seed-{value}"

    def _images(self, seeds: Sequence[int]) -> Values:
        """float32 [N,C,H,W] in [−1, 1]."""
        latents = noise_of(seeds, self.given["latent"], self.given["kinds"], self.given["temperature"])
        return self.run("generator", latent=latents)["image"]

    def _judged(self, seed: int, shares: Values) -> Answered:
        best = int(shares.argmax())
        return {"seed": seed, "class": self.given["classes"][best], "sure": round(float(shares[best]), 4)}
