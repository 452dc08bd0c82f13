"""A webhook and a mail server on this machine: they keep what they get, answer as they are told."""

from __future__ import annotations

import socketserver
import threading
import time
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer


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


@contextmanager
def mailbox() -> Iterator[Mailbox]:
    """A mail server without encryption that takes every mail."""
    seen = Mailbox()

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
                    self.say("250 AUTH PLAIN")
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
