"""Learning-rate schedules: factors in [0, 1] of the peak rate, pure functions of the step, so nothing to save."""

from __future__ import annotations

import math
from collections.abc import Callable

Schedule = Callable[[int], float]


def build_schedule(name: str, total: int, warmup: float, final: float) -> Schedule | None:
    """The factor at each step 0 … total−1; None for a constant rate without warm-up.

    ``warmup`` and ``final`` are shares (of the run, of the peak). *one-cycle* rises linearly to the peak and falls
    linearly to ``final`` (Smith and Topin 2019, arXiv 1708.07120, in its two-phase linear form); *cosine* falls along
    half a cosine (Loshchilov and Hutter 2017, arXiv 1608.03983). Beyond the end the last value holds.
    """
    if name == "constant" and warmup == 0:
        return None
    rise = max(1, round(total * (warmup or (0.25 if name == "one-cycle" else 0))))
    rising = warmup > 0 or name == "one-cycle"

    # torch's schedulers carry a state, which would have to be saved, and changed for a resume with more epochs.
    def factor(step: int) -> float:
        if rising and step < rise:
            return (step + 1) / (rise + 1)  # neither 0 at the first step nor the peak before the rise is over
        start = rise if rising else 0
        progress = min(1.0, (step - start) / max(1, total - start))
        if name == "one-cycle":
            return 1 - (1 - final) * progress
        if name == "cosine":
            return final + (1 - final) * 0.5 * (1 + math.cos(math.pi * progress))
        return 1.0

    return factor
