"""One run of Lightning's Trainer, quiet and without the files that it writes by itself."""

import logging
import warnings
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import TYPE_CHECKING, Any

import torch

from imrep.errors import ExtraNeeded
from imrep.training.settings import PRECISIONS, Settings

if TYPE_CHECKING:
    from lightning.pytorch import Callback

    from imrep.training.module import Module


def check_installed() -> None:
    """Refuse to begin without Lightning.

    Raises:
        ExtraNeeded: It is not installed.
    """
    try:
        with quiet():
            import lightning.pytorch  # noqa: F401
    except ImportError as error:
        raise ExtraNeeded("train needs lightning. Try: pip install 'imrep[train]'") from error


def fit(
    module: "Module", callback: "Callback", settings: Settings, steps: int, start: Path | None
) -> None:
    """Train to `steps`, from the checkpoint `start` where there is one.

    What is raised within comes out as it is; the generators of the caller are restored.
    """
    with quiet(), torch.random.fork_rng():
        module.train()
        trainer = _trainer(callback, settings, steps, _strategy(module, settings))
        trainer.fit(module, ckpt_path=start and str(start), weights_only=True)


@contextmanager
def quiet() -> Iterator[None]:
    """Within it, Lightning neither logs nor warns."""
    loggers = [logging.getLogger(name) for name in ("lightning.pytorch", "lightning.fabric")]
    before = [logger.level for logger in loggers]
    with warnings.catch_warnings():
        for pattern in (r"lightning\b", r"typing_extensions"):
            warnings.filterwarnings("ignore", module=pattern)
        warnings.filterwarnings("ignore", r".*(srun|num_workers|treespec|litlogger).*")
        for logger in loggers:
            logger.setLevel(logging.ERROR)
        try:
            yield
        finally:
            for logger, level in zip(loggers, before, strict=True):
                logger.setLevel(level)


def _strategy(module: "Module", settings: Settings) -> str:
    """Lightning's name of how processes share a step."""
    if settings.processes == 1:
        return "auto"
    return "ddp" if module.uses_all_weights() else "ddp_find_unused_parameters_true"


def _trainer(callback: "Callback", settings: Settings, steps: int, strategy: str) -> Any:
    import lightning.pytorch as pl

    recipe = settings.recipe
    return pl.Trainer(
        accelerator=settings.device.replace("cuda", "gpu"),
        devices=settings.devices,
        num_nodes=settings.nodes,
        strategy=strategy,
        precision=PRECISIONS[settings.precision],  # type: ignore[arg-type]  # one of its names
        accumulate_grad_batches=settings.accumulate,
        gradient_clip_val=recipe.clip or None,
        max_steps=steps,
        max_epochs=-1,
        deterministic=settings.deterministic or None,
        logger=settings.logger,
        callbacks=[callback],
        default_root_dir=str(settings.out),
        use_distributed_sampler=False,
        num_sanity_val_steps=0,
        enable_checkpointing=False,
        enable_progress_bar=False,
        enable_model_summary=False,
    )
