"""Real jobs for tests of screens."""

from __future__ import annotations

from jobsite import plugins, quick, site, workspace, zygote_address

__all__ = ["plugins", "quick", "site", "workspace", "zygote_address"]
