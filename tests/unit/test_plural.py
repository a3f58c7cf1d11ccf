import pytest

from imrep.plural import several


@pytest.mark.parametrize(
    ("count", "words", "expected"),
    [
        (0, ("image",), "0 images"),
        (1, ("image",), "1 image"),
        (2, ("image",), "2 images"),
        (1000, ("image",), "1,000 images"),
        (1, ("class", "classes"), "1 class"),
        (1_234_567, ("class", "classes"), "1,234,567 classes"),
        (1.0, ("image",), "1 image"),
        (-1, ("image",), "-1 images"),
    ],
)
def test_a_number_with_its_noun(count, words, expected):
    assert several(count, *words) == expected
