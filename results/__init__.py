"""What listeners' answers mean: agreement, intervals, models, spaces, weights, plans, reports.

The way in is ``analysis.analyse``; every question has a function of its own beside it, which
takes the tidy table of answers (``listening_test.store.columns.ANSWERS``) and returns a frozen
dataclass.
"""
