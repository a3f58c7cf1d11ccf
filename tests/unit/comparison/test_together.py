"""All candidates put together: who takes part, what is said, what it costs."""

from types import SimpleNamespace

import numpy as np
import pytest

from imrep.comparison.conclusions import together
from imrep.comparison.data import folds
from imrep.comparison.data.labelled_dataset import LabelledDataset
from imrep.comparison.probes import predictions
from imrep.comparison.probes.classifier import Predictions
from imrep.comparison.probes.combination import combine
from imrep.comparison.probes.scores import FoldScores
from imrep.comparison.statistics.gain import Gain

N, COUNT = 120, 4
LABELS, GROUPS = np.arange(N) % COUNT, np.arange(N)
DATASET = LabelledDataset(
    rows=np.arange(N),
    labels=LABELS,
    classes=("a", "b", "c", "d"),
    groups=GROUPS,
    folds=folds.split(LABELS, GROUPS),
    seed=0,
)


def candidate(spec, ms=0.5, role="contender"):
    part = SimpleNamespace(
        rep=SimpleNamespace(spec=spec, fingerprint=spec), cpu_ms=ms, wall_ms=ms, fit_seconds=0.0,
        vectors=np.zeros((N, 10), np.float32), raw=None, folds=(), fitted=False, side=64,
    )  # fmt: skip
    return SimpleNamespace(
        spec=spec, candidate=SimpleNamespace(role=role), cpu_ms=ms, trained=False, parts=(part,)
    )


def table(signal, seed):
    rng = np.random.default_rng(seed)
    scores = rng.normal(size=(N, COUNT)) / 2
    scores[np.arange(N), LABELS] += signal
    return scores.astype(np.float32)


@pytest.fixture
def judged(monkeypatch):
    """A classification of candidates with scores of these signals."""

    def make(candidates, signals, headline="tied"):
        pairs = zip(candidates, signals, strict=True)
        tables = {each.spec: table(signal, i) for i, (each, signal) in enumerate(pairs)}
        empty = np.empty((0, COUNT), np.float32)
        monkeypatch.setattr(
            predictions,
            "fit_all",
            lambda each, dataset: FoldScores(np.arange(N), tables[each.spec], GROUPS[:0], empty),
        )
        predicted = []
        for each in candidates:
            z = tables[each.spec]
            parts = tuple(FoldScores(a, z[a], b, z[b]) for a, b in DATASET.folds)
            probe = combine([parts], LABELS, GROUPS, DATASET.folds).probe
            predicted.append(Predictions(probe, probe, probe, parts, "linear"))
        accuracies = [each.accuracy(LABELS) for each in predicted]
        return SimpleNamespace(
            encoded=candidates,
            predictions=predicted,
            headline=SimpleNamespace(id=headline),
            verdict=SimpleNamespace(leader=int(np.argmax(accuracies))),
        )

    return make


def put_together(classification):
    return together.put_together(DATASET, classification, lambda *_: None)


def test_parts_are_the_contenders_and_own_vectors_by_falling_weight(judged):
    candidates = [candidate("weak"), candidate("mine", role="own"), candidate("strong"),
                  candidate("weak+strong", role="sum")]  # fmt: skip
    (row,) = put_together(judged(candidates, (0.6, 0.8, 1.0, 1.5)))
    assert [part.encoded.spec for part in row.parts] == ["strong", "mine", "weak"]
    assert sum(part.weight for part in row.parts) == pytest.approx(1)
    assert all(0 < part.folds <= 1 for part in row.parts)
    assert row.encoded.spec == "together" and row.encoded.candidate.role == "together"
    assert row.leader.spec == "weak+strong"


def test_a_constant_candidate_is_none_of_them(judged):
    results = judged([candidate(name) for name in "abc"], (0.9, 0.8, 0.8))
    constant = np.zeros(N, np.int64)
    results.predictions[2] = Predictions(constant, constant, constant, note="constant")
    (row,) = put_together(results)
    assert {part.encoded.spec for part in row.parts} == {"a", "b"}


@pytest.mark.parametrize("headline", ["noise", "one", "too few", "none"])
def test_nothing_is_put_together_where_nothing_is_judged(judged, headline):
    assert not put_together(judged([candidate(name) for name in "ab"], (0.9, 0.8), headline))


