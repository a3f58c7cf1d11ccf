"""What is written while Lightning trains: log, evaluations, checkpoints, the progress on screen."""

import time
from collections.abc import Callable
from dataclasses import asdict, dataclass, field
from pathlib import Path
from typing import Any

import lightning.pytorch as pl
import torch

from imrep import training_record
from imrep.training.batches import Loading, parts_of
from imrep.training.checkpoints import Checkpoints
from imrep.training.interruption import Interrupted, Interruption
from imrep.training.module import Module
from imrep.training.order import Draw
from imrep.training.schedule import PATIENCE, PLATEAU_FACTOR, interval
from imrep.training_record import Line

_LINES = 500  # at most, of a run
_SAVE_SECONDS = 30.0  # between checkpoints
_RATE_SHARE = 0.05  # of the last step in the running mean of seconds a step

Watch = Callable[[Line, int], None]  # the present line, and the number of steps in all


@dataclass
class Progress:
    """The state of a recorder, which a checkpoint holds."""

    loss_sum: float = 0.0  # of the steps since the last line
    loss_count: int = 0
    best: float = float("inf")  # held-out loss
    best_step: int = -1
    held_out: float | None = None  # the last
    seconds: float = 0.0  # of training, before this sitting
    stale: int = 0  # evaluations since the best, or since the learning rate fell
    factor: float = 1.0  # of the learning rate, where the schedule is "plateau"


@dataclass
class Recorder(pl.Callback):
    """Records a run.

    Args:
        folder: Of the run.
        steps: In all.
        evaluation: The held-out images.
        loading: How they become a batch.
        checkpoints: Where the state is kept.
        interruption: Whether to stop.
        watch: Called after every step.
    """

    folder: Path
    steps: int
    evaluation: Draw
    loading: Loading
    checkpoints: Checkpoints
    interruption: Interruption
    watch: Watch
    progress: Progress = field(default_factory=Progress)

    def __post_init__(self) -> None:
        self._last_step = -1
        self._began = self._saved = self._moment = time.monotonic()
        self._step_seconds = 0.0

    def state_dict(self) -> dict[str, Any]:
        """What a resumed run starts from."""
        return asdict(self.progress) | {"seconds": self._seconds()}

    def load_state_dict(self, state_dict: dict[str, Any]) -> None:
        """Start from there."""
        self.progress = Progress(**state_dict)

    def on_train_start(self, trainer: pl.Trainer, pl_module: pl.LightningModule) -> None:
        """Evaluate the untrained weights; shorten the log of a run that resumes."""
        assert isinstance(pl_module, Module)
        self._last_step = pl_module.step
        self._began = self._saved = self._moment = time.monotonic()
        if trainer.is_global_zero:
            training_record.shorten(self.folder, pl_module.step if pl_module.step else -1)
        pl_module.factor = self.progress.factor
        if pl_module.step == 0:
            self._evaluate(trainer, pl_module)
            self._record(trainer, pl_module, True)

    def on_train_batch_end(self, trainer: pl.Trainer, pl_module: Any, *batch: Any) -> None:
        """After the last part of a step: count, evaluate, log, save, stop."""
        step = pl_module.step
        if step == self._last_step:
            return
        self._last_step = step
        self._count(pl_module)
        between = interval(pl_module.recipe, len(pl_module.order.rows))
        is_evaluated = step == self.steps or step % between == 0
        if is_evaluated:
            self._evaluate(trainer, pl_module)
        self._record(trainer, pl_module, is_evaluated or step % -(-self.steps // _LINES) == 0)
        late = time.monotonic() - self._saved > _SAVE_SECONDS and trainer.world_size == 1
        is_interrupted = self._is_interrupted(trainer)
        if is_evaluated or late or is_interrupted:
            self.checkpoints.save_last(trainer)
            self._saved = time.monotonic()
        if is_interrupted:
            raise Interrupted

    def _is_interrupted(self, trainer: pl.Trainer) -> bool:
        """Whether any process is to stop: all of them do after the same step, so none waits."""
        if trainer.world_size == 1:
            return self.interruption.requested
        return trainer.strategy.reduce_boolean_decision(self.interruption.requested, all=False)

    def _count(self, module: Module) -> None:
        losses, module.losses = module.losses, []
        self.progress.loss_sum += sum(losses) / len(losses)
        self.progress.loss_count += 1
        now = time.monotonic()
        seconds, self._moment = now - self._moment, now
        share = _RATE_SHARE if self._step_seconds else 1.0
        self._step_seconds += share * (seconds - self._step_seconds)

    def _evaluate(self, trainer: pl.Trainer, module: Module) -> None:
        loss = held_out_loss(trainer, module, self.evaluation, self.loading)
        self.progress.held_out = loss
        if loss < self.progress.best:
            self.progress.best, self.progress.best_step = loss, module.step
            self.progress.stale = 0
            self.checkpoints.save_best(trainer, module.rep)
        elif module.recipe.schedule == "plateau":
            self._stagnate(module)
        self._moment = time.monotonic()  # its time is not that of a step

    def _stagnate(self, module: Module) -> None:
        """Count an evaluation without progress; after many halve the rate, back at the best."""
        self.progress.stale += 1
        if self.progress.stale < PATIENCE:
            return
        self.progress.stale = 0
        self.progress.factor = module.factor = PLATEAU_FACTOR * self.progress.factor
        if self.checkpoints.best.is_file():
            self.checkpoints.restore_best(module.rep)

    def _record(self, trainer: pl.Trainer, module: Module, is_logged: bool) -> None:
        line = self._line(module)
        self.watch(line, self.steps)
        if not is_logged:
            return
        self.progress.loss_sum, self.progress.loss_count = 0.0, 0
        self.progress.held_out = None
        if trainer.is_global_zero:
            training_record.append(self.folder, line)

    def _line(self, module: Module) -> Line:
        progress, step = self.progress, module.step
        speed = module.order.batch / self._step_seconds if self._step_seconds else None
        loss = progress.loss_sum / progress.loss_count if progress.loss_count else None
        return Line(
            step=step,
            epoch=round(step * module.order.batch / len(module.order.rows), 4),
            loss=loss,
            held_out=progress.held_out,
            learning_rate=module.rate if step else None,
            gradient=module.gradient if step else None,
            images_per_second=speed and round(speed, 2),
            seconds=round(self._seconds(), 2),
        )

    def _seconds(self) -> float:
        return self.progress.seconds + time.monotonic() - self._began


def held_out_loss(trainer: pl.Trainer, module: Module, draw: Draw, loading: Loading) -> float:
    """Mean loss of held-out images, in batches of a step's part, without augmentation."""
    size = max(1, module.order.batch // (trainer.accumulate_grad_batches * trainer.world_size))
    was_training = module.rep.training
    module.rep.eval()
    total = 0.0
    with torch.no_grad(), trainer.precision_plugin.val_step_context():
        for part in parts_of(draw, size):
            torch.manual_seed(int(part.seeds[0]))
            batch = loading.plain(part)
            batch.pop("row")
            batch = {name: value.to(module.device) for name, value in batch.items()}
            total += module.rep.loss(batch).item() * len(part.rows)
    module.rep.train(was_training)
    return total / len(draw.rows)
