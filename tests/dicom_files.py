"""DICOM files made by code: stills, objects of several frames, videos, sound and broken ones.

Headers are written by pydicom; the pixel data is put behind them byte by byte, so that it may break the
standard in any one way.
"""

from __future__ import annotations

import io
import struct
from collections.abc import Sequence
from functools import cache
from pathlib import Path

import numpy as np
from clips import KINDS, MPEG, X265, Kind, draw, instants, write_clip
from numpy.typing import NDArray
from openjpeg.utils import encode_array
from PIL import Image
from pydicom import config, dcmwrite, uid
from pydicom.dataelem import DataElement
from pydicom.dataset import Dataset, FileMetaDataset
from pydicom.pixels import get_encoder
from pydicom.sequence import Sequence as Items
from pydicom.uid import ExplicitVRLittleEndian, JPEGBaseline8Bit, RLELossless

ENDOSCOPIC = uid.VLEndoscopicImageStorage
PHOTOGRAPHIC = uid.VLPhotographicImageStorage
CAPTURE = uid.SecondaryCaptureImageStorage
CAPTURES = uid.MultiFrameTrueColorSecondaryCaptureImageStorage
VIDEO = uid.VideoEndoscopicImageStorage

ITEM, DELIMITER = b"\xfe\xff\x00\xe0", b"\xfe\xff\xdd\xe0"
UNDEFINED = 0xFFFFFFFF

STREAMS: dict[str, tuple[Kind, uid.UID]] = {
    "h264-mp4": (KINDS["h264-mp4"], uid.MPEG4HP41),
    "h264-ts": (KINDS["h264-ts"], uid.MPEG4HP41BD),
    "h264-raw": (Kind(".h264", "libx264", KINDS["h264-mp4"].options), uid.MPEG4HP422D),
    "mpeg2-ps": (KINDS["mpeg2-ps"], uid.MPEG2MPML),
    "mpeg2-ts": (Kind(".ts", "mpeg2video", MPEG, gop=15, b_frames=2), uid.MPEG2MPHL),
    "mpeg2-raw": (Kind(".m2v", "mpeg2video", MPEG, gop=15, b_frames=2), uid.MPEG2MPHLF),
    "hevc-mp4": (Kind(".mp4", "libx265", X265, b_frames=2), uid.HEVCMP51),
    "hevc-ts": (Kind(".ts", "libx265", X265, b_frames=2), uid.HEVCM10P51),
}
"""How the video of an object may be coded and packed, and the transfer syntax that goes with it."""


def header(sop: str, syntax: str, shape: Sequence[int] = (), **elements: object) -> Dataset:
    """A data set without pixels. ``shape``: H x W or H x W x 3 of a frame, of which the rest follows."""
    ds = Dataset()
    ds.file_meta = FileMetaDataset()
    ds.file_meta.MediaStorageSOPClassUID = ds.SOPClassUID = sop
    ds.file_meta.MediaStorageSOPInstanceUID = ds.SOPInstanceUID = uid.generate_uid(entropy_srcs=["one"])
    ds.file_meta.TransferSyntaxUID = uid.UID(syntax)
    ds.StudyInstanceUID = uid.generate_uid(entropy_srcs=["study"])
    ds.Modality = "ES"
    if shape:
        colour = len(shape) == 3
        ds.Rows, ds.Columns, ds.SamplesPerPixel = shape[0], shape[1], 3 if colour else 1
        ds.PhotometricInterpretation = "RGB" if colour else "MONOCHROME2"
        ds.BitsAllocated, ds.BitsStored, ds.HighBit, ds.PixelRepresentation = 8, 8, 7, 0
        if colour:
            ds.PlanarConfiguration = 0
    for keyword, value in elements.items():
        setattr(ds, keyword, value)
    return ds


def written(ds: Dataset) -> bytes:
    """The bytes of a file."""
    stream = io.BytesIO()
    dcmwrite(stream, ds, enforce_file_format=True)
    return stream.getvalue()


def native(ds: Dataset, pixels: bytes) -> bytes:
    """A file with pixels that are not encapsulated, in the byte order of its transfer syntax."""
    wide = ds.BitsAllocated > 8 or ds.file_meta.TransferSyntaxUID == uid.ImplicitVRLittleEndian
    ds.add_new(0x7FE00010, "OW" if wide else "OB", pixels + b"\x00" * (len(pixels) % 2))
    return written(ds)


def encapsulated(
    ds: Dataset,
    fragments: Sequence[bytes],
    table: bytes | None = b"",
    end: bytes = DELIMITER + bytes(4),
    pad: bool = True,
    length: int = UNDEFINED,
) -> bytes:
    """A file with its pixels in these fragments. ``table``: of offsets, or None to leave it out."""
    body = bytearray()
    for part in ([] if table is None else [table]) + list(fragments):
        part = part + b"\x00" * (len(part) % 2) if pad else part
        body += ITEM + struct.pack("<L", len(part)) + part
    element = struct.pack("<HH2sHL", 0x7FE0, 0x0010, b"OB", 0, length)
    return written(ds) + element + bytes(body) + end


def jpeg(picture: NDArray[np.uint8], **options: object) -> bytes:
    """A JPEG as Pillow writes it, with the mark of JFIF."""
    stream = io.BytesIO()
    Image.fromarray(picture).save(stream, "JPEG", **({"quality": 95} | options))
    return stream.getvalue()


def without_marks(data: bytes) -> bytes:
    """A JPEG less its APP segments, as some makers write it."""
    at, out = 2, bytearray(data[:2])
    while data[at + 1] != 0xDA:
        after = at + 2 + int.from_bytes(data[at + 2 : at + 4], "big")
        if not 0xE0 <= data[at + 1] <= 0xEF:
            out += data[at:after]
        at = after
    return bytes(out) + data[at:]


