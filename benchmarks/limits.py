"""What a step cannot be faster than: rows and weights that come from memory, and the arithmetic of its products.

    python benchmarks/limits.py            # the bandwidth and the peak of this machine, some seconds
    python benchmarks/limits.py --quick    # of smaller arrays, which tells less

- Reading is the scalar product of two vectors of 256 MB, which no cache holds; updating is y <- x + y of the same two,
  which reads both and writes one. Threads take equal parts of them.
- The peak is that of the matrix library: a product of two matrices (2048, 2048), in float32 and in float64.

Each is the best of several repetitions in a process of its own, with 1 and with 2 threads; limits take the better.

The bytes of a step: the rows of its batch are read, and its targets where they are rows, since they lie anywhere in a
training set that no cache holds. Where weights, gradient and what the optimizer remembers are larger than `CACHE`, they
are read or written each time they are used: by forward, by the product that gives dx, by the one that gives dW, and by
the optimizer. All else is counted as if it never left the cache.

The operations of a step: a product of (n, m) and (m, k) is 2 n m k, once forward, once for dW, and once for dx, which
the first layer has not. All that is no product is counted as if it took no time.
"""

import argparse
import json
from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor
from functools import cache
from time import perf_counter
from typing import NamedTuple

import numpy as np
from networks import Network
from processes import THREADS, answer
from threadpoolctl import threadpool_limits
from workloads import Workload

CACHE = 32 * 2**20  # bytes: that of the last level, or more, on all processors met so far
PASSES = {"sgd": 3, "adam": 7}  # of the optimizer over memory: w twice, g once, and each slot twice
REPETITIONS, LENGTH, SIDE = 7, 64 * 2**20, 2048


class Limit(NamedTuple):
    """Microseconds of a step."""

    memory: float
    products: float

    @property
    def sum(self) -> float:
        """Both, one after the other."""
        return self.memory + self.products


class Cost(NamedTuple):
    """Of a step: bytes that are read only, bytes that an update passes over, and operations."""

    read: int
    updated: int
    operations: int


def cost(workload: Workload | Network) -> Cost:
    """From the shapes alone."""
    itemsize, n = np.dtype(workload.dtype).itemsize, workload.batch_size
    batch = n * workload.widths[0] * itemsize * (2 if workload.loss == "squares" else 1)
    passes = 0
    if isinstance(workload, Workload):
        numbers = sum(m * k for _, m, k in workload.products)
        passes = numbers * itemsize if numbers * itemsize * 4 > CACHE else 0
    used = 3 * passes  # W twice, dW once
    updated = passes * PASSES[workload.optimizer]
    products = [rows * m * k for rows, m, k in workload.products]
    return Cost(batch + used, updated, 2 * n * (3 * sum(products) - products[0]))


def limit(workload: Workload | Network) -> Limit:
    """What the traffic and the products of a step take at the bandwidth and the peak of this machine."""
    machine, (read, updated, operations) = roofline(), cost(workload)
    best = {name: max(found.values()) for name, found in machine.items()}
    memory = read / best["reading"] + updated / best["updating"]
    return Limit(1e6 * memory, 1e6 * operations / best[workload.dtype])


def sentence(workload: Workload | Network, measured: tuple[str, float]) -> str:
    """What limits a step, and how far the time that a system took is from that."""
    bound, (label, microseconds) = limit(workload), measured
    share = "memory" if bound.memory > bound.products else "products"
    aim = f" (aim: at most {workload.aims[2]})" if workload.aims and workload.aims[2] else ""
    return (
        f"{workload.name}: limit {bound.sum:.0f} µs (memory {bound.memory:.0f}, products {bound.products:.0f}), mostly "
        f"{share}; {label} takes {microseconds / bound.sum:.1f} times that{aim}."
    )


@cache
def roofline(quick: bool = False) -> dict[str, dict[int, float]]:
    """Bytes and operations a second by what is done and the number of threads."""
    more = ["--quick"] * quick
    found = {threads: json.loads(answer(threads, __file__, "--measure", str(threads), *more)) for threads in THREADS}
    return {name: {threads: found[threads][name] for threads in THREADS} for name in found[THREADS[0]]}


def measured(threads: int, quick: bool) -> dict[str, float]:
    """Of this process."""
    side, length = (SIDE // 8, LENGTH // 16) if quick else (SIDE, LENGTH)
    rates = {}
    for dtype in ("float32", "float64"):
        a = np.ones((side, side), dtype)
        out = np.empty_like(a)
        rates[dtype] = 2 * side**3 / _seconds(lambda a=a, out=out: np.matmul(a, a, out=out))
    x, y = np.ones(length, np.float32), np.ones(length, np.float32)
    parts = list(zip(np.array_split(x, threads), np.array_split(y, threads), strict=True))
    with threadpool_limits(1), ThreadPoolExecutor(threads) as pool:

        def all_of(work: Callable[[np.ndarray, np.ndarray], object]) -> float:
            return _seconds(lambda: list(pool.map(lambda part: work(*part), parts)))

        rates["reading"] = 2 * x.nbytes / all_of(np.dot)
        rates["updating"] = 3 * x.nbytes / all_of(lambda x, y: np.add(x, y, out=y))
    return rates


def _seconds(call: Callable[[], object]) -> float:
    times = []
    for _ in range(REPETITIONS):
        start = perf_counter()
        call()
        times.append(perf_counter() - start)
    return min(times)


def described(quick: bool = False) -> str:
    """The roofline in words."""
    found = roofline(quick)

    def cells(name: str) -> str:
        return " and ".join(f"{rate / 1e9:.0f}" for rate in found[name].values())

    return (
        f"reading {cells('reading')} GB/s, updating {cells('updating')} GB/s, products {cells('float32')} GFLOP/s in "
        f"float32 and {cells('float64')} in float64, with {' and '.join(map(str, THREADS))} threads"
    )


def main() -> None:
    """Print the roofline, or be the process that is measured."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--measure", type=int, metavar="THREADS", help=argparse.SUPPRESS)
    parser.add_argument("--quick", action="store_true", help="smaller arrays, which tell less")
    options = parser.parse_args()
    threads, quick = options.measure, options.quick
    print(described(quick) if threads is None else json.dumps(measured(threads, quick)))


if __name__ == "__main__":
    main()
