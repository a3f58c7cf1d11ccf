"""Images of several labels compared as a whole, on small sets made here."""

import csv
import re

import numpy as np
import PIL.Image
import pytest

import imrep
from imrep import answers
from imrep.assets import Assets
from imrep.embedding import peak_memory

SPECS = ["pixels", "histogram", "hog"]
LABELS = ("bright", "red", "striped", "rare")


@pytest.fixture(autouse=True)
def _own_cache(tmp_path, monkeypatch):
    monkeypatch.setenv("IMREP_CACHE", str(tmp_path / "cache"))
    monkeypatch.setattr(peak_memory, "peaks", lambda specs, threads: {})


def picture(rng, labels):
    """Noise that tends to be brighter, redder or striped as its labels say."""
    pixels = rng.normal(100, 20, (24, 24, 3)) + rng.normal(0, 15) + 35 * ("bright" in labels)
    pixels[..., 0] += rng.normal(0, 15) + 35 * ("red" in labels)
    pixels[::4] += rng.normal(0, 25) + 60 * ("striped" in labels)
    return pixels.clip(0, 255).astype(np.uint8)


def write(folder, sets, seed=0):
    """Pictures with these labels, and their table; None has no line in it."""
    rng = np.random.default_rng(seed)
    folder.mkdir()
    lines = [("path", "labels")]
    for i, labels in enumerate(sets):
        PIL.Image.fromarray(picture(rng, labels or ())).save(folder / f"{i:03}.png")
        if labels is not None:
            lines.append((f"{i:03}.png", "|".join(labels)))
    with (folder / "split.csv").open("w", encoding="utf-8", newline="") as file:
        csv.writer(file).writerows(lines)
    return folder


def label_sets(n=90, seed=1):
    """Every label on a third of the images, but for one that three have."""
    has = np.random.default_rng(seed).random((n, 3)) < 1 / 3
    sets = [[label for label, own in zip(LABELS, row, strict=False) if own] for row in has]
    for labels in sets[:3]:
        labels.append("rare")
    return sets


@pytest.fixture(scope="module")
def compared(tmp_path_factory):
    """A comparison, its folder and the labels; two images are not in the table."""
    root = tmp_path_factory.mktemp("labels")
    sets = [*label_sets(), None, None]
    with pytest.MonkeyPatch.context() as patch:
        patch.setenv("IMREP_CACHE", str(root / "cache"))
        patch.setattr(peak_memory, "peaks", lambda specs, threads: {})
        data = write(root / "data", sets)
        return imrep.compare(data, SPECS, root / "out", threads=1), sets


def values(comparison, name, role="contender"):
    kind, metric = name.split(".")
    rows = [r for r in comparison.rows if (r.kind, r.metric) == (kind, metric) and r.role == role]
    return {(row.spec, str(row.detail)) if row.detail else row.spec: row.value for row in rows}


def test_the_sentence_names_who_ranks_best(compared):
    comparison, _ = compared
    text, verdict = comparison.sentence, comparison.verdict
    assert verdict["sentence"] in ("clear", "tied")
    assert "ranks unseen images with mean average precision " in text and " over 3 labels" in text
    assert comparison.pick == verdict["leader"] or comparison.pick in verdict["equals"]
    assert comparison.rows[0].n == 90 and comparison.rows[0].classes == 0
    assert comparison.rows[0].folds == 5


def test_scores_are_between_guessing_and_one_and_every_label_has_its_own(compared):
    comparison, sets = compared
    precision = values(comparison, "accuracy.precision")
    guess = comparison.verdict["guess"]
    tested = [set(labels) & set(LABELS[:3]) for labels in sets if labels is not None]
    assert guess == pytest.approx(sum(map(len, tested)) / 3 / 90)
    assert set(precision) == set(SPECS)
    assert precision["histogram"] > guess + 0.3
    by_label = values(comparison, "accuracy.label_precision")
    for spec in SPECS:
        own = [by_label[spec, label] for label in LABELS[:3]]
        assert np.mean(own) == pytest.approx(precision[spec], abs=0.01)
    assert len(by_label) == 3 * len(SPECS)


