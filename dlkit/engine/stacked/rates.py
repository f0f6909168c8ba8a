"""The learning rate of each row, at each step."""

from __future__ import annotations

from collections.abc import Sequence

from dlkit.engine.schedules import Schedule
from dlkit.engine.supervised import SupervisedTrainer


class Rates:
    """Of trainers whose options differ; asked for anew when somebody has changed them."""

    def __init__(self, trainers: Sequence[SupervisedTrainer]) -> None:
        self._base = [trainer.rates()[0][0] for trainer in trainers]
        # Rows of one course share its function: most stacks have one.
        courses: dict[tuple[str, float, float], Schedule | None] = {}
        self._courses: list[tuple[str, float, float]] = []
        for trainer in trainers:
            config = trainer.config
            key = config.schedule, config.warmup, config.final
            if key not in courses:
                courses[key] = trainer.schedule()
            self._courses.append(key)
        self._schedules = courses

    def at(self, step: int) -> list[float]:
        """As each trainer would have it alone: the base rate times its schedule's factor."""
        factors = {key: None if course is None else course(step) for key, course in self._schedules.items()}
        if all(factor is None for factor in factors.values()):
            return self._base
        rows = zip(self._base, self._courses, strict=True)
        return [rate if (factor := factors[key]) is None else rate * factor for rate, key in rows]
