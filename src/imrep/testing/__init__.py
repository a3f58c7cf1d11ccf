"""The contract: what every representation promises, as questions that can be asked of any.

A package that adds a representation asks them in its own tests:

    @pytest.mark.parametrize("question", imrep.testing.questions("mine"))
    def test_contract(question):
        question()

Each question is a function of a fresh representation and raises AssertionError with the promise
that was broken. pytest is not needed: `for question in questions(rep): question()` does as well.
"""

import copy
import functools
from collections.abc import Callable

from imrep.base import Representation
from imrep.registry import catalog
from imrep.testing import _hostile as hostile
from imrep.testing import _questions as asked
from imrep.testing._tools import SIZES, photo

__all__ = ["QUESTIONS", "SIZES", "SLOW", "photo", "questions", "specimens"]

QUESTIONS: tuple[Callable[[Representation], None], ...] = (
    asked.spec_rebuilds_it,
    asked.parameters_survive_the_spec,
    asked.input_is_untouched,
    asked.a_batch_is_a_loop,
    asked.layout_in_memory_does_not_matter,
    asked.length_ignores_size,
    asked.small_images_work_or_are_refused,
    asked.flat_images_give_finite_vectors,
    asked.gray_is_accepted,
    asked.dtype_and_device_are_kept,
    asked.gradient_as_the_property_says,
    asked.inverse_as_the_property_says,
    asked.picture_is_a_picture,
    asked.bad_images_are_refused_by_name,
    hostile.poisoned_codes_are_refused_by_name,
    hostile.codes_that_do_not_fit_are_refused,
    hostile.images_for_pictures_must_fit,
    hostile.extreme_parameters_work_or_are_refused,
    hostile.its_own_type_does_not_matter,
    asked.unfitted_says_so,
    asked.training_mode_changes_nothing,
    asked.saved_is_loaded,
    asked.copies_are_equal,
    asked.compiles,
)
SLOW: tuple[Callable[[Representation], None], ...] = (asked.compiles_by_default,)


def specimens() -> tuple[str, ...]:
    """A spec of every representation in the catalogue that builds quickly and without a download.

    It is the class's literal `example`, or the name alone where there is none.
    """
    return tuple(catalog.entry(name).example or name for name in catalog.names())


def questions(rep: Representation | str, *, slow: bool = False) -> list[Callable[[], None]]:
    """Every question, ready to be asked of `rep`: each call asks a fresh copy.

    Args:
        rep: A representation, or the spec of one, which each question then builds anew.
        slow: Whether to add those that take many seconds (the default compiler).

    Returns:
        Functions without arguments; `__name__` is the question, so pytest shows it.
    """
    return [_about(rep, question) for question in (QUESTIONS + SLOW if slow else QUESTIONS)]


def _about(
    rep: Representation | str, question: Callable[[Representation], None]
) -> Callable[[], None]:
    @functools.wraps(question)
    def ask() -> None:
        question(catalog.get(rep) if isinstance(rep, str) else copy.deepcopy(rep))

    del ask.__wrapped__  # pytest would look for its argument `rep`
    return ask
