"""The soft nearest neighbour loss over the layers of a network, and its temperature."""

import torch
from torch import Tensor, nn

from imrep.represent.learned.snnl.neighbour_loss import neighbour_loss

SCHEDULES = ("annealed", "fixed", "learned", "inverse")
COMBINATIONS = ("sum", "min")
_RATE = 0.1  # of both papers, by which a learned temperature descends
_RANGE = (1e-3, 1e3)  # of a learned temperature, relative to the first


class Objective(nn.Module):
    """The sum over layers of their losses, or the least, at a temperature that may change.

    Args:
        layers: Number of layers.
        distance: "cosine" or "euclidean".
        combine: "sum" over the layers (Frosst et al.), or "min" (Agarap and Azcarraga).
        schedule: "annealed": temperature / (eta + i)^gamma in epoch i from 0; "fixed"; "learned":
            one temperature, which descends the loss (Agarap and Azcarraga); or "inverse": one for
            each layer, whose inverse descends the layer's loss before it is taken (Frosst et al.).
        temperature: The first, of an annealed one at eta = 1.
        eta: Offset of the epoch.
        gamma: Exponent of the annealing.
        eps: Of `neighbour_loss`.
    """

    state: Tensor
    begun: Tensor

    def __init__(  # noqa: PLR0913  # the choices of two papers
        self,
        layers: int,
        *,
        distance: str = "cosine",
        combine: str = "sum",
        schedule: str = "annealed",
        temperature: float = 1.0,
        eta: float = 1.0,
        gamma: float = 0.55,
        eps: float = 0.0,
    ) -> None:
        super().__init__()
        self.distance, self.combine, self.eps = distance, combine, eps
        self.schedule, self.temperature = schedule, temperature
        self.eta, self.gamma = eta, gamma
        # Relative to the first temperature: a learned one, or the inverse of each layer's.
        self.register_buffer("state", torch.ones(layers))
        self.register_buffer("begun", torch.zeros((), dtype=torch.long))  # epochs

    def forward(self, features: list[Tensor], labels: Tensor, factor: float = 1.0) -> Tensor:
        """The loss of one batch; in training mode a learned temperature takes a step.

        Args:
            features: Vectors (n, d) of each layer.
            labels: Class of each point, (n,).
            factor: Of the loss in the total, whose gradient one learned temperature descends.
        """
        if self.schedule == "learned":
            return self._learned(features, labels, factor)
        if self.schedule == "inverse":
            return self._inverse(features, labels)
        return self._combined(self._losses(features, labels, self.temperatures))

    @property
    def temperatures(self) -> Tensor:
        """The present temperature of each layer."""
        if self.schedule == "learned":
            return self.temperature * self.state
        if self.schedule == "inverse":
            return self.temperature / self.state
        epoch = max(int(self.begun) - 1, 0)
        share = self.annealed(epoch) if self.schedule == "annealed" else 1.0
        return self.temperature * share * torch.ones_like(self.state)

    def annealed(self, epoch: int) -> float:
        """1 / (eta + epoch)^gamma."""
        return float((self.eta + epoch) ** -self.gamma)

    def begin_epoch(self, epoch: int) -> None:
        """Take the temperature of an epoch, from 0."""
        self.begun = torch.full_like(self.begun, epoch + 1)

    def _losses(self, features: list[Tensor], labels: Tensor, temperatures: Tensor) -> list[Tensor]:
        return [
            neighbour_loss(x, labels, temperature, distance=self.distance, eps=self.eps)
            for x, temperature in zip(features, temperatures, strict=True)
        ]

    def _combined(self, losses: list[Tensor]) -> Tensor:
        stacked = torch.stack(losses)
        return stacked.sum() if self.combine == "sum" else stacked.min()

    def _learned(self, features: list[Tensor], labels: Tensor, factor: float) -> Tensor:
        """The loss at one temperature for all layers, which then descends the total."""
        if not self.training:
            return self._combined(self._losses(features, labels, self.temperatures))
        shared = self.temperatures[0].detach().requires_grad_()
        with torch.enable_grad():
            losses = self._losses(features, labels, shared.expand(len(features)))
            loss = self._combined(losses)
            slope = _slope(loss, shared)
        self._set(self.state - _RATE * factor * slope / self.temperature)
        return loss

    def _inverse(self, features: list[Tensor], labels: Tensor) -> Tensor:
        """Each layer's inverse temperature descends, and the losses are taken at the new ones."""
        if self.training:
            state = self.state.detach().clone().requires_grad_()
            detached = [x.detach() for x in features]
            with torch.enable_grad():
                losses = self._losses(detached, labels, self.temperature / state)
                slope = _slope(torch.stack(losses).sum(), state)
            self._set(self.state - _RATE * slope)
        return self._combined(self._losses(features, labels, self.temperatures))

    def _set(self, state: Tensor) -> None:
        # In place of the buffer: the graph of the loss may hold the old one.
        self.state = state.detach().clamp(*_RANGE)


def _slope(loss: Tensor, x: Tensor) -> Tensor:
    """The gradient with respect to the temperature; zero where no point has a partner."""
    if not loss.requires_grad:
        return torch.zeros_like(x)
    (slope,) = torch.autograd.grad(loss, x, retain_graph=True, allow_unused=True)
    return torch.zeros_like(x) if slope is None else slope
