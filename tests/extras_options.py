"""Options of the extra toy components: pydantic, no torch."""

from __future__ import annotations

from pydantic import Field

from dlkit.config import Config


class MlpConfig(Config):
    """Width, regularisation, and whether the two hidden layers share their matrix."""

    width: int = Field(8, ge=3, description="Units of a hidden layer")
    dropout: float = Field(0.1, ge=0, lt=1, description="Share of units left out at a step")
    tied: bool = Field(False, description="One matrix for the second and third layer")


class RivalsConfig(Config):
    """Two small networks."""

    dropout: float = Field(0.2, ge=0, lt=1, description="Share of the discriminator's units left out at a step")
    given: bool = Field(False, description="The same latents for every batch, instead of random ones")
    norm: bool = Field(True, description="Batch normalisation in the generator")


class TroubleConfig(Config):
    """What goes wrong, and when; steps count from 1, each process for itself."""

    wait: float = Field(0.0, ge=0, description="Seconds that a training loss takes")
    evaluation_wait: float = Field(0.0, ge=0, description="Seconds that the loss of an evaluated batch takes")
    nan_at: int = Field(0, ge=0, description="Step whose loss is not a number; 0: none")
    raise_at: int = Field(0, ge=0, description="Step whose loss raises; 0: none")
    raise_in: int = Field(0, ge=0, description="The rank that raises")
    exit_at: int = Field(0, ge=0, description="Step whose loss ends the process with code 3; 0: none")
    abort_at: int = Field(0, ge=0, description="Step whose loss crashes the process; 0: none")
    scarce: int = Field(0, ge=0, description="Samples of a batch for whose loss memory does not suffice; 0: any number")
    scarce_from: int = Field(1, ge=1, description="Step from which memory is scarce")
    says: str = Field("", description="What building the loss prints")
    build_wait: float = Field(0.0, ge=0, description="Seconds that building the loss takes")
