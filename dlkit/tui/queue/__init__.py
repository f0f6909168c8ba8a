"""What waits for a device, and who holds which."""
