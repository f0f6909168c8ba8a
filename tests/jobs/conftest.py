"""What tests of jobs share: processes that find the toy plugins, and a workspace in memory whose processes end."""

from __future__ import annotations

from jobsite import plugins, quick, site, tmp_path, workspace, zygote_address

__all__ = ["plugins", "quick", "site", "tmp_path", "workspace", "zygote_address"]
