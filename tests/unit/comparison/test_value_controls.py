"""When controls that see nothing of the content predict a number."""

from hypothesis import given
from hypothesis import strategies as st

from imrep.comparison.conclusions.value_controls import Explained, alarms, warnings

shares = st.floats(-1, 1)


def test_noise_five_deviations_above_guessing_stops():
    assert [a.control for a in alarms(0.9, noise=Explained(0.051, 0.01))] == ["noise"]
    assert not alarms(0.9, noise=Explained(0.049, 0.01))
    assert not warnings(alarms(0.9, noise=Explained(0.5, 0.01)), "price")


def test_what_explains_next_to_nothing_raises_no_alarm():
    tiny = Explained(0.019, 0.001)
    assert not alarms(0.02, noise=tiny, file=tiny, frame=tiny)


def test_file_facts_six_deviations_above_guessing_warn():
    raised = alarms(0.9, file=Explained(0.4, 0.06))
    assert [a.control for a in raised] == ["file"]
    assert not alarms(0.9, file=Explained(0.4, 0.07))
    assert warnings(raised, "price")[0] == (
        "file",
        "Warning: the size, format and compression setting of the files alone, without one pixel, "
        "explain 40% of how price varies (guessing explains 0). The images were saved or collected "
        "differently, and any score may reflect that.",
    )


def test_a_frame_more_than_half_of_the_way_to_the_best_warns():
    (raised,) = alarms(0.93, frame=Explained(0.84, 0.02))
    assert warnings([raised], "angle")[0] == (
        "frame",
        "Warning: the outer frame of the pictures alone explains 84% of how angle varies, 90% of "
        "what the best explains. The background may give angle away.",
    )
    assert not alarms(0.987, frame=Explained(0.18, 0.02))  # far from the best
    assert not alarms(0.93, frame=Explained(0.84, 0.15))  # within six deviations


@given(shares, shares, st.floats(0, 0.2))
def test_nothing_at_or_below_guessing_raises_an_alarm(best, share, sd):
    control = Explained(min(share, 0.0), sd)
    assert not alarms(best, noise=control, file=control, frame=control)
    assert not alarms(min(best, 0.0), frame=Explained(share, sd))
