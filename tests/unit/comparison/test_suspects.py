"""Images to look at: where none are, what is said, what is written."""

import csv
from types import SimpleNamespace

import numpy as np
import pytest

from imrep.assets import CHECKED
from imrep.comparison.conclusions import suspects
from imrep.comparison.conclusions.remarkable import Remarkable
from imrep.comparison.conclusions.suspects import ImagesToCheck
from imrep.comparison.data import folds
from imrep.comparison.data.labelled_dataset import LabelledDataset
from imrep.comparison.output import suspects as output
from imrep.comparison.output.outcome import Scores
from imrep.comparison.output.rows import Rows
from imrep.comparison.probes import planted
from imrep.comparison.probes.calibrated import Calibrated
from imrep.comparison.probes.planted import Planted
from imrep.comparison.statistics.label_errors import LabelErrors
from imrep.results import Row

N, COUNT = 120, 3
LABELS = np.arange(N) % COUNT
DATASET = LabelledDataset(
    rows=np.arange(N),
    labels=LABELS,
    classes=("cat", "dog", "hen"),
    groups=np.arange(N),
    folds=folds.split(LABELS, np.arange(N)),
    seed=0,
)


def images(edges=()):
    return SimpleNamespace(
        labels=LABELS,
        decoded=SimpleNamespace(items=[SimpleNamespace(path=f"{i:03}.png") for i in range(N)]),
        duplicates=SimpleNamespace(edges=edges, component=np.arange(N)),
    )


def checks(listed=(), wrong=0, recall=0.9, changed=15):
    images = np.array(listed, np.int64)
    return ImagesToCheck(
        table=np.full((N, COUNT), 1 / 3),
        probability=np.linspace(0, 1, N),
        other=(LABELS + 1) % COUNT,
        planted=Planted(np.zeros((5, changed), int), np.zeros((5, N), int)),
        errors=LabelErrors(images, 0.2, wrong, recall),
        remarkable=Remarkable([4, 5], [6], (0, 2), ([0, 3], [2])),
    )


ALWAYS = (
    " When we changed 15 labels at random, 90% of them were among the first 45 (mean of 5 draws)."
)


def test_the_sentences():
    assert checks(range(12), 8).text == (
        "**12 labels to check**: each fits its picture worse than half of 75 labels that we "
        "changed on purpose. We estimate that 8 labels of this folder are wrong, about 4 of them "
        "among these 12. The others are probably right: odd pictures, not mistakes." + ALWAYS
    )
    assert checks(range(3)).text == (
        "**3 labels to check**: each fits its picture worse than half of 75 labels that we "
        "changed on purpose. No label need be wrong: so few are expected in a clean folder "
        "too. All 3 are probably right, and simply hard." + ALWAYS
    )
    assert checks().text == (
        "No label stands out: none fits its picture worse than half of 75 labels that we changed "
        "on purpose." + ALWAYS
    )
    assert checks([1], 1).text.startswith("**1 label to check**: it fits its picture worse")
    assert "that 1 label of this folder is wrong, this one among them." in checks([1], 1).text
    assert "5 labels of this folder are wrong, these 2 among them." in checks([1, 2], 5).text
    assert checks((), recall=0.4).text == (
        "These representations cannot tell wrong labels from hard pictures here. When we changed "
        "15 labels at random, 40% of them were among the first 45 (mean of 5 draws)."
    )


@pytest.fixture
def judged(monkeypatch):
    """Run on a combination that names every image but some, and draws of this probability."""

    def make(low=(), changed=0.05, headline="tied", edges=(), together=True, trained=()):
        table = np.full((N, COUNT), 0.05)
        table[np.arange(N), LABELS] = 0.9
        table[list(low), LABELS[list(low)]] = 0.02

        def label_probabilities(parts, dataset, draws, weighted, progress):
            values = np.full(draws.labels.shape, 0.9, np.float32)
            np.put_along_axis(values, draws.images, changed, axis=1)
            make.parts, make.weighted = [part.spec for part in parts], weighted
            return values

        monkeypatch.setattr(planted, "label_probabilities", label_probabilities)
        monkeypatch.setattr(suspects, "calibrate", lambda *_: Calibrated(table, None))
        row = SimpleNamespace(
            encoded=SimpleNamespace(spec="together"),
            parts=[SimpleNamespace(encoded=SimpleNamespace(spec="kept"))],
            combination=SimpleNamespace(probabilities=table),
        )
        accuracies = {"a": 0.5, "b": 0.9, "c": 0.8, "d": 0.7, "e": 0.6, "f": 0.4}
        encoded = [
            SimpleNamespace(spec=name, parts=(1,), trained=name in trained) for name in accuracies
        ]
        monkeypatch.setattr(
            suspects.predictions,
            "predict",
            lambda each, dataset: SimpleNamespace(
                folds=(1,), accuracy=lambda labels: accuracies[each.spec]
            ),
        )
        classification = SimpleNamespace(headline=SimpleNamespace(id=headline), encoded=encoded)
        found = suspects.find_suspects(
            DATASET, images(edges), classification, [row] if together else [], lambda *_: None
        )
        return found, make

    return make


