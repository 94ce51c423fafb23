"""Tables of the results: with all digits for computers, in a paper's form for people."""

from collections.abc import Callable, Mapping, Sequence
from dataclasses import asdict, dataclass
from typing import Final

import numpy as np
import pandas as pd

from results.agreement import ALL, TOTAL
from results.analysis import Analysis
from results.published import Published
from results.weights import Weights


@dataclass(frozen=True)
class Table:
    """A table.

    Attributes:
        title: what it is.
        values: numbers with all their digits, for CSV.
        shown: the same for people: text in every cell, for LaTeX and HTML.
        note: what a reader has to know.
    """

    title: str
    values: pd.DataFrame
    shown: pd.DataFrame
    note: str = ""

    def csv(self) -> str:
        """All digits, comma-separated."""
        return self.values.to_csv(index=False, lineterminator="\r\n")

    def latex(self) -> str:
        """A booktabs table, with its title as the caption."""
        wide = "l" + "r" * (self.shown.shape[1] - 1)
        escaped = self.shown.map(_tex)
        escaped.columns = [_tex(str(name)) for name in escaped.columns]
        text = escaped.to_latex(index=False, escape=False, column_format=wide, caption=self.title)
        return str(text)


def _tex(text: str) -> str:
    special = {"\\": r"\textbackslash{}", "~": r"\textasciitilde{}", "^": r"\textasciicircum{}"}
    special |= {letter: f"\\{letter}" for letter in "&%$#_{}"}
    special |= {"±": r"$\pm$", "−": "$-$", "–": "--", "≥": r"$\geq$", "<": "$<$", ">": "$>$"}
    return "".join(special.get(letter, letter) for letter in text)


def percent(value: float) -> str:
    """``70.8``, or a dash."""
    return f"{100 * value:.1f}" if np.isfinite(value) else "–"


def limits(low: float, high: float) -> str:
    """``[61.5, 79.2]``, or a dash."""
    return f"[{percent(low)}, {percent(high)}]" if np.isfinite(low) else "–"


def p_value(p: float) -> str:
    """Three places, or ``< 0.001``."""
    if not np.isfinite(p):
        return "–"
    return "< 0.001" if p < 0.001 else f"{p:.3f}"


def _number(value: float, places: int = 2) -> str:
    return f"{value:.{places}f}" if np.isfinite(value) else "–"


def _frame(rows: Sequence[Mapping[str, str]]) -> pd.DataFrame:
    return pd.DataFrame(list(rows)).fillna("–").astype(str)


def table(name: str, found: Analysis, papers: Sequence[Published] = ()) -> Table | None:
    """One table by the name of its file; None where these answers give none."""
    made = _as_published(found, papers) if name == "as-published" else _MADE[name](found)
    return made if made is not None and len(made.shown) else None


def tables(
    found: Analysis, papers: Sequence[Published] = (), weights: Weights | None = None
) -> Mapping[str, Table]:
    """Every table that these answers give, by the name of its file."""
    names = ("agreement", "as-published", *_MADE)
    made = {name: table(name, found, papers) for name in names}
    made["weights"] = None if weights is None else weights_table(weights)
    return {name: one for name, one in made.items() if one is not None}


def _agreement(found: Analysis) -> Table:
    rows = [
        {
            "instrument": row.instrument, "set": row.set, "agree %": percent(row.share),
            "95 % interval": limits(row.low, row.high), "± plain": percent(row.plain),
            "n": str(row.n), "listeners": str(row.listeners), "triplets": str(row.triplets),
            "p": p_value(row.p), "p (Holm)": p_value(row.p_holm),
            "p clustered": p_value(row.p_clustered), "(Holm)": p_value(row.p_clustered_holm),
        }
        for row in found.agreement.rows
    ]  # fmt: skip
    return Table(
        "Agreement with the model", found.agreement.table, _frame(rows),
        "Intervals are two-way clustered, by listener and triplet. ± plain is the papers' "
        "interval; p is the exact binomial test above 50 %, one-sided: both take all answers for "
        "independent, which they are not, and so are too narrow and too small. p clustered does "
        "not. Holm's correction is over the instruments.",
    )  # fmt: skip


