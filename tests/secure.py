"""An `Origin` over TLS, with certificates of an authority that nobody else trusts."""

from __future__ import annotations

import contextlib
import ssl
from typing import TYPE_CHECKING, Any

import trustme

from tests.origin import Origin

if TYPE_CHECKING:
    import socket
    from pathlib import Path


class Authority:
    """A certificate authority in a folder: `ca_file`, and `client_file` with a certificate and its key."""

    def __init__(self, folder: Path) -> None:
        self._authority = trustme.CA()
        self.ca_file = folder / "authority.pem"
        self.client_file = folder / "client.pem"
        self._authority.cert_pem.write_to_path(str(self.ca_file))
        self._authority.issue_cert("client@site.example").private_key_and_cert_chain_pem.write_to_path(
            str(self.client_file)
        )

    def context(self, *names: str, client: bool = False) -> ssl.SSLContext:
        """For a server with a certificate for `names`; `client`: it wants one of the client too."""
        context = ssl.create_default_context(ssl.Purpose.CLIENT_AUTH)
        self._authority.issue_cert(*names).configure_cert(context)
        if client:
            self._authority.configure_trust(context)
            context.verify_mode = ssl.CERT_REQUIRED
        return context

    def origin(self, *args: Any, names: tuple[str, ...] = ("127.0.0.1",), client: bool = False) -> SecureOrigin:
        """An origin with a certificate for `names`; `client`: it wants one of the client too."""
        return SecureOrigin(self.context(*names, client=client), *args)


class SecureOrigin(Origin):
    def __init__(self, context: ssl.SSLContext, *args: Any) -> None:
        super().__init__(*args)
        self._context = context

    def url(self, path: str = "/", host: str | None = None) -> str:
        return super().url(path, host).replace("http:", "https:", 1)

    def _serve(self, client: socket.socket) -> None:
        with contextlib.suppress(OSError):
            secure = self._context.wrap_socket(client, server_side=True)
            with self._lock:
                self._clients.discard(client)
                self._clients.add(secure)
            super()._serve(secure)
