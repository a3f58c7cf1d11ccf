"""Specs, fingerprints, saving and checks of the smallest representations."""

import copy
import inspect
import json
from typing import ClassVar, Optional

import pytest
import torch
from hypothesis import given, settings
from hypothesis import strategies as st
from torch.testing import assert_close

import imrep
from imrep.base import Representation
from imrep.base.representation import annotation
from imrep.codes import Map, Vector
from imrep.errors import BadCode, BadImage, BadParameter, NoInverse
from imrep.registry import specs
from imrep.registry.cards import Card


class Scaled(Representation[Map]):
    """The image times a weight per channel."""

    card = Card(title="Scaled", family="tests", cite="")
    name = "scaled"
    weights: torch.Tensor

    def __init__(self, *, gain: float = 1.0, side: int | None = None, note: str = "") -> None:
        super().__init__()
        self.gain, self.side, self.note = gain, side, note
        self.register_buffer("weights", torch.tensor([1.0, 2.0, 3.0])[:, None, None])

    def encode(self, image):
        return Map(self.gain * self.weights.to(image) * image, tuple(image.shape[2:]))


IMAGE = torch.rand(2, 3, 6, 5, generator=torch.Generator().manual_seed(0))


@settings(max_examples=50)
@given(
    st.floats(allow_nan=False, allow_infinity=False),
    st.none() | st.integers(),
    st.text("a ,:+='1e", max_size=5),
)
def test_the_spec_has_every_parameter_that_is_not_its_default(gain, side, note):
    rep = Scaled(gain=gain, side=side, note=note)
    [(name, texts)] = specs.parse(rep.spec)
    annotations = {"gain": "float", "side": "int | None", "note": "str"}
    default = {"gain": 1.0, "side": None, "note": ""}
    assert name == "scaled"
    assert default | specs.typed(texts, annotations, name) == rep.get_params()
    assert all(rep.get_params()[key] != default[key] for key in texts)


class TestFingerprint:
    def test_it_follows_parameters_weights_and_revision_but_not_device_or_mode(self):
        rep, gain, weights = Scaled(), Scaled(gain=2.0), Scaled()
        weights.weights[0] += 1e-6

        class Revised(Scaled):
            """The same class in another revision."""

            card = Card(title="Scaled", family="tests", cite="", revision=2)

        prints = [each.fingerprint for each in (rep, gain, weights, Revised())]
        assert len(set(prints)) == 4
        assert all(len(text) == 12 and int(text, 16) >= 0 for text in prints)
        assert copy.deepcopy(rep).eval().fingerprint == Scaled().fingerprint == prints[0]

    def test_a_saved_one_keeps_it_and_is_named_by_its_folder(self, tmp_path):
        rep = Scaled(gain=0.5)
        rep.weights[1] = 7
        folder = rep.save(tmp_path / "a, b")
        config = json.loads((folder / "config.json").read_text())
        assert config["spec"] == "scaled:gain=0.5" and config["fingerprint"] == rep.fingerprint
        loaded = imrep.load(folder)
        assert loaded.fingerprint == rep.fingerprint and loaded.spec == f"'{folder}'"
        assert torch.equal(loaded.embed(IMAGE), rep.embed(IMAGE))
        assert imrep.get(loaded.spec).fingerprint == rep.fingerprint


class TestVectors:
    def test_gray_is_three_equal_channels(self):
        rep = Scaled()
        gray = IMAGE[:, :1]
        assert torch.equal(rep.embed(gray), rep.embed(gray.expand(-1, 3, -1, -1)))

    def test_the_length_is_measured_on_the_canvas_whatever_the_type(self):
        rep = Scaled()
        assert rep.dim == 12 == rep.double().dim == rep.half().dim

        class Square(Scaled):
            """One that takes images of its canvas only."""

            canvas: ClassVar[int] = 24

            def encode(self, image):
                assert image.shape[2:] == (24, 24)
                return super().encode(image)

        assert Square().dim == 12

    def test_pooling_a_code_by_hand_is_embedding(self):
        rep = Scaled()
        assert_close(rep.pool(rep.encode(IMAGE)), rep.embed(IMAGE))
        assert_close(rep(IMAGE), rep.embed(IMAGE))


class TestChecks:
    @pytest.mark.parametrize("method", ["pool", "picture"])
    @pytest.mark.parametrize(
        "code",
        [
            None,
            IMAGE,
            Vector(torch.ones(2, 3)),
            Map(IMAGE[0], (6, 5)),
            Map(IMAGE * torch.nan, (6, 5)),
        ],
    )
    def test_codes_that_it_cannot_have_made_are_refused(self, method, code):
        with pytest.raises(BadCode, match="scaled needs"):
            getattr(Scaled(), method)(code)

    def test_embedding_checks_the_image_and_a_picture_its_size(self):
        rep = Scaled()
        with pytest.raises(BadImage, match="scaled needs values in"):
            rep.embed(IMAGE * 255)
        with pytest.raises(BadImage):
            rep.picture(rep.encode(IMAGE), IMAGE[:, :, 1:])

    def test_without_an_inverse_the_remedy_depends_on_the_gradient(self):
        class Hard(Scaled):
            """The same without a gradient."""

            card = Card(title="Hard", family="tests", cite="", differentiable=False)

        with pytest.raises(NoInverse, match="`imrep invert IMAGE SPEC` goes by gradient"):
            Scaled().invert(Scaled().encode(IMAGE))
        with pytest.raises(NoInverse, match="No gradient reaches the image either"):
            Hard().invert(Hard().encode(IMAGE))

    def test_weights_of_another_shape_or_none_are_refused_and_change_nothing(self, tmp_path):
        rep = Scaled()
        for folder in (tmp_path / "gone", imrep.get("pixels").save(tmp_path / "pixels")):
            with pytest.raises(BadParameter, match=r"scaled cannot load weights\.safetensors: ."):
                rep.load_weights(folder)
        assert rep.fingerprint == Scaled().fingerprint


def test_an_annotation_is_text_however_it_was_written():
    def function(a: int, b: "int | None", c, d: int | None, e: Optional[int]): ...  # noqa: UP045

    parameters = inspect.signature(function).parameters
    texts = {name: annotation(parameter) for name, parameter in parameters.items()}
    assert [texts[name] for name in "abcd"] == ["int", "int | None", "", "int | None"]
    assert specs.is_plain(texts["d"]) and texts["e"]
