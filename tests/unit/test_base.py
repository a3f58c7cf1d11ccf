"""The interface itself, on the smallest representations there can be."""

import inspect
import pickle
from typing import ClassVar

import pytest
import torch
from torch import nn
from torch.testing import assert_close

import imrep
from imrep import checks
from imrep.base import Fitted, Representation, Sum
from imrep.codes import Map, Vector
from imrep.errors import BadImage, BadParameter, NoInverse, NotFitted
from imrep.registry.cards import Card


class Power(Representation[Vector]):
    """Means of a power of each channel."""

    card = Card(title="Power", family="tests", cite="")
    renamed: ClassVar[dict[str, str]] = {"exponent": "power"}

    def __init__(self, *, power: int = 1, gain: float = 1.0, note: str | None = None) -> None:
        super().__init__()
        checks.at_least(power, 1, self.name, "power")
        self.power, self.gain, self.note = power, gain, note

    def encode(self, image):
        checks.image(image, self.name)
        return Vector(self.gain * image.pow(self.power).mean((2, 3)))


class Centred(Fitted[Vector]):
    """Channel means less those of the images it was fitted to."""

    card = Card(title="Centred", family="tests", cite="")
    centre: torch.Tensor

    def __init__(self, *, scale: int = 1) -> None:
        super().__init__()
        self.scale = scale
        self.register_buffer("centre", torch.full((3,), torch.nan))

    @property
    def fitted(self):
        return bool(self.centre.isfinite().all())

    def fit_codes(self, codes):
        self.centre = torch.cat([code.values for code in codes]).mean(0)

    def encode(self, image):
        checks.image(image, self.name)
        return Vector(self.scale * image.mean((2, 3)))

    def pool(self, code):
        self._need_fit()
        return code.values - self.centre


IMAGE = torch.linspace(0, 1, 2 * 3 * 4 * 5).reshape(2, 3, 4, 5)


def test_the_name_is_the_files_stem():
    assert Power.name == "test_base" and Sum.name == "sum"


def test_embed_pools_the_code_and_forward_is_embed():
    rep = Power(power=2)
    assert_close(rep.embed(IMAGE), IMAGE.square().mean((2, 3)))
    assert_close(nn.Sequential(rep, nn.Linear(3, 1))(IMAGE).shape, torch.Size([2, 1]))
    assert rep.dim == 3


def test_gray_is_repeated_by_embed_alone():
    assert Power().embed(IMAGE[:, :1]).shape == (2, 3)
    assert Power().encode(IMAGE[:, :1]).values.shape == (2, 1)


def test_spec_writes_what_differs_from_the_defaults():
    assert Power().spec == "test_base"
    assert Power(power=2, gain=0.5).spec == "test_base:power=2,gain=0.5"
    assert Power(note="a,b").spec == "test_base:note='a,b'"


def test_fingerprint_follows_spec_and_state():
    prints = {Power().fingerprint, Power(power=2).fingerprint, Centred().fingerprint}
    fitted = Centred()
    fitted.fit(IMAGE)
    assert len(prints | {fitted.fingerprint}) == 4
    assert fitted.fingerprint == pickle.loads(pickle.dumps(fitted)).fingerprint
    assert len(fitted.fingerprint) == 12


def test_params_are_those_of_the_constructor():
    rep = Power(power=2)
    assert rep.get_params() == {"power": 2, "gain": 1.0, "note": None}
    assert rep.set_params(gain=2) is rep
    assert rep.get_params() == {"power": 2, "gain": 2, "note": None}
    assert_close(rep.embed(IMAGE), 2 * IMAGE.square().mean((2, 3)))


def test_what_was_fitted_is_lost_when_rebuilt():
    rep = Centred()
    rep.fit(IMAGE)
    assert not rep.needs_fit and rep.set_params(scale=2).needs_fit


@pytest.mark.parametrize(
    ("params", "reason"),
    [
        ({"levels": 3}, "has no parameter 'levels'; it takes power, gain, note"),
        ({"power": 0}, "power of at least 1, got 0"),
        ({"power": "2"}, "power to be a whole number, got '2'"),
        ({"note": 3}, "note to be a word or none, got 3"),
    ],
)
def test_a_refused_parameter_changes_nothing(params, reason):
    rep = Power(power=2)
    with pytest.raises(BadParameter, match=reason):
        rep.set_params(**params)
    assert rep.spec == "test_base:power=2"
    assert_close(rep.embed(IMAGE), IMAGE.square().mean((2, 3)))


