"""What the page contains: nothing that a name or a sentence holds can end an element."""

import json

import pytest
from hypothesis import given
from hypothesis import strategies as st

from imrep.report import inline

HOSTILE = st.text("<>&\"'*/!-script[]{}\u2028é:,=+_ ", max_size=40)


@given(HOSTILE)
def test_json_comes_back_and_holds_no_angle_bracket(text):
    markup = str(inline.as_json({text: [text, 1.5, None]}))
    assert "<" not in markup and json.loads(markup) == {text: [text, 1.5, None]}


@pytest.mark.parametrize("value", [float("nan"), float("inf")])
def test_json_has_no_number_that_browsers_refuse(value):
    with pytest.raises(ValueError, match="Out of range"):
        inline.as_json({"x": value})


@given(HOSTILE)
def test_names_are_escaped_and_only_gain_places_to_break(text):
    markup = inline.breakable(text)
    assert markup.replace("<wbr>", "").unescape() == text
    assert "<" not in markup.replace("<wbr>", "")


@given(HOSTILE)
def test_sentences_are_escaped_but_for_their_emphasis(text):
    markup = inline.emphasised(text)
    plain = markup.replace("<strong>", "").replace("</strong>", "")
    assert "<" not in plain and ">" not in plain
    assert markup.count("<strong>") == markup.count("</strong>")


def test_bold_is_the_nearest_pair_of_stars():
    assert inline.emphasised("**a** < **b**, 2 * 3") == (
        "<strong>a</strong> &lt; <strong>b</strong>, 2 * 3"
    )


def test_templates_refuse_what_they_are_not_given():
    import jinja2

    with pytest.raises(jinja2.UndefinedError):
        inline.template().render()
