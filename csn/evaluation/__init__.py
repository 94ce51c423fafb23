"""How well the subspaces follow their instruments: identity (P1), pseudo-mixes (P2), leakage.

Every measure judges the model beside an untrained encoder and log-mel statistics of the mix, on
the same sounds in the same run, and answers with a result that has ``to_json()`` and ``table()``.
"""

from csn.evaluation.identity import Identity, identity
from csn.evaluation.leakage import Leakage, leakage
from csn.evaluation.pseudo_mixes import PseudoMixes, PseudoMixSettings, pseudo_mixes
from csn.evaluation.report import Score

__all__ = [
    "Identity",
    "Leakage",
    "PseudoMixSettings",
    "PseudoMixes",
    "Score",
    "identity",
    "leakage",
    "pseudo_mixes",
]
