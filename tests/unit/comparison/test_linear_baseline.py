"""What is said of a linear classifier beside the one that judged."""

from imrep.comparison.conclusions.linear_baseline import linear_notes


def test_another_leader_is_named_with_both_numbers():
    notes = linear_notes({"hog": 0.71, "dct": 0.8}, {"hog": 0.7, "dct": 0.61}, ["dct"])
    assert notes[0] == (
        "linear",
        "Note: by a linear classifier alone **hog** would come first (70%; here 71%).",
    )


def test_a_leader_among_the_tied_is_no_news():
    assert linear_notes({"hog": 0.79, "dct": 0.8}, {"hog": 0.75, "dct": 0.74}, ["hog", "dct"]) == []


def test_nothing_is_said_where_it_was_not_computed():
    assert linear_notes({"hog": 0.71, "dct": 0.8}, {}, ["dct"]) == []


def test_eight_points_are_a_note_in_either_direction():
    accuracy = {"a": 0.68, "b": 0.60, "c": 0.5, "d": 0.9}
    linear = {"a": 0.60, "b": 0.5201, "c": 0.7, "d": 0.95}
    (note,) = linear_notes(accuracy, linear, ["d"])
    assert note == (
        "kernels",
        "Note: a linear classifier alone differs by 8 points or more for 2 representations: "
        "c 70% (here 50%) and a 60% (here 68%).",
    )


def test_of_many_the_first_are_named_and_the_others_counted():
    accuracy = dict.fromkeys("abcdef", 0.9)
    linear = {name: 0.7 - 0.01 * i for i, name in enumerate("abcdef")}
    text = linear_notes({**accuracy, "g": 0.8}, {**linear, "g": 0.8}, ["g"])[0].text
    assert "for 6 representations: f 65% (here 90%), e 66% (here 90%), d 67%" in text
    assert text.endswith(" and 3 others, marked in the table.")
