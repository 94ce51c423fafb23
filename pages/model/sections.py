"""The deeper parts of the Model page: every test, leakage, probes, recipes."""

from collections.abc import Mapping
from typing import Any

import numpy as np
import streamlit as st

from csn.instruments import INSTRUMENTS
from csn.measures import CLEAN, Measures, Scores
from csn.published import CSN_TABLE_1, CSN_TABLE_2
from pages.model import charts, sheets, takeaway, words
from pages.model.desk import CONFIG, first, missing
from pages.model.table import Cell, table
from pages.model.words import SLAKH, average, spread


def tests(found: Measures, here: str) -> None:
    """P2 of every test at a glance, the first one in full, P1; beside the papers' figures."""
    names = words.in_order(found.pseudo_mixes)
    if not names:
        missing("pseudo-mixes", "Pseudo-mixes (P2) are")
    else:
        rows: list[list[str | Cell]] = [
            [words.title(n), *_glance(found.pseudo_mixes[n].scores)] for n in names
        ]
        table(
            ["", *INSTRUMENTS, "mean"], rows, f"Every test, % right ({here})",
            "Small: the better of an untrained network and statistics of the mix, on the same "
            "sounds.",
        )  # fmt: skip
        measure = found.pseudo_mixes[names[0]]
        table(
            ["", "model", "strict", "untrained network", "mix statistics", f"CSN ({SLAKH})"],
            _full(measure.scores, CSN_TABLE_2["aux+basic+add'"]),
            f"{words.title(names[0])}, in full, % right ({here}, but for the last column)",
            "Strict: references that hold the same moment of the same stem are not allowed. ± is "
            f"the deviation over {measure.settings.get('draws', 'several')} draws. CSN's figures "
            "were measured on other music and cannot be compared with ours.",
        )
    if found.identity:
        _identity(found, here)
    elif names:
        missing("identity", "Piece identity (P1) is")
    takeaway.buttons("tests", sheets.tests(found), lambda: hearing_figures(found, here))


def _glance(scores: Scores) -> list[Cell]:
    cells = []
    for name in INSTRUMENTS:
        score = scores["model"].get(name)
        below = words.whole(floor) if (floor := _floor(scores, name)) is not None else ""
        text = words.whole(score.mean) if score else "–"
        cells.append(Cell(text, below, name, score.mean / 100 if score else 0))
    floors = [v for n in INSTRUMENTS if (v := _floor(scores, n)) is not None]
    mean = average(scores, "model")
    below = words.whole(float(np.mean(floors))) if floors else ""
    return [*cells, Cell("–" if mean is None else words.whole(mean), below, strong=True)]


def _floor(scores: Scores, name: str) -> float | None:
    found = [s.mean for system in ("untrained", "floor") if (s := scores[system].get(name))]
    return max(found, default=None)


def _full(scores: Scores, papers: tuple[float, ...]) -> list[list[str | Cell]]:
    rows: list[list[str | Cell]] = []
    for name, paper in zip(INSTRUMENTS, papers, strict=True):
        score = scores["model"].get(name)
        share = score.mean / 100 if score else 0
        rows.append([
            name,
            Cell(spread(score.mean, score.sd) if score else "–", tint=name, share=share),
            spread(score.strict, score.strict_sd) if score else "–",
            *(spread(s.mean if (s := scores[x].get(name)) else None) for x in _FLOORS),
            spread(paper),
        ])  # fmt: skip
    means = [average(scores, "model"), average(scores, "model", "strict")]
    means += [average(scores, system) for system in _FLOORS]
    rows.append(["mean", *(Cell(spread(v), strong=True) for v in [*means, float(np.mean(papers))])])
    return rows


_FLOORS = ("untrained", "floor")


