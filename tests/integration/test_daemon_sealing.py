#!/usr/bin/python3
"""The lockstep with a signer that breaks off, answers wrongly, or refuses: nothing is lost, sealed twice or believed unseen.

A proxy of the test's stands between the real daemon and the real signer. Needs root, exits 77 where it cannot run.
"""
import base64
import hashlib
import json
import os
import pathlib
import shutil
import signal
import socket
import struct
import sys
import tempfile
import threading
import time
import unittest

from appliance import (AGENT_UID, BROKER_UID, ORIGIN, OTHER_AGENT_UID, SIGNER_UID, Appliance, Connection, VarlinkError, address, canonical,
                       need_root_and_softhsm, run_cases, skip)
from forgery import Forger, forge

HELLO, APPEND, CERTIFY, HEALTH = 1, 2, 3, 4
DONE, REFUSED = 0, 1


def read_exactly(connection, count):
    data = b""
    while len(data) < count:
        part = connection.recv(count - len(data))
        if not part:
            raise ConnectionError
        data += part
    return data


def read_frame(connection):
    return read_exactly(connection, struct.unpack(">I", read_exactly(connection, 4))[0])


def framed(payload):
    return struct.pack(">I", len(payload)) + payload


def answer(status, document):
    text = canonical(document)
    return bytes([status]) + struct.pack(">I", len(text)) + text


def document_of(payload):
    return json.loads(payload[5:])


def refusal(code):
    return answer(REFUSED, {"code": code, "detail": "said by the test", "path": ""})


class Proxy:
    """Passes frames on. `on_request(operation, payload)` may return an answer of its own, raise ConnectionError, or return None to pass the frame on;
    `on_answer(operation, payload, answer)` may change what comes back or raise."""

    def __init__(self, path, target):
        self.connector = Connector(target)
        self.honest()
        self.appends = []
        self.listener = socket.socket(socket.AF_UNIX)
        self.listener.bind(str(path))
        os.chmod(path, 0o666)
        self.listener.listen(8)
        self.open = True
        self.threads = [threading.Thread(target=self.accept, daemon=True)]
        self.threads[0].start()

    def honest(self):
        self.on_request = lambda operation, payload: None
        self.on_answer = lambda operation, payload, reply: reply

    def once(self, **hooks):
        """The hooks for the next append alone."""
        def wrap(name, hook):
            def run(operation, *rest):
                if operation != APPEND:
                    return rest[-1] if name == "on_answer" else None
                self.honest()
                return hook(operation, *rest)
            return run
        for name, hook in hooks.items():
            setattr(self, name, wrap(name, hook))

    def accept(self):
        while self.open:
            try:
                connection, _ = self.listener.accept()
            except OSError:
                return
            thread = threading.Thread(target=self.serve, args=(connection,), daemon=True)
            self.threads.append(thread)
            thread.start()

    def serve(self, connection):
        signer = None
        try:
            signer = self.connector.connect()
            while True:
                payload = read_frame(connection)
                operation = payload[0]
                if operation == APPEND:
                    self.appends.append(payload)
                reply = self.on_request(operation, payload)
                if reply is None:
                    signer.sendall(framed(payload))
                    reply = self.on_answer(operation, payload, read_frame(signer))
                connection.sendall(framed(reply))
        except OSError:
            pass
        finally:
            connection.close()
            if signer:
                signer.close()

    def close(self):
        self.open = False
        self.listener.shutdown(socket.SHUT_RDWR)
        self.listener.close()
        self.connector.close()


class Connector:
    """Connects as the broker: a process of its own, because threads of one process cannot safely have different users."""

    def __init__(self, path):
        self.lock = threading.Lock()
        self.ours, theirs = socket.socketpair()
        self.child = os.fork()
        if self.child == 0:
            self.ours.close()
            os.setgroups([])
            os.setgid(BROKER_UID)
            os.setuid(BROKER_UID)
            while theirs.recv(1):
                with socket.socket(socket.AF_UNIX) as connection:
                    try:
                        connection.connect(str(path))
                        socket.send_fds(theirs, [b"+"], [connection.fileno()])
                    except OSError:
                        theirs.send(b"-")
            os._exit(0)
        theirs.close()

    def connect(self):
        with self.lock:
            self.ours.send(b"?")
            _, descriptors, _, _ = socket.recv_fds(self.ours, 1, 1)
        if not descriptors:
            raise ConnectionError("the signer's socket")
        return socket.socket(fileno=descriptors[0])

    def close(self):
        self.ours.close()
        os.waitpid(self.child, 0)


