"""Sources: fetched from servers that break off, lie and fail, from mirrors, or found as they are."""

from __future__ import annotations

import gzip
import hashlib
import io
import json
import os
import subprocess
import sys
import tarfile
import threading
from collections.abc import Callable, Iterator
from dataclasses import dataclass, field
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path
from typing import Any

import pytest

from deep import nested
from dlkit.components import LayoutFile, SourceFile, SourceSpec
from dlkit.data import download as download_module
from dlkit.data.download import download, shown
from dlkit.data.layout import status, verify
from dlkit.data.opener import check_address
from dlkit.data.sources import ensure, get
from dlkit.errors import DataError, PluginError, UsageError
from planted import EVIL, steering
from waiting import LONG

BODY = bytes(range(256)) * 4000
"""A megabyte, so that it arrives in several pieces."""


def sha(content: bytes) -> str:
    return hashlib.sha256(content).hexdigest()


@dataclass
class Server:
    """What is served by path, and how each coming request is answered; every request is noted."""

    address: str
    files: dict[str, bytes] = field(default_factory=dict)
    answers: list[Callable[[Any, bytes], None]] = field(default_factory=list)
    """How the next requests are answered, in order; then honestly."""
    requests: list[tuple[str, str | None]] = field(default_factory=list)
    """Path and Range header."""


def send(handler: Any, status: int, body: bytes, **headers: str) -> None:
    handler.send_response(status)
    for name, value in {"Content_Length": str(len(body)), **headers}.items():
        if value:
            handler.send_header(name.replace("_", "-"), value)
    handler.end_headers()
    handler.wfile.write(body)


def honest(handler: Any, content: bytes) -> None:
    wanted = handler.headers.get("Range")
    if not wanted:
        return send(handler, 200, content)
    start = int(wanted.removeprefix("bytes=").rstrip("-"))
    if start >= len(content):
        return send(handler, 416, b"", Content_Range=f"bytes */{len(content)}")
    total = len(content)
    return send(handler, 206, content[start:], Content_Range=f"bytes {start}-{total - 1}/{total}")


def breaks_off(after: int) -> Callable[[Any, bytes], None]:
    """Announces all, sends ``after`` bytes of it, and closes the connection."""

    def answer(handler: Any, content: bytes) -> None:
        start = int((handler.headers.get("Range") or "bytes=0-").removeprefix("bytes=").rstrip("-"))
        status, total = (206 if start else 200), len(content)
        span = f"bytes {start}-{total - 1}/{total}" if start else ""
        send(handler, status, content[start : start + after], Content_Length=str(total - start), Content_Range=span)
        handler.close_connection = True

    return answer


def fails(status: int) -> Callable[[Any, bytes], None]:
    return lambda handler, content: send(handler, status, b"trouble")


def ignores_range(handler: Any, content: bytes) -> None:
    send(handler, 200, content)


def announces(length: int) -> Callable[[Any, bytes], None]:
    def answer(handler: Any, content: bytes) -> None:
        send(handler, 200, content[:length], Content_Length=str(length))
        handler.close_connection = True

    return answer


def without_length(handler: Any, content: bytes) -> None:
    send(handler, 200, content, Content_Length="")
    handler.close_connection = True


class QuietServer(ThreadingHTTPServer):
    """Says nothing of clients that have heard enough."""

    def handle_error(self, request: Any, client_address: Any) -> None:
        if not isinstance(sys.exc_info()[1], ConnectionError):
            super().handle_error(request, client_address)


@pytest.fixture
def server(monkeypatch: pytest.MonkeyPatch) -> Iterator[Server]:
    """A server on this machine; retries do not wait long."""
    monkeypatch.setattr(download_module, "BACKOFF", 0.001)
    for name in ("DLKIT_MIRROR", "DLKIT_OFFLINE"):
        monkeypatch.delenv(name, raising=False)

    class Handler(BaseHTTPRequestHandler):
        def do_GET(self) -> None:
            found.requests.append((self.path, self.headers.get("Range")))
            answer = found.answers.pop(0) if found.answers else honest
            content = found.files.get(self.path)
            if content is None:
                send(self, 404, b"nothing here")
            else:
                answer(self, content)

        def log_message(self, format: str, *args: object) -> None:
            """Say nothing."""

    httpd = QuietServer(("127.0.0.1", 0), Handler)
    httpd.daemon_threads = True
    thread = threading.Thread(target=httpd.serve_forever, kwargs={"poll_interval": 0.01})
    thread.start()
    found = Server(f"http://127.0.0.1:{httpd.server_port}", {"/file.bin": BODY})
    yield found
    httpd.shutdown()
    thread.join()
    httpd.server_close()


