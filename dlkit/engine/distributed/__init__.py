"""Several processes that train one run together: who they are, and what they say to each other."""

from dlkit.engine.distributed.join import join, refuse_unshared
from dlkit.engine.distributed.world import World

__all__ = ["World", "join", "refuse_unshared"]
