"""Names of files as printable text and as paths."""

import os
import shlex
from pathlib import Path, PurePosixPath

import pytest
from hypothesis import given
from hypothesis import strategies as st

from imrep.errors import BadParameter
from imrep.io import names

NAMES = st.binary(min_size=1, max_size=12).map(os.fsdecode)


@given(NAMES)
def test_every_name_is_printable_on_one_line_and_stays_so(name):
    spelt = names.printable(name)
    assert len(spelt.splitlines()) <= 1 and spelt.encode()
    assert names.printable(spelt) == spelt


@given(st.text(st.characters(codec="utf-8", exclude_categories=["Cc", "Zl", "Zp"])))
def test_a_name_without_control_characters_is_itself(name):
    assert names.printable(name) == names.encodable(name) == name


@given(st.text(st.characters(max_codepoint=0x2100), max_size=20))
def test_texts_keep_their_lines(text):
    assert names.encodable(text) == text


def test_surrogates_are_spelt_the_same_by_both():
    name = os.fsdecode(b"caf\xe9")
    assert names.printable(name) == names.encodable(name) == "caf\\xe9"
    assert names.encodable("\ud800x") == "\\ud800x"


def test_nested_values_are_encodable_and_keep_their_shape():
    name = os.fsdecode(b"\xe9")
    value = {name: [name, 1, None, (2.5, {"a": name})], 3: True}
    assert names.encodable_values(value) == {
        "\\xe9": ["\\xe9", 1, None, [2.5, {"a": "\\xe9"}]],
        3: True,
    }


@given(st.lists(st.text(st.characters(min_codepoint=32, max_codepoint=126), min_size=1)))
def test_printable_words_are_quoted_as_the_library_does(words):
    assert names.command_line(words) == shlex.join(words)
    assert shlex.split(names.command_line(words)) == words


@pytest.mark.parametrize(
    ("word", "quoted"),
    [
        ("a\nb", r"$'a\x0ab'"),
        ("it's\n", r"$'it\'s\x0a'"),
        ("back\\\n", r"$'back\\\x0a'"),
        (os.fsdecode(b"\xe9"), r"$'\xe9'"),
        ("\x85", r"$'\xc2\x85'"),  # a character of two bytes in UTF-8
        ("\u2028", r"$'\xe2\x80\xa8'"),
    ],
)
def test_other_words_are_quoted_byte_by_byte(word, quoted):
    assert names.command_line([word]) == quoted


@pytest.mark.parametrize("path", ["a/b", Path("a/b"), PurePosixPath("a/b")])
def test_texts_and_paths_are_paths(path):
    assert names.as_path(path, "read") == Path("a/b")


@pytest.mark.parametrize("value", [None, 5, b"a", ["a"], object()])
def test_others_are_refused_with_what_to_give(value):
    with pytest.raises(BadParameter, match=r"read needs a path, got .*Give a str or a pathlib"):
        names.as_path(value, "read")


def test_an_empty_text_is_the_current_folder_unless_refused():
    assert names.as_path("", "read") == Path()
    with pytest.raises(BadParameter, match=r"find needs a folder, got ''\. Give \. for the"):
        names.as_path("", "find", "a folder", empty=False)
