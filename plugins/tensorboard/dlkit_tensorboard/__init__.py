"""Every run as TensorBoard's event files: an observer of what is logged."""
