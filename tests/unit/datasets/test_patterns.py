"""Braces and wildcards in names."""

import pytest

from imrep.datasets import patterns
from imrep.errors import BadData


@pytest.mark.parametrize(
    ("text", "names"),
    [
        ("s-{0..2}.tar", ["s-0.tar", "s-1.tar", "s-2.tar"]),
        ("{08..10}", ["08", "09", "10"]),
        ("{2..0}", ["2", "1", "0"]),
        ("{a,b}{1..2}", ["a1", "a2", "b1", "b2"]),
        ("x{,y}", ["x", "xy"]),
        ("{one}.png", ["{one}.png"]),
        ("{}-{7..7}", ["{}-7"]),
    ],
)
def test_names_that_braces_stand_for(text, names):
    assert patterns.expanded(text) == names
    assert patterns.has_braces(text) == (names != [text])


@pytest.mark.parametrize("text", ["{0..99999999999}", "{0..9999}{0..9999}"])
def test_too_many_names_are_refused(text):
    with pytest.raises(BadData, match="at most 1,000,000 names"):
        patterns.expanded(text)


def test_files_of_a_pattern_and_names_that_are_missing(tmp_path):
    for name in ("a1.png", "b2.png", "b1.png", "c[1].png"):
        (tmp_path / name).touch()
    names = [str(tmp_path / name) for name in ("b1.png", "b2.png", "c1.png")]
    assert patterns.matches(f"{tmp_path}/{{b*,c1}}.png") == names
    assert patterns.matches(f"{tmp_path}/c[1].png") == [f"{tmp_path}/c[1].png"]
