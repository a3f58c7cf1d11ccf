"""The lines and the JSON of what `imrep edit` has written."""

import json
from dataclasses import replace
from pathlib import Path

import pytest

from imrep.cli import edit_lines
from imrep.edit.file import EditedFile
from imrep.edit.folder import EditedFolder, MeasurementRange
from imrep.edit.measurements import Measurement
from imrep.edit.rate_distortion import Point, RateDistortion

FIGURES = RateDistortion(bytes=12345, bits_per_pixel=1.23456, psnr=33.333, ssim=0.98765)
FILE = EditedFile(
    path=Path("a.png"), image="4×3, 8 bits, RGB", preserved=(), lost=(), measured=(),
    further=False, unchanged=False, figures=None, curve=(), seconds=1.26,
)  # fmt: skip
FOLDER = EditedFolder(
    path=Path("out"), image_count=1, skipped=(), skipped_path=None, figures=None, lost=(),
    measured=(), unchanged=0, resumed=0, seconds=2.0,
)  # fmt: skip


def line(**changes):
    return edit_lines.file_line(replace(FILE, **changes))


def test_a_plain_file_has_its_image_and_its_time():
    assert line() == "a.png  4×3, 8 bits, RGB; 1.3 s"


@pytest.mark.parametrize(
    ("changes", "part"),
    [
        ({"figures": FIGURES}, "1.23 bits per pixel (12,345 bytes), PSNR 33.3 dB, SSIM 0.988"),
        ({"measured": (Measurement("denoise", {"noise": 0.03111}),)}, "denoise: noise 0.0311"),
        ({"measured": (Measurement("denoise", {"noise": 0.0}, "no noise"),)}, "denoise: no noise"),
        ({"unchanged": True}, "nothing changed"),
        ({"preserved": ("EXIF", "ICC profile")}, "with EXIF, ICC profile"),
        ({"lost": ("CMYK became RGB",)}, "CMYK became RGB"),
        ({"lost": ("16 bits", "alpha")}, "without 16 bits and alpha, which PNG cannot hold"),
        ({"lost": ("description",)}, "without description, true of that file only"),
    ],
)
def test_each_fact_is_a_part_of_the_line(changes, part):
    assert line(**changes) == f"a.png  4×3, 8 bits, RGB; {part}; 1.3 s"


def test_losses_are_sorted_by_their_kind_and_all_are_named():
    text = line(path=Path("a.JPG"), lost=("16 bits", "the description", "CMYK became RGB", "alpha"))
    assert (
        "; CMYK became RGB; without the description, true of that file only; "
        "without 16 bits and alpha, which JPG cannot hold; " in text
    )


def test_json_of_a_file_is_json_and_has_every_field():
    point = Point("dct", 50, 0.5, 30.0, 0.9)
    value = edit_lines.file_json(replace(FILE, figures=FIGURES, curve=(point,)), "blur")
    assert json.loads(json.dumps(value))["figures"]["bytes"] == 12345
    assert (value["path"], value["chain"]) == ("a.png", "blur")
    assert value["curve"] == [point._asdict()] and set(value) > set(vars(FILE))


def test_json_of_a_folder_is_json():
    measured = MeasurementRange("denoise", {"noise": (0.1, 0.2)}, {})
    folder = replace(
        FOLDER, figures=FIGURES, measured=(measured,), skipped=(("x.png", "broken"),),
        lost=(("alpha", 3),), seconds=1.23456,
    )  # fmt: skip
    value = json.loads(json.dumps(edit_lines.folder_json(folder, "blur")))
    assert value["written"] == 1 and value["seconds"] == 1.235 and value["lost"] == {"alpha": 3}
    assert value["skipped"] == [{"path": "x.png", "reason": "broken"}]
    assert value["measured"][0]["ranges"] == {"noise": [0.1, 0.2]}
    assert value["figures"]["psnr"] == 33.333
    assert edit_lines.folder_json(FOLDER, "")["figures"] is None


def folder_lines(capsys, **changes):
    edit_lines.print_folder(replace(FOLDER, **changes))
    return capsys.readouterr().out.splitlines()


def test_a_plain_folder_is_one_line_in_singular_and_plural(capsys):
    assert folder_lines(capsys) == ["out  1 image; 2.0 s"]
    assert folder_lines(capsys, image_count=1200) == ["out  1,200 images; 2.0 s"]
    assert folder_lines(capsys, figures=FIGURES) == [
        "out  1 image, on average 1.23 bits per pixel (12,345 bytes), PSNR 33.3 dB, SSIM 0.988; "
        "2.0 s"
    ]


@pytest.mark.parametrize(
    ("changes", "first"),
    [
        ({"skipped": (("x", "y"),), "skipped_path": Path("s.csv")},
         "1 skipped, with reasons in s.csv"),
        ({"resumed": 1500}, "1,500 were done already"),
        ({"unchanged": 2}, "2 unchanged"),
        ({"lost": (("alpha", 1),)}, "1 has lost or changed: alpha"),
        ({"lost": (("alpha", 2),)}, "2 have lost or changed: alpha"),
        ({"measured": (MeasurementRange("denoise", {"noise": (0.1, 0.1)}, {}),)},
         "denoise: noise 0.1"),
        ({"measured": (MeasurementRange("f", {"a": (0.1, 0.25), "b": (1, 2)}, {"odd": 3}),)},
         "f: a 0.1 to 0.25, b 1 to 2; odd (in 3)"),
        ({"measured": (MeasurementRange("f", {}, {"odd": 1}),)}, "f: odd (in 1)"),
    ],
)  # fmt: skip
def test_each_fact_of_a_folder_has_a_line_before_the_last(capsys, changes, first):
    assert folder_lines(capsys, **changes) == [first, "out  1 image; 2.0 s"]


def test_a_curve_is_a_table_of_aligned_columns(capsys):
    edit_lines.print_curve([Point("dct", 50, 0.5, 30.04, 0.9), Point("jpeg", 7.5, 12.25, 9, 1)])
    head, *rows = capsys.readouterr().out.splitlines()
    assert [row.split() for row in rows] == [
        ["dct", "50", "0.500", "30.0", "0.900"], ["jpeg", "7.5", "12.250", "9.0", "1.000"],
    ]  # fmt: skip
    assert {len(each) for each in rows} == {len(head)}
