"""python receiver.py 8080: keeps genuine deliveries in inbox.db, each event once; needs JETWAY_WEBHOOK_SECRET."""

import os
import sqlite3
import sys
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer

from verify import verified

SECRET = os.environ["JETWAY_WEBHOOK_SECRET"]
INBOX = os.environ.get("INBOX", "inbox.db")


class Receiver(BaseHTTPRequestHandler):
    protocol_version = "HTTP/1.1"

    def do_POST(self):
        body = self.rfile.read(int(self.headers.get("content-length", 0)))
        event = verified(SECRET, {name.lower(): value for name, value in self.headers.items()}, body)
        if event is not None:
            keep(event["id"], body)  # Only this before the answer; the work is done by somebody else, later.
        self.send_response(204 if event is not None else 401)
        self.send_header("Content-Length", "0")
        self.end_headers()


def keep(event_id, body):
    """An event that comes again is there already."""
    with sqlite3.connect(INBOX) as inbox:
        inbox.execute("INSERT OR IGNORE INTO events (id, body) VALUES (?, ?)", (event_id, body))


if __name__ == "__main__":
    with sqlite3.connect(INBOX) as inbox:
        inbox.execute("CREATE TABLE IF NOT EXISTS events (id TEXT PRIMARY KEY, body BLOB, done_at TEXT)")
    ThreadingHTTPServer(("127.0.0.1", int(sys.argv[1])), Receiver).serve_forever()
