"""Where things live: people's own work in ``STEMWISE_HOME``, the demo beside the code."""

import os
from pathlib import Path

from platformdirs import user_data_path


def home() -> Path:
    """The folder for everything a person makes; created on first use.

    ``STEMWISE_HOME`` if set, else the platform's user-data folder: never the checkout.
    """
    named = os.environ.get("STEMWISE_HOME")
    folder = Path(named).expanduser() if named else user_data_path("stemwise")
    folder.mkdir(parents=True, exist_ok=True)
    return folder


def demo() -> Path:
    """The demo that a fresh clone opens with: ``corpus/``, ``model.safetensors``, ``library/``."""
    return Path(__file__).resolve().parent.parent / "demo"
