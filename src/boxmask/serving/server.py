"""Run the server until a signal stops it."""

from __future__ import annotations

import ipaddress
import logging
import secrets
import socket
from collections.abc import Callable, Iterator, Sequence
from contextlib import contextmanager
from dataclasses import dataclass, replace

import uvicorn

from boxmask.errors import UsageError
from boxmask.options import option
from boxmask.serving.access import LOCAL_NAMES
from boxmask.serving.app import create_app
from boxmask.serving.models import ServedModel
from boxmask.serving.options import ServeOptions
from boxmask.stop_signals import handle_stop_signals

MAX_CONNECTIONS = 1000


@dataclass(frozen=True)
class Listening:
    """Where a server listens.

    url:       for clients on this computer
    is_local:  whether only this computer can reach it
    new_token: the token that was made, to be shown once; None if the user gave one, or none is needed
    """

    url: str
    is_local: bool
    new_token: str | None


def serve_models(
    models: Sequence[ServedModel],
    options: ServeOptions,
    started: Callable[[Listening], None] | None = None,
) -> None:
    """Answer requests until SIGINT, SIGTERM or SIGHUP. Requests that are in work are finished.

    started: called once the address is known

    Raises UsageError for an address that cannot be listened on.
    """
    logging.getLogger("python_multipart").setLevel(logging.ERROR)  # clients must not fill the log
    with _listen(options) as opened:
        address, port = opened.getsockname()[:2]
        is_local = ipaddress.ip_address(address).is_loopback
        new_token = None if is_local or options.token else secrets.token_urlsafe(32)
        options = replace(options, token=new_token or options.token)
        names = {*LOCAL_NAMES, options.host, *([] if is_local else [socket.gethostname()])}
        app = create_app(models, options, names=sorted(names), any_address=not is_local)
        config = uvicorn.Config(
            app,
            log_config=None,
            access_log=False,
            server_header=False,
            proxy_headers=False,
            ws="none",
            limit_concurrency=MAX_CONNECTIONS,
            timeout_graceful_shutdown=max(1, round(options.timeout)),
        )
        if started is not None:
            started(Listening(_url(address, port), is_local, new_token))
        _Server(config).run(sockets=[opened])


class _Server(uvicorn.Server):
    """A server that ends as usual after a signal: uvicorn would raise the signal again."""

    @contextmanager
    def capture_signals(self) -> Iterator[None]:
        """Stop on a signal. A second Ctrl-C does not wait for requests."""
        with handle_stop_signals(self.handle_exit):
            yield


def _listen(options: ServeOptions) -> socket.socket:
    """A socket at the address of the options. Raises UsageError if there is none."""
    place = f"{option('host')} {options.host} {option('port')} {options.port}"
    try:
        found = socket.getaddrinfo(options.host, options.port, type=socket.SOCK_STREAM)
        family, address = found[0][0], found[0][4]
        return socket.create_server(address[:2], family=family, backlog=2048)
    except (OSError, UnicodeError) as error:
        raise UsageError(
            f"{place}: cannot listen there ({error}). Choose another port, for example --port 0 for a free "
            "one, or an address of this computer."
        ) from error


def _url(address: str, port: int) -> str:
    """An address for clients on this computer."""
    if ipaddress.ip_address(address).is_unspecified:
        address = "127.0.0.1"
    return f"http://[{address}]:{port}" if ":" in address else f"http://{address}:{port}"
