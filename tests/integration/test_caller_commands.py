#!/usr/bin/python3
"""The commands that talk to an appliance, against one that answers whatever a test likes.

What the exit status says about an action, and that nothing which comes over the socket is trusted: garbage, too much, escape sequences,
silence.
"""
import json
import os
import pathlib
import shutil
import socket
import subprocess
import sys
import tempfile
import threading
import time
import unittest

from appliance import run_cases, skip

ROOT = pathlib.Path(__file__).resolve().parents[2]
BINARIES = pathlib.Path(os.environ.get("CS_BIN") or ROOT / os.environ.get("CS_BUILD", "build") / "bin")
FIXTURE = ROOT / "tests" / "fixture"
ACTION = {"id": "kye:action:1", "action": "sha256:" + "0" * 64, "state": "sealed", "final": True, "outcome": "allow", "reason": "admissible",
          "caller": "kye:agent:acme.sre-autoheal", "capability": "k8s.deployment.rollback", "action_class": "rollback-production-service",
          "change_class": "irreversible", "oversight": "two_person", "slots": [], "created_at": "2026-11-20T10:00:00Z",
          "updated_at": "2026-11-20T10:00:00Z", "expires_at": None, "not_after": None, "log_index": None}


def reply(continues=False, **parameters):
    message = {"parameters": parameters}
    if continues:
        message["continues"] = True
    return json.dumps(message).encode() + b"\0"


def refusal(name, **parameters):
    return json.dumps({"error": f"io.countersign.Appliance.{name}", "parameters": parameters}).encode() + b"\0"


class FakeAppliance(threading.Thread):
    """Serves one connection: for each call the next answer, bytes or a list of bytes with pauses (numbers) between."""

    def __init__(self, path, *answers):
        super().__init__(daemon=True)
        self.answers, self.calls = list(answers), []
        self.listener = socket.socket(socket.AF_UNIX)
        self.listener.bind(str(path))
        self.listener.listen(4)
        self.start()

    def run(self):
        try:
            connection, _ = self.listener.accept()
        except OSError:
            return
        with connection:
            buffer = b""
            for answer in self.answers:
                while b"\0" not in buffer:
                    data = connection.recv(65536)
                    if not data:
                        return
                    buffer += data
                text, buffer = buffer.split(b"\0", 1)
                self.calls.append(json.loads(text))
                for part in answer if isinstance(answer, list) else [answer]:
                    if isinstance(part, bytes):
                        try:
                            connection.sendall(part)
                        except OSError:
                            return
                    else:
                        time.sleep(part)


class Case(unittest.TestCase):
    def setUp(self):
        self.directory = pathlib.Path(tempfile.mkdtemp(prefix="countersign-caller."))
        self.addCleanup(shutil.rmtree, self.directory)
        self.socket = self.directory / "api.sock"

    def countersign(self, *arguments, answers=(), timeout=60):
        self.socket.unlink(missing_ok=True)
        self.appliance = FakeAppliance(self.socket, *answers)
        self.addCleanup(self.appliance.listener.close)
        environment = {"PATH": "/usr/bin:/bin"} | {k: v for k, v in os.environ.items() if k.endswith("SAN_OPTIONS")}
        return subprocess.run([str(BINARIES / "countersign"), "--socket", str(self.socket), *map(str, arguments)], capture_output=True,
                              stdin=subprocess.DEVNULL, env=environment, timeout=timeout)

    def assert_refused(self, result, status, name, *words):
        line = result.stderr.decode()
        self.assertEqual(result.returncode, status, line)
        self.assertTrue(line.startswith(f"error: {name}: ") and line.count("\n") == 1 and line.endswith("\n"), line)
        for word in words:
            self.assertIn(word, line)


