"""Checks of codes: kind, types, axes that agree, values, and the sentence about each fault."""

from dataclasses import replace

import pytest
import torch

from imrep import codecheck
from imrep.base import Representation
from imrep.codes import Grid, Map, Points, Pyramid, Regions, Spectrum, Vector, Views
from imrep.errors import BadCode, BadImage

MAP = Map(torch.rand(2, 3, 4, 5), (8, 10))
PYRAMID = Pyramid((torch.rand(2, 3, 8, 8), torch.rand(2, 3, 4, 4)), torch.rand(2, 3, 2, 2))
REGIONS = Regions(torch.zeros(2, 3, 3, dtype=torch.long), torch.ones(2, dtype=torch.long))


def points(**changes):
    fields = {
        "xy": torch.rand(2, 4, 2) * 9, "values": torch.rand(2, 4, 6), "extent": torch.ones(2, 4),
        "angle": torch.zeros(2, 4), "present": torch.ones(2, 4, dtype=torch.bool),
        "size": (9, 12),
    }  # fmt: skip
    return Points(**fields | changes)


def structure(code, kind=None):
    codecheck.structure(code, kind or type(code), "hog")


@pytest.mark.parametrize("code", [MAP, PYRAMID, REGIONS, points(), Vector(torch.rand(1, 2))])
def test_codes_that_fit_together_pass(code):
    structure(code)
    codecheck.numbers(code, "hog")
    structure(code.map(lambda t: t.double() if t.is_floating_point() else t))


@pytest.mark.parametrize(
    ("code", "kind", "fault"),
    [
        (torch.rand(1, 2), Vector, "a Vector, got Tensor"),
        (MAP, Vector, "a Vector, got Map"),
        (None, Map, "a Map, got NoneType"),
        (Vector([1.0]), None, "values as a tensor, got list"),
        (Vector(torch.rand(2)), None, r"values \(batch, dim\), got \(2,\)"),
        (Vector(torch.rand(2, 3).half()), None, "float32 or float64 in values, got torch.float16"),
        (Vector(torch.ones(2, 3).long()), None, r"float32 or float64 in values, got torch\.int64"),
        (Vector(torch.rand(0, 3)), None, "at least one image, got an empty batch"),
        (replace(MAP, values=torch.rand(2, 0, 4, 5)), None, "at least one channel, got none"),
        (replace(PYRAMID, bands=(torch.rand(2, 3, 8, 8), 5)), None, r"bands\[1\] as a tensor"),
        (replace(PYRAMID, rest=torch.rand(2, 4, 2, 2)), None,
         r"rest with channel of 3 like the others, got 4 in \(2, 4, 2, 2\)"),
        (points(extent=torch.ones(2, 5)), None, "extent with point of 4 like the others, got 5"),
        (points(xy=torch.rand(3, 4, 2)), None, "values with batch of 3 like the others, got 2"),
        (points(present=torch.ones(2, 4)), None, r"torch\.bool in present, got torch\.float32"),
        (points(octave=torch.ones(2, 4)), None, "whole numbers in octave"),
        (points(octave=torch.ones(2, 4, dtype=torch.bool)), None, "whole numbers in octave"),
        (replace(REGIONS, labels=torch.zeros(2, 3, 3)), None, "whole numbers in labels"),
    ],
)  # fmt: skip
def test_what_does_not_fit_is_named(code, kind, fault):
    with pytest.raises(
        BadCode, match=rf"^hog needs .*{fault}.*\. Use the code that encode gave\.$"
    ):
        structure(code, kind)


@pytest.mark.parametrize("size", [None, 8, (8,), (8, 10, 3), (8.0, 10), (0, 10), "ab"])
def test_a_size_is_two_whole_numbers(size):
    with pytest.raises(BadCode, match=r"hog needs size as \(height, width\), got"):
        structure(replace(MAP, size=size))


def test_optional_fields_may_be_absent():
    structure(Vector(torch.rand(1, 2), None))
    structure(Vector(torch.rand(1, 2), (3, 4)))
    structure(points(response=None, octave=None))
    with pytest.raises(BadCode, match="size as"):
        structure(Vector(torch.rand(1, 2), (3,)))


@pytest.mark.parametrize(("value", "word"), [(torch.nan, "NaN"), (torch.inf, "infinity"),
                                             (-torch.inf, "infinity")])  # fmt: skip
@pytest.mark.parametrize("index", [0, 1])
def test_numbers_that_are_none_are_named_where_they_lie(value, word, index):
    bands = [band.clone() for band in PYRAMID.bands]
    bands[index][1, 2, 3, 3] = value
    with pytest.raises(BadCode, match=rf"got {word} in bands\[{index}\]\. Encode again"):
        codecheck.numbers(replace(PYRAMID, bands=tuple(bands)), "laplacian")


