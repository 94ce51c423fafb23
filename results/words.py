"""What the figures say, in a sentence for each part of the page."""

import numpy as np

from results.analysis import Analysis
from results.tables import percent


def headline(found: Analysis) -> str:
    """What came out, in one sentence; empty without answers."""
    total = found.agreement.overall
    if total is None:
        return ""
    said = (
        f"Listeners chose what the model finds nearer in {percent(total.share)} % of their answers"
    )
    if np.isfinite(total.low):
        said += f" (95 % interval {percent(total.low)} to {percent(total.high)})"
    return said + "; guessing would give 50 %."


def ceiling_words(found: Analysis) -> str:
    """How much of what is possible that is."""
    top, total = found.ceiling, found.agreement.overall
    if total is None or not np.isfinite(top.majority):
        return "No triplet was answered by two listeners, so nobody knows how far they agree."
    said = (
        f"Listeners do not always agree with each other: whoever took the majority's choice in "
        f"every triplet would be right in {percent(top.majority)} % of the answers, and no model "
        "can do better."
    )
    if np.isfinite(top.others):
        where = "reaches" if total.share >= top.others else "stays below"
        said += (
            f" One listener agrees with the others in {percent(top.others)} %; the model "
            f"{where} that with {percent(total.share)} %."
        )
    return said


def margin_words(found: Analysis) -> str:
    """What agreement depends on."""
    terms = {term.name: term for term in found.mixed.terms} if found.mixed else {}
    margin = terms.get("margin")
    if margin is None:
        return "The mixed model could not be fitted to these answers; the notes say why."
    times = f"{np.exp(margin.estimate):.2f} times"
    span = f"({np.exp(margin.low):.2f} to {np.exp(margin.high):.2f})"
    if margin.low > 0:
        return (
            "The surer the model, the more listeners agree: a margin greater by one standard "
            f"deviation makes the odds of agreeing {times} as high {span}."
        )
    if margin.high < 0:
        return (
            "The surer the model, the less listeners agree: a margin greater by one standard "
            f"deviation makes the odds of agreeing {times} as high {span}."
        )
    return (
        "Whether the model is sure makes no difference that could be shown: a margin greater by "
        f"one standard deviation makes the odds of agreeing {times} as high {span}."
    )


def habits_words(found: Analysis) -> str:
    """How listeners answered: side, pace, confidence."""
    side, time, said = found.side, found.times, []
    if np.isfinite(side.share):
        said.append(f"A was taken in {percent(side.share)} % of the answers")
        if np.isfinite(side.interval.low):
            fair = side.interval.low <= 0.5 <= side.interval.high
            said.append("; no side is preferred" if fair else "; one side is preferred")
        said.append(". ")
    if np.isfinite(time.median):
        said.append(f"Half of the answers took less than {time.median:.1f} seconds. ")
    if found.calibration is not None:
        shares = {one.sure: one.share for one in found.calibration.levels}
        if len(shares) == 2:
            said.append(
                f"Sure answers agree with the model in {percent(shares[True])} %, unsure ones in "
                f"{percent(shares[False])} %."
            )
    return "".join(said).strip()


def spaces_words(found: Analysis) -> str:
    """Which subspaces explain these answers best."""
    best = found.spaces.of()
    if not len(best):
        return "These answers come without the model's distances."
    first, last = best.iloc[0], best.iloc[-1]
    return (
        f"Of the 31 sets of subspaces, {first['space'].replace('+', ' + ')} explains most answers "
        f"({percent(first['score'])} %), {last['space'].replace('+', ' + ')} fewest "
        f"({percent(last['score'])} %), when the model hears the mix."
    )
