"""A representation that is trained from annotations makes its own examples and measures."""

from dataclasses import dataclass, replace
from types import MappingProxyType

import pytest
import torch
import training_fixture
from PIL import Image
from tiny_denoiser import Tiny

from imrep import datasets, training_record
from imrep.api import training
from imrep.api.training_request import Request
from imrep.base import Change, Evaluation, Recipe, Table
from imrep.errors import BadData, BadParameter
from imrep.report import training_page


@dataclass
class Brightness:
    """Annotations: a number for each image."""

    values: dict
    key: str = "of the test"

    @property
    def parameters(self):
        return {"width": 2}

    def of(self, path):
        return self.values[path]


@dataclass
class Annotated:
    """An image and its number."""

    images: object

    def random(self, row, change):
        assert change == Change(("flip",), 16)
        return self.plain(row, change.side) | {"noise": torch.rand(2)}

    def plain(self, row, side):
        number = self.images.annotations.of(self.images.items[row].path)
        return {
            "image": self.images.pixels.read(row)[:, :side, :side],
            "number": torch.tensor(float(number)),
            "noise": torch.zeros(2),
        }


class Brighter(Tiny):
    """A tiny network that learns a number of each image."""

    recipe = Recipe(batch=4, steps=2, size=16, augment="flip", learning_rate=0.01)
    recipes = MappingProxyType({"slow": replace(recipe, learning_rate=1e-4)})

    @classmethod
    def annotated(cls, data, progress=None):
        dataset = datasets.find(data)
        if not dataset.items[0].path.startswith("0"):
            raise BadData(f"{data} needs numbers.")
        values = {item.path: int(item.path[0]) for item in dataset.items}
        return datasets.Dataset(
            dataset.name, dataset.items, annotations=Brightness(values, key=str(values))
        )

    def training_examples(self, images):
        return Annotated(images)

    def loss(self, batch):
        assert batch["noise"].shape == (len(batch["number"]), 2)
        return super().loss(batch) + 0 * batch["number"].sum()

    def evaluate(self, batches):
        numbers = torch.cat([batch["number"] for batch in batches])
        rows = tuple((str(i), (float(n), None)) for i, n in enumerate(numbers))
        table = Table("The <numbers>", "image", ("number", "nothing"), rows)
        return Evaluation({"mean number": numbers.mean().item()}, (table,))


@pytest.fixture
def folder(tmp_path):
    folder = tmp_path / "photos"
    folder.mkdir()
    generator = torch.Generator().manual_seed(0)
    for i in range(10):
        pixels = torch.randint(256, (24, 24, 3), generator=generator, dtype=torch.uint8)
        Image.fromarray(pixels.numpy()).save(folder / f"{i}.png")
    return folder


@training_fixture.NEEDS_LIGHTNING
def test_annotations_reach_the_loss_the_measures_and_the_report(folder, tmp_path):
    request = Request(out=tmp_path / "run", held_out=0.3)
    rep = Brighter()
    dataset = training.find(folder, rep, request)
    finished = training.run(dataset, rep, request, lambda *_: None, lambda *_: None)
    held_out = (tmp_path / "run" / training_record.HELD_OUT).read_text().split()[1:]
    mean = sum(int(line[0]) for line in held_out) / len(held_out)
    assert finished.evaluation == {"mean number": pytest.approx(mean)}
    page = (tmp_path / "run" / training_record.REPORT).read_text()
    assert "mean number" in page and "The &lt;numbers&gt;" in page and "<numbers>" not in page
    assert training_page.write(tmp_path / "run").is_file()


@training_fixture.NEEDS_LIGHTNING
def test_other_annotations_are_another_run(folder, tmp_path):
    request = Request(out=tmp_path / "run", held_out=0.3)
    dataset = training.find(folder, Brighter(), request)
    job = training.prepare(dataset, Brighter(), request, lambda *_: None)
    dataset.annotations.key = "another"
    other = training.prepare(dataset, Brighter(), request, lambda *_: None)
    assert job.identity()["data"] != other.identity()["data"]


def test_an_example_depends_on_its_seed_alone(folder, tmp_path):
    request = Request(out=tmp_path / "run", held_out=0.3)
    dataset = training.find(folder, Brighter(), request)
    job = training.prepare(dataset, Brighter(), request, lambda *_: None)
    draw = job.order.draw(0)
    one, other = job.loading.random(draw), job.loading.random(draw)
    assert torch.equal(one["noise"], other["noise"]) and one["noise"].std() > 0
    assert one["image"].shape == (4, 3, 16, 16) and one["image"].dtype == torch.float32


def test_what_is_wrong_with_annotations_is_said_before_the_training(folder, tmp_path):
    (folder / "0.png").unlink()
    with pytest.raises(BadData, match="needs numbers"):
        training.find(folder, Brighter(), Request(out=tmp_path / "run"))


def test_a_recipe_has_a_name():
    assert Request(recipe="slow").settings(Brighter()).recipe.learning_rate == 1e-4
    with pytest.raises(BadParameter, match="Did you mean 'slow'"):
        Request(recipe="slwo").settings(Brighter())
    with pytest.raises(BadParameter, match="tiny has one recipe"):
        Request(recipe="slow").settings(Tiny())
