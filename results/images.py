"""Plotly figures as files for print: kaleido draws them in a browser that is on this computer.

Nothing is fetched from a network: the browser loads plotly.js from the installed package, and
MathJax, which kaleido would look for elsewhere, is left out.
"""

import asyncio
from collections.abc import Collection, Mapping, Sequence
from concurrent.futures import ThreadPoolExecutor
from contextlib import suppress
from pathlib import Path
from typing import Any, Final

import plotly.graph_objects as go

from results.errors import ResultsError

FORMATS: Final = ("png", "svg", "pdf")
_SCALE: Final = 3  # of PNG: 720 pixels at 3 are 300 dpi on 18 cm
_STARTS: Final = 90.0  # seconds in which a browser must have started, on a busy computer too
_CLOSES: Final = 10.0  # seconds in which it should be gone


def browser() -> str | None:
    """The browser that will draw, if there is one on this computer."""
    from choreographer.browsers import Chromium  # noqa: PLC0415 - only where images are wanted

    found = Chromium.find_browser(skip_local=False)
    return str(found) if found else None


def write_images(
    figures: Mapping[str, go.Figure], folder: Path, formats: Collection[str] = FORMATS
) -> Sequence[Path]:
    """Draw figures into files, all in one start of the browser.

    Args:
        figures: by the name of their file; with a width and a height.
        folder: where to; it is made.
        formats: of ``FORMATS``.

    Returns:
        The files.

    Raises:
        ResultsError: there is no browser, or it does not draw.
    """
    if unknown := set(formats) - set(FORMATS):
        raise ResultsError(
            f"No figure can be written as {unknown.pop()!r}; choose png, svg or pdf."
        )
    if not figures or not formats:
        return ()
    if browser() is None:
        raise ResultsError(
            "Figures as PNG, SVG or PDF need Chromium or Chrome on this computer; install it, or "
            "save them from the report's own page."
        )
    from choreographer.errors import BrowserFailedError  # noqa: PLC0415

    folder.mkdir(parents=True, exist_ok=True)
    jobs = [
        {
            "fig": figure.to_dict(), "path": str(folder / f"{name}.{kind}"),
            "opts": {
                "format": kind, "width": figure.layout.width, "height": figure.layout.height,
                "scale": _SCALE if kind == "png" else 1,
            },
        }
        for kind in formats
        for name, figure in figures.items()
    ]  # fmt: skip
    try:
        with ThreadPoolExecutor(1) as own:  # the caller's thread may have a loop that runs
            own.submit(asyncio.run, _draw(jobs)).result()
    except (TimeoutError, BrowserFailedError) as error:  # the second also where time was up
        raise ResultsError(
            f"{browser()} closed at once or did not start within {_STARTS:g} s; try again when "
            "this computer is less busy."
        ) from error
    except Exception as error:  # whatever a browser can do wrong
        raise ResultsError(f"The browser did not draw the figures ({error}).") from error
    missing = [job["path"] for job in jobs if not Path(str(job["path"])).is_file()]
    if missing:
        raise ResultsError(f"The browser did not draw {missing[0]}; try again.")
    return [Path(str(job["path"])) for job in jobs]


async def _draw(jobs: Sequence[Mapping[str, Any]]) -> None:
    """Start the browser, draw, and close it.

    A browser that is told to close may be gone before its answer is read. Kaleido would wait for
    that without end; when it is cancelled it goes on and clears up.
    """
    import kaleido  # noqa: PLC0415

    drawing = kaleido.Kaleido(mathjax=False)
    try:
        await asyncio.wait_for(drawing.open(), _STARTS)
        await drawing.write_fig_from_object(jobs)
    finally:
        with suppress(TimeoutError):
            await asyncio.wait_for(drawing.close(), _CLOSES)
