"""What each kind of image file becomes; pixels of 4x4 images, so that nothing is resized."""

import io
from typing import Any

import numpy as np
import pytest
from numpy.typing import NDArray
from PIL import Image

from spikernel.data.images import Decoded, decode
from spikernel.errors import DataError

LEVELS = np.array([[0, 128, 129, 257], [385, 386, 32896, 65535]] * 2, np.uint16)
# Divided by 257, rounded: 65,535 = 255 * 257 is white, as 255 is with 8 bits.
SCALED = [[0, 0, 1, 1], [1, 2, 128, 255]] * 2
BITS, PHOTOMETRIC = 258, 262


def encode(image: Image.Image, kind: str, **options: Any) -> bytes:
    buffer = io.BytesIO()
    image.save(buffer, kind, **options)
    return buffer.getvalue()


def read(data: bytes) -> Decoded:
    return decode(data, "x.png", 4, fit=True)


def with_tag(tiff: bytes, tag: int, value: int) -> bytes:
    """Return a little-endian TIFF file in which a tag of one short number has another value."""
    entry = tag.to_bytes(2, "little") + (3).to_bytes(2, "little") + (1).to_bytes(4, "little")
    place = tiff.index(entry) + len(entry)
    return tiff[:place] + value.to_bytes(2, "little") + tiff[place + 2 :]


def pgm(levels: NDArray[np.uint16]) -> bytes:
    return b"P5 4 4 65535\n" + levels.astype(">u2").tobytes()


@pytest.mark.parametrize(
    "data",
    [encode(Image.fromarray(LEVELS), "PNG"), encode(Image.fromarray(LEVELS), "TIFF"), pgm(LEVELS)],
    ids=["png", "tiff", "pgm"],
)
def test_16_bits_are_scaled_to_8(data: bytes) -> None:
    decoded = read(data)
    assert decoded.pixels.tolist() == [SCALED] * 3
    assert not decoded.transparent


@pytest.mark.parametrize("kind", ["PNG", "GIF", "WEBP", "BMP", "PPM", "TIFF"])
def test_every_format_gives_the_pixels_that_were_stored(kind: str) -> None:
    pixels = np.arange(48, dtype=np.uint8).reshape(4, 4, 3) * 5
    lossless = {"lossless": True} if kind == "WEBP" else {}
    decoded = read(encode(Image.fromarray(pixels), kind, **lossless))
    assert np.array_equal(decoded.pixels, pixels.transpose(2, 0, 1))


@pytest.mark.parametrize("kind", ["PNG", "WEBP", "TIFF"])
def test_transparent_images_are_laid_on_white(kind: str) -> None:
    image = Image.new("RGBA", (4, 4), (255, 0, 0, 255))
    image.putpixel((0, 0), (255, 0, 0, 0))
    image.putpixel((1, 0), (255, 0, 0, 51))  # a fifth of red, four fifths of white
    decoded = read(encode(image, kind, **({"lossless": True} if kind == "WEBP" else {})))
    assert decoded.transparent
    assert decoded.pixels[:, 0, :3].T.tolist() == [[255] * 3, [255, 204, 204], [255, 0, 0]]


def test_transparent_colour_of_a_palette_or_of_grey_is_laid_on_white() -> None:
    palette = Image.new("P", (4, 4), 1)
    palette.putpalette([10, 20, 30, 40, 50, 60])
    palette.putpixel((0, 0), 0)
    grey = Image.new("L", (4, 4), 50)
    grey.putpixel((0, 0), 7)
    for image, kind, transparent, plain in (
        (palette, "GIF", 0, [40, 50, 60]),
        (palette, "PNG", 0, [40, 50, 60]),
        (grey, "PNG", 7, [50] * 3),
    ):
        decoded = read(encode(image, kind, transparency=transparent))
        assert decoded.transparent
        assert decoded.pixels[:, 0, :2].T.tolist() == [[255] * 3, plain]


def test_an_opaque_alpha_channel_changes_nothing() -> None:
    decoded = read(encode(Image.new("RGBA", (4, 4), (9, 8, 7, 255)), "PNG"))
    assert not decoded.transparent
    assert (decoded.pixels == np.array([9, 8, 7]).reshape(3, 1, 1)).all()


FRAMES = [Image.new("RGB", (4, 4), colour) for colour in ("red", "blue")]
DEEP = encode(Image.fromarray(LEVELS), "TIFF")


@pytest.mark.parametrize(
    ("data", "message"),
    [
        *(
            (encode(FRAMES[0], kind, save_all=True, append_images=FRAMES[1:]), "several images")
            for kind in ("GIF", "PNG", "WEBP", "TIFF")
        ),
        (encode(Image.new("F", (4, 4), 0.5), "TIFF"), "grey levels whose largest value"),
        (encode(Image.new("I", (4, 4), 70_000), "TIFF"), "grey levels whose largest value"),
        (with_tag(DEEP, BITS, 12), "grey levels whose largest value"),
        (with_tag(DEEP, PHOTOMETRIC, 0), "grey levels whose largest value"),  # white is zero
        (encode(Image.fromarray(LEVELS), "PNG", transparency=0), "transparent and has 16 bits"),
        (b"no image", "is not a readable image"),
        (encode(FRAMES[0], "PNG")[:-30], "is not a readable image"),
    ],
)
def test_what_would_lose_something_is_refused_in_one_line(data: bytes, message: str) -> None:
    with pytest.raises(DataError, match=rf"^x\.png .*{message}") as caught:
        read(data)
    assert "\n" not in str(caught.value)


def test_a_photo_with_a_preview_is_its_first_image() -> None:
    data = encode(FRAMES[0], "MPO", save_all=True, append_images=FRAMES[1:])
    assert read(data).pixels[:, 0, 0].tolist() == [254, 0, 0]  # JPEG's red
