"""A dlkit plugin: a model."""
