"""Images with masks: pairs, classes, and what is refused, by file and line."""

import shutil

import numpy as np
import pytest
from PIL import Image

from imrep import images
from imrep.datasets import masks
from imrep.errors import BadData

CLASSES = "id,name,r,g,b\n0,Sky,128,128,128\n7,Road,128,64,128\n9,Unlabelled,0,0,0\n"
IDS = np.uint8([[0, 0, 7, 7], [0, 7, 7, 9], [7, 7, 9, 9]])
EXPECTED = [[0, 0, 1, 1], [0, 1, 1, -1], [1, 1, -1, -1]]
COLOURS = {0: (128, 128, 128), 7: (128, 64, 128), 9: (0, 0, 0)}


def painted(ids=IDS):
    return np.uint8([[COLOURS[int(value)] for value in row] for row in ids])


def paletted(ids, colours):
    image = Image.fromarray(np.uint8(ids), "L").convert("P")
    image.putdata(np.uint8(ids).ravel().tolist())
    image.putpalette([channel for colour in colours for channel in colour])
    return image


@pytest.fixture
def folder(tmp_path):
    """A folder with images/, masks/ and classes.csv."""
    root = tmp_path / "street"
    for name in ("images", "masks"):
        (root / name).mkdir(parents=True)
    (root / "classes.csv").write_text(CLASSES)
    for i in range(3):
        pixels = np.random.default_rng(i).integers(256, size=(3, 4, 3), dtype=np.uint8)
        Image.fromarray(pixels).save(root / "images" / f"{i}.png")
        Image.fromarray(IDS).save(root / "masks" / f"{i}.png")
    return root


def refused(folder, message):
    with pytest.raises(BadData, match=message):
        masks.find(str(folder))


def first(folder):
    dataset = masks.find(str(folder))
    return dataset.annotations.of(dataset.items[0].path)


def test_numbers_are_the_classes_of_the_file(folder):
    dataset = masks.find(str(folder))
    own = dataset.annotations
    assert [item.path for item in dataset.items] == [f"images/{i}.png" for i in range(3)]
    assert own.classes.names == ("Sky", "Road", "Unlabelled")
    assert own.classes.rgb == tuple(COLOURS.values())
    assert own.parameters == {"classes": 3}
    assert own.of("images/1.png").read().tolist() == EXPECTED
    assert own.pixels.tolist() == [[3, 6, 0]] * 3
    assert own.key != masks.find(str(altered(folder))).annotations.key


def test_the_masks_that_are_checked_are_counted(folder):
    steps = []
    masks.find(str(folder), lambda *step: steps.append(step))
    assert steps == [("checking masks", done, 3) for done in (1, 2, 3)]


def altered(folder):
    Image.fromarray(IDS[::-1]).save(folder / "masks" / "2.png")
    return folder


@pytest.mark.parametrize("form", ["16 bits", "colours", "palette", "indices", "TIFF", "32 bits"])
def test_forms_of_one_mask(folder, form):
    path = folder / "masks" / "0.png"
    if form == "16 bits":
        Image.fromarray(IDS.astype(np.uint16)).save(path)
    elif form == "32 bits":
        path.unlink()
        Image.fromarray(IDS.astype(np.int32)).save(path.with_suffix(".tif"))
    elif form == "TIFF":
        path.unlink()
        Image.fromarray(painted()).save(path.with_suffix(".tif"))
    elif form == "colours":
        Image.fromarray(painted()).save(path)
    elif form == "palette":  # its indices are others than the ids
        order = np.select([IDS == 0, IDS == 7], [2, 0], 1)
        paletted(order, [COLOURS[7], COLOURS[9], COLOURS[0]]).save(path)
    else:  # its colours are others than the classes'
        paletted(IDS, [(i, 200, 3 * i) for i in range(10)]).save(path)
    assert first(folder).read().tolist() == EXPECTED


def test_two_bits_are_numbers_from_zero_to_three(folder):
    (folder / "classes.csv").unlink()
    ids = np.uint8([[0, 1, 2, 3]] * 3)
    for i in range(3):
        paletted(ids, [(v, v, v) for v in (0, 85, 170, 255)]).save(
            folder / "masks" / f"{i}.png", bits=2
        )
    gray = folder / "masks" / "0.png"
    gray.write_bytes(two_bits_of_gray(ids))
    assert first(folder).read().tolist() == ids.tolist()


def two_bits_of_gray(ids):
    """A PNG of gray levels in two bits, which Pillow does not write."""
    import struct
    import zlib

    def chunk(kind, data):
        body = kind + data
        return struct.pack(">I", len(data)) + body + struct.pack(">I", zlib.crc32(body))

    rows = b"".join(b"\0" + bytes([int("".join(f"{v:02b}" for v in row), 2)]) for row in ids)
    header = struct.pack(">IIBBBBB", ids.shape[1], ids.shape[0], 2, 0, 0, 0, 0)
    parts = [(b"IHDR", header), (b"IDAT", zlib.compress(rows)), (b"IEND", b"")]
    return b"\x89PNG\r\n\x1a\n" + b"".join(chunk(*part) for part in parts)


