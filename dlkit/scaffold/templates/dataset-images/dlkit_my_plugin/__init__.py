"""A dlkit plugin: a data set."""
