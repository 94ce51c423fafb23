"""Errors that people read: each says in one sentence what was wrong, where, and what to do."""

import unicodedata
from typing import ClassVar, Final

_UNSHOWN: Final = ("Cc", "Cs", "Zl", "Zp")  # control signs, lone halves of signs, ends of lines


def shown(text: str) -> str:
    r"""Text in one line that any terminal, file and page can hold.

    Names of files may contain line breaks, and bytes that are no text at all.

    >>> shown("a\nb"), shown("\udcff.wav")
    ('a\\x0ab', '\\udcff.wav')
    """
    return "".join(
        (f"\\x{ord(c):02x}" if ord(c) < 256 else f"\\u{ord(c):04x}")
        if unicodedata.category(c) in _UNSHOWN
        else c
        for c in text
    )


class StemwiseError(Exception):
    """Base of every error whose message is shown to a person as it is, in one line.

    Attributes:
        lines: whether the message may have several, for a list of things to mend.
    """

    lines: ClassVar[bool] = False

    def __init__(self, *args: object) -> None:
        """See the class."""
        super().__init__(*(self._told(one) if isinstance(one, str) else one for one in args))

    def _told(self, text: str) -> str:
        return "\n".join(map(shown, text.split("\n"))) if self.lines else shown(text)


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