class ProxiedAppliance(Appliance):
    prefix = ()

    def spawn(self, name, uid, environment, *command):
        prefix = self.prefix if name == "daemon" else ()
        return super().spawn(name, uid, environment, *prefix, *command)

    rate_cap = 1000000

    def write_settings(self):
        super().write_settings()
        path = self.etc / "countersign.conf"
        text = path.read_text().replace(str(self.signer_socket), str(self.run / "proxy.sock"))
        path.write_text(text.replace("deadline_seconds = 10", "deadline_seconds = 2"))


class Case(unittest.TestCase):
    appliance = proxy = forger = None

    def setUp(self):
        self.proxy.honest()
        self.ready()
        self.size = self.appliance.status()["log"]["size"]
        self.addCleanup(self.proxy.honest)

    def ready(self):
        self.appliance.wait_until(lambda: self.appliance.status()["signer"]["ready"], "sealing to work", seconds=20)

    def call(self, method, user=AGENT_UID, **parameters):
        return self.appliance.call(method, user, **parameters)

    def fails(self, method="Propose", name="SignerUnavailable", user=AGENT_UID, **parameters):
        """The error and the id that it names."""
        parameters = parameters or {"request": self.appliance.request("restart")}
        with self.assertRaises(VarlinkError) as caught:
            self.call(method, user, **parameters)
        self.assertEqual(caught.exception.name, name, caught.exception.parameters)
        return caught.exception

    def heals(self, action, leaves=1, state="sealed", decision="allow"):
        """The action is sealed in the end, with exactly so many leaves, by a pack that verifies."""
        final = self.call("Wait", id=action)["action"]
        self.assertEqual(final["state"], state)
        self.ready()
        status = self.appliance.status()
        self.assertEqual(status["log"]["size"], self.size + leaves)
        head = self.log_of_signer()
        self.assertEqual((head["size"], head["root"]), (status["log"]["size"], status["log"]["root"]))
        verdict = self.appliance.verify(self.appliance.pack(action)).json()
        self.assertEqual((verdict["authentic"], verdict["decision"]), (True, decision), [c for c in verdict["checks"] if c["result"] == "failed"])
        return final

    def log_of_signer(self):
        """What the signer itself says, asked as the broker."""
        with self.proxy.connector.connect() as connection:
            connection.sendall(framed(bytes([HEALTH])))
            return document_of(read_frame(connection))["log"]


class Breaks(Case):
    def test_the_signer_goes_after_it_wrote_the_leaf(self):
        def go(operation, payload, reply):
            raise ConnectionError
        self.proxy.once(on_answer=go)
        before = len(self.proxy.appends)
        error = self.fails()
        self.heals(error.parameters["path"])
        sent = self.proxy.appends[before:]
        self.assertEqual(len(sent), 2)
        self.assertEqual(sent[0], sent[1])

    def test_the_signer_goes_before_it_reads_the_leaf(self):
        def go(operation, payload):
            raise ConnectionError
        self.proxy.once(on_request=go)
        self.heals(self.fails().parameters["path"])

    def test_an_answer_that_does_not_come(self):
        def sleep(operation, payload, reply):
            time.sleep(4)
            raise ConnectionError
        self.proxy.once(on_answer=sleep)
        before = time.monotonic()
        error = self.fails()
        self.assertLess(time.monotonic() - before, 3.5)
        self.heals(error.parameters["path"])

    def test_the_daemon_is_killed_with_a_leaf_on_its_way(self):
        reached = threading.Event()
        request = self.appliance.request("restart")

        def hold(operation, payload, reply):
            reached.set()
            time.sleep(3)
            raise ConnectionError
        self.proxy.once(on_answer=hold)
        with Connection(self.appliance.api, AGENT_UID) as connection:
            connection.send("Propose", request=request, idempotency_key="killed")
            self.assertTrue(reached.wait(10))
            self.appliance.stop_process("daemon", signal.SIGKILL)
        self.appliance.start_daemon()
        # Its caller asks again under the same key and gets the one action.
        again = self.call("Propose", request=request, idempotency_key="killed")
        self.assertEqual(again["state"], "sealed")
        self.heals(again["id"])

    def test_the_signer_is_killed_again_and_again(self):
        actions = []
        for _ in range(6):
            try:
                actions.append(self.call("Propose", request=self.appliance.request("restart"))["id"])
            except VarlinkError as error:
                # The proxy may not have noticed that the signer of before is gone.
                self.assertEqual(error.name, "SignerUnavailable")
                actions.append(error.parameters["path"])
            self.appliance.stop_process("signer", signal.SIGKILL)
            self.appliance.start_signer()
            self.ready()
        self.assertEqual(len(set(actions)), 6)
        for action in actions:
            self.assertEqual(self.call("Wait", id=action)["action"]["state"], "sealed")
        self.assertEqual(self.appliance.status()["log"]["size"], self.size + len(actions))


