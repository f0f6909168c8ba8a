"""A grammar of English sentences with their French: every derivation is one pair, and they can be counted."""
