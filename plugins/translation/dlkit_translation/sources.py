"""What this plugin's data sets need."""

from __future__ import annotations

from dlkit import LayoutFile, SourceSpec

FRA_ENG = SourceSpec(
    name="fra-eng",
    summary="English and French sentences that mean the same, from tatoeba.org",
    # https://www.manythings.org/anki/fra-eng.zip is renewed now and then, so no checksum can be declared and nothing
    # is fetched unseen. Any year's fra.txt will do.
    layout=(LayoutFile("fra.txt"),),
    licence="CC BY 2.0 FR",
    citation="Tatoeba Project, https://tatoeba.org; selected by Charles Kelly, https://www.manythings.org/anki/",
    homepage="https://www.manythings.org/anki/",
)
FRA_ENG_ARCHIVE = "https://www.manythings.org/anki/fra-eng.zip"