class Lies(Case):
    """What the signer gives back is verified: a wrong seal is no seal, however often it comes."""

    def lies(self, lie_about, propose="restart", change=None):
        seen = []

        def lie(operation, payload, reply):
            if operation != APPEND:
                return reply
            seen.append(1)
            document = document_of(reply)
            lie_about(document)
            return answer(DONE, document)
        self.proxy.on_answer = lie
        error = self.fails(request=self.appliance.request(propose, change))
        action = error.parameters["path"]
        self.appliance.wait_until(lambda: len(seen) > 1, "a second try")
        entry = self.call("Show", id=action)["action"]
        self.assertEqual((entry["final"], entry["outcome"]), (False, None))
        self.assertEqual(self.appliance.status()["log"]["size"], self.size)
        self.proxy.honest()
        return action

    def test_a_seal_with_one_bit_flipped(self):
        def flip(document):
            head, _, value = document["seals"][0].rpartition(".")
            raw = bytearray(base64.urlsafe_b64decode(value + "=="))
            raw[5] ^= 1
            document["seals"][0] = head + "." + base64.urlsafe_b64encode(bytes(raw)).decode().rstrip("=")
        self.heals(self.lies(flip))

    def test_a_seal_of_another_statement(self):
        done = self.call("Propose", request=self.appliance.request("restart"))
        earlier = self.appliance.pack(done["id"])["signatures"][0]["signature"].removeprefix("sig:jws:")
        self.size += 1
        self.heals(self.lies(lambda document: document["seals"].__setitem__(0, earlier)))

    def test_no_seal_at_all(self):
        self.heals(self.lies(lambda document: document.__setitem__("seals", [None])))

    def test_more_seals_than_statements(self):
        self.heals(self.lies(lambda document: document["seals"].append(document["seals"][0])))

    def test_a_checkpoint_of_another_size(self):
        def deny(request):
            request["due_diligence"] = None

        def grow(document):
            origin, size, rest = document["checkpoint"].split("\n", 2)
            document["checkpoint"] = f"{origin}\n{int(size) + 1}\n{rest}"
        self.heals(self.lies(grow, "rollback", change=deny), state="denied", decision="deny")

    def test_an_earlier_checkpoint(self):
        def deny(request):
            request["due_diligence"] = None
        kept = []
        self.proxy.on_answer = lambda operation, payload, reply: (kept.append(reply) if operation == APPEND else None, reply)[1]
        self.call("Propose", request=self.appliance.request("rollback", deny))
        self.size += 1
        earlier = document_of(kept[0])["checkpoint"]
        self.assertTrue(earlier.startswith(ORIGIN))
        self.heals(self.lies(lambda document: document.__setitem__("checkpoint", earlier), "rollback", change=deny), state="denied", decision="deny")

    def test_an_answer_that_is_no_answer(self):
        for reply in (b"\0", b"\2\0\0\0\2{}", b"\0\0\0\0\2{}x", b"\0\xff\xff\xff\xff{}"):
            with self.subTest(reply=reply):
                self.size = self.appliance.status()["log"]["size"]
                self.proxy.once(on_answer=lambda operation, payload, honest, reply=reply: reply)
                self.heals(self.fails().parameters["path"])


