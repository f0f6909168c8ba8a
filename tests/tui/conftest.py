"""Real jobs, and forms, for tests of screens."""

from __future__ import annotations

from forms import forms, stranger
from jobsite import imported, plugins, quick, site, workspace, zygote_address

__all__ = ["forms", "imported", "plugins", "quick", "site", "stranger", "workspace", "zygote_address"]