def fetch(server: Server, part: Path, *, content: bytes = BODY, path: str = "/file.bin", digest: str = "") -> bytes:
    download(server.address + path, part, size=len(content), sha256=digest or sha(content))
    return part.read_bytes()


# one file


def test_a_file_arrives(server: Server, tmp_path: Path) -> None:
    seen: list[int] = []
    part = tmp_path / "f.part"
    download(server.address + "/file.bin", part, size=len(BODY), sha256=sha(BODY).upper(), progress=seen.append)
    assert part.read_bytes() == BODY
    assert seen[0] == 0
    assert seen[-1] == len(BODY)
    assert seen == sorted(seen)


def test_a_broken_connection_is_resumed_where_it_broke(server: Server, tmp_path: Path) -> None:
    server.answers = [breaks_off(300_000), breaks_off(300_000)]
    assert fetch(server, tmp_path / "f.part") == BODY
    assert [r for _, r in server.requests] == [None, "bytes=300000-", "bytes=600000-"]


def test_what_an_earlier_process_fetched_is_used(server: Server, tmp_path: Path) -> None:
    (tmp_path / "f.part").write_bytes(BODY[:1000])
    assert fetch(server, tmp_path / "f.part") == BODY
    assert server.requests == [("/file.bin", "bytes=1000-")]


def test_a_complete_part_needs_no_request(server: Server, tmp_path: Path) -> None:
    (tmp_path / "f.part").write_bytes(BODY)
    assert fetch(server, tmp_path / "f.part") == BODY
    assert server.requests == []


def test_a_server_that_ignores_range_starts_over(server: Server, tmp_path: Path) -> None:
    (tmp_path / "f.part").write_bytes(b"?" * 1000)
    server.answers = [ignores_range]
    assert fetch(server, tmp_path / "f.part") == BODY


def test_a_part_longer_than_the_file_starts_over(server: Server, tmp_path: Path) -> None:
    (tmp_path / "f.part").write_bytes(BODY + b"more")
    assert fetch(server, tmp_path / "f.part") == BODY
    assert server.requests == [("/file.bin", None)]


def test_range_not_satisfiable_starts_over(server: Server, tmp_path: Path) -> None:
    (tmp_path / "f.part").write_bytes(BODY[:1000])
    server.answers = [fails(416)]
    assert fetch(server, tmp_path / "f.part") == BODY
    assert server.requests[-1] == ("/file.bin", None)


def test_a_range_that_begins_elsewhere_starts_over(server: Server, tmp_path: Path) -> None:
    (tmp_path / "f.part").write_bytes(BODY[:1000])
    total = len(BODY)
    server.answers = [lambda h, c: send(h, 206, c[500:], Content_Range=f"bytes 500-{total - 1}/{total}")]
    assert fetch(server, tmp_path / "f.part") == BODY


def test_a_range_of_another_file_is_refused(server: Server, tmp_path: Path) -> None:
    (tmp_path / "f.part").write_bytes(BODY[:1000])
    server.answers = [lambda h, c: send(h, 206, c[1000:], Content_Range="bytes 1000-1999/2000")]
    with pytest.raises(DataError, match=f"2000 bytes.*expected {len(BODY)}"):
        fetch(server, tmp_path / "f.part")
    assert not (tmp_path / "f.part").exists()


@pytest.mark.parametrize("length", [1000, len(BODY) + 1])
def test_a_server_that_announces_another_size_is_refused(server: Server, tmp_path: Path, length: int) -> None:
    server.answers = [announces(length)]
    with pytest.raises(DataError, match=f"{length} bytes.*expected {len(BODY)}"):
        fetch(server, tmp_path / "f.part")
    assert not (tmp_path / "f.part").exists()


