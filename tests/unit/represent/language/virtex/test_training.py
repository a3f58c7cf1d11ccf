"""Examples of training: captions of their images, mirrored with them, packed."""

import numpy as np
import torch
from caption_fixture import CAPTIONS, NEEDS_SENTENCEPIECE

from imrep.base.examples import Change
from imrep.represent.language.virtex import training
from imrep.represent.language.virtex.tokens import Tokens
from imrep.represent.language.virtex.training import CaptionExamples, Sequences

FLIP = Change(("flip",), 8)


class Halves:
    """An image whose left half is white."""

    def read(self, row):
        image = torch.zeros(3, 8, 8, dtype=torch.uint8)
        image[:, :, :4] = 255
        return image


def test_sequences_come_back_from_their_pack():
    groups = [[[1, 2], [3]], [[]], [], [[4, 5, 6]]]
    packed = Sequences.of(groups)
    assert packed.values.dtype == np.int32
    for i, group in enumerate(groups):
        assert packed.count(i) == len(group)
        assert [packed.read(i, j).tolist() for j in range(len(group))] == group


@NEEDS_SENTENCEPIECE
def test_a_mirrored_image_has_left_and_right_exchanged():
    tokens = Tokens("virtex")
    tokens.train_on(CAPTIONS, 120)
    examples = CaptionExamples.of(Halves(), [["A circle on the LEFT"]], tokens, 12)
    sides = set()
    for seed in range(20):
        torch.manual_seed(seed)
        example = examples.random(0, FLIP)
        length = int(example["caption_length"])
        text = tokens.decode(example["caption_tokens"][:length].tolist())
        is_left = bool(example["image"][0, 0, 0])
        assert text == f"a circle on the {'left' if is_left else 'right'}"
        sides.add(is_left)
    assert sides == {False, True}
    assert bool(examples.plain(0, 8)["image"][0, 0, 0])


@NEEDS_SENTENCEPIECE
def test_each_caption_of_an_image_has_its_turn():
    tokens = Tokens("virtex")
    tokens.train_on(CAPTIONS, 120)
    examples = CaptionExamples.of(Halves(), [CAPTIONS], tokens, 30)
    first = set()
    for seed in range(20):
        torch.manual_seed(seed)
        example = examples.random(0, Change((), 8))
        assert example["caption_tokens"].shape == (30,)
        first.add(tuple(example["caption_tokens"].tolist()))
    assert len(first) == 3


def test_changed_images_have_the_side_that_is_wanted():
    image = torch.randint(0, 256, (3, 20, 24), dtype=torch.uint8)
    for names in (("resized_crop", "jitter"), ("crop",), ()):
        for strength in (0.0, 1.0):
            result = training.changed(image, Change(names, 12, strength))
            assert result.shape == (3, 12, 12) and result.dtype == torch.uint8
