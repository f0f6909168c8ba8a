"""The engine: the loop, trainers, checkpoints, device and precision. It knows nothing of tasks."""
