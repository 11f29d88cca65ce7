import contextlib
import functools
import hashlib
import logging
import re
import threading
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer

import numpy as np
import pytest

from spikernel.data import download
from spikernel.data.locate import Archive
from spikernel.errors import DataError

CONTENT = np.random.default_rng(0).bytes(3_000_000)
MD5 = hashlib.md5(CONTENT).hexdigest()
NAME = "images.tar.gz"


class Server(ThreadingHTTPServer):
    """Serves CONTENT; remembers the ranges asked for."""

    def __init__(self, *, ranges=True, cut_after=None, statuses=()):
        self.ranges, self.cut_after, self.statuses = ranges, cut_after, list(statuses)
        self.asked = []
        super().__init__(("127.0.0.1", 0), Handler)


class Handler(BaseHTTPRequestHandler):
    def do_GET(self):
        server = self.server
        wanted = self.headers.get("Range")
        server.asked.append(wanted)
        if server.statuses:
            self.send_error(server.statuses.pop(0))
            return
        start = int(re.fullmatch(r"bytes=(\d+)-", wanted)[1]) if wanted and server.ranges else 0
        if start >= len(CONTENT):
            self.send_response(416)
            self.send_header("Content-Range", f"bytes */{len(CONTENT)}")
            self.send_header("Content-Length", "0")
            self.end_headers()
            return
        self.send_response(206 if wanted and server.ranges else 200)
        self.send_header("Content-Length", str(len(CONTENT) - start))
        self.end_headers()
        body = CONTENT[start:]
        if server.cut_after is not None:
            body, server.cut_after = body[: server.cut_after], None
        with contextlib.suppress(OSError):
            self.wfile.write(body)

    def log_message(self, *arguments):
        pass


@contextlib.contextmanager
def serve(**options):
    with Server(**options) as server:
        loop = functools.partial(server.serve_forever, poll_interval=0.01)
        threading.Thread(target=loop, daemon=True).start()
        yield server, archive(server.server_port)
        server.shutdown()


def archive(port, md5=MD5):
    return Archive(NAME, f"http://127.0.0.1:{port}/{NAME}", md5)


@pytest.fixture(autouse=True)
def _direct_and_quick(monkeypatch):
    monkeypatch.setattr(download, "PAUSE", 0)
    monkeypatch.setenv("NO_PROXY", "127.0.0.1")


def test_fresh_download_logs_about_every_tenth(tmp_path, caplog):
    with caplog.at_level(logging.INFO), serve() as (server, wanted):
        path = download.fetch(wanted, tmp_path / "new" / "data")
    assert path == tmp_path / "new" / "data" / NAME
    assert path.read_bytes() == CONTENT
    assert server.asked == [None]
    assert [item.name for item in path.parent.glob("[!.]*")] == [NAME]  # the lock stays, hidden
    percents = [int(found) for found in re.findall(r": (\d+) %", caplog.text)]
    assert percents == sorted(set(percents))
    assert 8 <= len(percents) <= 10


def test_file_that_is_there_is_not_asked_for(tmp_path):
    (tmp_path / NAME).write_bytes(b"brought by another job")
    with serve() as (server, wanted):
        download.fetch(wanted, tmp_path)
    assert server.asked == []


def test_cut_connection_is_resumed(tmp_path):
    with serve(cut_after=1_000_000) as (server, wanted):
        path = download.fetch(wanted, tmp_path)
    assert path.read_bytes() == CONTENT
    first, second = server.asked
    assert first is None
    assert 0 < int(second.removeprefix("bytes=").removesuffix("-")) <= 1_000_000


def test_part_of_an_earlier_run_is_resumed(tmp_path):
    (tmp_path / f"{NAME}.part").write_bytes(CONTENT[:1_234_567])
    with serve() as (server, wanted):
        path = download.fetch(wanted, tmp_path)
    assert path.read_bytes() == CONTENT
    assert server.asked == ["bytes=1234567-"]
    assert not (tmp_path / f"{NAME}.part").exists()


def test_server_that_ignores_ranges(tmp_path):
    (tmp_path / f"{NAME}.part").write_bytes(CONTENT[:1_234_567])
    with serve(ranges=False) as (server, wanted):
        path = download.fetch(wanted, tmp_path)
    assert path.read_bytes() == CONTENT
    assert server.asked == ["bytes=1234567-"]


def test_part_that_is_complete_already(tmp_path):
    (tmp_path / f"{NAME}.part").write_bytes(CONTENT)
    with serve() as (_, wanted):
        assert download.fetch(wanted, tmp_path).read_bytes() == CONTENT


@pytest.mark.parametrize("wrong", [b"wrong start", CONTENT + b"too long"])
def test_wrong_part_is_dropped_and_the_file_fetched_anew(tmp_path, wrong):
    (tmp_path / f"{NAME}.part").write_bytes(wrong)
    with serve() as (server, wanted):
        assert download.fetch(wanted, tmp_path).read_bytes() == CONTENT
    assert server.asked == [f"bytes={len(wrong)}-", None]


def test_wrong_checksum(tmp_path):
    with serve() as (server, _):
        wanted = archive(server.server_port, "0" * 32)
        with pytest.raises(DataError, match=f"its MD5 is {MD5}, expected {'0' * 32}") as caught:
            download.fetch(wanted, tmp_path)
    assert f"put {NAME} into {tmp_path} by hand" in str(caught.value)
    assert not list(tmp_path.glob("[!.]*"))


def test_busy_server_is_asked_again(tmp_path):
    with serve(statuses=[503, 500]) as (server, wanted):
        assert download.fetch(wanted, tmp_path).exists()
    assert len(server.asked) == 3


def test_refusal_is_final(tmp_path):
    with (
        serve(statuses=[404]) as (server, wanted),
        pytest.raises(
            DataError, match=r"404 Not Found; put images\.tar\.gz into .* by hand"
        ) as caught,
    ):
        download.fetch(wanted, tmp_path)
    assert wanted.url in str(caught.value)
    assert len(server.asked) == 1


def test_no_server_keeps_the_part(tmp_path):
    with serve() as (server, wanted):
        pass
    (tmp_path / f"{NAME}.part").write_bytes(CONTENT[:10])
    with pytest.raises(
        DataError, match="no connection to the server; run again to resume after 10"
    ):
        download.fetch(wanted, tmp_path)
    assert (tmp_path / f"{NAME}.part").read_bytes() == CONTENT[:10]
    assert server.asked == []


def test_folder_that_cannot_be_made(tmp_path):
    (tmp_path / "file").touch()
    with pytest.raises(DataError, match=r"cannot write into .*file"):
        download.fetch(archive(9), tmp_path / "file")
