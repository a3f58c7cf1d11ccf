"""Which layers a parameter names."""

import pytest

from imrep.errors import BadParameter
from imrep.represent.learned.snnl.layers import select


@pytest.mark.parametrize(
    ("layers", "expected"),
    [("code", (2,)), ("hidden", (0, 1, 2, 3)), ("all", (0, 1, 2, 3, 4)), ("1", (1,)),
     ("0-2", (0, 1, 2)), ("4", (4,)), ("3-3", (3,))],
)  # fmt: skip
def test_names_and_numbers(layers, expected):
    assert select(layers, code=2, hidden=4, total=5, caller="snnl") == expected


@pytest.mark.parametrize("layers", ["", "5", "2-1", "0-5", "last", "-1", "1,2"])
def test_others_are_refused(layers):
    with pytest.raises(BadParameter, match=r"snnl needs layers to be hidden.*up to 4, got"):
        select(layers, code=2, hidden=4, total=5, caller="snnl")
