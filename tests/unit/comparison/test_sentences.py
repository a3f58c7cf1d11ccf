"""The sentences, to the letter."""

import dataclasses
import math

import pytest

from imrep.comparison.conclusions import phrases, sentences
from imrep.comparison.conclusions.headline import Facts, headline
from imrep.comparison.statistics.verdict import Standing, Verdict
from imrep.results import OUTSIDE

NAMES = ("pixels", "hog", "dct", "sift", "fourier", "laplacian")


def facts_of(accuracies, tied, *, half=0.05, too_few=False, gap=0.123, need=40, **more):
    """Facts of a folder of 10 classes and 600 images."""
    lead = max(accuracies)
    standings = tuple(
        Standing(a, max(a - half, 0), min(a + half, 1), lead - a, 0, 0.1, 1.0, 0.5, j in tied)
        for j, a in enumerate(accuracies)
    )
    leader = accuracies.index(lead)
    found = Verdict(standings, leader, tied, 2.0, gap, 0.1, too_few, need)
    plain = {
        "ms": (0.05, 0.34, 8.2, 120.4, 1, 1)[: len(accuracies)],
        "size": (12288, 7056, 3120, 5120, 8448, 900)[: len(accuracies)],
        "class_sizes": (60,) * 10,
        "pick": leader,
    }
    return Facts(NAMES[: len(accuracies)], found, **{**plain, **more})


def test_clear():
    assert headline(facts_of([0.34, 0.45, 0.682], (2,))) == (
        "clear",
        "**dct** serves this folder best: it names the class of 68% of images it has not seen "
        "(95% interval 63-73%; guessing gives 10%), 23 points ahead of hog, more than chance "
        "explains with 600 images.",
    )


def test_clear_by_less_than_a_point():
    text = headline(facts_of([0.5, 0.504], (1,))).text
    assert ", 0.4 points ahead of pixels, " in text
    assert ", 1 point ahead of pixels, " in headline(facts_of([0.5, 0.51], (1,))).text


def test_tied():
    assert headline(facts_of([0.6, 0.67, 0.68], (0, 1, 2), pick=1)) == (
        "tied",
        "**Too close to call** between hog, pixels and dct: with 600 images this test sees gaps "
        "of about 12 points or more. Of those within 2 points of the top **hog** costs least "
        "(0.34 ms and 7.1 KB an image), at 67% (95% interval 62-72%; guessing gives 10%).",
    )


def test_tied_pair():
    assert " between dct and hog: with" in headline(facts_of([0.3, 0.67, 0.68], (1, 2))).text


def test_alone_within_the_margin():
    text = headline(facts_of([0.6, 0.68], (0, 1), pick=1, margin=2.5)).text
    assert text.endswith(
        " or more. Only **hog** is within 2.5 points of the top (0.34 ms and 7.1 KB an image), at "
        "68% (95% interval 63-73%; guessing gives 10%)."
    )


def test_many_tied_are_counted():
    text = headline(facts_of([0.5, 0.5, 0.5, 0.5, 0.51], (0, 1, 2, 3, 4), pick=3)).text
    assert text.startswith("**Too close to call** between sift and 4 others, marked below: with")
    assert "(120 ms and 5.1 KB an image)" in text
    four = headline(facts_of([0.5, 0.5, 0.5, 0.51], (0, 1, 2, 3))).text
    assert four.startswith("**Too close to call** between sift, pixels, hog and dct: with")


@pytest.mark.parametrize("tied", [(1,), (0, 1)])
def test_unequal_classes_count_the_same(tied):
    text = headline(facts_of([0.6, 0.8], tied, class_sizes=(60, 91))).text
    assert ", every class counting the same (95% interval" in text
    text = headline(facts_of([0.6, 0.8], tied, class_sizes=(60, 90))).text
    assert "every class" not in text


def test_solved():
    assert headline(facts_of([0.4, 0.979, 1.0], (1, 2), pick=1, half=0.01)) == (
        "solved",
        "2 of 3 name at least 97% of the images; this folder does not tell them apart. **hog** "
        "costs least.",
    )
    assert headline(facts_of([0.4, 0.969, 1.0], (1, 2))).id == "tied"
    assert headline(facts_of([0.4, 0.9, 1.0], (2,))).id == "clear"


