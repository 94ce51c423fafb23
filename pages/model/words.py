"""What the Model page calls things, and its sentences."""

from collections.abc import Mapping
from typing import Any, Final

from csn.instruments import INSTRUMENTS
from csn.measures import PseudoMixes, Scores

RENDERED: Final = "rendered corpus, here"
HERE: Final = "measured here"
SLAKH: Final = "Slakh, published"

NOT_SLAKH: Final = (
    "Measured on a rendered corpus (MIDI played by soundfonts), not on Slakh or recordings."
)
PAPERS: Final = "Figures marked “Slakh, published” are the papers’ own, on other music."

SYSTEMS: Final = {"model": "model", "untrained": "untrained network", "floor": "mix statistics"}

COMMANDS: Final = {
    "pseudo-mixes": "csn evaluate pseudo-mixes --model MODEL --corpus CORPUS --out PLACE/composed",
    "identity": "csn evaluate identity --model MODEL --corpus CORPUS --out PLACE/composed",
    "leakage": "csn evaluate leakage --model MODEL --corpus CORPUS --out PLACE/composed",
    "probes": "csn evaluate probes --model MODEL --corpus CORPUS --split all --out PLACE/probes",
    "individual": "csn evaluate individual --individual NETWORKS --model MODEL --corpus CORPUS "
    "--out PLACE/individual",
    "table": "csn ablate --corpus CORPUS --out PLACE/recipes",
}
"""What makes each kind of measure."""

_TESTS: Final = {
    "composed": (
        "New backing",
        "Ten pieces lend their instrument to four other bands each. From ten seconds of that mix: "
        "whose is it?",
    ),
    "shared-backings": (
        "Same backing",
        "The same four bands play behind all ten pieces, so that every question has its own "
        "backing among the wrong answers: the hardest of the tests.",
    ),
    "levels": (
        "Any level",
        "As with new backings, and the instrument is turned up or down by up to {levels:g} dB.",
    ),
    "timbre-equal": (
        "Only notes",
        "The instrument is played anew from its notes, with one and the same sound for all pieces.",
    ),
    "notes-equal": (
        "Only sound",
        "One piece's notes are played with the sound of each piece in turn.",
    ),
    "human": (
        "Human-made",
        "{corpus_pieces} pieces out of songs that people wrote and that no training split holds.",
    ),
    "heldout-font": (
        "Unheard font",
        "Human-made music again, played by a soundfont that the model never met in training.",
    ),
}

PROPERTIES: Final = {
    "program": "own program",
    "program of another": "next instrument's program",
    "soundfont": "soundfont",
    "key": "key",
    "tempo": "tempo",
    "level": "level in the mix",
    "groove file": "groove file",
}
"""What probes ask, in the page's words."""

ROWS: Final = {
    "basic": "basic triplets",
    "aux+basic": "+ auxiliary loss",
    "aux+basic+add": "+ interchanged triplets",
    "aux+basic+add'": "+ six times the pieces",
    "stemwise": "ours: label matrices",
}
"""Table 2's rows."""


def title(test: str) -> str:
    """What a test is called."""
    return _TESTS[test][0] if test in _TESTS else test.replace("-", " ").capitalize()


def sentence(test: str, measure: PseudoMixes) -> str:
    """What is asked in a test."""
    try:
        return _TESTS[test][1].format_map(dict(measure.settings)) if test in _TESTS else ""
    except (KeyError, ValueError, TypeError):  # a setting that is not there
        return ""


def in_order(tests: Mapping[str, Any]) -> list[str]:
    """Names of tests, ours in the order in which they are explained, then others."""
    return [name for name in _TESTS if name in tests] + [n for n in tests if n not in _TESTS]


def lead(measure: PseudoMixes) -> str:
    """One sentence, in Markdown: what the model can and cannot do; empty without a score."""
    scores = {n: s for n in INSTRUMENTS if (s := measure.scores["model"].get(n))}
    if not scores:
        return ""
    ranked = sorted(scores, key=lambda name: scores[name].mean, reverse=True)
    best, worst = ranked[0], ranked[-1]
    chance = next(iter(scores.values())).chance
    guess = f" Guessing is right in {percent(chance)}." if chance else ""
    if best == worst:
        return f"It knows **{best}** again in {percent(scores[best].mean)} of cases.{guess}"
    return (
        f"It hears a finished mix and knows one instrument again when another band plays behind "
        f"it: **{best}** in {percent(scores[best].mean)} of cases, **{worst}**, its weakest, in "
        f"{percent(scores[worst].mean)}.{guess}"
    )


def percent(value: float) -> str:
    """``82 %``; what is not quite 100 is not called 100."""
    return f"{whole(value)}\u00a0%"


def whole(value: float) -> str:
    """``82``, but ``99.9`` and ``0.4``."""
    return f"{value:.1f}" if 99 < value < 100 or 0 < value < 1 else f"{value:.0f}"


def average(scores: Scores, system: str, field: str = "mean") -> float | None:
    """Mean over the instruments that have a score."""
    found = [getattr(s, field) for n in INSTRUMENTS if (s := scores[system].get(n))]
    return sum(found) / len(found) if found else None


def spread(mean: float | None, sd: float | None = None, places: int = 1) -> str:
    """``82.1 ± 10.8``; a dash where there is none."""
    if mean is None:
        return "–"
    return f"{mean:.{places}f}" + (f" ± {sd:.{places}f}" if sd else "")


def large(number: float) -> str:
    """``1.47 million``, ``48,000``."""
    return f"{number / 1e6:.3g} million" if number >= 1e6 else f"{number:,.0f}"


def lasting(seconds: float) -> str:
    """``2.0 hours``, ``4 minutes``."""
    return f"{seconds / 3600:.1f} hours" if seconds >= 5400 else f"{seconds / 60:.0f} minutes"
