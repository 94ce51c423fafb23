"""The look of the pages on which experimenters sign in: forms without scripts, text escaped."""

from dataclasses import dataclass
from html import escape
from pathlib import Path
from string import Template
from typing import Final

from starlette.responses import Response

from listening_test.accounts import LONGEST, SHORTEST

HEADERS: Final = {
    "Cache-Control": "no-store",
    # Not "no-referrer": with that, browsers would hide from us which page a form came from.
    "Referrer-Policy": "same-origin",
    "X-Content-Type-Options": "nosniff",
    "X-Robots-Tag": "noindex, nofollow",
    "Content-Security-Policy": (
        "default-src 'none'; style-src 'self'; img-src data:; base-uri 'none'; "
        "form-action 'self'; frame-ancestors 'none'"
    ),
}
_PAGE: Final = Template((Path(__file__).parent / "web" / "account.html").read_text("utf-8"))


@dataclass(frozen=True)
class Field:
    """Something to fill in.

    Attributes:
        name: under which it is sent.
        label: what a person reads.
        complete: what a password manager may put there (``autocomplete``).
        hint: a line below the label.
        secret: whether what is typed is hidden.
    """

    name: str
    label: str
    complete: str
    hint: str = ""
    secret: bool = False

    def html(self, value: str, *, first: bool) -> str:
        """The field; a secret is never filled in again."""
        bounds = f' minlength="{SHORTEST}"' if self.complete == "new-password" else ""
        most = LONGEST if self.secret else 80
        kind = "password" if self.secret else "text"
        filled = "" if self.secret or not value else f' value="{escape(value)}"'
        hint = f"<small>{escape(self.hint)}</small>" if self.hint else ""
        return (
            f'<label>{escape(self.label)} {hint}<input name="{self.name}" type="{kind}" '
            f'autocomplete="{self.complete}" autocapitalize="none" spellcheck="false" '
            f'maxlength="{most}"{bounds} required{" autofocus" if first else ""}{filled}></label>'
        )


NAME: Final = Field("name", "Name", "username")
PASSWORD: Final = Field("password", "Password", "current-password", secret=True)
NEW: Final = Field(
    "password", "New password", "new-password",
    f"At least {SHORTEST} characters; a sentence is a good one.", secret=True,
)  # fmt: skip
AGAIN: Final = Field("again", "The same once more", "new-password", secret=True)
OLD: Final = Field("old", "Present password", "current-password", secret=True)


@dataclass(frozen=True)
class Screen:
    """A page with one thing to do.

    Attributes:
        title: of the page.
        lead: sentences before the form.
        fields: of the form.
        button: what sends it; empty for a page without a form.
        links: address to words, below the form.
        shown: a text to be copied.
        after: the form's hidden field ``next``.
    """

    title: str
    lead: str = ""
    fields: tuple[Field, ...] = ()
    button: str = ""
    links: tuple[tuple[str, str], ...] = ()
    shown: str = ""
    after: str = ""

    def response(
        self, base: str, problem: str = "", status: int = 200, given: dict[str, str] | None = None
    ) -> Response:
        """The page.

        Args:
            base: path before all others.
            problem: what was wrong with what was sent.
            status: of the response.
            given: what was sent.
        """
        parts = [f'<p role="alert">{escape(problem)}</p>'] if problem else []
        parts += [f"<p>{escape(self.lead)}</p>"] if self.lead else []
        if self.shown:
            parts.append(
                f'<form><label>Link <input value="{escape(self.shown)}" readonly autofocus>'
                "</label></form>"
            )
        if self.button:
            parts.append(self._form(given or {}))
        for address, words in self.links:
            parts.append(f'<p class="quiet"><a href="{escape(address)}">{escape(words)}</a></p>')
        page = _PAGE.substitute(title=escape(self.title), base=base, body="\n".join(parts))
        return Response(page, status, HEADERS, "text/html")

    def _form(self, given: dict[str, str]) -> str:
        fields = "".join(
            field.html(given.get(field.name, ""), first=number == 0)
            for number, field in enumerate(self.fields)
        )
        after = f'<input type="hidden" name="next" value="{escape(self.after)}">'
        return (
            f'<form method="post">{fields}{after if self.after else ""}'
            f"<button>{escape(self.button)}</button></form>"
        )
