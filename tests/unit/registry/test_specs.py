"""The grammar of specs: what is written is read back, and what is wrong is named."""

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from imrep.errors import BadParameter
from imrep.registry import specs

VALUES = (
    st.tuples(st.just("bool"), st.booleans())
    | st.tuples(st.just("int"), st.integers())
    | st.tuples(st.just("float"), st.floats(allow_nan=False, allow_infinity=False))
    | st.tuples(st.just("str"), st.text().filter(lambda text: "'" not in text or '"' not in text))
    | st.tuples(st.just("int | None"), st.none() | st.integers())
)


@given(st.dictionaries(st.sampled_from(["levels", "a", "operator", "gray"]), VALUES))
def test_what_is_written_is_read_back(pairs):
    written = specs.write("some", {key: value for key, (_, value) in pairs.items()})
    [(name, texts)] = specs.parse(f"{written}+other")[:1]
    assert name == "some" and texts.keys() == pairs.keys()
    for key, (annotation, value) in pairs.items():
        assert specs.value(texts[key], annotation, "some", key) == value


@pytest.mark.parametrize(
    ("spec", "views"),
    [
        ("hog", [("hog", {})]),
        ("hog:cell=8,orientations=9", [("hog", {"cell": "8", "orientations": "9"})]),
        (" hog : cell = 8 ", [("hog", {"cell": "8"})]),
        ("a+b:x=1+c", [("a", {}), ("b", {"x": "1"}), ("c", {})]),
        ("cnn:weights='/a,b+c'", [("cnn", {"weights": "/a,b+c"})]),
        ('cnn:weights="it\'s"+b', [("cnn", {"weights": "it's"}), ("b", {})]),
        ("cnn:weights='x=1:2'", [("cnn", {"weights": "x=1:2"})]),
        ("a:x=1e+3+b", [("a", {"x": "1e+3"}), ("b", {})]),
        ("a:x=-2.5e+3", [("a", {"x": "-2.5e+3"})]),
        ("cnn:arch=1e+b", [("cnn", {"arch": "1e"}), ("b", {})]),
        ("cnn:arch=e+b", [("cnn", {"arch": "e"}), ("b", {})]),
    ],
)
def test_parse(spec, views):
    assert specs.parse(spec) == views


@pytest.mark.parametrize(
    ("spec", "reason"),
    [
        ("", "a name is missing"),
        ("a++b", "a name is missing"),
        (":x=1", "a name is missing"),
        ("a:x", "no value for 'x'"),
        ("a:x=", "no value for 'x'"),
        ("a:=3", "no value for ''"),
        ("a:", "no value for ''"),
        ("a:x=1,x=2", "gives 'x' twice"),
        ("a:x='open", "leaves a quote open"),
    ],
)
def test_what_cannot_be_parsed_is_named(spec, reason):
    with pytest.raises(BadParameter, match=reason):
        specs.parse(spec)


@pytest.mark.parametrize(
    ("text", "annotation", "value"),
    [
        ("50", "str", "50"),
        ("50", "int | str", 50),
        ("none", "int | None", None),
        ("None", "str | None", None),
        ("TRUE", "bool", True),
        ("3", "float", 3.0),
        ("1e-3", "float | None", 1e-3),
    ],
)
def test_types_come_from_the_annotation(text, annotation, value):
    read = specs.value(text, annotation, "some", "key")
    assert read == value and type(read) is type(value)


@pytest.mark.parametrize(
    ("text", "annotation", "needs"),
    [
        ("deep", "int", "levels to be a whole number, got 'deep'"),
        ("2.5", "int", "levels to be a whole number, got '2.5'"),
        ("yes", "bool", "levels to be true or false, got 'yes'"),
        ("none", "float", "levels to be a number, got 'none'"),
        ("x", "int | None", "levels to be a whole number or none, got 'x'"),
    ],
)
def test_a_wrong_type_is_named(text, annotation, needs):
    with pytest.raises(BadParameter, match=f"laplacian needs {needs}"):
        specs.value(text, annotation, "laplacian", "levels")


@pytest.mark.parametrize(
    ("value", "annotation"),
    [(3, "int"), (3, "float"), (np.int64(3), "int"), (np.float32(0.5), "float"),
     (None, "int | None"), (True, "bool"), ("x", "str | None")],
)  # fmt: skip
def test_python_values_that_fit(value, annotation):
    specs.check_type(value, annotation, "some", "key")


@pytest.mark.parametrize(
    ("value", "annotation"),
    [
        (True, "int"),
        (1, "bool"),
        (2.5, "int"),
        ("3", "int"),
        (None, "int"),
        (3, "str"),
        ([3], "int"),
    ],
)
def test_python_values_that_do_not_fit(value, annotation):
    with pytest.raises(BadParameter, match="some needs key to be"):
        specs.check_type(value, annotation, "some", "key")
