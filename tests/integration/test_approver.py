#!/usr/bin/python3
"""The approver's command on a real terminal and a real token: what it shows, what it asks, and what it refuses before it asks.

A broken broker stands between the command and the daemon and changes what it likes; in every such case no PIN is asked for.
"""
import base64
import copy
import json
import os
import shutil
import socket
import sys
import tempfile
import threading
import unittest

from appliance import (Appliance, Connection, MODULE, Result, VarlinkError, in_order, need_root_and_softhsm, own, run_cases, run_on_terminal,
                       skip)

YES, NO = (rb"Sign\? \[y/N\] $", b"y\n"), (rb"Sign\? \[y/N\] $", b"n\n")


def pin(text):
    return (rb"PIN of the token [^\n]*: ?$", text.encode() + b"\n")


def in_terminal(command, uid, environment, script, typed_ahead=b"", timeout=30):
    status, screen = run_on_terminal(command, uid, environment, in_order(script), timeout, typed_ahead)
    return Result(status, screen.decode(errors="replace").replace("\r\n", "\n"))


class BrokenBroker:
    """Passes calls on to the daemon as the approver's user, and hands each reply to `change(method, parameters)`."""

    def __init__(self, appliance, user, change):
        self.appliance, self.user, self.change = appliance, user, change
        self.directory = tempfile.mkdtemp(prefix="countersign-broken.")
        os.chmod(self.directory, 0o755)
        self.path = os.path.join(self.directory, "api.sock")
        self.calls = []
        self.listener = socket.socket(socket.AF_UNIX)
        self.listener.bind(self.path)
        os.chmod(self.path, 0o666)
        self.listener.listen(4)
        threading.Thread(target=self.serve, daemon=True).start()

    def serve(self):
        try:
            client, _ = self.listener.accept()
        except OSError:
            return
        with client, Connection(self.appliance.api, self.user) as daemon:
            buffer = b""
            while True:
                data = client.recv(65536)
                if not data:
                    return
                buffer += data
                while b"\0" in buffer:
                    text, buffer = buffer.split(b"\0", 1)
                    message = json.loads(text)
                    method = message["method"].rsplit(".", 1)[1]
                    self.calls.append(method)
                    try:
                        answer = {"parameters": self.change(method, daemon.call(method, **message["parameters"]))}
                    except VarlinkError as error:
                        answer = {"error": f"io.countersign.Appliance.{error.name}", "parameters": error.parameters}
                    client.sendall(json.dumps(answer).encode() + b"\0")

    def close(self):
        self.listener.close()
        shutil.rmtree(self.directory, ignore_errors=True)


class BusyAppliance(Appliance):
    """The fixture's purpose grant allows few requests a minute; these tests make more."""

    rate_cap = 1000000


class Case(unittest.TestCase):
    @classmethod
    def setUpClass(cls):
        cls.directory = tempfile.mkdtemp(prefix="countersign-approver.")
        os.chmod(cls.directory, 0o755)
        cls.addClassCleanup(shutil.rmtree, cls.directory, ignore_errors=True)
        cls.appliance = BusyAppliance(cls.directory)
        cls.addClassCleanup(cls.appliance.stop)
        cls.appliance.ceremony()
        cls.appliance.settle()
        cls.appliance.start()

    def action(self):
        return self.appliance.propose().json()["id"]

    def decisions(self, action):
        return self.appliance.call("Show", self.appliance.people["ada"].uid, id=action)["decisions"]

    def config(self, name, **changes):
        person = self.appliance.people[name]
        path = self.appliance.directory / "people" / name / "changed.json"
        config = json.loads((self.appliance.directory / "people" / name / "approver.json").read_text())
        path.write_text(json.dumps({key: value for key, value in {**config, **changes}.items() if value is not None}))
        os.chown(path, person.uid, person.uid)
        return path

    def approve(self, name, action, script=None, *arguments, config=None, api=None, verb="approve", typed_ahead=b""):
        person = self.appliance.people[name]
        config = config or self.appliance.directory / "people" / name / "approver.json"
        command = [str(self.appliance.binaries / "countersign"), "--socket", str(api or self.appliance.api), verb, action, "--config", str(config),
                   *map(str, arguments)]
        return in_terminal(command, person.uid, person.environment, [YES, pin(person.pin)] if script is None else script, typed_ahead)

    def assert_refused(self, result, status, name, *words):
        """The last line is the error; what comes before it is the screen."""
        line = result.output.rstrip("\n").split("\n")[-1]
        self.assertEqual(result.status, status, result.output[-600:])
        self.assertTrue(line.startswith(f"error: {name}: "), line)
        for word in words:
            self.assertIn(word, line)

    def assert_not_asked(self, result):
        self.assertNotIn("Sign?", result.output)
        self.assertNotIn("PIN of", result.output)


