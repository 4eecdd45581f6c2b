"""Edge lists in frames of pandas and polars."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import numpy as np
import polars as pl

from noiseprune.errors import BadFile, InvalidNetwork
from noiseprune.files.options import ReadOptions
from noiseprune.files.rows import Table, column_role
from noiseprune.files.tables import edge_list
from noiseprune.kinds.ratios import ratios
from noiseprune.network import Network


class Frame:
    """An edge list: columns found by their names, as in a file."""

    def __init__(self, given: Any) -> None:
        self.given = given.collect() if isinstance(given, pl.LazyFrame) else given
        self.header = [str(name) for name in self.given.columns]
        self.columns = [k for k, name in enumerate(self.header) if column_role(name) in ("pre", "post", "weight")]
        frame = pl.DataFrame({str(k): self._column(k) for k in self.columns})
        names = [self.header[k] for k in self.columns]
        table = Table(frame.rename({str(k): str(j) for j, k in enumerate(self.columns)}).lazy(), names, typed=True)
        try:
            self.found = edge_list(table, Path(f"the {type(given).__module__.partition('.')[0]} frame"), ReadOptions())
        except BadFile as error:
            raise InvalidNetwork(str(error)) from None

    def _column(self, k: int) -> pl.Series:
        if isinstance(self.given, pl.DataFrame):
            return self.given.to_series(k)
        column = self.given.iloc[:, k]
        number = column.dtype.kind in "iuf" if isinstance(column.dtype, np.dtype) else False
        return (
            pl.Series(column.to_numpy()) if number else pl.Series([None if x != x else str(x) for x in column.tolist()])
        )

    def give_back(self, before: Network, after: Network) -> Any:
        """Return the rows that stayed; their weights are strengthened, a column is made where there was none."""
        roles = {column_role(self.header[k]): k for k in self.columns}
        number = {str(label): k for k, label in enumerate(before.labels or ())}
        pre, post = ([number[str(x)] for x in self._texts(roles[side])] for side in ("pre", "post"))
        changed = ratios(before, after, pre, post)
        kept = changed != 0
        weight = (
            np.ones(len(changed))
            if "weight" not in roles
            else self._column(roles["weight"]).cast(pl.Float64).to_numpy()
        )
        name = self.given.columns[roles["weight"]] if "weight" in roles else "weight"
        values = (weight * changed)[kept]
        if isinstance(self.given, pl.DataFrame):
            return self.given.filter(pl.Series(kept)).with_columns(pl.Series(name, values))
        return self.given[kept].assign(**{name: values})

    def _texts(self, k: int) -> list[str]:
        column = self._column(k)
        whole = column.cast(pl.Int64) if column.dtype.is_float() else column  # as the reader takes them
        return [str(x).strip() for x in whole.to_list()]
