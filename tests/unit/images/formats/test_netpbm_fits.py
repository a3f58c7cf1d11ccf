"""Netpbm and FITS by their headers: what they state, and what is wrong with them."""

import numpy as np
import picture_files as files
import pytest
from hypothesis import given
from hypothesis import strategies as st

from imrep.images.formats.netpbm_fits import header

GRAY = np.arange(12).reshape(3, 4)


def pam(**fields):
    lines = {"WIDTH": 2, "HEIGHT": 1, "DEPTH": 1, "MAXVAL": 255} | fields
    text = "".join(f"{key} {value}\n" for key, value in lines.items())
    return b"P7\n" + text.encode() + b"ENDHDR\n" + bytes(range(1, 17))


def read(data):
    return header(data).read()


@pytest.mark.parametrize(("magic", "shape"), [(b"P5", (3, 4, 1)), (b"P6", (1, 4, 3))])
@pytest.mark.parametrize(("white", "kind"), [(1, "u1"), (254, "u1"), (256, ">u2"), (65535, ">u2")])
def test_netpbm_of_any_maximum(magic, shape, white, kind):
    samples = (GRAY % (white + 1)).astype(kind)
    head = magic + b" # a comment\n%d\t%d\n%d\n" % (shape[1], shape[0], white)
    stored = read(head + samples.tobytes())
    np.testing.assert_array_equal(stored.values, samples.reshape(shape))
    assert stored.full == (0, white) and stored.opaque == white


def test_a_maximum_of_255_is_left_to_pillow():
    assert header(b"P5 4 3 255\n" + bytes(12)) is None


@pytest.mark.parametrize("white", [0, 65536, -1])
def test_other_maxima_are_refused(white):
    with pytest.raises(ValueError, match=f"a maximum value of {white}"):
        header(b"P5 4 3 %d\n" % white + bytes(24))


@pytest.mark.parametrize("data", [b"P5", b"P5 4 3", b"P5 4 " + b"9" * 30])
def test_headers_without_their_numbers_are_refused(data):
    with pytest.raises(ValueError, match="a damaged header"):
        header(data)


def test_a_file_that_ends_before_its_samples_is_truncated():
    with pytest.raises(EOFError, match="truncated"):
        read(b"P5 4 3 99\n" + bytes(11))
    assert read(b"P5 4 3 99\n" + bytes(12)).values.shape == (3, 4, 1)


@pytest.mark.parametrize(
    ("depth", "tuples"),
    [(1, ""), (1, "GRAYSCALE"), (2, "GRAYSCALE_ALPHA"), (3, "RGB"), (4, "RGB_ALPHA")],
)
def test_pam_by_its_tuples(depth, tuples):
    fields = {"DEPTH": depth} | ({"TUPLTYPE": tuples} if tuples else {})
    stored = read(pam(**fields))
    assert stored.values.ravel().tolist() == [*range(1, 2 * depth + 1)]
    assert stored.has_alpha == (depth in (2, 4))


@pytest.mark.parametrize(("depth", "tuples"), [(3, "GRAYSCALE"), (2, ""), (4, "RGB"), (5, "MANY")])
def test_pam_of_other_tuples_is_refused(depth, tuples):
    with pytest.raises(ValueError, match=f"unsupported tuples of {depth}"):
        header(pam(DEPTH=depth, **({"TUPLTYPE": tuples} if tuples else {})))
    with pytest.raises(ValueError, match="without an end"):
        header(b"P7\nWIDTH 2\n")


def test_pam_skips_comments():
    data = pam().replace(b"DEPTH", b"#WIDTH 99\nDEPTH")
    assert header(data).width == 2


@pytest.mark.parametrize(("scale", "kind"), [("-1.0", "<f4"), ("2.5", ">f4")])
@pytest.mark.parametrize(("magic", "channels"), [("Pf", 1), ("PF", 3)])
def test_pfm_begins_at_the_bottom_row(magic, channels, scale, kind):
    values = np.arange(6 * channels, dtype=kind).reshape(3, 2, channels)
    stored = read(f"{magic}\n2 3\n{scale}\n".encode() + values[::-1].tobytes())
    np.testing.assert_array_equal(stored.values, values)
    assert stored.full is None


@pytest.mark.parametrize(
    ("bits", "kind"), [(8, "u1"), (16, ">i2"), (32, ">i4"), (64, ">i8"), (-32, ">f4"), (-64, ">f8")]
)
def test_fits_of_every_type(bits, kind):
    stored = read(files.fits(GRAY.astype(kind), bits))
    np.testing.assert_array_equal(stored.values[..., 0], GRAY)
    assert stored.values.dtype.isnative
    assert (stored.full is None) == (bits != 8)


@pytest.mark.parametrize("exponent", ["1.0E-1", "1.0D-1", "0.1"])
def test_fits_is_scaled_by_numbers_in_any_of_its_notations(exponent):
    data = files.fits(GRAY.astype(">i2"), 16, ("BSCALE", exponent), ("BZERO", "5.0D0"))
    np.testing.assert_allclose(read(data).values[..., 0], GRAY * 0.1 + 5)


def test_unsigned_16_bits_of_fits_state_their_range():
    numbers = np.array([[0, 40_000, 65_535]])
    data = files.fits((numbers - 32768).astype(">i2"), 16, ("BZERO", 32768))
    stored = read(data)
    assert stored.values[..., 0].tolist() == numbers.tolist() and stored.full == (0, 65535)


def test_blank_numbers_of_fits_are_missing():
    data = files.fits(GRAY.astype(">i2"), 16, ("BLANK", 5), ("BSCALE", 2))
    values = read(data).values[..., 0]
    assert np.isnan(values[1, 1]) and np.isnan(values).sum() == 1
    assert values[2, 3] == 22


def test_fits_of_other_axes():
    data = files.fits(GRAY.astype("u1"), 8)
    assert (
        header(data.replace(b"NAXIS   =                    2", b"NAXIS   =                    1"))
        is None
    )
    with pytest.raises(ValueError, match="without an end"):
        header(data[:240])


@given(st.binary(max_size=60), st.sampled_from([b"P5 ", b"P6\n", b"P7\n", b"Pf\n", b"SIMPLE  ="]))
def test_damaged_headers_raise_only_what_a_reader_expects(tail, magic):
    try:
        result = header(magic + tail)
        if result and result.width * result.height < 100:
            result.read()
    except (ValueError, KeyError, EOFError):
        pass
