"""What the classes hang on: by whom, on which images, and in which words; and its rows."""

from types import SimpleNamespace

import numpy as np
import pytest

from imrep.comparison.conclusions import cues as module
from imrep.comparison.conclusions.cues import Cues, find_cues, sentence
from imrep.comparison.data import folds
from imrep.comparison.data.labelled_dataset import LabelledDataset
from imrep.comparison.diagnostics.cues.scores import VariantScores
from imrep.comparison.diagnostics.cues.variants import ORIGINAL, VARIANTS
from imrep.comparison.output import cues as output
from imrep.comparison.output.rows import Rows, started
from imrep.comparison.probes.classifier import Predictions
from imrep.comparison.probes.scores import FoldScores
from imrep.comparison.statistics.gain import Gain

N, COUNT = 120, 4
LABELS, GROUPS = np.arange(N) % COUNT, np.arange(N)


def dataset(copies=1):
    labels, groups = np.tile(LABELS, copies), np.arange(N * copies)
    return LabelledDataset(
        rows=np.arange(N * copies),
        labels=labels,
        classes=("a", "b", "c", "d"),
        groups=groups,
        folds=folds.split(labels, groups),
        seed=0,
    )


def candidate(spec, ms=0.5, role="contender", pretrained=False, fitted_on="", trained=False):
    return SimpleNamespace(
        spec=spec,
        cpu_ms=ms,
        fitted_on=fitted_on,
        trained=trained,
        candidate=SimpleNamespace(role=role, pretrained=pretrained),
    )


def classification(candidates, headline="tied"):
    return SimpleNamespace(
        encoded=candidates,
        headline=SimpleNamespace(id=headline),
        verdict=SimpleNamespace(
            standings=[SimpleNamespace(accuracy=0.1 * i) for i in range(len(candidates))]
        ),
    )


@pytest.fixture
def calls(monkeypatch):
    """Whom the variants were predicted by, and on how many images; shuffling takes all away."""
    made = []

    def predict(encoded, data, complete, state):
        made.append(([each.spec for each in encoded], len(data), complete))
        return VariantScores(
            tuple(encoded),
            {
                name: [
                    predictions(data, 0.0 if name == "blocks shuffled" else 3.0) for _ in encoded
                ]
                for name in (ORIGINAL, *VARIANTS)
            },
        )

    monkeypatch.setattr(module, "predict_variants", predict)
    return made


def predictions(data, signal):
    scores = np.random.default_rng(0).normal(size=(len(data), COUNT)) / 2
    scores[np.arange(len(data)), data.labels] += signal
    scores = scores.astype(np.float32)
    probe = scores.argmax(1)
    parts = tuple(
        FoldScores(train, scores[train], test, scores[test]) for train, test in data.folds
    )
    return Predictions(probe, probe, probe, parts)


def found(gains):
    """Cues with (gain, half an interval) of some variants, the others of wide intervals."""
    wide = dict.fromkeys(VARIANTS, (0.0, 0.2))
    scores = {ORIGINAL: Gain(0.8, 0.7, 0.9, 0, 0, 0, 1)}
    for name, (gain, half) in (wide | gains).items():
        accuracy = 0.8 + gain
        ends = accuracy - 0.05, accuracy + 0.05
        scores[name] = Gain(accuracy, *ends, gain, gain - half, gain + half, 0.01)
    return Cues(None, dataset(), scores)


def text(gains):
    (note,) = sentence([found(gains)])
    assert note.id == "cues"
    return note.text


# Who is judged on what


def test_contenders_under_a_millisecond_are_put_together(calls):
    everyone = [candidate("a"), candidate("slow", 1.2), candidate("a+b", 0.5, "sum"),
                candidate("mine", 0.1, "own"), candidate("b", 0.9),
                candidate("codebook", 0.5, fitted_on="fold")]  # fmt: skip
    (cues,) = find_cues(dataset(), classification(everyone), None)
    assert calls == [(["a", "b"], N, True)]
    assert cues.judged is None and len(cues.dataset) == N
    assert [part.spec for part in cues.parts] == ["a", "b"]
    assert list(cues.scores) == [ORIGINAL, *VARIANTS]
    assert cues.scores[ORIGINAL].accuracy > 0.95 and cues.scores[ORIGINAL].gain == 0
    assert cues.scores["blocks shuffled"].accuracy < 0.5
    assert cues.scores["blocks shuffled"].gain_high < -0.3
    assert cues.scores["no colour"].gain == 0


def test_of_many_images_a_sample_is_judged(calls):
    find_cues(dataset(5), classification([candidate("a"), candidate("b")]), None)
    assert calls == [(["a", "b"], 500, False)]