def test_none():
    assert headline(facts_of([0.08, 0.131], (0, 1))) == (
        "none",
        "**None of these is shown to see the classes**: the best is at 13% (95% interval 8-18%), "
        "guessing gives 10%.",
    )
    assert headline(facts_of([0.08, 0.16], (0, 1))).id == "tied"


def test_one():
    assert headline(facts_of([0.682], (0,), gap=math.nan, need=0, too_few=True)) == (
        "one",
        "**pixels** names the class of 68% (95% interval 63-73%; guessing gives 10%); nothing to "
        "compare it with.",
    )


def test_too_few():
    few = facts_of([0.1, 0.1], (0, 1), too_few=True, class_sizes=(5, 4), need=80)
    assert headline(few) == (
        "too few",
        "**Too few images to decide** (9; smallest class 4). The numbers below are anecdotes; "
        "about 80 images a class would show a gap of 10 points.",
    )
    grouped = dataclasses.replace(few, groups=(3, 1))
    assert headline(grouped).text == (
        "**Too few images to decide** (9 in 4 groups; smallest class 1 group). The numbers below "
        "are anecdotes; about 80 groups a class would show a gap of 10 points."
    )
    single = dataclasses.replace(few, groups=(5, 4))
    assert headline(single) == headline(few)


@pytest.mark.parametrize("tied", [(1,), (0, 1)])
def test_images_are_counted_whatever_their_groups(tied):
    alone = headline(facts_of([0.5, 0.6], tied))
    assert "with 600 images" in alone.text
    assert headline(facts_of([0.5, 0.6], tied, groups=(50,) * 10)) == alone


def test_numbers_and_their_nouns():
    assert sentences.single(["cat"]).text.startswith("1 class with one image (or one group) was ")
    assert sentences.labels(1).text == "1 near-identical pair carries different labels."
    assert sentences.near_duplicates(2, 1, 2, scored=False).text == (
        "2 images are near-duplicates of another (1 group, largest 2)."
    )
    assert (
        "there is one class only, disc, with 1 image; give every class a folder"
        in sentences.one_class("disc", 1).text
    )
    assert "Look at a/1.png and a/2.png." in sentences.joined("a", 5, ("a/1.png", "a/2.png")).text


def test_noise_comes_before_all_but_nothing():
    for many in ([0.6], [0.6, 0.7]):
        assert headline(facts_of(many, (0,), noise=0.239, too_few=True)) == (
            "noise",
            "**Stop: a representation made of noise scored 24% (guessing 10%). Something leaks "
            "the labels; do not use the numbers below.**",
        )


def test_a_subset_of_the_images_is_stated():
    whole = headline(facts_of([0.6, 0.8], (1,)))
    part = headline(facts_of([0.6, 0.8], (1,), images=9000))
    assert part.text == whole.text + " Measured from 600 of 9,000 images."
    assert headline(facts_of([0.6, 0.8], (1,), images=600)) == whole


def test_at_least_is_rounded_down_from_what_was_meant():
    assert phrases.percent_at_least(0.29) == "29"  # 28.999999999999996 in binary
    assert phrases.percent_at_least(0.9799) == "97"


def test_warnings_and_notes():
    assert sentences.file_facts(0.478, 0.2).text == (
        "Warning: the size, format and compression setting of the files alone, without one pixel, "
        "name 48% (guessing 20%). The classes were saved or collected differently, and any score "
        "may reflect that."
    )
    assert sentences.frame(0.953, 0.96).text == (
        "Warning: the outer frame of the pictures alone reaches 95%, 96% of the way from guessing "
        "to the best. Background may give the class away (for textures this is natural)."
    )
    assert sentences.repeats(0.12, ["hog", "dct", "sift", "edge", "blob"]).text == (
        "Note: for hog, dct, sift, edge and blob nearest neighbours beat these classifiers by 12 "
        "points. Look for several photos of one object or session, and give --groups."
    )
    assert sentences.METHOD.text == (
        "Each was judged by the better of a linear and two kernel classifiers, chosen inside the "
        "training folds."
    )
    assert sentences.single(["cat", "dog"]).text == (
        "2 classes with one image (or one group) were left out of the scores: cat, dog."
    )
    assert sentences.labels(3).text == "3 near-identical pairs carry different labels."
    assert sentences.unlabelled().text == (
        "There are no labels here, so there is no honest way to name a best one. Below: what each "
        "keeps, what moves it, what it calls similar, what it costs."
    )
    assert sentences.failed("vit", "it needs weights.").text == (
        "vit could not run: it needs weights. The others are unaffected."
    )
    assert sentences.near_duplicates(35, 16, 4).text == (
        "35 images are near-duplicates of another (16 groups, largest 4); duplicates always share "
        "a fold."
    )


