"""Who may ask the server: whoever was shown the address, through a page of this server.

Every request passes ``Guard.middleware``, whatever its path. What each check is for:

- Host must be this server: a foreign name that somebody points at 127.0.0.1 (DNS rebinding) is refused.
- GET only, without a body: nothing here takes anything else.
- The cookie, or in ``/?token=…`` the token that it is exchanged for: other programs and users of this machine have
  neither. The cookie is HttpOnly (no script reads it), SameSite=Strict (no other site's page sends it), and named after
  the port: browsers keep cookies by host, and several servers may run.
- Origin, where there is one, must be the served page; a WebSocket must have one. Browsers apply no same-origin rule to
  WebSockets, so without this any page open in the same browser could drive the interface.
"""

from __future__ import annotations

import secrets
from collections.abc import Awaitable, Callable

from aiohttp import web
from yarl import URL

from dlkit import page_safety
from dlkit.page_safety import same

HEADERS = {
    **page_safety.HEADERS,
    "Server": "dlkit",
}
"""On every answer. Those of one that has its own (a download's policy) stay."""

POLICY = (
    "default-src 'none'; script-src 'self'; style-src 'self' 'unsafe-inline'; img-src 'self' data:; "
    "font-src 'self'; connect-src 'self' {sockets}; base-uri 'none'; form-action 'none'; frame-ancestors 'none'"
)
"""No foreign host; inline styles because xterm.js writes them. Older Safari does not count WebSockets as 'self'."""

Handler = Callable[[web.Request], Awaitable[web.StreamResponse]]


class Guard:
    """Of the server at ``port``. ``token`` is what the printed address carries, ``cookie`` the cookie's name."""

    def __init__(self, port: int) -> None:
        self.port = port
        self.token = secrets.token_urlsafe(32)
        self.cookie = f"dlkit-{port}"
        self._secret = secrets.token_urlsafe(32)
        suffix = "" if port == 80 else f":{port}"  # browsers leave out the scheme's own port
        self.hosts = tuple(f"{name}{suffix}" for name in ("127.0.0.1", "localhost"))

    @property
    def url(self) -> str:
        """The address to open."""
        return f"http://{self.hosts[0]}/?token={self.token}"

    @web.middleware
    async def middleware(self, request: web.Request, handler: Handler) -> web.StreamResponse:
        if wrong := self._wrong_host(request):
            raise _refused(wrong)
        if request.method != "GET":
            raise web.HTTPMethodNotAllowed(request.method, ["GET"], text="only GET is served here\n")
        if request.body_exists:
            raise web.HTTPRequestEntityTooLarge(0, text="no request here has a body\n")
        if wrong := self._wrong_origin(request):
            raise _refused(wrong)
        if request.path == "/" and "token" in request.query:
            return self._exchange(request)
        if wrong := self._wrong_cookie(request):
            raise self._maybe_again(request, _refused(wrong))
        return await handler(request)

    async def add_headers(self, request: web.Request, response: web.StreamResponse) -> None:
        """For aiohttp's ``on_response_prepare``: answers that it makes itself get the headers too."""
        for name, value in HEADERS.items():
            response.headers[name] = value
        policy = POLICY.format(sockets=" ".join(f"ws://{host}" for host in self.hosts))
        response.headers.setdefault("Content-Security-Policy", policy)

    def _wrong_host(self, request: web.Request) -> str:
        given = request.headers.getall("Host", [])
        if len(given) == 1 and given[0].lower() in self.hosts:
            return ""
        return f"the Host header must be {' or '.join(self.hosts)}"

    def _wrong_origin(self, request: web.Request) -> str:
        given = request.headers.getall("Origin", [])
        socket = request.path == "/ws" or "Upgrade" in request.headers
        if given == [f"http://{request.headers['Host'].lower()}"] or (not given and not socket):
            return ""
        return "the Origin header must be the served page's" if given else "a WebSocket needs an Origin header"

    def _exchange(self, request: web.Request) -> web.Response:
        """The token for the cookie, and on to the address without it; other words of the query stay."""
        if not same(request.query["token"], self.token):
            raise _refused("the token is wrong: open the address that dlkit web printed")
        response = web.Response(status=303, headers={"Location": _page(request)})
        response.set_cookie(self.cookie, self._secret, httponly=True, samesite="Strict", path="/")
        return response

    def _wrong_cookie(self, request: web.Request) -> str:
        given = request.cookies.get(self.cookie)
        if given is None:
            return "there is no token: open the address that dlkit web printed"
        return "" if same(given, self._secret) else "the cookie is wrong: open the address that dlkit web printed"

    def _maybe_again(self, request: web.Request, refusal: web.HTTPForbidden) -> web.HTTPForbidden:
        """Where somebody clicked the printed address on another site's page, the redirect counts as that site's, and
        the browser keeps the cookie back: have it ask once more from here, which counts as ours."""
        if request.path == "/" and request.headers.get("Sec-Fetch-Site") in ("cross-site", "same-site"):
            refusal.headers["Refresh"] = f"0; url={_page(request)}"
        return refusal


def _page(request: web.Request) -> str:
    """The page's address on this server, without the token."""
    return str(URL("/").with_query([(key, value) for key, value in request.query.items() if key != "token"]))


def _refused(why: str) -> web.HTTPForbidden:
    return web.HTTPForbidden(text=f"refused: {why}\n")
