"""Images with one of their captions, as tokens, for a batch of training."""

from dataclasses import dataclass

import torch
from torch import Tensor

from imrep.base import Change, TrainingImages
from imrep.base.augmentation import augmented, centred
from imrep.base.examples import Pixels
from imrep.errors import BadData
from imrep.represent.language.clip.tokenizer import Tokenizer


@dataclass(frozen=True)
class CaptionedImages:
    """Every time an image is drawn, one of its captions is drawn for it.

    Args:
        pixels: Of the images.
        tokens: Of every caption, (caption, position).
        first: Row in `tokens` of each image's first caption, and their number behind the last.
    """

    pixels: Pixels
    tokens: Tensor
    first: tuple[int, ...]

    def random(self, row: int, change: Change) -> dict[str, Tensor]:
        """An augmented image and one of its captions."""
        image = augmented(self.pixels.read(row), change.names, change.side, change.strength)
        count = self.first[row + 1] - self.first[row]
        caption = self.first[row] + int(torch.randint(count, ()))
        return {"image": image, "text": self.tokens[caption].long()}

    def plain(self, row: int, side: int) -> dict[str, Tensor]:
        """The central square of an image and its first caption."""
        image = centred(self.pixels.read(row), side)
        return {"image": image, "text": self.tokens[self.first[row]].long()}


def captioned(images: TrainingImages, tokenizer: Tokenizer, caller: str) -> CaptionedImages:
    """The images with the tokens of their captions.

    Raises:
        BadData: They have none.
    """
    if images.annotations is None:
        raise BadData(
            f"{caller} needs captions to be trained, got none. Give a csv with columns path and "
            "caption, or the captions of COCO."
        )
    texts = [images.annotations.of(item.path) for item in images.items]
    first = [0]
    for own in texts:
        first.append(first[-1] + len(own))
    tokens = tokenizer.ids([text for own in texts for text in own], caller)
    return CaptionedImages(images.pixels, tokens.int(), tuple(first))
