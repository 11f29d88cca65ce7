"""Image files, decoded to arrays of 8-bit colour."""

import io
from dataclasses import dataclass
from typing import TYPE_CHECKING

import numpy as np
from numpy.typing import NDArray

from spikernel.errors import DataError

if TYPE_CHECKING:
    from PIL import Image

_TIFF_BITS, _TIFF_PHOTOMETRIC, _BLACK_IS_ZERO = 258, 262, 1


@dataclass(frozen=True)
class Decoded:
    """One image."""

    pixels: NDArray[np.uint8]
    """Colour, shape (3, side, side)."""
    transparent: bool
    """It could be seen through in places, and was laid on white."""
    deepest: int = 0
    """Largest grey level of an image of 16 bits; 0 for others."""


def decode(data: bytes, where: str, side: int, *, fit: bool) -> Decoded:
    """Return an encoded image in colour; grey images get three channels.

    Grey levels of 16 bits are scaled to 8. What is transparent is laid on white.

    Args:
        data: the bytes of an image file.
        where: what to call the image in an error.
        side: pixels of either side of the result.
        fit: resize the short side and crop the centre; otherwise another size is an error.

    Raises:
        DataError: the image cannot be decoded, has the wrong size, or holds what eight bits of
            colour cannot: several images, or numbers without a largest value.
    """
    from PIL import Image, ImageOps  # here only, see `reader.Reader`

    try:
        with Image.open(io.BytesIO(data)) as opened:
            problem = _problem(opened)
            if problem:
                raise DataError(f"{where} {problem}")
            upright = ImageOps.exif_transpose(opened) if fit else opened
            image, transparent = _in_colour(upright)
            deepest = int(np.asarray(upright).max()) if _is_deep(upright) else 0
    except DataError:
        raise
    except Exception as error:  # damaged files lead Pillow's decoders to errors of any type
        reason = " ".join(str(error).split("<")[0].split()) or type(error).__name__
        raise DataError(
            f"{where} is not a readable image ({reason}): replace or remove it"
        ) from error
    if fit:
        image = ImageOps.fit(image, (side, side), Image.Resampling.BILINEAR)
    elif image.size != (side, side):
        width, height = image.size
        raise DataError(f"{where} is {width}x{height} pixels, expected {side}x{side}: replace it")
    pixels = np.ascontiguousarray(np.asarray(image, dtype=np.uint8).transpose(2, 0, 1))
    return Decoded(pixels, transparent, deepest)


def _problem(image: "Image.Image") -> str | None:
    """Return why an opened image would lose what it holds; None if it would not."""
    # A photo of a telephone (MPO) is the first of its images, the others help to show it.
    if getattr(image, "is_animated", False) and image.format != "MPO":
        return "holds several images: keep one of them"
    deep = image.mode.startswith("I;16")
    tags = getattr(image, "tag_v2", {})
    usual = (
        tags.get(_TIFF_BITS, (16,)) == (16,)
        and tags.get(_TIFF_PHOTOMETRIC, _BLACK_IS_ZERO) == _BLACK_IS_ZERO
    )
    if image.mode == "F" or (image.mode == "I" and image.format != "PPM") or (deep and not usual):
        return "holds grey levels whose largest value is not known: save it with 8 or 16 bits"
    if deep and "transparency" in image.info:
        return "is transparent and has 16 bits: save it with 8"
    return None


def _is_deep(image: "Image.Image") -> bool:
    return image.mode == "I" or image.mode.startswith("I;16")


def _in_colour(image: "Image.Image") -> tuple["Image.Image", bool]:
    """Return an image as RGB, and whether it was laid on white."""
    from PIL import Image

    if _is_deep(image):
        # Pillow would cut off at 255. 65,535 is 255 times 257; the nearest level is taken.
        levels = (np.asarray(image).astype(np.uint32) + 128) // 257
        return Image.fromarray(levels.astype(np.uint8)).convert("RGB"), False
    if not image.has_transparency_data:
        return image.convert("RGB"), False
    layered = image.convert("RGBA")
    if layered.getchannel("A").getextrema() == (255, 255):
        return image.convert("RGB"), False
    white = Image.new("RGBA", layered.size, "white")
    return Image.alpha_composite(white, layered).convert("RGB"), True
