"""Every representation of the catalogue, and a sum of two, answers the same questions."""

import pytest

from imrep import testing
from imrep.registry import catalog

SPECS = [*testing.specimens(), "pixels:side=8+histogram:bins=4"]
# The default compiler takes 10 to 30 seconds of what "aot_eager" has traced of each already: one
# representation a family, and the sum, are put through it.
COMPILED = set({catalog.card(name).family: name for name in catalog.names()}.values())
NO_SHAPES = {
    "bad_images_are_refused_by_name",
    "codes_that_do_not_fit_are_refused",
    "images_for_pictures_must_fit",
    "lists_are_refused_by_name",
    "compiles",
    "compiles_by_default",
}


def cases(asked, specs=SPECS):
    """Each spec with each question, none of them built yet."""
    names = {question.__name__ for question in asked}
    return [
        pytest.param(
            question, id=f"{spec}-{question.__name__}", marks=tuple(marks(question.__name__))
        )
        for spec in specs
        for question in testing.questions(spec, slow=True)
        if question.__name__ in names
    ]


def marks(name):
    """What a question is marked with: tracing a graph takes seconds, whatever the backend."""
    yield from [pytest.mark.no_shapes] if name in NO_SHAPES else []
    yield from [pytest.mark.slow] if name.startswith("compiles") else []


@pytest.mark.parametrize("question", cases(testing.QUESTIONS))
def test_contract(question):
    question()


@pytest.mark.slow
@pytest.mark.parametrize(
    "question",
    cases(
        testing.SLOW, [spec for spec in SPECS if spec.partition(":")[0] in COMPILED or "+" in spec]
    ),
)
def test_slow_contract(question):
    question()