def test_without_a_file_of_classes_numbers_are_classes_and_255_is_none(folder):
    (folder / "classes.csv").unlink()
    Image.fromarray(np.where(IDS == 9, 255, IDS).astype(np.uint8)).save(folder / "masks" / "0.png")
    mask = first(folder)
    assert mask.read().max() == 7 and mask.read().min() == -1
    assert masks.find(str(folder)).annotations.classes.names == tuple(map(str, range(10)))


def test_black_and_white_are_two_classes(folder):
    (folder / "classes.csv").unlink()
    for i in range(3):
        Image.fromarray(np.uint8(255 * (IDS == 7))).save(folder / "masks" / f"{i}.png")
    assert first(folder).read().tolist() == (IDS == 7).astype(int).tolist()
    assert masks.find(str(folder)).annotations.classes.names == ("background", "foreground")


def test_camvids_own_files(folder):
    """Names and colours without ids, in a csv or in lines; masks end in _L."""
    for i in range(3):
        (folder / "masks" / f"{i}.png").unlink()
        Image.fromarray(painted()).save(folder / "masks" / f"{i}_L.png")
    (folder / "masks").rename(folder / "LabeledApproved_full")
    (folder / "LabeledApproved_full").rename(folder / "labels")
    (folder / "classes.csv").unlink()
    (folder / "class_dict.csv").write_text("name,r,g,b\nSky,128,128,128\nRoad,128,64,128\n"
                                           "Void,0,0,0\n")  # fmt: skip
    assert first(folder).read().tolist() == EXPECTED
    (folder / "class_dict.csv").unlink()
    (folder / "label_colors.txt").write_text("128 128 128\tSky\n128 64 128\tRoad\n0 0 0\tVoid\n")
    assert first(folder).read().tolist() == EXPECTED


def test_a_csv_names_pairs(folder):
    (folder / "pairs.csv").write_text("image,mask\nimages/2.png,masks/0.png\n")
    dataset = masks.find(str(folder / "pairs.csv"))
    assert [item.path for item in dataset.items] == ["images/2.png"]
    assert dataset.annotations.of("images/2.png").read().tolist() == EXPECTED


def test_a_zip_holds_what_the_folder_does(folder, tmp_path):
    archive = shutil.make_archive(str(tmp_path / "street"), "zip", tmp_path, "street")
    dataset, packed = masks.find(str(folder)), masks.find(archive)
    assert [item.path for item in packed.items] == [item.path for item in dataset.items]
    assert first(archive).read().tolist() == EXPECTED


def test_the_central_square_is_that_of_the_image(tmp_path):
    """A mask drawn by the image's own levels stays so when both are cropped and resized."""
    levels = np.kron(np.random.default_rng(0).integers(0, 4, (5, 7)), np.ones((8, 8)))
    for name in ("images", "masks"):
        (tmp_path / name).mkdir()
    Image.fromarray(np.uint8(levels * 60)).save(tmp_path / "images" / "a.png")
    Image.fromarray(np.uint8(levels)).save(tmp_path / "masks" / "a.png")
    for size in (40, 20, 80, 33):
        square = images.square(tmp_path / "images" / "a.png", size)[0][..., 0] / 60
        mask = first(tmp_path).square(size)
        assert mask.shape == (size, size)
        error, *shifted = (
            np.abs(square - np.roll(mask, shift, (0, 1))).mean()
            for shift in ((0, 0), (0, 1), (0, -1), (1, 0), (-1, 0))
        )
        assert error < 0.7 * min(shifted)


def test_masks_of_another_size_are_refused(folder):
    Image.fromarray(IDS[:2]).save(folder / "masks" / "1.png")
    refused(folder, r"masks/1.png needs the size of images/1.png, 4 × 3, got 4 × 2. Draw")


def test_unknown_numbers_are_refused(folder):
    Image.fromarray(np.where(IDS == 9, 3, IDS).astype(np.uint8)).save(folder / "masks" / "1.png")
    refused(folder, r"masks/1.png needs the classes of classes.csv, 0 to 9, got 3. Add a line")


def test_sixteen_bits_out_of_range_are_refused(folder):
    Image.fromarray(np.where(IDS == 9, 40_000, IDS.astype(np.uint16))).save(
        folder / "masks" / "2.png"
    )
    refused(folder, r"masks/2.png needs the classes of classes.csv, 0 to 9, got 40000")
    (folder / "classes.csv").unlink()
    refused(folder, r"masks/2.png needs classes from 0 to 1023, got 40000. Write a classes.csv")


def test_palettes_without_classes_are_refused(folder):
    ids = np.where(IDS == 9, 4, IDS)
    paletted(ids, [(i, 200, 3 * i) for i in range(10)]).save(folder / "masks" / "0.png")
    refused(folder, r"masks/0.png needs .*, got index 4 of its palette, \(4, 200, 12\)")


