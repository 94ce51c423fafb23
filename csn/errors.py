"""Errors that people read: each says in one sentence what was wrong, where, and what to do."""


class StemwiseError(Exception):
    """Base of every error whose message is shown to a person as it is."""


class CorpusError(StemwiseError):
    """A folder is not the corpus it was said to be, or too small for what was asked of it."""


class AudioError(StemwiseError):
    """An audio file or signal cannot be used."""


class ModelError(StemwiseError):
    """A model file is damaged, foreign, or does not fit what it is used with."""


class LibraryError(StemwiseError):
    """An embedded corpus is missing, damaged, or was made by another model."""


class ToolError(StemwiseError):
    """A program or soundfont that the work needs is not installed."""


class Paused(KeyboardInterrupt):
    """Work was stopped on request and can be gone on with; the message says how."""
