import dataclasses
import hashlib
import io
import pickle
import pickletools
import tarfile
from pathlib import Path

import numpy as np
import pytest
from torchvision import datasets

from spikernel.config import DatasetConfig
from spikernel.data.locate import Archive
from spikernel.data.reader import reader
from spikernel.data.readers import cifar10, cifar100
from spikernel.data.splits import load_split
from spikernel.errors import ConfigError, DataError
from spikernel.study.prepare_data import prepare

PER_BATCH = 20


def make_batch(spec, number, count=PER_BATCH):
    """Return images (N, 3072), labels, and the batch as binary records."""
    generator = np.random.default_rng(number)
    images = generator.integers(0, 256, (count, 3072), dtype=np.uint8)
    labels = np.arange(count) % 10
    columns = [labels + 50] * (spec.label_bytes - 1) + [labels]  # coarse labels come first
    prefix = np.stack(columns, axis=1).astype(np.uint8)
    return images, labels, np.concatenate([prefix, images], axis=1).tobytes()


def old_pickle(content):
    """Pickle as Python 2 and numpy 1 did: byte strings, and numpy's core without underscore."""
    data = pickle.dumps(content, protocol=3).replace(b"numpy._core.", b"numpy.core.")
    old = bytearray(data)
    for opcode, _, position in pickletools.genops(data):
        if opcode.name in ("BINBYTES", "SHORT_BINBYTES"):
            old[position] = ord("T" if opcode.name == "BINBYTES" else "U")
    old[1] = 2  # the protocol
    return bytes(old)


def build(kind, root, monkeypatch):
    """Write small batches of both versions below `root`, and pin them in the reader."""
    spec = reader(kind).SPEC
    everything = []
    versions = []
    for version in spec.versions:
        folder = root / version.folder
        folder.mkdir(parents=True)
        pinned = []
        for number, batch in enumerate((*version.train, *version.test)):
            images, labels, data = make_batch(spec, number)
            if version.pickled:
                data = old_pickle(
                    {"data": images, spec.label_key: labels.tolist(), "coarse_labels": [99]}
                )
            else:
                everything.append((images, labels))
            (folder / batch.name).write_bytes(data)
            digest = hashlib.new(batch.algorithm, data).hexdigest()
            size = len(data) if batch.size else None
            pinned.append(dataclasses.replace(batch, digest=digest, size=size))
        archive = root / version.archive.name
        with tarfile.open(archive, "w:gz") as tar:
            tar.add(folder, version.folder)
        md5 = hashlib.md5(archive.read_bytes()).hexdigest()
        versions.append(
            dataclasses.replace(
                version,
                train=tuple(pinned[:-1]),
                test=tuple(pinned[-1:]),
                archive=dataclasses.replace(version.archive, md5=md5),
            )
        )
    small = dataclasses.replace(spec, versions=tuple(versions))
    monkeypatch.setattr(reader(kind), "SPEC", small)
    images, labels = (np.concatenate(parts) for parts in zip(*everything, strict=True))
    return small, images.reshape(-1, 3, 32, 32), labels


def keep_only(root, small, form):
    """Leave one of binary folder, python folder, binary archive, python archive."""
    for number, version in enumerate(small.versions):
        wanted = form.startswith("python") == bool(number)
        folder = root / version.folder
        if not wanted or "archive" in form:
            for path in folder.iterdir():
                path.unlink()
            folder.rmdir()
        if not wanted or "folder" in form:
            (root / version.archive.name).unlink()


def check(collection, images, labels):
    whole = [collection.train, collection.test]
    found = np.stack([pool.image(i) for pool in whole for i in range(len(pool.labels))])
    assert np.array_equal(found, images)
    assert np.concatenate([pool.labels for pool in whole]).tolist() == labels.tolist()
    assert len(collection.test.labels) == PER_BATCH


