"""Who is let in: the whole server over the wire, and the guard's decisions for any request."""

from __future__ import annotations

import re
import socket
from typing import Any

import pytest
from aiohttp import web
from aiohttp.test_utils import make_mocked_request
from hypothesis import given
from hypothesis import strategies as st

from dlkit.page_safety import same
from dlkit.web.guard import HEADERS, Guard
from web.served import Answer, Served

ROUTES = ("/", "/ws", "/static/textual.js", "/static/dlkit.js", "/download/0123456789", "/nothing", "/?token=")
FOREIGN_HOSTS = (
    "evil.example",
    "evil.example:{}",
    "127.0.0.1",
    "127.0.0.1:1",
    "127.0.0.1.evil.example:{}",
    "",
    "[::1]:{}",
)
FOREIGN_ORIGINS = (
    "http://evil.example",
    "null",
    "",
    "http://127.0.0.1",
    "https://127.0.0.1:{}",
    "http://127.0.0.1:1",
    "http://localhost:{}",
    "http://127.0.0.1:{}.evil.example",
)
UPGRADE = (
    ("Connection", "Upgrade"),
    ("Upgrade", "websocket"),
    ("Sec-WebSocket-Version", "13"),
    ("Sec-WebSocket-Key", "dGhlIHNhbXBsZSBub25jZQ=="),
)


def assert_refused(answer: Answer, served: Served, said: str) -> None:
    """403 with one line, and nothing of what would have let somebody in."""
    assert answer.status == 403
    assert re.fullmatch(rf"refused: [^\n]*{said}[^\n]*\n", answer.body.decode())
    for secret in (served.token, served.cookie()[1].partition("=")[2]):
        assert secret not in f"{answer.headers} {answer.body!r}"
    assert "set-cookie" not in answer.headers and "location" not in answer.headers
    assert all(answer.headers[name.lower()] == value for name, value in HEADERS.items())


@pytest.mark.parametrize("route", ROUTES[:-1])
def test_no_cookie_or_a_wrong_one_is_refused(small: Served, route: str) -> None:
    name, value = small.cookie()[1].split("=")
    origin = ("Origin", small.base)
    assert_refused(small.ask(route, origin), small, "no token")
    assert_refused(small.ask(route, origin, ("Cookie", f"{name}={value[:-1]}")), small, "cookie is wrong")
    assert_refused(small.ask(route, origin, ("Cookie", f"{name}={small.token}")), small, "cookie is wrong")
    assert_refused(small.ask(route, origin, ("Cookie", f"{name}=")), small, "cookie is wrong")
    assert_refused(small.ask(route, origin, ("Cookie", f"dlkit-{small.port + 1}={value}")), small, "no token")


@pytest.mark.parametrize("route", ROUTES)
@pytest.mark.parametrize("host", FOREIGN_HOSTS)
def test_a_foreign_host_is_refused(small: Served, route: str, host: str) -> None:
    """Also with the token and the cookie: a foreign name that leads here must not be able to use what it has got."""
    route = f"/?token={small.token}" if route == "/?token=" else route
    foreign = host.format(small.port)
    assert_refused(small.ask(route, small.cookie(), ("Origin", f"http://{foreign}"), host=foreign), small, "Host")


@pytest.mark.parametrize("route", ROUTES)
@pytest.mark.parametrize("origin", FOREIGN_ORIGINS)
def test_a_foreign_origin_is_refused(small: Served, route: str, origin: str) -> None:
    route = f"/?token={small.token}" if route == "/?token=" else route
    wrong = ("Origin", origin.format(small.port))
    assert_refused(small.ask(route, small.cookie(), wrong), small, "Origin")
    assert_refused(small.ask(route, small.cookie(), wrong, *UPGRADE), small, "Origin")
    assert_refused(small.ask(route, small.cookie(), ("Origin", small.base), wrong), small, "Origin")


def test_a_websocket_without_an_origin_is_refused(small: Served) -> None:
    for route in ("/ws", "/", "/static/textual.js"):
        assert_refused(small.ask(route, small.cookie(), *UPGRADE), small, "needs an Origin")
    assert_refused(small.ask("/ws", small.cookie()), small, "needs an Origin")
    assert_refused(small.ask(f"/ws?token={small.token}", ("Origin", small.base), *UPGRADE), small, "no token")


@pytest.mark.parametrize("token", ["", "x", "{}x", "{}%00", "%ff", "€"])
def test_a_wrong_token_is_refused(small: Served, token: str) -> None:
    query = token.format(small.token).replace("€", "%E2%82%AC")
    assert_refused(small.ask(f"/?token={query}"), small, "token is wrong")
    assert_refused(small.ask(f"/?token={query}", small.cookie()), small, "token is wrong")


@pytest.mark.parametrize("method", ["POST", "PUT", "DELETE", "HEAD", "OPTIONS", "PATCH"])
def test_nothing_but_get(small: Served, method: str) -> None:
    for route in ("/", "/ws", "/static/dlkit.js", "/nothing"):
        answer = small.ask(route, small.cookie(), ("Origin", small.base), method=method)
        assert (answer.status, answer.headers["allow"]) == (405, "GET")
        assert small.ask(route, method=method, host="evil.example").status == 403


