"""Studies: an experimenter designs a listening test, sends links, and watches answers come in."""

from pages.studies.screen import page

__all__ = ["page"]