def _as_published(found: Analysis, papers: Sequence[Published]) -> Table | None:
    """The paper's own layout, with its figures beside ours."""
    if not papers:
        return None
    ours = {(row.instrument, row.set): row for row in found.agreement.rows}
    rows, values = [], []
    for one in papers:
        row = ours.get((one.instrument, one.set))
        if row is None and one.percent is None:
            continue
        printed = "–" if one.percent is None else f"{one.percent:g} ± {one.half:g}"
        mine = "–" if row is None else f"{percent(row.share)} ± {percent(row.plain)}"
        rows.append(
            {"instrument": one.instrument, "set": one.set, one.paper: printed, "here": mine}
        )
        values.append(
            asdict(one) | {"share": row.share if row else None, "plain": row.plain if row else None}
        )
    return Table(
        "Beside the published figures", pd.DataFrame(values), _frame(rows),
        "± as in the papers, for comparison only. Another corpus, model and listeners: no "
        "difference between the columns is a result by itself.",
    )  # fmt: skip


def _exclusions(found: Analysis) -> Table | None:
    if not len(found.exclusions.excluded):
        return None
    both = found.exclusions
    rows = []
    for one, two in zip(both.everyone.rows, both.kept.rows, strict=False):
        if one.set == TOTAL and (one.instrument, one.set) == (two.instrument, two.set):
            rows.append(
                {
                    "instrument": one.instrument,
                    "everyone": f"{percent(one.share)} {limits(one.low, one.high)}",
                    "n": str(one.n),
                    "without": f"{percent(two.share)} {limits(two.low, two.high)}",
                    "n without": str(two.n),
                }
            )
    return Table(
        "With and without the listeners whom the study's rules leave out", both.table,
        _frame(rows), "The rules were fixed before anybody listened.",
    )  # fmt: skip


def _confidence(found: Analysis) -> Table | None:
    if not found.sureness:
        return None
    values = pd.DataFrame([asdict(bar) for bar in found.sureness])
    shown = values.astype(str)
    shown.columns = pd.Index(["instrument", "True +", "True −", "False −", "False +"])
    note = "+ sure, − unsure; True agrees with the model."
    if found.calibration is not None:
        parts = [
            f"{'Sure' if one.sure else 'Unsure'} answers agree in {percent(one.share)} % "
            f"{limits(one.interval.low, one.interval.high)}."
            for one in found.calibration.levels
        ]
        note = " ".join([note, *parts])
    return Table("Answers by agreement and confidence", values, shown, note)


def _mixed(found: Analysis) -> Table | None:
    if found.mixed is None:
        return None
    fitted = found.mixed
    rows = [
        {
            "term": term.name, "estimate": _number(term.estimate, 3),
            "error": _number(term.error, 3),
            "95 % interval": f"[{_number(term.low)}, {_number(term.high)}]",
            "p": p_value(term.p),
        }
        for term in fitted.terms
    ]  # fmt: skip
    rows += [
        {"term": f"SD of {name}", "estimate": _number(sd, 3)}
        for name, sd in (("listeners", fitted.listener_sd), ("triplets", fitted.triplet_sd))
    ]
    sds = pd.DataFrame(
        {"name": ["sd_listener", "sd_triplet"],
         "estimate": [fitted.listener_sd, fitted.triplet_sd]}
    )  # fmt: skip
    return Table(
        "Mixed logistic model of agreeing with the model", pd.concat([fitted.table, sds]),
        _frame(rows),
        f"Log-odds; crossed random effects of {fitted.listeners} listeners and "
        f"{fitted.triplets} triplets, {fitted.n} answers. Margin: absolute, standardised (mean "
        f"{fitted.margin_mean:.3g}, SD {fitted.margin_sd:.3g}). Side: log-odds of taking A. "
        f"Instruments against {fitted.reference}. mixed-model.R fits it again with lme4.",
    )  # fmt: skip


def _curve(found: Analysis) -> Table:
    bins = found.curve.bins
    rows = [
        {
            "margin": _number(row["margin"], 3), "agree %": percent(row["share"]),
            "95 % interval": limits(row["low"], row["high"]), "n": f"{row['n']:.0f}",
        }
        for row in bins.to_dict("records")
    ]  # fmt: skip
    return Table("Agreement by classes of the model's margin", bins, _frame(rows))


