"""The probe: what a configuration costs, which rate suits it, whether it fits: tried in a process that may die."""