def test_improbable_labels_are_listed_by_path_and_only_kept_parts_judge(judged):
    found, made = judged(low=(9, 4))
    assert found.errors.images.tolist() == [4, 9]
    assert made.parts == ["kept"] and made.weighted
    assert not set(found.remarkable.hardest + found.remarkable.typical) & {4, 9}


def test_without_a_combination_the_five_most_accurate_judge(judged):
    found, made = judged(low=(9,), together=False)
    assert made.parts == list("bcdea") and not made.weighted
    assert found.errors.images.tolist() == [9]


def test_what_was_trained_on_the_labels_does_not_doubt_them(judged):
    _, made = judged(together=False, trained="bc")
    assert made.parts == list("deaf")
    assert judged(together=False, trained="abcdef")[0] is None


@pytest.mark.parametrize("headline", ["noise", "too few", "none"])
def test_where_nothing_is_judged_no_label_is_doubted(judged, headline):
    assert judged(headline=headline)[0] is None


def test_a_pair_of_copies_with_two_labels_is_not_listed_again(judged):
    found, _ = judged(low=(4, 9), edges=[SimpleNamespace(i=9, j=10)])
    assert found.errors.images.tolist() == [4]


def test_nothing_is_listed_where_changed_labels_do_not_stand_out(judged):
    found, _ = judged(low=(4, 9), changed=0.95)
    assert found.blind and not len(found.errors.images)
    assert found.text.startswith("These representations cannot tell")
    assert 4 in found.remarkable.hardest or found.remarkable.pair is not None


def test_rows_have_the_sentence_and_its_numbers():
    rows = Rows(Row(kind="data", metric="files"))
    output.rows(rows, checks(range(12), 8))
    values = {row.metric: row.value for row in rows.rows}
    assert values == {
        "sentence": None, "listed": 12, "wrong": 8, "right": 8, "threshold": 0.2, "changed": 15,
        "recall": 0.9,
    }  # fmt: skip
    assert rows.rows[0].detail.startswith("**12 labels to check**")


def scores(own):
    return Scores(DATASET, SimpleNamespace(), (), (), own)


def test_the_list_is_written_and_that_of_an_earlier_run_removed(tmp_path):
    path = tmp_path / "suspects.csv"
    output.write(path, scores(checks([7, 3])), images())
    with path.open(newline="") as file:
        lines = list(csv.DictReader(file))
    assert lines == [
        {"path": "007.png", "label": "dog", "seen_as": "hen", "p": "0.05882"},
        {"path": "003.png", "label": "cat", "seen_as": "dog", "p": "0.02521"},
    ]
    output.write(path, scores(checks()), images())
    assert not path.exists()
    output.write(path, None, images())


def test_pictures_stand_in_the_order_of_their_sections():
    by_section, rows = output.remarks(scores(checks(range(50, 110))), images())
    assert [len(remarks) for remarks in by_section.values()] == [CHECKED, 2, 1, 3]
    assert rows.tolist() == [*range(50, 98), 4, 5, 6, 0, 3, 2]
    paths = [remark.path for remarks in by_section.values() for remark in remarks]
    assert paths == [f"{row:03}.png" for row in rows]
    assert [(r.label, r.other) for r in by_section["confused"]] == [
        ("cat", "hen"), ("cat", "hen"), ("hen", "cat"),
    ]  # fmt: skip
    assert output.remarks(None, images())[0] == {}