def test_notes_of_the_folds_name_their_classes():
    assert "duplicates were joined only where nearly certain in cat, dog: " in (
        sentences.relaxed(["cat", "dog"], grouped=False).text
    )
    assert "duplicates across your groups were" in sentences.relaxed(["cat"], grouped=True).text
    assert "put all of cat into one fold" in sentences.together(["cat"]).text


def test_ids_are_distinguished():
    made = [
        sentences.file_facts(0.5, 0.1),
        sentences.frame(0.5, 0.6),
        sentences.repeats(0.1, ["a"]),
        sentences.single(["a"]),
        sentences.labels(1),
        sentences.unlabelled(),
        sentences.failed("a", "b"),
        sentences.near_duplicates(2, 1, 2),
        sentences.relaxed(["a"], grouped=True),
        sentences.together(["a"]),
    ]
    assert [s.id for s in made] == [
        *("file", "frame", "repeats", "single", "labels", "unlabelled", "failed"),
        *("copies", "relaxed", "together"),
    ]


def test_no_network():
    assert sentences.no_network([]) == (
        "No pretrained network was in the race, so something better may be missing: "
        "pip install 'imrep[networks]' adds one."
    )
    assert sentences.no_network(["cnn"]) == (
        "No pretrained network was in the race: cnn could not run."
    )


def test_vectors_that_are_all_equal_are_named():
    one = sentences.constant(["edge"]).text
    assert "edge gives the same vector for every image" in one and one.endswith("Leave it out.")
    two = sentences.constant(["edge", "hog"]).text
    assert "edge and hog give the same" in two and two.endswith("Leave them out.")


@pytest.mark.parametrize(
    ("id", "leader", "pick", "end"),
    [
        ("clear", 1, 1, f"Said. {OUTSIDE}"),
        ("one", 1, 1, f"Said. {OUTSIDE}"),
        ("none", 1, 0, f"Said. {OUTSIDE}"),
        ("none", 0, 1, "Said."),
        ("tied", 0, 1, f"Said. {OUTSIDE}"),
        ("solved", 0, 1, f"Said. {OUTSIDE}"),
        ("tied", 1, 0, f"Said. The most accurate is mine. {OUTSIDE}"),
        ("tied", 0, 0, "Said."),
        ("noise", 1, 1, "Said."),
        ("too few", 1, 1, "Said."),
    ],
)
def test_a_headline_about_vectors_made_elsewhere_has_a_caution(id, leader, pick, end):
    first = sentences.Sentence(id, "Said.")
    assert sentences.cautioned(first, ["hog", "mine"], [False, True], leader, pick) == (id, end)


def test_vectors_without_a_time_cost_what_nobody_knows():
    more = {"pick": 2, "ms": (9, 9, math.inf), "margin": 0.5}
    text = headline(facts_of([0.6, 0.67, 0.68], (0, 1, 2), **more)).text
    assert "**dct** is within 0.5 points of the top (cost not known), at 68%" in text
    more |= {"ms": (9, math.inf, math.inf), "margin": 2}
    text = headline(facts_of([0.6, 0.67, 0.68], (0, 1, 2), **more)).text
    assert "**dct** is smallest (cost not known)" in text


def test_vectors_without_paths_that_see_nothing():
    assert sentences.blind("mine", "price").text.startswith("mine sees nothing of price: ")
    assert sentences.blind("mine").text == (
        "mine sees nothing of the classes: is its order that of the sorted paths?"
    )


@pytest.mark.parametrize(
    ("value", "text"),
    [(0, "0"), (0.0832, "0.083"), (9.96, "10"), (14.2, "14"), (1953.4, "1,953"), (-2.34, "-2.3"),
     (3e-9, "3.0e-09"), (123456789.0, "123,456,789")],
)  # fmt: skip
def test_amounts_have_two_digits_or_all_before_the_point(value, text):
    assert phrases.amount(value) == text


def test_ranges_below_zero_are_written_out():
    assert phrases.percent_range(0.77, 0.91) == "77-91"
    assert phrases.percent_range(-0.09, 0.21) == "-9 to 21"
    assert phrases.percent_range(-0.002, 0.21) == "0-21"
