"""What a comparison has decoded and encoded: once each, failures by name."""

import numpy as np
import PIL.Image
import pytest

import imrep
from imrep import datasets
from imrep.base import Representation, Sum
from imrep.codes import Vector
from imrep.comparison import state as module
from imrep.comparison.candidates import Candidate, gather
from imrep.comparison.state import State
from imrep.errors import BadData, BadImage
from imrep.images import DEFAULT_READING
from imrep.registry.cards import Card


@pytest.fixture(autouse=True)
def _own_cache(tmp_path, monkeypatch):
    monkeypatch.setenv("IMREP_CACHE", str(tmp_path / "cache"))


def made(folder, progress=lambda step, done, total: None):
    return State(
        dataset=datasets.find(str(folder)),
        size=16,
        seed=0,
        reading=DEFAULT_READING,
        readers=1,
        device="cpu",
        progress=progress,
    )


@pytest.fixture
def folder(tmp_path):
    (tmp_path / "data").mkdir()
    for i, pixels in enumerate(np.random.default_rng(0).integers(0, 256, (4, 20, 20, 3), np.uint8)):
        PIL.Image.fromarray(pixels).save(tmp_path / "data" / f"{i}.png")
    return tmp_path / "data"


class Broken(Representation[Vector]):
    """Raises the error it is given."""

    card = Card(title="Broken", family="test", cite="")

    def __init__(self, error):
        super().__init__()
        self.error = error

    @property
    def fingerprint(self):
        return f"broken-{self.error}"

    def encode(self, image):
        raise self.error


def test_images_are_decoded_once_at_each_size(folder):
    state = made(folder)
    assert state.decoded(16) is state.decoded(16)
    assert (state.decoded(16).size, state.decoded(24).size) == (16, 24)
    assert state.decoded_alike(24) is state.decoded(24)


def test_a_part_of_several_candidates_is_encoded_once(folder, monkeypatch):
    state, calls = made(folder), []
    encode = module.encode.encode
    monkeypatch.setattr(
        module.encode, "encode", lambda rep, *rest: calls.append(rep.name) or encode(rep, *rest)
    )
    candidates = gather(["pixels", "dct", "pixels+dct"])[0]
    encoded = state.encode(candidates, 16)
    assert [e.spec for e in encoded] == ["pixels", "dct", "pixels+dct"]
    assert calls == ["pixels", "dct"] and not state.failed
    assert encoded[2].parts == (*encoded[0].parts, *encoded[1].parts)


def test_a_sum_reads_all_views_at_the_canvas_of_one_as_embed_does(folder):
    network, hog = imrep.get("pixels:side=4"), imrep.get("hog")
    network.canvas = 20
    alone, other, both = made(folder).encode(
        [Candidate("a", "", (network,)), Candidate("b", "", (hog,)),
         Candidate("a+b", "", (network, hog))],
        16,
    )  # fmt: skip
    assert [each.side for each in (alone, other, both)] == [20, 16, 20]
    assert both.parts[0] is alone.parts[0] and both.parts[1].side == 20
    embedded = imrep.embed(folder, Sum([network, hog]), size=16).vectors
    assert np.allclose(both.vectors(np.arange(4)), embedded, atol=1e-6)


@pytest.mark.parametrize(
    ("error", "reason"),
    [
        (BadImage("too small.\nTry more."), "too small. Try more."),
        (ZeroDivisionError("by\n zero"), "ZeroDivisionError in test_state.py:"),
    ],
)
def test_a_failure_is_named_and_the_others_go_on(folder, error, reason):
    state = made(folder)
    candidates = [Candidate("broken", "", (Broken(error),)), *gather(["pixels"])[0]]
    assert [e.spec for e in state.encode(candidates, 24)] == ["pixels"]
    [absent] = state.failed
    assert (absent.spec, absent.metric) == ("broken", "error")
    assert absent.reason.startswith(f"at 24 px: {reason}") and "\n" not in absent.reason


def test_an_error_of_the_system_ends_the_run(folder):
    state = made(folder)
    with pytest.raises(OSError, match="no space"):
        state.encode([Candidate("broken", "", (Broken(OSError("no space left")),))], 16)
    assert not state.failed


def test_a_folder_without_a_readable_image_is_refused_with_reasons(tmp_path):
    (tmp_path / "data").mkdir()
    for i in range(5):
        (tmp_path / "data" / f"{i}.png").write_bytes(b"no image")
    with pytest.raises(BadData, match=r"an image that can be read, got none\. 0\.png: ") as e:
        made(tmp_path / "data").collect()
    assert "2.png" in str(e.value) and "3.png" not in str(e.value)


def test_steps_are_announced(folder):
    steps = []
    state = made(folder, lambda step, done, total: steps.append(step))
    state.collect()
    assert steps[0] == "reading the files" and "looking for near-duplicates" in steps
