"""Parameters read from source, and old names of parameters."""

import ast
import functools
import inspect
import warnings

import pytest

from imrep.errors import BadParameter
from imrep.registry.signatures import Parameter, current, helps, parameters, renamed

DOC = """Summary: with a colon.

Args:
    sigma: Width of the kernel,
        in pixels.
    mode: One of: mean, median.

Returns:
    other: Not an argument.
"""


def function(source):
    return ast.parse(source).body[0]


def test_help_is_the_args_section_with_lines_joined():
    assert helps(DOC) == {
        "sigma": "Width of the kernel, in pixels.", "mode": "One of: mean, median.",
    }  # fmt: skip
    assert helps("No section.\n\nsigma: Nothing.") == {} and helps("") == {}


def test_keyword_only_arguments_are_parameters():
    tree = function(
        "def f(image: Image, *, sigma: float = -1.5, mode: 'str | None' = None, n, k=(1, 2)): ..."
    )
    assert parameters(tree, DOC) == (
        Parameter("sigma", "float", -1.5, "Width of the kernel, in pixels."),
        Parameter("mode", "'str | None'", None, "One of: mean, median."),
        Parameter("n", "", None, "", needed=True),
        Parameter("k", "", (1, 2), ""),
    )


def test_a_default_that_is_none_is_not_needed_and_no_default_is():
    first, second = parameters(function("def f(*, a: int | None = None, b: int): ..."), "")
    assert (first.needed, second.needed) == (False, True)


def test_a_computed_default_is_an_error_of_the_program():
    with pytest.raises(ValueError, match="malformed node"):
        parameters(function("def f(*, a: int = len('x')): ..."), "")


class TestCurrent:
    NAMES = {"kind": "method", "most": "max_points"}  # noqa: RUF012

    def test_present_names_pass_without_a_warning(self):
        with warnings.catch_warnings():
            warnings.simplefilter("error")
            assert current({"method": 1, "x": 2}, self.NAMES, "f") == {"method": 1, "x": 2}

    def test_each_old_name_warns_and_its_value_goes_to_the_new_one(self):
        with pytest.warns(FutureWarning) as caught:
            assert current({"x": 0, "most": 2, "kind": 1}, self.NAMES, "f") == {
                "x": 0, "max_points": 2, "method": 1,
            }  # fmt: skip
        assert [str(w.message).partition(";")[0] for w in caught] == [
            "f: the parameter 'most' is now called 'max_points'",
            "f: the parameter 'kind' is now called 'method'",
        ]

    @pytest.mark.parametrize("value", [None, 0, "", False])
    def test_an_empty_value_is_a_value(self, value):
        with pytest.warns(FutureWarning, match="'kind' is now called 'method'"):
            assert current({"kind": value}, self.NAMES, "f") == {"method": value}
        with pytest.raises(BadParameter):
            current({"kind": value, "method": value}, self.NAMES, "f")

    def test_both_names_are_refused_before_any_warning(self):
        with warnings.catch_warnings():
            warnings.simplefilter("error")
            with pytest.raises(
                BadParameter, match=r"^f takes 'method', formerly 'kind', .* Leave 'kind' out\.$"
            ):
                current({"most": 1, "method": 1, "kind": 1}, self.NAMES, "f")

    def test_the_warning_is_at_the_line_of_the_caller(self):
        def door(**params):
            return current(params, self.NAMES, "f")

        with pytest.warns(FutureWarning) as caught:
            door(kind=1)
        here = inspect.currentframe().f_lineno - 1
        assert (caught[0].filename, caught[0].lineno) == (__file__, here)


class TestRenamed:
    def test_a_function_takes_either_name_and_keeps_its_own_signature(self):
        @renamed(old="new")
        def double(first, *, new=1):
            """Twice."""
            return first + 2 * new

        assert double(1, new=3) == 7 and double(1) == 3
        with pytest.warns(FutureWarning, match="double: the parameter 'old' is now called 'new'"):
            assert double(1, old=3) == 7
        assert list(inspect.signature(double).parameters) == ["first", "new"]
        assert (double.__name__, double.__doc__) == ("double", "Twice.")

    def test_a_positional_argument_under_its_old_name_too_is_python_s_error(self):
        @renamed(old="new")
        def same(new):
            return new

        with pytest.warns(FutureWarning), pytest.raises(TypeError, match="multiple values"):
            same(1, old=2)

    def test_errors_of_the_function_pass(self):
        @renamed(old="new")
        @functools.cache
        def fail(*, new):
            raise KeyError(new)

        with pytest.raises(KeyError, match="x"):
            fail(new="x")


def test_old_names_are_known_in_any_letter_case():
    names = {"bins": "orientations"}
    with pytest.warns(FutureWarning, match="'BINS' is now called 'orientations'"):
        assert current({"BINS": 8}, names, "hog") == {"orientations": 8}
    with pytest.raises(BadParameter, match="takes 'orientations', formerly 'Bins', once"):
        current({"Bins": 8, "ORIENTATIONS": 9}, names, "hog")