def test_nor_is_what_was_trained_on_the_labels(judged):
    candidates = [candidate(name) for name in "abc"]
    candidates[1].trained = True
    (row,) = put_together(judged(candidates, (0.9, 1.5, 0.8)))
    assert {part.encoded.spec for part in row.parts} == {"a", "c"}
    assert row.leader.spec == "b"


def test_nor_of_a_single_contender_and_sums(judged):
    results = judged([candidate("a"), candidate("a+b", role="sum")], (0.9, 1.2))
    assert put_together(results) == ()


def test_the_cheap_ones_are_put_together_where_an_expensive_one_is_among_all(judged):
    candidates = [candidate("a"), candidate("b", ms=0.9), candidate("c", ms=1.0)]
    every, cheap = put_together(judged(candidates, (0.9, 0.8, 1.0)))
    assert {part.encoded.spec for part in every.parts} == {"a", "b", "c"}
    assert {part.encoded.spec for part in cheap.parts} == {"a", "b"}
    assert every.encoded.cpu_ms == pytest.approx(2.4) and every.encoded.bytes == 120
    assert cheap.encoded.cpu_ms == pytest.approx(1.4)
    assert together.text([every, cheap]).endswith(
        f"Only those under 1 ms, together: {100 * cheap.result.accuracy:.0f}% at 1.4 ms."
    )


@pytest.mark.parametrize("ms", [(0.5, 0.5, 0.5), (2.0, 2.0, 0.5)])
def test_else_there_is_one_row(judged, ms):
    candidates = [candidate(name, each) for name, each in zip("abc", ms, strict=True)]
    assert len(put_together(judged(candidates, (0.9, 0.8, 1.0)))) == 1


def test_the_gain_is_the_difference_to_the_leader(judged):
    results = judged([candidate(name) for name in "abc"], (1.0, 0.7, 0.7))
    (row,) = put_together(results)
    found = row.result
    alone = results.predictions[results.verdict.leader].accuracy(LABELS)
    assert found.accuracy - found.gain == pytest.approx(alone)
    assert found.gain_low < found.gain < found.gain_high
    assert found.low < found.accuracy < found.high
    assert 0 <= found.p_flip <= 1


def said(gain, names="abcd", shares=(0.4, 0.3, 0.2, 0.1), kept=1.0, ms=2.5):
    parts = tuple(
        together.Part(candidate(name), share, kept)
        for name, share in zip(names, shares, strict=False)
    )
    row = SimpleNamespace(
        parts=parts, result=gain, encoded=candidate("together", ms), leader=candidate("a", 0.25)
    )
    return together.text([row])


def test_a_clear_gain_is_said_with_its_parts():
    clear = Gain(0.806, 0.75, 0.86, 0.0441, 0.01, 0.08, 0.02)
    assert said(clear) == (
        "Together they do better: **4 of them, weighted** (a 40%, b 30%, c 20% ...; chosen inside "
        "the training part of every fold) name 81%, 4.4 points more than a alone, at 2.5 ms an "
        "image instead of 0.25."
    )
    assert "(a 40%, b 30%; chosen" in said(clear, "ab")
    assert said(clear, kept=0.8).endswith(
        "instead of 0.25. The choice differs a little between folds; shown is the one on all "
        "images."
    )
    assert said(clear, ms=np.inf).endswith("4.4 points more than a alone.")


@pytest.mark.parametrize(
    "gain",
    [
        Gain(0.806, 0.75, 0.86, 0.0441, -0.01, 0.1, 0.02),  # the interval holds 0
        Gain(0.806, 0.75, 0.86, 0.0441, 0.01, 0.08, 0.05),  # the signs could be chance
        Gain(0.72, 0.7, 0.8, -0.0419, -0.08, -0.01, 0.02),
    ],
)
def test_anything_else_does_not_help(gain):
    alone = f"{100 * (gain.accuracy - gain.gain):.0f}"
    assert said(gain) == (
        f"Putting them together does not visibly help: they name {100 * gain.accuracy:.0f}% "
        f"against {alone}% for a alone."
    )


def test_without_rows_there_is_no_sentence():
    assert together.text([]) == ""
