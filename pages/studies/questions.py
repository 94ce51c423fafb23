"""The editor of the closing questionnaire: a table with a row for each question."""

import re
from collections.abc import Iterable, Mapping
from typing import Any, Final

import pandas as pd
import streamlit as st

from listening_test.study import Question
from pages.studies.form import Form
from pages.studies.words import LABELS

_KINDS: Final = {
    "text": "Words", "number": "A number", "choice": "One of several", "scale": "Steps of a scale",
}  # fmt: skip
_COLUMNS: Final = ("label", "kind", "options", "required", "id")


def questionnaire(form: Form) -> None:
    """Draw the editor, and keep what it says in the form."""
    st.markdown(
        f"**{LABELS['questions']}** :gray[· shown after the last trial; every row is a question]"
    )
    base = st.session_state.setdefault(f"{form.key}-questions-base", table(form.settings.questions))
    edited = st.data_editor(
        base, key=f"{form.key}-questions", num_rows="dynamic", disabled=form.frozen,
        hide_index=True, width="stretch",
        column_config={
            "label": st.column_config.TextColumn("Question", width=250, required=True),
            "kind": st.column_config.SelectboxColumn(
                "Answer", options=list(_KINDS.values()), default=_KINDS["text"], required=True,
                width=105,
            ),
            "options": st.column_config.TextColumn(
                "Options", help="Separated by semicolons.", width=90
            ),
            "required": st.column_config.CheckboxColumn("Must", default=False, width=60),
            "id": st.column_config.TextColumn(
                "Column", width=80, help="In the export; made from the question where it is empty."
            ),
        },
    )  # fmt: skip
    form.values["questions"] = from_table(edited.to_dict("records"))


def table(questions: Iterable[Question]) -> pd.DataFrame:
    """Questions as the editor shows them."""
    rows = [
        (one.label, _KINDS.get(one.kind, one.kind), "; ".join(one.options), one.required, one.id)
        for one in questions
    ]
    frame = pd.DataFrame(rows, columns=list(_COLUMNS))
    return frame.astype(dict.fromkeys(_COLUMNS, object) | {"required": bool})


def from_table(rows: Iterable[Mapping[Any, Any]]) -> tuple[Question, ...]:
    """Questions as somebody edited them; rows without a question are left out."""
    kinds = {words: kind for kind, words in _KINDS.items()}
    found: list[Question] = []
    for row in rows:
        label = _text(row.get("label"))
        if not label:
            continue
        options = [option.strip() for option in _text(row.get("options")).split(";")]
        found.append(
            Question(
                id=_text(row.get("id")) or _slug(label, {one.id for one in found}),
                label=label,
                kind=kinds.get(_text(row.get("kind")), "text"),
                options=tuple(option for option in options if option),
                required=row.get("required") is True,
            )
        )
    return tuple(found)


def _text(value: object) -> str:
    return value.strip() if isinstance(value, str) else ""


def _slug(label: str, taken: set[str]) -> str:
    """A column's name from a question: ``How old are you?`` becomes ``how_old_are_you``."""
    name = re.sub(r"[^a-z0-9]+", "_", label.lower()).strip("_")[:32].strip("_")
    name = name if re.match("[a-z]", name) else f"question_{len(taken) + 1}"
    number = 2
    start = name
    while name in taken:
        name, number = f"{start}_{number}", number + 1
    return name
