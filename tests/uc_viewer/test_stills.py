"""Still pictures as a source: every kind that is accepted, every kind of bad input."""

from __future__ import annotations

import hashlib
import io
import os
import struct
import sys
import zipfile
import zlib
from pathlib import Path

import numpy as np
import pytest
from PIL import Image

from uc_viewer.sources import archive, pictures
from uc_viewer.sources.base import Frame, FrameSource, SourceError, Unreadable
from uc_viewer.sources.pictures import PictureError, decode
from uc_viewer.sources.stills import Stills


def scene(width: int = 64, height: int = 48) -> np.ndarray:
    """A picture with a different colour in each corner, uint8 H x W x 3."""
    y, x = np.mgrid[0:height, 0:width]
    return np.dstack([255 * x // (width - 1), 255 * y // (height - 1), 90 + 0 * x]).astype(np.uint8)


def encode(image: np.ndarray | Image.Image, kind: str = "PNG", **options: object) -> bytes:
    picture = image if isinstance(image, Image.Image) else Image.fromarray(image)
    stream = io.BytesIO()
    picture.save(stream, kind, **options)
    return stream.getvalue()


def put(path: Path, data: bytes | None = None) -> Path:
    path.parent.mkdir(parents=True, exist_ok=True)
    path.write_bytes(encode(scene()) if data is None else data)
    return path


def names(source: FrameSource) -> list[str]:
    return [item.source_file for item in source]


def only(path: Path) -> Frame | Unreadable:
    (item,) = Stills([path])
    return item


def reason(path: Path) -> str:
    item = only(path)
    assert isinstance(item, Unreadable)
    assert item.reason
    assert "\n" not in item.reason
    return item.reason


class TestDecode:
    @pytest.mark.parametrize("kind", ["PNG", "BMP", "TIFF"])
    def test_lossless_formats_are_exact(self, kind: str) -> None:
        image = decode(encode(scene(), kind))
        assert image.dtype == np.uint8
        assert image.flags.writeable
        np.testing.assert_array_equal(image, scene())

    @pytest.mark.parametrize("kind", ["JPEG", "WEBP"])
    def test_lossy_formats_are_close(self, kind: str) -> None:
        off = decode(encode(scene(), kind, quality=95)).astype(int) - scene()
        assert np.abs(off).mean() < 4

    def test_grey_palette_and_bilevel_become_rgb(self) -> None:
        picture = Image.fromarray(scene())
        grey = decode(encode(picture.convert("L")))
        assert (grey[..., 0] == grey[..., 1]).all()
        palette = decode(encode(picture.quantize(256)))
        assert np.abs(palette.astype(int) - scene()).mean() < 12
        assert set(np.unique(decode(encode(picture.convert("1"))))) == {0, 255}

    def test_cmyk_keeps_its_colours(self) -> None:
        image = decode(encode(Image.fromarray(scene()).convert("CMYK"), "JPEG", quality=95))
        assert np.abs(image.astype(int) - scene()).mean() < 6

    @pytest.mark.parametrize("kind", ["PNG", "TIFF"])
    def test_16_bit_grey_is_scaled_by_its_full_range(self, kind: str) -> None:
        values = np.linspace(0, 65535, 64 * 48).astype(np.uint16).reshape(48, 64)
        image = decode(encode(Image.fromarray(values), kind))
        np.testing.assert_array_equal(image[..., 0], np.round(values / 257).astype(np.uint8))

    def test_16_bit_colour_keeps_its_high_byte(self) -> None:
        values = (scene().astype(np.uint16) * 256 + 17).astype(">u2")
        rows = b"".join(b"\0" + line.tobytes() for line in values)
        np.testing.assert_array_equal(decode(png(64, 48, 16, rows)), scene())

    def test_transparency_lies_over_black(self) -> None:
        alpha = np.zeros((48, 64), np.uint8)
        alpha[:, 32:] = 255
        image = decode(encode(np.dstack([scene(), alpha])))
        assert (image[:, :32] == 0).all()
        np.testing.assert_array_equal(image[:, 32:], scene()[:, 32:])

    @pytest.mark.parametrize("orientation", range(1, 9))
    @pytest.mark.parametrize("kind", ["JPEG", "PNG", "TIFF", "WEBP"])
    def test_exif_orientation_is_applied(self, orientation: int, kind: str) -> None:
        # What is stored when a camera held that way sees the scene (EXIF 2.32, orientation).
        stored = {
            1: scene(),
            2: scene()[:, ::-1],
            3: scene()[::-1, ::-1],
            4: scene()[::-1],
            5: scene().transpose(1, 0, 2),
            6: np.rot90(scene(), 1),
            7: scene().transpose(1, 0, 2)[::-1, ::-1],
            8: np.rot90(scene(), -1),
        }[orientation]
        exif = Image.Exif()
        exif[0x0112] = orientation
        data = encode(np.ascontiguousarray(stored), kind, exif=exif)
        assert np.abs(decode(data).astype(int) - scene()).mean() < 8

    def test_damaged_exif_leaves_a_sound_picture(self) -> None:
        data = encode(scene(), "JPEG", exif=b"Exif\0\0MM\0*\xff\xff\xff\xff\xff\xff")
        assert decode(data).shape == (48, 64, 3)

    def test_preview_inside_a_photograph_is_ignored(self) -> None:
        preview = Image.fromarray(scene(40, 40))
        data = encode(Image.fromarray(scene()), "MPO", save_all=True, append_images=[preview])
        assert decode(data).shape == (48, 64, 3)


def png(width: int, height: int, bits: int, rows: bytes) -> bytes:
    def chunk(kind: bytes, body: bytes) -> bytes:
        return struct.pack(">I", len(body)) + kind + body + struct.pack(">I", zlib.crc32(kind + body))

    header = struct.pack(">IIBBBBB", width, height, bits, 2, 0, 0, 0)
    ends = chunk(b"IDAT", zlib.compress(rows)) + chunk(b"IEND", b"")
    return b"\x89PNG\r\n\x1a\n" + chunk(b"IHDR", header) + ends


class TestBadPictures:
    @pytest.mark.parametrize(
        ("data", "words"),
        [
            (b"", "empty"),
            (b"Dear colleague,\nplease find attached", "text"),
            (b"%PDF-1.7\n\x00", "PDF"),
            (b"PK\x03\x04\x00", "zip"),
            (b"\x00" * 128 + b"DICM", "DICOM"),
            (b"\x00\x00\x00\x18ftypheic", "HEIC"),
            (bytes(range(256)), "not a picture"),
            (b"\xff\xd8\xff\xe0\x00", "cut short"),
        ],
    )
    def test_what_is_no_picture_is_named(self, data: bytes, words: str) -> None:
        with pytest.raises(PictureError, match=words):
            decode(data)

    @pytest.mark.parametrize(
        ("kind", "options"),
        [
            ("JPEG", {}),
            ("JPEG", {"progressive": True}),
            ("PNG", {}),
            ("BMP", {}),
            ("TIFF", {}),
            ("WEBP", {}),
        ],
    )
    @pytest.mark.parametrize("share", [0.02, 0.3, 0.5, 0.8, 0.99])
    def test_truncated_pictures_are_refused(self, kind: str, options: dict[str, bool], share: float) -> None:
        data = encode(scene(256, 192), kind, **options)
        with pytest.raises(PictureError):
            decode(data[: int(share * len(data))])

    @pytest.mark.parametrize("kind", ["JPEG", "PNG"])
    def test_downloads_padded_with_zeros_are_refused(self, kind: str) -> None:
        noise = np.random.default_rng(0).integers(0, 255, (192, 256, 3), dtype=np.uint8)
        data = encode(noise, kind)
        with pytest.raises(PictureError, match="cut short"):
            decode(data[: len(data) // 2] + bytes(len(data) - len(data) // 2))

    def test_half_a_jpeg_that_ends_in_due_form_is_refused(self) -> None:
        data = encode(scene(256, 192), "JPEG")
        with pytest.raises(PictureError, match="cut short"):
            decode(data[: len(data) // 2] + b"\xff\xd9")

    def test_plain_grey_picture_is_not_taken_for_a_broken_one(self) -> None:
        assert (decode(encode(Image.new("RGB", (64, 64), (128, 128, 128)), "JPEG")) == 128).all()

    def test_end_of_an_embedded_preview_does_not_count_as_the_end(self) -> None:
        exif = b"Exif\0\0" + encode(scene(40, 40), "JPEG")
        data = encode(scene(256, 192), "JPEG", exif=exif)
        with pytest.raises(PictureError, match="cut short"):
            decode(data[: len(data) * 3 // 4])

    def test_small_pictures_are_refused(self) -> None:
        with pytest.raises(PictureError, match=r"too small \(1 x 1 pixels"):
            decode(encode(scene(64, 48)[:1, :1]))
        with pytest.raises(PictureError, match="too small"):
            decode(encode(scene(400, 31)))

    @pytest.mark.parametrize(("width", "height"), [(20_000, 10_000), (9_000, 8_000)])
    def test_huge_pictures_are_refused_before_decoding(self, width: int, height: int) -> None:
        with pytest.raises(PictureError, match="40 megapixels"):
            decode(png(width, height, 8, b"\0"))

    def test_animations_and_pages_are_refused(self) -> None:
        frames = [Image.fromarray(np.roll(scene(), shift, 1)) for shift in (0, 9, 20)]
        for kind, word in (("WEBP", "animated"), ("PNG", "animated"), ("TIFF", "pages")):
            data = encode(frames[0], kind, save_all=True, append_images=frames[1:])
            with pytest.raises(PictureError, match=f"holds 3.*{word}"):
                decode(data)
        for more in ([], frames[1:]):
            data = encode(frames[0], "GIF", save_all=True, append_images=more)
            with pytest.raises(PictureError, match="a GIF, which is not accepted"):
                decode(data)

    def test_deep_pixels_are_refused(self) -> None:
        for values in (np.full((48, 64), 70_000, np.int32), np.full((48, 64), 0.5, np.float32)):
            with pytest.raises(PictureError, match="export it as an 8-bit"):
                decode(encode(Image.fromarray(values), "TIFF"))

    @pytest.mark.parametrize("kind", ["JPEG", "PNG", "BMP", "TIFF", "WEBP"])
    def test_any_damage_is_a_picture_or_a_reason(self, kind: str) -> None:
        whole, rng = encode(scene(), kind), np.random.default_rng(1)
        for _ in range(150):
            data = bytearray(whole)
            for at in rng.integers(0, min(len(data), 400), 3):
                data[at] = int(rng.integers(256))
            try:
                image, refusal = decode(bytes(data)), ""
            except PictureError as error:
                image, refusal = np.zeros((0, 0, 0)), str(error)
            assert refusal or (image.dtype == np.uint8 and image.shape[2] == 3)


class TestFolders:
    def test_natural_order_nested_and_hidden(self, tmp_path: Path) -> None:
        for name in ("b10.png", "b2.PNG", "a/1.jpg", "c/é.png"):
            put(tmp_path / name)
        for name in (".hidden.png", ".git/x.png", "__MACOSX/x.png"):
            put(tmp_path / name)
        for name in ("notes.txt", "Thumbs.db", "README"):
            put(tmp_path / name, b"x")
        source = Stills([tmp_path])
        assert source.expected == 4
        assert names(source) == ["a/1.jpg", "b2.PNG", "b10.png", "c/é.png"]
        assert source.skipped == {".db": 1, ".txt": 1, "no ending": 1}

    def test_listing_decodes_nothing(self, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
        put(tmp_path / "a.png")
        monkeypatch.setattr("uc_viewer.sources.stills.decode", lambda data: pytest.fail("decoded"))
        assert Stills([tmp_path]).expected == 1

    @pytest.mark.parametrize("name", ["대장내시경 1.png", "İltihaplı bağırsak ığüşöç.png", "a'b;$(x) %s.png"])
    def test_names_of_any_script(self, tmp_path: Path, name: str) -> None:
        item = only(put(tmp_path / name).parent)
        assert isinstance(item, Frame)
        assert item.source_file == name

    @pytest.mark.skipif(sys.platform != "linux", reason="only Linux file names are any bytes")
    def test_names_that_are_no_text_can_be_written_as_utf8(self, tmp_path: Path) -> None:
        path = tmp_path / os.fsdecode(b"\xb4\xeb\xc0\xe5.png")
        put(path)
        item = only(tmp_path)
        assert isinstance(item, Frame)
        assert item.source_file.encode("utf-8").endswith(b".png")
        assert Stills([tmp_path]).reopen(item.source_file, 0).source_sha256 == item.source_sha256

    def test_frame_carries_the_hash_of_its_bytes(self, tmp_path: Path) -> None:
        path = put(tmp_path / "a.png")
        item = only(path)
        assert isinstance(item, Frame)
        assert item.source_sha256 == hashlib.sha256(path.read_bytes()).hexdigest()
        assert (item.index, item.pts_seconds) == (0, None)

    def test_no_folder_is_entered_twice(self, tmp_path: Path) -> None:
        put(tmp_path / "a" / "1.png")
        try:
            (tmp_path / "a" / "loop").symlink_to(tmp_path, target_is_directory=True)
        except OSError:
            pytest.skip("this system lets this user make no links")
        assert names(Stills([tmp_path])) == ["a/1.png"]

    def test_very_deep_folders(self, tmp_path: Path) -> None:
        depth = 120
        put(tmp_path.joinpath(*["d"] * depth, "1.png"))
        assert names(Stills([tmp_path])) == ["d/" * depth + "1.png"]

    def test_link_to_nothing_and_pipe(self, tmp_path: Path) -> None:
        if not hasattr(os, "mkfifo"):
            pytest.skip("no pipes in this system's folders")
        (tmp_path / "gone.png").symlink_to(tmp_path / "nowhere.png")
        os.mkfifo(tmp_path / "pipe.png")
        gone, pipe = Stills([tmp_path])
        assert isinstance(gone, Unreadable)
        assert "link to nothing" in gone.reason
        assert isinstance(pipe, Unreadable)
        assert "not a plain file" in pipe.reason

    def test_gif_gets_a_line_in_a_folder(self, tmp_path: Path) -> None:
        put(tmp_path / "a.gif", encode(scene(), "GIF"))
        assert "GIF files are not accepted" in reason(tmp_path)

    def test_excluded_folder(self, tmp_path: Path) -> None:
        put(tmp_path / "a.png")
        put(tmp_path / "out" / "b.png")
        assert names(Stills([tmp_path], exclude=[tmp_path / "out"])) == ["a.png"]
        assert names(Stills([tmp_path / "out"], exclude=[tmp_path / "out"])) == ["b.png"]

    def test_no_permission(self, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
        put(tmp_path / "a.png")
        put(tmp_path / "shut" / "b.png")
        put(tmp_path / "z.png")
        real_open, real_list = Path.open, os.listdir

        def refuse_file(path: Path, *args: object) -> object:
            if path.name == "a.png":
                raise PermissionError(13, "Permission denied", str(path))
            return real_open(path, *args)  # type: ignore[arg-type]

        def refuse_folder(path: Path) -> list[str]:
            if path.name == "shut":
                raise PermissionError(13, "Permission denied", str(path))
            return real_list(path)

        monkeypatch.setattr(Path, "open", refuse_file)
        monkeypatch.setattr(os, "listdir", refuse_folder)
        first, folder, last = Stills([tmp_path])
        for item, name in ((first, "a.png"), (folder, "shut")):
            assert isinstance(item, Unreadable)
            assert item.source_file == name
            assert "no permission" in item.reason
            assert item.source_sha256 == ""
        assert isinstance(last, Frame)

    def test_oversized_file_is_not_read(self, tmp_path: Path) -> None:
        with put(tmp_path / "a.png").open("r+b") as file:
            file.truncate(archive.MAX_ENTRY_BYTES + 1)
        assert "larger than 256 MB" in reason(tmp_path)


class TestPaths:
    def test_file_given_directly_is_always_tried(self, tmp_path: Path) -> None:
        assert "text" in reason(put(tmp_path / "notes.txt", b"hello"))
        assert isinstance(only(put(tmp_path / "picture")), Frame)

    def test_several_paths_carry_their_folders_names(self, tmp_path: Path) -> None:
        for name in ("x/case/a.png", "y/case/a.png", "a.png", "z/a.png"):
            put(tmp_path / name)
        source = Stills([tmp_path / p for p in ("x/case", "y/case", "a.png", "z/a.png")])
        assert names(source) == ["case/a.png", "case (2)/a.png", "a.png", "a (2).png"]

    def test_nothing_is_scored_twice(self, tmp_path: Path) -> None:
        path = put(tmp_path / "f" / "a.png")
        assert names(Stills([path.parent, path.parent])) == ["a.png"]
        assert names(Stills([path.parent, path])) == ["f/a.png"]
        assert names(Stills([path, path.parent])) == ["a.png"]

    def test_current_folder_has_a_name(self, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
        put(tmp_path / "case" / "a.png")
        put(tmp_path / "b.png")
        monkeypatch.chdir(tmp_path / "case")
        assert names(Stills([Path(".")])) == ["a.png"]
        assert names(Stills([Path("."), tmp_path / "b.png"])) == ["case/a.png", "b.png"]

    def test_missing_path(self, tmp_path: Path) -> None:
        with pytest.raises(FileNotFoundError, match=r"gone\.png: no such file"):
            Stills([tmp_path / "gone.png"])

    def test_reopen(self, tmp_path: Path) -> None:
        path = put(tmp_path / "a.png")
        put(tmp_path / "b.png", b"")
        source = Stills([tmp_path])
        np.testing.assert_array_equal(source.reopen("a.png", 0).image, scene())
        with pytest.raises(KeyError):
            source.reopen("c.png", 0)
        with pytest.raises(KeyError):
            source.reopen("a.png", 1)
        with pytest.raises(SourceError, match=r"b\.png: the file is empty"):
            source.reopen("b.png", 0)
        path.unlink()
        with pytest.raises(SourceError, match=r"a\.png: not there"):
            source.reopen("a.png", 0)


def pack(path: Path, entries: dict[str, bytes], method: int = zipfile.ZIP_DEFLATED) -> Path:
    with zipfile.ZipFile(path, "w", method) as file:
        for name, data in entries.items():
            file.writestr(name, data)
    return path


class TestZip:
    def test_pictures_in_a_zip(self, tmp_path: Path) -> None:
        picture = encode(scene())
        entries = {"b/10.png": picture, "b/2.png": picture, "n.txt": b"x", "__MACOSX/._b.png": b"x"}
        source = Stills([pack(tmp_path / "case.zip", entries)])
        assert names(source) == ["case.zip/b/2.png", "case.zip/b/10.png"]
        assert source.skipped == {".txt": 1}
        frame = source.reopen("case.zip/b/2.png", 0)
        np.testing.assert_array_equal(frame.image, scene())
        assert frame.source_sha256 == hashlib.sha256(picture).hexdigest()
        assert sorted(p.name for p in tmp_path.iterdir()) == ["case.zip"]

    def test_zip_inside_a_folder(self, tmp_path: Path) -> None:
        put(tmp_path / "z.png")
        (tmp_path / "sub").mkdir()
        pack(tmp_path / "sub" / "x.zip", {"1.png": encode(scene()), "2.png": encode(scene())})
        assert names(Stills([tmp_path])) == ["sub/x.zip/1.png", "sub/x.zip/2.png", "z.png"]

    @pytest.mark.parametrize(
        "name",
        ["../evil.png", "a/../../evil.png", "/etc/evil.png", "C:/evil.png", "..\\evil.png", "../evil.sh"],
    )
    def test_names_that_point_outside(self, tmp_path: Path, name: str) -> None:
        (tmp_path / "in").mkdir()
        path = pack(tmp_path / "in" / "x.zip", {name: encode(scene()), "good.png": encode(scene())})
        bad, good = sorted(Stills([path]), key=lambda item: isinstance(item, Frame))
        assert isinstance(bad, Unreadable)
        assert "points outside the archive" in bad.reason
        assert isinstance(good, Frame)
        assert sorted(p.name for p in tmp_path.rglob("*")) == ["in", "x.zip"]

    def test_bomb_of_one_entry(self, tmp_path: Path) -> None:
        path = pack(tmp_path / "x.zip", {"bomb.png": bytes(80 * 2**20), "good.png": encode(scene())})
        bomb, good = Stills([path])
        assert isinstance(bomb, Unreadable)
        assert "bomb" in bomb.reason
        assert isinstance(good, Frame)

    def test_bomb_of_many_entries(self, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
        monkeypatch.setattr(archive, "SMALL_TOTAL_BYTES", 3 * 2**20)
        path = pack(tmp_path / "x.zip", {f"{n}.png": bytes(2**20) for n in range(9)})
        read = [item.source_sha256 != "" for item in Stills([path])]
        assert read == [True] * 3 + [False] * 6
        assert "beyond all proportion" in [i.reason for i in Stills([path]) if isinstance(i, Unreadable)][-1]

    def test_sizes_stated_in_the_archive_are_not_trusted(self, tmp_path: Path) -> None:
        path = pack(tmp_path / "x.zip", {"liar.png": bytes(40 * 2**20)})
        data = bytearray(path.read_bytes())
        central = data.find(b"PK\x01\x02")
        data[central + 24 : central + 28] = struct.pack("<I", 1000)
        path.write_bytes(data)
        assert isinstance(only(path), Unreadable)

    def test_nested_encrypted_and_odd_entries(self, tmp_path: Path) -> None:
        path = pack(tmp_path / "x.zip", {"inner.zip": b"PK", "secret.png": encode(scene())})
        data = bytearray(path.read_bytes())
        central = data.rfind(b"PK\x01\x02")
        data[central + 8] |= 1
        path.write_bytes(data)
        inner, secret = Stills([path])
        assert isinstance(inner, Unreadable)
        assert "zip inside a zip" in inner.reason
        assert isinstance(secret, Unreadable)
        assert "password" in secret.reason
        odd = pack(tmp_path / "y.zip", {"a.png": encode(scene())}, zipfile.ZIP_BZIP2)
        assert "unusual method" in reason(odd)

    def test_damage_inside(self, tmp_path: Path) -> None:
        path = pack(tmp_path / "x.zip", {"a.png": encode(scene())}, zipfile.ZIP_STORED)
        data = bytearray(path.read_bytes())
        data[200] ^= 0xFF
        path.write_bytes(data)
        assert "damaged inside the archive" in reason(path)

    @pytest.mark.parametrize("data", [b"", b"no zip at all", b"PK\x03\x04half a zip"])
    def test_no_zip(self, tmp_path: Path, data: bytes) -> None:
        assert "not a zip archive" in reason(put(tmp_path / "x.zip", data))

    def test_same_name_twice(self, tmp_path: Path) -> None:
        path = tmp_path / "x.zip"
        with zipfile.ZipFile(path, "w") as file:
            file.writestr("a.png", encode(scene()))
            with pytest.warns(UserWarning, match="Duplicate name"):
                file.writestr("a.png", encode(scene(80, 80)))
        source = Stills([path])
        sizes = {item.source_file: item.image.shape for item in source if isinstance(item, Frame)}
        assert sizes == {"x.zip/a.png": (48, 64, 3), "x.zip/a (2).png": (80, 80, 3)}

    def test_names_in_utf8_without_its_flag(self, tmp_path: Path) -> None:
        path = pack(tmp_path / "x.zip", {"대장.png": encode(scene())})
        data = path.read_bytes()
        for magic, flags in ((b"PK\x03\x04", 6), (b"PK\x01\x02", 8)):
            at = data.find(magic) + flags
            data = data[: at + 1] + bytes([data[at + 1] & ~0x08]) + data[at + 2 :]
        path.write_bytes(data)
        assert names(Stills([path])) == ["x.zip/대장.png"]

    def test_closing_the_iterator_closes_the_archive(self, tmp_path: Path) -> None:
        path = pack(tmp_path / "x.zip", {f"{n}.png": encode(scene()) for n in range(3)})
        stream = iter(Stills([path]))
        next(stream)
        stream.close()  # type: ignore[attr-defined]
        path.rename(tmp_path / "y.zip")  # an unclosed file would warn, and warnings are errors


def test_limits_are_what_the_messages_say() -> None:
    assert pictures.MAX_PIXELS == 40_000_000
    assert archive.MAX_ENTRY_BYTES == 256 * 2**20


def test_real_frames_decode(shared_data: Path) -> None:
    folder = shared_data / "mes0-fullres"
    items = list(Stills([folder]))
    assert len(items) == len(list(folder.glob("*.png")))
    assert all(isinstance(item, Frame) and item.image.shape == (576, 720, 3) for item in items)
