"""Pictures that are looked at through one network or another."""

from __future__ import annotations

from dlkit.errors import UsageError
from dlkit.nn.backbone import MEAN, STD
from dlkit_style import networks
from dlkit_style.features import Features, weighted
from dlkit_style.info import StyleInfo
from dlkit_style.networks import IMAGENET, Network, Statistics
from dlkit_style.observed import Observed, usual_layers
from dlkit_style.options import BackboneConfig, PictureConfig, RunConfig, SqueezeNetConfig, Vgg19Config
from dlkit_style.picture import Picture
from dlkit_style.runs import again


def vgg19(config: Vgg19Config, info: StyleInfo) -> Picture:
    """Seen through VGG-19."""
    return _picture(networks.vgg19(config.weights, config.pooling), config, info)


def squeezenet(config: SqueezeNetConfig, info: StyleInfo) -> Picture:
    """Seen through SqueezeNet 1.1."""
    return _picture(networks.squeezenet(config.weights), config, info)


def backbone(config: BackboneConfig, info: StyleInfo) -> Picture:
    """Seen through the network that comes with dlkit."""
    return _picture(networks.embedded(), config, info, (MEAN, STD))


def run(config: RunConfig, info: StyleInfo) -> Picture:
    """Seen through the network of an earlier run; UsageError if none is named."""
    if info.network is None:
        raise UsageError("model run: name the run whose network it is with --dataset.network RUN")
    found = again(info.network)
    network = Observed(found.network)
    if not (config.content_layers and config.style_layers):
        content, styles = usual_layers(network)
        chosen = {"content_layers": config.content_layers or content, "style_layers": config.style_layers or styles}
        config = config.model_copy(update=chosen)
    return _picture(network, config, info, (found.mean, found.std))


def _picture(network: Network, config: PictureConfig, info: StyleInfo, pixels: Statistics = IMAGENET) -> Picture:
    shares = (
        weighted(config.content_layers, network.names, "content_layers"),
        weighted(config.style_layers, network.names, "style_layers"),
    )
    layers = sorted({*shares[0], *shares[1]}, key=network.names.index)
    return Picture(Features(network, layers, *pixels), shares, info, config)
