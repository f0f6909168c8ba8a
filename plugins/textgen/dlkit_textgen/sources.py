"""What this plugin can download."""

from __future__ import annotations

from dlkit import LayoutFile, SourceFile, SourceSpec

TINYSHAKESPEARE = SourceSpec(
    name="tinyshakespeare",
    summary="40,000 lines of Shakespeare's plays: NAME: and what is said",
    files=(
        SourceFile(
            url="https://raw.githubusercontent.com/karpathy/char-rnn/master/data/tinyshakespeare/input.txt",
            size=1_115_394,
            sha256="86c4e6aa9db7c042ec79f339dcb96d42b0075e16b8fc2e86bf0ca57e2dc565ed",
        ),
    ),
    layout=(LayoutFile("input.txt", 1_115_394),),
    licence="public domain text",
    citation="Karpathy, A. (2015). The unreasonable effectiveness of recurrent neural networks; its example text.",
    homepage="https://github.com/karpathy/char-rnn",
)
