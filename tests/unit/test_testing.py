"""The contract can be failed: for each question, a representation that breaks that one promise."""

import pytest
import torch
from torch import Tensor

import imrep
from imrep import testing
from imrep.base import Fitted
from imrep.codes import Vector
from imrep.errors import ImrepError
from imrep.registry.cards import Card
from imrep.registry.catalog import entry
from imrep.represent.statistics.pixels import Pixels


class Ours(Pixels):
    """`pixels` in another class, so that each method may be broken."""

    card = Card(title="Pixels", family="statistics", cite="", inverse="approximate")

    def __init_subclass__(cls, **more):
        super().__init_subclass__(**more)
        cls.name = "pixels"


class OfAnotherClass(Ours):
    pass


class BuggyParameter(Ours):
    def __init__(self, *, side: int = 32, gray: bool = False) -> None:
        if side == 0:
            raise RuntimeError("division by zero, somewhere inside")
        super().__init__(side=side, gray=gray)


class KeepsItElsewhere(Ours):
    def __init__(self, *, width: int = 32) -> None:
        super().__init__(side=width)


class KeepsHalf(Ours):
    def __init__(self, *, side: int = 32, gray: bool = False) -> None:
        super().__init__(side=max(1, side // 2), gray=gray)


class TakesLists(Ours):
    def __init__(self, *, side: int = 32, gray: bool = False, cells: list[int] = (2, 4)) -> None:
        super().__init__(side=side, gray=gray)
        self.cells = cells


class TakesAnything(Ours):
    def set_params(self, **params):
        return self


class WrapsAround(Ours):
    def encode(self, image):
        return super().encode((image + image.flip(3)) / 2)


class WrapsAroundAndSaysNothing(Ours):
    periodic = "yes"


class WritesToItsInput(Ours):
    def encode(self, image):
        with torch.no_grad():
            image.mul_(0.9)
        return super().encode(image)


class WritesToItsCode(Ours):
    def pool(self, code):
        vectors = super().pool(code)
        code.tensors()["values"].mul_(0)
        return vectors


class LooksAtItsNeighbours(Ours):
    def pool(self, code):
        vectors = super().pool(code)
        return vectors - vectors.mean(0)


class ReadsMemoryInOrder(Ours):
    def encode(self, image):
        strides = torch.empty(image.shape).stride()
        return super().encode(torch.as_strided(image, image.shape, strides))


class KeepsTheSize(Ours):
    def embed(self, image):
        return image.flatten(1)


class FailsWhenSmall(Ours):
    def embed(self, image):
        return super().embed(image.unfold(2, 8, 1)[..., 0])


class DividesByTheDeviation(Ours):
    def pool(self, code):
        vectors = super().pool(code)
        return (vectors - vectors.mean(1, keepdim=True)) / vectors.std(1, keepdim=True)


class MindsGray(Ours):
    def embed(self, image):
        scale = 1.0 if image.shape[1] == 3 else 0.5
        return scale * super().embed(image)


class AlwaysSingle(Ours):
    def encode(self, image):
        return super().encode(image.float())


class CutsTheGradient(Ours):
    def encode(self, image):
        return super().encode(image.detach())


class HasAGradientAfterAll(Ours):
    card = Card(title="Pixels", family="statistics", cite="", differentiable=False)


class NotANumberInTheGradient(Ours):
    def pool(self, code):
        vectors = super().pool(code)
        return (vectors - vectors.mean(1, keepdim=True)).square().sum(1, keepdim=True).sqrt()


class InvertsRoughly(Ours):
    def invert(self, code):
        return testing.photo().mean() * torch.ones(1, 3, *code.size)


class InvertsAfterAll(Ours):
    card = Card(title="Pixels", family="statistics", cite="", inverse="none")


class DrawsNothing(Ours):
    def picture(self, code, image=None):
        return torch.zeros(len(code), 3, 8, 8)


class DrawsTooBright(Ours):
    def picture(self, code, image=None):
        return 2 * super().picture(code, image)


class AcceptsAnything(Ours):
    def embed(self, image):
        return Tensor(len(image), 3)


class RefusesAnonymously(Ours):
    def encode(self, image):
        try:
            return super().encode(image)
        except ImrepError as error:
            raise type(error)(str(error).replace("pixels", "it")) from None


class Drops(Ours):
    def pool(self, code):
        return torch.nn.functional.dropout(super().pool(code), training=self.training)


class ForgetsWhenCopied(Ours):
    def __getstate__(self):
        return self.__dict__ | {"side": self.side - 1}


class CompilesToAnother(Ours):
    def pool(self, code):
        return super().pool(code) * (2 if torch.compiler.is_compiling() else 1)


class Learns(Fitted[Vector]):
    """Centres channel means; a good one."""

    name = "pixels"
    card = Card(title="Learns", family="tests", cite="")
    centre: Tensor

    def __init__(self) -> None:
        super().__init__()
        self.register_buffer("centre", torch.full((3,), torch.nan))

    @property
    def fitted(self):
        return bool(self.centre.isfinite().all())

    def fit_codes(self, codes):
        self.centre = torch.cat([code.values for code in codes]).mean(0)

    def encode(self, image):
        return Vector(image.mean((2, 3)))

    def pool(self, code):
        self._need_fit()
        return code.values - self.centre


class ChecksNoCode(Ours):
    def check_code(self, code):
        pass

    def invert(self, code):
        assert code.values.shape[2] == self.side
        return super().invert(code)


class DrawsOverAnything(Ours):
    pass


def _over_anything(self, code, image=None):
    return Pixels.picture(self, code) + 0 * (0 if image is None else code.values - image).mean()


DrawsOverAnything.picture = _over_anything


class TakesAnyNumber(Ours):
    def __init__(self, *, side: int = 32, gray: bool = False) -> None:
        super().__init__(side=min(side, 64), gray=gray)
        self.table = torch.zeros(side, side) if side > 0 else None


class TakesPoison(Ours):
    pass


TakesPoison.invert = Pixels.invert.__wrapped__


class Weighs(Ours):
    def __init__(self, *, side: int = 32, gray: bool = False) -> None:
        super().__init__(side=side, gray=gray)
        self.register_buffer("weight", torch.eye(side))

    def pool(self, code):
        return (code.values @ self.weight).flatten(1)


class LearnsByChance(Learns):
    def fit_codes(self, codes):
        self.centre = torch.rand(3)


class EmbedsUnfitted(Learns):
    def pool(self, code):
        return code.values


class ForgetsWhatItLearned(Ours):
    def save(self, folder):
        self.set_params(side=self.side - 1)
        saved = super().save(folder)
        self.set_params(side=self.side + 1)
        return saved


BROKEN = {
    "spec_rebuilds_it": [OfAnotherClass],
    "parameters_survive_the_spec": [BuggyParameter],
    "parameters_keep_their_names": [KeepsItElsewhere, KeepsHalf, TakesLists],
    "lists_are_refused_by_name": [TakesAnything],
    "input_is_untouched": [WritesToItsInput, WritesToItsCode],
    "a_batch_is_a_loop": [LooksAtItsNeighbours],
    "layout_in_memory_does_not_matter": [ReadsMemoryInOrder],
    "length_ignores_size": [KeepsTheSize],
    "small_images_work_or_are_refused": [FailsWhenSmall],
    "flat_images_give_finite_vectors": [DividesByTheDeviation],
    "gray_is_accepted": [MindsGray],
    "opposite_borders_do_not_meet": [WrapsAround, WrapsAroundAndSaysNothing],
    "dtype_and_device_are_kept": [AlwaysSingle],
    "gradient_as_the_property_says": [
        CutsTheGradient, HasAGradientAfterAll, NotANumberInTheGradient,
    ],
    "inverse_as_the_property_says": [InvertsRoughly, InvertsAfterAll],
    "picture_is_a_picture": [DrawsNothing, DrawsTooBright],
    "bad_images_are_refused_by_name": [AcceptsAnything, RefusesAnonymously],
    "poisoned_codes_are_refused_by_name": [TakesPoison],
    "codes_that_do_not_fit_are_refused": [ChecksNoCode],
    "images_for_pictures_must_fit": [DrawsOverAnything],
    "extreme_parameters_work_or_are_refused": [TakesAnyNumber],
    "its_own_type_does_not_matter": [Weighs],
    "unfitted_says_so": [LearnsByChance, EmbedsUnfitted],
    "training_mode_changes_nothing": [Drops],
    "saved_is_loaded": [ForgetsWhatItLearned],
    "copies_are_equal": [ForgetsWhenCopied],
    "compiles": [CompilesToAnother],
}  # fmt: skip
CASES = [
    pytest.param(name, broken, id=f"{broken.__name__}-{name}")
    for name, classes in BROKEN.items()
    for broken in classes
]


def test_every_question_can_be_failed():
    assert [question.__name__ for question in testing.QUESTIONS] == list(BROKEN)


class Whole(Ours):
    pass


@pytest.mark.parametrize("name", [name for name in BROKEN if name != "spec_rebuilds_it"])
def test_one_that_keeps_every_promise_passes(name):
    [question] = [q for q in testing.questions(Whole()) if q.__name__ == name]
    question()


@pytest.mark.parametrize(("name", "broken"), CASES)
def test_a_broken_promise_is_noticed(name, broken):
    [question] = [q for q in testing.questions(broken()) if q.__name__ == name]
    with pytest.raises((AssertionError, RuntimeError)) as noticed:
        question()
    assert str(noticed.value)


def test_a_good_one_that_learns_passes():
    for question in testing.questions(Learns()):
        if question.__name__ in ("unfitted_says_so", "a_batch_is_a_loop", "length_ignores_size"):
            question()


def test_each_question_is_asked_of_a_fresh_copy():
    rep = Learns()
    for question in testing.questions(rep)[3:6]:
        question()
    assert rep.needs_fit


def test_questions_carry_their_names_and_take_no_arguments():
    asked = testing.questions("pixels", slow=True)
    assert len(asked) == len(testing.QUESTIONS) + len(testing.SLOW)
    assert all(question.__doc__ and not question.__code__.co_argcount for question in asked)


def test_specimens_are_examples_or_names():
    for name, spec in zip(imrep.names(), testing.specimens(), strict=True):
        assert spec.partition(":")[0] == name
        assert spec == (entry(name).example or name)


def test_photos_are_the_same_each_time_in_range_and_of_all_sizes():
    assert torch.equal(testing.photo(9, 7), testing.photo(9, 7))
    image = testing.photo(33, 20, batch=3, channels=1)
    assert image.shape == (3, 1, 33, 20) and image.min() >= 0.05 and image.max() <= 0.95
    assert not torch.equal(image[0], image[1])
