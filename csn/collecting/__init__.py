"""Make a library of a corpus, and keep it up with the corpus: what ``csn embed`` does.

``pieces`` says what has changed, ``build`` embeds that, ``maps`` draws it, ``folder`` moves the new
library into the place of the old, and ``work`` lets people watch, pause and go on.
"""
