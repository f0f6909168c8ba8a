"""word2vec's skip-gram with negative sampling: formulas (2) to (9) of the README, a file for each idea."""