def _ceiling(found: Analysis) -> Table:
    top = found.ceiling
    alpha = top.alpha_interval
    around = f"[{_number(alpha.low)}, {_number(alpha.high)}]" if alpha.known else "–"
    rows = [
        ("Krippendorff's alpha", _number(top.alpha), around),
        ("pairs of answers alike %", percent(top.pairs), "–"),
        ("noise ceiling, upper: the majority %", percent(top.majority), "–"),
        ("noise ceiling, lower: the others %", percent(top.others), "–"),
        (f"repeats answered alike % (n = {top.repeats})", percent(top.consistency),
         limits(top.consistency_interval.low, top.consistency_interval.high)),
        ("greatest agreement that allows %", percent(top.attainable), "–"),
        (f"catch trials right % (n = {top.catch_trials})", percent(top.catch),
         limits(top.catch_interval.low, top.catch_interval.high)),
    ]  # fmt: skip
    known = [row for row in rows if row[1] != "–"]
    shown = pd.DataFrame(known, columns=["measure", "value", "95 % interval"])
    flat = {key: value for key, value in vars(top).items() if not key.endswith("interval")}
    for name in ("alpha", "consistency", "catch"):
        interval = getattr(top, f"{name}_interval")
        flat |= {f"{name}_low": interval.low, f"{name}_high": interval.high}
    values = pd.DataFrame({"measure": list(flat), "value": list(flat.values())})
    return Table(
        "How far listeners agree with each other and with themselves", values, shown,
        "No model can agree with these listeners more often than the majority does.",
    )  # fmt: skip


def _spaces(found: Analysis) -> Table:
    table = found.spaces.table
    own = table[table["asked"] == ALL].sort_values(["source", "score"], ascending=[True, False])
    rows = [
        {
            "input": row["source"], "subspaces": row["space"], "score %": percent(row["score"]),
            "95 % interval": limits(row["low"], row["high"]), "n": str(row["n"]),
        }
        for row in own.to_dict("records")
    ]  # fmt: skip
    return Table("Triplet score of every set of subspaces", table, _frame(rows))


def _behaviour(found: Analysis) -> Table:
    side, time = found.side, found.times
    rows = [
        ("A taken %", percent(side.share), limits(side.interval.low, side.interval.high)),
        ("median time, s", _number(time.median, 1),
         f"quartiles {_number(time.quartiles[0], 1)}–{_number(time.quartiles[1], 1)}"),
        ("where listener and model agree, s", _number(time.agreeing, 1), "–"),
        ("where they differ, s", _number(time.differing, 1), "–"),
    ]  # fmt: skip
    for name, (middle, low, high) in time.ratios.items():
        label = "time per SD of margin, ×" if name == "margin" else "time where they agree, ×"
        rows.append((label, _number(middle), f"[{_number(low)}, {_number(high)}]"))
    known = [row for row in rows if row[1] != "–"]
    shown = pd.DataFrame(known, columns=["measure", "value", "spread"])
    return Table("Sides and times", shown, shown)


def weights_table(found: Weights) -> Table:
    """A fitted focus."""
    rows = [
        {
            "subspace": row["space"], "weight": _number(row["weight"]),
            "share %": percent(row["share"]), "95 % interval": limits(row["low"], row["high"]),
        }
        for row in found.table.to_dict("records")
    ]  # fmt: skip
    held = ", ".join(f"{one.name} {percent(one.share)} %" for one in found.held)
    return Table(
        "A focus fitted to the answers", found.table, _frame(rows),
        f"Agreement on held-out listeners and triplets: {held}; fitted less equal "
        f"{limits(found.gain.low, found.gain.high)} points. Equal weighs all five alike; own is "
        "the subspace of the instrument that was asked about.",
    )  # fmt: skip


_MADE: Final[Mapping[str, Callable[[Analysis], Table | None]]] = {
    "agreement": _agreement, "exclusions": _exclusions, "confidence": _confidence,
    "mixed-model": _mixed, "curve": _curve, "ceiling": _ceiling, "spaces": _spaces,
    "behaviour": _behaviour,
}  # fmt: skip