@pytest.mark.parametrize("kind", ["cifar10", "cifar100"])
@pytest.mark.parametrize(
    "form", ["binary folder", "python folder", "binary archive", "python archive"]
)
@pytest.mark.parametrize("place", ["mine", "."])
def test_every_form_gives_the_same_images(tmp_path, monkeypatch, kind, form, place):
    small, images, labels = build(kind, tmp_path / place, monkeypatch)
    keep_only(tmp_path / place, small, form)
    collection = reader(kind).read("mine", DatasetConfig(kind=kind), tmp_path)
    check(collection, images, labels)
    assert collection.classes == reader(kind).SPEC.classes
    assert {source.origin for source in collection.sources} == {form.split()[1]}
    for source in collection.sources:
        path = tmp_path / source.file
        assert source.sha256 == hashlib.sha256(path.read_bytes()).hexdigest()


def test_folder_setting_and_absolute_folder(tmp_path, monkeypatch):
    _, images, labels = build("cifar10", tmp_path / "old" / "disk", monkeypatch)
    settings = DatasetConfig(kind="cifar10", folder="old/disk")
    check(cifar10.read("cifar10", settings, tmp_path), images, labels)
    with pytest.raises(ConfigError, match="folder must be relative to data_dir"):
        cifar10.read("x", DatasetConfig(kind="cifar10", folder=str(tmp_path)), tmp_path)


def test_end_to_end(tmp_path, monkeypatch):
    build("cifar10", tmp_path, monkeypatch)
    manifest = tmp_path / "out" / "manifest.json"
    prepare("c", DatasetConfig(kind="cifar10", test_images=10), tmp_path, manifest)
    counts = {s: len(load_split(manifest, s).labels) for s in ("train", "validation", "test")}
    assert counts == {"train": 90, "validation": 10, "test": 10}
    assert str(tmp_path) not in manifest.read_text()


def test_binary_batch_that_is_truncated_altered_or_missing(tmp_path, monkeypatch):
    small, _, _ = build("cifar10", tmp_path, monkeypatch)
    path = tmp_path / "cifar-10-batches-bin" / "data_batch_3.bin"
    data = path.read_bytes()
    settings = DatasetConfig(kind="cifar10")
    path.write_bytes(data[:-100])
    expected = f"data_batch_3.bin is truncated: {len(data) - 100} bytes, expected {len(data)}"
    with pytest.raises(DataError, match=expected):
        cifar10.read("cifar10", settings, tmp_path)
    altered = bytes([data[0] ^ 1]) + data[1:]
    path.write_bytes(altered)
    found, wanted = hashlib.sha1(altered).hexdigest(), small.versions[0].train[2].digest
    with pytest.raises(DataError, match=f"data_batch_3.bin.*SHA1 is {found}, expected {wanted}"):
        cifar10.read("cifar10", settings, tmp_path)
    path.unlink()
    with pytest.raises(DataError, match=r"data_batch_3.bin cannot be read.*complete .*or remove"):
        cifar10.read("cifar10", settings, tmp_path)


def test_archive_that_is_not_the_published_one(tmp_path, monkeypatch):
    small, _, _ = build("cifar10", tmp_path, monkeypatch)
    keep_only(tmp_path, small, "binary archive")
    with (tmp_path / "cifar-10-binary.tar.gz").open("ab") as handle:
        handle.write(b"x")
    with pytest.raises(DataError, match=r"tar.gz is not the published archive: its MD5 is .*exp"):
        cifar10.read("cifar10", DatasetConfig(kind="cifar10"), tmp_path)


def test_archive_without_a_batch_or_broken(tmp_path, monkeypatch):
    small, _, _ = build("cifar10", tmp_path, monkeypatch)
    keep_only(tmp_path, small, "binary archive")
    path = tmp_path / "cifar-10-binary.tar.gz"
    broken = path.read_bytes()[:5000]
    with tarfile.open(path, "w:gz") as tar:
        tar.addfile(tarfile.TarInfo("../escape"), io.BytesIO())
    for data, message in ((path.read_bytes(), "lacks .*data_batch_1.bin"), (broken, "unpacked")):
        path.write_bytes(data)
        repin(monkeypatch, small, hashlib.md5(data).hexdigest())
        with pytest.raises(DataError, match=message):
            cifar10.read("cifar10", DatasetConfig(kind="cifar10"), tmp_path)
    assert not (tmp_path.parent / "escape").exists()


