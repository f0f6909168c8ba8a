"""What a data set of this task tells its models and predictors."""

from __future__ import annotations

from pydantic import Field

from dlkit.data.text.tokenizers import StoredTokenizer
from dlkit.task import Info


class TextInfo(Info):
    """How text becomes tokens and back, and how far a prediction may look."""

    tokenizer: StoredTokenizer = Field(description="the tokens, as data")
    vocabulary: int = Field(ge=1, description="how many tokens there are; numbers are 0 to that")
    context: int = Field(ge=2, description="tokens in a window")
