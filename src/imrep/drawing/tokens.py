"""Picture of tokens: the principal components of the patches."""

import torch
import torch.nn.functional as F

from imrep.codes import Tokens
from imrep.drawing.colormaps import stretch
from imrep.drawing.layout import enlarge
from imrep.types import Image, Picture


def draw_tokens(code: Tokens, image: Image | None = None) -> Picture:
    """The first three principal components of the patches as red, green and blue."""
    patches = code.patches.detach().float()
    centred = patches - patches.mean(1, keepdim=True)
    _, _, axes = torch.linalg.svd(centred, full_matrices=False)
    rgb = F.pad(centred @ axes.mT[..., :3], (0, max(0, 3 - axes.shape[1])))
    return enlarge(stretch(rgb.mT.reshape(len(patches), 3, *code.grid)))
