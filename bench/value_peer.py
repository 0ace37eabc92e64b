"""Runs in .venv-oracles, which alone has lifetimes: fits BG/NBD to the columns that value.py wrote.

Arguments: the folder with the columns, and how often to fit. The last line printed is JSON: seconds of each run, the
most memory this process held (MB of 10^6 bytes), and the parameters."""

import json
import sys
import time
from pathlib import Path

import numpy as np
from lifetimes import BetaGeoFitter

folder, repeats = Path(sys.argv[1]), int(sys.argv[2])
columns = [np.load(folder / f"{name}.npy").astype(np.float64) for name in ("repeats", "last", "age")]
taken = []
for _ in range(repeats):
    began = time.perf_counter()
    fitter = BetaGeoFitter().fit(*columns)
    taken.append(time.perf_counter() - began)
lines = Path("/proc/self/status").read_text().splitlines()
held = next(int(line.split()[1]) * 1024 / 1e6 for line in lines if line.startswith("VmHWM:"))
print(
    json.dumps(
        {"seconds": taken, "mb": held, "values": [float(fitter.params_[name]) for name in ("r", "alpha", "a", "b")]}
    )
)
