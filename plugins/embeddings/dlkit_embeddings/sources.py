"""What the data sets need."""

from __future__ import annotations

from dlkit import LayoutFile, SourceSpec

GUTENBERG = SourceSpec(
    name="gutenberg-books",
    summary="Books in folders train, val and test: text files of your choice, from Project Gutenberg, say",
    layout=(
        LayoutFile("train/war_and_peace.txt"),
        LayoutFile("val/a_study_in_scarlet.txt"),
        LayoutFile("test/Twenty_Thousand_Leagues_under_the_Sea.txt"),
    ),
    licence="public domain in the USA; see each book's own",
    citation="Project Gutenberg, https://www.gutenberg.org",
    homepage="https://www.gutenberg.org",
)
