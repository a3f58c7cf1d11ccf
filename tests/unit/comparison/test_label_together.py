"""Several labels judged and put together, from vectors to sentences."""

from types import SimpleNamespace

import numpy as np
import pytest

from imrep.comparison.conclusions.label_together import put_labels_together, text
from imrep.comparison.conclusions.multi_label import judge_labels, learning_curves
from imrep.comparison.data.multi_label_dataset import LabelSets, multi_labelled
from imrep.comparison.probes.encoded_candidate import EncodedCandidate

N = 120
RNG = np.random.default_rng(0)
HAS = RNG.random((N, 4)) < 0.4
NAMES = np.array(["a", "b", "c", "d"])
SEEN = (HAS + RNG.normal(0, 0.3, HAS.shape)).astype(np.float32)


@pytest.fixture(autouse=True)
def _own_cache(tmp_path, monkeypatch):
    monkeypatch.setenv("IMREP_CACHE", str(tmp_path))


def candidate(spec, vectors, ms=0.5):
    part = SimpleNamespace(
        key=spec, rep=SimpleNamespace(spec=spec, fingerprint=spec, card=None), cpu_ms=ms,
        wall_ms=ms, fit_seconds=0.0, vectors=vectors, raw=None, folds=(), fitted=False, side=64,
    )  # fmt: skip
    own = SimpleNamespace(spec=spec, role="contender", precomputed=False)
    return EncodedCandidate(own, (part,))


def noise(seed):
    return np.random.default_rng(seed).normal(size=(N, 4)).astype(np.float32)


def facts(width=64):
    return SimpleNamespace(
        width=width, height=64, bytes=900, type="PNG", mode="RGB", quantisation=0
    )


def judged(candidates, metadata=None, squares=None):
    if squares is None:
        squares = np.random.default_rng(1).integers(0, 255, (N, 64, 64, 3), np.uint8)
    decoded = SimpleNamespace(squares=squares, facts=metadata or [facts()] * N)
    sets = LabelSets.of([tuple(NAMES[row]) for row in HAS])
    dataset = multi_labelled(sets, np.arange(N), 0)
    return judge_labels(dataset, decoded, candidates, 2.0, None, lambda *_: None)


def test_two_that_see_different_labels_do_better_together():
    halves = [candidate("first", SEEN[:, :2]), candidate("other", SEEN[:, 2:], ms=3.0)]
    results = judged([*halves, candidate("nothing", noise(5))])
    everything, cheap = put_labels_together(results, lambda *_: None)
    assert {part.encoded.spec for part in everything.parts} == {"first", "other"}
    assert sum(part.weight for part in everything.parts) == pytest.approx(1)
    assert everything.result.accuracy > 0.9 and everything.result.clear
    assert everything.encoded.cpu_ms == 3.5
    leader = results.encoded[results.verdict.leader].spec
    said = text([everything, cheap])
    assert said.startswith("Together they do better: **2 of them, weighted** (")
    assert f" points more than {leader} alone, at 3.5 ms an image instead of " in said
    assert " Only those under 1 ms, together: " in said and said.endswith("% at 0.5 ms.")


def test_what_sees_all_labels_gains_nothing_and_is_recommended():
    results = judged([candidate("all", SEEN), candidate("nothing", noise(5))])
    assert results.headline.id == "clear" and results.pick == 0
    assert results.precisions[0].mean > 0.9
    assert abs(results.precisions[1].mean - results.rankings.chance) < 0.1
    for row in put_labels_together(results, lambda *_: None):
        assert not row.result.clear
        assert text([row]).startswith("Putting them together does not visibly help: they reach ")


def test_chance_is_neither_recommended_nor_put_together():
    results = judged([candidate(f"noise{seed}", noise(seed)) for seed in range(3)])
    assert results.headline.id == "none" and results.pick is None
    assert put_labels_together(results, lambda *_: None) == () and text(()) == ""


def test_labels_in_the_size_of_the_files_are_warned_of():
    metadata = [facts(64 + 40 * int(row[0]) + 90 * int(row[1])) for row in HAS]
    results = judged([candidate("all", SEEN), candidate("nothing", noise(5))], metadata)
    assert [warning.id for warning in results.warnings] == ["file"]
    assert not judged([candidate("all", SEEN), candidate("nothing", noise(5))]).warnings


def test_labels_in_the_frame_are_warned_of():
    squares = np.random.default_rng(1).integers(0, 120, (N, 64, 64, 3), np.uint8)
    for label in range(3):
        squares[HAS[:, label], :3, :, label] += 100
    results = judged([candidate("all", SEEN), candidate("nothing", noise(5))], squares=squares)
    assert [warning.id for warning in results.warnings] == ["frame"]


def test_labels_in_copies_of_the_pictures_stop_the_reader():
    # noise is seeded by the pixels: equal pictures with equal labels, not grouped, leak them
    squares = np.zeros((N, 64, 64, 3), np.uint8)
    squares[..., 0] = (HAS @ [1, 2, 4, 8])[:, None, None]
    results = judged([candidate("all", SEEN), candidate("nothing", noise(5))], squares=squares)
    assert results.headline.id == "noise" and results.pick is None


def test_curves_are_of_the_best_and_rise():
    results = judged([candidate("all", SEEN), candidate("nothing", noise(5))])
    curves = {encoded.spec: points for encoded, points in learning_curves(results, lambda *_: None)}
    assert [point.labels for point in curves["all"]] == [20, 50]
    first, second = curves["all"]
    assert first.low <= first.accuracy <= first.high
    assert second.accuracy >= first.accuracy - 0.05 > curves["nothing"][0].accuracy