def _identity(found: Measures, here: str) -> None:
    test = words.in_order(found.identity)[0]
    lengths = found.identity[test].lengths
    heard_alone = any(CLEAN in scores for scores in lengths.values())
    head = [""]
    for length in lengths:
        head += [f"{length} s", "strict", "mix statistics"]
        head += ["clean stem"] if CLEAN in lengths[length] else []
        head += [f"CSN {length} s ({SLAKH})"] if f"{length} s" in CSN_TABLE_1 else []
    rows: list[list[str]] = []
    for c, name in enumerate(INSTRUMENTS):
        row = [name]
        for length, scores in lengths.items():
            score, floor = scores["model"].get(name), scores["floor"].get(name)
            row += [spread(score.mean if score else None), spread(score.strict if score else None)]
            row.append(spread(floor.mean if floor else None))
            if CLEAN in scores:
                best = scores[CLEAN].get(name)
                row.append(spread(best.mean, best.sd) if best else "–")
            if f"{length} s" in CSN_TABLE_1:
                row.append(spread(CSN_TABLE_1[f"{length} s"][c]))
        rows.append(row)
    table(
        head, rows, f"Piece identity from one segment of the true mix (P1), % right ({here})",
        "Says little: statistics of the mix pass it without any training, because a piece of this "
        "corpus sounds alike all through."
        + (" Clean stem: what individual networks have that hear the instrument alone, the upper "
           "reference; ± is the deviation over their seeds." if heard_alone else ""),
    )  # fmt: skip


def hearing_figures(found: Measures, here: str) -> dict[str, Any]:
    """The first chart, for every test."""
    return {
        f"P2, {words.title(name)}, % right ({here})": charts.hearing(
            found.pseudo_mixes[name].scores
        )
        for name in words.in_order(found.pseudo_mixes)
    }


def leakage(found: Measures, here: str) -> None:
    """How far a subspace moves when what is not its own changes."""
    st.markdown(
        "A subspace should **stay** when the other instruments are exchanged and **move** when its "
        "own is. The wider apart the two dots, the better it separates."
    )
    names = words.in_order(found.leakage)
    if not names:
        missing("leakage", "Leakage is")
        return
    measure = found.leakage[names[0]]
    st.plotly_chart(charts.moving(measure), key="moving", config=CONFIG, alt="Leakage")
    head = ["", "others exchanged", "own exchanged", "ratio", "untrained network", "mix statistics"]
    more = names[1:]
    rows = []
    for name in INSTRUMENTS:
        m = measure.moves["model"].get(name)
        row: list[str | Cell] = [name, *(spread(v, None, 2) for v in (
            (m.others, m.own) if m else (None, None)))]  # fmt: skip
        row.append(Cell(spread(m.ratio if m else None, None, 2), strong=True))
        others = [measure.moves[system].get(name) for system in _FLOORS]
        others += [found.leakage[test].moves["model"].get(name) for test in more]
        row += [spread(o.ratio if o else None, None, 2) for o in others]
        rows.append(row)
    table(
        [*head, *(f"ratio, {words.title(test).lower()}" for test in more)], rows,
        f"Leakage ({here}): ratio of the two, 0 is best, 1 leaks as much as it hears",
    )  # fmt: skip
    takeaway.buttons(
        "leakage", sheets.leakage(dict(found.leakage)), lambda: leakage_figures(found, here)
    )


def leakage_figures(found: Measures, here: str) -> dict[str, Any]:
    """A chart for every test."""
    return {
        f"Leakage, {words.title(name)} ({here})": charts.moving(m)
        for name, m in found.leakage.items()
    }


def probes(found: Measures, here: str) -> None:
    """What can be read from each subspace."""
    st.markdown(
        "Simple classifiers try to read these things from each subspace, about pieces they have "
        "not met. A subspace should know **its own program** and little else."
    )
    measure = first(found.probes)
    if measure is None:
        missing("probes", "Probes are")
        return
    asked = [
        what for what in words.PROPERTIES
        if any(of.get(what) for of in measure.found.values())
    ]  # fmt: skip
    rows: list[list[str | Cell]] = []
    for what in asked:
        row: list[str | Cell] = [words.PROPERTIES[what]]
        for name in INSTRUMENTS:
            probe = measure.found.get(name, {}).get(what)
            if probe is None or "model" not in probe.right:
                row.append("–")
                continue
            base = max(probe.chance, *(probe.right.get(s, 0.0) for s in _FLOORS))
            right = probe.right["model"]
            row.append(Cell(f"{right:.0f}", f"{base:.0f}", name, (right - base) / 50))
        rows.append(row)
    table(
        ["", *INSTRUMENTS], rows, f"Read from each subspace, % right ({here})",
        "Small: the best of guessing, an untrained network and statistics of the mix. The deeper "
        "the colour, the more the subspace knows beyond that.",
    )  # fmt: skip
    takeaway.buttons("probes", sheets.probes(measure))


