"""Bytes to pictures: every kind that is accepted, every kind of damage."""

from __future__ import annotations

import numpy as np
import pytest
from PIL import Image
from still_files import encode, png, scene

from uc_viewer.sources.pictures import PictureError, decode


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