class States(Case):
    STATES = {"sealed": 0, "allowed": 0, "approved": 0, "executing": 0, "executed": 0, "denied": 1, "recorded": 1, "rejected": 1, "invalidated": 1,
              "failed": 1, "unknown": 1, "aborted": 1, "rolled_back": 1, "a_state_of_tomorrow": 1, "expired": 6, "withdrawn": 6}

    def test_propose(self):
        request = FIXTURE / "request-rollback.json"
        for state, status in {**self.STATES, "awaiting_approval": 5, "escalated": 5, "needs_information": 5}.items():
            answer = reply(id="kye:action:1", action="sha256:" + "0" * 64, state=state, decision={"outcome": "allow", "checks": []})
            with self.subTest(state):
                result = self.countersign("propose", "--request", request, "--json", answers=[answer])
                self.assertEqual((result.returncode, result.stderr), (status, b""))
                self.assertEqual(json.loads(result.stdout)["state"], state)
        call = self.appliance.calls[0]
        self.assertEqual(call["method"], "io.countersign.Appliance.Propose")
        self.assertEqual(call["parameters"], {"request": json.loads(request.read_text())})

    def test_idempotency_key_is_sent(self):
        answer = reply(id="kye:action:1", action="sha256:" + "0" * 64, state="sealed", decision={})
        self.countersign("propose", "--request", FIXTURE / "request-rollback.json", "--idempotency-key", "INC-1", answers=[answer])
        self.assertEqual(self.appliance.calls[0]["parameters"]["idempotency_key"], "INC-1")

    def test_denied_says_why(self):
        decision = {"outcome": "deny", "oversight": None, "checks": [{"check": "a", "passed": True, "reason_code": "fine", "detail": ""},
                                                                   {"check": "b", "passed": False, "reason_code": "no_rollback_plan", "detail": "none"}]}
        result = self.countersign("propose", "--request", FIXTURE / "request-rollback.json",
                                  answers=[reply(id="kye:action:1", action="x", state="denied", decision=decision)])
        self.assertEqual(result.returncode, 1)
        self.assertIn(b"no_rollback_plan", result.stdout)
        self.assertNotIn(b"fine", result.stdout)

    def test_wait_to_the_end(self):
        for state, status in self.STATES.items():
            with self.subTest(state):
                result = self.countersign("wait", "kye:action:1", "--json", answers=[[reply(True, action=ACTION | {"state": "awaiting_approval", "final": False}),
                                                                                    reply(action=ACTION | {"state": state})]])
                self.assertEqual((result.returncode, result.stderr), (status, b""))
                self.assertEqual(json.loads(result.stdout)["state"], state)
        self.assertTrue(self.appliance.calls[0]["more"])

    def test_wait_has_a_timeout(self):
        waiting = reply(True, action=ACTION | {"state": "awaiting_approval", "final": False})
        for seconds in ("0", "1"):
            began = time.monotonic()
            result = self.countersign("wait", "kye:action:1", "--timeout", seconds, "--json", answers=[[waiting, 6]])
            self.assertEqual(result.returncode, 5, result.stderr)
            self.assertLess(time.monotonic() - began, 5)
            self.assertEqual(json.loads(result.stdout)["state"], "awaiting_approval")

    def test_status(self):
        status = {"version": "1", "origin": "acme.example/countersign", "entity": "kye:ent:acme", "trust_set": {"address": "a", "version": 1},
                  "policy": {"address": "b", "version": 1}, "log": {"size": 1, "root": "r"}, "actions": {"waiting": 0, "unsealed": 0, "refused": 4},
                  "engine": {"kid": None, "not_after": None}, "clients": 1, "started_at": "2026-11-20T10:00:00Z"}
        up = reply(**status, signer={"ready": True, "reason": None, "detail": "", "status": None})
        down = reply(**status, signer={"ready": False, "reason": "token_missing", "detail": "gone", "status": None})
        result = self.countersign("status", answers=[up])
        self.assertEqual(result.returncode, 0)
        self.assertIn(b"\nrefused       4\n", result.stdout)
        result = self.countersign("status", answers=[down])
        self.assertEqual(result.returncode, 3)
        self.assertIn(b"token_missing", result.stdout)
        self.assertEqual(json.loads(self.countersign("status", "--json", answers=[down]).stdout)["origin"], "acme.example/countersign")

    def test_pending_reads_every_page_and_leaves_out_what_is_over(self):
        page = [ACTION | {"id": f"kye:action:{i}", "state": "awaiting_approval" if i % 2 else "sealed"} for i in range(500)]
        last = [ACTION | {"id": "kye:action:last", "state": "needs_information"}]
        result = self.countersign("pending", "--json", answers=[reply(actions=page, next="kye:action:seen"), reply(actions=[], next="kye:action:later"),
                                                                reply(actions=last, next=None)])
        self.assertEqual(result.returncode, 0, result.stderr)
        found = [action["id"] for action in json.loads(result.stdout)["actions"]]
        self.assertEqual((len(found), found[0], found[-1]), (251, "kye:action:1", "kye:action:last"))
        self.assertIs(json.loads(result.stdout)["truncated"], False)
        self.assertEqual([call["parameters"].get("before") for call in self.appliance.calls], [None, "kye:action:seen", "kye:action:later"])
        result = self.countersign("pending", "--mine", answers=[reply(actions=[], next=None)])
        self.assertEqual((result.returncode, result.stdout), (0, b"nothing waits\n"))
        self.assertIs(self.appliance.calls[0]["parameters"]["mine"], True)

    def test_pending_gives_up_on_a_list_without_end(self):
        endless = [reply(actions=[], next="kye:action:1")] * 200
        result = self.countersign("pending", answers=endless)
        self.assertEqual((result.returncode, result.stdout), (0, b"nothing found\n\nonly the newest 100000 actions were looked at\n"))
        self.assertIs(json.loads(self.countersign("pending", "--json", answers=endless).stdout)["truncated"], True)
        self.assert_refused(self.countersign("pending", answers=[reply(actions=7)]), 3, "service_unavailable", "actions")
        self.assert_refused(self.countersign("pending", answers=[reply(actions=[ACTION] * 501)]), 3, "service_unavailable", "actions")

    def test_pack(self):
        pack = {"b": 1, "a": [1.0], "id": "kye:evidence:1"}
        result = self.countersign("pack", "kye:action:1", answers=[reply(pack=pack)])
        self.assertEqual((result.returncode, result.stdout), (0, b'{"a":[1],"b":1,"id":"kye:evidence:1"}\n'))
        out = self.directory / "pack.json"
        result = self.countersign("pack", "kye:action:1", "--out", out, answers=[reply(pack=pack)])
        self.assertEqual((result.returncode, out.read_bytes()), (0, b'{"a":[1],"b":1,"id":"kye:evidence:1"}\n'))
        self.assert_refused(self.countersign("pack", "kye:action:1", answers=[reply(pack=1)]), 3, "service_unavailable")

    def test_show(self):
        result = self.countersign("show", "kye:action:1", answers=[reply(action=ACTION, core=json.loads((FIXTURE / "request-rollback.json").read_text()),
                                                                         decision={"checks": []}, decisions=[])])
        self.assertEqual(result.returncode, 0, result.stderr)
        self.assertIn(b'claimed   program           "/usr/bin/kubectl"', result.stdout)
        self.assertNotIn(b"verified", result.stdout)


