"""torchrun without its report of failures: each rank leaves its own, and the supervisor tells the first.

``python -m dlkit.jobs.torchrun ARGUMENTS OF torchrun``; exits with 1 if a process failed.
"""

from __future__ import annotations

import logging
import sys


def main(argv: list[str]) -> int:
    from torch.distributed.elastic.multiprocessing.api import SignalException
    from torch.distributed.elastic.multiprocessing.errors import ChildFailedError
    from torch.distributed.run import parse_args, run

    # Its report tells of the launcher's own view; ours has the rank's traceback and what can be done.
    logging.getLogger("torch.distributed.elastic").setLevel(logging.CRITICAL)
    try:
        run(parse_args(argv))  # type: ignore[no-untyped-call]
    except (ChildFailedError, SignalException):
        return 1
    return 0


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
