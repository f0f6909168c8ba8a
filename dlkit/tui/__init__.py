"""The terminal interface: everything it shows it reads from run folders, everything it does the command line can do."""
