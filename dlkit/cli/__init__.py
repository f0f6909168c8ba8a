"""The headless command line: one module a command, results on stdout, talk on stderr."""
