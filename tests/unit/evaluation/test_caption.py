"""Captions against those of people."""

import numpy as np
import pytest

from imrep.evaluation import caption

REFERENCES = [
    ["a red square above a blue circle", "the square is red", "a big red square on a blue circle"],
    ["a dog runs on the grass", "a brown dog is running over green grass"],
    ["two men ride horses", "men on horses"],
    ["a cat sits on a red square"],
]
CAPTIONS = ["a red square on a blue circle", "a dog a dog a dog runs", "two men ride two horses",
            "a dog"]  # fmt: skip
# pycocoevalcap 1.2, CiderScorer(n=4, sigma=6.0), on these
OFFICIAL = [4.224796225571969, 1.0898122159246848, 2.778929281270788, 0.09113673540909506]


def test_cider_is_that_of_the_coco_evaluation():
    assert caption.cider(CAPTIONS, REFERENCES) == pytest.approx(OFFICIAL, abs=1e-9)


def test_cider_of_the_only_reference_is_ten_if_its_grams_are_rare():
    references = [["one two three four five"], ["six seven eight nine ten"]]
    assert caption.cider([r[0] for r in references], references) == pytest.approx([10, 10])


def test_what_all_images_share_counts_nothing():
    references = [["a photo of it all"], ["a photo of it all"]]
    assert caption.cider(["a photo of it all", "x"], references).tolist() == [0, 0]


def test_repetition_and_length_are_punished():
    references = [["a red cat"], ["two big dogs"], ["blue sea"]]
    plain, twice = (caption.cider([text, "", ""], references)[0]
                    for text in ("a red cat", "a red cat a red cat a red cat"))  # fmt: skip
    assert plain > twice > 0


def test_tokens_are_words_in_lower_case():
    assert caption.tokens("A dog's Ball, (red)!  très_grand 猫 2") == [
        "a", "dog's", "ball", "red", "très", "grand", "猫", "2",
    ]  # fmt: skip


def test_scores_have_intervals_over_images():
    texts = [references[0].upper() + "." for references in REFERENCES]
    texts[3] = "a dog"
    exact, cider = caption.scores(texts, REFERENCES)
    assert exact.value == 0.75 and exact.lo < 0.75 < exact.hi <= 1 and exact.n == 4
    assert cider.unit == "score" and cider.lo < cider.value < cider.hi
    assert np.isclose(cider.value, caption.cider(texts, REFERENCES).mean())
    assert " %" not in cider.text and cider.text.startswith(f"{cider.value:.2f} (")
