"""A broken broker that faces an approver: it holds a session key that the real signer certified, and composes and signs whatever it likes.

Also the screen of the approver's command, byte for byte.
"""
import base64
import contextlib
import copy
import json
import os
import re
import shutil
import socket
import subprocess
import tempfile
import threading
import unicodedata

from appliance import BROKER_UID, TOOLS, address, canonical, in_order, run_on_terminal
from signer_client import SignerClient

PREFIX = "io.countersign.Appliance."
YES = (rb"Sign\? \[y/N\] $", b"y\n")
NO = (rb"Sign\? \[y/N\] $", b"n\n")


def pin_of(person):
    return (rb"PIN of the token [^\n]*: ?$", person.pin.encode() + b"\n")


def base64url(data):
    return base64.urlsafe_b64encode(data).rstrip(b"=").decode()


class SessionKey:
    """An Ed25519 key of nobody's but the test's."""

    def __init__(self, kid):
        from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PrivateKey
        from cryptography.hazmat.primitives.serialization import Encoding, PublicFormat
        self.kid, self.key = kid, Ed25519PrivateKey.generate()
        self.jwk = {"kty": "OKP", "crv": "Ed25519", "x": base64url(self.key.public_key().public_bytes(Encoding.Raw, PublicFormat.Raw))}

    def sign(self, document, kid=None):
        """A copy with an inline signature by this key."""
        bare = {key: value for key, value in document.items() if key not in ("signature", "signatures")}
        return {**bare, "signature": {"alg": "EdDSA", "kid": kid or self.kid, "value_b64": base64url(self.key.sign(canonical(bare)))}}


class Deceiver:
    """What a broken broker can make of an honest brief."""

    def __init__(self, appliance):
        self.appliance, self.trust_file = appliance, appliance.etc / "trust.json"
        self.engine = SessionKey(None)
        with SignerClient(appliance.signer_socket, BROKER_UID) as signer:
            self.certificate = signer.certify(self.engine.jwk)
        self.engine.kid = self.certificate["kid"]

    def compose(self, what, reply, **more):
        documents = {"trust": json.loads(self.trust_file.read_text()),
                     "policy": json.loads(self.appliance.newest(self.appliance.policy_directory).read_text()),
                     "core": reply["core"], "basis": reply["basis"], **more}
        done = subprocess.run([str(TOOLS / "rebrief"), what], input=json.dumps(documents).encode(), capture_output=True, timeout=60)
        if done.returncode != 0:
            raise RuntimeError(f"rebrief {what}: {done.stderr.decode()}")
        return json.loads(done.stdout)

    def sign(self, reply):
        """Map and brief signed by the broker's own engine, whose certificate is the real signer's."""
        basis = {**reply["basis"], "consequence_map": self.engine.sign(reply["basis"]["consequence_map"])}
        brief = {**reply["brief"], "basis": address(basis)}
        return {"core": reply["core"], "basis": basis, "brief": self.engine.sign(brief), "engine_certificate": self.certificate}

    def brief(self, reply):
        """The brief composed anew over the basis as it is, then everything signed."""
        basis = {**reply["basis"], "consequence_map": self.engine.sign(reply["basis"]["consequence_map"])}
        return self.sign({**reply, "brief": self.compose("brief", {**reply, "basis": basis}, issued_by=self.certificate["entity"])})

    def everything(self, reply, restate=False):
        """Gate result, consequence map and brief composed anew for a changed core or state: a lie that hangs together."""
        return self.brief({**reply, "basis": self.compose("basis", reply, restate=restate)})


def changed(document, path, value):
    """A deep copy with one member replaced, added, or (with a function) changed in place."""
    result = copy.deepcopy(document)
    steps = [int(step) if step.isdigit() else step for step in path.split("/")]
    at = result
    for step in steps[:-1]:
        at = at[step]
    if callable(value):
        value = value(at[steps[-1]])
    at[steps[-1]] = value
    return result


class FakeBroker:
    """Serves the approver's command; `answers` maps a method to a function of its parameters that gives a reply, or bytes as they go out, or a list of
    bytes and pauses."""

    def __init__(self, **answers):
        self.answers, self.calls = answers, []
        self.directory = tempfile.mkdtemp(prefix="countersign-deceiver.")
        os.chmod(self.directory, 0o755)
        self.path = os.path.join(self.directory, "api.sock")
        self.listener = socket.socket(socket.AF_UNIX)
        self.listener.bind(self.path)
        os.chmod(self.path, 0o666)
        self.listener.listen(4)
        self.closing = threading.Event()
        threading.Thread(target=self.serve, daemon=True).start()

    @property
    def methods(self):
        return [method for method, _ in self.calls]

    def serve(self):
        while not self.closing.is_set():
            try:
                client, _ = self.listener.accept()
            except OSError:
                return
            with client:
                with contextlib.suppress(OSError):
                    self.converse(client)

    def converse(self, client):
        buffer = b""
        while not self.closing.is_set():
            data = client.recv(65536)
            if not data:
                return
            buffer += data
            while b"\0" in buffer:
                text, buffer = buffer.split(b"\0", 1)
                message = json.loads(text)
                method = message["method"].removeprefix(PREFIX)
                self.calls.append((method, message["parameters"]))
                self.send(client, self.answers[method](message["parameters"]))

    def send(self, client, answer):
        if isinstance(answer, dict):
            answer = json.dumps(answer if "error" in answer else {"parameters": answer}).encode() + b"\0"
        for part in answer if isinstance(answer, list) else [answer]:
            if isinstance(part, bytes):
                client.sendall(part)
            else:
                self.closing.wait(part)

    def close(self):
        self.closing.set()
        # Closing alone would leave the thread, and with it the descriptor, in accept.
        with contextlib.suppress(OSError):
            self.listener.shutdown(socket.SHUT_RDWR)
        self.listener.close()
        shutil.rmtree(self.directory, ignore_errors=True)


# ---- the terminal ----

class Screen:
    """What a command wrote on its terminal, and how it ended."""

    def __init__(self, status, raw):
        self.status, self.raw = status, raw
        self.text = raw.decode().replace("\r\n", "\n")
        self.lines = self.text.split("\n")

    @property
    def error(self):
        return next((line for line in reversed(self.lines) if line.startswith("error: ")), "")

    @property
    def code(self):
        match = re.match(r"error: ([a-z0-9_]+): ", self.error)
        return match.group(1) if match else ""

    def unsafe(self):
        """Characters that do something else on a terminal than stand in their place: controls, format characters, what is not assigned."""
        return sorted({f"U+{ord(c):04X}" for c in self.text if c != "\n" and unicodedata.category(c) in ("Cc", "Cf", "Cs", "Co", "Cn", "Zl", "Zp")})

    def __repr__(self):
        return f"exit {self.status}\n{self.text[-3000:]}"


def on_screen(command, uid, environment, script=(), timeout=60):
    return Screen(*run_on_terminal(command, uid, environment, in_order(script), timeout))
