"""Search in a store of 200,000 × 512 vectors: exact beside a product in numpy, and the index.

    python benchmarks/search.py [--rows 200000]

In one process, interleaved, medians and quartiles of wall time, one thread. The vectors have 2,000
clusters, as those of photographs have clusters; or none. Asserted in the same run: exact search
gives the rows of the product; the index recalls .95 of the ten nearest of queries that are not
among the vectors.
"""

import argparse
import os
import tempfile
import time
from collections.abc import Callable
from pathlib import Path

os.environ.setdefault("OMP_NUM_THREADS", "1")

import numpy as np
import torch

from imrep.retrieval import vector_copy
from imrep.store import commits
from imrep.store import open as open_store

QUERIES, DIM, BEST, BLOCK = 40, 512, 10, 20_000


def vectors(kind: str, rows: int, seed: int) -> np.ndarray:
    rng = np.random.default_rng(seed)
    noise = rng.standard_normal((rows, DIM), dtype=np.float32)
    if kind == "clustered":
        centres = np.random.default_rng(99).standard_normal((2000, DIM), dtype=np.float32)
        noise = centres[rng.integers(0, len(centres), rows)] + np.float32(0.9) * noise
    return noise / np.linalg.norm(noise, axis=1, keepdims=True)


def write_store(path: Path, stored: np.ndarray) -> None:
    facts = {"spec": "none", "fingerprint": "0", "size": "64", "imrep": "0", "data": ""}
    with commits.Writer(path) as writer:
        writer.create(DIM, "float32", facts)
        for start in range(0, len(stored), BLOCK):
            rows = [
                {"path": f"{start + i:07}.jpg", "digest": f"{start + i}", "label": None,
                 "width": 1, "height": 1, "vector": vector, "deleted": False, "stamp": None}
                for i, vector in enumerate(stored[start : start + BLOCK])
            ]  # fmt: skip
            writer.append(commits.table(rows, writer.schema))


def timed(call: Callable[[], object]) -> tuple[float, object]:
    began = time.perf_counter()
    result = call()
    return 1e3 * (time.perf_counter() - began), result


def measure(kind: str, rows: int) -> None:
    stored, queries = vectors(kind, rows, 0), vectors(kind, QUERIES, 1)
    with tempfile.TemporaryDirectory() as folder:
        os.environ["IMREP_CACHE"] = str(Path(folder) / "cache")
        write_store(Path(folder) / "s.lance", stored)
        store = open_store(Path(folder) / "s.lance")
        making, copy = timed(lambda: vector_copy.of_store(store))
        opening, copy = timed(lambda: vector_copy.of_store(store))
        times: dict[str, list[float]] = {"numpy product": [], "exact": [], "index": []}
        recalls = []
        copy.unit.sum()  # both arrays are in memory
        for query in queries:
            product, scores = timed(lambda query=query: stored @ query)
            exact, (best, _) = timed(lambda query=query: copy.nearest(query, BEST))
            indexed, (near, _) = timed(lambda query=query: copy.nearest(query, BEST, exact=False))
            expected = np.argsort(-scores, kind="stable")[:BEST]
            np.testing.assert_allclose(scores[best], scores[expected], atol=1e-6)
            recalls.append(len(set(expected.tolist()) & set(near.tolist())) / BEST)
            for name, value in zip(times, (product, exact, indexed), strict=True):
                times[name].append(value)
    print(f"\n{kind}: copy made in {making / 1e3:.1f} s, opened in {opening:.0f} ms")
    base = np.median(times["exact"])
    for name, values in times.items():
        low, middle, high = np.percentile(values, [25, 50, 75])
        print(
            f"{name:14} {middle:8.2f} ms ({low:.2f} to {high:.2f})  exact / it {base / middle:.2f}"
        )
    if copy.index is None:
        print("no index: a tenth of the rows would not reach the recall; searched exactly")
    else:
        print(
            f"index: {copy.index.lists} of {len(copy.index.centroids)} lists, recall@10 "
            f"{copy.index.recall:.3f} on stored rows, {np.mean(recalls):.3f} on new queries"
        )
        assert np.mean(recalls) >= 0.95
        assert base >= 5 * np.median(times["index"])
    assert base <= 1.5 * np.median(times["numpy product"])


if __name__ == "__main__":
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--rows", type=int, default=200_000)
    arguments = parser.parse_args()
    torch.set_num_threads(1)
    for kind in ("clustered", "uniform"):
        measure(kind, arguments.rows)
