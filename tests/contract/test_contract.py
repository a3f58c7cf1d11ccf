"""Every representation of the catalogue, and a sum of two, answers the same questions."""

import pytest

from imrep import testing

SPECS = [*testing.specimens(), "pixels:side=8+histogram:bins=4"]
MARKS = {"bad_images_are_refused_by_name": [pytest.mark.bad_image]}


def cases(asked):
    """Each spec with each question, none of them built yet."""
    return [
        pytest.param(
            question, id=f"{spec}-{question.__name__}", marks=MARKS.get(question.__name__, ())
        )
        for spec in SPECS
        for question in testing.questions(spec, slow=True)
        if question.__name__ in {q.__name__ for q in asked}
    ]


@pytest.mark.parametrize("question", cases(testing.QUESTIONS))
def test_contract(question):
    question()


@pytest.mark.slow
@pytest.mark.parametrize("question", cases(testing.SLOW))
def test_slow_contract(question):
    question()
