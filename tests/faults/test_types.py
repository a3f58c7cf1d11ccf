"""Types of images, and codes with NaN: worked with or refused in imrep's words, by all alike."""

import math

import pytest
import torch

import imrep
from imrep.errors import BadCode, BadImage, BadParameter
from imrep.testing import photo, specimens

HALVES = [torch.float16, torch.bfloat16]


@pytest.mark.parametrize("kind", HALVES)
@pytest.mark.parametrize("spec", specimens())
def test_half_precision_is_refused_by_one_sentence(spec, kind):
    rep = imrep.get(spec).to(kind)
    name = spec.partition(":")[0]
    with pytest.raises(BadImage, match=rf"^{name} needs float32 or float64, got {kind}\. Try x\."):
        rep.embed(photo().to(kind))


def test_a_codebook_follows_the_representations_type():
    sift = imrep.get("sift:words=8")
    sift.fit(photo(batch=4))
    wanted = sift.embed(photo())
    for pooled in (sift, imrep.get("sift:pooling=fisher,words=2")):
        if pooled.needs_fit:
            pooled.fit(photo(batch=4))
        double = pooled.to(torch.float64)
        assert {b.dtype for b in double.buffers() if b.is_floating_point()} == {torch.float64}
        assert double.embed(photo().double()).dtype == torch.float64
        assert double.embed(photo()).dtype == torch.float32
    torch.testing.assert_close(sift.embed(photo()), wanted)


INVERTIBLE = [s for s in specimens() if imrep.card(s.partition(":")[0]).inverse != "none"]


@pytest.mark.parametrize("spec", INVERTIBLE)
def test_a_code_with_nan_is_refused_by_name(spec):
    rep = imrep.get(spec)
    code = rep.encode(photo())
    poisoned = code.map(lambda t: t * math.nan if t.is_floating_point() or t.is_complex() else t)
    name = spec.partition(":")[0]
    with pytest.raises(BadCode, match=rf"^{name} needs finite numbers, got NaN in [\w.\[\]]+\. "):
        rep.invert(poisoned)


def test_the_band_with_nan_is_named():
    rep = imrep.get("laplacian")
    code = rep.encode(photo())
    bands = (code.bands[0], code.bands[1] * math.nan, *code.bands[2:])
    with pytest.raises(BadCode, match=r"got NaN in bands\[1\]"):
        rep.picture(type(code)(bands, code.rest))


def test_a_code_within_a_sum_is_checked_as_well():
    rep = imrep.get("pixels:side=8+histogram:bins=4")
    code = rep.encode(photo())
    with pytest.raises(BadCode, match=r"got NaN in codes\[0\]\.values"):
        rep.pool(code.map(lambda t: t * math.nan))
    with pytest.raises(BadCode, match="needs 2 codes, got 1"):
        rep.pool(type(code)(code.codes[:1]))


def test_inherited_pooling_is_used_and_checked():
    class Halved:
        def pool(self, code):
            return code.values.flatten(1) / 2

    class Mine(Halved, type(imrep.get("pixels"))):
        name = "mine"

    image = photo()
    torch.testing.assert_close(Mine().embed(image), imrep.get("pixels").embed(image) / 2)


@pytest.mark.parametrize("iterations", [0, -1, 2.5, math.nan, "many"])
@pytest.mark.parametrize("spec", ["hog", "scattering:scales=2", "filterbank:size=5"])
def test_steps_that_are_no_count_are_refused(spec, iterations):
    with pytest.raises(BadParameter, match="invert needs iterations"):
        imrep.invert(photo(24, 24, batch=1), spec, iterations=iterations)


@pytest.mark.parametrize("spec", [5, None, ["hog"]])
def test_a_spec_of_another_type_is_refused(spec):
    with pytest.raises(BadParameter, match="spec needs to be text such as"):
        imrep.get(spec)


@pytest.mark.parametrize("cells", [0, -2, 2.5, 10**9, "2", math.nan])
def test_cells_of_a_codes_own_pooling_are_checked(cells):
    code = imrep.get("gradient").encode(photo())
    with pytest.raises(BadParameter, match="pooling needs cells"):
        code.pool(cells)


@pytest.mark.parametrize("source", [5, None, photo()])
def test_a_jpeg_of_another_type_is_refused(source):
    with pytest.raises(BadParameter, match="dct needs a path or the bytes of a JPEG"):
        imrep.get("dct").encode_jpeg(source)
