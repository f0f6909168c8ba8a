"""A dlkit plugin: the flight of a ball, learnt from a simulation."""