def test_more_bytes_than_expected_are_refused(server: Server, tmp_path: Path) -> None:
    server.answers = [without_length]
    with pytest.raises(DataError, match="more than the expected 1000 bytes"):
        fetch(server, tmp_path / "f.part", content=BODY[:1000])
    assert not (tmp_path / "f.part").exists()


def test_a_server_that_names_no_length_will_do(server: Server, tmp_path: Path) -> None:
    server.answers = [without_length]
    assert fetch(server, tmp_path / "f.part") == BODY


def test_wrong_bytes_are_refused_and_deleted(server: Server, tmp_path: Path) -> None:
    server.files["/file.bin"] = bytes(len(BODY))
    with pytest.raises(DataError) as caught:
        fetch(server, tmp_path / "f.part")
    assert sha(BODY) in str(caught.value)
    assert sha(bytes(len(BODY))) in str(caught.value)
    assert not (tmp_path / "f.part").exists()


@pytest.mark.parametrize("status", [500, 503, 429])
def test_passing_trouble_is_waited_out(server: Server, tmp_path: Path, status: int) -> None:
    server.answers = [fails(status)] * 3
    assert fetch(server, tmp_path / "f.part") == BODY


def test_lasting_trouble_is_given_up_with_the_part_kept(server: Server, tmp_path: Path) -> None:
    server.answers = [breaks_off(1000), *[fails(500)] * 50]
    with pytest.raises(DataError, match=r"500.*1000 of 1024000 bytes are kept"):
        fetch(server, tmp_path / "f.part")
    assert (tmp_path / "f.part").read_bytes() == BODY[:1000]
    assert len(server.requests) <= 2 * download_module.ATTEMPTS


def test_many_breaks_are_borne_while_something_arrives(server: Server, tmp_path: Path) -> None:
    server.answers = [breaks_off(60_000)] * (2 * download_module.ATTEMPTS)
    assert fetch(server, tmp_path / "f.part") == BODY


@pytest.mark.parametrize("status", [404, 403])
def test_a_refusal_is_final(server: Server, tmp_path: Path, status: int) -> None:
    server.answers = [fails(status)]
    with pytest.raises(DataError, match=str(status)):
        fetch(server, tmp_path / "f.part")
    assert len(server.requests) == 1


def test_nobody_there(server: Server, tmp_path: Path) -> None:
    with pytest.raises(DataError, match=r"127\.0\.0\.1:9/"):
        download("http://127.0.0.1:9/file.bin", tmp_path / "f.part", size=1, sha256=sha(b"1"))


@pytest.mark.parametrize("url", ["http://example.org/f", "ftp://example.org/f", "file:///etc/passwd", "/etc/passwd"])
def test_only_https_is_used(tmp_path: Path, url: str) -> None:
    with pytest.raises(DataError, match="https"):
        download(url, tmp_path / "f.part", size=1, sha256=sha(b"1"))


def test_http_to_this_machine_or_a_named_mirror() -> None:
    for url in ("http://127.0.0.1:80/f", "http://localhost/f", "http://[::1]/f", "https://example.org/f"):
        check_address(url, plain_http=False)
    check_address("http://mirror.example/f", plain_http=True)
    with pytest.raises(DataError):
        check_address("http://127.0.0.1.example.org/f", plain_http=False)


def test_a_redirection_is_followed_but_not_to_plain_http(server: Server, tmp_path: Path) -> None:
    server.answers = [lambda h, c: send(h, 302, b"", Location=f"{server.address}/other.bin")]
    server.files["/other.bin"] = BODY
    assert fetch(server, tmp_path / "f.part") == BODY
    server.answers = [lambda h, c: send(h, 302, b"", Location="http://example.org/other.bin")]
    with pytest.raises(DataError, match=r"http://example\.org/other\.bin.*https"):
        fetch(server, tmp_path / "g.part")


@pytest.mark.skipif(not Path("/dev/full").exists(), reason="no /dev/full here")
def test_a_full_disk_is_named(server: Server, tmp_path: Path) -> None:
    (tmp_path / "f.part").symlink_to("/dev/full")
    with pytest.raises(DataError, match="No space left"):
        fetch(server, tmp_path / "f.part")
    assert (tmp_path / "f.part").is_symlink()


