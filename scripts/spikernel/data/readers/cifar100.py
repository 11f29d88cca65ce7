"""CIFAR-100, from the binary or the Python version, unpacked or not."""

from pathlib import Path

from spikernel.config import DatasetConfig
from spikernel.data import cifar
from spikernel.data.cifar import Batch, Cifar, CifarVersion, official_archive
from spikernel.data.collection import Collection

IMAGE_SIZE = cifar.IMAGE_SIZE
CHANNELS = 3
TRAIN_IMAGES = 50_000
CLASSES = 100

_IMAGE_BYTES = 2 + cifar.PIXELS

# Class names are kept here, not read from the folder: the hashes pin the labels to them.
_CLASSES = (
    "apple", "aquarium_fish", "baby", "bear", "beaver", "bed", "bee", "beetle", "bicycle",
    "bottle", "bowl", "boy", "bridge", "bus", "butterfly", "camel", "can", "castle",
    "caterpillar", "cattle", "chair", "chimpanzee", "clock", "cloud", "cockroach", "couch",
    "crab", "crocodile", "cup", "dinosaur", "dolphin", "elephant", "flatfish", "forest", "fox",
    "girl", "hamster", "house", "kangaroo", "keyboard", "lamp", "lawn_mower", "leopard", "lion",
    "lizard", "lobster", "man", "maple_tree", "motorcycle", "mountain", "mouse", "mushroom",
    "oak_tree", "orange", "orchid", "otter", "palm_tree", "pear", "pickup_truck", "pine_tree",
    "plain", "plate", "poppy", "porcupine", "possum", "rabbit", "raccoon", "ray", "road",
    "rocket", "rose", "sea", "seal", "shark", "shrew", "skunk", "skyscraper", "snail", "snake",
    "spider", "squirrel", "streetcar", "sunflower", "sweet_pepper", "table", "tank", "telephone",
    "television", "tiger", "tractor", "train", "trout", "tulip", "turtle", "wardrobe", "whale",
    "willow_tree", "wolf", "woman", "worm",
)  # fmt: skip

SPEC = Cifar(
    classes=_CLASSES,
    label_bytes=2,
    label_key="fine_labels",
    versions=(
        CifarVersion(
            folder="cifar-100-binary",
            archive=official_archive("cifar-100-binary.tar.gz", "03b5dce01913d631647c71ecec9e9cb8"),
            pickled=False,
            train=(
                Batch(
                    "train.bin",
                    "sha1",
                    "e207cd2e05b73b1393c74c7f5e7bea451d63e08e",
                    50_000 * _IMAGE_BYTES,
                ),
            ),
            test=(
                Batch(
                    "test.bin",
                    "sha1",
                    "8fb6623e830365ff53cf14adec797474f5478006",
                    10_000 * _IMAGE_BYTES,
                ),
            ),
        ),
        CifarVersion(
            folder="cifar-100-python",
            archive=official_archive("cifar-100-python.tar.gz", "eb9058c3a382ffc7106e4002c42a8d85"),
            pickled=True,
            train=(Batch("train", "md5", "16019d7e3df5f24257cddd939b257f8d"),),
            test=(Batch("test", "md5", "f0ef6b0ae62326f3e7ffdfab6717acfc"),),
        ),
    ),
)
"""What is published about it."""


def read(name: str, settings: DatasetConfig, data_dir: Path) -> Collection:
    """Return the data set, see `cifar.read`."""
    return cifar.read(SPEC, name, settings, data_dir)
