"""Every method of reconstruction from a code, and the error in words."""

import pytest
import torch
import torch.nn.functional as F

from imrep import factory, inversion
from imrep.base import Representation, Sum
from imrep.codes import Map
from imrep.errors import BadImage, NoInverse
from imrep.ops.colour import to_ycbcr
from imrep.registry.cards import Card


def photo(height=40, width=48):
    """Waves, an edge and a little noise, in colours."""
    y, x = torch.meshgrid(torch.linspace(0, 3, height), torch.linspace(0, 4, width), indexing="ij")
    edge = (x > 2).float()
    planes = [0.5 + 0.2 * torch.sin(2 * x + y), 0.3 + 0.4 * edge, 0.4 + 0.3 * torch.cos(3 * y)]
    noise = 0.02 * torch.randn(3, height, width, generator=torch.Generator().manual_seed(1))
    return (torch.stack(planes) + noise).clamp(0, 1)[None]


class Blurred(Representation[Map]):
    """Means of 2 × 2 pixels: no inverse of its own, and gradients pass."""

    card = Card(title="Blurred", family="test", cite="")

    def __init__(self):
        super().__init__()

    def encode(self, image):
        return Map(F.avg_pool2d(image, 2), tuple(image.shape[2:]))


class Counted(Blurred):
    """Whether a pixel is bright: no gradient passes, unless it is soft."""

    card = Card(title="Counted", family="test", cite="", differentiable=False)

    def __init__(self, *, soft: bool = False):
        super().__init__()
        self.soft = soft

    @property
    def differentiable(self):
        return self.soft

    def encode(self, image):
        return Map((image > 0.5).to(image), tuple(image.shape[2:]))


class Halved(Blurred):
    """Approaches the image step by step."""

    card = Card(title="Halved", family="test", cite="", inverse="approximate")

    def invert(self, code, *, iterations=4):
        image = torch.zeros_like(code.values)
        for _ in range(iterations):
            image = (image + code.values) / 2
        return F.interpolate(image, code.size)


def test_an_exact_inverse_is_used_and_loses_nothing():
    found = inversion.invert(factory.get("laplacian"), photo())
    assert (found.method, found.iterations) == ("exact", 0)
    assert found.psnr > 120
    assert found.ssim == pytest.approx(1)
    assert found.summary.startswith("Variance explained: ")
    assert found.summary.count("100 %") == 3
    assert all(share > 0.9999 for share in found.explained.values())


def test_an_approximate_inverse_says_what_it_lost():
    found = inversion.invert(factory.get("pixels", side=8), photo())
    assert found.method == "approximate"
    assert found.image.shape == photo().shape
    assert found.explained["layout"] > 0.9 > found.explained["fine detail"]
    assert found.summary.index("fine detail") < found.summary.index("layout")


def test_a_gray_code_loses_the_colour():
    found = inversion.invert(factory.get("pixels", side=40, gray=True), photo(40, 40))
    assert found.explained["colour"] < 0.05
    assert found.explained["fine detail"] > 0.95
    assert found.summary.startswith("Variance explained: colour 0 %")


def test_an_iterative_inverse_takes_the_requested_iterations():
    few = inversion.invert(Halved(), photo(), iterations=1)
    default = inversion.invert(Halved(), photo())
    many = inversion.invert(Halved(), photo(), iterations=20)
    assert [one.iterations for one in (few, default, many)] == [1, 4, 20]
    assert {one.method for one in (few, default, many)} == {"iterative"}
    assert few.psnr < default.psnr < many.psnr


def test_without_an_inverse_it_searches():
    image = photo()
    found = inversion.invert(Blurred(), image, iterations=200)
    again = Blurred().encode(found.image).values
    assert found.method == "gradient"
    assert 0 < found.iterations <= 200
    assert (again - Blurred().encode(image).values).abs().mean() < 0.01  # from gray it is 0.2
    assert found.image.min() >= 0 and found.image.max() <= 1