def recipes(found: Measures, here: str) -> None:
    """Table 2 of CSN, and ours as a fifth row."""
    measure = first(found.ablation)
    if measure is None:
        missing("table", "Recipes are")
    else:
        shipped = here == words.RENDERED
        mixes = max((row.mixes for row in measure.rows), default=0)
        st.markdown(
            f"The papers' recipes and ours on equal terms: each network heard {words.large(mixes)} "
            "mixes of the same corpus."
            + (
                " The shipped model has the last recipe, and was trained for longer."
                if shipped
                else ""
            )
        )
    left, right = st.columns(2, gap="large")
    with left:
        st.markdown(f"**P2, {here}**")
        if measure is not None:
            st.plotly_chart(
                charts.recipes(charts.measured(measure)),
                key="recipes",
                config=CONFIG,
                alt="Recipes",
            )
    with right:
        st.markdown(f"**P2, {SLAKH}** :gray[(CSN, table 2: other music, longer training)]")
        st.plotly_chart(
            charts.recipes(charts.published(CSN_TABLE_2)),
            key="published",
            config=CONFIG,
            alt="CSN, table 2",
        )
    head = ["", *INSTRUMENTS, "mean", "strict"]
    if measure is not None:
        _recipes(measure, [*head, "runs", "pieces", "minutes"], here)
    papers: list[list[str | Cell]] = [
        [_row(n), *map(spread, values), Cell(spread(float(np.mean(values))), strong=True)]
        for n, values in CSN_TABLE_2.items()
    ]
    table(head[:-1], papers, f"CSN, table 2, % right ({SLAKH})")
    takeaway.buttons("recipes", sheets.recipes(measure, here), lambda: recipe_figures(found, here))


def _recipes(measure: Any, head: list[str], here: str) -> None:
    rows: list[list[str | Cell]] = []
    for row in measure.rows:
        found = {n: row.scores.get(n, (None, None)) for n in (*INSTRUMENTS, "mean", "strict_mean")}
        cells: list[str | Cell] = [
            Cell(spread(*found[n]), tint=n, share=(found[n][0] or 0) / 100) for n in INSTRUMENTS
        ]
        cells += [Cell(spread(*found["mean"]), strong=True), spread(*found["strict_mean"])]
        rows.append([_row(row.name), *cells, str(row.runs), f"{row.pieces:,}",
                     f"{row.seconds / 60:.0f}"])  # fmt: skip
    for name, scores in measure.floors.items():
        parts = [spread(scores.get(n)) for n in (*INSTRUMENTS, "mean", "strict_mean")]
        rows.append([name, *parts, "", "", ""])
    waiting = [_row(n) for n in words.ROWS if n not in {row.name for row in measure.rows}]
    late = f" Not measured yet: {'; '.join(waiting)}." if waiting else ""
    table(
        head, rows, f"Table 2, % right ({here})",
        f"± is the deviation over runs with other seeds, where there are several.{late}"
        + "".join(f" {problem}" for problem in measure.problems),
    )  # fmt: skip


def _row(name: str) -> str:
    return words.ROWS.get(name, name)


def recipe_figures(found: Measures, here: str) -> Mapping[str, Any]:
    """Table 2, ours and the paper's."""
    measure = first(found.ablation)
    ours = {} if measure is None else {
        f"Table 2, P2 ({here})": charts.recipes(charts.measured(measure))
    }  # fmt: skip
    return ours | {f"Table 2, P2 ({SLAKH})": charts.recipes(charts.published(CSN_TABLE_2))}
