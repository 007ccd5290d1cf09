"""What an image is, is seen in it; what is not plainly one is a file."""

from __future__ import annotations

import io
import struct
import zlib
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st
from PIL import Image

from chat.images import MAX_PIXELS, ORIENTATION, THUMB_SIDE, Picture, picture_of

HTML = b"<html><script>alert(1)</script></html>"


def image(kind: str = "PNG", size: tuple[int, int] = (40, 30), mode: str = "RGB", **options: Any) -> bytes:
    out = io.BytesIO()
    Image.new(mode, size, 1).save(out, kind, **options)
    return out.getvalue()


def seen(data: bytes) -> Picture | None:
    return picture_of(io.BytesIO(data))


def thumb(data: bytes) -> Image.Image:
    picture = seen(data)
    assert picture is not None
    small = Image.open(io.BytesIO(picture.thumb))
    small.load()
    return small


@pytest.mark.parametrize(
    ("kind", "said"), [("PNG", "image/png"), ("JPEG", "image/jpeg"), ("GIF", "image/gif"), ("WEBP", "image/webp")]
)
def test_four_kinds_are_shown(kind: str, said: str) -> None:
    picture = seen(image(kind))

    assert picture is not None
    assert picture[:3] == (said, 40, 30)


@pytest.mark.parametrize("kind", ["BMP", "TIFF", "ICO", "PPM", "TGA", "PDF", "EPS"])
def test_other_kinds_are_files(kind: str) -> None:
    assert seen(image(kind)) is None


@pytest.mark.parametrize("mode", ["1", "L", "LA", "P", "RGBA", "I;16", "CMYK", "YCbCr"])
def test_every_mode_has_a_small_image(mode: str) -> None:
    kind = "JPEG" if mode in {"CMYK", "YCbCr"} else "PNG"

    assert thumb(image(kind, mode=mode)).size == (40, 30)


def test_a_small_image_is_small_and_keeps_its_shape() -> None:
    picture = seen(image("JPEG", (4000, 1000)))

    assert picture is not None
    assert (picture.width, picture.height) == (4000, 1000)
    assert thumb(image("JPEG", (4000, 1000))).size == (THUMB_SIDE, THUMB_SIDE // 4)


def test_what_is_seen_through_stays_so() -> None:
    assert thumb(image(mode="RGBA")).mode == "RGBA"


def test_an_image_stands_as_its_camera_stood() -> None:
    exif = Image.Exif()
    exif[ORIENTATION] = 6
    data = image("JPEG", (400, 300), exif=exif)

    picture = seen(data)

    assert picture is not None
    assert (picture.width, picture.height) == (300, 400)
    assert thumb(data).size == (300, 400)


def test_a_small_image_says_nothing_of_who_made_it_and_where() -> None:
    exif = Image.Exif()
    exif[0x010F] = "a camera"
    exif[ORIENTATION] = 3

    small = thumb(image("JPEG", exif=exif, icc_profile=b"a profile", comment=b"a comment"))

    assert not {"exif", "icc_profile", "xmp", "comment"} & small.info.keys()
    assert not small.getexif()


def test_of_what_moves_the_first_image_is_shown() -> None:
    out = io.BytesIO()
    frames = [Image.new("RGB", (8, 8), colour) for colour in ("red", "blue")]
    frames[0].save(out, "GIF", save_all=True, append_images=frames[1:])

    red, _, blue = thumb(out.getvalue()).convert("RGB").getpixel((4, 4))  # type: ignore[misc]  # three bands

    assert red > 200
    assert blue < 50


def bomb(width: int, height: int) -> bytes:
    """Make a PNG that says that it is so large, and has next to nothing in it."""

    def chunk(kind: bytes, data: bytes) -> bytes:
        return struct.pack(">I", len(data)) + kind + data + struct.pack(">I", zlib.crc32(kind + data))

    head = struct.pack(">IIBBBBB", width, height, 8, 2, 0, 0, 0)
    return b"\x89PNG\r\n\x1a\n" + chunk(b"IHDR", head) + chunk(b"IDAT", zlib.compress(b"")) + chunk(b"IEND", b"")


def test_an_image_that_would_fill_the_memory_is_not_decoded(monkeypatch: pytest.MonkeyPatch) -> None:
    decoded: list[object] = []
    monkeypatch.setattr(Image.Image, "load", decoded.append)

    assert seen(bomb(MAX_PIXELS // 1000 + 1, 1000)) is None
    assert seen(bomb(2**31 - 1, 2**31 - 1)) is None

    assert decoded == []


def test_svg_html_and_archives_are_files() -> None:
    svg = b'<svg xmlns="http://www.w3.org/2000/svg"><script>alert(1)</script></svg>'

    assert [seen(data) for data in (svg, HTML, b"PK\x03\x04" + bytes(100), b"%PDF-1.7\n", b"")] == [None] * 5


def test_what_pretends_to_be_an_image_is_a_file() -> None:
    assert seen(b"GIF89a/*" + HTML) is None
    assert seen(HTML + image()) is None


def test_an_image_with_something_behind_it_is_an_image_and_its_small_one_has_nothing_of_that() -> None:
    picture = seen(image() + HTML)

    assert picture is not None
    assert picture.type == "image/png"
    assert b"script" not in picture.thumb


@given(st.data())
def test_a_broken_image_is_a_file_or_an_image_and_nothing_else_happens(data: st.DataObject) -> None:
    whole = bytearray(image(data.draw(st.sampled_from(["PNG", "JPEG", "GIF", "WEBP"]))))
    for _ in range(data.draw(st.integers(1, 8))):
        whole[data.draw(st.integers(0, len(whole) - 1))] = data.draw(st.integers(0, 255))

    picture = seen(bytes(whole[: data.draw(st.integers(0, len(whole)))]))

    assert picture is None or picture.width * picture.height <= MAX_PIXELS


@given(st.binary())
def test_any_bytes_are_a_file(data: bytes) -> None:
    assert seen(data) is None