class OwnSide(Case):
    def test_what_is_shown_is_signed(self):
        action = self.action()
        result = self.approve("ada", action, None, "--rationale", "The graphs agree.")
        self.assertEqual(result.status, 0, result.output[-600:])
        screen = result.output
        self.assertLess(screen.index("THE COMMAND THAT WILL RUN"), screen.index("WHAT AND WHERE"))
        for line in ('verified  program           "/usr/bin/kubectl"', "verified  decision          approved", "verified  as                engineer",
                     "verified  rationale         The graphs agree.", "claimed   ticket            INC-20417", "proof checked"):
            self.assertIn(line, screen)
        self.assertLess(max(len(line) for line in screen.split("\n")), 81)
        decision, = self.decisions(action)
        self.assertEqual((decision["approver"], decision["binding"]["role"], decision["rationale"]), ("kye:person:acme.ada", "engineer", "The graphs agree."))
        self.assertIn(decision["binding"]["not_after"], screen)

    def test_the_second_approver_sees_the_first(self):
        action = self.action()
        self.assertEqual(self.approve("ada", action).status, 0)
        result = self.approve("carl", action)
        self.assertEqual(result.status, 0)
        self.assertIn("verified    decision        approved\nverified    by              kye:person:acme.ada\n", result.output)
        self.assertEqual(len(self.decisions(action)), 2)

    def test_rejecting_ends_it(self):
        action = self.action()
        self.assert_refused(self.approve("carl", action, verb="reject"), 2, "usage", "--rationale")
        result = self.approve("carl", action, None, "--rationale", "Not during the sale.", verb="reject")
        self.assertEqual(result.status, 0, result.output[-600:])
        self.assertIn("verified  decision          rejected", result.output)
        self.assert_refused(self.approve("ada", action, []), 1, "wrong_state")

    def test_saying_no_signs_nothing(self):
        action = self.action()
        for script in ([NO], [(NO[0], b"\n")], [(NO[0], b"yess\n")], [(NO[0], b"y" * 100 + b"\n")], [(NO[0], b"\x04")]):
            result = self.approve("ada", action, script)
            self.assert_refused(result, 1, "approval_missing", "you did not sign")
            self.assertNotIn("PIN of", result.output)
        self.assertEqual(self.decisions(action), [])

    def test_an_answer_typed_ahead_does_not_count(self):
        result = self.approve("ada", self.action(), [NO], typed_ahead=b"y\ny\ny\n")
        self.assert_refused(result, 1, "approval_missing")

    def test_a_wrong_pin_is_tried_once(self):
        action = self.action()
        result = self.approve("ada", action, [YES, pin("wrong-pin")])
        self.assert_refused(result, 1, "pin_incorrect", "CKR_PIN_INCORRECT")
        self.assertEqual(result.output.count("PIN of"), 1)
        self.assertNotIn("wrong-pin", result.output)
        self.assertEqual(self.decisions(action), [])
        self.assertEqual(self.approve("ada", action).status, 0)

    def test_without_a_terminal(self):
        person, action = self.appliance.people["ada"], self.action()
        config = self.appliance.directory / "people" / "ada" / "approver.json"
        result = self.appliance.command("countersign", "--socket", self.appliance.api, "approve", action, "--config", config, user=person.uid,
                                        environment=person.environment, text=f"y\n{person.pin}\n")
        # A session with a terminal gives it to its children; the tests may run in either.
        if result.status != 2:
            self.skipTest("this session has a terminal")
        self.assertTrue(result.error.startswith("error: pin_source: "), result.error)
        self.assertEqual(self.decisions(action), [])

    def test_token_and_key(self):
        action = self.action()
        ada, home = self.appliance.people["ada"], self.appliance.directory / "people" / "ada"
        uri = self.appliance.command("countersign-provision", "token", "init", "--module", MODULE, "--label", "spare", "--so-pin-file", home / "so-pin",
                                     "--pin-file", home / "pin", "--json", user=ada.uid, environment=ada.environment, check=True).json()["uri"]
        for changes, status, name in (({"token": "pkcs11:token=nothing"}, 3, "token_missing"), ({"module": "/nonexistent.so"}, 3, "module_missing"),
                                      ({"token": uri}, 1, "bad_token_identity"), ({"kid": "kye:key:acme.eve.01"}, 1, "key_entity"),
                                      ({"kid": "kye:key:acme.ada.99"}, 1, "key_unknown"), ({"token": "pkcs11:token=ada;x=y"}, 2, "bad_pkcs11_uri")):
            with self.subTest(name):
                result = self.approve("ada", action, config=self.config("ada", **changes))
                self.assert_refused(result, status, name)
                self.assert_not_asked(result)
        self.assert_refused(self.approve("ada", action, config=self.config("ada", label="nothing")), 3, "token_key_missing")
        self.assertEqual(self.decisions(action), [])

    def test_roles(self):
        action = self.action()
        for name, role, code in (("ada", "change_owner", "approval_role_not_held"), ("dora", "change_owner", "approval_role_out_of_scope"),
                                 ("paul", "change_owner", "approval_by_requester"), ("lena", "sre_lead", "approval_slot")):
            with self.subTest(name):
                result = self.approve(name, action, [], "--role", role)
                self.assert_refused(result, 1, code)
                self.assert_not_asked(result)

    def test_own_pins(self):
        action = self.action()
        for changes, status, name in (({"trust_genesis": "sha256:" + "0" * 64}, 1, "genesis_mismatch"), ({"policy_genesis": "sha256:" + "0" * 64}, 1, "genesis_mismatch"),
                                      ({"trust_directory": "/nonexistent"}, 2, "not_found"), ({"label": None}, 2, "bad_setting"), ({"pin": "1"}, 2, "bad_setting"),
                                      ({"origin": "acme.example/other"}, 2, "bad_setting")):
            with self.subTest(changes):
                result = self.approve("ada", action, config=self.config("ada", **changes))
                self.assert_refused(result, status, name)
                self.assert_not_asked(result)

    def test_an_appliance_with_other_versions_than_mine(self):
        """My trust set or policy is newer than the appliance's: what it composed under its own does not count."""
        a = self.appliance
        for kind, source, member, code, signers in (("trust-set", a.trust_directory, "trust_directory", "approval_other_trust_set", ("sam", "lena")),
                                                    ("policy", a.policy_directory, "policy_directory", "approval_other_policy", ("lena", "cora"))):
            with self.subTest(kind):
                mine = a.directory / f"mine-{kind}"
                shutil.copytree(source, mine)
                newest = json.loads(a.newest(mine).read_text())
                plan = {key: value for key, value in newest.items() if key not in ("schema", "id", "version", "previous", "issued_at", "signatures")}
                plan_file = a.directory / f"mine-{kind}-plan.json"
                plan_file.write_text(json.dumps(plan))
                a.add_version(kind, plan_file, mine, signers)
                own(mine, a.people["ada"].uid)
                result = self.approve("ada", self.action(), config=self.config("ada", **{member: str(mine)}))
                self.assert_refused(result, 1, code)
                self.assert_not_asked(result)


