"""A trained run as files that answer without dlkit, and the proof that they answer the same.

``exported`` reads such a folder and imports neither torch nor pydantic; ``formats`` writes one.
"""
