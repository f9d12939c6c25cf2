"""What DICOM headers say: who was examined, and for every fault one line that says what to do."""

from __future__ import annotations

import io
import logging
import random
import struct
from collections.abc import Callable
from pathlib import Path

import dicom_files as made
import numpy as np
import pytest
from clips import draw
from pydicom import uid
from pydicom.dataset import Dataset

from uc_viewer.sources import dicom
from uc_viewer.sources.base import Frame, SourceError, Unreadable
from uc_viewer.sources.dicom import DicomFrames, DicomStill, files_of
from uc_viewer.sources.patients import Identity, patients
from uc_viewer.sources.recordings import is_dicom
from uc_viewer.sources.sampling import Sampling

PICTURE = draw(7, (160, 120))
GREY = PICTURE[..., 0].copy()
EXPLICIT, JPEG = uid.ExplicitVRLittleEndian, uid.JPEGBaseline8Bit


def read(data: bytes) -> DicomStill | DicomFrames | dicom.DicomVideo:
    return dicom.read(lambda: io.BytesIO(data), "a.dcm", Sampling())


def decoded(data: bytes) -> np.ndarray:
    still = read(data)
    assert isinstance(still, DicomStill)
    return still.decode()


def reason(data: bytes) -> str:
    """Why a file is refused, when it is listed or when it is decoded."""
    with pytest.raises(SourceError) as caught:
        decoded(data)
    assert "\n" not in str(caught.value)
    return str(caught.value)


def head(**elements: object) -> Dataset:
    return made.header(made.ENDOSCOPIC, EXPLICIT, PICTURE.shape, **elements)


def jpeg_head(**elements: object) -> Dataset:
    how = {"PhotometricInterpretation": "YBR_FULL_422"} | elements
    return made.header(made.ENDOSCOPIC, JPEG, PICTURE.shape, **how)


def native(**elements: object) -> bytes:
    return made.native(head(**elements), PICTURE.tobytes())


def without_pixels(sop: str) -> bytes:
    return made.written(made.header(sop, EXPLICIT))


def no_syntax() -> bytes:
    data = native()
    at = data.index(b"\x02\x00\x10\x00UI")
    length = 8 + struct.unpack("<H", data[at + 6 : at + 8])[0]
    total = data.index(b"\x02\x00\x00\x00UL") + 8
    (size,) = struct.unpack("<L", data[total : total + 4])
    return data[:total] + struct.pack("<L", size - length) + data[total + 4 : at] + data[at + length :]


def other_syntax(syntax: str) -> bytes:
    return made.encapsulated(made.header(made.ENDOSCOPIC, syntax, PICTURE.shape), [b"\xff\xd8\xff\xe0" * 9])


def bomb() -> bytes:
    """A JPEG that claims to be far larger than the header says."""
    data = made.jpeg(PICTURE)
    at = data.index(b"\xff\xc0\x00\x11\x08") + 5
    return data[:at] + struct.pack(">HH", 60000, 60000) + data[at + 4 :]


