"""Pictures of spectra: frequency zero in the middle, or blocks of frequencies."""

import torch

from imrep.codes import Spectrum
from imrep.drawing.spectrum import draw_spectrum


def brightest(picture):
    return divmod(int(picture[0].sum(0).argmax()), picture.shape[3])


def test_the_mean_is_in_the_centre_and_waves_are_beside_it():
    size, middle = (32, 32), 16
    flat = Spectrum(torch.fft.fft2(torch.ones(1, 1, *size)), size)
    assert [n // 8 for n in brightest(draw_spectrum(flat))] == [middle, middle]
    wave = torch.cos(2 * torch.pi * 5 * torch.arange(32.0) / 32).expand(1, 1, 32, 32)
    picture = draw_spectrum(Spectrum(torch.fft.fft2(wave), size))[0].sum(0)[4::8, 4::8]
    peaks = (picture > 0.9 * picture.max()).nonzero().tolist()
    assert peaks == [[middle, middle - 5], [middle, middle + 5]]


def test_blocks_of_one_frequency_are_beside_each_other():
    plane = torch.zeros(1, 4, 4, 3, 2)
    plane[0, 1, 2] = 5.0
    picture = draw_spectrum(Spectrum((plane,), (12, 8)))
    factor = picture.shape[2] // 12
    bright = picture[0].sum(0)[factor // 2 :: factor, factor // 2 :: factor] > 2
    assert bright.shape == (12, 8) and bright.nonzero().tolist() == [
        [y, x] for y in (3, 4, 5) for x in (4, 5)
    ]
