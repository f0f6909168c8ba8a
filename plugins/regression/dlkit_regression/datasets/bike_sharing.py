"""Hourly bike rentals in Washington, D.C.: what is known of an hour → how many bikes are rented.

``atemp`` and ``workingday`` are left out: the first follows ``temp``, the second is a function of ``weekday`` and
``holiday``. ``casual`` and ``registered`` add up to the target. 56 features remain.
"""

from __future__ import annotations

import numpy as np

from dlkit.data.context import Context
from dlkit.data.splits import Data
from dlkit.data.tables import RawTable, read_csv
from dlkit.errors import DataError
from dlkit_regression.assembling import as_data
from dlkit_regression.columns import Number
from dlkit_regression.fitting import Rows, fit_category, fit_number, fit_target
from dlkit_regression.info import Feature
from dlkit_regression.options import BikeSharingConfig
from dlkit_regression.splitting import RowParts

SOURCE = "bike-sharing"
CATEGORIES = ("season", "weathersit", "mnth", "hr", "weekday")
FLAGS = ("yr", "holiday")
SCALED = ("temp", "hum", "windspeed")


def build(config: BikeSharingConfig, context: Context) -> Data:
    path = context.source(SOURCE) / "hour.csv"
    table = read_csv(path)
    missing = [name for name in (*CATEGORIES, *FLAGS, *SCALED, "dteday", "cnt") if name not in table.columns]
    if missing:
        raise DataError(f"{path}, line 1: lacks the columns {', '.join(missing)}")
    parts = by_days(table, config)
    of = Rows.of(parts, config.fit_on)
    columns: list[Feature] = [
        *(fit_category(table, name, of) for name in CATEGORIES),
        *(Number(name=name) for name in FLAGS),
        *(fit_number(table, name, of) for name in SCALED),
    ]
    return as_data(table, columns, fit_target(table, "cnt", "bikes", parts, of), parts)


def by_days(table: RawTable, config: BikeSharingConfig) -> RowParts:
    """The last days are the test, those before them validation; rows by day and hour."""
    dates = np.array(table.words("dteday"))  # ISO dates: their alphabetical order is that of time
    days = np.unique(dates)
    held = config.test_days + config.val_days
    if len(days) <= held:
        raise DataError(f"{len(days)} days of data are too few: {held} are for validation and test")
    order = np.lexsort((table.numbers("hr"), dates))
    sorted_dates = dates[order]
    val, test = np.searchsorted(sorted_dates, [days[-held], days[-config.test_days]])
    return RowParts(order[:val], order[val:test], order[test:], ordered=True)