REFUSED: dict[str, tuple[Callable[[], bytes], str]] = {
    "empty": (lambda: b"", "not a DICOM file"),
    "text": (lambda: b"no picture" * 100, "not a DICOM file"),
    "report": (lambda: without_pixels(uid.BasicTextSRStorage), "without a picture (Basic Text SR)"),
    "pdf": (lambda: without_pixels(uid.EncapsulatedPDFStorage), "(Encapsulated PDF)"),
    "directory": (lambda: made.directory([("A",)]), "a DICOMDIR"),
    "no pixels": (lambda: made.written(head()), "pixel data is missing"),
    "no syntax": (no_syntax, "no transfer syntax"),
    "own syntax": (
        lambda: other_syntax(JPEG).replace(b"1.2.840.10008.1.2.4.50", b"1.3.840.10008.1.2.4.50"),
        "maker's own way (transfer syntax 1.3.840.10008.1.2.4.50)",
    ),
    "jpeg-ls": (lambda: other_syntax(uid.JPEGLSLossless), "JPEG-LS Lossless"),
    "no frames": (lambda: native(NumberOfFrames=0), "0 frames"),
    "minus frames": (lambda: native(NumberOfFrames=-3), "-3 frames"),
    "absurd frames": (lambda: native(NumberOfFrames=2_000_000_000), "2000000000 frames"),
    "cut short": (lambda: native()[:-500], "cut short"),
    "jpeg cut short": (lambda: made.jpeg_still(PICTURE)[:-2000], "cut short"),
    "jpeg half there": (lambda: made.encapsulated(jpeg_head(), [made.jpeg(PICTURE)[:3000]]), "cut short"),
    "jpeg padded": (
        lambda: made.encapsulated(jpeg_head(), [made.jpeg(PICTURE)[:3000] + bytes(9000)]),
        "cut short",
    ),
    "jpeg is no jpeg": (lambda: made.encapsulated(jpeg_head(), [bytes(4000)]), "not JPEG Baseline"),
    "jpeg is jpeg 2000": (
        lambda: made.encapsulated(jpeg_head(), [made.jpeg_2000(PICTURE)]),
        "not JPEG Baseline",
    ),
    "jpeg 2000 half there": (
        lambda: made.encapsulated(
            made.header(made.ENDOSCOPIC, uid.JPEG2000, PICTURE.shape), [made.jpeg_2000(PICTURE)[:9000]]
        ),
        "cut short",
    ),
    "jpeg 2000 of other colours": (
        lambda: made.encapsulated(
            made.header(made.ENDOSCOPIC, uid.JPEG2000, PICTURE.shape),
            [made.jpeg_2000(GREY)],
        ),
        "differ in their colours",
    ),
    "rle half there": (
        lambda: made.encapsulated(
            made.header(made.ENDOSCOPIC, uid.RLELossless, PICTURE.shape), [made.rle(PICTURE)[:9000]]
        ),
        "damaged",
    ),
    "jpeg of another size": (
        lambda: made.encapsulated(jpeg_head(Rows=100), [made.jpeg(PICTURE)]),
        "its header says 160 x 100 pixels, the picture in it has 160 x 120",
    ),
    "jpeg bomb": (lambda: made.encapsulated(jpeg_head(), [bomb()]), "far larger"),
    "uncompressed in items": (lambda: made.encapsulated(head(), [PICTURE.tobytes()]), "coded, though"),
    "no items": (lambda: made.encapsulated(jpeg_head(), [], None), "not stored the way"),
    "empty items": (lambda: made.encapsulated(jpeg_head(), []), "pixel data is empty"),
    "too many pixels": (lambda: native(Rows=90), "more pixels than its header states"),
    "422 that is none": (lambda: native(PhotometricInterpretation="YBR_FULL_422"), "more pixels than"),
    "huge": (lambda: native(Rows=60000, Columns=60000), "40 megapixels"),
    "tiny": (lambda: native(Rows=8), "too small (160 x 8 pixels"),
    "four samples": (lambda: native(SamplesPerPixel=4, PhotometricInterpretation="CMYK"), "CMYK in 4"),
    "one bit": (lambda: native(BitsAllocated=1, BitsStored=1), "1 of 1 bits"),
    "no rows": (lambda: native(Rows=None), "does not state Rows"),
    "no palette": (
        lambda: native(PhotometricInterpretation="PALETTE COLOR", SamplesPerPixel=1),
        "palette is missing",
    ),
}


