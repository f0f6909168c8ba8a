"""The first screen: what can be trained."""
