"""A dlkit plugin: a loss."""
