"""What the screens share: their frame, lists, dialogs, the poller, settings, the terminal."""
