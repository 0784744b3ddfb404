"""A receiver of notifications that checks their signature. Python 3.9 or newer, nothing else.

    python3 receiver.py secret 8080        # listens on 127.0.0.1; put a server with TLS before it

`secret` is the file whose text is `whsec_...`, the same as at the gateway (webhook.secret_file).
"""

import base64
import collections
import hashlib
import hmac
import http.server
import json
import sys
import time

TOLERANCE_S = 300
MOST_BYTES = 262_144

with open(sys.argv[1], encoding="ascii") as file:
    KEY = base64.b64decode(file.read().split()[0].removeprefix("whsec_"))

# What was seen before comes again where our answer was lost.
seen = collections.OrderedDict()


def is_genuine(headers, body):
    """The three headers and the body as it came: it must not be parsed and written anew before."""
    name, at, given = (headers.get(f"webhook-{part}", "") for part in ("id", "timestamp", "signature"))
    if not at.isdigit() or abs(time.time() - int(at)) > TOLERANCE_S:
        return False
    digest = hmac.new(KEY, f"{name}.{at}.".encode() + body, hashlib.sha256).digest()
    expected = b"v1," + base64.b64encode(digest)
    return any(hmac.compare_digest(expected, each.encode()) for each in given.split(" "))


def tell(notification):
    """Replace this with what wakes somebody up. Quickly: the gateway waits for our answer."""
    data = notification["data"]
    print(notification["type"], data.get("key", ""), data["text"], flush=True)


class Receiver(http.server.BaseHTTPRequestHandler):
    timeout = 20

    def do_POST(self):
        length = self.headers.get("content-length", "")
        if not length.isdigit() or int(length) > MOST_BYTES:
            self.answer(413)
            return
        body = self.rfile.read(int(length))
        if not is_genuine(self.headers, body):
            self.answer(401)
            return
        name = self.headers["webhook-id"]
        if name not in seen:
            tell(json.loads(body))
            # Only now: what could not be told is not done, and comes again.
            seen[name] = True
            while len(seen) > 10_000:
                seen.popitem(last=False)
        self.answer(204)

    def answer(self, status):
        self.send_response(status)
        self.send_header("content-length", "0")
        self.end_headers()

    def log_message(self, *_):
        pass


http.server.ThreadingHTTPServer(("127.0.0.1", int(sys.argv[2])), Receiver).serve_forever()
