"""``dlkit compare … -o FILE``: the curves over one another as a picture, or all of it as a page."""

from __future__ import annotations

from argparse import Namespace
from collections.abc import Sequence
from pathlib import Path

from dlkit.catalog import Catalog
from dlkit.errors import UsageError, nearest
from dlkit.monitor.comparison import compare
from dlkit.monitor.means import Together
from dlkit.present.output import print_result
from dlkit.report import several
from dlkit.report.blocks import Chart
from dlkit.report.figure import SUFFIXES, figure
from dlkit.report.reading import Told, read
from dlkit.report.writing import write, write_files
from dlkit.runs.folder import RunFolder
from dlkit.runs.groups import grouped

MOST = 4
"""Charts of a picture, unless others are asked for."""


def write_comparison(runs: Sequence[RunFolder], options: Namespace) -> int:
    """The file that ``-o`` names. UsageError for one of another kind, and for metrics that no run has."""
    path = Path(options.output)
    form = path.suffix.lower()
    if form not in (*SUFFIXES, ".html"):
        raise UsageError(f"-o {options.output}: the file is {', '.join((*SUFFIXES, '.html'))}, by its name")
    catalog = Catalog.load_everything()
    told = [read(run, catalog) for run in runs]
    if form == ".html":
        write(several.document(told), path, "html", force=options.force)
    else:
        charts = _charts(told, options)
        try:
            write_files({path: figure(charts, form[1:])})
        except OSError as error:
            raise UsageError(f"-o {path}: cannot be written: {error.strerror or error}") from error
    print_result(str(path))
    return 0


def write_curves(run: RunFolder, path: Path) -> None:
    """One run's curves as a picture; UsageError as ``write_comparison``."""
    form = path.suffix.lower()
    if form not in SUFFIXES:
        raise UsageError(f"-o {path}: curves are a picture: {', '.join(SUFFIXES)}, by the file's name")
    charts = _charts([read(run, Catalog.load_everything())], Namespace(metric=None, group=None))
    try:
        write_files({path: figure(charts, form[1:])})
    except OSError as error:
        raise UsageError(f"-o {path}: cannot be written: {error.strerror or error}") from error


def _charts(told: Sequence[Told], options: Namespace) -> list[Chart]:
    names = several.names_of(told)
    found = compare([one.run for one in told])
    metrics = several.metrics_of(told, found)
    for name in options.metric or ():
        if name not in metrics:
            raise UsageError(f"--metric {name}: {nearest(name, metrics)}")
    chosen = options.metric or metrics[:MOST]
    if not chosen:
        raise UsageError("there is nothing to draw: none of the runs has measured anything")
    if options.group is None:
        return [several.run_chart(told, names, metric) for metric in chosen]
    groups = _groups(told, options.group)
    return [several.mean_chart(told, groups, metric) for metric in chosen]


def _groups(told: Sequence[Told], keys: str) -> list[Together]:
    """As the table of ``--group`` has them: completed runs alone."""
    place = {one.run.id: place for place, one in enumerate(told)}
    found = grouped([one.run for one in told], [k.strip().replace("-", "_") for k in keys.split(",") if k.strip()])
    return [
        Together(
            ", ".join(f"{key} {value}" for key, value in group.settings.items()), tuple(place[r] for r in group.runs)
        )
        for group in found.groups
    ]