class Refusals(Case):
    def refuse(self, code):
        self.proxy.once(on_request=lambda operation, payload: refusal(code))

    def test_a_statement_that_came_too_late_is_composed_anew(self):
        before = len(self.proxy.appends)
        self.refuse("statement_time")
        proposal = self.call("Propose", request=self.appliance.request("restart"))
        self.assertEqual(proposal["state"], "sealed")
        self.assertNotEqual(self.proxy.appends[before], self.proxy.appends[before + 1])
        self.heals(proposal["id"])

    def test_a_signer_whose_token_is_away_is_waited_for(self):
        self.refuse("signer_unavailable")
        error = self.fails()
        self.assertIn("said by the test", error.parameters["detail"])
        self.heals(error.parameters["path"])

    def test_a_token_that_goes_after_the_leaf_was_written_gets_the_same_leaf(self):
        self.proxy.once(on_answer=lambda operation, payload, reply: refusal("signer_unavailable"))
        before = len(self.proxy.appends)
        self.heals(self.fails().parameters["path"])
        self.assertEqual(self.proxy.appends[before], self.proxy.appends[before + 1])

    def test_an_allow_that_the_signer_does_not_bear_out_is_sealed_as_denied(self):
        self.refuse("action_consumed")
        proposal = self.call("Propose", request=self.appliance.request("restart"))
        self.assertEqual((proposal["state"], proposal["decision"]["outcome"]), ("invalidated", "deny"))
        self.heals(proposal["id"], state="invalidated", decision="deny")

    def test_a_denial_that_the_signer_refuses_stands_aside(self):
        def deny(request):
            request["due_diligence"] = None
        self.refuse("statement_mismatch")
        error = self.fails(name="Refused", request=self.appliance.request("rollback", deny))
        self.assertEqual(error.code, "statement_mismatch")
        status = self.appliance.status()
        self.assertEqual((status["actions"]["refused"], status["signer"]["ready"]), (1, True))
        self.assertEqual(self.call("Propose", request=self.appliance.request("restart"))["state"], "sealed")
        self.size += 1
        # A reload tries once more.
        self.appliance.processes["daemon"].send_signal(signal.SIGHUP)
        self.heals(error.parameters["path"], state="denied", decision="deny")
        self.assertEqual(self.appliance.status()["actions"]["refused"], 0)

    def test_an_approval_that_the_signer_refuses_does_not_count(self):
        for code in ("key_revoked", "key_usage"):
            with self.subTest(code=code):
                self.size = self.appliance.status()["log"]["size"]
                self.approval_refused(code)

    def approval_refused(self, code):
        action = self.call("Propose", request=self.appliance.request())["id"]
        decision, snapshot = self.forger.signed("ada", action, "engineer")
        self.refuse(code)
        ada = self.appliance.people["ada"].uid
        error = self.fails("Decide", "Refused", ada, id=action, decision=decision, snapshot=snapshot)
        self.assertEqual(error.code, code)
        entry = self.call("Show", id=action)["action"]
        self.assertEqual((entry["state"], entry["slots"][0]["approval"]), ("awaiting_approval", None))
        self.assertEqual(self.fails("Decide", "Refused", ada, id=action, decision=decision, snapshot=snapshot).code, "approval_duplicate")
        self.forger.decide("ada", action, *self.forger.signed("ada", action, "engineer"))
        self.forger.decide("carl", action, *self.forger.signed("carl", action, "change_owner"))
        self.heals(action, leaves=3)

    def test_the_last_approval_refused_invalidates(self):
        action = self.call("Propose", request=self.appliance.request())["id"]
        self.forger.decide("ada", action, *self.forger.signed("ada", action, "engineer"))
        decision, snapshot = self.forger.signed("carl", action, "change_owner")
        self.refuse("key_revoked")
        self.fails("Decide", "Refused", self.appliance.people["carl"].uid, id=action, decision=decision, snapshot=snapshot)
        self.heals(action, leaves=2, state="invalidated", decision="deny")


def of_size(request, size):
    """Pads what would undo the rollback until the request has so many bytes."""
    arguments = request["rollback"]["arguments"]
    while (missing := size - len(canonical(request))) > 0:
        arguments.append("x" * max(1, min(4000, missing - 3)))


