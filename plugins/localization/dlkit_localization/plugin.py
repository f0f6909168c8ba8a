"""What this plugin offers: the task ``localization`` and its components."""

from __future__ import annotations
