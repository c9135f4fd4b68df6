#!/usr/bin/env python3
"""What passed between a player and a service, and whether a tape tells any secret of it.

tape_secrets.py relay CERT KEY PORT_FILE LOG HOST PORT   a relay over TLS that keeps the plain bytes in LOG, and what the
                                                         player sent in LOG.sent
tape_secrets.py check TAPE LOG                           exit status 1 and a line for each secret found
tape_secrets.py audit KEYS LOG FILE...                   the same: keys (lines KID:KEY), licences and signatures of
                                                         LOG, in every spelling, in any of the files
"""
import base64
import gzip
import json
import re
import socket
import ssl
import sys
import threading
import urllib.parse


def pump(source, sink, logs, lock):
    try:
        while True:
            data = source.recv(65536)
            if not data:
                break
            with lock:
                for log in logs:
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
    sent = open(log_path + ".sent", "ab")
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
        for pair in ((inner, outer, (log, sent)), (outer, inner, (log,))):
            threading.Thread(target=pump, args=(*pair, lock), daemon=True).start()


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


def forms_of_bytes(raw):
    """Of a key: as it is, as digits with and without something in between, in base64 at any place; and its halves."""
    yield "raw", raw
    for part in (raw, raw[:8], raw[8:]):
        yield "hex", part.hex().encode()
        for between in (":", "-", " ", ", 0x", "\\x"):
            yield "hex in parts", between.join("%02x" % b for b in part).encode()
        yield "numbers", ",".join(str(b) for b in part).encode()
        yield "numbers", ", ".join(str(b) for b in part).encode()
    for shift in range(3):
        whole = base64.b64encode(b"x" * shift + raw).decode()
        inner = whole[(shift * 8 + 5) // 6:(shift + len(raw)) * 8 // 6]
        yield "base64", inner.encode()
        yield "base64url", inner.replace("+", "-").replace("/", "_").encode()


def keys_of(path):
    for line in open(path):
        line = line.split("#")[0].split()
        if line and ":" in line[0]:
            yield bytes.fromhex(line[0].split(":")[1])


def licences_of(log):
    for text in re.findall(rb'"licenseResponseBase64":"([A-Za-z0-9+/=_-]+)"', log):
        yield text.decode()


def secrets_to_look_for(keys_path, log):
    """(what it is, form, bytes), each once."""
    found = {}
    counts = {"key": 0, "licence": 0, "signature": 0}

    def add(what, form, data):
        if len(data) >= 8:
            found.setdefault(data.lower(), (what, form))

    for raw in set(keys_of(keys_path)):
        counts["key"] += 1
        for form, data in forms_of_bytes(raw):
            add("key", form, data)
    # A licence begins like the request for it, and names its key ids: those are no secret.
    asked = b" ".join(re.findall(rb'"challengeBase64":"([A-Za-z0-9+/=_-]+)"', log))
    for text in set(licences_of(log)):
        counts["licence"] += 1
        plain = base64.b64decode(text)
        for at in range(0, len(text) - 24, 8):
            part = text[at:at + 24].encode()
            if part not in asked:
                add("licence", "part", part)
        add("licence", "plain", plain)
        for key in json.loads(plain)["keys"]:
            for form, data in forms_of(key["k"]):
                if form != "part":
                    add("licence's key", form, data)
    signatures = set(re.findall(rb"[?&](?:t|sc)=([A-Za-z0-9_%.~-]+)", log))
    for value in signatures:
        counts["signature"] += 1
        for form, data in forms_of(value.decode()):
            add("signature", form, data)
    return found, counts


def readings_of(data):
    """A file, and what is packed in it."""
    yield data
    for at in (m.start() for m in re.finditer(b"\x1f\x8b\x08", data)):
        try:
            yield gzip.zlib.decompressobj(31).decompress(data[at:])
        except gzip.zlib.error:
            pass


def audit(keys_path, log_path, *paths):
    found, counts = secrets_to_look_for(keys_path, open(log_path, "rb").read())
    pattern = re.compile(b"|".join(re.escape(s) for s in sorted(found, key=len, reverse=True)))
    bad = total = 0
    for path in paths:
        data = open(path, "rb").read()
        total += len(data)
        for reading in readings_of(data):
            for match in pattern.finditer(reading.lower()):
                what, form = found[match.group()]
                print("%s: a %s as %s at %d: ...%r" % (path, what, form, match.start(),
                                                       reading[max(0, match.start() - 40):match.start()]))
                bad += 1
    print("%d keys, %d licences, %d signatures in %d spellings looked for in %d files of %d bytes"
          % (counts["key"], counts["licence"], counts["signature"], len(found), len(paths), total))
    if counts["key"] < 3 or counts["licence"] < 1 or counts["signature"] < 20:
        print("too few of them: nothing would be proven")
        return 2
    return 1 if bad else 0


if __name__ == "__main__":
    if sys.argv[1] == "relay":
        relay(*sys.argv[2:])
    sys.exit((audit if sys.argv[1] == "audit" else check)(*sys.argv[2:]))
