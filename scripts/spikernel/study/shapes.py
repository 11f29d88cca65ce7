"""The shape of a prepared data set's images. No torch."""

from spikernel.data.manifest import Manifest
from spikernel.space.architecture import ImageShape


def image_shape(manifest: Manifest) -> ImageShape:
    """Return the shape of a prepared data set's images."""
    return ImageShape(manifest.channels, manifest.image_size, len(manifest.classes))
