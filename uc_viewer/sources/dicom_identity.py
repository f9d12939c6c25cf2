"""What a DICOM header says in words and numbers, and who it says was examined."""

from __future__ import annotations

import re

from pydicom.dataelem import RawDataElement
from pydicom.dataset import Dataset
from pydicom.multival import MultiValue
from pydicom.valuerep import PersonName

from uc_viewer.sources.patients import Identity

MAX_TEXT = 200
"""Longest text taken over, in characters."""

NAMED = (
    "PatientID",
    "IssuerOfPatientID",
    "PatientName",
    "PatientBirthDate",
    "StudyDate",
    "SeriesDate",
    "AcquisitionDate",
    "ContentDate",
    "StudyInstanceUID",
    "PerformingPhysicianName",
    "Manufacturer",
    "ManufacturerModelName",
    "Modality",
)
"""The elements an `Identity` is made of."""


def identity_of(ds: Dataset) -> Identity:
    """Who and what a header names."""
    dates = (_date(text(ds, f"{which}Date")) for which in ("Study", "Series", "Acquisition", "Content"))
    maker, model = text(ds, "Manufacturer"), text(ds, "ManufacturerModelName")
    return Identity(
        patient_id=text(ds, "PatientID"),
        patient_id_issuer=text(ds, "IssuerOfPatientID"),
        patient_name=_names(ds, "PatientName"),
        birth_date=_date(text(ds, "PatientBirthDate")),
        exam_date=next((date for date in dates if date), ""),
        study_uid=text(ds, "StudyInstanceUID"),
        endoscopist=_names(ds, "PerformingPhysicianName"),
        # Many models carry their maker's name already.
        device=model if model.casefold().startswith(maker.casefold()) else f"{maker} {model}".strip(),
        modality=text(ds, "Modality"),
    )


def text(ds: Dataset, keyword: str) -> str:
    """The value of an element as one printable line, several joined by a semicolon."""
    return "; ".join(filter(None, strings(value(ds, keyword))))


def strings(stated: object) -> tuple[str, ...]:
    """One or several values of an element, each as one printable line of at most `MAX_TEXT` characters."""
    return tuple(_clean(str(one)) for one in several(stated))


def numbers(ds: Dataset, keyword: str) -> list[float]:
    """The numbers of an element; none if it is not there or says something else."""
    try:
        return [float(str(one)) for one in several(value(ds, keyword)) if one != ""]
    except (ValueError, TypeError, OverflowError):
        return []


def value(ds: Dataset, keyword: str) -> object:
    """The value of an element, or None if it is not there or empty, or so long that it was not read."""
    if keyword not in ds:
        return None
    raw = ds.get_item(keyword, keep_deferred=True)
    if isinstance(raw, RawDataElement) and raw.value is None:
        return None
    return ds[keyword].value


def several(stated: object) -> list[object]:
    """The values of an element as a list, whether none, one or more are stated."""
    if stated is None:
        return []
    return list(stated) if isinstance(stated, (list, MultiValue)) else [stated]


def _names(ds: Dataset, keyword: str) -> str:
    """Names for readers: "Yılmaz, Ayşe", "Hong, Gildong (홍길동)"; several are joined by a semicolon."""
    people = (one for one in several(value(ds, keyword)) if isinstance(one, PersonName))
    return "; ".join(filter(None, map(_name, people)))


def _name(person: PersonName) -> str:
    """Family name first, then the name in the person's own script.

    Of the groups for other scripts the last is taken: in Korean that is Hangul, which more people read.
    """
    family, *others = (_clean(part) for part in person.alphabetic.split("^"))
    latin = ", ".join(filter(None, [family, " ".join(filter(None, others))]))
    for group in (person.phonetic, person.ideographic):
        own = "".join(_clean(part) for part in group.split("^"))
        if own:
            return f"{latin} ({own})" if latin else own
    return latin


def _date(written: str) -> str:
    """ "20240131" (or, before 1993, "2024.01.31") as "2024-01-31"; empty if it is no date."""
    found = re.fullmatch(r"(\d{4})\.?(0[1-9]|1[0-2])\.?(0[1-9]|[12]\d|3[01])", written)
    return "-".join(found.groups()) if found else ""


def _clean(written: str) -> str:
    """Printable, of bounded length, without padding."""
    return "".join(character for character in written if character.isprintable()).strip()[:MAX_TEXT]
