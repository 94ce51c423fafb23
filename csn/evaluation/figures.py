"""The papers' figures: distance matrices, and segments as points by t-SNE and UMAP.

Each is a Plotly figure, written as a page that opens without a network and as JSON that an app
can show. Source: IND figures 3 and 4; CSN figures 5 and 6.
"""

import json
import warnings
from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Any, Final

import numpy as np
import plotly.graph_objects as go
from plotly.colors import sample_colorscale
from plotly.subplots import make_subplots
from sklearn.manifold import TSNE

from csn.embedding import write_whole
from csn.evaluation.baselines import systems
from csn.evaluation.draws import PseudoMixSettings, draw
from csn.evaluation.individual import Heard
from csn.evaluation.mixed import Mixer
from csn.evaluation.stems import Stems
from csn.instruments import INSTRUMENTS
from csn.model import Model

METHODS: Final = ("t-SNE", "UMAP")
_SYMBOLS: Final = ("x", "star", "triangle-up", "square")
_COLUMNS: Final = 3


def plane(vectors: np.ndarray, method: str, seed: int = 0) -> np.ndarray:
    """Lay vectors out on a plane.

    Args:
        vectors: [segments, d], at least 4.
        method: one of ``METHODS``.
        seed: of the layout.

    Returns:
        [segments, 2] float32.
    """
    vectors = np.asarray(vectors, np.float32)
    if method == "t-SNE":
        perplexity = min(30.0, (len(vectors) - 1) / 3)
        laid: np.ndarray = TSNE(perplexity=perplexity, init="pca", random_state=seed).fit_transform(
            vectors
        )
        return laid
    from umap import UMAP  # noqa: PLC0415 - takes seconds

    with warnings.catch_warnings():
        warnings.simplefilter("ignore")  # that a seed costs parallelism
        around = min(15, len(vectors) - 1)
        laid = UMAP(n_neighbors=around, random_state=seed, n_jobs=1).fit_transform(vectors)
    return laid


def heat_maps(matrices: Mapping[str, np.ndarray], titles: Sequence[str]) -> go.Figure:
    """Distances between pieces, a square for each criterion (IND figure 4)."""
    figure = _grid(list(matrices))
    top = max(float(matrix.max()) for matrix in matrices.values())
    for number, matrix in enumerate(matrices.values()):
        square = go.Heatmap(
            z=matrix.round(4), zmin=0, zmax=top, colorscale="Viridis", x=list(range(len(titles))),
            y=list(range(len(titles))), hovertext=[[f"{a} – {b}" for b in titles] for a in titles],
            showscale=number == 0,
        )  # fmt: skip
        figure.add_trace(square, row=number // _COLUMNS + 1, col=number % _COLUMNS + 1)
    return figure


def points(
    heard: Mapping[str, Heard], titles: Sequence[str], method: str, seed: int = 0
) -> go.Figure:
    """Segments as points in the colour of their piece (IND figure 3, CSN figure 5)."""
    figure = _grid(list(heard))
    colours = _rainbow(len(titles))
    for number, part in enumerate(heard.values()):
        laid = plane(part.vectors, method, seed)
        for piece, title in enumerate(titles):
            mine = laid[part.pieces == piece]
            dots = go.Scatter(
                x=mine[:, 0].round(3), y=mine[:, 1].round(3), mode="markers", showlegend=False,
                hovertext=title, marker={"color": colours[piece], "size": 5},
            )  # fmt: skip
            figure.add_trace(dots, row=number // _COLUMNS + 1, col=number % _COLUMNS + 1)
    return figure


def pseudo_mix_points(
    model: Model, stems: Stems, settings: PseudoMixSettings, method: str, *, progress: bool = True
) -> go.Figure:
    """P2's pseudo-mixes: colour for the piece in focus, symbol for its backing (CSN figure 6).

    Args:
        model: the CSN.
        stems: pieces at the model's rate.
        settings: of P2; its first draw is shown.
        method: one of ``METHODS``.
        progress: show bars.
    """
    s = settings
    names = [
        name
        for name in INSTRUMENTS
        if sum(stems.sounding(i, name, s.length, s.overlap).any() for i in range(len(stems)))
        >= s.pieces
    ]
    figure, colours = _grid(names), _rainbow(s.pieces)
    tempos = [piece.tempo for piece in stems.pieces]
    everyone = list(range(len(stems)))
    for number, name in enumerate(names):
        focus = [i for i in everyone if stems.sounding(i, name, s.length, s.overlap).any()]
        backing = [i for i in everyone if stems.backed(i, name, s.length, s.overlap).any()]
        rng = np.random.default_rng([s.seed, INSTRUMENTS.index(name), 0])
        pairs, _ = draw(focus, backing, tempos, rng, s)
        made = Mixer(stems, systems(model, baselines=False), name, s).make([pairs], progress)
        mixes = [made[pair].vectors["model"] for pair in pairs]
        laid = plane(np.concatenate(mixes), method, s.seed)
        row, at = (number // _COLUMNS + 1, number % _COLUMNS + 1), 0
        for index, (pair, mix) in enumerate(zip(pairs, mixes, strict=True)):
            part = laid[at : at + len(mix)]
            at += len(mix)
            a, b = (stems.pieces[piece].title for piece in pair)
            dots = go.Scatter(
                x=part[:, 0].round(3), y=part[:, 1].round(3), mode="markers", showlegend=False,
                hovertext=f"{name} of {a}, the rest of {b}",
                marker={
                    "color": colours[index // s.mixes], "size": 7,
                    "symbol": _SYMBOLS[index % s.mixes % len(_SYMBOLS)],
                },
            )  # fmt: skip
            figure.add_trace(dots, row=row[0], col=row[1])
    return figure


def save(figure: go.Figure, folder: Path, name: str, title: str) -> None:
    """Write ``name.html``, which opens without a network, and ``name.json``."""
    figure.update_layout(title=title)
    page: str = figure.to_html(include_plotlyjs="plotly.min.js")
    script = folder / "plotly.min.js"
    if not script.is_file():
        from plotly.offline import get_plotlyjs  # noqa: PLC0415

        source = get_plotlyjs()
        write_whole(script, lambda file: file.write(source.encode()))
    write_whole(folder / f"{name}.html", lambda file: file.write(page.encode()))
    content: dict[str, Any] = json.loads(figure.to_json())
    text = json.dumps(content, separators=(",", ":"))
    write_whole(folder / f"{name}.json", lambda file: file.write(text.encode()))


def _rainbow(count: int) -> list[str]:
    """So many colours, one for each piece."""
    steps = [index / max(count - 1, 1) for index in range(count)]
    colours: list[str] = sample_colorscale("Rainbow", steps)
    return colours


def _grid(names: Sequence[str]) -> go.Figure:
    """One empty square for each name."""
    rows = -(-len(names) // _COLUMNS)
    figure = make_subplots(rows, min(_COLUMNS, len(names)), subplot_titles=names)
    figure.update_layout(width=1100, height=120 + 340 * rows, template="plotly_white")
    return figure
