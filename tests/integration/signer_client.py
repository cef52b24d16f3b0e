"""The broker's side of the signer wire, spelt out in bytes, and the log that a broker keeps. Shares no code with the programs it tests."""
import base64
import contextlib
import hashlib
import json
import os
import select
import socket
import struct

from appliance import canonical

HELLO, APPEND, CERTIFY, HEALTH = 1, 2, 3, 4
JWS, TLOG = 1, 2
CORE, APPROVAL, CONSTRAINTS, DOCUMENT = 1, 2, 3, 4
MESSAGE_MAX = 1024 * 1024


class Refused(Exception):
    """The signer's answer to what it does not sign."""

    def __init__(self, answer):
        super().__init__(f"{answer['code']} at '{answer['path']}': {answer['detail']}")
        self.code, self.path, self.detail = answer["code"], answer["path"], answer["detail"]


class Closed(Exception):
    """The signer closed the connection without an answer."""


# ---- bytes ----

def document(content, size=None):
    """A document on the wire; bytes go as they are, `size` lies about their number."""
    data = content if isinstance(content, bytes) else canonical(content)
    return struct.pack(">I", len(data) if size is None else size) + data


def frame(operation, fields=b""):
    return struct.pack(">IB", 1 + len(fields), operation) + fields


def entry(form, statement, core=None, approvals=(), constraints=None, sealed=None, extra=()):
    """One statement with its evidence; `extra` holds more (tag, content) pairs."""
    evidence = [(CORE, core)] if core is not None else []
    evidence += [(APPROVAL, approval) for approval in approvals]
    evidence += [(CONSTRAINTS, constraints)] if constraints is not None else []
    evidence += [(DOCUMENT, sealed)] if sealed is not None else []
    evidence += list(extra)
    return struct.pack(">BB", form, len(evidence)) + document(statement) + b"".join(
        struct.pack(">B", tag) + document(content) for tag, content in evidence)


def append_frame(*entries):
    return frame(APPEND, struct.pack(">H", len(entries)) + b"".join(entries))


# ---- the connection ----

@contextlib.contextmanager
def acting_as(uid):
    """Peer credentials are those at the time of connecting."""
    groups = os.getgroups()
    os.setgroups([])
    os.setegid(uid)
    os.seteuid(uid)
    try:
        yield
    finally:
        os.seteuid(0)
        os.setegid(0)
        os.setgroups(groups)


class SignerClient:
    def __init__(self, path, uid):
        self.socket = socket.socket(socket.AF_UNIX)
        with acting_as(uid):
            self.socket.connect(str(path))
        self.socket.settimeout(60)

    def __enter__(self):
        return self

    def __exit__(self, *_):
        self.close()

    def close(self):
        self.socket.close()

    def send_raw(self, data):
        self.socket.sendall(data)

    def receive_exactly(self, count):
        data = b""
        while len(data) < count:
            try:
                part = self.socket.recv(count - len(data))
            except ConnectionResetError:
                part = b""
            if not part:
                raise Closed()
            data += part
        return data

    def receive(self):
        length, = struct.unpack(">I", self.receive_exactly(4))
        payload = self.receive_exactly(length)
        size, = struct.unpack(">I", payload[1:5])
        content = payload[5:]
        if size != len(content):
            raise ValueError("the answer's document is not the rest of the answer")
        answer = json.loads(content)
        if canonical(answer) != content:
            raise ValueError("the answer is not canonical")
        if payload[0] == 1:
            raise Refused(answer)
        return answer

    def ask(self, data):
        """Sends one frame and gives the answer's document."""
        try:
            self.send_raw(data)
        except (BrokenPipeError, ConnectionResetError):
            raise Closed() from None
        return self.receive()

    def is_closed(self, wait=10):
        """Whether the signer hangs up within so many seconds, without another word."""
        if not select.select([self.socket], [], [], wait)[0]:
            return False
        try:
            return self.socket.recv(1) == b""
        except ConnectionResetError:
            return True

    def hello(self, size, root):
        return self.ask(frame(HELLO, struct.pack(">Q", size) + root))

    def append(self, *entries):
        return self.ask(append_frame(*entries))

    def certify(self, jwk):
        return self.ask(frame(CERTIFY, document({"jwk": jwk})))

    def health(self):
        return self.ask(frame(HEALTH))


# ---- the log ----

def sha256(data):
    return hashlib.sha256(data).digest()


def tree_head(hashes):
    """Root of an RFC 6962 tree over leaf hashes."""
    if not hashes:
        return sha256(b"")
    while len(hashes) > 1:
        pairs = [sha256(b"\x01" + hashes[i] + hashes[i + 1]) for i in range(0, len(hashes) - 1, 2)]
        hashes = pairs + ([hashes[-1]] if len(hashes) % 2 else [])
    return hashes[0]


class Log:
    """Every statement that the signer took, in order."""

    def __init__(self):
        self.hashes = []

    @property
    def size(self):
        return len(self.hashes)

    @property
    def root(self):
        return tree_head(self.hashes)

    def add(self, statement):
        self.hashes.append(sha256(b"\x00" + canonical(statement)))


# ---- what the signer gives, judged by libraries that are not ours ----

def public_key(entry_of_jwks):
    from jwcrypto import jwk
    return jwk.JWK(**{name: entry_of_jwks[name] for name in ("kty", "crv", "x", "y") if name in entry_of_jwks})


def jws_payload(token, keys):
    """The statement in a compact JWS, verified with the key of JWKS entries `keys` that its header names."""
    from jwcrypto import jws
    header = json.loads(base64.urlsafe_b64decode(token.split(".")[0] + "=="))
    signature = jws.JWS()
    signature.deserialize(token)
    signature.verify(public_key(keys[header["kid"]]))
    return header, json.loads(signature.payload)


def checkpoint_head(note, key):
    """(origin, size, root) of a checkpoint, its Ed25519 signature verified under a JWKS entry."""
    from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PublicKey
    text, _, lines = note.partition("\n\n")
    text += "\n"
    public = base64.urlsafe_b64decode(key["x"] + "=")
    for line in lines.splitlines():
        dash, _, value = line.split(" ")
        raw = base64.b64decode(value)
        if dash == "\u2014" and len(raw) == 68:
            Ed25519PublicKey.from_public_bytes(public).verify(raw[4:], text.encode())
            origin, size, root = text.splitlines()[:3]
            return origin, int(size), base64.b64decode(root)
    raise ValueError("no Ed25519 signature in the note")
