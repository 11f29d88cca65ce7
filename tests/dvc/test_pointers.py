"""The pointers in data/ to published archives, and how DVC fetches what they point to."""

import hashlib
from collections.abc import Iterator
from functools import partial
from http.server import SimpleHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path
from threading import Thread

import pytest
import yaml
from project import ROOT
from repository import Clone, make_origin

from spikernel.data.locate import Archive
from spikernel.data.readers import cifar10, cifar100, tinyimagenet

ARCHIVES = (
    cifar10.SPEC.versions[0].archive,
    cifar100.SPEC.versions[0].archive,
    tinyimagenet.ARCHIVE,
)
"""What the readers download."""
POINTER = "data/cifar-10-binary.tar.gz.dvc"


@pytest.mark.parametrize("archive", ARCHIVES, ids=lambda archive: archive.name)
def test_a_pointer_has_the_address_and_checksum_of_the_catalogue(archive: Archive) -> None:
    pointer = yaml.safe_load((ROOT / "data" / f"{archive.name}.dvc").read_text())
    (source,), (target,) = pointer["deps"], pointer["outs"]
    assert source["path"] == archive.url
    assert (target["path"], target["md5"]) == (archive.name, archive.md5)


def test_every_pointer_is_of_the_catalogue() -> None:
    names = {path.name for path in (ROOT / "data").glob("*.dvc")}
    assert names == {f"{archive.name}.dvc" for archive in ARCHIVES}


@pytest.fixture
def mirror(tmp_path: Path) -> Iterator[str]:
    """Serve a folder on loopback and yield its address."""
    folder = tmp_path / "mirror"
    folder.mkdir()
    (folder / "cifar-10-binary.tar.gz").write_bytes(b"images")
    handler = partial(SimpleHTTPRequestHandler, directory=str(folder))
    server = ThreadingHTTPServer(("127.0.0.1", 0), handler)
    Thread(target=server.serve_forever, daemon=True).start()
    yield f"http://127.0.0.1:{server.server_port}"
    server.shutdown()


def test_an_archive_is_fetched_where_it_is_asked_for_alone(tmp_path: Path, mirror: str) -> None:
    clone = Clone(make_origin(tmp_path), tmp_path / "clone")
    for stages in ("dvc.yaml", "studies/dvc.yaml"):  # none of which was run
        (clone.folder / stages).unlink()
    clone.run("dvc", "remote", "add", "--default", "store", str(tmp_path / "store"))
    clone.run("dvc", "push")
    clone.run("dvc", "pull")
    pointer = clone.folder / POINTER
    assert not pointer.with_suffix("").exists()
    published = "https://www.cs.toronto.edu/~kriz"
    pointer.write_text(pointer.read_text().replace(published, mirror))
    clone.run("dvc", "update", POINTER)
    assert pointer.with_suffix("").read_bytes() == b"images"
    # Other bytes than the published ones show in the pointer.
    assert (
        yaml.safe_load(pointer.read_text())["outs"][0]["md5"] == hashlib.md5(b"images").hexdigest()
    )
    assert POINTER in clone.run("git", "diff", "--name-only")
