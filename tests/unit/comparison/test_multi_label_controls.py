"""When controls that see nothing of the content rank labels above guessing."""

from hypothesis import given
from hypothesis import strategies as st

from imrep.comparison.conclusions.multi_label_controls import Ranking, alarms, warnings

shares = st.floats(0, 1)


def test_noise_five_deviations_above_guessing_stops():
    assert [a.control for a in alarms(0.34, 0.65, noise=Ranking(0.401, 0.012))] == ["noise"]
    assert not alarms(0.34, 0.65, noise=Ranking(0.399, 0.012))
    assert not warnings(alarms(0.34, 0.65, noise=Ranking(0.9, 0.012)))


def test_file_facts_six_deviations_above_guessing_warn():
    raised = alarms(0.34, 0.65, file=Ranking(0.42, 0.013))
    assert [a.control for a in raised] == ["file"]
    assert not alarms(0.34, 0.65, file=Ranking(0.41, 0.013))
    assert warnings(raised)[0] == (
        "file",
        "Warning: the size, format and compression setting of the files alone, without one pixel, "
        "rank the images with mean average precision 42% (guessing gives 34%). Images of some "
        "labels were saved or collected differently, and any score may reflect that.",
    )


def test_a_frame_most_of_the_way_to_the_best_warns():
    (raised,) = alarms(0.2, 0.35, frame=Ranking(0.33, 0.02))
    assert raised.control == "frame" and round(raised.share, 2) == 0.87
    assert warnings([raised])[0].text == (
        "Warning: the outer frame of the pictures alone reaches mean average precision 33%, 87% of "
        "the way from guessing to the best. Background may give the labels away."
    )
    assert not alarms(0.2, 0.35, frame=Ranking(0.33, 0.03))  # within six deviations
    assert not alarms(0.2, 0.5, frame=Ranking(0.33, 0.02))  # far from the best


@given(shares, shares, shares, st.floats(0, 0.2))
def test_nothing_at_or_below_guessing_raises_an_alarm(chance, best, precision, sd):
    ranking = Ranking(min(precision, chance), sd)
    assert not alarms(chance, best, noise=ranking, file=ranking, frame=ranking)


@given(shares, shares, shares, st.floats(0, 0.2))
def test_a_frame_needs_a_best_that_sees_the_labels(chance, best, precision, sd):
    ranking = Ranking(precision, sd)
    raised = alarms(chance, min(best, chance), frame=ranking)
    assert not raised
