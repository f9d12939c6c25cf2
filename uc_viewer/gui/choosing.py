"""What the user may choose: colours and paper, keys, the model and where it runs."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import replace
from pathlib import Path
from typing import Any

from PySide6.QtCore import QObject
from PySide6.QtWidgets import QApplication, QFileDialog, QInputDialog, QWidget

from mtl_core.aggregate import Rule
from mtl_core.bundle import BundleError, read_card
from uc_viewer import paths
from uc_viewer.gui import theme
from uc_viewer.gui.actions import Actions
from uc_viewer.gui.dialogs.key_sheet import KeySheet
from uc_viewer.gui.dialogs.model_card import ModelCard
from uc_viewer.gui.dialogs.model_picker import Choice, ModelPicker
from uc_viewer.gui.dialogs.preferences import Preferences
from uc_viewer.gui.session import Session
from uc_viewer.gui.widgets.toast import Toasts
from uc_viewer.settings import Settings
from uc_viewer.sources.listing import Files
from uc_viewer.sources.patients import Identity, patients
from uc_viewer.sources.sampling import Sampling


class Choosing(QObject):
    """Shows the dialogs of choices and does what was chosen. ``settings`` holds what holds now."""

    def __init__(
        self,
        session: Session,
        window: QWidget,
        toasts: Toasts,
        actions: Actions,
        settings: Settings,
        keep: Callable[[Settings], None],
    ) -> None:
        super().__init__(window)
        self._session, self._window, self._toasts, self._actions = session, window, toasts, actions
        self.settings, self._keep = settings, keep
        self._patient: Identity | None = None
        self._take_rules(settings)
        session.began.connect(self._on_began)
        session.several_patients.connect(self._choose_patient)
        session.patient_named.connect(self._on_patient)

    def change(self, **changes: Any) -> None:
        """Change and keep some settings."""
        self._take(replace(self.settings, **changes))

    def preferences(self) -> None:
        """Colours, size, paper."""
        dialog = Preferences(self.settings, self._window)
        dialog.changed.connect(self._take)
        dialog.exec()
        dialog.deleteLater()

    def keys(self) -> None:
        """The cheat sheet, where keys can be changed."""
        dialog = KeySheet(self._actions.rows(), self._window)
        dialog.keys_changed.connect(lambda keys: self.change(keys=keys))
        dialog.exec()
        dialog.deleteLater()

    def model(self) -> None:
        """Which model scores, and where it runs."""
        session, current = self._session, self._session.model_name or paths.default_model()
        names = [*paths.bundled_models()]
        if current not in names:
            names.append(current)
        choices = [choice for name in names if (choice := self._choice(name))]
        dialog = ModelPicker(choices, current, session.device, bool(session.items), self._window)
        dialog.card_wanted.connect(lambda name: self.card(name, dialog))
        dialog.folder_wanted.connect(lambda: self._ask_folder(dialog))
        dialog.chosen.connect(self._use)
        dialog.exec()
        dialog.deleteLater()

    def card(self, name: str = "", parent: QWidget | None = None) -> None:
        """The card of a model; of the one in use, without a name."""
        try:
            card = read_card(paths.model_folder(name or self._session.model_name))
        except (BundleError, paths.ModelNotFound) as fault:
            self._toasts.warn(str(fault))
            return
        dialog = ModelCard(card, parent or self._window)
        dialog.exec()
        dialog.deleteLater()

    def _on_began(self) -> None:
        """What was told and offered is of another case."""
        self._patient = None
        self._toasts.clear()

    def _choose_patient(self, source: Files, named: list[Identity]) -> None:
        """Files of several patients, that of the case perhaps among them, are never put into one case."""
        if (own := self._patient) is None:
            self._ask_patient(source, named)
            return
        others = "; ".join(_patient(one) for one in named if len(patients([own, one])) > 1)
        self._toasts.warn(
            self.tr(
                "Some DICOM files name another patient than this case: {0}. They were left out; open them as "
                "a case of their own."
            ).format(others)
        )
        self._session.add_of(source, own)

    def _ask_patient(self, source: Files, named: list[Identity]) -> None:
        """Let the reader take the files of one patient, or none."""
        words = [_patient(one) or self.tr("unnamed") for one in named]
        labels = [f"{number}. {text}" for number, text in enumerate(words, 1)]
        label, chosen = QInputDialog.getItem(
            self._window,
            self.tr("Several patients"),
            self.tr(
                "The DICOM files name {0} patients. A case holds one. Whose files belong to this case? "
                "Open the others as cases of their own."
            ).format(len(named)),
            labels,
            0,
            False,
        )
        if chosen:
            self._session.add_of(source, named[labels.index(label)])

    def _on_patient(self, who: Identity) -> None:
        """Patient and examination are taken over only if the reader wants it."""
        self._patient = who
        if _patient(who) or who.exam_date:
            self._toasts.warn(
                self.tr("The DICOM files name a patient and an examination."),
                self.tr("Take over"),
                lambda: self._take_patient(who),
            )

    def _take_patient(self, who: Identity) -> None:
        reader = self._session.reader
        case = reader.case
        reader.describe(
            replace(
                case,
                patient_id=who.patient_id or case.patient_id,
                patient_name=who.patient_name or case.patient_name,
                birth_date=who.birth_date or case.birth_date,
                exam_date=who.exam_date or case.exam_date,
                endoscopist=who.endoscopist or case.endoscopist,
            ),
            self.tr("details from DICOM"),
        )

    def _take(self, settings: Settings) -> None:
        before, self.settings = self.settings, settings
        if settings.theme != before.theme and isinstance(app := QApplication.instance(), QApplication):
            theme.choose(app, settings.theme)
        self._take_rules(settings)
        if settings.keys != before.keys:
            self._actions.set_keys(settings.keys)
        self._keep(settings)

    def _take_rules(self, settings: Settings) -> None:
        self._session.sampling = Sampling(settings.frames_per_second)
        self._session.use_rule(Rule(frames=settings.sustained_frames, seconds=settings.sustained_seconds))

    def _use(self, model: str, device: str) -> None:
        name = "" if model == paths.default_model() else model
        self.change(model=name, device=device)
        self._session.use_model(name, device)

    def _ask_folder(self, dialog: ModelPicker) -> None:
        name = QFileDialog.getExistingDirectory(dialog, self.tr("Model folder"))
        if name and (choice := self._choice(name)):
            dialog.add(choice)

    def _choice(self, name: str) -> Choice | None:
        try:
            card = read_card(paths.model_folder(name))
        except (BundleError, paths.ModelNotFound) as fault:
            self._toasts.warn(str(fault))
            return None
        title = Path(name).name + (self.tr(" (default)") if name == paths.default_model() else "")
        if any(line.startswith("WEAK") for line in card["limits"]):
            title += self.tr(" (weak, for comparison only)")
        return Choice(name, title, _line(card))


def _patient(who: Identity) -> str:
    return ", ".join(filter(None, (who.patient_name, who.patient_id, who.birth_date)))


def _line(card: Mapping[str, Any]) -> str:
    """The two figures that tell models apart, with their intervals, read from the card."""
    parts = []
    for block, figure, text in (
        ("grades_1_3", "qwk", "QWK, MES 1–3"),
        ("active_uc", "auc", "AUC active, UC"),
    ):
        found = card["metrics"].get(block, {}).get("figures", {}).get(figure)
        if found and found["value"] is not None:
            low, high = found.get("low"), found.get("high")
            interval = f" [{low:.2f}, {high:.2f}]" if low is not None and high is not None else ""
            parts.append(f"{text} {found['value']:.2f}{interval}")
    return "; ".join(parts)
