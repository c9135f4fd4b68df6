"""A recipe service and targets for probes, each on a loopback port of its own.

usage: ftl_server.py READY-FILE
Writes {"recipe": URL, "silent": URL, ...} to READY-FILE when it listens. Targets: fast and slow (100 ms of
thought), short (a byte too few), long (80,000 bytes), moved (a redirect to fast), hole (takes the request and says
nothing). Counts what is asked; GET {recipe host}/counts tells.
"""
import http.server
import json
import os
import sys
import threading
import time
import urllib.parse

NAMES = ["fast", "slow", "short", "long", "moved", "hole"]
counts = {"recipes": 0, "iter": [], "bad": [], "connections": {}}
lock = threading.Lock()
ports = {}


class Handler(http.server.BaseHTTPRequestHandler):
    protocol_version = "HTTP/1.1"
    name = ""

    def setup(self):
        super().setup()
        with lock:
            counts["connections"][self.name] = counts["connections"].get(self.name, 0) + 1

    def log_message(self, *args):
        pass

    def answer(self, status, body, headers=()):
        self.send_response(status)
        for key, value in headers:
            self.send_header(key, value)
        self.send_header("Content-Length", str(len(body)))
        self.end_headers()
        self.wfile.write(body)

    def do_GET(self):
        url = urllib.parse.urlsplit(self.path)
        query = urllib.parse.parse_qs(url.query)
        if self.name == "service":
            self.service(url, query)
        else:
            self.probe(url, query)

    def service(self, url, query):
        if url.path == "/counts":
            self.answer(200, json.dumps(counts).encode())
        elif url.path == "/bad":
            self.answer(200, b"<html>please accept</html>")
        elif url.path in ("/all", "/good"):
            with lock:
                counts["recipes"] += 1
                counts["iter"] += query.get("iter", ["?"])
                if query.get("monotonic") != ["true"] or query.get("device") != ["cadmium-c"]:
                    counts["bad"].append(self.path)
            names = NAMES if url.path == "/all" else NAMES[:2]
            self.answer(200, json.dumps({
                "urls": [{"name": n, "url": "http://127.0.0.1:%d/ftl/probe?data=5120" % ports[n]} for n in names],
                "pulses": 3, "pulse_delays": [0, 200, 200], "pulse_timeout": 700,
                "ctx": {"ip": "192.0.2.9", "note": "\u202eevil"}}).encode())
        else:
            self.answer(404, b"")

    def probe(self, url, query):
        with lock:
            if "pulse" not in query or self.headers.get("Accept-Encoding") != "identity" or \
                    any(self.headers.get(h) for h in ("Cookie", "Referer", "Authorization")):
                counts["bad"].append(self.path)
        size = {"short": 5119, "long": 80000}.get(self.name, 5120)
        if self.name == "slow":
            time.sleep(0.1)
        if self.name == "hole":
            time.sleep(3)
        elif self.name == "moved":
            self.answer(302, b"", [("Location", "http://127.0.0.1:%d/ftl/probe?data=5120" % ports["fast"])])
        else:
            self.answer(200, b"x" * size)


class Server(http.server.ThreadingHTTPServer):
    daemon_threads = True

    def handle_error(self, request, client_address):
        pass  # clients that go away are part of the test


def listen(name):
    handler = type("Handler_" + name, (Handler,), {"name": name})
    server = Server(("127.0.0.1", 0), handler)
    ports[name] = server.server_address[1]
    threading.Thread(target=server.serve_forever, daemon=True).start()


for each in NAMES + ["service"]:
    listen(each)
with open(sys.argv[1] + ".part", "w") as out:
    json.dump({n: "http://127.0.0.1:%d" % p for n, p in ports.items()}, out)
os.rename(sys.argv[1] + ".part", sys.argv[1])
time.sleep(600)
