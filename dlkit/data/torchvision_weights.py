"""torchvision's weights of classifiers, trained on ImageNet, as sources; dlkit declares them itself. Light: no torch.

Sizes and SHA-256 are those of the files at download.pytorch.org. The first eight digits of each hash stand in its name,
and torchvision says its size in MiB: a test compares both.
"""

from __future__ import annotations

from collections.abc import Mapping

from dlkit.components import LayoutFile, SourceFile, SourceSpec

HOST = "https://download.pytorch.org/models"
PREFIX = "torchvision-"

_FILES: Mapping[str, tuple[str, int, str]] = {
    "vgg16": (
        "vgg16-397923af.pth", 553_433_881, "397923af8e79cdbb6a7127f12361acd7a2f83e06b05044ddf496e83de57a5bf0"
    ),
    "vgg16_bn": (
        "vgg16_bn-6c64b313.pth", 553_507_836, "6c64b3138f2f4fcb3bcc4cafde11619c4f440eb1631787e93a682fd88305888a"
    ),
    "vgg19": (
        "vgg19-dcbb9e9d.pth", 574_673_361, "dcbb9e9dad569fff7a846263a77324fc34978fea2bfb039c012d710e1776ae44"
    ),
    "vgg19_bn": (
        "vgg19_bn-c79401a0.pth", 574_769_405, "c79401a0cf3cb42714e4182f5868c7a6f4f4534f5df9e956e2bb2098de41cbb6"
    ),
    "resnet18": (
        "resnet18-f37072fd.pth", 46_830_571, "f37072fd47e89c5e827621c5baffa7500819f7896bbacec160b1a16c560e07ec"
    ),
    "resnet50": (
        "resnet50-0676ba61.pth", 102_530_333, "0676ba61b6795bbe1773cffd859882e5e297624d384b6993f7c9e683e722fb8a"
    ),
    "squeezenet1_1": (
        "squeezenet1_1-b8a52dc0.pth", 4_958_839, "b8a52dc049b60e4b6ab68ad0df457362afab8b6304b2febdc1650a5dab4d7e7b"
    ),
    "mobilenet_v3_small": (
        "mobilenet_v3_small-047dcff4.pth",
        10_306_551,
        "047dcff4addef86ea5bc2eff13c9614dc11f47ab1160d0a71a25e7db994f4e1f",
    ),
    "mobilenet_v3_large": (
        "mobilenet_v3_large-8738ca79.pth",
        22_139_423,
        "8738ca797c879b547d18bbd15da5736ff2557b2036a9af72225393ca61759a04",
    ),
    "efficientnet_b0": (
        "efficientnet_b0_rwightman-7f5810bc.pth",
        21_444_401,
        "7f5810bc96def8f7552d5b7e68d53c4786f81167d28291b21c0d90e1fca14934",
    ),
    "convnext_tiny": (
        "convnext_tiny-983f1562.pth", 114_419_221, "983f1562536e84ff750a1576fb08e54de751dbf2e17c0d8a4a13704341fdcd3d"
    ),
}  # fmt: skip


def _source(network: str, file: str, size: int, sha256: str) -> SourceSpec:
    return SourceSpec(
        name=PREFIX + network.replace("_", "-"),
        summary=f"ImageNet weights of torchvision's {network}",
        files=(SourceFile(url=f"{HOST}/{file}", size=size, sha256=sha256),),
        layout=(LayoutFile(file, size, sha256),),
        licence="BSD-3-Clause (torchvision); ImageNet's terms for what it was trained on",
        citation="torchvision: PyTorch's computer vision library (2016). https://github.com/pytorch/vision",
        homepage="https://pytorch.org/vision/stable/models.html",
    )


TORCHVISION: Mapping[str, SourceSpec] = {network: _source(network, *told) for network, told in _FILES.items()}
"""By the network's name in ``torchvision.models``."""
