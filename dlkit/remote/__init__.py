"""Other machines by plain ssh: their runs in a mirror here, orders carried out there. No server, no port."""
