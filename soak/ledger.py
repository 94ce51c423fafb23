"""What listeners were told, set against what the database holds."""

from collections import Counter
from dataclasses import dataclass, field
from threading import Lock
from typing import Any

from sqlalchemy import select

from listening_test.store import Store
from listening_test.store import schema as t


@dataclass
class Ledger:
    """Every answer that was confirmed, and every fault that was made.

    Attributes:
        sent: the answers that the server confirmed, by id, as they were sent.
        pressed: what was chosen on a real page, by trial.
        faults: how many of each kind.
        wrong: what should never happen, in words.
    """

    sent: dict[str, dict[str, Any]] = field(default_factory=dict)
    pressed: dict[str, int] = field(default_factory=dict)
    faults: Counter[str] = field(default_factory=Counter)
    wrong: list[str] = field(default_factory=list)
    lock: Lock = field(default_factory=Lock)

    def confirmed(self, message: dict[str, Any]) -> None:
        """The server said that it has this answer."""
        with self.lock:
            self.sent[message["id"]] = message

    def fault(self, kind: str) -> None:
        """Something was broken on purpose."""
        with self.lock:
            self.faults[kind] += 1

    def complain(self, sentence: str) -> None:
        """Something happened that never should."""
        with self.lock:
            self.wrong.append(sentence)

    def verdict(self, store: Store) -> dict[str, int]:
        """Counts of answers that were lost, written twice, or changed."""
        joined = t.answers.join(t.trials, t.answers.c.trial_id == t.trials.c.id)
        columns = (t.answers, t.trials.c.code, t.trials.c.listener_id.label("owner"))
        with store.read() as db:
            rows = db.execute(select(*columns).select_from(joined)).all()
        by_id = {row.id: row for row in rows}
        by_code = Counter(row.code for row in rows)
        lost = [key for key in self.sent if key not in by_id]
        lost += [code for code in self.pressed if code not in by_code]
        changed = [
            key
            for key, message in self.sent.items()
            if key in by_id and _differs(by_id[key], message)
        ]
        changed += [
            row.code
            for row in rows
            if row.code in self.pressed and self.pressed[row.code] != row.choice
        ]
        changed += [row.code for row in rows if row.owner != row.listener_id]
        twice = [code for code, times in by_code.items() if times > 1]
        return {
            "answers in the database": len(rows),
            "confirmed to listeners": len(self.sent) + len(self.pressed),
            "lost": len(lost),
            "duplicated": len(twice),
            "altered": len(changed),
            "other trouble": len(self.wrong),
        }


def _differs(row: Any, message: dict[str, Any]) -> bool:
    """Whether a row is not what was sent."""
    kept = (row.code, row.choice, row.sure, [row.heard_x, row.heard_a, row.heard_b], row.elapsed)
    names = ("trial", "choice", "sure", "heard", "elapsed")
    return kept != tuple(message[name] for name in names)
