"""The public names under `mypy --strict`, as a user's editor and type checker see them."""

import subprocess
import sys

import pytest

import imrep

# One line a public name. A name that the type checker knew only as `object` could not be called.
USER = """
from pathlib import Path

import imrep
from imrep import Card, Classifier, Embedder, ImrepError, Regressor, Representation
from imrep.base import Bilingual, Fitted, Learned, Sum
from imrep.codes import Code, Map, Points

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
code: Code = rep.encode(image)
drawn = imrep.picture(image, "hog")
both: float = (drawn + imrep.picture(image, rep)).sum().item()
lost: str = imrep.invert(image, "hog", iterations=5, seed=1).summary
found: bool = imrep.match(image, image, rep, ratio=0.7).found
comparison = imrep.compare("photos", ["hog", rep], out="report", max_images=100)
sentence: str = comparison.sentence
best: str = comparison.pick
lines: list[str] = [str(row["spec"]) for row in comparison.table()]
frame = comparison.to_pandas().describe()
sure = comparison.answers().head()
trained = imrep.train("photos", "dae", "run", epochs=20, held_out=0.2)
held_out: float = trained.held_out_loss
losses: list[float] = [line["loss"] for line in trained.log()]
embedding = imrep.embed(["a.png", Path("b.png")], rep, size=None)
count: int = len(embedding)
fits: tuple[str, ...] = imrep.classify("photos", "clip", ["a cat", "a dog"]).labels
similar: list[str] = [hit.path for hit in imrep.search("photos", "a cat", rep, count=5).hits]
share: float = imrep.map("v.parquet", images="photos", out="m.html").faithfulness.preserved
stored: float | None = imrep.search("s.lance", like=["a.jpg"], unlike=["b.jpg"]).recall
surplus: list[str] = [copy.path for group in imrep.find_duplicates("p") for copy in group.copies]
recall: float = imrep.evaluate(rep, "captions.csv", task="retrieval")["text → image R@1"].value
several: dict[str, imrep.api.Embedding] = imrep.embed("photos", ["hog", rep], out="vectors/")
written = imrep.embed("photos", "hog", out="s.lance").output
labels: tuple[str | None, ...] = embedding.labels
in_store: int = len(imrep.store.open("s.lance"))
mean: float = float(embedding.vectors.mean())
vectors = Embedder("hog").fit_transform(["a.png"])
answers = Classifier().fit(vectors, ["cat"]).predict_proba(vectors).sum()
ends = Regressor().fit(vectors, [1.5]).predict_interval(vectors, 0.8).mean()
answered: int = len(imrep.load_model("model").answers("new"))
exported: Path = imrep.export(rep, "m.onnx", size=48).path
square_px: int = imrep.load_exported(exported).metadata.size
total: int = Sum([rep, rep]).dim


class Mean(Fitted[Map]):
    # A representation of the user's own.

    card = Card(title="Mean", family="user", cite="")


    def __init__(self, *, side: int = 4) -> None:
        super().__init__()
        self.side = side


def strongest(points: Points) -> Points:
    return points.sort("response").first(10)


def kinds(rep: Representation[Map]) -> bool:
    return isinstance(rep, Learned | Bilingual)


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