def test_complex_numbers_are_checked_in_both_parts():
    values = torch.zeros(1, 8, 8, 3, 3, dtype=torch.complex64)
    codecheck.numbers(Spectrum((values,), (24, 24)), "fourier")
    values[0, 1, 2, 0, 0] = complex(0, torch.nan)
    with pytest.raises(BadCode, match="NaN in"):
        codecheck.numbers(Spectrum((values,), (24, 24)), "fourier")


@pytest.mark.parametrize(
    ("changes", "fault"),
    [
        ({"xy": torch.full((2, 4, 2), 12.5)}, "x from -1 to 12, got 12.5 to 12.5"),
        ({"xy": torch.full((2, 4, 2), 9.5)}, "y from -1 to 9, got 9.5 to 9.5"),
        ({"xy": torch.full((2, 4, 2), -1.5)}, "x from -1 to 12, got -1.5 to -1.5"),
        ({"extent": torch.full((2, 4), -0.1)}, r"extent from 0 to 1e\+06"),
        ({"angle": torch.full((2, 4), 361.0)}, "angle from -360 to 360"),
    ],
)
def test_points_outside_the_image_are_refused(changes, fault):
    with pytest.raises(BadCode, match=fault):
        codecheck.numbers(points(**changes), "sift")
    hidden = points(**changes, present=torch.zeros(2, 4, dtype=torch.bool))
    codecheck.numbers(hidden, "sift")


def test_padding_may_lie_anywhere():
    xy, present = torch.rand(2, 4, 2) * 9, torch.ones(2, 4, dtype=torch.bool)
    xy[1, 3], present[1, 3] = 500, False
    codecheck.numbers(points(xy=xy, present=present), "sift")


def test_a_guide_lies_in_the_unit_interval():
    grid = Grid(torch.rand(1, 3, 4, 2, 2), torch.linspace(0, 1, 16).reshape(1, 1, 4, 4))
    codecheck.numbers(grid, "bilateral")
    with pytest.raises(BadCode, match=r"guide from -0\.001 to 1\.001, got 0 to 1\.1"):
        codecheck.numbers(replace(grid, guide=grid.guide * 1.1), "bilateral")


def test_maps_and_rows_of_another_number_or_size():
    codecheck.maps(MAP.values, "hog", (1, 3), (4, 5))
    for channels, size in (((1, 9), (4, 5)), ((3,), (5, 4))):
        with pytest.raises(BadCode, match=r"hog needs .* maps of .*, got 3 of 4×5\. Use the param"):
            codecheck.maps(MAP.values, "hog", channels, size)
    with pytest.raises(BadCode, match="needs 1 or 9 maps"):
        codecheck.maps(MAP.values, "hog", (1, 9, 9), (4, 5))
    codecheck.columns(torch.rand(2, 3, 7), "sift", 7)
    with pytest.raises(BadCode, match="sift needs 8 numbers in each row of values, got 7"):
        codecheck.columns(torch.rand(2, 3, 7), "sift", 8)


@pytest.mark.parametrize("shape", [(2, 3, 10, 8), (1, 3, 8, 10), (2, 3, 9, 10)])
def test_an_image_to_draw_over_is_the_codes(shape):
    codecheck.same_images(MAP, torch.rand(2, 3, 8, 10), "hog")
    with pytest.raises(BadImage, match=rf"2 of 8×10, got {shape[0]} of {shape[2]}×{shape[3]}\."):
        codecheck.same_images(MAP, torch.rand(shape), "hog")


def test_views_are_one_code_of_each_and_of_the_same_images():
    import imrep

    image = torch.rand(2, 3, 16, 16)
    parts = [imrep.get("pixels"), imrep.get("hog")]
    codes = tuple(part.encode(image) for part in parts)
    codecheck.views(Views(codes), parts, "pixels+hog")
    with pytest.raises(BadCode, match="needs 2 codes, got 1"):
        codecheck.views(Views(codes[:1]), parts, "pixels+hog")
    with pytest.raises(BadCode, match="got batches of 2, 1"):
        codecheck.views(Views((codes[0], codes[1][:1])), parts, "pixels+hog")
    with pytest.raises(BadCode, match=r"^hog needs a Map, got Vector"):
        codecheck.views(Views((codes[0], Vector(torch.rand(2, 5)))), parts, "pixels+hog")
    with pytest.raises(BadCode, match=r"^pixels needs 1 or 3 maps of 32×32, got"):
        codecheck.views(Views(codes[::-1]), parts, "pixels+hog")


def test_the_kind_is_read_from_the_base():
    class OfMaps(Representation[Map]):
        pass

    class Below(OfMaps):
        pass

    assert codecheck.kind(OfMaps) is Map
    assert codecheck.kind(Below) is codecheck.kind(int) is None


def test_methods_that_take_a_code():
    class Members:
        def pool(self, code): ...
        def check_code(self, code): ...
        def _private(self, code): ...
        def encode(self, image): ...
        def both(self, image, code): ...

    taking = [n for n, member in vars(Members).items() if codecheck.takes_a_code(n, member)]
    assert taking == ["pool"]
    assert not codecheck.takes_a_code("code", 5)
