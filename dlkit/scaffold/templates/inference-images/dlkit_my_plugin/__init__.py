"""A dlkit plugin: a predictor."""
