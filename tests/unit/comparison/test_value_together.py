"""Numbers judged and put together, from vectors to sentences."""

from types import SimpleNamespace

import numpy as np
import pytest

from imrep.comparison.conclusions.regression import (
    guess_error,
    judge_values,
    mean_error,
    skewed,
    value_curves,
)
from imrep.comparison.conclusions.value_together import put_values_together, text
from imrep.comparison.data.valued_dataset import valued
from imrep.comparison.probes.encoded_candidate import EncodedCandidate

N = 120


@pytest.fixture(autouse=True)
def _own_cache(tmp_path, monkeypatch):
    monkeypatch.setenv("IMREP_CACHE", str(tmp_path))


RNG = np.random.default_rng(0)
Z = RNG.normal(size=(N, 6)).astype(np.float32)
VALUES = 100 + 10 * Z[:, 0] + 8.0 * Z[:, 1] + 6 * Z[:, 2]
GROUPS = np.arange(N)


def candidate(spec, vectors, ms=0.5, role="contender"):
    part = SimpleNamespace(
        key=spec, rep=SimpleNamespace(spec=spec, fingerprint=spec, card=None), cpu_ms=ms,
        wall_ms=ms, fit_seconds=0.0, vectors=vectors, raw=None, folds=(), fitted=False, side=64,
    )  # fmt: skip
    return EncodedCandidate(SimpleNamespace(spec=spec, role=role, precomputed=False), (part,))


def noise(seed):
    return np.random.default_rng(seed).normal(size=(N, 6)).astype(np.float32)


def decoded():
    facts = SimpleNamespace(width=64, height=64, bytes=900, type="PNG", mode="RGB", quantisation=0)
    squares = np.random.default_rng(1).integers(0, 255, (N, 64, 64, 3), np.uint8)
    return SimpleNamespace(squares=squares, facts=[facts] * N)


def judged(candidates, values=VALUES, sampled_from=None):
    dataset = valued(values.astype(float), "price", GROUPS)
    return judge_values(dataset, decoded(), candidates, 2.0, sampled_from, lambda *_: None)


FIRST, OTHER = candidate("first", Z[:, [0, 3, 4]]), candidate("other", Z[:, [1, 2, 5]])


@pytest.fixture(scope="module")
def result(tmp_path_factory):
    with pytest.MonkeyPatch.context() as patch:
        patch.setenv("IMREP_CACHE", str(tmp_path_factory.mktemp("cache")))
        yield judged([FIRST, OTHER, candidate("nothing", noise(5))])


def test_what_sees_the_number_is_recommended(result):
    shares = [standing.accuracy for standing in result.verdict.standings]
    assert result.headline.id in ("tied", "clear")
    assert result.pick in (0, 1) and result.best == result.pick
    assert min(shares[:2]) > 0.3 and abs(shares[2]) < 0.1
    assert 2 not in result.verdict.tied and result.verdict.chance == 0


def test_controls_see_nothing(result):
    assert set(result.controls) == {"noise", "frame", "file bytes"}  # the files are alike
    assert result.warnings == ()


def test_errors_are_in_the_unit_of_the_number(result):
    predicted = result.predictions[0]
    error = np.abs(result.dataset.values - predicted.values(result.dataset)).mean()
    assert mean_error(result.dataset, predicted.centred) == pytest.approx(error)
    assert error < guess_error(result.dataset) == pytest.approx(11.3, abs=1.5)


def test_curves_are_those_of_the_best_and_end_below_the_verdict(result):
    curves = value_curves(result, lambda *_: None)
    assert [encoded.spec for encoded, _ in curves] == ["first", "other", "nothing"]
    for (_, points), standing in zip(curves, result.verdict.standings, strict=True):
        assert [point.labels for point in points] == [20, 50]
        assert points[-1].accuracy < standing.accuracy + 0.1


def test_two_that_see_different_things_do_better_together(result):
    (row,) = put_values_together(result, lambda *_: None)
    assert {part.encoded.spec for part in row.parts} == {"first", "other"}
    assert row.result.clear and row.result.accuracy > 0.7
    assert row.leader.spec == result.encoded[result.verdict.leader].spec
    sentence = text((row,), "price")
    assert sentence.startswith("Together they do better: **2 of them, weighted** (")
    assert " of how price varies, " in sentence and "more than " in sentence
    assert text((), "price") == ""


def test_nothing_is_put_together_where_nothing_is_seen():
    shuffled = np.random.default_rng(3).permutation(VALUES)
    result = judged([FIRST, OTHER], shuffled)
    assert result.headline.id == "none" and result.pick is None
    assert result.best == result.verdict.leader
    assert put_values_together(result, lambda *_: None) == ()


def test_copies_do_not_help():
    result = judged([FIRST, candidate("copy", Z[:, [0, 3, 4]])])
    assert result.verdict.tied == (0, 1)
    (row,) = put_values_together(result, lambda *_: None)
    assert text((row,), "price") == (
        "Putting them together does not visibly help: they explain "
        f"{100 * row.result.accuracy:.0f}% of how price varies against "
        f"{100 * row.result.accuracy - 100 * row.result.gain:.0f}% for first alone."
    )


def test_a_number_that_the_pixels_leak_stops():
    """Noise seeded by the pixels cannot tell; equal pictures with equal numbers can."""
    images = decoded()
    images.squares[:] = images.squares[np.arange(N) // 40]
    dataset = valued((np.arange(N) // 40).astype(float) + 0.01 * Z[:, 0], "price", GROUPS)
    result = judge_values(dataset, images, [FIRST, OTHER], 2.0, None, lambda *_: None)
    assert result.headline.id == "noise" and result.pick is None


def test_files_that_differ_with_the_number_warn():
    images = decoded()
    images.facts = [
        SimpleNamespace(width=int(value), height=64, bytes=900, type="PNG", mode="RGB",
                        quantisation=0) for value in VALUES
    ]  # fmt: skip
    dataset = valued(VALUES.astype(float), "price", GROUPS)
    result = judge_values(dataset, images, [FIRST, OTHER], 2.0, None, lambda *_: None)
    assert [warning.id for warning in result.warnings] == ["file"]
    assert result.pick is not None


def test_a_few_large_values_are_mentioned():
    skew = np.exp(2 * Z[:, 0].astype(float))
    (note,) = skewed(valued(skew, "price", GROUPS))
    assert note.id == "skewed" and "`--log`" in note.text
    assert not skewed(valued(np.log(skew), "price", GROUPS, scale="log"))
    assert not skewed(valued(VALUES.astype(float), "price", GROUPS))
    assert not skewed(valued(skew - skew.min(), "price", GROUPS))  # a ratio to 0 says nothing
