"""Options that data sets of several plugins have in common; no torch here."""

from __future__ import annotations

import errno
import re
from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Literal, Self

from pydantic import AfterValidator, BeforeValidator, Field, model_validator

from dlkit.config import Config
from dlkit.data.names import shown_path
from dlkit.data.pixel_rules import PixelRules

if TYPE_CHECKING:
    from dlkit.data.image_files import FolderRules


def _absolute(path: str) -> str:
    try:
        found = Path(path).expanduser().absolute()
        found.lstat()
    except RuntimeError as error:  # ~stranger
        raise ValueError(f"{path}: there is no such home") from error
    except OSError as error:
        if error.errno == errno.ENAMETOOLONG:  # whoever looked whether it is there would meet this
            raise ValueError("longer than the name of a file may be") from error
    return str(found)


def _of_text(path: object) -> object:
    # A configuration is text: such a path could not be written down, and so not be found again.
    if isinstance(path, str) and any("\udc80" <= letter <= "\udcff" for letter in path):
        raise ValueError(f"{shown_path(path)} holds bytes that are not UTF-8 (�): rename it, or make a link to it")
    return path


Location = Annotated[
    str,
    BeforeValidator(_of_text),
    Field(min_length=1, json_schema_extra={"format": "path"}),
    AfterValidator(_absolute),
]
"""A file or folder, written down as an absolute path, so that a resume from another folder finds it."""


WEIGHT_FILES = (".safetensors", ".pth", ".pt")


def _file_or_run(named: str) -> str:
    """Files, and runs that are named by their folder, are written down by their absolute paths."""
    path, at, which = named.rpartition("@") if "@" in named and not named.endswith(WEIGHT_FILES) else (named, "", "")
    return f"{_absolute(path)}{at}{which}" if path.endswith(WEIGHT_FILES) or "/" in path else named


Weights = Annotated[str, BeforeValidator(_of_text), Field(min_length=1), AfterValidator(_file_or_run)]
"""What ``dlkit.data.weights.named_weights`` finds: a file (absolute, as above), or ``RUN``, ``RUN@best``, ``RUN@STEP``;
and the words that a model has of its own, as ``none``."""


_COLOUR = r"white|black|grey|drop|#[0-9a-fA-F]{6}"
_RANGE = r"auto|type|-?\d+(\.\d+)?\.\.-?\d+(\.\d+)?"


def _rising(value_range: str) -> str:
    low, dots, high = value_range.partition("..")
    if dots and float(low) >= float(high):
        raise ValueError(f"a range goes from its lowest to its highest value, not {value_range}")
    return value_range


Background = Annotated[str, Field(pattern=f"^({_COLOUR})$")]
ValueRange = Annotated[str, Field(pattern=f"^({_RANGE})$"), AfterValidator(_rising)]
MEGAPIXELS = 89.5
"""Million pixels of an image that are decoded unless an option allows more: Pillow's own bound, 2**30 / 12 bytes."""
_LARGEST = "Million pixels that an image may have at most; larger ones are refused before they are decoded"


class PixelOptions(Config):
    """How images that are not plain 8-bit colours become such."""

    background: Background = Field(
        "white", description="What transparent pixels are laid on: white, black, grey, #rrggbb; drop: on nothing"
    )
    value_range: ValueRange = Field(
        "auto",
        description="Black and white of images of over 8 bits: LOW..HIGH, auto (by type and values) or type (0..65535)",
    )
    max_megapixels: float = Field(MEGAPIXELS, ge=MEGAPIXELS, le=10_000, description=_LARGEST)


def pixel_rules(options: PixelOptions) -> PixelRules:
    """The rules that a data set's options ask for."""
    return PixelRules(options.background, options.value_range)


class FolderOptions(Config):
    """Which files of a folder are images, and what its folders may mean."""

    links: Literal["follow", "skip"] = Field("follow", description="Linked folders: read what is in them, or not")
    suffixes: list[str] = Field([], description="Suffixes of image files, as .png; empty: those of all known formats")
    doubtful: Literal["refuse", "take"] = Field(
        "refuse", description="Folders that may be meant otherwise: stop, or take those at the top as they are"
    )


def folder_rules(options: FolderOptions, *, composed: bool = True) -> FolderRules:
    """The rules that a data set's options ask for."""
    from dlkit.data.image_files import USUAL, FolderRules  # it knows Pillow

    suffixes = [suffix.lower() for suffix in options.suffixes] or USUAL.suffixes
    return FolderRules(options.links == "follow", suffixes, composed, options.doubtful == "refuse")


class AskedImages(Config):
    """The same of images that a model is asked about: as it was trained, unless somebody says otherwise."""

    background: Annotated[str, Field(pattern=f"^(trained|{_COLOUR})$")] = Field(
        "trained", description="What transparent pixels are laid on: white, black, grey, #rrggbb; trained: as then"
    )
    value_range: Annotated[str, Field(pattern=f"^(trained|{_RANGE})$"), AfterValidator(_rising)] = Field(
        "trained",
        description="Black and white of images of over 8 bits: LOW..HIGH, auto or type; trained: as then",
    )
    max_megapixels: float = Field(MEGAPIXELS, ge=MEGAPIXELS, le=10_000, description=_LARGEST)


