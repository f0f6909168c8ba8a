"""What this plugin can download."""

from __future__ import annotations

from dlkit import LayoutFile, SourceFile, SourceSpec

_CIFAR_BATCH = 30_730_000
"""10 000 records of one label byte and 3 072 pixel bytes."""

CIFAR10 = SourceSpec(
    name="cifar10",
    summary="60 000 photographs of ten classes, 32×32, colour",
    files=(
        SourceFile(
            url="https://www.cs.toronto.edu/~kriz/cifar-10-binary.tar.gz",
            size=170_052_171,
            sha256="c4a38c50a1bc5f3a1c5537f2155ab9d68f9f25eb1ed8d9ddda3db29a59bca1dd",
            unpack=True,
        ),
    ),
    # Sizes only: copies that hold the same records in another order are as good.
    layout=(
        *(LayoutFile(f"cifar-10-batches-bin/data_batch_{i}.bin", _CIFAR_BATCH) for i in range(1, 6)),
        LayoutFile("cifar-10-batches-bin/test_batch.bin", _CIFAR_BATCH),
        LayoutFile("cifar-10-batches-bin/batches.meta.txt"),
    ),
    licence="none stated; cite the report",
    citation="Krizhevsky, A. (2009). Learning multiple layers of features from tiny images. University of Toronto.",
    homepage="https://www.cs.toronto.edu/~kriz/cifar.html",
)
