"""Sources that data sets of several plugins draw on; dlkit declares them itself. Light: entry points import it."""

from __future__ import annotations

from dlkit.components import LayoutFile, SourceFile, SourceSpec

# yann.lecun.com no longer serves the files; this copy is the one that PyTorch's own data sets use.
_MNIST_HOST = "https://ossci-datasets.s3.amazonaws.com/mnist"

MNIST = SourceSpec(
    name="mnist",
    summary="70 000 handwritten digits, 28×28, grey",
    files=(
        SourceFile(
            url=f"{_MNIST_HOST}/train-images-idx3-ubyte.gz",
            size=9_912_422,
            sha256="440fcabf73cc546fa21475e81ea370265605f56be210a4024d2ca8f203523609",
            unpack=True,
        ),
        SourceFile(
            url=f"{_MNIST_HOST}/train-labels-idx1-ubyte.gz",
            size=28_881,
            sha256="3552534a0a558bbed6aed32b30c495cca23d567ec52cac8be1a0730e8010255c",
            unpack=True,
        ),
        SourceFile(
            url=f"{_MNIST_HOST}/t10k-images-idx3-ubyte.gz",
            size=1_648_877,
            sha256="8d422c7b0a1c1c79245a5bcf07fe86e33eeafee792b84584aec276f5a2dbc4e6",
            unpack=True,
        ),
        SourceFile(
            url=f"{_MNIST_HOST}/t10k-labels-idx1-ubyte.gz",
            size=4_542,
            sha256="f7ae60f92e00ec6debd23a6088c31dbd2371eca3ffa0defaefb259924204aec6",
            unpack=True,
        ),
    ),
    layout=(
        LayoutFile(
            "train-images-idx3-ubyte", 47_040_016, "ba891046e6505d7aadcbbe25680a0738ad16aec93bde7f9b65e87a2fc25776db"
        ),
        LayoutFile(
            "train-labels-idx1-ubyte", 60_008, "65a50cbbf4e906d70832878ad85ccda5333a97f0f4c3dd2ef09a8a9eef7101c5"
        ),
        LayoutFile(
            "t10k-images-idx3-ubyte", 7_840_016, "0fa7898d509279e482958e8ce81c8e77db3f2f8254e26661ceb7762c4d494ce7"
        ),
        LayoutFile(
            "t10k-labels-idx1-ubyte", 10_008, "ff7bcfd416de33731a308c3f266cc351222c34898ecbeaf847f06e48f7ec33f2"
        ),
    ),
    licence="CC BY-SA 3.0",
    citation=(
        "LeCun, Y., Bottou, L., Bengio, Y. and Haffner, P. (1998). Gradient-based learning applied to document "
        "recognition. Proceedings of the IEEE 86(11), 2278–2324. doi:10.1109/5.726791"
    ),
    homepage="https://yann.lecun.com/exdb/mnist/",
)

# Without files: what is at its address changes, so no checksum could prove a download. People fetch it by hand.
LFWCROP = SourceSpec(
    name="lfwcrop",
    summary="13 233 faces, 64×64, RGB",
    layout=(LayoutFile("faces/Aaron_Eckhart_0001.ppm"),),
    licence="research use; not for redistribution",
    citation=(
        "Sanderson, C. and Lovell, B. C. (2009). Multi-region probabilistic histograms for robust and scalable "
        "identity inference. ICB 2009, LNCS 5558, 199–208; from Huang, G. B., Ramesh, M., Berg, T. and "
        "Learned-Miller, E. (2007). Labeled Faces in the Wild. University of Massachusetts, Amherst, report 07-49"
    ),
    homepage="https://conradsanderson.id.au/lfwcrop/",
)
