"""What a client may ask for, and how long it may take."""

from __future__ import annotations

from dataclasses import dataclass


@dataclass(frozen=True)
class Limits:
    """``body``: bytes of a request. ``pixels``: of an image, from its header, before it is decoded. ``tokens``: that an
    answer may be asked to have. ``questions``: of one request. ``waiting``: questions that wait for the model at once.
    ``seconds``: until a question must be answered. ``slow``: seconds in which a request's head, and its body, must have
    come. ``connections``: open at once. ``batch``: questions that are answered together, which wait ``gather`` seconds
    for one another at most.
    """

    body: int = 20_000_000
    pixels: int = 40_000_000
    tokens: int = 2000
    questions: int = 256
    waiting: int = 512
    seconds: float = 60.0
    slow: float = 10.0
    connections: int = 512
    batch: int = 32
    gather: float = 0.002
