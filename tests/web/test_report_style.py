"""The page's colours: words and marks are told from their ground in light and in dark."""

import re

import pytest

from imrep.report import inline

TEXT, MARK = 4.5, 3.0  # contrasts that WCAG 2.2 asks of words and of marks (1.4.3, 1.4.11)


def colours():
    """The two schemes' variables."""
    style = inline.text_of("style.css")
    light, dark = re.findall(r":root \{([^}]*--ink[^}]*)\}", style)
    return [dict(re.findall(r"--([a-z-]+): (#[0-9a-f]+);", block)) for block in (light, dark)]


def channels(colour):
    digits = colour.lstrip("#")
    digits = "".join(2 * digit for digit in digits) if len(digits) == 3 else digits
    return [int(digits[i : i + 2], 16) / 255 for i in (0, 2, 4)]


def luminance(rgb):
    linear = [c / 12.92 if c <= 0.04045 else ((c + 0.055) / 1.055) ** 2.4 for c in rgb]
    return 0.2126 * linear[0] + 0.7152 * linear[1] + 0.0722 * linear[2]


def contrast(one, other):
    low, high = sorted(map(luminance, (one, other)))
    return (high + 0.05) / (low + 0.05)


@pytest.mark.parametrize("scheme", [0, 1])
def test_words_and_marks_stand_out(scheme):
    by_name = {name: channels(colour) for name, colour in colours()[scheme].items()}
    for ground in ("paper", "panel"):
        for name in ("ink", "soft", "pick", "tied", "warn"):
            assert contrast(by_name[name], by_name[ground]) >= TEXT, (name, ground)
    for name in ("other", "control"):
        assert contrast(by_name[name], by_name["paper"]) >= MARK, name
    assert contrast(by_name["ink"], by_name["warn-panel"]) >= TEXT


@pytest.mark.parametrize("scheme", [0, 1])
@pytest.mark.parametrize("heat", ["heat", "cool"])
def test_numbers_are_legible_on_every_shade_of_a_heat_map(scheme, heat):
    by_name = {name: channels(colour) for name, colour in colours()[scheme].items()}
    for opacity in (0.04, 0.25, 0.5, 0.75, 1):
        pairs = zip(by_name[heat], by_name["paper"], strict=True)
        shade = [opacity * full + (1 - opacity) * paper for full, paper in pairs]
        assert contrast(by_name["ink"], shade) >= TEXT, opacity