def test_no_inverse_names_the_search_by_gradient():
    with pytest.raises(NoInverse, match=r"test_base has no inverse of its own.*imrep invert"):
        Power().invert(Power().encode(IMAGE))


def test_unfitted_encodes_and_refuses_vectors():
    assert Centred().encode(IMAGE).values.shape == (2, 3)
    with pytest.raises(NotFitted, match=r"test_base needs images to fit.*imrep\.load"):
        Centred().embed(IMAGE)


@pytest.mark.parametrize("images", [IMAGE, [IMAGE[:1], IMAGE[1:]], iter([IMAGE[..., :2], IMAGE])])
def test_fit_takes_a_batch_or_batches(images):
    rep = Centred()
    rep.fit(images)
    assert rep.fitted and rep.embed(IMAGE).isfinite().all()


def test_fit_repeats_gray_and_refuses_nothing_and_nonsense():
    rep = Centred()
    rep.fit(IMAGE[:, :1])
    assert rep.centre.shape == (3,)
    with pytest.raises(BadImage, match="test_base needs images to learn from, got none"):
        rep.fit([])
    with pytest.raises(BadImage, match="test_base needs values in"):
        rep.fit(IMAGE * 255)


def test_weights_that_do_not_fit_are_named(tmp_path):
    class Wide(Centred):
        def __init__(self, *, scale: int = 1) -> None:
            super().__init__(scale=scale)
            self.register_buffer("centre", torch.zeros(5))

    Centred().save(tmp_path)
    with pytest.raises(BadParameter, match=r"cannot load weights\.safetensors: .*size mismatch"):
        Wide().load_weights(tmp_path)


def test_clones_keep_weights_and_forget_fits():
    sklearn = pytest.importorskip("sklearn.base")
    fitted = Centred(scale=2)
    fitted.fit(IMAGE)
    assert sklearn.clone(fitted).spec == fitted.spec and sklearn.clone(fitted).needs_fit
    both = Sum((Power(power=2), fitted))
    assert sklearn.clone(both).spec == both.spec and sklearn.clone(both).needs_fit
    assert fitted.fitted


def test_a_sum_is_its_views_side_by_side():
    both = Sum((Power(), Power(power=2)))
    left, right = Power().embed(IMAGE), Power(power=2).embed(IMAGE)
    unit = nn.functional.normalize
    assert_close(both.embed(IMAGE), torch.cat([unit(left), unit(right)], dim=1))
    assert both.dim == 6 and both.spec == "test_base+test_base:power=2"
    assert both.picture(both.encode(IMAGE)).shape[:2] == (2, 3)


def test_a_sum_learns_when_a_view_does():
    both = Sum((Power(), Centred()))
    assert both.needs_fit
    both.fit(iter([IMAGE]))
    assert not both.needs_fit and both.embed(IMAGE).shape == (2, 6)


def test_a_sum_has_the_largest_canvas():
    wide = Power()
    wide.canvas = 224
    assert Sum((Power(), wide)).canvas == 224 and Sum((Power(), Power())).canvas is None


def test_a_sum_takes_the_parameters_it_gives():
    both = imrep.get("pixels:side=8+histogram:bins=4")
    params = both.get_params()
    assert params["pixels__side"] == 8 and params["histogram__bins"] == 4
    assert both.get_params(deep=False) == {"views": both.views}
    before = both.spec
    assert both.set_params(**params) is both and both.spec == before
    assert both.set_params(pixels__side=4).spec == "pixels:side=4+histogram:bins=4"
    assert [view.name for view in both.members] == ["pixels", "histogram"]


def test_views_of_one_name_are_numbered():
    both = Sum([Power(), Power(power=2)])
    assert both.get_params()["test_base2__power"] == 2
    both.set_params(test_base1__power=3, test_base2__gain=0.5)
    assert both.spec == "test_base:power=3+test_base:power=2,gain=0.5"


def test_a_view_that_is_not_named_keeps_its_fit():
    fitted = Centred()
    fitted.fit(IMAGE)
    both = Sum((fitted, imrep.get("pixels")))
    assert not both.set_params(pixels__side=4).needs_fit and fitted.fitted
    assert both.set_params(test_base__scale=2).needs_fit and fitted.scale == 1


