"""CIFAR-10, from the binary or the Python version, unpacked or not."""

from pathlib import Path

from spikernel.config import DatasetConfig
from spikernel.data import cifar
from spikernel.data.cifar import Batch, Cifar, CifarVersion, official_archive
from spikernel.data.collection import Collection

IMAGE_SIZE = cifar.IMAGE_SIZE
CHANNELS = 3
TRAIN_IMAGES = 50_000
CLASSES = 10

_BATCH_BYTES = 10_000 * (1 + cifar.PIXELS)

# Class names are kept here, not read from the folder: the hashes pin the labels to them.
_CLASSES = (
    "airplane", "automobile", "bird", "cat", "deer", "dog", "frog", "horse", "ship", "truck",
)  # fmt: skip

SPEC = Cifar(
    classes=_CLASSES,
    label_bytes=1,
    label_key="labels",
    versions=(
        CifarVersion(
            folder="cifar-10-batches-bin",
            archive=official_archive("cifar-10-binary.tar.gz", "c32a1d4ab5d03f1284b67883e8d87530"),
            pickled=False,
            train=tuple(
                Batch(f"data_batch_{number}.bin", "sha1", digest, _BATCH_BYTES)
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
                    _BATCH_BYTES,
                ),
            ),
        ),
        CifarVersion(
            folder="cifar-10-batches-py",
            archive=official_archive("cifar-10-python.tar.gz", "c58f30108f718f92721af3b95e74349a"),
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
)
"""What is published about it."""


def read(name: str, settings: DatasetConfig, data_dir: Path) -> Collection:
    """Return the data set, see `cifar.read`."""
    return cifar.read(SPEC, name, settings, data_dir)
