"""A dlkit plugin: a launcher."""