def test_labels_that_cannot_be_tested_and_images_without_a_line_are_named(compared):
    comparison, sets = compared
    rows = {(row.metric, str(row.detail)): row.value for row in comparison.rows
            if row.kind == "data"}  # fmt: skip
    assert rows["left_out", "rare"] == 3 and ("label", "rare") not in rows
    assert rows["label", "red"] == sum("red" in (labels or ()) for labels in sets)
    assert rows["unlabelled", ""] == 2
    notes = {note["id"]: note["text"] for note in comparison.verdict["notes"]}
    assert notes["untested"] == (
        "1 label on fewer than five images (or groups), or missing from fewer than five, was left "
        "out: rare."
    )


def test_noise_is_at_guessing_and_warns_of_nothing(compared):
    comparison, _ = compared
    controls = values(comparison, "accuracy.precision", "control")
    assert abs(controls["noise"] - comparison.verdict["guess"]) < 0.15
    assert "file facts" not in controls  # all files have one size and format
    assert "noise" not in {warning["id"] for warning in comparison.verdict["warnings"]}


def test_curves_rise_to_the_score(compared):
    comparison, _ = compared
    curves = values(comparison, "accuracy.precision_curve")
    precision = values(comparison, "accuracy.precision")
    assert {int(images) for _, images in curves} == {20, 50}
    assert curves["histogram", "20"] < precision["histogram"] + 0.1
    assert all(0 <= value <= 1 for value in curves.values())


def test_answers_rank_as_the_scores_say_and_their_probabilities_are_some(compared):
    comparison, sets = compared
    columns = answers.read(comparison.folder)
    assert columns["labels"].tolist()[:3] == [
        "|".join(sorted(set(labels) - {"rare"})) for labels in sets[:3]
    ]
    assert len(columns["path"]) == 90 and "hog.score.rare" not in columns
    striped = np.array(["striped" in labels for labels in sets[:90]])
    score, share = columns["histogram.score.striped"], columns["histogram.probability.striped"]
    assert score[striped].mean() > score[~striped].mean()
    assert share.mean() == pytest.approx(striped.mean(), abs=0.1)
    assert share.min() >= 0 and share.max() <= 1


def test_images_ranked_wrong_are_on_the_page_with_their_names(compared):
    comparison, sets = compared
    assets = Assets.load(comparison.folder)
    page = comparison.report.read_text(encoding="utf-8")
    assert set(assets.remarks) == {"false", "missed"}
    assert any(assets.remarks.values())
    for section, remarks in assets.remarks.items():
        for remark in remarks:
            own = sets[int(remark.path[:3])]
            assert (remark.label in own) == (section == "missed")
            assert remark.other == ", ".join(sorted(set(own) - {"rare"}))
            assert remark.path in page.replace("<wbr>", "")
            assert (remark.p > 0.5) == (section == "false") or 0.3 < remark.p < 0.7


def test_the_page_has_what_is_about_labels_and_no_heading_about_classes(compared):
    comparison, _ = compared
    page = comparison.report.read_text(encoding="utf-8")
    headings = ("Labels", "Learning curves", "Mean average precision and cost")
    assert all(f"<h2>{heading}</h2>" in page for heading in headings)
    assert not any(f'id="{id}"' in page for id in ("confusion", "label-errors", "probabilities"))
    assert re.search(r"90 images( in \d+ groups)?, 3 labels</p>", page)
    assert "labels of each image were predicted" in page
    text = re.sub(r"<[^>]*>", "|", page.split("<script")[0])
    assert not re.search(r"\b(nan|NaN)\b|\|\s*None\s*\|", text)


