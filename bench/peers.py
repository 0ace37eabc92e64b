"""Runs in .venv-bench, which alone has the peers: asks DuckDB and ClickHouse the question on standard input.

Arguments: the folder with the columns that event_instants.py wrote, and how often to ask. The last line printed is
JSON: seconds by peer."""

import json
import sys
import time
from pathlib import Path

import chdb.session
import duckdb
import numpy as np
import pyarrow as pa
import pyarrow.parquet

folder, repeats = Path(sys.argv[1]), int(sys.argv[2])
question = sys.stdin.read()
columns = {name: np.load(folder / f"{name}.npy") for name in ("owner", "instant", "role", "amount")}
roles = pa.DictionaryArray.from_arrays(
    pa.array(columns.pop("role")), pa.array(json.loads((folder / "roles.json").read_text()))
)
columns["day"] = columns["instant"] // 86_400
events = pa.table({**{name: pa.array(column) for name, column in columns.items()}, "role": roles.cast(pa.string())})
file = folder / "events.parquet"
pyarrow.parquet.write_table(events, file)
del events, columns, roles


def seconds(ask) -> list[float]:
    taken = []
    for _ in range(repeats):
        began = time.perf_counter()
        ask()
        taken.append(time.perf_counter() - began)
    return taken


duck = duckdb.connect()
duck.execute(f"CREATE VIEW events AS SELECT * FROM '{file}'")
house = chdb.session.Session()
house.query(f"CREATE VIEW events AS SELECT * FROM file('{file}', Parquet)")
print(
    json.dumps(
        {
            "DuckDB": seconds(lambda: duck.execute(question).fetchall()),
            "ClickHouse (chdb)": seconds(lambda: house.query(question, "CSV")),
        }
    )
)
