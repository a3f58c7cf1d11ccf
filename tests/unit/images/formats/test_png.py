"""PNG: which of its chunks counts, and two decoders that must agree."""

import io
import struct

import numpy as np
import picture_files as files
import pytest
from PIL import Image

from imrep.images.formats import png

RNG = np.random.default_rng(0)
GAMMA = (b"gAMA", struct.pack(">I", 100_000))
WIDE = (b"cHRM", struct.pack(">8I", 31270, 32900, 70800, 29200, 17000, 79700, 13100, 4600))
SRGB = (b"sRGB", b"\0")
PQ = (b"cICP", bytes([9, 16, 0, 1]))
HALF = np.float32([[[0.5, 0.5, 0.5]]])


def made(*chunks, samples=None, depth=8, colour=2):
    samples = np.zeros((2, 3, 3)) if samples is None else samples
    return files.png(samples, depth, colour, *chunks)


def half(*chunks):
    space = png.colour_space(made(*chunks))
    return 0.5 if space is None else float(space.to_srgb(HALF)[0, 0, 0])


def test_the_order_of_precedence_is_the_standards():
    linear, pq = half(GAMMA), half(PQ)
    assert linear == pytest.approx(0.7354, abs=1e-3) and pq != pytest.approx(linear, abs=0.02)
    assert half(SRGB, GAMMA, WIDE) == half((b"iCCP", b"x\0\0"), GAMMA) == 0.5
    assert half(GAMMA, PQ) == half(SRGB, PQ) == pq
    assert half((b"cICP", b"\1"), GAMMA) == linear  # damaged: as if absent


@pytest.mark.parametrize(
    ("number", "srgb"),
    [(45_455, True), (45_000, True), (47_000, True), (40_000, False), (50_000, False), (0, True)],
)
def test_a_gamma_near_srgbs_means_srgb(number, srgb):
    assert (png.colour_space(made((b"gAMA", struct.pack(">I", number)))) is None) == srgb


def test_chunks_behind_the_pixels_do_not_count():
    data = made()
    late = data[:-12] + files.chunk(*GAMMA) + data[-12:]
    assert png.colour_space(late) is None
    assert png.has_code_points(made(PQ)) and not png.has_code_points(made(GAMMA))


def test_the_info_of_pillow_means_the_same():
    info = {"gamma": 1.0, "chromaticity": (0.3127, 0.329, 0.708, 0.292, 0.17, 0.797, 0.131, 0.046)}
    by_info, by_chunks = png.colour_space_of(info), png.colour_space(made(GAMMA, WIDE))
    np.testing.assert_allclose(by_info.matrix, by_chunks.matrix, atol=1e-4)
    assert png.colour_space_of({"gamma": 1.0, "srgb": 0}) is None
    assert png.colour_space_of({"gamma": 1.0, "icc_profile": b"x"}) is None
    assert png.colour_space_of({}) is None


@pytest.mark.parametrize(("colour", "channels"), [(0, 1), (2, 3), (4, 2), (6, 4)])
def test_sixteen_bits_are_read_completely(colour, channels):
    samples = RNG.integers(0, 65536, (4, 5, channels))
    data = made(samples=samples, depth=16, colour=colour)
    stored = png.sixteen_bits(opened(data), data)
    np.testing.assert_array_equal(stored.values, samples)
    assert (stored.full, stored.opaque) == ((0, 65535), 65535)


def opened(data):
    return Image.open(io.BytesIO(data))


@pytest.mark.parametrize(("colour", "channels"), [(0, 1), (2, 3)])
def test_a_transparent_colour_of_sixteen_bits_is_exact(colour, channels):
    samples = RNG.integers(0, 65536, (4, 5, channels))
    samples[2, 3, 0] = 700
    samples[1, 1] = samples[2, 3]
    samples[1, 1, 0] = 701  # differs in the lowest bit of one channel
    key = (b"tRNS", struct.pack(f">{channels}H", *samples[2, 3].tolist()))
    data = made(key, samples=samples, depth=16, colour=colour)
    alpha = png.sixteen_bits(opened(data), data).values[..., -1]
    assert alpha[2, 3] == 0 and np.count_nonzero(alpha) == alpha.size - 1


def test_fewer_bits_are_left_to_pillow():
    data = made()
    assert png.sixteen_bits(opened(data), data) is None


def test_decoders_that_disagree_are_refused():
    samples = RNG.integers(0, 65536, (4, 5, 3))
    data = made(samples=samples, depth=16)
    with pytest.raises(ValueError, match="two decoders give different pixels"):
        png.sixteen_bits(opened(data), made(samples=65535 - samples, depth=16))


@pytest.mark.parametrize(
    ("depth", "key", "scaled"), [(1, 1, 1), (2, 2, 170), (4, 5, 85), (8, 5, 5)]
)
def test_a_transparent_gray_of_few_bits_is_scaled_as_the_pixels_are(depth, key, scaled):
    data = made(samples=np.zeros((2, 3, 1)), depth=depth, colour=0)
    info = {"transparency": key}
    png.repair_transparent_gray(info, data)
    assert info["transparency"] == scaled