@pytest.mark.parametrize(
    ("params", "reason"),
    [
        ({"power": 2}, r"has no parameter 'power'; it takes views, test_base__KEY"),
        ({"test_base": 2}, "has no parameter 'test_base'"),
        ({"test_base__level": 2}, "test_base has no parameter 'level'"),
        ({"test_base__power": 0}, "power of at least 1, got 0"),
        ({"views": "hog"}, r"needs a list of representations, got 'hog'\. Build it from a spec"),
        ({"views": ()}, r"needs a list of representations, got \(\)"),
    ],
)
def test_a_sum_refuses_what_its_views_do_not_have(params, reason):
    both = Sum((Power(),))
    with pytest.raises(BadParameter, match=reason):
        both.set_params(**params)
    assert both.spec == "test_base"


@pytest.mark.parametrize(
    ("params", "reason"),
    [
        ({"power": [1, 2]}, r"power to be a whole number, got \[1, 2\]"),
        ({"power": "2"}, "power to be a whole number, got '2'"),
        ({"power": True}, "power to be a whole number, got True"),
        ({"gain": (1.0,)}, "gain to be a number"),
        ({"note": ["a"]}, r"note to be a word or none, got \['a'\]"),
    ],
)
def test_a_constructor_refuses_other_types_by_name(params, reason):
    with pytest.raises(BadParameter, match=f"^test_base needs {reason}"):
        Power(**params)


def test_a_parameter_under_another_name_is_named():
    class Renamed(Power):
        def __init__(self, *, order: int = 1) -> None:
            super().__init__()
            self.degree = order

    with pytest.raises(BadParameter, match=r"its parameter 'order' under that name\. Write self\."):
        Renamed().spec  # noqa: B018  # looking is the test


def test_all_parts_of_a_sum_are_moved():
    rep = Centred()
    rep.fit(IMAGE)
    both = Sum((rep, Power())).double()
    assert both.views[0].centre.dtype == torch.float64
    assert both.state_dict().keys() == {"members.0.centre"}


def test_repr_shows_the_parameters():
    assert repr(Power(power=2)) == "Power(power=2, gain=1.0, note=None)"


class Bare(Representation[Vector]):
    """No parameters and no constructor."""

    card = Card(title="Bare", family="tests", cite="")

    def encode(self, image):
        return Vector(image.mean((2, 3)))


def test_a_constructor_is_not_needed():
    assert Bare().get_params() == {} and Bare().spec == "test_base"
    with pytest.raises(BadParameter, match="has no parameter 'side'; it takes none"):
        Bare().set_params(side=3)


class Photos(torch.utils.data.Dataset):
    """Embeds in the worker."""

    def __init__(self):
        self.rep = imrep.get("pixels:side=4")

    def __len__(self):
        return 4

    def __getitem__(self, i):
        return self.rep.embed(torch.full((1, 3, 8, 8), i / 4))[0]


def test_it_works_in_a_dataloaders_workers():
    loader = torch.utils.data.DataLoader(Photos(), batch_size=2, num_workers=1)
    assert_close(torch.cat(list(loader))[:, 0], torch.arange(4) / 4)


def test_pictures_come_from_the_kind_of_code():
    class Drawn(Representation[Map]):
        card, name = Power.card, Power.name

        def encode(self, image):
            return Map(image, tuple(image.shape[2:]))

    assert Drawn().picture(Drawn().encode(IMAGE)).shape[:2] == (2, 3)


def test_a_renamed_parameter_is_taken_by_its_old_name_with_a_warning():
    message = "test_base: the parameter 'exponent' is now called 'power'"
    with pytest.warns(FutureWarning, match=message) as caught:
        rep = Power(exponent=2, gain=3.0)
    assert caught[0].filename == __file__
    assert rep.get_params() == {"power": 2, "gain": 3.0, "note": None}
    with pytest.warns(FutureWarning, match=message) as caught:
        rep.set_params(exponent=4)
    assert caught[0].filename == __file__
    assert rep.spec == "test_base:power=4,gain=3.0"
    assert "exponent" not in str(inspect.signature(Power))


def test_a_parameter_under_both_of_its_names_is_refused():
    with pytest.raises(BadParameter, match="takes 'power', formerly 'exponent', once, got both"):
        Power(exponent=2, power=2)


def test_a_folder_saved_under_an_old_name_loads(tmp_path):
    class Cubed(Power):
        """Another of a name of its own."""

        name = "cubed"

    folder = Cubed(power=3).save(tmp_path / "rep")
    config = folder / "config.json"
    config.write_text(config.read_text().replace("power=3", "exponent=3"))
    with pytest.warns(FutureWarning, match="'exponent' is now called 'power'"):
        assert imrep.load(folder).get_params()["power"] == 3
