"""Formats of the extra `formats`: read right with it, refused by name without it."""

import builtins
import io
import sys

import numpy as np
import picture_files as files
import pytest
import tifffile
from PIL import Image

from imrep import datasets, images
from imrep.errors import BadFile

SCENE = files.scene()
GRAY = SCENE[..., 1]
BYTES = np.rint(SCENE * 255).astype(np.uint8)


def shown(data, **options):
    return images.read(data, **options)[0].permute(1, 2, 0).numpy()


@pytest.fixture
def without(monkeypatch):
    """Hides a package."""

    def hide(package):
        whole = builtins.__import__

        def refuse(name, *args, **more):
            if name.split(".")[0] == package:
                raise ImportError(name)
            return whole(name, *args, **more)

        for module in [name for name in sys.modules if name.split(".")[0] == package]:
            monkeypatch.delitem(sys.modules, module)
        monkeypatch.setattr(builtins, "__import__", refuse)
        monkeypatch.setitem(sys.modules, package, None)

    return hide


def heic():
    pillow_heif = pytest.importorskip("pillow_heif")
    file = io.BytesIO()
    coded = pillow_heif.from_pillow(Image.fromarray(BYTES))
    coded.save(file, quality=-1, chroma=444, matrix_coefficients=0)
    return file.getvalue()


def jxl():
    pytest.importorskip("pillow_jxl")
    return files.saved(Image.fromarray(BYTES), "JXL", lossless=True)


def blocks():
    """(120, 120): four squares, flat enough for a sensor's mosaic."""
    return np.kron([[0.2, 0.5], [0.7, 0.35]], np.ones((60, 60)))


def dng():
    """A mosaic of 12 bits over a black level of 95, its camera's colours those of sRGB."""
    from_xyz = (3.2406, -1.5372, -0.4986, -0.9689, 1.8758, 0.0415, 0.0557, -0.204, 1.057)
    fractions = [n for value in from_xyz for n in (round(value * 10_000), 10_000)]
    tags = [
        (50706, "B", 4, (1, 4, 0, 0), True), (50708, "s", 0, "Test", True),
        (33421, "H", 2, (2, 2), True), (33422, "B", 4, (0, 1, 1, 2), True),
        (50714, "H", 1, 95, True), (50717, "I", 1, 4095, True),
        (50721, "2i", 9, tuple(fractions), True), (50728, "2I", 3, (1, 1) * 3, True),
        (50778, "H", 1, 21, True), (271, "s", 0, "T", True), (272, "s", 0, "T", True),
    ]  # fmt: skip
    mosaic = np.rint(files.light(blocks()) * 4000 + 95).astype(np.uint16)
    file = io.BytesIO()
    tifffile.imwrite(file, mosaic, photometric=32803, extratags=tags, metadata=None)
    return file.getvalue()


def dicom(samples, *, bits, signed=0, kind="MONOCHROME2", **tags):
    pydicom = pytest.importorskip("pydicom")
    uid = pydicom.uid
    rows = pydicom.dataset.Dataset()
    rows.file_meta = pydicom.dataset.FileMetaDataset()
    rows.file_meta.TransferSyntaxUID = uid.ExplicitVRLittleEndian
    rows.file_meta.MediaStorageSOPClassUID = rows.SOPClassUID = uid.SecondaryCaptureImageStorage
    rows.file_meta.MediaStorageSOPInstanceUID = rows.SOPInstanceUID = "1.2.3"
    rows.SamplesPerPixel = 3 if samples.shape[-1] == 3 else 1
    rows.Rows, rows.Columns = SCENE.shape[:2]
    rows.PhotometricInterpretation, rows.PixelRepresentation = kind, signed
    rows.BitsAllocated, rows.BitsStored, rows.HighBit = 8 * samples.itemsize, bits, bits - 1
    if rows.SamplesPerPixel == 3:
        rows.PlanarConfiguration = 0
    for name, value in tags.items():
        setattr(rows, name, value)
    data = samples.tobytes()
    rows.PixelData = data + b"\0" * (len(data) % 2)
    file = io.BytesIO()
    rows.save_as(file, enforce_file_format=True)
    return file.getvalue()


