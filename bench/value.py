"""What fitting and scoring a million customers costs: `python bench/value.py`, on one processor, beside lifetimes, the
package most analysts use, on the same customers in the same run. BENCH_CUSTOMERS of them (1,000,000 unless set) who buy
by BG/NBD with the parameters of CDNOW, first seen within two years. Each side works in a process of its own, so that
the most memory it held is its own."""

from __future__ import annotations

import json
import os
import subprocess
import sys
import time
from pathlib import Path
from tempfile import TemporaryDirectory

sys.path.insert(0, str(Path(__file__).resolve().parent.parent))

from bench.measuring import Measured, begin, customers_asked, oracles_python, peak_resident_mb, report

DAYS = (1.0, 730.0)
SEED = 20
REPEATS = 3
ONE_PROCESSOR = dict.fromkeys(("OMP_NUM_THREADS", "OPENBLAS_NUM_THREADS", "MKL_NUM_THREADS"), "1")
HORIZONS = (365.25, 730.5, 1095.75)


def make(folder: Path, number: int) -> None:
    """Write the buyers' columns, for both sides."""
    import numpy as np

    from bench.buyers import buyers, in_whole_days

    found = in_whole_days(buyers(number, seed=SEED, ages=DAYS))
    mean = np.random.default_rng(SEED).gamma(6.25, 5.6, number)
    for name, column in {
        "repeats": found.repeats.astype(np.int32),
        "last": found.last.astype(np.int32),
        "age": found.age.astype(np.int32),
        "mean": np.where(found.repeats > 0, mean, 0.0),
    }.items():
        np.save(folder / f"{name}.npy", column)


def ours(folder: Path, key: str) -> None:
    """Fit one model and score everybody so many times; print what it took as JSON."""
    import numpy as np

    from analytics.value.discounting import daily_rate
    from analytics.value.fitting import KINDS, fit
    from analytics.value.gamma_gamma import GammaGamma
    from analytics.value.purchases import alike

    columns = {name: np.load(folder / f"{name}.npy") for name in ("repeats", "last", "age", "mean")}
    taken: dict[str, list[float]] = {"fit": [], "score": []}
    for _ in range(REPEATS):
        began = time.perf_counter()
        together = alike(columns["repeats"], columns["last"], columns["age"])
        found = fit(key, together.purchases)
        taken["fit"].append(time.perf_counter() - began)
        held = peak_resident_mb()
        assert found.model is not None, found.verdict
        began = time.perf_counter()
        worth = GammaGamma(6.25, 3.74, 15.44).order_values(columns["repeats"], columns["mean"])
        alive = found.model.alive(together.purchases)[together.row]
        streams = found.model.discounted_orders(together.purchases, horizons=HORIZONS, rate=daily_rate())
        margins = [stream[together.row] * worth for stream in streams]
        taken["score"].append(time.perf_counter() - began)
        assert np.isfinite(alive).all() and all(np.isfinite(one).all() for one in margins)
    said = {
        "model": KINDS[key].name,
        "seconds": taken,
        "fitted_mb": held,
        "mb": peak_resident_mb(),
        "patterns": len(together.purchases.repeats),
        "values": [one.value for one in found.parameters],
        "log_likelihood": found.log_likelihood,
    }
    print(json.dumps(said))


def main() -> None:
    begin("What do fitting and scoring customers cost, beside lifetimes?")
    number = customers_asked()
    with TemporaryDirectory() as scratch:
        make(Path(scratch), number)
        found = {key: _said([sys.executable, __file__, "ours", scratch, key]) for key in ("bg", "mbg")}
        theirs = _said([oracles_python(), Path(__file__).with_name("value_peer.py"), scratch, str(REPEATS)])
    peer = Measured("lifetimes, BG/NBD", tuple(theirs["seconds"]), number, "customers")
    report(
        f"Fitting {number:,} customers, one processor",
        [
            peer,
            *(
                Measured(
                    f"{one['model']}, putting equal histories together included",
                    tuple(one["seconds"]["fit"]),
                    number,
                    "customers",
                )
                for one in found.values()
            ),
        ],
        floor=peer,
    )
    report(
        f"Scoring {number:,} customers: P(alive), discounted margin of 12, 24 and 36 months",
        [Measured(one["model"], tuple(one["seconds"]["score"]), number, "customers") for one in found.values()],
    )
    for one in found.values():
        print(
            f"{one['model']}: {one['patterns']:,} different histories; most memory {one['fitted_mb']:.0f} MB when "
            f"fitted, {one['mb']:.0f} MB with scoring; {[float(f'{value:.6g}') for value in one['values']]}, "
            f"log-likelihood {one['log_likelihood']:.2f}"
        )
    print(f"lifetimes: most memory {theirs['mb']:.0f} MB; {[float(f'{value:.6g}') for value in theirs['values']]}")


def _said(command: list[object]) -> dict:
    environment = {**os.environ, **ONE_PROCESSOR}
    done = subprocess.run([str(one) for one in command], capture_output=True, text=True, env=environment, check=False)
    if done.returncode != 0:
        raise SystemExit(done.stderr[-2000:])
    return json.loads(done.stdout.splitlines()[-1])


if __name__ == "__main__":
    if sys.argv[1:2] == ["ours"]:
        ours(Path(sys.argv[2]), sys.argv[3])
    else:
        main()
