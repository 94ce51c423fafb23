"""The Search page: one's own recording, a focus, and what in a library sounds like it."""

from pages.search.screen import page

__all__ = ["page"]
