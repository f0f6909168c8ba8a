"""What this plugin offers: the task ``detection`` and its components."""

from __future__ import annotations
