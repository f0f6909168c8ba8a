"""``python -m dlkit`` is the same as ``dlkit``."""

import sys

from dlkit.cli.main import main

sys.exit(main())
