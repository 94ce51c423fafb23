"""The words that listeners read, for those who want to know them beforehand."""

import json
from functools import lru_cache
from pathlib import Path
from typing import Final

from listening_test.study import Settings
from listening_test.triplets import MIX

TEXTS: Final = Path(__file__).parent / "texts"


def question(settings: Settings, instrument: str) -> str:
    """What a listener is asked about an instrument, or about the ``mix``.

    Returns:
        A sentence in the study's language; what it stresses stands between asterisks.
    """
    words = _words(settings.language)
    if instrument == MIX:
        return words[f"question.{settings.focus}.{MIX}"]
    name = words[f"instrument.{instrument}"]
    return words[f"question.{settings.focus}"].replace("{instrument}", name)


@lru_cache
def _words(language: str) -> dict[str, str]:
    found: dict[str, str] = json.loads((TEXTS / f"{language}.json").read_text(encoding="utf-8"))
    return found