class Terminal(io.StringIO):
    """What sys.stderr is where somebody watches."""

    def isatty(self) -> bool:
        return True


def test_progress_is_a_bar_on_a_terminal(monkeypatch: pytest.MonkeyPatch, said: list[str]) -> None:
    terminal = Terminal()
    monkeypatch.setattr(sys, "stderr", terminal)
    with shown("file.bin", 1000, said.append) as progress:
        for have in (0, 500, 0, 1000):  # back to the start, as where a server ignores Range
            progress(have)
    assert "file.bin: " in terminal.getvalue()
    assert "/1.00k" in terminal.getvalue()
    assert said == []


def test_a_bar_whose_file_has_a_loud_name_steers_no_terminal(monkeypatch: pytest.MonkeyPatch, said: list[str]) -> None:
    terminal = Terminal()
    monkeypatch.setattr(sys, "stderr", terminal)
    with shown(EVIL, 1000, said.append) as progress:
        progress(500)
    assert "forged" in terminal.getvalue() and not steering(terminal.getvalue(), terminal=True)
    assert "\n" not in terminal.getvalue(), "a bar is one line"


def test_progress_is_plain_lines_elsewhere(monkeypatch: pytest.MonkeyPatch, said: list[str]) -> None:
    monkeypatch.setattr(download_module, "REPORT_EVERY", 0.0)
    monkeypatch.setattr(sys, "stderr", io.StringIO())
    with shown("file.bin", 2_000_000, said.append) as progress:
        progress(500_000)
    assert said == ["file.bin: 0.5 of 2.0 MB"]


# sources

IMAGES, LABELS = b"images" * 3000, b"labels" * 100


def packed(files: dict[str, bytes]) -> bytes:
    buffer = io.BytesIO()
    with tarfile.open(fileobj=buffer, mode="w:gz") as tar:
        for name, content in files.items():
            info = tarfile.TarInfo(name)
            info.size = len(content)
            tar.addfile(info, io.BytesIO(content))
    return buffer.getvalue()


FILES = {
    "images.tar.gz": packed({"set/images.bin": IMAGES}),
    "labels.gz": gzip.compress(LABELS, mtime=0),
    "readme.txt": b"read me",
}
LAID_OUT = {"set/images.bin": IMAGES, "labels": LABELS, "readme.txt": b"read me"}


def source(address: str, **changes: Any) -> SourceSpec:
    files = tuple(
        SourceFile(
            url=f"{address}/{name}", size=len(content), sha256=sha(content), unpack=name.endswith("gz"), name=name
        )
        for name, content in FILES.items()
    )
    layout = (
        LayoutFile("set/images.bin", len(IMAGES)),
        LayoutFile("labels", len(LABELS), sha(LABELS)),
        LayoutFile("readme.txt"),
    )
    return SourceSpec(name="toys", summary="Toys", **{"files": files, "layout": layout, **changes})


def tree(folder: Path) -> dict[str, bytes]:
    return {str(p.relative_to(folder)): p.read_bytes() for p in folder.rglob("*") if p.is_file()}


def lay_out(folder: Path, **changes: bytes | None) -> Path:
    for name, content in {**LAID_OUT, **changes}.items():
        if content is not None:
            (folder / name).parent.mkdir(parents=True, exist_ok=True)
            (folder / name).write_bytes(content)
    return folder


@pytest.fixture
def toys(server: Server) -> SourceSpec:
    server.files = {f"/{name}": content for name, content in FILES.items()}
    return source(server.address)


@pytest.fixture
def said() -> list[str]:
    return []


def test_a_source_is_downloaded_unpacked_and_put_in_place(
    toys: SourceSpec, server: Server, tmp_path: Path, said: list[str]
) -> None:
    data = tmp_path / "workspace" / "data"
    assert status(toys, data) == "absent"
    assert ensure(toys, data, say=said.append) == data / "toys"
    assert tree(data / "toys") == LAID_OUT
    assert [p.name for p in data.iterdir()] == ["toys"]
    assert (status(toys, data), verify(toys, data)) == ("present", [])
    for name in FILES:
        assert any(name in line and server.address in line and "MB" in line for line in said)
    server.requests.clear()
    ensure(toys, data, say=said.append)
    assert server.requests == []


