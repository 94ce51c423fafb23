"""Errors of listening tests; like those of ``csn``, each is one sentence for a person."""

from csn.errors import StemwiseError


class StudyError(StemwiseError):
    """A study, or what somebody wants to do with it, does not hold together.

    A table of triplets may be wrong in many rows: each has a line.
    """

    lines = True


class StoreError(StemwiseError):
    """The database of answers cannot be reached, or would not take something."""


class AccessError(StemwiseError):
    """Somebody asks for what they may not have."""


class LabError(StemwiseError):
    """The sound device of this computer cannot be used."""
