"""Jobs: worker processes, launchers, queue and scheduler, device claims, control."""
