"""scikit-learn's diabetes table: 442 patients, in the package, no network needed.

Efron, Hastie, Johnstone and Tibshirani (2004), Least Angle Regression, Annals of Statistics 32, 407–499.
"""

from __future__ import annotations

from dlkit.data.context import Context
from dlkit.data.splits import Data
from dlkit.data.tables import RawTable
from dlkit_regression.assembling import as_data
from dlkit_regression.fitting import Rows, fit_category, fit_number, fit_target
from dlkit_regression.options import DiabetesConfig
from dlkit_regression.splitting import by_fraction, without_test

TARGET = "progression"


def build(config: DiabetesConfig, context: Context) -> Data:
    from sklearn.datasets import load_diabetes

    found = load_diabetes(scaled=False)
    columns = dict(zip(found.feature_names, found.data.T.tolist(), strict=True))
    table = RawTable({**columns, TARGET: found.target.tolist()}, lambda i: f"diabetes, row {i + 1}")
    parts = by_fraction(len(table), config)
    of = Rows.of(parts, config.fit_on)
    features = [fit_category(table, name, of) if name == "sex" else fit_number(table, name, of) for name in columns]
    target = fit_target(table, TARGET, "points", parts, of)
    return as_data(table, features, target, parts, without_test(parts, config))