def test_what_is_laid_out_already_is_used_as_it_is(tmp_path: Path, said: list[str]) -> None:
    spec = source("https://unreachable.invalid")
    lay_out(tmp_path / "toys")
    (tmp_path / "toys" / "mine").write_bytes(b"mine")
    assert ensure(spec, tmp_path, offline=True, say=said.append) == tmp_path / "toys"
    assert said == []


def test_offline_names_what_is_missing_and_the_command(
    toys: SourceSpec, server: Server, tmp_path: Path, said: list[str], monkeypatch: pytest.MonkeyPatch
) -> None:
    data = tmp_path / "data"
    with pytest.raises(DataError) as caught:
        ensure(toys, data, offline=True, say=said.append)
    assert "dlkit data get toys" in str(caught.value)
    assert str(data / "toys" / "set" / "images.bin") in str(caught.value)
    assert "--mirror" in str(caught.value)
    monkeypatch.setenv("DLKIT_OFFLINE", "1")
    with pytest.raises(DataError, match="offline"):
        ensure(toys, data, say=said.append)
    assert server.requests == []
    assert not data.exists()


def test_a_failure_keeps_what_was_fetched_and_nothing_else(
    toys: SourceSpec, server: Server, tmp_path: Path, said: list[str]
) -> None:
    del server.files["/readme.txt"]
    server.answers = [honest, breaks_off(20), *[fails(500)] * 20]
    with pytest.raises(DataError, match=r"labels\.gz"):
        get(toys, tmp_path, say=said.append)
    assert tree(tmp_path).keys() == {".toys.part/images.tar.gz", ".toys.part/labels.gz.part", ".toys.part/lock"}
    server.files["/readme.txt"], server.answers = FILES["readme.txt"], []
    server.requests.clear()
    get(toys, tmp_path, say=said.append)
    assert server.requests == [("/labels.gz", "bytes=20-"), ("/readme.txt", None)]
    assert tree(tmp_path / "toys") == LAID_OUT


def test_a_hostile_archive_leaves_nothing(server: Server, tmp_path: Path, said: list[str]) -> None:
    evil = packed({"ok": b"1", "../../evil": b"2"})
    server.files["/evil.tar.gz"] = evil
    file = SourceFile(url=f"{server.address}/evil.tar.gz", size=len(evil), sha256=sha(evil), unpack=True)
    with pytest.raises(DataError, match=r"evil\.tar\.gz, member '../../evil'"):
        get(source(server.address, files=(file,)), tmp_path / "data", say=said.append)
    assert tree(tmp_path).keys() == {"data/.toys.part/evil.tar.gz", "data/.toys.part/lock"}


def test_archives_must_not_overlap(server: Server, tmp_path: Path, said: list[str]) -> None:
    one, two = packed({"set/a": b"1"}), packed({"set/a": b"2"})
    server.files.update({"/1.tar.gz": one, "/2.tar.gz": two})
    files = tuple(
        SourceFile(url=f"{server.address}/{i}.tar.gz", size=len(c), sha256=sha(c), unpack=True)
        for i, c in ((1, one), (2, two))
    )
    with pytest.raises(DataError, match=r"2\.tar\.gz: a came out of another archive"):
        get(source(server.address, files=files, layout=()), tmp_path, say=said.append)
    assert not (tmp_path / "toys").exists()


def test_what_comes_out_must_be_as_declared(toys: SourceSpec, tmp_path: Path, said: list[str]) -> None:
    wrong = source("", files=toys.files, layout=(LayoutFile("labels", len(LABELS), sha(b"other")), LayoutFile("more")))
    with pytest.raises(DataError, match=r"more is missing.*labels: SHA-256"):
        get(wrong, tmp_path, say=said.append)
    assert not (tmp_path / "toys").exists()


