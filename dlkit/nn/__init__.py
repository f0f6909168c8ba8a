"""Parts of networks that models of several tasks are made of.

Names of parameters are part of every checkpoint: a part that is moved here keeps those that its models had.
"""
