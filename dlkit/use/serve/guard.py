"""Who may ask: whoever sits at this machine, or has the token.

- Host must be this server where it listens on loopback: a foreign name that somebody points at 127.0.0.1 (DNS
  rebinding) is refused.
- Origin, where there is one, must be the served page: no other site's page asks for its visitors.
- Beyond loopback a token is needed, as ``Authorization: Bearer``, or as the cookie that the page's address,
  ``/?token=…``, is exchanged for. ``/health`` and ``/ready`` are for whoever watches processes, and tell nothing else.
"""

from __future__ import annotations

from starlette.requests import Request
from starlette.responses import PlainTextResponse, RedirectResponse, Response

from dlkit import page_safety
from dlkit.page_safety import same

HEADERS = {
    **page_safety.HEADERS,
    "Content-Security-Policy": "default-src 'none'; script-src 'self'; style-src 'self'; img-src 'self' data: blob:; "
    "connect-src 'self'; base-uri 'none'; form-action 'none'; frame-ancestors 'none'",
}
"""On every answer that does not say otherwise."""
COOKIE = "dlkit-serve"
OPEN = ("/health", "/ready")


class Guard:
    """``hosts``: what the Host header may be, empty: anything; ``token``: empty: none is needed."""

    def __init__(self, hosts: tuple[str, ...], token: str) -> None:
        self._hosts, self._token = hosts, token

    def refusal(self, request: Request) -> Response | None:
        """What is answered in the place of the route, if anything."""
        host = request.headers.getlist("host")
        if len(host) != 1 or (self._hosts and host[0].lower() not in self._hosts):
            return _refused(403, f"the Host header must be {' or '.join(self._hosts) or 'there, once'}")
        origin = request.headers.getlist("origin")
        if origin and origin not in ([f"http://{host[0]}"], [f"https://{host[0]}"]):
            return _refused(403, "the Origin header must be the served page's")
        if not self._token or request.url.path in OPEN:
            return None
        if request.method == "GET" and same(request.query_params.get("token", ""), self._token):
            response = RedirectResponse("/", 303)
            response.set_cookie(COOKIE, self._token, httponly=True, samesite="strict")
            return response
        given = request.headers.get("authorization", "").removeprefix("Bearer ") or request.cookies.get(COOKIE, "")
        if same(given, self._token):
            return None
        return _refused(401, "a token is needed: Authorization: Bearer TOKEN, or the address that dlkit serve printed")


def _refused(status: int, why: str) -> Response:
    return PlainTextResponse(f"refused: {why}\n", status)
