"""What the papers measured on Slakh, to stand beside our figures; never to be compared with them.

Sources: CSN (Hashizume et al. 2024), tables 1 and 2; IND (2022), tables 1 to 3. What listeners
did (CSN table 3, IND table 4) stands in ``results/published.py``.
"""

from typing import Any, Final

CSN_TABLE_1: Final = {
    "3 s": (82.89, 61.94, 67.40, 70.15, 74.08),
    "3 s, separated": (87.90, 51.46, 47.00, None, None),
    "10 s": (89.69, 84.45, 85.70, 86.26, 84.86),
    "10 s, separated": (88.91, 64.87, 50.34, None, None),
}
"""Music ID (P1), % right, drums to others: by one subspace of the mix, or by an individual network
that hears the separated instrument. None where the paper has no figure."""

CSN_TABLE_2: Final = {
    "basic": (73.1, 28.9, 26.1, 35.7, 67.2),
    "aux+basic": (76.8, 25.7, 23.5, 35.9, 72.0),
    "aux+basic+add": (82.5, 31.8, 28.5, 40.4, 72.5),
    "aux+basic+add'": (85.5, 37.1, 31.3, 44.7, 74.7),
}
"""Pseudo-mixes (P2), % right, drums to others; ' is the row with six times the pieces."""

IND_TABLES: Final[dict[str, Any]] = {
    "accuracy": {"mix": 93.24, "drums": 95.13, "bass": 87.07, "piano": 94.98, "guitar": 91.15},
    "variance": {"mix": 2.8e-4, "drums": 2.3e-5, "bass": 4.7e-4, "piano": 1.6e-5, "guitar": 6.6e-5},
    "pearson": {
        "mix-drums": 0.23, "mix-bass": 0.11, "mix-piano": 0.12, "mix-guitar": 0.32,
        "drums-bass": -0.014, "drums-piano": 0.14, "drums-guitar": 0.026,
        "bass-piano": 0.028, "bass-guitar": 0.015, "piano-guitar": 0.13,
    },
    "spearman": {
        "mix-drums": -0.013, "mix-bass": 0.12, "mix-piano": -0.078, "mix-guitar": 0.060,
        "drums-bass": 0.17, "drums-piano": -0.014, "drums-guitar": 0.11,
        "bass-piano": 0.063, "bass-guitar": 0.047, "piano-guitar": 0.15,
    },
    "reciprocal_ranks": {
        "drums": [0.31, 0.35, 0.22], "bass": [0.20, 0.25, 0.12],
        "piano": [0.28, 0.25, 0.20], "guitar": [0.32, 0.22, 0.14],
    },
}  # fmt: skip
"""Tables 1 (original sounds), 2 and 3: music ID in percent and its variance, agreement, MRR."""