def test_two_hosts_or_none_are_refused(small: Served) -> None:
    assert small.ask("/", ("Host", small.host), small.cookie()).status in (400, 403)
    with socket.create_connection(("127.0.0.1", small.port), timeout=10) as connection:
        connection.sendall(f"GET / HTTP/1.0\r\nCookie: {small.cookie()[1]}\r\n\r\n".encode())
        assert b" 403 " in connection.recv(64)


@pytest.mark.parametrize("name", ["127.0.0.1", "localhost", "LOCALHOST"])
def test_the_token_is_exchanged_for_a_cookie(small: Served, name: str) -> None:
    host = f"{name}:{small.port}"
    answer = small.ask(f"/?token={small.token}&fontsize=20", host=host)
    assert (answer.status, answer.headers["location"], answer.body) == (303, "/?fontsize=20", b"")
    words = [word.strip() for word in answer.headers["set-cookie"].split(";")]
    assert words[0].startswith(f"dlkit-{small.port}=") and small.token not in words[0]
    assert sorted(words[1:]) == ["HttpOnly", "Path=/", "SameSite=Strict"]
    page = small.ask("/", ("Cookie", words[0]), host=host)
    assert page.status == 200 and b'data-font-size="16"' in page.body
    assert small.token.encode() not in page.body and words[0].partition("=")[2].encode() not in page.body
    origin = ("Origin", f"http://{host.lower()}")
    assert small.ask("/ws", ("Cookie", words[0]), origin, *UPGRADE, host=host).status == 101


def test_pages_are_served_with_headers_and_without_foreign_hosts(small: Served) -> None:
    for route in ("/", "/static/xterm.css", "/static/dlkit.css", "/static/dlkit.js", "/static/icon.svg"):
        answer = small.ask(route, small.cookie())
        assert answer.status == 200 and answer.headers["x-content-type-options"] == "nosniff"
        policy = answer.headers["content-security-policy"]
        hosts = {f"ws://127.0.0.1:{small.port}", f"ws://localhost:{small.port}"}
        assert set(re.findall(r"\w+://\S+", policy.replace(";", " "))) == hosts and "default-src 'none'" in policy
    assert set(re.findall(rb"\w+://[^/]+", small.ask("/", small.cookie()).body)) == {f"ws://{small.host}".encode()}
    assert small.ask("/static/textual.js", small.cookie()).status == 200
    for absent in ("/static/", "/static/index.html", "/static/..%2fguard.py", "/static/%2e%2e/guard.py", "/download/x"):
        assert small.ask(absent, small.cookie()).status == 404


PORT = 45678
HOSTS = ("127.0.0.1:45678", "localhost:45678", "127.0.0.1", "evil.example:45678", "")
ORIGINS = (None, "http://127.0.0.1:45678", "http://localhost:45678", "http://evil.example", "null", "")


@given(
    host=st.sampled_from(HOSTS),
    origin=st.sampled_from(ORIGINS) | st.text(alphabet=st.characters(codec="ascii", exclude_categories=["C"])),
    cookie=st.sampled_from(["right", "wrong", "none"]),
    path=st.sampled_from(["/", "/ws", "/static/x", "/download/x"]),
    upgrade=st.booleans(),
    method=st.sampled_from(["GET", "POST", "HEAD"]),
)
async def test_nobody_else_reaches_a_handler(
    host: str, origin: str | None, cookie: str, path: str, upgrade: bool, method: str
) -> None:
    guard = Guard(PORT)
    headers = {"Host": host}
    if origin is not None:
        headers["Origin"] = origin
    if upgrade:
        headers["Upgrade"] = "websocket"
    if cookie != "none":
        answer = await _ask(guard, make_mocked_request("GET", f"/?token={guard.token}", headers={"Host": HOSTS[0]}))
        value = answer.cookies[guard.cookie].value
        headers["Cookie"] = f"{guard.cookie}={value if cookie == 'right' else value[::-1]}"
    right = (
        host in HOSTS[:2]
        and method == "GET"
        and cookie == "right"
        and (origin == f"http://{host}" or (origin is None and not upgrade and path != "/ws"))
    )
    answer = await _ask(guard, make_mocked_request(method, path, headers=headers))
    assert (answer.status == 200) is right


async def _ask(guard: Guard, request: web.Request) -> Any:
    async def handler(request: web.Request) -> web.Response:
        return web.Response(text="inside")

    try:
        return await guard.middleware(request, handler)
    except web.HTTPException as refusal:
        return refusal


@given(st.text(), st.text(alphabet=st.characters(codec="ascii")))
def test_only_the_same_is_the_same(given_text: str, wanted: str) -> None:
    assert same(wanted, wanted)
    assert same(given_text, wanted) is (given_text == wanted)


def test_every_server_has_its_own_secrets() -> None:
    one, other = Guard(1), Guard(2)
    assert one.token != other.token and one.cookie != other.cookie and len(one.token) >= 43
    assert Guard(80).hosts == ("127.0.0.1", "localhost")