def test_the_table_and_the_repr_have_the_precision(compared):
    comparison, _ = compared
    line = next(line for line in comparison.table() if line["role"] == "contender")
    assert line["precision"] == max(values(comparison, "accuracy.precision").values())
    assert line["lo"] <= line["precision"] <= line["hi"] and "accuracy" not in line
    assert f"{100 * line['precision']:.1f} %" in repr(comparison)
    assert "precision" in comparison._repr_html_()


def test_the_same_images_again_give_the_same_numbers(compared, tmp_path):
    comparison, sets = compared
    again = imrep.compare(write(tmp_path / "data", sets), SPECS, tmp_path / "out", threads=1)
    first, second = (values(each, "accuracy.precision") for each in (comparison, again))
    assert first == second


def test_shuffled_labels_are_seen_by_none(tmp_path):
    data = write(tmp_path / "data", label_sets())
    sets = label_sets()
    order = np.random.default_rng(5).permutation(len(sets))
    with (data / "split.csv").open("w", encoding="utf-8", newline="") as file:
        shuffled = [(f"{i:03}.png", "|".join(sets[j])) for i, j in enumerate(order)]
        csv.writer(file).writerows([("path", "labels"), *shuffled])
    comparison = imrep.compare(data, SPECS, tmp_path / "out", threads=1)
    assert comparison.verdict["sentence"] == "none" and comparison.pick == ""
    assert comparison.sentence.startswith("None of these is shown to see the labels: ")
    assert not values(comparison, "accuracy.precision", "together")


def test_one_testable_label_is_a_class_beside_all_other_images(tmp_path):
    sets = [["striped"] * (i % 3 == 0) + ["rare"] * (i < 2) for i in range(66)]
    comparison = imrep.compare(write(tmp_path / "data", sets), SPECS, tmp_path / "out", cues=False)
    accuracy = values(comparison, "accuracy.probe")
    assert comparison.rows[0].classes == 2 and max(accuracy.values()) > 0.8
    assert not values(comparison, "accuracy.precision")
    columns = answers.read(comparison.folder, ["hog"])
    assert set(columns["label"]) == {"striped", "not striped"}
    notes = [note["text"] for note in comparison.verdict["notes"]]
    assert (
        "striped is the only label to be tested, as a class beside all other images. 1 other label "
        "is on fewer than 5 images (or groups), or missing from fewer."
    ) in notes


def test_without_a_testable_label_nothing_is_ranked(tmp_path):
    sets = [["striped"] * (i < 3) for i in range(20)]
    comparison = imrep.compare(write(tmp_path / "data", sets), SPECS, tmp_path / "out")
    assert comparison.verdict["sentence"] == "nothing"
    assert comparison.sentence.startswith("Nothing can be tested: no label is on five images")
    assert not values(comparison, "accuracy.precision")
    assert answers.read(comparison.folder) is None


def test_sums_own_vectors_and_sizes_take_part(tmp_path):
    sets = label_sets()
    has = np.array([[label in labels for label in LABELS[:3]] for labels in sets])
    own = has + np.random.default_rng(0).normal(0, 0.3, has.shape)
    comparison = imrep.compare(
        write(tmp_path / "data", sets),
        ["histogram", "hog", "hog+histogram"],
        tmp_path / "out",
        vectors={"mine": own.astype(np.float32)},
        sizes=(12,),
        save=tmp_path / "model",
    )
    precision = values(comparison, "accuracy.precision", "own")
    assert precision["mine"] > 0.9
    (sums,) = values(comparison, "accuracy.precision", "sum").values()
    singles = values(comparison, "accuracy.precision")
    assert sums > max(singles.values()) - 0.05
    assert comparison.verdict["leader"] == "mine"
    by_size = {(line["spec"], line["size"]): line for line in comparison.by_size()}
    own_size = next(line for line in comparison.table() if line["spec"] == "hog")
    assert by_size["hog", 64]["precision"] == pytest.approx(own_size["precision"])
    smaller = by_size["hog", 12]
    assert smaller["gain"] == pytest.approx(smaller["precision"] - own_size["precision"])
    assert "Image size, for" in comparison.sentence
    assert comparison.saved == tmp_path / "model"
