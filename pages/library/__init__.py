"""Library: collections of one's own are embedded, brought up to date, renamed and removed."""

from pages.library.screen import page

__all__ = ["page"]
