"""Sets of derivations that are never written out: they know their size, any one of them, and how to draw one."""

from __future__ import annotations

import math
from abc import ABC, abstractmethod
from bisect import bisect_right
from collections.abc import Callable, Iterator, Sequence
from random import Random
from typing import Any, Generic, TypeVar

T = TypeVar("T")


class Space(ABC, Generic[T]):
    """A finite, ordered set; ``space[i]`` for 0 ≤ i < ``size``."""

    size: int

    @abstractmethod
    def __getitem__(self, index: int) -> T: ...

    @abstractmethod
    def draw(self, random: Random) -> T:
        """One at random; a ``Union`` draws by its weights, so not all are equally probable."""

    def __iter__(self) -> Iterator[T]:
        return (self[i] for i in range(self.size))


class Choice(Space[T]):
    """The items themselves."""

    def __init__(self, items: Sequence[T]) -> None:
        self.items = tuple(items)
        self.size = len(self.items)

    def __getitem__(self, index: int) -> T:
        return self.items[index]

    def draw(self, random: Random) -> T:
        # Random.random() gives the same numbers in every version of Python; choice() need not.
        return self.items[int(random.random() * self.size)]


class Product(Space[T]):
    """``make`` of one of each part."""

    def __init__(self, make: Callable[..., T], *parts: Space[Any]) -> None:
        self.make = make
        self.parts = parts
        self.size = math.prod(part.size for part in parts)

    def __getitem__(self, index: int) -> T:
        chosen = []
        for part in reversed(self.parts):
            index, here = divmod(index, part.size)
            chosen.append(part[here])
        return self.make(*reversed(chosen))

    def draw(self, random: Random) -> T:
        return self.make(*[part.draw(random) for part in self.parts])


class Union(Space[T]):
    """One of the parts, which have nothing in common, drawn by ``weights``."""

    def __init__(self, *weighted: tuple[float, Space[T]]) -> None:
        self.parts = tuple(part for _, part in weighted)
        self.size = sum(part.size for part in self.parts)
        total, upto = sum(weight for weight, _ in weighted), 0.0
        self._bounds = []
        for weight, _ in weighted:
            upto += weight / total
            self._bounds.append(upto)

    def __getitem__(self, index: int) -> T:
        for part in self.parts:
            if index < part.size:
                return part[index]
            index -= part.size
        raise IndexError(index)

    def draw(self, random: Random) -> T:
        number = bisect_right(self._bounds, random.random(), hi=len(self.parts) - 1)
        return self.parts[number].draw(random)
