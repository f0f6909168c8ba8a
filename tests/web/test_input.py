"""What is typed while an app is opened again in its process is the next app's."""

from __future__ import annotations

import os
import sys
import threading
from collections.abc import Iterator

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from dlkit.web import input as web_input
from dlkit.web.input import Input
from waiting import LONG


def packet(payload: bytes, kind: bytes = b"D") -> bytes:
    return kind + len(payload).to_bytes(4, "big") + payload


@pytest.fixture
def server(monkeypatch: pytest.MonkeyPatch) -> Iterator[int]:
    """The server's end of standard input."""
    mine, theirs = os.pipe()
    with os.fdopen(mine) as stdin:
        monkeypatch.setattr(sys, "__stdin__", stdin)
        monkeypatch.setattr(Input, "_rest", b"")
        yield theirs
    os.close(theirs)


def test_what_has_not_been_given_is_the_next_ones(server: int) -> None:
    os.write(server, packet(b"r") + packet(b"q") + packet(b"later")[:-2])
    one = Input()
    packets = iter(one)
    assert next(packets) == packet(b"r")
    one.close()
    assert list(packets) == []
    one.dispose()
    os.write(server, b"er" + packet(b"", b"M"))
    other = iter(Input())
    assert [next(other) for _ in range(3)] == [packet(b"q"), packet(b"later"), packet(b"", b"M")]


def test_what_comes_after_the_end_is_not_read(server: int) -> None:
    """Closed while it waits, however long that would be; a thread that got no turn meanwhile reads nothing either."""
    one, given, waits = Input(), [], threading.Event()

    def read() -> None:
        for data in one:
            given.append(data)
            waits.set()

    reader = threading.Thread(target=read)
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(web_input, "TICK_SECONDS", LONG * 10)
        os.write(server, packet(b"first"))
        reader.start()
        assert waits.wait(LONG)
        one.close()
        os.write(server, packet(b"second"))
        reader.join(LONG)
    assert not reader.is_alive() and given == [packet(b"first")]
    assert next(iter(Input())) == packet(b"second")


def test_it_ticks_where_nothing_comes_and_ends_with_its_input(server: int) -> None:
    packets = iter(Input())
    assert next(packets) == b""
    os.close(server)
    os.dup2(os.open(os.devnull, os.O_WRONLY), server)
    assert list(packets) == []


@settings(max_examples=30)
@given(st.lists(st.binary(max_size=300), min_size=1, max_size=20), st.data())
def test_however_it_comes_it_comes_whole(payloads: list[bytes], data: st.DataObject) -> None:
    sent = b"".join(map(packet, payloads))
    cuts = sorted(data.draw(st.lists(st.integers(0, len(sent)), max_size=10)))
    mine, theirs = os.pipe()
    with pytest.MonkeyPatch.context() as patch, os.fdopen(mine) as stdin, os.fdopen(theirs, "wb", buffering=0) as pipe:
        patch.setattr(sys, "__stdin__", stdin)
        patch.setattr(Input, "_rest", b"")
        patch.setattr(web_input, "TICK_SECONDS", 0.0)
        found: list[bytes] = []
        for start, end in zip([0, *cuts], [*cuts, len(sent)], strict=True):
            pipe.write(sent[start:end])
            one = Input()
            for given in one:
                if not given:  # nothing more has come: the app is opened again
                    break
                found.append(given)
            one.close()
            one.dispose()
    assert found == [packet(payload) for payload in payloads]
