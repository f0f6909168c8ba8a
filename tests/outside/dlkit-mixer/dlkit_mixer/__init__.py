"""A dlkit plugin: MLP-Mixer."""
