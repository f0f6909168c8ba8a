"""Runs trained as one: the weights of many small networks along a first axis, one pass for all of them.

``differing`` says what may differ between them, without torch; ``training`` starts and resumes them.
"""
