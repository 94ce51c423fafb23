"""A form whose every change is kept in the draft at once, whoever else has it open."""

from collections.abc import Callable, Hashable, Mapping, Sequence
from dataclasses import dataclass, field, fields, replace
from typing import Any, Final

import streamlit as st

from listening_test.study import Settings
from pages.studies.words import CHOICES, hint, label, settle

_FORM: Final = "study_form"  # where the session remembers what it drew


@dataclass
class Form:
    """The controls of a version's settings; each knows its setting by name.

    A control is given its value as its own default, never through the session: what the session
    says reaches a browser once, and a browser that draws a control only after the next run would
    show, and send back, an empty one. An input that may be empty can have no default, so there is
    none: a number stands for nothing.

    Attributes:
        settings: what the database has.
        key: prefix of the controls' keys; a new one draws them anew.
        frozen: whether nothing may be changed any more.
        values: what the controls say, by setting.
    """

    settings: Settings
    key: str
    frozen: bool
    values: dict[str, Any] = field(default_factory=dict)

    def key_of(self, name: str) -> str:
        """The key of a control."""
        return f"{self.key}-{name}"

    def label(self, name: str) -> str:
        """The name of a setting, with the paper's value where there is one."""
        return label(self.settings, name) + hint(self.settings, name)

    def text(self, name: str, help: str = "", *, most: int = 200, empty: str = "") -> None:
        """A line of text."""
        said = st.text_input(
            self.label(name), getattr(self.settings, name), key=self.key_of(name), live=True,
            max_chars=most, placeholder=empty, disabled=self.frozen, help=help or None,
        )  # fmt: skip
        self.values[name] = said or ""

    def number(self, name: str, low: float, high: float, help: str = "", step: float = 1) -> None:
        """A number within its bounds."""
        self.values[name] = st.number_input(
            self.label(name), low, high, self._within(name, low, high), step=step,
            format="%d" if isinstance(low, int) else "%g", key=self.key_of(name),
            disabled=self.frozen, help=help or None,
        )  # fmt: skip

    def maybe(self, name: str, high: int, help: str = "") -> None:
        """A whole number; 0 stands for none."""
        self.values[name] = st.number_input(
            self.label(name), 0, high, getattr(self.settings, name) or 0, step=1,
            key=self.key_of(name), disabled=self.frozen, help=help or None,
        ) or None  # fmt: skip

    def switch(self, name: str, help: str = "") -> None:
        """Yes or no."""
        self.values[name] = st.toggle(
            self.label(name), getattr(self.settings, name), key=self.key_of(name),
            disabled=self.frozen, help=help or None,
        )  # fmt: skip

    def one(self, name: str, help: str = "", **options: Any) -> None:
        """One of a few choices, all of them in sight."""
        words = CHOICES[name]
        self.values[name] = st.segmented_control(
            self.label(name), list(words), format_func=lambda value: words[value], required=True,
            default=getattr(self.settings, name), key=self.key_of(name), disabled=self.frozen,
            help=help or None, **options,
        )  # fmt: skip

    def several(
        self, name: str, options: Sequence[Any], words: Mapping[Any, str], help: str = ""
    ) -> None:
        """Any of a few choices; kept in the order of the options."""
        had = [value for value in getattr(self.settings, name) if value in options]
        chosen = st.pills(
            self.label(name), options, selection_mode="multi", default=had, key=self.key_of(name),
            format_func=lambda value: words.get(value, str(value).capitalize()),
            disabled=self.frozen, help=help or None,
        )  # fmt: skip
        self.values[name] = tuple(value for value in options if value in chosen)

    def _within(self, name: str, low: float, high: float) -> float:
        value = getattr(self.settings, name)
        return type(low)(min(max(value, low), high))

    def drawn(self) -> Settings:
        """The settings as the controls show them; those without a control stay."""
        return replace(self.settings, **self.values)


def edit(
    identity: Hashable, stored: Settings, draw: Callable[[Form], None], *, frozen: bool
) -> Settings:
    """Draw a form, and find what its person wants the settings to be.

    What somebody else has changed meanwhile is kept: only what this person changed is taken from
    the controls. Where the controls do not show the result, they are drawn anew next time.

    Args:
        identity: of the version.
        stored: what the database has.
        draw: draws the controls of a form.
        frozen: whether nothing may be changed any more.

    Returns:
        The settings to keep; equal to ``stored`` where nothing changed.
    """
    memory: dict[str, Any] = st.session_state.setdefault(_FORM, {"turn": 0})
    key = f"study-{identity}-{memory['turn']}"
    if memory.get("identity") != identity or f"{key}-title" not in st.session_state:
        memory |= {"identity": identity, "seen": stored, "turn": memory["turn"] + 1}
        key = f"study-{identity}-{memory['turn']}"
    seen: Settings = memory["seen"]
    form = Form(seen, key, frozen)
    draw(form)
    drawn = form.drawn()
    wanted = settle(merged(seen, drawn, stored), stored)
    memory["seen"] = wanted
    if wanted != drawn:
        memory["identity"] = None
    return wanted


def drawn_anew() -> bool:
    """Whether the controls have to be drawn anew."""
    return bool(st.session_state.get(_FORM, {}).get("identity") is None)


def merged(seen: Settings, drawn: Settings, stored: Settings) -> Settings:
    """What one person changed, on top of what the database has by now.

    Args:
        seen: what this person's controls were drawn from.
        drawn: what they show now.
        stored: what the database has.
    """
    changed = {
        item.name: getattr(drawn, item.name)
        for item in fields(Settings)
        if getattr(drawn, item.name) != getattr(seen, item.name)
    }
    return replace(stored, **changed) if changed else stored
