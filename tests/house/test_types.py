"""The public names under `mypy --strict`, as a user's editor and type checker see them."""

import subprocess
import sys

import pytest

import imrep

# One line a public name. A name that the type checker knew only as `object` could not be called.
USER = """
from pathlib import Path

import imrep
from imrep import Card, Embedder, ImrepError, Representation

rep: Representation = imrep.get("hog:cell=8")
card: Card = imrep.card("hog")
image = imrep.read("cat.jpg")
imrep.write("copy.png", image)
vector = rep.embed(image)
rows, dim = vector.shape
names: tuple[str, ...] = imrep.names()
again: Representation = imrep.load(Path("folder"))
sharp = imrep.apply_edits(image, "unsharp")
blurred = imrep.edit.blur(sharp, sigma=1.5).clamp(0, 1)
small: bytes = imrep.pack(image, quality=50).data
height: int = imrep.unpack(small).shape[2]
old = imrep.edited(image, "unsharp")
lost: str = imrep.invert("hog", image).lost
found: bool = imrep.match(image, image).found
sentence: str = imrep.compare("photos", ["hog"]).sentence
vectors = Embedder("hog").fit_transform(["a.png"])


def quiet() -> None:
    try:
        imrep.get("hog")
    except ImrepError:
        return
"""


def test_every_public_name_is_used_here():
    assert not [name for name in imrep.__all__ if name not in USER]


@pytest.mark.slow
def test_a_users_file_passes_mypy_strict_and_a_wrong_name_does_not(tmp_path):
    (tmp_path / "user.py").write_text(USER)
    (tmp_path / "wrong.py").write_text("import imrep\n\nimrep.encode\n")
    command = [sys.executable, "-m", "mypy", "--strict", "--cache-dir", str(tmp_path / "cache")]
    files = ["user.py", "wrong.py"]
    done = subprocess.run([*command, *files], cwd=tmp_path, text=True, capture_output=True)
    *errors, _ = done.stdout.splitlines()
    assert errors == ['wrong.py:3: error: Module has no attribute "encode"  [attr-defined]']
