"""The conformance kit: whether a plugin keeps what its contracts say, rule by rule.

``dlkit check-plugin NAME`` runs it. ``dlkit.testing.contracts`` has the same as classes for pytest, one a kind of
component. Every rule is a file in ``dlkit/testing/rules/``; docs/rules.md is made from them.
"""
