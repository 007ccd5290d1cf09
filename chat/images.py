"""What an image is, by its content, and a small one of it. Nothing that came with it, its name say, is believed.

Four formats, which every browser shows and none runs anything from. All else, an image that is broken or huge among
them, is a plain file. Blocks for as long as decoding takes: some 0.1 s for a photo, a second for a large PNG.
"""

from __future__ import annotations

import io
from typing import IO, Final, NamedTuple

from PIL import Image, ImageOps

TYPES: Final = {"PNG": "image/png", "JPEG": "image/jpeg", "GIF": "image/gif", "WEBP": "image/webp"}
MAX_PIXELS: Final = 50_000_000
"""The largest image that is decoded, which takes 200 MB then. Phones make photos of up to 50 megapixels."""
THUMB_SIDE: Final = 640
THUMB_TYPE: Final = "image/webp"
QUALITY: Final = 80
ORIENTATION: Final = 0x0112
"""The EXIF tag that says how an image lies; from 5 on it lies on its side."""
FIRST_ON_ITS_SIDE: Final = 5

# Pillow warns of images above its limit, and in a thread a warning can be neither caught nor told; ours is below.
Image.MAX_IMAGE_PIXELS = None


class Picture(NamedTuple):
    """An image: what it is, its size as it is shown, and a small one of it."""

    type: str
    width: int
    height: int
    thumb: bytes


def picture_of(file: IO[bytes]) -> Picture | None:
    """Return what an image is, None if it is not one that is shown."""
    try:
        return _read(file)
    except Exception:  # noqa: BLE001  (broken images make Pillow raise nearly anything; to us they are plain files)
        return None


def _read(file: IO[bytes]) -> Picture | None:
    with Image.open(file, formats=tuple(TYPES)) as image:  # reads the head only
        width, height = image.size
        if width * height > MAX_PIXELS or image.format not in TYPES:
            return None
        kind = TYPES[image.format]
        if image.getexif().get(ORIENTATION, 1) >= FIRST_ON_ITS_SIDE:
            width, height = height, width
        image.draft("RGB", (2 * THUMB_SIDE, 2 * THUMB_SIDE))  # a JPEG is decoded no larger than is of use
        image.load()  # the first frame
        small = image.convert("RGBA" if image.has_transparency_data else "RGB")
    small.thumbnail((THUMB_SIDE, THUMB_SIDE))
    ImageOps.exif_transpose(small, in_place=True)
    out = io.BytesIO()
    small.save(out, "WEBP", quality=QUALITY, exif=b"", xmp=b"", icc_profile=b"")
    return Picture(kind, width, height, out.getvalue())