RGB_GRAY = np.broadcast_to(GRAY[..., None], SCENE.shape)
TWELVE = np.rint(GRAY * 4095).astype(np.uint16)
HOUNSFIELD = np.rint(GRAY * 1000 - 500).astype(np.int16)


@pytest.mark.parametrize(
    ("make", "kind", "package", "module"),
    [
        (heic, "HEIC", "pillow-heif", "pillow_heif"),
        (jxl, "JPEG XL", "pillow-jxl-plugin", "pillow_jxl"),
        (dng, "a camera's raw file", "rawpy", "rawpy"),
        (lambda: dicom(TWELVE, bits=12), "DICOM", "pydicom", "pydicom"),
    ],
)
def test_without_its_package_it_is_named(tmp_path, without, make, kind, package, module):
    pytest.importorskip(module)
    (tmp_path / "IMG_1").write_bytes(make())  # known by its first bytes
    (tmp_path / "a.png").write_bytes(files.saved(Image.fromarray(BYTES)))
    without(module)
    items = datasets.find(tmp_path).items
    assert [item.path for item in items] == ["IMG_1", "a.png"]
    with pytest.raises(BadFile) as reason:
        images.read(tmp_path / "IMG_1")
    sentence = f"IMG_1 is {kind}, which needs the package {package}. pip install 'imrep[formats]'"
    assert str(reason.value) == sentence


def test_heic_and_jpeg_xl():
    for data in (heic(), jxl()):
        assert np.abs(shown(data) - SCENE).max() < 0.01
        square, facts = images.square(data, 8)
        assert square.shape == (8, 8, 3) and (facts.width, facts.height) == (53, 37)


def test_a_raw_file_is_developed_without_regard_to_its_own_brightness():
    pytest.importorskip("rawpy")
    colours = shown(dng())
    for row, column in ((30, 30), (30, 90), (90, 30), (90, 90)):
        assert np.allclose(colours[row, column], blocks()[row, column], atol=0.01)
    assert images.square(dng(), None)[1].type == "RAW"


@pytest.mark.parametrize(
    "options",
    [
        {"samples": TWELVE, "bits": 12},
        {"samples": TWELVE, "bits": 12, "RescaleSlope": 2, "RescaleIntercept": -5},
        {"samples": 4095 - TWELVE, "bits": 12, "kind": "MONOCHROME1"},
        {"samples": BYTES[..., 1], "bits": 8},
        {"samples": np.stack([TWELVE, 0 * TWELVE]), "bits": 12, "NumberOfFrames": 2},
        {"samples": (HOUNSFIELD + 1024).astype(np.uint16), "bits": 12, "RescaleSlope": 1,
         "RescaleIntercept": -1024, "WindowCenter": 0.5, "WindowWidth": 1001},
        {"samples": HOUNSFIELD, "bits": 16, "signed": 1, "WindowCenter": [0, 40],
         "WindowWidth": [1000, 400], "VOILUTFunction": "LINEAR_EXACT"},
        {"samples": -HOUNSFIELD, "bits": 16, "signed": 1, "kind": "MONOCHROME1",
         "WindowCenter": 0.5, "WindowWidth": 1001},
    ],
)  # fmt: skip
def test_dicom_is_gray_as_its_tags_say(options):
    colours = shown(dicom(**options))
    assert np.abs(colours - GRAY[..., None]).max() < 0.01


def table(pydicom, falling):
    item = pydicom.dataset.Dataset()
    item.LUTDescriptor, item.ModalityLUTType = [4096, 0, 16], "US"
    item.LUTData = np.rint(falling * 65535 / 4095).astype(np.uint16).tobytes()
    item["LUTData"].VR = "OW"
    return [item]


