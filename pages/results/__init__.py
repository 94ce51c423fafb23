"""Results: what listeners' answers mean, from the demo's, a study's, or an uploaded export."""

from pages.results.screen import page

__all__ = ["page"]
