#!/usr/bin/env python3
"""What passed between a player and a service, and whether a tape tells any secret of it.

tape_secrets.py relay CERT KEY PORT_FILE LOG HOST PORT   a relay over TLS that keeps the plain bytes in LOG
tape_secrets.py check TAPE LOG                           exit status 1 and a line for each secret found
"""
import base64
import json
import re
import socket
import ssl
import sys
import threading
import urllib.parse


def pump(source, sink, log, lock):
    try:
        while True:
            data = source.recv(65536)
            if not data:
                break
            with lock:
                log.write(data)
                log.flush()
            sink.sendall(data)
    except OSError:
        pass
    for end in (source, sink):
        try:
            end.shutdown(socket.SHUT_RDWR)
        except OSError:
            pass


def relay(cert, key, port_file, log_path, host, port):
    server = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
    server.load_cert_chain(cert, key)
    client = ssl.create_default_context(cafile=cert)
    listener = socket.create_server(("127.0.0.1", 0))
    log = open(log_path, "ab")
    lock = threading.Lock()
    with open(port_file, "w") as f:
        f.write(str(listener.getsockname()[1]))
    while True:
        plain, _ = listener.accept()
        try:
            inner = server.wrap_socket(plain, server_side=True)
            outer = client.wrap_socket(socket.create_connection((host, int(port))), server_hostname=host)
        except OSError:
            continue
        for pair in ((inner, outer), (outer, inner)):
            threading.Thread(target=pump, args=(*pair, log, lock), daemon=True).start()


def strings_of(value, under=""):
    if isinstance(value, dict):
        for name, inner in value.items():
            yield from strings_of(inner, name)
    elif isinstance(value, list):
        for inner in value:
            yield from strings_of(inner, under)
    elif isinstance(value, str):
        yield under, value


def secrets_of_url(url):
    for name, value in re.findall(r"[?&]([^=&#]*)=([^&#]*)", url):
        if name in ("t", "sc", "reqId", "xid") or len(value) > 24:
            yield value


def secrets_of(log):
    found = set()
    text = log.decode("utf-8", "replace")
    for line in re.findall(r"^(?:GET|POST) (\S+) HTTP", text, re.M):
        found.update(secrets_of_url(line))
    decoder = json.JSONDecoder()
    for at in (m.start() for m in re.finditer(r"\{", text)):
        if text[at - 4:at] != "\r\n\r\n":
            continue
        try:
            document, _ = decoder.raw_decode(text[at:])
        except ValueError:
            continue
        for name, value in strings_of(document):
            if name in ("xid", "playbackContextId"):
                found.add(value)
            found.update(secrets_of_url(value))
    return found


def forms_of(secret):
    raw = secret.encode()
    yield "plain", raw
    yield "percent", urllib.parse.quote(secret, safe="").encode()
    yield "percent all", "".join("%%%02X" % c for c in raw).encode()
    yield "json", json.dumps(secret)[1:-1].replace("/", "\\/").encode()
    yield "json \\u", "".join("\\u%04x" % c for c in raw).encode()
    yield "hex", raw.hex().encode()
    for shift in range(3):
        whole = base64.b64encode(b"x" * shift + raw).decode()
        inner = whole[(shift * 8 + 5) // 6:len(whole) - 4]
        yield "base64", inner.encode()
        yield "base64url", inner.replace("+", "-").replace("/", "_").encode()
    for part in range(0, len(secret) - 15, 8):
        yield "part", raw[part:part + 16]


def check(tape_path, log_path):
    tape = open(tape_path, "rb").read()
    found = {s for s in secrets_of(open(log_path, "rb").read()) if len(s) >= 8}
    kinds = {len(s) for s in found}
    bad = 0
    for secret in sorted(found):
        for form, data in forms_of(secret):
            if len(data) >= 8 and data.lower() in tape.lower():
                print("found as %s: %s" % (form, secret))
                bad += 1
    print("%d secrets of %d lengths looked for in %d bytes" % (len(found), len(kinds), len(tape)))
    # A service that told nothing secret would prove nothing: ids, tokens and signatures there must be.
    return 1 if bad or len(found) < 10 or not {16, 28, 32, 43} <= kinds else 0


if __name__ == "__main__":
    if sys.argv[1] == "relay":
        relay(*sys.argv[2:])
    sys.exit(check(*sys.argv[2:]))
