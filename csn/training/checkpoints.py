"""Checkpoints of a training run: whole or not at all, and never unpickled as objects."""

import os
import pickle
from dataclasses import asdict
from typing import TYPE_CHECKING

import torch

from csn.errors import ModelError
from csn.training.recipes import Recipe

if TYPE_CHECKING:
    from csn.training.loop import Trainer


def save_checkpoint(trainer: "Trainer") -> None:
    """Write everything that the next step depends on to ``checkpoint.pt``, atomically."""
    state = {
        "step": trainer.step,
        "best": trainer.best,
        "identity": trainer.identity,
        "schedule": trainer.schedule,
        "seconds": trainer.seconds,
        "encoder": trainer.encoder.state_dict(),
        "average": trainer.average.state_dict(),
        "features": trainer.features.state_dict(),
        "optimiser": trainer.optimiser.state_dict(),
    }
    path = trainer.folder / "checkpoint.pt"
    path.parent.mkdir(parents=True, exist_ok=True)
    torch.save(state, path.with_suffix(".part"))
    os.replace(path.with_suffix(".part"), path)


def load_checkpoint(trainer: "Trainer") -> None:
    """Continue from ``checkpoint.pt``.

    Raises:
        ModelError: the file is damaged, or belongs to another recipe, seed or corpus.
    """
    path = trainer.folder / "checkpoint.pt"
    try:
        state = torch.load(path, map_location=trainer.device, weights_only=True)
        # A setting that came later had its default when the file was written.
        then = state["identity"] | {"recipe": asdict(Recipe("")) | state["identity"]["recipe"]}
        if then != trainer.identity:
            raise ModelError(
                f"{path} belongs to a run with another recipe, seed or corpus; give another "
                "--out, or remove the folder."
            )
        trainer.encoder.load_state_dict(state["encoder"])
        trainer.average.load_state_dict(state["average"])
        trainer.features.load_state_dict(state["features"])
        trainer.optimiser.load_state_dict(state["optimiser"])
        trainer.step, trainer.best = state["step"], state["best"]
        trainer.schedule = state["schedule"]
        trainer.seconds = state.get("seconds", 0.0)
    except (RuntimeError, KeyError, EOFError, ValueError, pickle.UnpicklingError) as error:
        raise ModelError(
            f"{path} is not a readable checkpoint ({type(error).__name__}); remove it to start "
            "again."
        ) from error
