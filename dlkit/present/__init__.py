"""What people read, whoever shows it: numbers, text made safe, tables, plots, samples, and words for what happens.

Functions from values to text, below the command line, the interface and the web. Nothing here acts on a run, reads the
command line, or knows a widget; exit codes are the command line's.
"""