def test_dicom_whose_numbers_fall_where_light_rises():
    pydicom = pytest.importorskip("pydicom")
    falling = 4095 - TWELVE
    for tags in (
        {"RescaleSlope": -1, "RescaleIntercept": 4095},
        {"ModalityLUTSequence": table(pydicom, np.arange(4096)[::-1])},
    ):
        np.testing.assert_allclose(shown(dicom(falling, bits=12, **tags)), RGB_GRAY, atol=2e-4)


@pytest.mark.parametrize("signed", [0, 1])
def test_dicom_with_bits_below_those_stored(signed):
    numbers = np.rint(GRAY * 4095 - 2048 * signed).astype(np.int16 if signed else np.uint16)
    data = dicom(numbers << 4, bits=12, signed=signed, HighBit=15)
    options = {"data_range": (-2048, 2047)} if signed else {}
    np.testing.assert_allclose(shown(data, **options), RGB_GRAY, atol=2e-4)


def test_an_enhanced_dicom_says_its_scale_by_groups():
    pydicom = pytest.importorskip("pydicom")
    window, scale, groups = (pydicom.dataset.Dataset() for _ in range(3))
    window.WindowCenter, window.WindowWidth = 2048, 4096
    scale.RescaleSlope, scale.RescaleIntercept = 2, -100
    groups.FrameVOILUTSequence = [window]
    groups.PixelValueTransformationSequence = [scale]
    numbers = np.rint((GRAY * 4095 + 100) / 2).astype(np.uint16)
    for name in ("SharedFunctionalGroupsSequence", "PerFrameFunctionalGroupsSequence"):
        data = dicom(numbers, bits=12, **{name: [groups]})
        np.testing.assert_allclose(shown(data), RGB_GRAY, atol=1e-3)


def test_dicom_of_floats():
    pydicom = pytest.importorskip("pydicom")
    tags = pydicom.dcmread(io.BytesIO(dicom(TWELVE, bits=12)))
    del tags.PixelData, tags.BitsStored, tags.HighBit, tags.PixelRepresentation
    tags.BitsAllocated, tags.FloatPixelData = 32, GRAY.astype(np.float32).tobytes()
    file = io.BytesIO()
    tags.save_as(file)
    np.testing.assert_allclose(shown(file.getvalue()), RGB_GRAY, atol=1e-6)


def test_dicom_of_signed_numbers_needs_a_window_or_a_scale():
    data = dicom(HOUNSFIELD, bits=16, signed=1)
    with pytest.raises(BadFile, match=r"16-bit signed integers from -300 to 300.*--data-range"):
        images.read(data)
    assert np.abs(shown(data, data_range=(-500, 500)) - GRAY[..., None]).max() < 0.01


def test_dicom_in_colours_and_compressed():
    assert np.abs(shown(dicom(BYTES, bits=8, kind="RGB")) - SCENE).max() < 0.01
    pydicom = pytest.importorskip("pydicom")
    rows = pydicom.dcmread(io.BytesIO(dicom(TWELVE, bits=12)))
    rows.compress(pydicom.uid.RLELossless)
    file = io.BytesIO()
    rows.save_as(file)
    assert np.abs(shown(file.getvalue()) - GRAY[..., None]).max() < 0.01
    rows.file_meta.TransferSyntaxUID = pydicom.uid.MPEG2MPML
    rows.save_as(file := io.BytesIO())
    with pytest.raises(BadFile, match=r"DICOM compressed as MPEG2.*no decoder is installed"):
        images.read(file.getvalue())


def test_a_picture_of_hdr_light_is_named():
    for data in (b"#?RADIANCE\nFORMAT=32-bit_rle_rgbe\n\n-Y 1 +X 1\n", b"v/1\x01\x02\0\0\0"):
        with pytest.raises(BadFile, match="HDR light"):
            images.read(data)