def test_a_file_without_a_checksum_is_not_downloaded(toys: SourceSpec, tmp_path: Path, said: list[str]) -> None:
    bare = SourceFile(url=toys.files[0].url, size=toys.files[0].size, sha256="")
    with pytest.raises(PluginError, match="sha256"):
        get(source("", files=(bare,)), tmp_path, say=said.append)


def test_a_source_without_files_is_fetched_by_hand_or_from_a_copy(tmp_path: Path, said: list[str]) -> None:
    layout = (LayoutFile("words.txt"),)
    spec = SourceSpec(name="moving", summary="renewed every day", layout=layout, homepage="https://words.example")
    for offline in (False, True):
        with pytest.raises(DataError, match=r"(?s)words\.txt is missing.*by hand: .*https://words\.example.*moving"):
            get(spec, tmp_path / "data", offline=offline, say=said.append)
    assert not (tmp_path / "data").exists()
    (tmp_path / "copy" / "moving").mkdir(parents=True)
    (tmp_path / "copy" / "moving" / "words.txt").write_bytes(b"words")
    get(spec, tmp_path / "data", mirror=str(tmp_path / "copy"), say=said.append)
    assert tree(tmp_path / "data" / "moving") == {"words.txt": b"words"}


def test_missing_files_are_added_and_nothing_of_the_users_is_touched(
    toys: SourceSpec, tmp_path: Path, said: list[str]
) -> None:
    lay_out(tmp_path / "toys", **{"set/images.bin": None, "set/mine": b"mine"})
    assert status(toys, tmp_path) == "incomplete"
    ensure(toys, tmp_path, say=said.append)
    assert tree(tmp_path / "toys") == {**LAID_OUT, "set/mine": b"mine"}


def test_a_wrong_file_is_replaced_by_get_alone(toys: SourceSpec, tmp_path: Path, said: list[str]) -> None:
    lay_out(tmp_path / "toys", labels=b"mine")
    with pytest.raises(DataError, match=r"labels: 4 bytes, expected 600.*dlkit data get toys"):
        ensure(toys, tmp_path, say=said.append)
    assert (tmp_path / "toys" / "labels").read_bytes() == b"mine"
    get(toys, tmp_path, say=said.append)
    assert tree(tmp_path / "toys") == LAID_OUT


def test_verify_reads_contents_where_they_are_declared(toys: SourceSpec, tmp_path: Path) -> None:
    lay_out(
        tmp_path / "toys", **{"labels": bytes(len(LABELS)), "set/images.bin": bytes(len(IMAGES)), "readme.txt": b""}
    )
    assert status(toys, tmp_path) == "present"
    problems = verify(toys, tmp_path)
    assert len(problems) == 1  # images.bin declares a size only: another order of the same records is as good
    assert sha(LABELS) in problems[0]
    assert str(tmp_path / "toys" / "labels") in problems[0]


def test_verify_names_missing_and_misshapen_files(toys: SourceSpec, tmp_path: Path) -> None:
    lay_out(tmp_path / "toys", **{"labels": None, "set/images.bin": b"1"})
    problems = verify(toys, tmp_path)
    assert "1 bytes, expected 18000" in problems[0]
    assert "labels is missing" in problems[1]


# mirrors


@pytest.mark.parametrize("style", ["laid out", "archives by name", "archives"])
def test_a_mirror_folder(tmp_path: Path, said: list[str], style: str) -> None:
    mirror = tmp_path / "mirror"
    spec, mirror_files = source("https://unreachable.invalid"), FILES if style != "laid out" else LAID_OUT
    base = mirror if style == "archives" else mirror / "toys"
    for name, content in mirror_files.items():
        (base / name).parent.mkdir(parents=True, exist_ok=True)
        (base / name).write_bytes(content)
    before = tree(mirror)
    for folder in (mirror, *(p for p in mirror.rglob("*") if p.is_dir())):
        folder.chmod(0o555)
    try:
        ensure(spec, tmp_path / "data", offline=True, mirror=str(mirror), say=said.append)
    finally:
        for folder in (mirror, *(p for p in mirror.rglob("*") if p.is_dir())):
            folder.chmod(0o755)
    assert tree(tmp_path / "data" / "toys") == LAID_OUT
    assert os.access(tmp_path / "data" / "toys", os.W_OK)
    assert tree(mirror) == before
    assert [p.name for p in (tmp_path / "data").iterdir()] == ["toys"]


