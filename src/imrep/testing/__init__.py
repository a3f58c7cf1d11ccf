"""The contract that every representation keeps, as questions: functions of a representation.

A package that adds a representation runs them in its own tests:

    @pytest.mark.parametrize("question", imrep.testing.questions("mine"))
    def test_contract(question):
        question()

Each question raises AssertionError, whose message is the broken promise. pytest is not needed:
`for question in questions(rep): question()` does as well.
"""

import copy
import functools
from collections.abc import Callable

from imrep import factory
from imrep.base import Representation
from imrep.registry import catalog
from imrep.testing import _hostile, _images, _inverse, _state
from imrep.testing._borders import opposite_borders_do_not_meet
from imrep.testing._tools import SIZES, photo

__all__ = ["QUESTIONS", "SIZES", "SLOW", "photo", "questions", "specimens"]

QUESTIONS: tuple[Callable[[Representation], None], ...] = (
    _state.spec_rebuilds_it,
    _state.parameters_survive_the_spec,
    _state.parameters_keep_their_names,
    _state.lists_are_refused_by_name,
    _images.input_is_untouched,
    _images.a_batch_is_a_loop,
    _images.layout_in_memory_does_not_matter,
    _images.length_ignores_size,
    _images.small_images_work_or_are_refused,
    _images.flat_images_give_finite_vectors,
    _images.gray_is_accepted,
    opposite_borders_do_not_meet,
    _images.dtype_and_device_are_kept,
    _inverse.gradient_as_the_property_says,
    _inverse.inverse_as_the_property_says,
    _inverse.picture_is_a_picture,
    _images.bad_images_are_refused_by_name,
    _hostile.poisoned_codes_are_refused_by_name,
    _hostile.codes_that_do_not_fit_are_refused,
    _hostile.images_for_pictures_must_fit,
    _hostile.extreme_parameters_work_or_are_refused,
    _hostile.its_own_type_does_not_matter,
    _state.unfitted_says_so,
    _state.training_mode_changes_nothing,
    _state.saved_is_loaded,
    _state.copies_are_equal,
    _state.compiles,
)
SLOW: tuple[Callable[[Representation], None], ...] = (_state.compiles_by_default,)


def specimens() -> tuple[str, ...]:
    """For every representation in the catalogue a spec that builds quickly, without a download.

    It is the literal `example` of the class, or the name alone where there is none.
    """
    return tuple(catalog.entry(name).example or name for name in catalog.names())


def questions(rep: Representation | str, *, slow: bool = False) -> list[Callable[[], None]]:
    """Every question about `rep`; each call takes a fresh copy.

    Args:
        rep: A representation, or a spec, from which each question builds anew.
        slow: Whether to add those that take many seconds (the default compiler).

    Returns:
        Functions without arguments; `__name__` is the question, so pytest shows it.
    """
    return [_bound(rep, question) for question in (QUESTIONS + SLOW if slow else QUESTIONS)]


def _bound(
    rep: Representation | str, question: Callable[[Representation], None]
) -> Callable[[], None]:
    @functools.wraps(question)
    def ask() -> None:
        question(factory.get(rep) if isinstance(rep, str) else copy.deepcopy(rep))

    del ask.__wrapped__  # pytest would look for its argument `rep`
    return ask