class TestRefused:
    @pytest.mark.parametrize("fault", REFUSED)
    def test_every_fault_has_its_line(self, fault: str) -> None:
        make, said = REFUSED[fault]
        assert said in reason(make())

    def test_no_bytes_whatever_get_past_as_another_error(self) -> None:
        sound = [
            native(),
            made.jpeg_still(PICTURE),
            made.jpeg_frames(range(3), 2),
            made.native(made.header(made.ENDOSCOPIC, uid.DeflatedExplicitVRLittleEndian, PICTURE.shape), b""),
            made.directory([("A", "B")]),
            made.video(bytes(300), uid.MPEG4HP41, 3),
        ]
        choose = random.Random(1)
        outcomes = set()
        for data in sound:
            broken = [data[:length] for length in range(0, len(data), max(1, len(data) // 40))]
            for _ in range(60):
                other = bytearray(data)
                for _ in range(choose.randint(1, 3)):
                    other[choose.randrange(132, min(len(data), 1200))] = choose.randrange(256)
                broken.append(bytes(other))
            outcomes |= {_outcome(one) for one in broken}
        assert outcomes == {"refused", "read"}

    def test_a_deflated_bomb(self, monkeypatch: pytest.MonkeyPatch) -> None:
        monkeypatch.setattr("uc_viewer.sources.dicom_header.MAX_ENTRY_BYTES", 2**20)
        ds = made.header(made.ENDOSCOPIC, uid.DeflatedExplicitVRLittleEndian, PICTURE.shape)
        assert "beyond all proportion" in reason(made.native(ds, bytes(3 * 2**20)))

    def test_a_header_without_end(self) -> None:
        data = made.written(head())
        assert "damaged" in reason(data + bytes(8) * 200_000)

    def test_nothing_of_the_patient_is_logged_or_said(self, caplog: pytest.LogCaptureFixture) -> None:
        caplog.set_level(logging.DEBUG)
        name = "HONG GILDONG"
        data = made.still(PICTURE, PatientID="?" * 12, StudyInstanceUID="1." * 12 + "1", PatientName="x")
        data = data.replace(b"?" * 12, name.encode()).replace(b"1." * 12, name.encode() * 2)
        assert isinstance(read(data), DicomStill)
        for length in range(140, len(data) - PICTURE.size, 7):
            assert name not in reason(data[:length])
        assert name not in caplog.text


def _outcome(data: bytes) -> str:
    try:
        found = read(data)
        if isinstance(found, DicomStill):
            assert found.decode().dtype == np.uint8
        elif isinstance(found, DicomFrames):
            items = found.decode(range(found.facts.frames))
            assert all(isinstance(item, Frame | Unreadable) for item in items)
    except SourceError:
        return "refused"
    return "read"


KOREAN = ["", "ISO 2022 IR 149"]


class TestIdentity:
    def test_all_of_it(self) -> None:
        still = read(
            made.still(
                PICTURE,
                SpecificCharacterSet="ISO_IR 192",
                PatientID="4711",
                IssuerOfPatientID="Clinic",
                PatientName="Yılmaz^Ayşe^Nur",
                PatientBirthDate="19800131",
                StudyDate="20240229",
                StudyInstanceUID="1.2.3",
                PerformingPhysicianName=["Öz^Ali", "Kim^Min"],
                Manufacturer="Maker",
                ManufacturerModelName="Scope 100",
            )
        )
        assert still.identity == Identity(
            patient_id="4711",
            patient_id_issuer="Clinic",
            patient_name="Yılmaz, Ayşe Nur",
            birth_date="1980-01-31",
            exam_date="2024-02-29",
            study_uid="1.2.3",
            endoscopist="Öz, Ali; Kim, Min",
            device="Maker Scope 100",
            modality="ES",
        )

    @pytest.mark.parametrize(
        ("charset", "name", "expected"),
        [
            ("ISO_IR 192", "Hong^Gildong=洪^吉洞=홍^길동", "Hong, Gildong (홍길동)"),
            (KOREAN, "Hong^Gildong=洪^吉洞=홍^길동", "Hong, Gildong (홍길동)"),
            ("ISO_IR 192", "홍길동", "홍길동"),
            (KOREAN, "Hong^Gildong=洪^吉洞", "Hong, Gildong (洪吉洞)"),
            ("ISO_IR 192", "=洪^吉洞=홍^길동", "홍길동"),
            ("ISO_IR 148", "Işık^Gülçin", "Işık, Gülçin"),
            ("ISO_IR 100", "Müller^^^Dr.", "Müller, Dr."),
            ("ISO_IR 192", "Doe^", "Doe"),
            ("ISO_IR 192", "A\x07B^C\nD", "AB, CD"),
        ],
    )
    def test_names(self, charset: str | list[str], name: str, expected: str) -> None:
        data = made.still(PICTURE, SpecificCharacterSet=charset, PatientName=name)
        assert read(data).identity.patient_name == expected

    @pytest.mark.parametrize(
        ("written", "expected"),
        [("20240229", "2024-02-29"), ("1993.12.01", "1993-12-01"), ("20241301", ""), ("2024", "")],
    )
    def test_dates(self, written: str, expected: str) -> None:
        data = made.still(PICTURE, PatientBirthDate="19991231")
        data = data.replace(b"DA\x08\x0019991231", b"DA" + struct.pack("<H", len(written)) + written.encode())
        assert read(data).identity.birth_date == expected

    def test_nothing_given(self) -> None:
        ds = head()
        del ds.Modality, ds.StudyInstanceUID
        assert read(made.native(ds, PICTURE.tobytes())).identity == Identity()

    @pytest.mark.parametrize(
        ("people", "count"),
        [
            ([], 0),
            ([Identity()], 0),
            ([Identity("1"), Identity("1"), Identity()], 1),
            ([Identity("1", "A"), Identity("1", "B")], 2),
            ([Identity("1", patient_name="Kim"), Identity("1", patient_name="Kim, Min")], 1),
            ([Identity(patient_name="Kim", birth_date="2000-01-01"), Identity(patient_name="KIM")], 2),
            ([Identity(patient_name="Kim, Min"), Identity(patient_name="KIM  MIN")], 1),
            ([Identity("1", "", "Kim", "2000-01-01"), Identity("", "", "Kim", "2000-01-01")], 1),
            ([Identity("1", "", "Kim"), Identity("2", "", "Kim"), Identity(patient_name="Kim")], 2),
            ([Identity(birth_date="2000-01-01"), Identity(birth_date="2001-01-01")], 2),
        ],
    )  # fmt: skip
    def test_how_many_patients(self, people: list[Identity], count: int) -> None:
        assert len(patients(people)) == count


class TestDirectory:
    def put(self, folder: Path, names: list[tuple[str, ...]]) -> Path:
        path = folder / "DICOMDIR"
        path.write_bytes(made.directory(names))
        return path

    def test_files_are_found_whatever_their_case_and_missing_ones_named(self, tmp_path: Path) -> None:
        (tmp_path / "Pictures").mkdir()
        for name in ("im1", "IM2"):
            (tmp_path / "Pictures" / name).write_bytes(native())
        names = [("PICTURES", "IM2"), ("PICTURES", "IM1"), ("PICTURES", "IM3"), ("PICTURES", "IM2")]
        found = files_of(self.put(tmp_path, names))
        folder = tmp_path / "Pictures"
        assert found == [folder / "IM2", folder / "im1", folder / "IM3"]

    @pytest.mark.parametrize("name", [("..", "IM1"), ("A/../../IM1",), ("/etc", "IM1"), ("C:", "IM1")])
    def test_nothing_outside_is_opened(self, tmp_path: Path, name: tuple[str, ...]) -> None:
        with pytest.raises(SourceError, match="outside its folder"):
            files_of(self.put(tmp_path, [("IM0",), name]))

    def test_only_pictures_are_listed(self, tmp_path: Path) -> None:
        path = tmp_path / "DICOMDIR"
        path.write_bytes(made.directory([("REPORT",)], "SR DOCUMENT"))
        assert files_of(path) == []

    def test_what_is_no_directory(self, tmp_path: Path) -> None:
        path = tmp_path / "DICOMDIR"
        with pytest.raises(SourceError, match="not there"):
            files_of(path)
        for data, said in ((b"text", "not a DICOM file"), (native(), "no DICOMDIR")):
            path.write_bytes(data)
            with pytest.raises(SourceError, match=said):
                files_of(path)


def test_which_files_are_dicom(tmp_path: Path) -> None:
    for name, data in (("IM0001", native()), ("text", b"no picture" * 99), ("empty", b"")):
        (tmp_path / name).write_bytes(data)
    assert is_dicom(tmp_path / "IM0001", "")
    assert not any(is_dicom(tmp_path / name, "") for name in ("text", "empty", "nothing", "."))