def test_a_mirrors_wrong_archive_is_refused_and_stays(tmp_path: Path, said: list[str]) -> None:
    mirror = tmp_path / "mirror"
    mirror.mkdir()
    for name, content in {**FILES, "labels.gz": bytes(len(FILES["labels.gz"]))}.items():
        (mirror / name).write_bytes(content)
    with pytest.raises(DataError, match=r"mirror/labels\.gz: SHA-256"):
        ensure(source("https://x.invalid"), tmp_path / "data", mirror=str(mirror), say=said.append)
    assert (mirror / "labels.gz").exists()
    assert tree(tmp_path / "data") == {}


def test_a_mirror_folder_laid_out_wrongly_is_refused(tmp_path: Path, said: list[str]) -> None:
    lay_out(tmp_path / "mirror" / "toys", labels=bytes(len(LABELS)))
    with pytest.raises(DataError, match="SHA-256"):
        ensure(source("https://x.invalid"), tmp_path / "data", mirror=str(tmp_path / "mirror"), say=said.append)
    assert tree(tmp_path / "data") == {}


def test_an_empty_mirror_says_where_it_looked(tmp_path: Path, said: list[str]) -> None:
    with pytest.raises(DataError) as caught:
        ensure(source("https://x.invalid"), tmp_path / "data", mirror=str(tmp_path / "mirror"), say=said.append)
    for place in ("toys/set/images.bin", "toys/images.tar.gz", "images.tar.gz"):
        assert str(tmp_path / "mirror" / place) in str(caught.value)


def test_a_mirror_address_holds_files_by_source(
    server: Server, tmp_path: Path, said: list[str], monkeypatch: pytest.MonkeyPatch
) -> None:
    server.files = {f"/pub/toys/{name}": content for name, content in FILES.items()}
    monkeypatch.setenv("DLKIT_MIRROR", f"{server.address}/pub/")
    ensure(source("https://unreachable.invalid"), tmp_path, say=said.append)
    assert tree(tmp_path / "toys") == LAID_OUT
    assert [path for path, _ in server.requests] == [f"/pub/toys/{name}" for name in FILES]


def test_offline_forbids_a_mirrors_address_too(server: Server, tmp_path: Path, said: list[str]) -> None:
    with pytest.raises(DataError, match="offline"):
        ensure(source(server.address), tmp_path, offline=True, mirror=server.address, say=said.append)
    assert server.requests == []


def test_another_kind_of_mirror_is_a_usage_error(tmp_path: Path, said: list[str]) -> None:
    with pytest.raises(UsageError, match="ftp://x"):
        ensure(source("https://x.invalid"), tmp_path, mirror="ftp://x", say=said.append)


# several at once

_PROCESS = """
import json, sys
from pathlib import Path
from dlkit.components import LayoutFile, SourceFile, SourceSpec
from dlkit.data.sources import ensure
file, data = json.loads(sys.argv[1]), Path(sys.argv[2])
spec = SourceSpec(name="toys", summary="Toys", files=(SourceFile(**file),), layout=(LayoutFile("set/images.bin"),))
print((ensure(spec, data, say=lambda text: print(text, file=sys.stderr)) / "set/images.bin").stat().st_size)
"""


def test_two_processes_download_once(toys: SourceSpec, server: Server, tmp_path: Path) -> None:
    asked, released = threading.Event(), threading.Event()

    def when_released(handler: Any, content: bytes) -> None:
        asked.set()
        released.wait(30)
        honest(handler, content)

    server.answers = [when_released]
    file = {"url": toys.files[0].url, "size": toys.files[0].size, "sha256": toys.files[0].sha256, "unpack": True}
    command = [sys.executable, "-c", _PROCESS, json.dumps(file), str(tmp_path / "data")]

    def started() -> subprocess.Popen[str]:
        return subprocess.Popen(command, stdout=subprocess.PIPE, stderr=subprocess.PIPE, text=True)

    with started() as first:
        assert asked.wait(LONG)
        with started() as second:
            assert second.stderr is not None
            assert "waiting for it" in second.stderr.readline()
            released.set()
            results = [process.communicate(timeout=LONG) for process in (first, second)]
    assert [out.strip() for out, _ in results] == [str(len(IMAGES))] * 2
    assert len(server.requests) == 1
    assert [p.name for p in (tmp_path / "data").iterdir()] == ["toys"]