def setter(path, value):
    """A change of one member of OpenBrief's reply."""
    def change(method, reply):
        if method == "OpenBrief":
            at = reply
            for step in path[:-1]:
                at = at[step]
            at[path[-1]] = value
        return reply
    return change


class BrokenBrokers(Case):
    def through(self, change, name="ada", action=None, script=None, verb="approve"):
        broker = BrokenBroker(self.appliance, self.appliance.people[name].uid, change)
        self.addCleanup(broker.close)
        self.broker = broker
        return self.approve(name, action or self.action(), script, api=broker.path, verb=verb)

    def test_an_honest_one_passes(self):
        self.assertEqual(self.through(lambda method, reply: reply).status, 0)
        self.assertEqual(self.broker.calls, ["Show", "OpenBrief", "Decide"])

    def test_one_thing_changed(self):
        zero = "sha256:" + "0" * 64
        for path, value, code in (
                (("core", "execution", "arguments", 0), "--all", "approval_other_action"),
                (("core", "nonce"), "0" * 32, "approval_other_action"),
                (("core", "policy"), zero, "approval_other_action"),
                (("basis", "action"), zero, "approval_other_action"),
                (("basis", "state", "policy"), zero, "approval_other_policy"),
                (("basis", "state", "trust_set"), zero, "approval_other_trust_set"),
                (("basis", "state", "audience"), "other", "approval_other_appliance"),
                (("basis", "approver"), "kye:person:acme.carl", "approval_binding"),
                (("basis", "role"), "change_owner", "approval_binding"),
                (("basis", "gate", "action_class"), "deploy-config", "approval_other_class"),
                (("basis", "gate", "change_class"), "reversible", "approval_other_class"),
                (("basis", "gate", "oversight"), "single_approver", "approval_other_class"),
                (("basis", "gate", "level"), 4, "approval_other_class"),
                (("basis", "gate", "reason_code"), "fine", "brief_mismatch"),
                (("basis", "issued_at"), "2026-01-01T00:00:00Z", "bad_certificate"),
                (("basis", "consequence_map", "consequences", 0, "severity"), "low", "bad_signature"),
                (("brief", "proposed_action", "summary"), "Nothing much", "bad_signature"),
                (("brief", "risk_level"), "low", "bad_signature"),
                (("engine_certificate", "kid"), "kye:key:acme.other", "bad_signature"),
                (("engine_certificate", "origin"), "other", "bad_certificate"),
                (("engine_certificate", "not_after"), "2036-01-01T00:00:00Z", "bad_certificate"),
                (("core", "provenance", "hypothesis"), "fine\x1b[2J", "forbidden_character"),
                (("core", "execution", "arguments", 0), "a\u202eb", "forbidden_character"),
                (("core", "execution", "arguments", 0), "a\u0000b", "forbidden_character"),
                (("brief", "state"), "a\u2028b", "forbidden_character"),
                (("brief", "extra"), 1, "document_invalid"),
                (("basis",), None, "document_invalid"),
                (("core",), [], "document_invalid")):
            with self.subTest(path=path, value=value):
                result = self.through(setter(path, value))
                self.assert_refused(result, 1, code)
                self.assert_not_asked(result)
                self.assertNotIn("Decide", self.broker.calls)
                self.assertFalse([c for c in result.output if ord(c) < 32 and c != "\n"])

    def test_another_actions_documents(self):
        other = self.appliance.call("OpenBrief", self.appliance.people["ada"].uid, id=self.action(), role="engineer")
        for names in (("core",), ("basis",), ("brief",), ("core", "basis"), ("basis", "brief")):
            with self.subTest(names):
                def change(method, reply):
                    return {**reply, **{name: copy.deepcopy(other[name]) for name in names}} if method == "OpenBrief" else reply
                result = self.through(change)
                self.assertEqual(result.status, 1)
                self.assert_not_asked(result)

    def test_another_approvers_brief(self):
        action = self.action()
        other = self.appliance.call("OpenBrief", self.appliance.people["carl"].uid, id=action, role="change_owner")
        result = self.through(lambda method, reply: other if method == "OpenBrief" else reply, action=action)
        self.assert_refused(result, 1, "approval_binding")
        self.assert_not_asked(result)

    def test_a_forged_approval_is_shown_as_claimed(self):
        action = self.action()
        self.assertEqual(self.approve("ada", action).status, 0)

        def change(method, reply):
            if method == "Show":
                signature = reply["decisions"][0]["signature"]
                signature["value_b64"] = base64.urlsafe_b64encode(bytes(64)).rstrip(b"=").decode()
            return reply
        result = self.through(change, name="carl", action=action, script=[NO])
        self.assertIn("claimed     by              kye:person:acme.ada\n", result.output)
        self.assertNotIn("verified    by              kye:person:acme.ada\n", result.output)

    def test_a_receipt_that_proves_nothing(self):
        def keep(method, reply):
            return reply
        honest = {}

        def remember(method, reply):
            if method == "Decide":
                honest.update(copy.deepcopy(reply))
            return reply
        self.assertEqual(self.through(remember).status, 0)
        for change, code in ((lambda reply: {**reply, "receipt": None}, "document_invalid"), (lambda reply: honest, "address_mismatch"),
                             (lambda reply: {**reply, "receipt": {**reply["receipt"], "seal": honest["receipt"]["seal"]}}, "bad_proof"),
                             (lambda reply: {**reply, "receipt": {**reply["receipt"], "seal": "sig:jws:a.b.c"}}, "bad_proof")):
            with self.subTest(code):
                result = self.through(lambda method, reply: change(reply) if method == "Decide" else keep(method, reply))
                self.assert_refused(result, 1, code)

    def test_a_broker_that_answers_for_itself(self):
        result = self.through(lambda method, reply: {} if method == "OpenBrief" else reply)
        self.assert_refused(result, 1, "document_invalid")
        result = self.through(lambda method, reply: {})
        self.assert_refused(result, 3, "service_unavailable")
        self.assert_not_asked(result)


if __name__ == "__main__":
    reason = need_root_and_softhsm()
    if reason:
        skip(f"approver: {reason}")
    sys.exit(run_cases())
