"""Edge lists in frames of pandas and polars."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import numpy as np
import polars as pl

from noiseprune.errors import BadFile, InvalidNetwork, InvalidOption
from noiseprune.files.options import ReadOptions
from noiseprune.files.rows import Rows, Table, column_role
from noiseprune.files.tables import weighed
from noiseprune.kinds.ratios import ratios
from noiseprune.network import Network
from noiseprune.processes import ADVICE, NOT_HERE, left_behind


class Frame:
    """An edge list: columns found by their names, as in a file."""

    def __init__(self, given: Any) -> None:
        if "polars" in left_behind:
            raise InvalidOption(
                f"edge lists in frames are read by polars, {NOT_HERE}: {ADVICE}, or give what noiseprune.Network takes"
            )
        self.given = given.collect() if isinstance(given, pl.LazyFrame) else given
        self.header = [str(name) for name in self.given.columns]
        columns = [k for k, name in enumerate(self.header) if column_role(name) in ("pre", "post", "weight")]
        frame = pl.DataFrame({str(k): self._column(k) for k in columns})
        names = [self.header[k] for k in columns]
        table = Table(
            frame.rename({str(k): str(j) for j, k in enumerate(columns)}).lazy(), names, typed=True, in_memory=True
        )
        try:
            self.rows = Rows(table, Path(f"the {type(given).__module__.partition('.')[0]} frame"), ReadOptions())
            self.found = weighed(self.rows, ReadOptions())
        except (BadFile, pl.exceptions.PolarsError) as error:
            raise InvalidNetwork(str(error)) from None

    def _column(self, k: int) -> pl.Series:
        if isinstance(self.given, pl.DataFrame):
            return self.given.to_series(k)
        column = self.given.iloc[:, k]
        if isinstance(column.dtype, np.dtype) and column.dtype.kind in "iufb":
            return pl.Series(column.to_numpy())
        cells = [None if missing else x for x, missing in zip(column.tolist(), column.isna().tolist(), strict=True)]
        if column.dtype.kind in "iufb":  # of pandas' own types, which have room for missing values
            return pl.Series(cells)
        return pl.Series([None if x is None else str(x) for x in cells], dtype=pl.String)

    def give_back(self, before: Network, after: Network) -> Any:
        """Return the rows that stayed; their weights are strengthened, a column is made where there was none."""
        changed = ratios(before, after, self.rows.pre, self.rows.post)
        kept = changed != 0
        column = next((name for name in self.given.columns if column_role(str(name)) == "weight"), None)
        weight = 1.0 if column is None else self.rows.frame["weight"].to_numpy()
        name, values = "weight" if column is None else column, (weight * changed)[kept]
        if isinstance(self.given, pl.DataFrame):
            return self.given.filter(pl.Series(kept)).with_columns(pl.Series(name, values))
        return self.given[kept].assign(**{name: values})
