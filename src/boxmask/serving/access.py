"""Who may ask: the names of the server, the origins of web pages, and the token.

A web page may send requests to any address, also to 127.0.0.1. Three checks keep it out. A page of another
origin is refused by its header Origin or Sec-Fetch-Site. A page whose own name was made to point to this
server (DNS rebinding) is refused by the header Host. Whoever is not on this computer needs the token.
"""

from __future__ import annotations

import base64
import binascii
import hashlib
import hmac
import ipaddress
from collections.abc import Collection
from dataclasses import dataclass
from functools import cached_property
from urllib.parse import urlsplit

from starlette.datastructures import Headers
from starlette.requests import Request, cookie_parser
from starlette.types import ASGIApp, Receive, Scope, Send

from boxmask.serving.body import drain
from boxmask.serving.errors import RequestError, reply_of

OPEN_PATHS = ("/healthz", "/readyz", "/", "/v1/session")
"""Paths that need no token: they tell whether the server runs, deliver the page, and take the token."""

OPEN_FOLDER = "/page/"  # the scripts and styles of the page, which are the same on every server

LOCAL_NAMES = ("localhost", "127.0.0.1", "::1")


@dataclass(frozen=True)
class AccessRules:
    """Who may ask.

    names:   of the server, in lower case and without ports
    any_address: whether all IP addresses are names of the server; no web page can take one over
    origins: of the web pages that may ask
    token:   None if none is needed
    """

    names: Collection[str]
    any_address: bool = False
    origins: Collection[str] = ()
    token: str | None = None

    def check_host(self, headers: Headers) -> None:
        """Raise RequestError for a request under another name."""
        hosts = headers.getlist("host")
        name = _host_name(hosts[0]) if len(hosts) == 1 else None
        if name is None or not (name in self.names or (self.any_address and _is_address(name))):
            shown = repr(", ".join(hosts)[:100]) if hosts else "none"
            raise RequestError(
                421,
                "wrong-host",
                f"the header Host: expected a name of this server, found {shown}. Allow the name with "
                "boxmask serve --allow-host NAME.",
            )

    def check_origin(self, headers: Headers) -> None:
        """Raise RequestError for a request of a web page that another server has delivered."""
        origin = headers.get("origin")
        if origin is None:
            is_foreign = headers.get("sec-fetch-site", "none") not in ("none", "same-origin")
        else:
            is_own = _host_of(origin) == headers.get("host", "").lower()
            is_foreign = not is_own and origin.lower() not in self.origins
        if is_foreign:
            raise RequestError(
                403,
                "wrong-origin",
                f"a web page of another server asked ({(origin or 'unknown')[:100]}). Allow its origin with "
                "boxmask serve --allow-origin ORIGIN.",
            )

    def check_token(self, path: str, headers: Headers) -> None:
        """Raise RequestError for a request without the token. The comparison takes the same time for all."""
        if self.token is None or path in OPEN_PATHS or path.startswith(OPEN_FOLDER):
            return
        if not (self.is_token(_token_in(headers.get("authorization", ""))) or self._is_signed_in(headers)):
            raise wrong_token()

    def is_token(self, given: str) -> bool:
        """Whether this is the token, or none is needed."""
        return self.token is None or _equal(given, self.token)

    @cached_property
    def session(self) -> tuple[str, str] | None:
        """The name and value of the cookie of those who have signed in; None if no token is needed.

        It follows from the token, so that it outlives a restart, and does not tell the token. Cookies do not
        know ports: the name keeps the servers of one computer apart.
        """
        if self.token is None:
            return None
        name, value = (
            hmac.new(self.token.encode("utf-8"), purpose, hashlib.sha256).hexdigest()
            for purpose in (b"boxmask cookie name", b"boxmask session")
        )
        return f"boxmask-{name[:12]}", value

    def _is_signed_in(self, headers: Headers) -> bool:
        if self.session is None:
            return False
        name, value = self.session
        return _equal(cookie_parser(headers.get("cookie", "")).get(name, ""), value)


class HostCheck:
    """Refuses requests under another name than those of the server."""

    def __init__(self, app: ASGIApp, rules: AccessRules) -> None:
        self._app, self._rules = app, rules

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        """Handle a request."""
        if scope["type"] == "http":
            try:
                self._rules.check_host(Headers(scope=scope))
            except RequestError as error:
                await reply_of(error)(scope, receive, send)
                return
        await self._app(scope, receive, send)


class CallerCheck:
    """Refuses requests of other web pages, and those without the token."""

    def __init__(self, app: ASGIApp, rules: AccessRules) -> None:
        self._app, self._rules = app, rules

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        """Handle a request."""
        if scope["type"] == "http":
            headers = Headers(scope=scope)
            try:
                self._rules.check_origin(headers)
                path = scope["path"].removeprefix(scope.get("root_path", ""))  # where the app is mounted
                self._rules.check_token(path, headers)
            except RequestError as error:
                await drain(Request(scope, receive))
                await reply_of(error)(scope, receive, send)
                return
        await self._app(scope, receive, send)


def wrong_token() -> RequestError:
    """The refusal of a request without the token."""
    return RequestError(
        401,
        "wrong-token",
        "this server needs its token. Send the header Authorization: Bearer TOKEN. boxmask serve prints the "
        "token when it starts.",
    )


def _equal(given: str, expected: str) -> bool:
    """Whether two secrets are equal. The comparison takes the same time for all."""
    return hmac.compare_digest(given.encode("utf-8", "replace"), expected.encode("utf-8"))


def _host_of(origin: str) -> str | None:
    """The host of an origin, with its port, in lower case; None for "null" and what is no origin."""
    try:
        return urlsplit(origin).netloc.lower() or None
    except ValueError:
        return None


def _host_name(host: str) -> str | None:
    """The name in a header Host, without its port and the brackets of IPv6; None if it is none."""
    try:
        parts = urlsplit(f"//{host}")
        name, _ = parts.hostname, parts.port  # the port raises ValueError
    except ValueError:
        return None
    has_more = parts.username is not None or parts.path or parts.query or parts.fragment
    return None if has_more or not name else name.removesuffix(".")


def _is_address(name: str) -> bool:
    try:
        ipaddress.ip_address(name)
    except ValueError:
        return False
    return True


def _token_in(authorization: str) -> str:
    """The token in a header Authorization: of Bearer, or the password of Basic, which Label Studio sends."""
    scheme, _, value = authorization.partition(" ")
    if scheme.lower() == "bearer":
        return value.strip()
    if scheme.lower() != "basic":
        return ""
    try:
        return base64.b64decode(value, validate=True).decode("utf-8").partition(":")[2]
    except (binascii.Error, ValueError):
        return ""