def test_a_search_sees_the_code_alone_and_can_be_repeated():
    image = photo()
    code = Blurred().encode(image)
    one = inversion.reconstruct(Blurred(), code, image[0].shape, iterations=20)
    two = inversion.reconstruct(Blurred(), code, image[0].shape, iterations=20)
    other = inversion.reconstruct(Blurred(), code, image[0].shape, iterations=20, seed=1)
    assert torch.equal(one.image, two.image)
    assert not torch.equal(one.image, other.image)


class Edges(Blurred):
    """Directions of edges, contrast evened out: says nothing of light, contrast or colour."""

    def encode(self, image):
        gray = image.mean(1, keepdim=True)
        slopes = torch.cat([gray.diff(dim=3)[:, :, 1:], gray.diff(dim=2)[..., 1:]], 1)
        return Map(F.normalize(F.avg_pool2d(slopes, 4), dim=1, eps=1e-3), tuple(image.shape[2:]))


def test_what_the_code_leaves_open_is_gray_and_not_flat():
    found = inversion.invert(Edges(), photo(), iterations=60)
    assert found.explained["colour"] < 0.05
    planes = to_ycbcr(found.image)
    assert planes[:, 0].std() > 0.03
    assert planes[:, 1:].abs().max() < 0.05


@pytest.mark.parametrize("iterations", [1, 2, 7])
def test_no_more_steps_than_requested(iterations):
    assert inversion.invert(Blurred(), photo(), iterations=iterations).iterations <= iterations


def test_without_inverse_and_gradient_it_is_refused_with_a_remedy():
    with pytest.raises(NoInverse, match=r"no gradient reaches.*Use test_inversion:soft=true\."):
        inversion.invert(Counted(), photo())


def test_a_sum_is_inverted_by_its_best_views():
    lossy, exact = factory.get("pixels", side=4), factory.get("laplacian", levels=2)
    sums = {
        "exact": Sum((lossy, exact)),
        "approximate": Sum((Counted(), lossy)),
        "gradient": Sum((lossy, Counted(), Blurred())),
    }
    for method, rep in sums.items():
        assert inversion.invert(rep, photo(), iterations=5).method == method
    alone = inversion.invert(Blurred(), photo(), iterations=30)
    assert inversion.invert(sums["gradient"], photo(), iterations=30).psnr > alone.psnr - 3
    with pytest.raises(NoInverse):
        inversion.invert(Sum((Counted(), Counted())), photo())


def test_one_image_at_a_time():
    with pytest.raises(BadImage, match="got a batch of 2"):
        inversion.invert(Blurred(), photo().expand(2, -1, -1, -1))


def test_gray_images_stay_gray():
    found = inversion.invert(Blurred(), photo()[:, :1], iterations=5)
    assert found.image.shape == (1, 1, 40, 48)
    assert "colour" not in found.explained


def test_what_was_never_there_cannot_be_lost():
    flat = torch.full((1, 3, 16, 16), 0.3)
    assert inversion.explained_variance(flat, 1 - flat) == {}
    assert inversion.in_words({}) == "The image is uniform."


def test_shares_are_rounded_down_and_ascend():
    words = inversion.in_words({"layout": 0.9999, "fine detail": 0.979, "colour": 0.0})
    assert words == "Variance explained: colour 0 %, fine detail 97 %, layout 100 %."


def test_a_code_has_as_many_numbers_as_its_tensors():
    found = inversion.invert(factory.get("laplacian", levels=1), torch.rand(1, 3, 8, 8))
    assert found.numbers == 3 * (64 + 16)
    spectrum = factory.get("fourier").encode(torch.rand(1, 1, 8, 8))
    assert inversion.numbers_in(spectrum) == 2 * spectrum.values.numel()


@pytest.mark.parametrize(
    ("old", "new"), [("how", "method"), ("kept", "explained"), ("lost", "summary")]
)
def test_old_names_work_with_a_warning(old, new):
    found = inversion.invert(factory.get("laplacian"), photo())
    with pytest.warns(FutureWarning, match=f"Use {new}"):
        assert getattr(found, old) == getattr(found, new)