def test_unknown_colours_are_refused(folder):
    pixels = painted()
    pixels[1, 1] = (128, 65, 128)
    Image.fromarray(pixels).save(folder / "masks" / "1.png")
    refused(folder, r"masks/1.png needs the colours of classes.csv, got \(128, 65, 128\)")
    (folder / "classes.csv").unlink()
    refused(folder, r"masks/1.png needs the classes of its colours, got .* Write a classes.csv")


def test_missing_masks_are_refused(folder):
    (folder / "masks" / "1.png").unlink()
    refused(folder, r"images/1.png needs a mask in masks/, got none. Add 1.png there")
    (folder / "masks" / "0.png").unlink()
    refused(folder, r"images/0.png and 1 more needs a mask")


def test_two_masks_of_an_image_are_refused(folder):
    Image.fromarray(IDS).save(folder / "masks" / "1_mask.png")
    refused(folder, r"images/1.png needs one mask, got masks/1.png and masks/1_mask.png")


def test_compressed_masks_are_refused(folder):
    (folder / "masks" / "1.png").unlink()
    Image.fromarray(IDS).save(folder / "masks" / "1.jpg")
    refused(folder, r"masks/1.jpg needs exact numbers, got JPEG, which alters them")


def test_transparent_masks_are_refused_and_opaque_ones_read(folder):
    alpha = np.full((3, 4), 255, np.uint8)
    Image.fromarray(np.dstack([painted(), alpha])).save(folder / "masks" / "0.png")
    assert first(folder).read().tolist() == EXPECTED
    alpha[0, 0] = 9
    Image.fromarray(np.dstack([painted(), alpha])).save(folder / "masks" / "0.png")
    refused(folder, r"masks/0.png needs to be opaque, got transparent pixels")


def test_fractions_are_refused(folder):
    (folder / "masks" / "1.png").unlink()
    Image.fromarray(IDS.astype(np.float32) / 9).save(folder / "masks" / "1.tif")
    refused(folder, r"masks/1.tif needs whole numbers, got float32")


def test_what_is_no_image_is_refused_as_a_mask_and_left_as_an_image(folder):
    (folder / "images" / "0.png").write_bytes(b"\x89PNG\r\n\x1a\nbroken")
    assert len(masks.find(str(folder)).items) == 3  # the run skips and names it
    (folder / "masks" / "1.png").write_bytes(b"\x89PNG\r\n\x1a\nbroken")
    refused(folder, r"masks/1.png needs to be a mask")


def test_folders_without_masks_are_refused(folder, tmp_path):
    (folder / "masks").rename(folder / "drawings")
    refused(folder, r"street needs images/ and masks/, got the folders drawings, images. Give a")
    refused(tmp_path / "nothing", r"masks need a folder, a zip or a csv, got nothing at")


@pytest.mark.parametrize(
    ("lines", "message"),
    [
        ("image,mask\nimages/9.png,masks/0.png\n", r"images/9.png, named by p.csv, line 2, does"),
        ("image,mask\nimages/0.png,\n", r"p.csv, line 2 needs a path in the column mask"),
        ("image,mask\nimages/0.png,masks/0.png\nimages/0.png,masks/1.png\n",
         r"p.csv, line 3 needs another image, got images/0.png again"),
        ("image,path\nimages/0.png,masks/0.png\n", r"p.csv needs a column mask"),
        ("image,mask\n", r"p.csv needs a line for each image, got none"),
    ],
)  # fmt: skip
def test_tables_are_refused_by_line(folder, lines, message):
    (folder / "p.csv").write_text(lines)
    refused(folder / "p.csv", message)


@pytest.mark.parametrize(
    ("text", "message"),
    [
        ("id,name\n0,Sky\n0,Road\n", "needs another id in each line, got 0 in lines 2 and 3"),
        ("id,name\n0,Sky\n1,Sky\n", "needs another name in each line, got 'Sky' in lines 2 and 3"),
        ("id,name\n0,\n", "needs a name in line 2, got none"),
        ("id,name\n-1,Sky\n", "needs id from 0 to 65535 in line 2, got '-1'"),
        ("id,name,r,g,b\n0,Sky,1,2,300\n", "needs b from 0 to 255 in line 2, got '300'"),
        ("id,name\n", "needs 1 to 1024 classes, got 0"),
        ("id,r\n0,1\n", "needs a column name"),
    ],
)
def test_files_of_classes_are_refused_by_line(folder, text, message):
    (folder / "classes.csv").write_text(text)
    refused(folder, f"classes.csv {message}")


def test_masks_of_nothing_are_refused(folder):
    for i in range(3):
        Image.fromarray(np.full((3, 4), 9, np.uint8)).save(folder / "masks" / f"{i}.png")
    refused(folder, "street needs pixels with a class, got none in any mask")


def test_camvid(shared_data):
    dataset = masks.find(str(shared_data / "segmentation" / "camvid_a"))
    own = dataset.annotations
    assert len(dataset.items) == 12 and len(own.classes) == 12
    assert own.classes.names[3] == "Road" and own.classes.rgb[3] == (128, 64, 128)
    assert own.pixels[:, 11].sum() == 0 and own.pixels[:, 3].all()  # Unlabelled; Road