class Refusals(Case):
    def test_each_has_its_status(self):
        for name, code, status in (("NotFound", "not_found", 1), ("PermissionDenied", "permission_denied", 1), ("InvalidDocument", "document_invalid", 1),
                                   ("Refused", "approval_expired", 1), ("WrongState", "wrong_state", 1), ("IdempotencyConflict", "idempotency_conflict", 1),
                                   ("Busy", "busy", 3), ("SignerUnavailable", "signer_unavailable", 3), ("Internal", "internal", 3),
                                   ("Refused", "bad_setting", 1), ("Refused", "io", 1)):
            with self.subTest(code):
                result = self.countersign("show", "x", answers=[refusal(name, code=code, path="/a", detail="because")])
                self.assert_refused(result, status, code, "/a", "because")

    def test_json(self):
        result = self.countersign("show", "x", "--json", answers=[refusal("NotFound", code="not_found", path="id", detail="none")])
        self.assertEqual(json.loads(result.stdout), {"error": {"code": "not_found", "path": "id", "detail": "none"}})

    def test_one_that_is_not_known(self):
        self.assert_refused(self.countersign("show", "x", answers=[refusal("Tomorrow", code="of_tomorrow", detail="x")]), 1, "wrong_state", "of_tomorrow")
        self.assert_refused(self.countersign("show", "x", answers=[refusal("Tomorrow", code="ok")]), 1, "wrong_state", "Tomorrow")
        self.assert_refused(self.countersign("show", "x", answers=[b'{"error":7}\0']), 1, "wrong_state")
        standard = b'{"error":"org.varlink.service.MethodNotFound","parameters":{"method":"x"}}\0'
        self.assert_refused(self.countersign("show", "x", answers=[standard]), 4, "unsupported")

    def test_nothing_foreign_reaches_the_terminal_raw(self):
        evil = "\x1b]0;x\x07\x1b[2J\u202e\r\nerror: fine"
        result = self.countersign("show", "x", answers=[refusal("Refused", code="io", path=evil, detail=evil)])
        self.assert_refused(result, 1, "io", "\\u{1B}", "\\u{202E}")
        action = ACTION | {key: evil for key in ("id", "state", "reason", "caller", "capability")} | {"slots": [{"role": evil, "approver": evil}]}
        answers = [reply(action=action, core={"execution": {"executable": evil, "arguments": [evil]}, "provenance": {"hypothesis": evil}},
                         decision={"checks": [{"passed": False, "reason_code": evil, "detail": evil}]}, decisions=[{"decision": evil, "approver": evil}])]
        for arguments, given in ((("show", "x"), answers), (("pending",), [reply(actions=[action | {"state": "awaiting_approval"}])]),
                                 (("wait", "x"), [reply(action=action)])):
            with self.subTest(arguments):
                result = self.countersign(*arguments, answers=given)
                shown = result.stdout.decode()
                self.assertFalse([c for c in shown if (ord(c) < 32 and c != "\n") or c in "\x7f\u202e"], shown)
                self.assertFalse([line for line in shown.split("\n") if line.startswith("error")], shown)
                self.assertIn("\\u{1B}", shown)


