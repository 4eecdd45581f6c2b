"""Edge lists in frames of pandas and polars."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import numpy as np
import polars as pl

from noiseprune.errors import BadFile, InvalidNetwork
from noiseprune.machine.processes import refuse_frames
from noiseprune.network import Network
from noiseprune.network.column_names import column_role
from noiseprune.sources.files.rows import Rows, Table
from noiseprune.sources.files.tables import weigh
from noiseprune.sources.objects.ratios import ratios
from noiseprune.sources.reading import ReadOptions

REMEDY = "rename, mend or drop what is in the way"  # a frame is read without options


class Frame:
    """An edge list: columns found by their names, as in a file."""

    def __init__(self, given: Any) -> None:
        refuse_frames()
        library = type(given).__module__.partition(".")[0]
        self.series = given if type(given).__name__ == "Series" else None
        if self.series is not None:
            given = _frame_of(given)
        # a copy: what is given back must not depend on what becomes of the frame
        polars = isinstance(given, pl.DataFrame | pl.LazyFrame)
        self.given: Any = given.lazy().collect() if polars else given.copy()
        self.header = [str(name) for name in self.given.columns]
        known = [k for k, name in enumerate(self.header) if column_role(name) in ("pre", "post", "weight")]
        dtypes = list(self.given.dtypes)
        self.columns = [k for k, dtype in enumerate(dtypes) if k in known or _is_numeric(dtype)]
        frame = pl.DataFrame({str(j): self._column(k) for j, k in enumerate(self.columns)})
        table = Table(frame.lazy(), [self.header[k] for k in self.columns], typed=True, in_memory=True)
        try:
            self.rows = Rows(table, Path(f"the {library} frame"), ReadOptions())
            self.found = weigh(self.rows, ReadOptions())
        except BadFile as error:
            raise InvalidNetwork(error.fact, remedy=REMEDY if error.remedy else "") from None
        except pl.exceptions.PolarsError as error:
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
        weight = 1.0 if self.rows.weight is None else self.rows.frame["weight"].to_numpy()
        values = (weight * changed)[kept]
        if self.series is not None:
            strengthened = self.series[kept].astype(np.float64)
            strengthened[:] = values
            return strengthened
        name = "weight" if self.rows.weight is None else self.given.columns[self.columns[int(self.rows.weight)]]
        if isinstance(self.given, pl.DataFrame):
            return self.given.filter(pl.Series(kept)).with_columns(pl.Series(name, values))
        return self.given[kept].assign(**{name: values})


def _is_numeric(dtype: Any) -> bool:
    return dtype.is_numeric() if isinstance(dtype, pl.DataType) else getattr(dtype, "kind", "O") in "iuf"


def _frame_of(series: Any) -> Any:
    """Turn a grouped Series into a frame: two levels of its index are pre and post."""
    names = list(getattr(getattr(series, "index", None), "names", ()))
    if not {"pre", "post"} <= {column_role(str(name)) for name in names}:
        raise InvalidNetwork(
            f"a Series is an edge list where its index has levels called pre and post; this one has {names or 'no index'}: "
            "group by pre and post, or give a frame"
        )
    return series.rename("weight" if series.name is None else series.name).reset_index()