def repin(monkeypatch, small, md5):
    first = small.versions[0]
    archive = dataclasses.replace(first.archive, md5=md5)
    versions = (dataclasses.replace(first, archive=archive), *small.versions[1:])
    monkeypatch.setattr(cifar10, "SPEC", dataclasses.replace(small, versions=versions))


class Malicious:
    """Creates a file when it is unpickled."""

    def __init__(self, path):
        self.path = path

    def __reduce__(self):
        return Path.touch, (self.path,)


def test_pickle_with_a_wrong_hash_is_never_opened(tmp_path, monkeypatch):
    small, _, _ = build("cifar10", tmp_path, monkeypatch)
    keep_only(tmp_path, small, "python folder")
    proof = tmp_path / "proof"
    path = tmp_path / "cifar-10-batches-py" / "data_batch_1"
    path.write_bytes(pickle.dumps(Malicious(proof)))
    with pytest.raises(DataError, match="data_batch_1 is not the published file: its MD5 is"):
        cifar10.read("cifar10", DatasetConfig(kind="cifar10"), tmp_path)
    assert not proof.exists()
    pickle.loads(path.read_bytes())
    assert proof.exists(), "the pickle was harmless, so the test proves nothing"


def test_pickle_with_the_right_hash_still_calls_nothing_foreign(tmp_path, monkeypatch):
    small, _, _ = build("cifar10", tmp_path, monkeypatch)
    keep_only(tmp_path, small, "python folder")
    proof = tmp_path / "proof"
    data = pickle.dumps(Malicious(proof))
    (tmp_path / "cifar-10-batches-py" / "data_batch_1").write_bytes(data)
    version = small.versions[1]
    first = dataclasses.replace(version.train[0], digest=hashlib.md5(data).hexdigest())
    version = dataclasses.replace(version, train=(first, *version.train[1:]))
    spec = dataclasses.replace(small, versions=(small.versions[0], version))
    monkeypatch.setattr(cifar10, "SPEC", spec)
    with pytest.raises(DataError, match="is not part of an array"):
        cifar10.read("cifar10", DatasetConfig(kind="cifar10"), tmp_path)
    assert not proof.exists()


def test_absent_data_set_is_downloaded_as_the_binary_archive(tmp_path, monkeypatch):
    small, images, labels = build("cifar10", tmp_path / "server", monkeypatch)
    asked = []

    def deliver(archive, folder):
        asked.append(archive.url)
        folder.mkdir()
        return (tmp_path / "server" / archive.name).rename(folder / archive.name)

    monkeypatch.setattr("spikernel.data.download.fetch", deliver)
    data_dir = tmp_path / "data"
    collection = cifar10.read("cifar10", DatasetConfig(kind="cifar10"), data_dir)
    check(collection, images, labels)
    assert asked == ["https://www.cs.toronto.edu/~kriz/cifar-10-binary.tar.gz"]
    (source,) = collection.sources
    assert (source.file, source.origin) == (small.versions[0].archive.name, "download")


@pytest.mark.parametrize("kind", ["cifar10", "cifar100"])
def test_constants_agree_with_torchvision(kind):
    theirs = getattr(datasets, kind.upper())
    version = reader(kind).SPEC.versions[1]
    assert version.archive == Archive(theirs.filename, theirs.url, theirs.tgz_md5)
    assert version.folder == theirs.base_folder
    assert [[batch.name, batch.digest] for batch in version.train] == theirs.train_list
    assert [[batch.name, batch.digest] for batch in version.test] == theirs.test_list


def test_class_names():
    assert [len(kind.SPEC.classes) for kind in (cifar10, cifar100)] == [10, 100]
    for kind in (cifar10, cifar100):
        assert list(kind.SPEC.classes) == sorted(set(kind.SPEC.classes))
