import pytest
import torch

import imrep
from imrep.errors import BadImage, BadParameter, UnknownName
from imrep.testing import photo


def test_invert_says_how_and_how_well():
    found = imrep.invert("laplacian", photo(batch=1))
    assert found.method == "exact"
    assert found.psnr > 100
    torch.testing.assert_close(found.image, photo(batch=1), atol=1e-5, rtol=0)


def test_invert_takes_one_image():
    with pytest.raises(BadImage, match="one image at a time, got a batch of 2"):
        imrep.invert("laplacian", photo(batch=2))


def test_a_misspelt_option_is_an_error():
    with pytest.raises(TypeError, match="sized"):
        imrep.compare(sized=64)


def test_a_chain_is_its_functions_in_order():
    from imrep.edit.operations.stretch import stretch
    from imrep.edit.operations.unsharp import unsharp

    wanted = unsharp(stretch(photo(), low=5), alpha=0.3)
    found = imrep.apply_edits(photo(), "stretch:low=5, unsharp:alpha=0.3")
    torch.testing.assert_close(found, wanted, atol=0, rtol=0)
    with pytest.raises(UnknownName, match="Did you mean 'stretch'"):
        imrep.apply_edits(photo(), "stretched")
    for chain in ("decode, stretch", "stretch, compress"):
        with pytest.raises(BadParameter, match=r"from images to images, got .*Use imrep\.pack"):
            imrep.apply_edits(photo(), chain)


def test_an_old_name_works_and_warns():
    with pytest.warns(FutureWarning, match="edited is called apply_edits now"):
        packed = imrep.edited(photo(batch=1), "stretch, compress")
    assert 0.1 < packed.bits_per_pixel < 24
    with (
        pytest.warns(FutureWarning),
        pytest.raises(BadParameter, match="decode needs a packed image, got an image"),
    ):
        imrep.edited(photo(), "decode, stretch")
