"""Options of the components; no torch here."""

from __future__ import annotations

from typing import Annotated, Literal, Self

from pydantic import Field, model_validator

from dlkit.config import Config, at_fork
from dlkit.data.options import Weights
from dlkit.engine.options import SupervisedConfig

Width = Annotated[int, Field(ge=1)]
Network = Literal[
    "embedded",
    "squeezenet1_1",
    "mobilenet_v3_small",
    "mobilenet_v3_large",
    "resnet18",
    "resnet50",
    "efficientnet_b0",
    "convnext_tiny",
    "vgg16",
    "vgg16_bn",
    "vgg19",
    "vgg19_bn",
]


class PretrainedConfig(Config):
    """A network without its head, block after block, and a new head on the means of its last maps."""

    backbone: Network = Field(
        "embedded", description="The network: embedded (1.1 million weights, part of dlkit), or torchvision's"
    )
    weights: Weights = Field(
        "auto",
        description="auto: embedded, or torchvision's, downloaded; a file (.safetensors, .pth); RUN; none: scratch",
    )
    unfreeze: int | None = Field(
        None, ge=0, le=1000, description="Last blocks that are trained too; not given: none, but all from scratch"
    )
    size: int | None = Field(
        None, ge=8, le=1024, description="Side that images are resized to first; not given: as the data set has them"
    )
    pooling: Literal["mean", "max", "both"] = Field("both", description="How the last maps become numbers")
    own_classes: bool = Field(
        True, description="Add what the network itself says of the classes, where it was trained on all of them"
    )
    hidden: list[Width] = Field([], description="Units of hidden layers of the head; empty: it is linear")
    dropout: float = Field(
        0.0,
        ge=0,
        lt=1,
        description="Share of the head's inputs left out at random in training",
        json_schema_extra=at_fork("exact"),
    )
    mirror: bool = Field(True, description="Answer by an image and its mirror image, outside training")

    @model_validator(mode="after")
    def _from_scratch_everything_learns(self) -> Self:
        if self.weights == "none" and self.unfreeze is not None:
            raise ValueError("unfreeze is of weights that were trained before; with weights = none all blocks learn")
        return self


def migrate(fields: dict[str, object], version: int) -> dict[str, object]:
    """Stored options of ``pretrained``: before version 2 nothing was asked of the network's own classes."""
    return {"own_classes": False, **fields} if version < 2 else fields


class TransferConfig(SupervisedConfig):
    """Gradient descent as ever; what is frozen is computed once for each image, and kept for the next run."""

    cache: bool = Field(True, description="Compute what is frozen once, not at every step")
    views: int = Field(
        0,
        ge=0,
        le=100,
        description="Augmented views of each image that are computed once; 0: augment, and compute anew",
    )
    block_rate: float = Field(
        0.1, gt=0, le=1, description="Learning rate of the last block that was trained before, as a share of lr"
    )
    block_decay: float = Field(
        0.5, gt=0, le=1, description="What each block before it has of the rate of the one after it"
    )
