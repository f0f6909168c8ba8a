"""What this plugin can download."""

from __future__ import annotations

from dlkit import LayoutFile, SourceFile, SourceSpec

BIKE_SHARING = SourceSpec(
    name="bike-sharing",
    summary="Hourly and daily bike rentals in Washington, D.C., 2011 and 2012, with weather and calendar",
    files=(
        SourceFile(
            url="https://archive.ics.uci.edu/static/public/275/bike+sharing+dataset.zip",
            name="Bike-Sharing-Dataset.zip",
            size=279_992,
            sha256="b70182d0d0508e9abbb79306ce5c0cec34869000f8220175ac83d11dbe845401",
            unpack=True,
        ),
    ),
    layout=(
        LayoutFile("hour.csv", 1_156_736, "e03de4ee4ef4dc376ac6e04bf829673c6269e8eba5c60fa121640fa2f829504f"),
        LayoutFile("day.csv", 57_569, "a6bcf826782d3c0fbfdcbeead17cd0884185a0dafe8ff10cd48a874ee7ba18be"),
        LayoutFile("Readme.txt", 5_607, "b92c8628622948bf0828c43a1b315d1517c3d7fd63654730d0dea379b8e88175"),
    ),
    licence="CC BY 4.0",
    citation=(
        "Fanaee-T, H. and Gama, J. (2014). Event labeling combining ensemble detectors and background knowledge. "
        "Progress in Artificial Intelligence 2, 113–127. doi:10.1007/s13748-013-0040-3"
    ),
    homepage="https://archive.ics.uci.edu/dataset/275/bike+sharing+dataset",
)
