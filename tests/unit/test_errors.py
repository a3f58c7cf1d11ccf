"""Every error is one of imrep's and one of Python's, and is in the drawn tree."""

import builtins
import re

import pytest
import torch

from imrep import errors

CLASSES = [c for c in vars(errors).values() if isinstance(c, type) and c is not errors.ImrepError]


@pytest.mark.parametrize("error", CLASSES)
def test_each_is_also_a_builtin(error):
    bases = [base for base in error.__bases__ if base is not errors.ImrepError]
    assert errors.ImrepError in error.__bases__
    assert len(bases) == 1 and getattr(builtins, bases[0].__name__) is bases[0]


def test_the_tree_is_drawn_in_full():
    drawn = re.findall(r"^[├└]── (\w+)", errors.__doc__, re.MULTILINE)
    assert drawn == [error.__name__ for error in CLASSES]


def test_messages_are_not_quoted():
    assert str(errors.UnknownName("no such name")) == "no such name"


@pytest.mark.parametrize(
    ("value", "words"),
    [
        ("hog", "'hog'"),
        (5, "5"),
        (None, "None"),
        ([1, 2], "[1, 2]"),
        ([1] * 100, "a value of type list"),
        (object(), "a value of type object"),
        (len, "a value of type builtin_function_or_method"),
        (torch.zeros(3, 3), "a value of type Tensor"),
        ("a\nb", r"'a\nb'"),
        ("x" * 78, "'" + "x" * 78 + "'"),
        ("x" * 79, "'" + "x" * 79 + "…"),
    ],
)
def test_a_value_in_a_message_is_one_short_line(value, words):
    assert errors.short_repr(value) == words