class Room(Case):
    """A pack has a limit, and nobody signs for what would not fit."""

    def full(self, decision, snapshot, size=32000):
        """The same decision about a snapshot of this size, signed again by whoever signed it."""
        fact = snapshot["facts_shown"][0]
        number = 0
        while (missing := size - len(canonical(snapshot))) > 400:
            snapshot["facts_shown"].append({**fact, "fact_id": f"more-{number}", "summary": "y" * min(3000, missing - 300)})
            number += 1
        del snapshot["content_hash"]
        snapshot["content_hash"] = hashlib.sha256(canonical(snapshot)).hexdigest()
        decision["binding"]["snapshot"] = address(snapshot)

    def signed(self, name, action, role, value="approved", size=32000):
        decision, snapshot = self.forger.compose(name, action, role, value=value)
        self.full(decision, snapshot, size)
        return forge(self.appliance.people[name], decision), snapshot

    def test_an_action_of_60_kib_is_sealed_with_two_full_snapshots(self):
        action = self.call("Propose", request=self.appliance.request(change=lambda request: of_size(request, 60 * 1024)))["id"]
        self.forger.decide("ada", action, *self.signed("ada", action, "engineer"))
        self.forger.decide("carl", action, *self.signed("carl", action, "change_owner"))
        self.heals(action, leaves=3)
        self.assertGreater(len(canonical(self.appliance.pack(action))), 180 * 1024)

    def test_an_action_whose_evidence_would_not_fit_is_refused_when_proposed(self):
        def measure_much(request):
            first = request["provenance"]["signals"][0]
            request["provenance"]["signals"] = [{**first, "id": f"metric-{i:02d}-" + "z" * 480} for i in range(64)]
            of_size(request, 60 * 1024)
        error = self.fails(name="InvalidDocument", request=self.appliance.request(change=measure_much))
        self.assertEqual(error.code, "too_large")
        for part in ("core 6", "signals 4", "2 approvals"):
            self.assertIn(part, error.parameters["detail"])
        self.assertEqual(self.appliance.status()["log"]["size"], self.size)

    def test_a_snapshot_keeps_to_its_limit(self):
        action = self.call("Propose", request=self.appliance.request())["id"]
        decision, snapshot = self.signed("ada", action, "engineer", size=33500)
        self.assertGreater(len(canonical(snapshot)), 32 * 1024)
        error = self.fails("Decide", "InvalidDocument", self.appliance.people["ada"].uid, id=action, decision=decision, snapshot=snapshot)
        self.assertEqual(error.code, "too_large")
        self.call("Withdraw", id=action)
        self.heals(action, state="withdrawn", decision="deny")

    def test_a_rejection_is_recorded_whatever_was_said_before(self):
        """More decisions than a pack takes, by their number and by their size: the last is the one that counts."""
        action = self.call("Propose", request=self.appliance.request(change=lambda request: of_size(request, 60 * 1024)))["id"]
        for _ in range(9):
            self.forger.decide("ada", action, *self.signed("ada", action, "engineer", "requires_more_information"))
        self.forger.decide("carl", action, *self.signed("carl", action, "change_owner", "rejected"))
        self.heals(action, leaves=11, state="rejected", decision="deny")
        inputs = next(member["content"] for member in self.appliance.pack(action)["resolution"]["members"] if member["ref_field"] == "inputs_blob_ref")
        said = [entry["decision"]["decision"] for entry in inputs["approvals"]]
        self.assertEqual(said[-1], "rejected")
        self.assertGreaterEqual(len(said), 2)
        self.assertLess(len(said), 8)

    def test_the_newest_of_many_decisions_are_recorded(self):
        action = self.call("Propose", request=self.appliance.request())["id"]
        for _ in range(9):
            self.forger.decide("ada", action, *self.forger.signed("ada", action, "engineer", value="requires_more_information"))
        self.forger.decide("carl", action, *self.forger.signed("carl", action, "change_owner", value="rejected"))
        self.heals(action, leaves=11, state="rejected", decision="deny")
        inputs = next(member["content"] for member in self.appliance.pack(action)["resolution"]["members"] if member["ref_field"] == "inputs_blob_ref")
        self.assertEqual([entry["decision"]["decision"] for entry in inputs["approvals"]], ["requires_more_information"] * 7 + ["rejected"])


