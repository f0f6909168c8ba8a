"""A dlkit plugin: an observer."""
