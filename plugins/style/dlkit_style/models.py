"""Pictures that are looked at through one network or another."""

from __future__ import annotations

from dlkit_style.features import Features, weighted
from dlkit_style.info import StyleInfo
from dlkit_style.networks import IMAGENET, Chain
from dlkit_style.networks import squeezenet as squeezenet_network
from dlkit_style.networks import vgg19 as vgg19_network
from dlkit_style.options import PictureConfig, SqueezeNetConfig, Vgg19Config
from dlkit_style.picture import Picture


def vgg19(config: Vgg19Config, info: StyleInfo) -> Picture:
    """Seen through VGG-19."""
    return _picture(vgg19_network(config.weights, config.pooling), config, info)


def squeezenet(config: SqueezeNetConfig, info: StyleInfo) -> Picture:
    """Seen through SqueezeNet 1.1."""
    return _picture(squeezenet_network(config.weights), config, info)


def _picture(network: Chain, config: PictureConfig, info: StyleInfo) -> Picture:
    shares = (
        weighted(config.content_layers, network.names, "content_layers"),
        weighted(config.style_layers, network.names, "style_layers"),
    )
    layers = sorted({*shares[0], *shares[1]}, key=network.names.index)
    return Picture(Features(network, layers, *IMAGENET), shares, info, config)
