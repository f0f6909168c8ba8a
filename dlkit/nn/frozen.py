"""Parts of a network that never change: a backbone that somebody else has trained, say.

They are stored once per run, not in every checkpoint; the moving average leaves them alone, and so does every
optimizer, since they have no gradients. That a part is frozen has to be said: a parameter without gradient may well
change (a momentum encoder does).
"""

from __future__ import annotations

from collections.abc import Iterator
from typing import TypeVar

from torch import nn

M = TypeVar("M", bound=nn.Module)
_MARK = "dlkit_frozen"


def freeze(module: M) -> M:
    """The module, of which no parameter and no buffer changes from now on: without gradients, in evaluation mode.

    Nothing in dlkit puts a module into training mode again; a model that does so itself leaves these alone.
    """
    module.requires_grad_(False).eval()
    setattr(module, _MARK, True)
    return module


def frozen_names(module: nn.Module) -> frozenset[str]:
    """The state names of everything in it that is frozen."""
    return frozenset(_names(module))


def _names(module: nn.Module) -> Iterator[str]:
    for name, part in module.named_modules(remove_duplicate=False):
        if getattr(part, _MARK, False):
            yield from part.state_dict(prefix=f"{name}." if name else "")
