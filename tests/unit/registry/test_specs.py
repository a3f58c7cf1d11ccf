"""The grammar of specs: what is written is read back, and what is wrong is named."""

from contextlib import suppress

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


WORD = st.text(st.characters(categories=["Ll", "Nd"]), min_size=1, max_size=4)
TEXT = st.text("ab ,:+='1e", max_size=6)
PAIRS = st.dictionaries(WORD, TEXT, max_size=3)


@given(st.lists(st.tuples(WORD, PAIRS), min_size=1, max_size=3))
def test_a_sum_is_read_back_view_by_view(views):
    written = "+".join(specs.write(name, dict(pairs)) for name, pairs in views)
    assert specs.parse(written) == views
    assert specs.names(written) == [name for name, _ in views]


@given(st.lists(st.tuples(WORD, PAIRS), min_size=1, max_size=3))
def test_a_chain_is_split_where_its_steps_were_joined(steps):
    written = [specs.write(name, pairs) for name, pairs in steps]
    assert specs.chain(", ".join(written)) == written


@given(st.text(max_size=12))
def test_any_text_is_parsed_or_refused(text):
    for read in (specs.parse, specs.names, specs.chain):
        with suppress(BadParameter):
            parts = read(text)
            assert parts and all(isinstance(part, str | tuple) for part in parts)


@pytest.mark.parametrize("spec", [None, 3, b"hog", ["hog"]])
def test_what_is_no_text_is_no_spec(spec):
    for read in (specs.parse, specs.names, specs.chain):
        with pytest.raises(BadParameter, match="a spec needs to be text such as 'name:key=value'"):
            read(spec)


def test_keys_are_matched_in_any_case_and_once():
    assert specs.matched({"SIDE": "3", "Gray": "true"}, ["side", "gray"], "f") == {
        "side": "3", "gray": "true",
    }  # fmt: skip
    assert specs.typed({"SIDE": "3"}, {"side": "int"}, "f") == {"side": 3}
    with pytest.raises(BadParameter, match="f needs each parameter once, got side, SIDE"):
        specs.matched({"side": "3", "SIDE": "3"}, ["side"], "f")
    with pytest.raises(BadParameter, match=r"^f has no parameter 'x'; it takes none$"):
        specs.matched({"x": "3"}, [], "f")


@pytest.mark.parametrize(
    ("annotation", "plain"),
    [("int", True), ("int | None", True), ("bool|str", True), ("float | None | str", True),
     ("list[int]", False), ("int | list", False), ("", False), ("Int", False)],
)  # fmt: skip
def test_annotations_that_a_spec_can_hold(annotation, plain):
    assert specs.is_plain(annotation) is plain
    if not plain:
        with pytest.raises(BadParameter, match="A spec holds no other types"):
            specs.check_type(1, annotation, "f", "key")


@pytest.mark.parametrize(
    ("value", "text"),
    [(None, "none"), (True, "true"), (3, "3"), (1e16, "1e+16"), (0.1, "0.1"),
     ("a", "a"), ("", "''"), (" a", "' a'"), ("a,b", "'a,b'"), ("it's", '"it\'s"')],
)  # fmt: skip
def test_values_are_quoted_where_they_must_be(value, text):
    assert specs.text(value) == text
