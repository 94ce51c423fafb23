"""Tables of answers for the tests of results: a few rows by hand."""

import pandas as pd


def answers(rows, **more):
    """A table of answers from rows of ``(listener, triplet, agrees)``.

    Whoever agrees takes the triplet's first candidate; nothing is swapped.
    """
    who, what, agrees = zip(*rows, strict=True) if rows else ((), (), ())
    table = pd.DataFrame(
        {
            "listener_id": pd.array(who, "Int64"), "triplet_id": pd.array(what, "Int64"),
            "agrees": pd.array([bool(one) for one in agrees], "boolean"),
        }
    )  # fmt: skip
    columns = {
        "kind": "trial", "instrument": "drums", "set": 1, "simulated": False, "swapped": False,
        "choice": ["A" if one else "B" for one in agrees],
        "chosen_first": pd.array([bool(one) for one in agrees], "boolean"), "margin": 0.5,
        "excluded": False, "elapsed": 20.0,
        "protocol": "track",
    }  # fmt: skip
    nothing = pd.array([None] * len(table), "boolean")
    columns |= {name: nothing for name in ("sure", "right", "repeated_same")}
    return table.assign(**(columns | more))