def test_the_best_network_is_judged_alone_on_fewer_images(calls):
    networks = [candidate("a"), candidate("worse", 9, pretrained=True),
                candidate("better", 9, pretrained=True),
                candidate("snnl", 9, pretrained=True, trained=True)]  # fmt: skip
    cheap, alone = find_cues(dataset(2), classification(networks), None)
    assert calls == [(["a"], 240, True), (["better"], 200, False)]
    assert cheap.judged is None and alone.judged is networks[2]
    assert len(alone.dataset) == 200


def test_where_all_codes_are_constant_nothing_is_better_than_guessing(monkeypatch):
    data, nothing = dataset(), np.zeros(N, np.int64)
    constant = {name: [Predictions(nothing, nothing, nothing)] for name in VARIANTS}
    scores = {ORIGINAL: [predictions(data, 3.0)], **constant}
    monkeypatch.setattr(
        module, "predict_variants", lambda encoded, *_: VariantScores(tuple(encoded), scores)
    )
    (cues,) = find_cues(data, classification([candidate("a")]), None)
    assert {cues.scores[name].accuracy for name in VARIANTS} == {1 / COUNT}


def test_where_all_refuse_a_variant_there_are_none(monkeypatch):
    monkeypatch.setattr(module, "predict_variants", lambda *_: VariantScores((), {}))
    both = [candidate("a"), candidate("net", 9, pretrained=True)]
    assert find_cues(dataset(2), classification(both), None) == ()


def test_without_contenders_of_either_kind_there_are_none(calls):
    slow = [candidate("slow", 2.0), candidate("mine", 0.1, "own")]
    assert find_cues(dataset(), classification(slow), None) == () == tuple(calls)


@pytest.mark.parametrize("headline", ["noise", "one", "too few", "none"])
def test_there_are_none_without_a_verdict(calls, headline):
    candidates = [candidate("a"), candidate("b")]
    assert find_cues(dataset(), classification(candidates, headline), None) == () == tuple(calls)


# The sentence


def test_the_three_largest_losses_and_what_costs_nothing():
    assert text(
        {
            "no colour": (-0.13, 0.05),
            "colour only": (-0.05, 0.04),
            "blocks shuffled": (-0.47, 0.06),
            "edges only": (-0.094, 0.05),
            "same exposure": (0.01, 0.04),
        }
    ) == (
        "**What the classes hang on:** shuffling the layout costs 47 points, taking the colour "
        "away 13, leaving only the outlines 9; giving all the same exposure costs nothing that "
        "this folder can show."
    )


def test_a_clause_with_nothing_to_name_falls_away():
    assert text({"no colour": (-0.13, 0.05)}) == (
        "**What the classes hang on:** taking the colour away costs 13 points."
    )
    assert text({"no colour": (0.0, 0.03), "blocks shuffled": (-0.01, 0.04)}) == (
        "**What the classes hang on:** taking the colour away and shuffling the layout cost "
        "nothing that this folder can show."
    )
    assert sentence([found({"no colour": (-0.03, 0.05)})]) == []  # 10 points wide
    assert sentence([]) == []


def test_a_variant_that_gains_is_worth_a_sentence():
    assert text({"no colour": (0.05, 0.03), "edges only": (-0.3, 0.05)}) == (
        "**What the classes hang on:** leaving only the outlines costs 30 points. Without colour "
        "it does better: colour misleads here."
    )
    assert text({"same exposure": (0.05, 0.03)}) == (
        "**What the classes hang on:** with the same exposure it does better: brightness and "
        "contrast mislead here."
    )


def test_a_network_alone_has_no_sentence():
    alone = found({"no colour": (-0.13, 0.05)})
    assert sentence([Cues(candidate("net"), alone.dataset, alone.scores)]) == []


def test_there_are_words_for_every_variant():
    assert tuple(module._ACTION) == tuple(module._MISLEADING) == VARIANTS


# The rows


def test_rows_have_the_numbers_of_the_images_that_were_changed():
    rows = Rows(started())
    output.add(rows, [found({"no colour": (-0.13, 0.05)})])
    assert {row.metric for row in rows.rows} == {"accuracy", "difference", "p_flip"}
    assert {row.kind for row in rows.rows} == {"cues"}
    assert {(row.n, row.groups, row.folds, row.spec, row.role) for row in rows.rows} == {
        (N, N, 5, "", "")
    }
    by = {(row.metric, row.detail): row for row in rows.rows}
    assert len(by) == 1 + 3 * len(VARIANTS)
    loss = by["difference", "no colour"]
    assert (loss.value, loss.lo, loss.hi) == pytest.approx((-0.13, -0.18, -0.08))
    assert ("difference", ORIGINAL) not in by
