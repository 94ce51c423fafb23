"""How carefully somebody listened: flags that an experimenter looks at, and the rules of exclusion.

Flags are hints and exclude nobody. Only the rules that a study stated before anybody listened do,
and whoever they exclude stays in every table, with the rule. All functions work on the table of
answers (``store.tables``), whose rows stand in the order in which they were given.
"""

from collections.abc import Callable
from typing import Final

import numpy as np
import pandas as pd
from numpy.typing import ArrayLike, NDArray
from scipy.stats import binom

from listening_test.steps import COUNTED
from listening_test.study import NEEDED, Exclusion, Settings

FAST: Final = 3.0
"""Seconds: a median below this is too fast where the study names no other limit; ours."""

TRIALS: Final = 6
"""Of a headphone check, in both papers."""

UNLIKELY: Final = 0.001
"""Sides, streaks and alternations are flagged when chance makes them more rarely; ours."""

AWAY: Final = 0.1
"""Part of the time for which somebody may look at another window; ours."""

FLAGS: Final = {
    "failed_catch": "failed catch trials",
    "too_fast": "too fast",
    "one_sided": "one side preferred",
    "monotonous": "long runs of the same, or of alternating, answers",
    "left_window": "looked away from the window",
    "failed_headphones": "failed the headphone check",
    "inconsistent": "answered repeats otherwise",
}
"""Columns of flags, and what they say."""


def quality(answers: pd.DataFrame, settings: Settings) -> pd.DataFrame:
    """What can be said of each listener of one version.

    Args:
        answers: the table of answers; of one version.
        settings: of that version.

    Returns:
        One row a listener, by ``listener_id``: the figures, the columns of ``FLAGS`` (boolean),
        ``flags`` (in words), ``excluded`` (boolean) and ``exclusion`` (the rules, in words).
        Missing where there is nothing to say yet.
    """
    order = answers.sort_values("listener_id", kind="stable")
    given = {name: order[name].to_numpy(kind) for name, kind in _READ.items()}
    given |= {name: order[name].eq(True).to_numpy(bool) for name in ("right", "repeated_same")}
    kind = order["kind"].to_numpy(object)  # compared here for all at once: text is slow
    given["counted"] = order["kind"].isin(COUNTED).to_numpy(bool)
    given |= {"catch": kind == "catch", "check": kind == "headphones"}
    given["again"] = (kind == "repeat") & order["repeated_same"].notna().to_numpy(bool)
    given["on_a"] = order["choice"].to_numpy(object) == "A"
    listeners, starts = np.unique(given["listener_id"], return_index=True)
    ends = np.append(starts, len(order))[1:]
    rows = {
        int(listener): _figures({name: of[start:end] for name, of in given.items()}, settings)
        for listener, start, end in zip(listeners, starts, ends, strict=True)
    }
    figures = pd.DataFrame.from_dict(rows, orient="index", columns=list(FIGURES))
    figures.index.name = "listener_id"
    figures = figures.astype(FIGURES)
    figures["side_p"] = side_bias(figures["side_p"], figures["answers"].astype("float64"))
    for name, test in _tests(settings).items():
        figures[name] = test(figures).fillna(False).astype(bool)
    figures["flags"] = _said(figures, FLAGS)
    return figures.join(exclusions(figures, settings.exclusion))


def exclusions(figures: pd.DataFrame, rules: Exclusion) -> pd.DataFrame:
    """Who the study's own rules leave out, and by which.

    Args:
        figures: see ``quality``.
        rules: of the study; a rule that is None leaves nobody out.

    Returns:
        ``excluded`` (boolean) and ``exclusion`` (words) for each listener.
    """
    broken = pd.DataFrame(index=figures.index)
    words = {}
    if rules.catch is not None:
        words["catch"] = f"fewer than {rules.catch:.0%} of the catch trials right"
        broken["catch"] = figures["catch_right"] < rules.catch * figures["catch_trials"] - 1e-9
    if rules.fastest is not None:
        words["fastest"] = f"median time below {rules.fastest:g} s"
        broken["fastest"] = figures["median_seconds"] < rules.fastest
    if rules.one_sided is not None:
        words["one_sided"] = f"more than {rules.one_sided:.0%} of the answers on one side"
        share = figures["a_share"]
        broken["one_sided"] = np.maximum(share, 1 - share) > rules.one_sided + 1e-9
    if rules.headphones:
        words["headphones"] = "headphone check not passed"
        broken["headphones"] = ~figures["headphones_passed"].fillna(True)
    broken = broken.fillna(False).astype(bool)
    return pd.DataFrame({"excluded": broken.any(axis=1), "exclusion": _said(broken, words)})


