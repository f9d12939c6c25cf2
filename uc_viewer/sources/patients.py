"""Who was examined, as files name them, and how many different people that is."""

from __future__ import annotations

import re
from collections.abc import Iterable
from dataclasses import dataclass


@dataclass(frozen=True)
class Identity:
    """Who was examined, when, by whom and with what. Empty strings where the object does not say.

    Dates are ISO 8601. ``endoscopist`` is the performing physician, ``device`` manufacturer and model.
    """

    patient_id: str = ""
    patient_id_issuer: str = ""
    patient_name: str = ""
    birth_date: str = ""
    exam_date: str = ""
    study_uid: str = ""
    endoscopist: str = ""
    device: str = ""
    modality: str = ""


def patients(identities: Iterable[Identity]) -> list[Identity]:
    """One identity for each different patient that is named, in the order of their first appearance.

    The same patient ID of the same issuer is the same patient, whatever the name. An object without an ID
    belongs to the patient of the same name and birth date; one that names nothing at all to any.
    """
    by_id: dict[tuple[str, str], Identity] = {}
    without: list[Identity] = []
    for one in identities:
        if one.patient_id:
            by_id.setdefault((one.patient_id, one.patient_id_issuer), one)
        elif one.patient_name or one.birth_date:
            without.append(one)
    seen = {_person(one) for one in by_id.values()}
    found = list(by_id.values())
    for one in without:
        if _person(one) not in seen:
            seen.add(_person(one))
            found.append(one)
    return found


def _person(one: Identity) -> tuple[str, str]:
    """Name and birth date, as far as they tell people apart: devices differ in capitals and commas."""
    return " ".join(re.findall(r"\w+", one.patient_name.casefold())), one.birth_date