class Garbage(Case):
    def test_no_message(self):
        for bad in (b"hello\0", b"[]\0", b'"x"\0', b"\0", b'{"parameters":[]}\0', b'{"parameters":{"a":1,"a":2}}\0', b'{"parameters":{}} x\0', b"\xff\0",
                    b'{"parameters":' + b"[" * 100 + b"]" * 100 + b"}\0", b"", b'{"parameters":{'):
            with self.subTest(bad[:30]):
                result = self.countersign("show", "x", answers=[bad])
                self.assert_refused(result, 3, "service_unavailable")

    def test_too_much(self):
        result = self.countersign("show", "x", answers=[[b'{"parameters":{"a":"' + b"x" * (1 << 20), b"x" * (1 << 20)]])
        self.assert_refused(result, 3, "service_unavailable", "more than")

    def test_empty_answers(self):
        for arguments, status in ((("show", "x"), 0), (("pending",), 3), (("status",), 3), (("pack", "x"), 3), (("wait", "x"), 3)):
            with self.subTest(arguments):
                self.assertEqual(self.countersign(*arguments, answers=[b"{}\0"]).returncode, status)

    def test_nobody_listens(self):
        self.socket.write_text("")
        environment = {"PATH": "/usr/bin:/bin"} | {k: v for k, v in os.environ.items() if k.endswith("SAN_OPTIONS")}
        result = subprocess.run([str(BINARIES / "countersign"), "--socket", str(self.socket), "status"], capture_output=True, env=environment)
        self.assert_refused(result, 3, "service_unavailable")
        long_path = "/tmp/" + "x" * 200
        result = subprocess.run([str(BINARIES / "countersign"), "--socket", long_path, "status"], capture_output=True, env=environment)
        self.assert_refused(result, 2, "usage")


if __name__ == "__main__":
    if not (BINARIES / "countersign").exists():
        skip(f"countersign is not built in {BINARIES}")
    sys.exit(run_cases())
