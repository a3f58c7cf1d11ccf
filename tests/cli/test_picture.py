"""`imrep picture`: a PNG of the code, of any image."""

import pytest
from PIL import Image

from imrep import images


def test_a_picture_is_written_to_the_output_path(installed, cat, tmp_path):
    said = installed("picture", cat, "pixels", "-o", tmp_path / "new" / "out.png").stdout
    with Image.open(tmp_path / "new" / "out.png") as drawn:
        assert said == f"{tmp_path / 'new' / 'out.png'}  {drawn.width} × {drawn.height}\n"
        assert len(drawn.getcolors(1 << 20)) > 20


def test_it_is_named_after_image_and_spec(inside, cat):
    assert inside("picture", cat, "laplacian:levels=2").output.startswith(
        "cat.laplacian-levels=2.png"
    )
    assert (cat.parent / "cat.laplacian-levels=2.png").is_file()


def test_size_cuts_a_square_and_large_images_shrink(inside, cat):
    images.write("big.png", images.read(cat).repeat_interleave(20, 2).repeat_interleave(20, 3))
    command = ("picture", "big.png", "laplacian:levels=1", "-v")
    assert "512 × 410" in inside(*command).stderr
    assert "1200 × 960" in inside(*command, "--size", "native").stderr
    assert "100 × 100" in inside(*command, "--size", "100").stderr


def test_a_codebook_is_fitted_on_the_images_of_fit(inside, cat, photos):
    said = inside("picture", cat, "sift:words=8", "--fit", photos)
    assert "fitted on 12 images" in said.stderr
    assert inside("picture", cat, "sift:words=8", "--fit", photos, "-q").stderr == ""


def test_a_file_that_is_no_image_is_an_error(inside, photos):
    said = inside("picture", photos / "a" / "broken.jpg", "pixels", expect=1)
    assert said.stderr.count("\n") == 1
    assert "broken.jpg" in said.stderr
    assert "nothing.png" in inside("picture", "nothing.png", "pixels", expect=1).stderr


RESNET = "cnn:arch=test_resnet,weights=random,layer=1"


@pytest.mark.parametrize("method", ["filters", "deconvnet", "guided-backpropagation", "gradient"])
def test_a_network_is_looked_into_by_a_method(inside, cat, method):
    said = inside("picture", cat, RESNET, "--method", method).stdout
    name = said.partition("  ")[0]
    assert name == f"cat.cnn-arch=test_resnet-weights=random-layer=1.{method}.png"
    with Image.open(name) as drawn:
        assert drawn.width > drawn.height and len(drawn.getcolors(1 << 20)) > 20


def test_a_channel_is_a_map_over_the_image(inside, cat):
    said = inside("picture", cat, RESNET, "--channel", "3").stdout
    assert said == "cat.cnn-arch=test_resnet-weights=random-layer=1.3.png  60 × 48\n"
    assert (
        "from 0 to 31, got 90" in inside("picture", cat, RESNET, "--channel", "90", expect=1).stderr
    )


def test_grad_cam_names_the_class_it_explains(inside, cat):
    command = ("picture", cat, RESNET, "--method", "grad-cam", "--label", "281", "-o", "out.png")
    first, second = inside(*command).stdout.splitlines()
    assert first == "out.png  60 × 48"
    name, share = second.split("  ")
    assert name == "281" and 0 < float(share.rstrip("%")) < 100
    said = inside("picture", cat, RESNET, "--method", "grad-cam", "--label", "cat", expect=1)
    assert "from 0 to 999 or by its name, got 'cat'" in said.stderr


def test_a_folder_gives_the_patches_that_excite_a_channel(inside, photos):
    said = inside("picture", photos, RESNET, "--channel", "3", "-o", "patches.png").stdout
    first, *lines = said.splitlines()
    assert first.startswith("patches.png  ") and len(lines) == 9
    activations = [float(line.split()[0]) for line in lines]
    assert activations == sorted(activations, reverse=True)
    assert len({line.split()[-1] for line in lines}) == 9
    assert "needs a channel" in inside("picture", photos, RESNET, expect=1).stderr
