"""A real nginx on a free port of this machine, as the honest host.

with Nginx(tmp_path, {"file.bin": body}, "limit_rate 1m;") as nginx:
    requests.get(nginx.url("/file.bin"))
"""

from __future__ import annotations

import shutil
import socket
import subprocess
import threading
import time
from typing import TYPE_CHECKING, Self

import pytest

if TYPE_CHECKING:
    from collections.abc import Mapping
    from pathlib import Path

PROGRAM = shutil.which("nginx") or shutil.which("nginx", path="/usr/sbin:/usr/local/sbin")
OPENSSL = shutil.which("openssl")

needs_nginx = pytest.mark.skipif(PROGRAM is None, reason="nginx is not installed")
needs_openssl = pytest.mark.skipif(OPENSSL is None, reason="openssl is not installed, so there is no certificate")

CONFIG = """
daemon off;
master_process off;
pid {folder}/nginx.pid;
error_log {folder}/error.log;
events {{ worker_connections 256; }}
http {{
    log_format plain '$status $request_method $request_uri $http_range $body_bytes_sent';
    access_log {folder}/access.log plain;
    default_type application/octet-stream;
    client_body_temp_path {folder}/body;
    proxy_temp_path {folder}/proxy;
    fastcgi_temp_path {folder}/fastcgi;
    uwsgi_temp_path {folder}/uwsgi;
    scgi_temp_path {folder}/scgi;
    {http}
    server {{
        listen 127.0.0.1:{port} {tls};
        root {folder}/files;
        {server}
    }}
}}
"""


def certificate(folder: Path) -> tuple[Path, Path]:
    """A certificate for 127.0.0.1, which is its own authority, and its key."""
    assert OPENSSL
    paths = folder / "cert.pem", folder / "key.pem"
    command = [OPENSSL, "req", "-x509", "-newkey", "ec", "-pkeyopt", "ec_paramgen_curve:prime256v1", "-nodes"]
    command += ["-days", "2", "-subj", "/CN=127.0.0.1", "-addext", "subjectAltName=IP:127.0.0.1,DNS:localhost"]
    command += ["-out", str(paths[0]), "-keyout", str(paths[1])]
    subprocess.run(command, check=True, capture_output=True, timeout=60)
    return paths


class Nginx:
    """The server.

    Args:
        folder: For all its files.
        files: What it serves.
        server: More directives for its `server` block.
        http: More directives for its `http` block.
        tls: Speak TLS; the certificate is in `certificate`.
    """

    def __init__(
        self, folder: Path, files: Mapping[str, bytes], server: str = "", http: str = "", *, tls: bool = False
    ) -> None:
        self.folder = folder / "nginx"
        (self.folder / "files").mkdir(parents=True)
        self.folder.chmod(0o755)
        for name, body in files.items():
            (self.folder / "files" / name).write_bytes(body)
        self.scheme = "https" if tls else "http"
        self.certificate: Path | None = None
        if tls:
            self.certificate, key = certificate(self.folder)
            server += f"ssl_certificate {self.certificate}; ssl_certificate_key {key};"
        self._blocks = {"server": server, "http": http, "tls": "ssl" if tls else "", "folder": self.folder}
        self._process: subprocess.Popen[bytes] | None = None
        self.port = 0

    def url(self, path: str) -> str:
        """The URL of a path."""
        return f"{self.scheme}://127.0.0.1:{self.port}{path}"

    @property
    def requests(self) -> list[str]:
        """What was answered: status, method, path, range and bytes of each request, in order of their ends."""
        return (self.folder / "access.log").read_text().splitlines()

    def __enter__(self) -> Self:
        for _ in range(5):  # the port may be taken in between
            with socket.create_server(("127.0.0.1", 0)) as free:
                self.port = free.getsockname()[1]
            if self._starts():
                return self
            self._stop()
        raise AssertionError((self.folder / "error.log").read_text())

    def __exit__(self, *_: object) -> None:
        self._stop()

    def _starts(self) -> bool:
        config = self.folder / "nginx.conf"
        config.write_text(CONFIG.format(port=self.port, **self._blocks))
        assert PROGRAM
        command = [PROGRAM, "-p", str(self.folder), "-c", str(config), "-e", str(self.folder / "error.log")]
        self._process = subprocess.Popen(command, stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL)
        end = time.monotonic() + 30
        while time.monotonic() < end and self._process.poll() is None:
            try:
                socket.create_connection(("127.0.0.1", self.port), timeout=5).close()
            except OSError:
                threading.Event().wait(0.01)
            else:
                return self._process.poll() is None
        return False

    def _stop(self) -> None:
        if self._process is not None:
            self._process.terminate()
            try:
                self._process.wait(timeout=20)
            except subprocess.TimeoutExpired:
                self._process.kill()
                self._process.wait(timeout=20)
