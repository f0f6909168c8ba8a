"""What is declared of torchvision's weights agrees with what torchvision says of them."""

from __future__ import annotations

import pytest
import torchvision  # type: ignore[import-untyped]

from dlkit.data.torchvision_weights import TORCHVISION

MIB = 1 << 20


@pytest.mark.parametrize("network", TORCHVISION)
def test_address_hash_and_size_are_torchvisions(network: str) -> None:
    (file,) = TORCHVISION[network].files
    told = {weights.url: weights.meta["_file_size"] for weights in torchvision.models.get_model_weights(network)}
    assert abs(told[file.url] - file.size / MIB) <= 0.0006  # it rounds to thousandths
    assert file.sha256[:8] in file.url and len(file.sha256) == 64
    assert [(layout.path, layout.size, layout.sha256) for layout in TORCHVISION[network].layout] == [
        (file.filename, file.size, file.sha256)
    ]