class Greetings(Case):
    def stalls(self, reason):
        self.appliance.stop_process("signer", signal.SIGKILL)
        self.appliance.start_signer()
        self.appliance.wait_until(lambda: self.appliance.status()["signer"]["reason"] == reason, f"the status to say {reason}")
        self.fails()
        self.assertEqual(self.appliance.status()["log"]["size"], self.size)
        self.proxy.honest()
        self.ready()
        self.assertEqual(self.call("Propose", request=self.appliance.request("restart"))["state"], "sealed")

    def on_status(self, change):
        def run(operation, payload, reply):
            if operation != HELLO:
                return reply
            document = document_of(reply)
            change(document)
            return answer(DONE, document)
        self.proxy.on_answer = run

    def test_a_fork_stops_sealing(self):
        self.proxy.on_request = lambda operation, payload: refusal("log_fork") if operation == HELLO else None
        self.stalls("log_fork")

    def test_a_signer_that_is_ahead_stops_sealing(self):
        self.on_status(lambda status: status["log"].__setitem__("size", status["log"]["size"] + 1))
        self.stalls("log_fork")

    def test_a_signer_that_is_behind_stops_sealing(self):
        self.on_status(lambda status: status["log"].__setitem__("size", status["log"]["size"] - 1))
        self.stalls("log_rollback")

    def test_another_log_stops_sealing(self):
        self.on_status(lambda status: status.__setitem__("origin", "elsewhere.example/log"))
        self.stalls("log_origin")

    def test_a_token_that_is_away_stops_sealing(self):
        self.on_status(lambda status: status.update(state="token_unavailable", reason="token_missing: nothing in the slot"))
        self.appliance.stop_process("signer", signal.SIGKILL)
        self.appliance.start_signer()
        self.appliance.wait_until(lambda: "nothing in the slot" in self.appliance.status()["signer"]["detail"], "the status to say so")
        self.proxy.honest()
        self.ready()

    def test_a_certificate_for_another_key_is_no_certificate(self):
        kept = []

        def replay(operation, payload, reply):
            if operation == CERTIFY:
                kept.append(reply)
                return kept[0]
            return reply
        self.proxy.on_answer = replay
        for _ in range(2):
            self.appliance.stop_process("daemon")
            self.appliance.start_daemon(wait=False)
            self.appliance.wait_for_socket(self.appliance.api, "daemon")
            if len(kept) < 1:
                self.ready()
        self.appliance.wait_until(lambda: self.appliance.status()["signer"]["reason"] == "bad_certificate", "the refusal")
        self.fails(request=self.appliance.request())
        self.proxy.honest()
        self.ready()

    def test_a_signers_socket_of_another_user_is_not_used(self):
        path = self.appliance.etc / "countersign.conf"
        text = path.read_text()
        # The proxy's socket is root's, as one of the service manager's would be; the signer's own is its user's.
        path.write_text(text.replace(str(self.appliance.run / "proxy.sock"), str(self.appliance.signer_socket)).replace(
            f"user = {SIGNER_UID}", f"user = {AGENT_UID}"))
        try:
            self.appliance.stop_process("daemon")
            self.appliance.start_daemon(wait=False)
            self.appliance.wait_for_socket(self.appliance.api, "daemon")
            self.appliance.wait_until(lambda: self.appliance.status()["signer"]["reason"] == "permission_denied", "the refusal")
        finally:
            path.write_text(text)
            self.appliance.stop_process("daemon")
            self.appliance.start_daemon()


class Disk(Case):
    """A disk that is full: here a limit on the size of files."""

    def restart(self, *prefix):
        self.appliance.stop_process("daemon")
        self.appliance.prefix = prefix
        self.appliance.start_daemon()

    def test_a_full_disk_takes_nothing_and_loses_nothing(self):
        self.addCleanup(self.restart)
        # Room for parts of a proposal: what fails is now its sealing, now its storing.
        for room in (100000, 220000):
            with self.subTest(room=room):
                self.size = self.appliance.status()["log"]["size"]
                self.fill(room)

    def fill(self, room):
        largest = max(path.stat().st_size for path in (self.appliance.var / "broker").iterdir())
        self.restart("prlimit", f"--fsize={largest + room}:unlimited")
        sealed, failed = [], None
        while failed is None:
            try:
                sealed.append(self.call("Propose", request=self.appliance.request("restart"))["id"])
            except VarlinkError as error:
                failed = error
        self.assertIn((failed.name, failed.code), (("Internal", "store_failed"), ("SignerUnavailable", "signer_unavailable")))
        self.restart()
        self.ready()
        for action in sealed:
            self.assertEqual(self.call("Show", id=action)["action"]["state"], "sealed")
        if failed.name == "SignerUnavailable":
            sealed.append(failed.parameters["path"])
            self.assertEqual(self.call("Wait", id=sealed[-1])["action"]["state"], "sealed")
        self.assertEqual(self.appliance.status()["log"]["size"], self.size + len(sealed))
        self.size += len(sealed)
        self.heals(self.call("Propose", request=self.appliance.request("restart"))["id"])


