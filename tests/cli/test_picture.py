"""`imrep picture`: a PNG of the code, of any image."""

from PIL import Image

from imrep import images


def test_a_picture_is_written_to_the_output_path(imrep, cat, tmp_path):
    said = imrep("picture", cat, "pixels", "-o", tmp_path / "new" / "out.png").stdout
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
