"""What an interface shows, without any: live runs, curves, forms, questions. No Textual here, and no torch."""