def test_two_threads_download_once(toys: SourceSpec, server: Server, tmp_path: Path, said: list[str]) -> None:
    threads = [threading.Thread(target=ensure, args=(toys, tmp_path), kwargs={"say": said.append}) for _ in range(4)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert len(server.requests) == len(FILES)
    assert tree(tmp_path / "toys") == LAID_OUT


def test_what_a_killed_process_left_half_unpacked_is_cleared(toys: SourceSpec, tmp_path: Path, said: list[str]) -> None:
    lay_out(tmp_path / ".toys.part" / "tree", strange=b"1")
    get(toys, tmp_path, say=said.append)
    assert tree(tmp_path / "toys") == LAID_OUT


def test_what_was_left_however_deep_or_linked_is_never_in_the_way(
    toys: SourceSpec, tmp_path: Path, said: list[str]
) -> None:
    work, mine = tmp_path / "data" / ".toys.part", tmp_path / "mine"
    lay_out(mine)
    nested(lay_out(work / "tree") / "deep", 3000)
    nested(work / ".unpacked.x1", 3000)
    (work / "unpacked").symlink_to(mine)
    get(toys, tmp_path / "data", say=said.append)
    assert tree(tmp_path / "data" / "toys") == tree(mine) == LAID_OUT
    assert [p.name for p in (tmp_path / "data").iterdir()] == ["toys"]


@pytest.mark.skipif(os.geteuid() == 0, reason="root may delete anything")
def test_what_cannot_be_deleted_is_not_in_the_way(toys: SourceSpec, tmp_path: Path, said: list[str]) -> None:
    kept = lay_out(tmp_path / ".toys.part" / "tree") / "set"
    kept.chmod(0o500)
    try:
        get(toys, tmp_path, say=said.append)
        assert tree(tmp_path / "toys") == LAID_OUT
    finally:
        kept.chmod(0o700)


def test_an_archive_of_very_deep_folders_breaks_no_later_try(
    toys: SourceSpec, server: Server, tmp_path: Path, said: list[str]
) -> None:
    good = server.files["/images.tar.gz"]
    bad = packed({"a/" * 1800 + "b": b"1"})
    server.files["/images.tar.gz"] = bad
    file = SourceFile(url=f"{server.address}/images.tar.gz", size=len(bad), sha256=sha(bad), unpack=True)
    with pytest.raises(DataError, match="more than 64 folders"):
        get(source(server.address, files=(file,)), tmp_path, say=said.append)
    server.files["/images.tar.gz"] = good
    get(toys, tmp_path, say=said.append)
    assert tree(tmp_path / "toys") == LAID_OUT


def test_a_mirror_that_lies_in_itself_is_refused(tmp_path: Path, said: list[str]) -> None:
    folder = lay_out(tmp_path / "mirror" / "toys")
    (folder / "again").symlink_to(folder)
    with pytest.raises(DataError, match=r"a link to itself|Too many levels"):
        get(source("https://unreachable.invalid"), tmp_path / "data", mirror=str(tmp_path / "mirror"), say=said.append)
    assert not (tmp_path / "data" / "toys").exists()


# the real ones


@pytest.mark.realdata
@pytest.mark.parametrize("name", ["bike-sharing", "mnist", "cifar10"])
def test_real_data_is_as_the_plugins_declare_it(realdata: Callable[[str], Path], name: str) -> None:
    from dlkit.data.known import MNIST
    from dlkit_classification.sources import CIFAR10
    from dlkit_regression.sources import BIKE_SHARING

    spec = {s.name: s for s in (BIKE_SHARING, MNIST, CIFAR10)}[name]
    folder = realdata(name)
    assert spec.problems() == []
    assert all(file.url.startswith("https://") and len(file.sha256) == 64 and file.size for file in spec.files)
    assert status(spec, folder.parent) == "present"
    assert verify(spec, folder.parent) == []
