"""All that the session tells the window, as signals in the past tense."""

from __future__ import annotations

from PySide6.QtCore import QObject, Signal


class News(QObject):
    """The signals of `uc_viewer.gui.session.Session`, each told after the change it speaks of."""

    began = Signal()
    """A new, empty case was begun; the old one is gone."""
    listed = Signal(object)
    """More frames belong to the case and wait to be scored: their `FrameKey`\\ s, in order."""
    already_there = Signal(int)
    """So many files of a drop were in the case before."""
    several_patients = Signal(object, object)
    """A drop was left aside: its `Files`, and the `Identity`s of the patients that it and the case name."""
    patient_named = Signal(object)
    """A DICOM file of the case names a patient: the `Identity`."""
    loading = Signal()
    """A model is being loaded."""
    loaded = Signal(object)
    """The model stands ready: its `Model`."""
    restarted = Signal()
    """All scores were dropped, to be made anew by another model; what the reader said stays."""
    scored = Signal(object)
    """One more `FrameResult` or `Unreadable`."""
    duplicate_found = Signal(object)
    """A `Duplicate`."""
    paused_changed = Signal(bool)
    """The run was paused, or goes on."""
    ended = Signal(bool)
    """Nothing is left to do; True when every picture was looked at."""
    picture_opened = Signal(object)
    """The `jobs.Picture` asked for last."""
    thumbnail_made = Signal(object)
    """A `jobs.Thumbnail`."""
    explained = Signal(object)
    """The `jobs.Explained` asked for last."""
    report_made = Signal(object)
    """The `jobs.Report` asked for last."""
    page_drawn = Signal(object)
    """A `jobs.Page` of the report made last."""
    saved = Signal(object)
    """A report lies at this `Path`."""
    exported = Signal(object)
    """Overlays lie in a folder: `jobs.Saved`."""
    failed = Signal(str)
    """A job came to nothing for a reason outside the program: one line that says what to do."""
    broke = Signal(object)
    """A job came to nothing by a fault of the program: the exception."""
