"""What is published about each built-in data set: files, checksums, layout, class names."""

from dataclasses import dataclass
from typing import Literal


@dataclass(frozen=True)
class Archive:
    """An official archive and where it is published."""

    name: str
    url: str
    md5: str


@dataclass(frozen=True)
class Batch:
    """One file of images inside a data set's folder, pinned by its published hash."""

    name: str
    algorithm: Literal["sha1", "md5"]
    digest: str
    size: int | None = None
    """Bytes; None where the hash alone says that the file is whole."""


@dataclass(frozen=True)
class CifarVersion:
    """One of the two formats in which CIFAR is published."""

    folder: str
    archive: Archive
    pickled: bool
    """The batches are Python pickles; otherwise plain records of label bytes and pixels."""
    train: tuple[Batch, ...]
    test: tuple[Batch, ...]


@dataclass(frozen=True)
class Cifar:
    """CIFAR-10 or CIFAR-100, whose files differ in the labels only."""

    classes: tuple[str, ...]
    label_bytes: int
    """Label bytes before the pixels of a binary record; the last one is the class."""
    label_key: str
    """Key of the class labels in a pickled batch."""
    versions: tuple[CifarVersion, ...]
    """In order of preference; the first is the one that is downloaded."""


@dataclass(frozen=True)
class TinyImageNet:
    """The layout of TinyImageNet; its single images have no published hashes."""

    folder: str
    archive: Archive
    classes: int
    train_per_class: int
    test_per_class: int


_CIFAR_SITE = "https://www.cs.toronto.edu/~kriz/"
_CIFAR10_BATCH = 10_000 * (1 + 3072)
_CIFAR100_IMAGE = 2 + 3072

_CIFAR10_CLASSES = (
    "airplane", "automobile", "bird", "cat", "deer", "dog", "frog", "horse", "ship", "truck",
)  # fmt: skip

_CIFAR100_CLASSES = (
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


def _cifar_archive(name: str, md5: str) -> Archive:
    return Archive(name, _CIFAR_SITE + name, md5)


CIFAR: dict[str, Cifar] = {
    "cifar10": Cifar(
        classes=_CIFAR10_CLASSES,
        label_bytes=1,
        label_key="labels",
        versions=(
            CifarVersion(
                folder="cifar-10-batches-bin",
                archive=_cifar_archive(
                    "cifar-10-binary.tar.gz", "c32a1d4ab5d03f1284b67883e8d87530"
                ),
                pickled=False,
                train=tuple(
                    Batch(f"data_batch_{number}.bin", "sha1", digest, _CIFAR10_BATCH)
                    for number, digest in enumerate(
                        (
                            "aadd24acce27caa71bf4b10992e9e7b2d74c2540",
                            "c0ba65cce70568cd57b4e03e9ac8d2a5367c1795",
                            "1dd00a74ab1d17a6e7d73e185b69dbf31242f295",
                            "aab85764eb3584312d3c7f65fd2fd016e36a258e",
                            "26e2849e66a845b7f1e4614ae70f4889ae604628",
                        ),
                        start=1,
                    )
                ),
                test=(
                    Batch(
                        "test_batch.bin",
                        "sha1",
                        "67eb016db431130d61cd03c7ad570b013799c88c",
                        _CIFAR10_BATCH,
                    ),
                ),
            ),
            CifarVersion(
                folder="cifar-10-batches-py",
                archive=_cifar_archive(
                    "cifar-10-python.tar.gz", "c58f30108f718f92721af3b95e74349a"
                ),
                pickled=True,
                train=tuple(
                    Batch(f"data_batch_{number}", "md5", digest)
                    for number, digest in enumerate(
                        (
                            "c99cafc152244af753f735de768cd75f",
                            "d4bba439e000b95fd0a9bffe97cbabec",
                            "54ebc095f3ab1f0389bbae665268c751",
                            "634d18415352ddfa80567beed471001a",
                            "482c414d41f54cd18b22e5b47cb7c3cb",
                        ),
                        start=1,
                    )
                ),
                test=(Batch("test_batch", "md5", "40351d587109b95175f43aff81a1287e"),),
            ),
        ),
    ),
    "cifar100": Cifar(
        classes=_CIFAR100_CLASSES,
        label_bytes=2,
        label_key="fine_labels",
        versions=(
            CifarVersion(
                folder="cifar-100-binary",
                archive=_cifar_archive(
                    "cifar-100-binary.tar.gz", "03b5dce01913d631647c71ecec9e9cb8"
                ),
                pickled=False,
                train=(
                    Batch(
                        "train.bin",
                        "sha1",
                        "e207cd2e05b73b1393c74c7f5e7bea451d63e08e",
                        50_000 * _CIFAR100_IMAGE,
                    ),
                ),
                test=(
                    Batch(
                        "test.bin",
                        "sha1",
                        "8fb6623e830365ff53cf14adec797474f5478006",
                        10_000 * _CIFAR100_IMAGE,
                    ),
                ),
            ),
            CifarVersion(
                folder="cifar-100-python",
                archive=_cifar_archive(
                    "cifar-100-python.tar.gz", "eb9058c3a382ffc7106e4002c42a8d85"
                ),
                pickled=True,
                train=(Batch("train", "md5", "16019d7e3df5f24257cddd939b257f8d"),),
                test=(Batch("test", "md5", "f0ef6b0ae62326f3e7ffdfab6717acfc"),),
            ),
        ),
    ),
}
"""CIFAR by kind of data set.

Class names are kept here, not read from the folder: the hashes pin the labels to them.
"""

TINY_IMAGENET = TinyImageNet(
    folder="tiny-imagenet-200",
    archive=Archive(
        "tiny-imagenet-200.zip",
        "http://cs231n.stanford.edu/tiny-imagenet-200.zip",
        "90528d7ca1a48142e341f4ef8d21d0de",
    ),
    classes=200,
    train_per_class=500,
    test_per_class=50,
)
"""TinyImageNet; its own test images have no labels, so its val folder is the test split."""
