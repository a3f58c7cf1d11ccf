"""Frequencies in polar coordinates, against numpy's; parts of the plane; the taper."""

import numpy as np
import pytest
import torch

from imrep.errors import BadImage
from imrep.ops.fourier import radial_bands


@pytest.mark.parametrize("size", [(1, 1), (5, 8), (32, 31)])
def test_radius_is_numpys(size):
    r = np.hypot(np.fft.fftfreq(size[0])[:, None], np.fft.rfftfreq(size[1])[None])
    np.testing.assert_allclose(radial_bands.radius(*size), r, rtol=0, atol=1e-15)


def test_every_frequency_of_the_ring_is_in_one_part():
    part, count = radial_bands.sectors(64, 64, 0.05, 0.4, 4, 6)
    r = radial_bands.radius(64, 64).flatten()
    assert ((part < 24) == ((r >= 0.05) & (r < 0.4))).all()
    assert count.tolist() == [int((part == i).sum()) for i in range(24)]
    assert count.view(4, 6).sum(1).diff().gt(0).all()  # outer rings are larger


def test_directions_are_those_of_the_waves():
    part, _ = radial_bands.sectors(64, 64, 0.1, 0.2, 1, 4)
    plane = part.view(64, 33)
    rows, columns, diagonal, other = plane[0, 9], plane[9, 0], plane[7, 7], plane[-7, 7]
    assert (rows, columns, diagonal, other) == (0, 2, 1, 3)


def test_taper_fades_both_ends():
    window = radial_bands.taper(40, torch.zeros(1, dtype=torch.float64))
    torch.testing.assert_close(window, window.flip(0))
    assert float(window[0]) == pytest.approx(np.sin(np.pi / 16) ** 2)
    assert (window[4:36] == 1).all()


@pytest.mark.parametrize("dtype", [torch.float16, torch.bfloat16, torch.uint8, torch.complex64])
def test_types_without_a_transform_are_refused(dtype):
    image = torch.zeros(1, 1, 4, 4, dtype=dtype)
    with pytest.raises(BadImage, match=rf"fourier needs float32 or float64, got {dtype}. Try x"):
        radial_bands.transformable(image, "fourier")


@pytest.mark.parametrize("dtype", [torch.float32, torch.float64])
def test_a_short_window_is_positive_and_symmetric(dtype):
    for n in (1, 2, 5, 11):
        window = radial_bands.taper(n, torch.zeros(1, dtype=dtype))
        assert window.dtype == dtype and (window > 0).all() and (window <= 1).all()
        torch.testing.assert_close(window, window.flip(0))


def test_transposing_a_square_plane_reflects_orientations():
    part, _ = radial_bands.sectors(48, 48, 0.1, 0.3, 2, 6)
    plane = part.view(48, 25)
    for y, x in ((5, 7), (9, 2), (12, 5)):  # at 90° minus the angle
        ring, orientation = divmod(int(plane[y, x]), 6)
        assert divmod(int(plane[x, y]), 6) == (ring, (3 - orientation) % 6)
