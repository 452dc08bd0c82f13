"""A webhook and a mail server on this machine: they keep what they get, answer as they are told."""

from __future__ import annotations

import socketserver
import ssl
import threading
import time
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field
from datetime import UTC, datetime
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from ipaddress import ip_address
from pathlib import Path

from cryptography import x509
from cryptography.hazmat.primitives import hashes, serialization
from cryptography.hazmat.primitives.asymmetric import ec


@dataclass
class Webhook:
    """A receiver of POSTs: bodies that came in, and what it answers one after another."""

    url: str = ""
    bodies: list[bytes] = field(default_factory=list)
    headers: list[dict[str, str]] = field(default_factory=list)
    answers: list[int] = field(default_factory=list)
    waits: float = 0.0


@contextmanager
def webhook() -> Iterator[Webhook]:
    """A webhook; it answers 200 once its list of answers is used up."""
    seen = Webhook()

    class Handler(BaseHTTPRequestHandler):
        def do_POST(self) -> None:
            seen.bodies.append(self.rfile.read(int(self.headers["Content-Length"])))
            seen.headers.append(dict(self.headers))
            time.sleep(seen.waits)
            self.send_response(seen.answers.pop(0) if seen.answers else 200)
            self.send_header("Location", "http://127.0.0.1:1/elsewhere")
            self.end_headers()

        do_GET = do_POST  # noqa: N815 - the name that http.server calls

        def log_message(self, *_: object) -> None:
            pass

    server = ThreadingHTTPServer(("127.0.0.1", 0), Handler)
    server.daemon_threads = True
    threading.Thread(target=server.serve_forever, daemon=True).start()
    seen.url = f"http://127.0.0.1:{server.server_port}/hooks/s3cret-token"
    try:
        yield seen
    finally:
        server.shutdown()
        server.server_close()


@dataclass
class Mailbox:
    """A receiver of mail: what it was told, the mails, and what it answers to a sender."""

    port: int = 0
    said: list[str] = field(default_factory=list)
    mails: list[str] = field(default_factory=list)
    to_sender: list[str] = field(default_factory=list)


def certificate(folder: Path) -> Path:
    """A new certificate of 127.0.0.1 that nobody but itself vouches for, in a file with its key."""
    key = ec.generate_private_key(ec.SECP256R1())
    name = x509.Name([x509.NameAttribute(x509.NameOID.COMMON_NAME, "a mail server of tests")])
    made = (
        x509.CertificateBuilder()
        .subject_name(name)
        .issuer_name(name)
        .public_key(key.public_key())
        .serial_number(x509.random_serial_number())
        .not_valid_before(datetime(2020, 1, 1, tzinfo=UTC))
        .not_valid_after(datetime(2120, 1, 1, tzinfo=UTC))
        .add_extension(
            x509.SubjectAlternativeName([x509.IPAddress(ip_address("127.0.0.1"))]), critical=False
        )
        .sign(key, hashes.SHA256())
    )
    private = key.private_bytes(
        serialization.Encoding.PEM,
        serialization.PrivateFormat.PKCS8,
        serialization.NoEncryption(),
    )
    file = folder / "mail_server.pem"
    file.write_bytes(private + made.public_bytes(serialization.Encoding.PEM))
    return file


@contextmanager
def mailbox(certified: Path | None = None) -> Iterator[Mailbox]:
    """A mail server that takes every mail; with a certificate it can encrypt (STARTTLS)."""
    seen = Mailbox()
    encryption = ssl.create_default_context(ssl.Purpose.CLIENT_AUTH)
    if certified:
        encryption.load_cert_chain(certified)

    class Handler(socketserver.StreamRequestHandler):
        def say(self, text: str) -> None:
            self.wfile.write(f"{text}\r\n".encode())

        def handle(self) -> None:
            self.say("220 here")
            while line := self.rfile.readline().decode().strip():
                seen.said.append(line)
                word = line.partition(" ")[0].upper()
                if word == "EHLO":
                    self.say("250-here")
                    if certified and not isinstance(self.request, ssl.SSLSocket):
                        self.say("250-STARTTLS")
                    self.say("250 AUTH PLAIN")
                elif word == "STARTTLS":
                    self.say("220 go on")
                    try:
                        self.request = encryption.wrap_socket(self.request, server_side=True)
                    except OSError:  # who does not trust the certificate hangs up
                        return
                    self.setup()
                elif word == "AUTH":
                    self.say("235 you are known")
                elif word == "MAIL":
                    self.say(seen.to_sender.pop(0) if seen.to_sender else "250 go on")
                elif word == "DATA":
                    self.say("354 go on")
                    lines = []
                    while (text := self.rfile.readline().decode()) != ".\r\n":
                        lines.append(text.rstrip("\r\n"))
                    seen.mails.append("\n".join(lines))
                    self.say("250 taken")
                elif word == "QUIT":
                    self.say("221 bye")
                    return
                else:
                    self.say("250 fine")

    class Server(socketserver.ThreadingTCPServer):
        daemon_threads = True
        allow_reuse_address = True

    server = Server(("127.0.0.1", 0), Handler)
    threading.Thread(target=server.serve_forever, daemon=True).start()
    seen.port = server.server_address[1]
    try:
        yield seen
    finally:
        server.shutdown()
        server.server_close()