class Shares(Config):
    """A set that shares are held out of. Subclasses declare them, with defaults of their own: ``val_fraction`` and
    ``test_fraction``, which must leave something to train on."""

    # Declared for checkers alone: as fields they would come first in every help text, whatever a subclass says.
    if TYPE_CHECKING:
        val_fraction: float
        test_fraction: float

    @model_validator(mode="after")
    def _something_left(self) -> Self:
        if self.val_fraction + self.test_fraction >= 1:
            raise ValueError("val_fraction + test_fraction must be less than 1: the rest is for training")
        return self


class Lists(Config):
    """A set that lists may divide. Subclasses declare them: ``train_list``, ``val_list`` and ``test_list``."""

    if TYPE_CHECKING:
        train_list: Location | None
        val_list: Location | None
        test_list: Location | None

    @property
    def lists(self) -> dict[str, Path]:
        """The lists that are given, by part."""
        given = {"train": self.train_list, "val": self.val_list, "test": self.test_list}
        return {part: Path(path) for part, path in given.items() if path}

    @model_validator(mode="after")
    def _lists_fit(self) -> Self:
        # Without it, training samples would be those in no list: also the ones that somebody left out on purpose.
        if (self.val_list or self.test_list) and not self.train_list:
            raise ValueError("val_list and test_list need a train_list")
        return self


class TextFiles(Config):
    """Text of your own: where it is, and how it is encoded."""

    path: Location = Field(description="A text file, or a folder of .txt and .md files, or of train/ and val/")
    encoding: str = Field(
        "auto", min_length=1, description="auto (its byte order mark, else utf-8), latin-1, cp1252, …"
    )
    controls: bool = Field(False, description="Keep control characters (NUL, escape, …); false: leave them out")


def _expression(text: str) -> str:
    try:
        re.compile(text)
    except re.error as error:
        raise ValueError(f"is no regular expression: {error}") from None
    return text


class ImageDivision(Config):
    """Which images must not be in two parts."""

    group: Annotated[str, AfterValidator(_expression)] = Field(
        "",
        max_length=1000,
        description="Images of a group stay in one part: folder, or a regular expression whose match (or first "
        "parenthesis) in the path below the folder is the group",
    )
    equal: Literal["keep", "drop"] = Field(
        "keep", description="Training images that another part has too: keep and say so, or leave them out"
    )


class ImageLists(Shares, Lists, ImageDivision):
    """Images that lists or groups may divide."""

    if TYPE_CHECKING:
        split_seed: int

    train_list: Location | None = Field(None, description="Text file with the training images' names")
    val_list: Location | None = Field(None, description="Text file with the validation images' names")
    test_list: Location | None = Field(None, description="Text file with the test images' names")


class AnnotatedFiles(Shares, Lists, ImageDivision, PixelOptions):
    """Images of your own with VOC XML, COCO JSON or YOLO's labels: where they are, how divided, how strictly read."""

    path: Location = Field(
        description="Folder of images and annotations, or of folders train, val and test; or a COCO file, a data.yaml"
    )
    colour: bool = Field(True, description="RGB images; false: grey")
    classes: list[str] = Field([], description="Names of the classes, by label; empty: those found, sorted")
    unknown: Literal["error", "drop"] = Field("error", description="A box of another class: stop, or leave it out")
    invalid: Literal["error", "clip", "drop"] = Field(
        "error", description="A box outside its image or of no size: stop, cut it at the edge, or leave it out"
    )
    repeated: Literal["once", "keep"] = Field(
        "once", description="A box that is written several times with the same class: counts once, or each time"
    )
    encoding: str = Field(
        "auto", min_length=1, description="Of XML files: auto (what each declares, else utf-8), gbk, cp1252, …"
    )
    spelling: Literal["nfc", "written"] = Field(
        "nfc",
        description="Names of classes in Unicode's composed form, so that é is one letter; or as they are written",
    )
    skip_unusable: bool = Field(
        False,
        description="Leave out images, and objects on them, that cannot be used, and say how many; false: stop",
    )
    train_list: Location | None = Field(None, description="Text file with the training images' names")
    val_list: Location | None = Field(None, description="Text file with the validation images' names")
    test_list: Location | None = Field(None, description="Text file with the test images' names")
    val_fraction: float = Field(0.15, gt=0, lt=1, description="Share for validation, where nothing says which")
    test_fraction: float = Field(0.15, ge=0, lt=1, description="Share for the test, where nothing says which")
    split_seed: int = Field(0, ge=0, description="Which images go to which split is a function of it")


class ImageFiles(ImageLists, PixelOptions, FolderOptions):
    """Images of your own, without labels: where they are, what they are brought to, how strictly they are read."""

    path: Location = Field(description="Folder of images, at any depth; or of train, val and test folders")
    colour: bool = Field(True, description="RGB images; false: grey")
    fit: Literal["crop", "letterbox"] = Field(
        "crop", description="Images that are not square: their middle, or the whole on black"
    )
    enlarge: bool = Field(False, description="Take images smaller than the size too, and blow them up; false: stop")
    skip_unreadable: bool = Field(False, description="Leave unreadable images out and say how many; false: stop")
    val_fraction: float = Field(0.1, gt=0, lt=1, description="Share for validation, where no folder says which")
    test_fraction: float = Field(0.1, ge=0, lt=1, description="Share for the test, where no folder says which")
    split_seed: int = Field(0, ge=0, description="Which images go to which split is a function of it")
