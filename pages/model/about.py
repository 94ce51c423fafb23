"""The model's card: the facts in its header, and the document that tells the rest."""

from collections.abc import Mapping
from pathlib import Path
from typing import Any, Final

import streamlit as st

from csn.card import Card, runs, total
from pages.model.places import SHIPPED, Place
from pages.model.table import table
from pages.model.words import large, lasting
from pages.studies.desk import plain

DOCUMENT: Final = Path(__file__).parents[2] / "docs" / "model-card.md"
"""Of the shipped model alone."""


def facts(card: Card | None, shipped: bool) -> None:
    """The few things that one wants to know first."""
    with st.container(border=True):
        if card is None:
            st.markdown("**The model**\n\nIts file is not there, so nothing is known of it.")
            return
        told = card.card
        lines = ["**Trained on a rendered corpus,** MIDI played by soundfonts. Not on Slakh."]
        if not shipped:
            lines = [f"**Trained on the corpus {plain(str(told.get('corpus', '?')))}**"]
        if "pieces" in told:
            lines.append(f"{large(told['pieces'])} pieces, cut and mixed anew all the time")
        mixes, steps, seconds = (total(told, n) for n in ("mixes_seen", "steps", "seconds"))
        if mixes and steps:
            lines.append(f"{large(mixes)} mixes heard in {large(steps)} steps")
        if seconds:
            lines.append(f"{lasting(seconds)} of training")
        lines.append(f"{large(card.weights)} weights, seed {told.get('seed', 'unknown')}")
        st.markdown("\n\n".join(lines))
        st.caption(f"Model {card.hash[:8]}")


def card(place: Place, card: Card | None) -> None:
    """What the document tells about the shipped model, then everything in the file's header."""
    if place.name == SHIPPED and DOCUMENT.is_file():
        with st.container(key="model-card"):
            st.markdown(told(DOCUMENT.read_text(encoding="utf-8")))
    if card is None:
        st.info("There is no model file here; put model.safetensors beside its measures.")
        return
    table(
        ["", ""], [[name, value] for name, value in header(card).items()],
        "In the header of the model's own file", words=True,
    )  # fmt: skip


def told(document: str) -> str:
    """The document without its figures, which this page reads from the measures themselves.

    Args:
        document: Markdown, a section for each ``##``.
    """
    parts = document.partition("\n")[2].split("\n## ")
    kept = [part for part in parts if not part.startswith("How well")]
    return "\n#### ".join(part.partition("\nReproduce:")[0] for part in kept)


def header(card: Card) -> dict[str, str]:
    """Facts of the header, in words; what it does not hold is left out."""
    told, recipe = card.card, _mapping(card.card.get("recipe"))
    features = _mapping(card.settings.get("features"))
    found: dict[str, Any] = {
        "Hash": card.hash,
        "Recipe": recipe.get("name"),
        "Went on from": _earlier(told),
        "Objective": recipe.get("objective"),
        "Seed": told.get("seed"),
        "Steps": total(told, "steps"),
        "Mixes heard": total(told, "mixes_seen"),
        "Pieces": told.get("pieces"),
        "Training took": lasting(seconds) if (seconds := total(told, "seconds")) else None,
        "Corpus": f"{told.get('corpus')}, fingerprint {str(told.get('corpus_fingerprint'))[:12]}",
        "Sample rate": f"{features['sample_rate']:,} Hz" if "sample_rate" in features else None,
        "Mel bands": features.get("bands"),
        "Weights": card.weights,
        "Commit": told.get("commit"),
        "PyTorch": told.get("torch"),
    }
    return {
        name: f"{value:,}" if isinstance(value, int) else str(value)
        for name, value in found.items() if value is not None
    }  # fmt: skip


def _earlier(card: Mapping[str, Any]) -> str | None:
    """The runs before the last one, the first of them last."""
    before = [
        f"{run.get('recipe')}, seed {run.get('seed')}, {run.get('steps') or 0:,} steps "
        f"({str(run.get('model'))[:8]})"
        for run in runs(card)[1:]
    ]
    return "; ".join(before) or None


def _mapping(value: Any) -> Mapping[str, Any]:
    return value if isinstance(value, Mapping) else {}
