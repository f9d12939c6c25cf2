"""What a case is found by in the list."""

from __future__ import annotations

import re
import unicodedata
from datetime import datetime

from uc_viewer.case import Case

_DAY = re.compile(r"\d{4}-\d{2}-\d{2}")


def folded(text: str) -> str:
    """A text as it is compared: without capitals and accents, "IŞIK" like "ışık" like "isik"."""
    plain = unicodedata.normalize("NFKD", text.replace("ı", "i").casefold().replace("ı", "i"))
    return "".join(sign for sign in plain if not unicodedata.combining(sign))


def searched(case: Case) -> str:
    """All that the words of a search are looked for in."""
    return folded("\n".join((case.patient_id, case.patient_name, case.endoscopist, case.indication)))


def words(text: str) -> list[str]:
    """The words of a search; each must be found."""
    return folded(text).split()


def day_of(case: Case, created: str) -> str:
    """The day of the examination, ISO 8601; that of the entry here where the case does not say it so.

    ``created``: when the case was entered, ISO 8601 with its zone, or empty.
    """
    if found := _DAY.match(case.exam_date):
        return found[0]
    return datetime.fromisoformat(created).astimezone().date().isoformat() if created else ""
