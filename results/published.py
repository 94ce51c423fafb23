"""What the papers published, in one place, to stand beside a study's own figures.

Counts are ours: no paper prints them. ``tests/results/test_published.py`` shows that the published
percentages follow from them, and where they are the only ones that fit.
"""

from dataclasses import dataclass
from typing import Final


@dataclass(frozen=True)
class Published:
    """A percentage that a paper prints, and the counts from which it follows.

    Attributes:
        paper: ``CSN`` (Hashizume et al. 2024) or ``IND`` (2022).
        instrument: what was asked about.
        set: ``1``, ``2`` or ``total``.
        percent: as printed; None where the paper's table as we have it leaves the cell empty.
        half: ± as printed.
        agreeing: correct answers that fit.
        n: answers that fit.
    """

    paper: str
    instrument: str
    set: str
    percent: float | None
    half: float | None
    agreeing: int
    n: int


def _csn(name: str, which: str, percent: float | None, half: float | None, k: int) -> Published:
    return Published("CSN", name, which, percent, half, k, 240 if which == "total" else 120)


CSN_LISTENERS: Final = 15
"""Not printed; the only number up to 60 with which all of table 3 can come about."""

CSN_TABLE_3: Final = (
    _csn("drums", "1", 70.8, 8.2, 85),
    _csn("drums", "2", None, None, 99),
    _csn("drums", "total", 76.7, 5.4, 184),
    _csn("bass", "1", 53.3, 9.0, 64),
    _csn("bass", "2", None, None, 118),
    _csn("bass", "total", 75.8, 5.4, 182),
    _csn("piano", "1", 44.2, 8.9, 53),
    _csn("piano", "2", None, None, 89),
    _csn("piano", "total", 59.2, 6.2, 142),
    _csn("guitar", "1", 84.2, 6.6, 101),
    _csn("guitar", "2", None, None, 97),
    _csn("guitar", "total", 82.5, 4.8, 198),
)
"""CSN, table 3. Set 2 is the total less set 1."""

IND_LISTENERS: Final = 13
IND_TABLE_4: Final = tuple(
    Published("IND", name, "total", percent, half, k, 104)
    for name, percent, half, k in (
        ("mix", 76.92, 0.27, 80),
        ("drums", 67.31, 0.25, 70),
        ("bass", 76.92, 0.32, 80),
        ("piano", 55.77, 0.28, 58),
        ("guitar", 74.04, 0.24, 77),
    )
)
"""IND, table 4: 13 listeners, 8 sets a criterion.

Its ± is no interval of a share of 104 answers, which would be about 8 percent and equal for equal
shares. As a fraction (0.27 = 27 percent) it fits the t interval of a mean over the eight sets, and
does not fit that over the thirteen listeners; this reading is ours and stands nowhere in the paper.
"""

MULTI_TABLE_2: Final = {
    ("genre", "mood", "instrument", "era", "tempo", "key"): 0.8380,
    ("genre", "mood", "instrument", "era", "key"): 0.8286,
    ("genre", "instrument", "era", "tempo"): 0.8286,
    ("genre", "mood", "instrument", "era", "tempo"): 0.8263,
    ("genre", "mood", "era", "tempo", "key"): 0.8263,
    ("genre", "mood", "instrument", "era"): 0.8263,
    ("genre",): 0.7535,
    ("mood",): 0.7535,
    ("instrument",): 0.6901,
    ("era",): 0.7559,
    ("tempo",): 0.5798,
    ("key",): 0.6362,
}
"""MULTI, table 2: triplet score on 426 human triplets by the subspaces that are switched on."""

MULTI_TRIPLETS: Final = 426


def published(protocol: str) -> tuple[Published, ...]:
    """The table of the paper whose protocol a study follows; empty for imported triplets."""
    return {"track": CSN_TABLE_3, "criterion": IND_TABLE_4}.get(protocol, ())