def rgb_jpeg(picture: NDArray[np.uint8]) -> bytes:
    """A JPEG that stores red, green and blue, and says so nowhere."""
    data = without_marks(jpeg(picture, keep_rgb=True))
    for named, plain in (
        (b"R\x11\0G\x11\0B\x11\0", b"\1\x11\0\2\x11\0\3\x11\0"),
        (b"R\0G\0B\0", b"\1\0\2\0\3\0"),
    ):
        assert data.count(named) == 1
        data = data.replace(named, plain)
    return data


def jpeg_2000(
    picture: NDArray[np.generic], lossless: bool = True, transform: bool = True, bits: int = 8
) -> bytes:
    """A JPEG 2000 codestream; ``transform``: its colours are turned into YCbCr inside."""
    ratios = None if lossless else [8]
    kind = 1 if picture.ndim == 3 else 2
    return bytes(
        encode_array(
            picture,
            bits_stored=bits,
            photometric_interpretation=kind,
            use_mct=transform,
            compression_ratios=ratios,
        )
    )


def rle(picture: NDArray[np.uint8]) -> bytes:
    """The bytes of one frame in DICOM's run length coding."""
    ds = header(CAPTURE, ExplicitVRLittleEndian, picture.shape)
    options = {
        "rows": ds.Rows,
        "columns": ds.Columns,
        "samples_per_pixel": ds.SamplesPerPixel,
        "number_of_frames": 1,
        "bits_allocated": 8,
        "bits_stored": 8,
        "photometric_interpretation": ds.PhotometricInterpretation,
        "pixel_representation": 0,
        "planar_configuration": 0,
    }
    return bytes(get_encoder(RLELossless).encode(picture, encoding_plugin="pydicom", **options))


def still(picture: NDArray[np.uint8], sop: str = ENDOSCOPIC, **elements: object) -> bytes:
    """An uncompressed object of one picture, H x W x 3 or H x W."""
    return native(header(sop, ExplicitVRLittleEndian, picture.shape, **elements), picture.tobytes())


def jpeg_still(picture: NDArray[np.uint8], **elements: object) -> bytes:
    """The most common object of an endoscopy archive: one JPEG."""
    how = {"PhotometricInterpretation": "YBR_FULL_422"} | elements
    return encapsulated(header(ENDOSCOPIC, JPEGBaseline8Bit, picture.shape, **how), [jpeg(picture)])


def frames(numbers: Sequence[int], size: tuple[int, int] = (160, 120), **elements: object) -> bytes:
    """A multi-frame true colour secondary capture, 25 frames a second, showing these numbers."""
    how = {"NumberOfFrames": len(numbers), "FrameTime": "40", "FrameIncrementPointer": 0x00181063} | elements
    pixels = b"".join(draw(number, size).tobytes() for number in numbers)
    return native(header(CAPTURES, ExplicitVRLittleEndian, (size[1], size[0], 3), **how), pixels)


def jpeg_frames(numbers: Sequence[int], parts: int = 1, **elements: object) -> bytes:
    """A multi-frame object of JPEGs, each in so many fragments; the table of offsets is empty."""
    how = {"NumberOfFrames": len(numbers), "PhotometricInterpretation": "YBR_FULL_422"} | elements
    ds = header(CAPTURES, JPEGBaseline8Bit, (120, 160, 3), **how)
    return encapsulated(
        ds, [part for number in numbers for part in split(jpeg(draw(number, (160, 120))), parts)]
    )


def split(data: bytes, parts: int) -> list[bytes]:
    """So many parts of even length, the last one excepted."""
    each = len(data) // parts // 2 * 2
    return [data[part * each : (part + 1) * each if part + 1 < parts else None] for part in range(parts)]


@cache
def stream(kind: str, folder: Path, count: int = 40, size: tuple[int, int] = (320, 240)) -> bytes:
    """A video stream as it lies in an object, of so many numbered frames, 25 a second."""
    how, _ = STREAMS[kind]
    path = folder / f"{kind}{how.suffix}"
    base, at = instants(how, count, 25)
    write_clip(path, how, (draw(number, size) for number in range(count)), size, 25, at, base)
    return path.read_bytes()


def video(
    data: bytes, syntax: str, parts: int = 1, size: tuple[int, int] = (320, 240), **elements: object
) -> bytes:
    """A video endoscopic image, its stream in so many fragments."""
    how = {
        "NumberOfFrames": 40,
        "FrameTime": "40",
        "FrameIncrementPointer": 0x00181063,
        "PhotometricInterpretation": "YBR_PARTIAL_420",
    } | elements
    return encapsulated(header(VIDEO, syntax, (size[1], size[0], 3), **how), split(data, parts))


def directory(names: Sequence[Sequence[str]], kind: str = "IMAGE") -> bytes:
    """A DICOMDIR that lists these files, each as the parts of its path."""
    ds = header(uid.MediaStorageDirectoryStorage, ExplicitVRLittleEndian)
    del ds.SOPClassUID, ds.SOPInstanceUID, ds.StudyInstanceUID, ds.Modality
    ds.FileSetID = "DISC"
    patient = Dataset()
    patient.DirectoryRecordType = "PATIENT"
    patient.PatientName = "Hong^Gildong"
    records = [patient]
    for name in names:
        record = Dataset()
        record.DirectoryRecordType = kind
        # Some names break the rules, and are to be written all the same.
        record.add(DataElement(0x00041500, "CS", list(name), validation_mode=config.IGNORE))
        records.append(record)
    ds.DirectoryRecordSequence = Items(records)
    return written(ds)