FIGURES: Final = {
    "answers": "Int64",
    "catch_trials": "Int64",
    "catch_right": "Int64",
    "median_seconds": "float64",
    "fast_share": "float64",
    "a_share": "float64",
    "side_p": "float64",
    "longest_run": "Int64",
    "longest_alternation": "Int64",
    "repeats": "Int64",
    "repeats_same": "Int64",
    "headphones_right": "Int64",
    "headphones_passed": "boolean",
    "leaves": "Int64",
    "away_seconds": "float64",
    "away_share": "float64",
}
"""Figures of each listener, and how they are stored."""


_READ: Final[dict[str, type]] = {
    "listener_id": int, "attempt": int, "elapsed": float, "leaves": float, "away": float,
}  # fmt: skip


def _figures(own: dict[str, np.ndarray], settings: Settings) -> list[float | bool | None]:
    """One listener's figures, in the order of ``FIGURES``."""
    counted, catch, again, right = own["counted"], own["catch"], own["again"], own["right"]
    elapsed, on_a = own["elapsed"][counted], own["on_a"][counted]
    away = float(own["away"][counted].sum())
    limit = settings.exclusion.fastest or FAST
    n = len(elapsed)
    return [
        n,
        int(catch.sum()),
        int(right[catch].sum()),
        float(np.median(elapsed)) if n else None,
        float((elapsed < limit).mean()) if n else None,
        float(on_a.mean()) if n else None,
        float(on_a.sum()) if n else None,  # becomes its p, for all listeners at once
        longest_run(on_a),
        longest_run(on_a ^ (np.arange(n) % 2 == 1)),  # A, B, A, B … becomes a run
        int(again.sum()),
        int(own["repeated_same"][again].sum()),
        *_headphones(own, settings.headphone_method),
        int(own["leaves"][counted].sum()),
        away,
        away / float(elapsed.sum()) if elapsed.sum() > 0 else None,
    ]


def side_bias(on_a: ArrayLike, answers: ArrayLike) -> NDArray[np.float64]:
    """Probability of a preference for one side at least as strong as this one, by chance.

    Args:
        on_a: answers on side A, of any shape; NaN where there are none.
        answers: all of them, of the same shape.

    Returns:
        The two-sided p of the exact binomial test against one half.
    """
    one, n = np.asarray(on_a, np.float64), np.asarray(answers, np.float64)
    tail: NDArray[np.float64] = binom.cdf(np.minimum(one, n - one), n, 0.5)
    return np.minimum(1.0, 2 * tail)


def longest_run(values: np.ndarray) -> int:
    """How often the same value comes without a break, at most.

    Args:
        values: [answers] of any type.
    """
    changes = np.flatnonzero(values[1:] != values[:-1]) + 1
    return int(np.diff(np.concatenate([[0], changes, [len(values)]])).max(initial=0))


def _headphones(own: dict[str, np.ndarray], method: str) -> tuple[int | None, bool | None]:
    """Right answers in the last attempt that is complete, and whether they suffice."""
    found: tuple[int | None, bool | None] = None, None
    for attempt in (1, 2) if own["check"].any() else ():
        check = own["check"] & (own["attempt"] == attempt)
        if check.sum() >= TRIALS:
            score = int(own["right"][check].sum())
            found = score, score >= NEEDED[method]
    return found


def _tests(settings: Settings) -> dict[str, Callable[[pd.DataFrame], pd.Series]]:
    limit = settings.exclusion.fastest or FAST
    least = 0.75 if settings.exclusion.catch is None else settings.exclusion.catch
    return {
        "failed_catch": lambda f: f["catch_right"] < least * f["catch_trials"] - 1e-9,
        "too_fast": lambda f: f["median_seconds"] < limit,
        "one_sided": lambda f: f["side_p"] < UNLIKELY,
        "monotonous": lambda f: _chance(f) < UNLIKELY,
        "left_window": lambda f: f["away_share"] > AWAY,
        "failed_headphones": lambda f: ~f["headphones_passed"].fillna(True),
        "inconsistent": lambda f: (f["repeats"] >= 4) & (2 * f["repeats_same"] < f["repeats"]),
    }


def _chance(figures: pd.DataFrame) -> pd.Series:
    """How probable so long a run, or alternation, is by chance, at most: the union bound."""
    longest = figures[["longest_run", "longest_alternation"]].max(axis=1).astype(float)
    places = figures["answers"].astype(float) - longest + 1
    return (2 * places * np.exp2(1 - longest)).clip(upper=1.0)


def _said(marks: pd.DataFrame, words: dict[str, str]) -> pd.Series:
    """The words of every column that is true, for each row."""
    said = pd.Series("", index=marks.index, dtype="str")
    for name, text in words.items():
        said += np.where(marks[name], np.where(said == "", text, "; " + text), "")
    return said
