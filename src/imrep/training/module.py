"""A representation as Lightning trains it."""

import copy
from typing import Any

import lightning.pytorch as pl
import torch
import torch.distributed
from torch import Tensor

from imrep.base import Learned, Recipe
from imrep.errors import Diverged
from imrep.training import schedule
from imrep.training.batches import Batch, Loading, Share, Steps, loader
from imrep.training.data import TrainingData
from imrep.training.order import Order

_LISTED = 4  # files of a batch that a message names


class Module(pl.LightningModule):
    """Loss, gradient and learning rate of each step.

    Args:
        rep: The representation.
        recipe: Numbers of the training.
        order: Which images a step sees.
        loading: How they become a batch.
        share: Of every step, that a process computes; its rank is that of the trainer.
        first: The first step.
        last: The step to end before.
        workers: Processes that load images.
    """

    def __init__(  # noqa: PLR0913  # what a run consists of
        self,
        rep: Learned,
        recipe: Recipe,
        order: Order,
        loading: Loading,
        *,
        share: Share,
        first: int,
        last: int,
        workers: int,
    ) -> None:
        super().__init__()
        self.rep = rep
        self.recipe, self.order, self._loading, self._workers = recipe, order, loading, workers
        self._share, self._first, self._last = share, first, last
        self._epoch: int | None = None
        self.losses: list[float] = []  # of the parts of the present step
        self.gradient = 0.0  # norm of the last step's
        self.rate = 0.0  # learning rate of the last step
        self.factor = 1.0  # of the learning rate, that the held-out loss decides

    @property
    def step(self) -> int:
        """Steps that were taken."""
        return self.trainer.global_step

    def configure_optimizers(self) -> torch.optim.Optimizer:
        """The recipe's."""
        return schedule.optimiser(self.recipe, self.rep)

    def train_dataloader(self) -> Any:
        """This process's batches."""
        share = Share(self._share.accumulate, self.trainer.global_rank, self.trainer.world_size)
        steps = Steps(self._loading, self.order, share, self._first, self._last)
        return loader(steps, self._workers, pinned=self.device.type == "cuda")

    def training_step(self, batch: Batch, index: int) -> Tensor:
        """The loss of a part of a step, with torch's generators seeded for it.

        Raises:
            Diverged: It is not finite.
        """
        step, part = divmod(index, self._share.accumulate)
        self._begin(step)
        torch.manual_seed(
            self.order.loss_seed(step, part * self.trainer.world_size + self.trainer.global_rank)
        )
        loss = self.rep.loss({name: value for name, value in batch.items() if name != "row"})
        self._refuse_unless_finite(loss.detach(), batch["row"], step)
        self.losses.append(loss.item())
        return loss

    def on_before_optimizer_step(self, optimizer: torch.optim.Optimizer) -> None:
        """Measure the gradient.

        Raises:
            Diverged: It is not finite, where no scale of half precision is still searched.
        """
        gradients = [p.grad for p in self.rep.parameters() if p.grad is not None]
        norm = torch.nn.utils.get_total_norm(gradients)
        self.gradient = norm.item()
        if self.trainer.precision != "16-mixed" and not norm.isfinite():
            raise Diverged(_message("gradient", self.gradient, self.step, ()))

    def uses_all_weights(self) -> bool:
        """Whether every trained weight has a gradient: else processes have to ask which do."""
        rep = copy.deepcopy(self.rep).train()
        batch = self._loading.random(self.order.draw(0, parts=self._share.parts))
        batch.pop("row")
        with torch.random.fork_rng():
            rep.loss(batch).backward()
        return all(p.grad is not None for p in rep.parameters() if p.requires_grad)

    def _begin(self, step: int) -> None:
        """Set the learning rate of a step, and begin an epoch where it is the first of one."""
        self.rate = self.factor * schedule.rate(self.recipe, step)
        for group in self.trainer.optimizers[0].param_groups:
            group["lr"] = self.rate * group.get("factor", 1.0)
        epoch = self.order.epoch(step)
        if epoch != self._epoch:
            self.rep.begin_epoch(epoch)
            self._epoch = epoch

    def _refuse_unless_finite(self, loss: Tensor, rows: Tensor, step: int) -> None:
        """Every process refuses where one has to, so that none waits for it."""
        failed = (~loss.isfinite()).float().sum()
        if self.trainer.world_size > 1:
            torch.distributed.all_reduce(failed)
        if failed.item():
            paths = [self.data.items[row].path for row in rows.tolist()]
            raise Diverged(_message("loss", loss.item(), step, paths))

    @property
    def data(self) -> TrainingData:
        """The images."""
        return self._loading.data


def _message(what: str, value: float, step: int, paths: Any) -> str:
    more = f" and {len(paths) - _LISTED} more" if len(paths) > _LISTED else ""
    images = f" on {', '.join(paths[:_LISTED])}{more}" if paths else ""
    return f"train needs a finite {what}, got {value} in step {step + 1}{images}."
