"""Studies: from a question to an answer one may trust. A study's folder is the truth; its trials are ordinary runs."""
