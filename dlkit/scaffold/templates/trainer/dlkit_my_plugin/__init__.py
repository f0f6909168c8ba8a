"""A dlkit plugin: a trainer."""
