"""Whatever is given to a public call that it cannot take is refused in one line of imrep's own."""

import numpy as np
import pytest
import torch
from PIL import Image

import imrep
from imrep.errors import ImrepError, shown

ODD = {
    "None": None, "a number": 3, "a list": [], "a dictionary": {}, "a function": len,
    "an object": object(), "a class": dict, "NaN": float("nan"), "bytes": b"x",
    "an array": np.zeros((8, 8, 3)), "a tensor": torch.zeros(1, 1, 3, 8, 8),
    "a picture": Image.new("RGB", (8, 8)), "a module": torch.nn.Flatten(), "a big number": 10**9,
}  # fmt: skip
IMAGE = torch.rand(1, 3, 16, 16)
CALLS = {
    "read": lambda odd, _: imrep.read(odd),
    "card": lambda odd, _: imrep.card(odd),
    "load": lambda odd, _: imrep.load(odd),
    "write's path": lambda odd, _: imrep.write(odd, IMAGE),
    "write's picture": lambda odd, folder: imrep.write(folder / "x.png", odd),
    "save": lambda odd, _: imrep.get("pixels").save(odd),
    "a parameter": lambda odd, _: imrep.get("hog", cell=odd),
    "edited": lambda odd, _: imrep.edited(IMAGE, odd),
    "invert": lambda odd, _: imrep.invert("pixels", odd),
    "match": lambda odd, _: imrep.match(IMAGE, odd),
    "Embedder's pictures": lambda odd, _: imrep.Embedder("pixels").fit(odd),
    "Embedder's size": lambda odd, _: imrep.Embedder("pixels", size=odd).fit(list(IMAGE)),
    "Embedder's batch": lambda odd, _: imrep.Embedder("pixels", batch=odd).fit(list(IMAGE)),
}
TAKEN = {
    ("read", "a picture"), ("a parameter", "a number"), ("Embedder's size", "None"),
    ("Embedder's size", "a number"), ("Embedder's batch", "a number"),
    ("Embedder's pictures", "an array"), ("Embedder's pictures", "a tensor"),
}  # fmt: skip


@pytest.mark.parametrize("odd", ODD)
@pytest.mark.parametrize("call", CALLS)
def test_it_is_taken_or_refused_in_one_line(call, odd, tmp_path):
    if (call, odd) in TAKEN:
        CALLS[call](ODD[odd], tmp_path)
        return
    with pytest.raises(ImrepError) as caught:
        CALLS[call](ODD[odd], tmp_path)
    said = str(caught.value)
    assert "\n" not in said and len(said) < 250 and said[-1] in ".)"


def test_save_needs_a_name():
    with pytest.raises(ImrepError, match=r"needs a folder, got ''"):
        imrep.get("pixels").save("")


@pytest.mark.parametrize("value", ["x" * 300, [1] * 300, np.zeros((9, 9, 9)), object()])
def test_a_value_in_a_message_is_short(value):
    assert len(shown(value)) < 100 and "\n" not in shown(value)
