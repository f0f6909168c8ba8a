"""What a data set of this task tells its models and predictors."""

from __future__ import annotations

from pydantic import Field

from dlkit.data.text.tokenizers import StoredTokenizer
from dlkit.task import Info


class TranslationInfo(Info):
    """How sentences become tokens and tokens sentences: enough to answer text.

    Both tokenizers have padding, unknown, begin and end at 0 to 3 (``dlkit.data.text.pieces``).
    """

    source: StoredTokenizer = Field(description="tokens of the language that is translated from")
    target: StoredTokenizer = Field(description="tokens of the language that is translated into")
    sizes: tuple[int, int] = Field(description="how many tokens there are, of source and target")
    joint: bool = Field(description="whether both have the same tokens")
    languages: tuple[str, str] = Field(("source", "target"), description="names of the languages")
