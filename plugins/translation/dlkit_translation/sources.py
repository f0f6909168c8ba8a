"""What this plugin's data sets need."""

from __future__ import annotations

from dlkit import LayoutFile, SourceSpec

FRA_ENG = SourceSpec(
    name="fra-eng",
    summary="English and French sentences that mean the same, from tatoeba.org",
    # The archive is renewed now and then, so no checksum can be declared, and nothing is fetched unproved. Any year's
    # fra.txt will do.
    layout=(LayoutFile("fra.txt"),),
    licence="CC BY 2.0 FR",
    citation="Tatoeba Project, https://tatoeba.org; selected by Charles Kelly, https://www.manythings.org/anki/",
    homepage="https://www.manythings.org/anki/fra-eng.zip",
)
