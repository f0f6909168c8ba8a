"""What an interface shows, without any interface: live runs, curves, forms, questions. No Textual here, and no torch."""
