"""How often an image has its own text among the nearest, and a text its image."""

import torch
from torch import Tensor

from imrep.base import Evaluation, Table

RANKS = (1, 5, 10)


def evaluation(images: Tensor, texts: Tensor, ids: Tensor) -> Evaluation:
    """Recall at 1, 5 and 10 both ways.

    Equal texts count as one, and each of their images as its own.

    Args:
        images: Vectors of length one, (n, dim).
        texts: Those of their texts, (n, dim).
        ids: Tokens of the texts, (n, position), by which equal ones are known.
    """
    _, of_image = ids.unique(dim=0, return_inverse=True)
    count = int(of_image.max()) + 1
    example = torch.zeros(count, dtype=torch.long, device=ids.device)
    example[of_image] = torch.arange(len(ids), device=ids.device)
    similarity = images @ texts[example].mT
    own = torch.zeros_like(similarity, dtype=torch.bool)
    own[torch.arange(len(ids), device=ids.device), of_image] = True
    directions = {
        "image to text": recalls(similarity, own),
        "text to image": recalls(similarity.mT, own.mT),
    }
    chance = [min(1.0, rank / count) for rank in RANKS]
    rows = tuple((name, tuple(values)) for name, values in directions.items())
    columns = tuple(f"R@{rank}" for rank in RANKS)
    table = Table(
        "Retrieval among the held-out images",
        "",
        columns,
        (*rows, ("chance, image to text", tuple(chance))),
    )
    numbers = {
        f"{name} R@{rank}": value
        for name, values in directions.items()
        for rank, value in zip(RANKS, values, strict=True)
    }
    return Evaluation(numbers, (table,))


def recalls(similarity: Tensor, own: Tensor) -> list[float]:
    """The share of rows with one of their own among the most similar 1, 5 and 10.

    Others that are equally similar come first, so that vectors which are all alike recall nothing.

    Args:
        similarity: (query, candidate).
        own: Which candidates belong to a query, likewise.
    """
    best = similarity.masked_fill(~own, -torch.inf).amax(1, keepdim=True)
    before = ((similarity >= best) & ~own).sum(1)
    return [float((before < rank).double().mean()) for rank in RANKS]