class Bounds(Case):
    def test_memory_does_not_grow_with_actions(self):
        def resident():
            status = pathlib.Path(f"/proc/{self.appliance.processes['daemon'].pid}/status").read_text()
            return int(status.split("VmRSS:")[1].split()[0])

        def propose(count):
            with Connection(self.appliance.api, AGENT_UID) as connection:
                for _ in range(count):
                    connection.call("Propose", request=request)
        request = self.appliance.request("restart")
        propose(300)
        before = resident()
        propose(int(os.environ.get("PROPOSALS", "500")))
        self.assertLess(resident() - before, 4096)

    def test_callers_take_turns(self):
        """Who asks for much does not make others wait for all of it."""
        reached, held = threading.Event(), threading.Event()
        users = [AGENT_UID] * 6 + [OTHER_AGENT_UID]
        connections = []

        def hold(operation, payload, reply):
            reached.set()
            held.wait(1.5)
            return reply
        self.proxy.once(on_answer=hold)
        for user in users:
            connections.append(Connection(self.appliance.api, user))
            self.addCleanup(connections[-1].socket.close)
            connections[-1].send("Propose", request=self.appliance.request("restart"))
            self.assertTrue(reached.wait(10))
        self.appliance.wait_until(lambda: self.appliance.status()["actions"]["unsealed"] == len(users), "all to be stored")
        held.set()
        ids = [connection.receive()["id"] for connection in connections]
        places = [self.call("Show", user, id=action)["action"]["log_index"] - self.size for user, action in zip(users, ids)]
        self.assertEqual((places[0], places[-1], sorted(places)), (0, 1, list(range(7))))

    def test_only_so_many_calls_wait_for_a_seal(self):
        path = self.appliance.etc / "countersign.conf"
        text = path.read_text()
        path.write_text(text.replace("[limits]\n", "[limits]\nqueue = 2\n"))
        self.appliance.stop_process("daemon")
        self.appliance.start_daemon()
        held = threading.Event()

        def hold(operation, payload, reply):
            held.wait(1.5)
            return reply
        self.proxy.once(on_answer=hold)
        connections = [Connection(self.appliance.api, AGENT_UID) for _ in range(3)]
        try:
            for connection in connections:
                connection.send("Propose", request=self.appliance.request("restart"))
            outcomes = []
            for connection in connections:
                try:
                    outcomes.append(connection.receive()["state"])
                except VarlinkError as error:
                    outcomes.append(error.name)
                    # It was stored and goes on without its caller.
                    self.assertEqual(self.call("Wait", id=error.parameters["path"])["action"]["state"], "sealed")
            self.assertEqual(sorted(outcomes), ["Busy", "sealed", "sealed"])
        finally:
            for connection in connections:
                connection.socket.close()
            path.write_text(text)
            self.appliance.stop_process("daemon")
            self.appliance.start_daemon()


def main():
    reason = need_root_and_softhsm()
    if reason:
        skip(f"daemon sealing: {reason}")
    directory = tempfile.mkdtemp(prefix="daemon-sealing.")
    appliance = ProxiedAppliance(directory)
    try:
        appliance.ceremony()
        appliance.settle()
        appliance.start_signer()
        Case.proxy = Proxy(appliance.run / "proxy.sock", appliance.signer_socket)
        appliance.start_daemon()
        appliance.wait_until(lambda: appliance.status()["log"]["size"] == 2, "trust set and policy to be in the log")
        Case.appliance, Case.forger = appliance, Forger(appliance)
        status = run_cases()
        ended = appliance.stop_process("daemon")
        Case.proxy.close()
        if status == 1:
            print(appliance.log_of("daemon")[-6000:], appliance.log_of("signer")[-3000:])
    finally:
        appliance.stop()
        shutil.rmtree(directory)
    return status if ended == 0 else 1


if __name__ == "__main__":
    sys.exit(main())
