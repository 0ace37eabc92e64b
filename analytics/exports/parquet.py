"""Parquet: columns with types, for data frames, DuckDB, Spark and warehouses. Rows become columns a portion at a time
and go to the disk in row groups, so millions of rows take no more memory than some ten thousand."""

import sys
from collections.abc import Callable, Sequence
from decimal import Decimal
from importlib.abc import MetaPathFinder
from typing import IO, Any

from .tables import Kind, Table

# What is kept of each group until the end of the file is all that grows with it: so groups are few, and the least and
# the greatest value are kept only of columns that have an order to skip groups by. Those of texts and documents would
# be kept at their full length.
ROWS_A_GROUP = 50_000
BYTES_A_GROUP = 6 << 20
_IN_ORDER = frozenset({Kind.WHOLE, Kind.MONEY, Kind.DECIMAL, Kind.INSTANT})
DICTIONARY = 1 << 18  # bytes of the values of a column that are written once; ids and references are all different
# Amounts have at most eleven digits and sums of them a few more; what was sent has four places (Touchpoint).
_DIGITS, _SENT_PLACES = 22, 4


def write_parquet(*, file: IO[bytes], table: Table) -> None:
    """Write all rows of the table into an open file. Ids and texts are strings, counts int64, amounts decimals with the
    places of the currency, instants milliseconds in UTC; what a row does not know is null."""
    # Loaded here, by the process that makes files: no page and no worker pays its 60 MB.
    import pyarrow as pa
    from pyarrow.parquet import ParquetWriter

    pa.set_memory_pool(pa.system_memory_pool())  # which gives back what it does not need
    _leave_pandas_out(pa)
    types = [_type(pa, column.kind, table.minor_digits) for column in table.columns]
    told = [_told(column.kind, table.minor_digits) for column in table.columns]
    schema = pa.schema([pa.field(column.name, of) for column, of in zip(table.columns, types, strict=True)])
    with ParquetWriter(
        file,
        schema,
        compression="snappy",
        dictionary_pagesize_limit=DICTIONARY,
        write_statistics=[column.name for column in table.columns if column.kind in _IN_ORDER],
    ) as writer:
        group: list[Any] = []
        rows = size = 0
        for portion in table.portions:
            if not portion:
                continue
            batch = _batch(pa, portion, schema, told)
            group.append(batch)
            rows, size = rows + batch.num_rows, size + batch.nbytes
            if rows >= ROWS_A_GROUP or size >= BYTES_A_GROUP:
                writer.write_table(pa.Table.from_batches(group, schema))
                group, rows, size = [], 0, 0
        if group:
            writer.write_table(pa.Table.from_batches(group, schema))


Told = Callable[[Any], Any] | None


def _leave_pandas_out(pa: Any) -> None:
    """pyarrow loads pandas where it is installed, to tell its series from lists: 50 MB for what is not used here. It
    asks once; told that there is none, it does without."""
    if "pandas" in sys.modules:
        return
    none = _NoPandas()
    sys.meta_path.insert(0, none)
    try:
        pa.array([0])
    finally:
        sys.meta_path.remove(none)


class _NoPandas(MetaPathFinder):
    """Finds no pandas."""

    def find_spec(self, fullname: str, path: Any, target: Any = None) -> None:
        """As `importlib` asks."""
        if fullname == "pandas":
            raise ModuleNotFoundError(fullname)


def _batch(pa: Any, rows: Sequence[tuple[Any, ...]], schema: Any, told: Sequence[Told]) -> Any:
    arrays = []
    for field, column, say in zip(schema, zip(*rows, strict=True), told, strict=True):
        values = column if say is None else [None if value is None else say(value) for value in column]
        arrays.append(pa.array(values, type=field.type))
    return pa.RecordBatch.from_arrays(arrays, schema=schema)


def _type(pa: Any, kind: Kind, digits: int) -> Any:
    if kind is Kind.WHOLE:
        return pa.int64()
    if kind is Kind.MONEY:
        return pa.decimal128(_DIGITS, digits)
    if kind is Kind.DECIMAL:
        return pa.decimal128(_DIGITS, _SENT_PLACES)
    return pa.timestamp("ms", tz="UTC") if kind is Kind.INSTANT else pa.string()


def _told(kind: Kind, digits: int) -> Told:
    """What makes a value of a kind one of the type; None where it is one already."""
    if kind is Kind.ID:
        return str
    if kind is Kind.MONEY:
        return lambda minor_units: Decimal(minor_units).scaleb(-digits)
    return None
