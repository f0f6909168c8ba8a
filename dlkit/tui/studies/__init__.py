"""Studies: their list, and one of them: its answer, its settings and their trials."""
