"""Errors of the results; like those of ``csn``, each is one sentence for a person."""

from csn.errors import StemwiseError


class ResultsError(StemwiseError):
    """Answers cannot be analysed in the way that was asked for."""
