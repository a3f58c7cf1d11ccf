"""Every representation of the catalogue, and a sum of two, answers the same questions."""

import pytest

from imrep import testing

SPECS = [*testing.specimens(), "pixels:side=8+histogram:bins=4"]
NO_SHAPES = {"bad_images_are_refused_by_name", "compiles", "compiles_by_default"}


def cases(asked):
    """Each spec with each question, none of them built yet."""
    wanted = {question.__name__ for question in asked}
    return [
        pytest.param(
            question,
            id=f"{spec}-{question.__name__}",
            marks=[pytest.mark.no_shapes] if question.__name__ in NO_SHAPES else [],
        )
        for spec in SPECS
        for question in testing.questions(spec, slow=True)
        if question.__name__ in wanted
    ]


@pytest.mark.parametrize("question", cases(testing.QUESTIONS))
def test_contract(question):
    question()


@pytest.mark.slow
@pytest.mark.parametrize("question", cases(testing.SLOW))
def test_slow_contract(question):
    question()
