"""The shapes in annotations are checked: a planted wrong one is caught.

`make shapes` runs the contract this way, under `--jaxtyping-packages=imrep.base,imrep.codes,…`, so
that prose about shapes cannot go stale.
"""

import subprocess
import sys

HOOK = """
import torch
from jaxtyping import TypeCheckError, install_import_hook

install_import_hook(["imrep.base", "imrep.codes", "imrep.represent"], "beartype.beartype")
import imrep
from imrep.codes import Map, Vector


def refused(make):
    try:
        make()
    except TypeCheckError:
        return True
    return False

rep = imrep.get("pixels")
image = torch.rand(2, 3, 8, 8)
"""


PLANTED = {
    "Vector(image)": True,
    "Vector(image.flatten(1))": False,
    "Map(image, (8, 8.0))": True,
    "rep.encode(image[0])": True,
    "rep.encode(image)": False,
    "setattr(rep, '_pool_unchecked', lambda code: image) or type(rep).embed(rep, image)": True,
}


def test_wrong_shapes_are_caught_and_right_ones_pass():
    lines = [f"assert refused(lambda: {made}) is {wrong}" for made, wrong in PLANTED.items()]
    done = subprocess.run(
        [sys.executable, "-c", "\n".join([HOOK, *lines])],
        capture_output=True,
        text=True,
        check=False,
    )
    assert done.returncode == 0, done.stderr
