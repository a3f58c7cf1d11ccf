"""`imrep.classify`: labels by their names."""

import numpy as np
import pytest
from tiny_bilingual import Tiny, write_photos

import imrep
from imrep.errors import BadData, BadParameter


@pytest.fixture
def photos(tmp_path, monkeypatch):
    """Four squares of each of three colours."""
    monkeypatch.setenv("IMREP_CACHE", str(tmp_path / "cache"))
    return write_photos(tmp_path / "photos")


def test_a_folder_by_the_names_of_its_classes(photos):
    answers = imrep.classify(photos, Tiny())
    assert answers.labels == tuple(path.split("/")[0] for path in answers.paths)
    assert answers.classes == ("blue", "green", "red") and answers.top5 is None
    figure = answers.accuracy
    assert (figure.value, figure.n, figure.chance) == (1.0, 12, 1 / 3) and figure.lo < 1
    assert np.allclose(answers.probabilities.sum(1), 1)
    assert "these 3 labels only" in answers.among and "100 %" in repr(answers)


def test_labels_match_classes_without_article_and_case(photos):
    answers = imrep.classify(photos, Tiny(), "a Red, the green, Blue")
    assert answers.accuracy.value == 1 and not [n for n in answers.notes if "no label" in n]


def test_classes_that_are_no_label_are_left_out_of_the_accuracy(photos):
    answers = imrep.classify(photos, Tiny(), ["red", "blue", "yellow"])
    assert answers.accuracy.n == 8 and answers.accuracy.value == 1
    assert "4 images have a class that is no label (green): they are not in the accuracy." in (
        answers.notes
    )
    answers = imrep.classify(photos, Tiny(), ["white", "yellow"])
    assert answers.accuracy is None and answers.notes[-1].endswith("there is no accuracy.")


def test_a_wrong_accuracy_is_balanced(photos):
    for path in (photos / "red").glob("r[123].png"):
        path.unlink()
    (photos / "red" / "r0.png").write_bytes((photos / "blue" / "b0.png").read_bytes())
    figure = imrep.classify(photos, Tiny()).accuracy
    assert figure.value == pytest.approx(2 / 3) and figure.n == 9 and figure.lo < 2 / 3 < figure.hi


def test_top_five_where_there_are_more_labels(photos):
    labels = ["red", "green", "blue", "yellow", "white", "a thing"]
    answers = imrep.classify(photos, Tiny(), labels)
    assert answers.top5.value == 1 and answers.top5.chance == 5 / 6


def test_images_in_memory_and_a_list_of_paths_keep_their_order(photos):
    paths = [photos / "red" / "r1.png", photos / "blue" / "b1.png"]
    answers = imrep.classify(paths, Tiny(), "red, blue")
    assert answers.labels == ("red", "blue") and answers.paths[0].endswith("r1.png")
    pixels = np.zeros((2, 8, 8, 3), np.float32)
    pixels[0, ..., 2] = pixels[1, ..., 0] = 1
    answers = imrep.classify((pixels, ["blue", "red"]), Tiny(), "red, blue")
    assert answers.labels == ("blue", "red") and answers.accuracy.value == 1


def test_broken_files_have_no_answer(photos):
    (photos / "red" / "r9.jpg").write_bytes(b"\xff\xd8\xff\xe0 and no more")
    answers = imrep.classify(photos, Tiny())
    (skipped, _), row = answers.skipped[0], answers.paths.index("red/r9.jpg")
    assert skipped == "red/r9.jpg" and answers.labels[row] == "" and answers.accuracy.value == 1
    assert np.isnan(answers.probabilities[row]).all()


def test_labels_that_say_nothing_and_other_scripts_are_noted(photos):
    answers = imrep.classify(photos, Tiny(), ["1", "红", "green"])
    assert "Labels in another script than Latin (红): tinycolours may not have learned them." in (
        answers.notes
    )
    assert "Labels that say nothing (1): what fits them is chance." in answers.notes


def test_what_cannot_be_classified_is_refused(photos, tmp_path):
    with pytest.raises(BadParameter, match=r"embeds text, got pixels"):
        imrep.classify(photos, "pixels", "a, b")
    with pytest.raises(BadData, match=r"two classes or more, got .* with none"):
        imrep.classify(photos / "red", Tiny())
    with pytest.raises(BadData, match="got None"):
        imrep.classify(None, Tiny(), "a, b")
    with pytest.raises(BadParameter, match="has to be fitted"):
        imrep.classify(photos, "sift", "a, b")
