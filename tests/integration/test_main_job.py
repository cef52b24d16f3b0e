#!/usr/bin/python3
"""The main job with each kind of key: proposal, two approvals on real terminals, a sealed pack, and what verifies it.

Then everything else that an action can end in, through the commands as their users run them. Needs root, exits 77 where it cannot run. CS_BUILD picks
the binaries; a build with sanitizers only takes longer.
"""
import base64
import copy
import importlib.util
import json
import os
import pathlib
import shutil
import signal
import sys
import tempfile
import time
import unittest

from appliance import (AGENT_UID, OPERATOR_UID, OTHER_AGENT_UID, STRANGER_UID, Appliance, address, canonical, need_root_and_softhsm, now,
                       run_cases, skip)

COMMAND_SECONDS = 120
TIMEOUT_SECONDS = 4
ROLES = (("ada", "engineer"), ("carl", "change_owner"))


class JobAppliance(Appliance):
    """The fixture's world; its purpose grant allows more requests a minute than a test makes."""

    rate_cap = 1000000

    def next_version(self, kind, directory, signers, change):
        """Adds a changed version of the trust set or policy."""
        newest = json.loads(self.newest(directory).read_text())
        plan = {key: value for key, value in newest.items() if key not in ("schema", "id", "version", "previous", "issued_at", "signatures")}
        change(plan)
        path = self.directory / f"{kind}-next-plan.json"
        path.write_text(json.dumps(plan))
        self.add_version(kind, path, directory, signers)

    def reload(self, kind, number):
        """Signer first: the daemon then finds it agreeing."""
        before = self.log_of("signer").count("\n")
        self.processes["signer"].send_signal(signal.SIGHUP)
        self.wait_until(lambda: self.log_of("signer").count("\n") > before, "the signer to reload")
        self.processes["daemon"].send_signal(signal.SIGHUP)
        self.wait_until(lambda: self.status()[kind]["version"] == number, "the daemon to reload", COMMAND_SECONDS)
        self.wait_until(lambda: self.status()["signer"]["ready"], "both to agree", COMMAND_SECONDS)

    def restart(self, number=signal.SIGTERM):
        for name in ("daemon", "signer"):
            self.stop_process(name, number)
        self.start()


def start(directory, **options):
    appliance = JobAppliance(directory, **options)
    try:
        appliance.ceremony()
        appliance.settle()
        appliance.start()
    except BaseException:
        appliance.stop()
        raise
    return appliance


class Case(unittest.TestCase):
    """One appliance for a class of tests."""

    options = {}

    @classmethod
    def setUpClass(cls):
        cls.directory = pathlib.Path(tempfile.mkdtemp(prefix="main-job."))
        cls.addClassCleanup(shutil.rmtree, cls.directory, ignore_errors=True)
        cls.appliance = start(cls.directory, **cls.options)
        cls.addClassCleanup(cls.appliance.stop)

    # ---- the commands, as those who run them ----

    def run_command(self, *arguments, user=AGENT_UID):
        return self.appliance.countersign("--socket", self.appliance.api, *arguments, user=user, timeout=COMMAND_SECONDS)

    def done(self, result, status=0):
        self.assertEqual(result.status, status, result)
        return result

    def refused(self, result, status, code):
        self.assertEqual((result.status, result.code), (status, code), result)

    def propose(self, request, status, state):
        proposal = self.done(self.appliance.propose(request), status).json()
        self.assertEqual(proposal["state"], state)
        return proposal

    def waiting(self, request=None):
        return self.propose(request or self.appliance.request(), 5, "awaiting_approval")["id"]

    def approve(self, name, action, status=0, **options):
        return self.done(self.appliance.approve(name, action, **options), status)

    def approved(self, action):
        for name, _ in ROLES:
            self.approve(name, action)

    def wait(self, action, status, state):
        ended = self.done(self.run_command("wait", action, "--json", "--timeout", COMMAND_SECONDS), status).json()
        self.assertEqual((ended["state"], ended["final"]), (state, True))
        return ended

    def pack_of(self, action):
        return self.done(self.run_command("pack", action)).json()

    # ---- verdicts ----

    def verdict(self, pack, *arguments, status=0, jwks=None):
        result = self.done(self.appliance.verify(pack, *arguments, jwks=jwks), status)
        return result.json()

    def sealed_as(self, action, decision, seal):
        """The pack is authentic and says this, by the published keys and by the trust sets; a refusal never authorises."""
        pack = self.pack_of(action)
        signature = pack["signatures"][0]["signature"]
        self.assertTrue(signature.startswith(f"sig:{seal}:"), signature[:20])
        for arguments in ((), ("--trust", self.appliance.etc / "trust.json")):
            verdict = self.verdict(pack, *arguments)
            self.assertEqual([check for check in verdict["checks"] if check["result"] == "failed"], [])
            self.assertEqual((verdict["authentic"], verdict["decision"]), (True, decision))
            self.assertIn("authentic (test: software tokens)", verdict["summary"])
            self.assertEqual("NOT an authorisation" in verdict["summary"], decision != "allow", verdict["summary"])
        return pack

    def authorises(self, pack, request, status):
        path = self.appliance.request_file(request, "asked")
        verdict = self.verdict(pack, "--expect-allow", "--request", path, status=status)
        self.assertEqual((verdict["authentic"], verdict["authorised"]), (True, status == 0))
        return verdict


def jose(pack, jwks_file):
    """The seal's header and payload, verified by python3-jwcrypto with the published keys."""
    from jwcrypto import jwk, jws
    token = pack["signatures"][0]["signature"].removeprefix("sig:jws:")
    header = json.loads(base64.urlsafe_b64decode(token.split(".")[0] + "=="))
    exported = next(key for key in json.loads(pathlib.Path(jwks_file).read_text())["keys"] if key["kid"] == header["kid"])
    signature = jws.JWS()
    signature.deserialize(token)
    signature.verify(jwk.JWK(**{name: exported[name] for name in ("kty", "crv", "x", "y") if name in exported}))
    return header, json.loads(signature.payload)


class Ed25519(Case):
    """Two people roll a service back; the same with each kind of key."""

    options = {"people_algorithm": "ed25519", "seal_algorithm": "ed25519"}
    people, seal = "EdDSA", "EdDSA"

    @classmethod
    def setUpClass(cls):
        super().setUpClass()
        cls.asked = cls.appliance.request()

    def test_1_two_people_and_a_sealed_pack(self):
        proposal = self.propose(self.asked, 5, "awaiting_approval")
        action, decision = proposal["id"], proposal["decision"]
        self.assertEqual((decision["oversight"], decision["change_class"], decision["outcome"]), ("two_person", "irreversible", "require_approval"))
        for number, (name, role) in enumerate(ROLES):
            self.assertEqual([entry["id"] for entry in self.mine(name)], [action])
            shown = self.done(self.run_command("show", action, user=self.appliance.people[name].uid)).output
            self.assertIn('claimed   program           "/usr/bin/kubectl"', shown)
            self.refused(self.run_command("pack", action), 1, "wrong_state")
            screen = self.approve(name, action, arguments=("--rationale", "The graphs agree.")).output
            self.assertIn(f"verified  as                {role}\n", screen)
            self.assertIn("proof checked", screen)
            self.assertEqual(self.mine(name), [])
            view = self.done(self.run_command("show", action, "--json")).json()
            self.assertEqual([entry["approver"] for entry in view["decisions"]], [self.appliance.people[n].id for n, _ in ROLES[:number + 1]])
        self.assertEqual(self.wait(action, 0, "sealed")["outcome"], "allow")
        type(self).action, type(self).pack = action, self.sealed_as(action, "allow", "jws")

    def mine(self, name):
        return self.done(self.run_command("pending", "--mine", "--json", user=self.appliance.people[name].uid)).json()["actions"]

    def test_2_the_keys_are_of_this_kind(self):
        papers = self.inputs()["approvals"]
        self.assertEqual({paper["decision"]["signature"]["alg"] for paper in papers}, {self.people})
        self.assertEqual(jose(self.pack, self.appliance.jwks_file)[0]["alg"], self.seal)

    def inputs(self):
        return next(member for member in self.pack["resolution"]["members"] if member["ref_field"] == "inputs_blob_ref")["content"]

    def test_3_a_jose_library_verifies_the_seal(self):
        from jwcrypto.common import JWException
        header, statement = jose(self.pack, self.appliance.jwks_file)
        self.assertEqual((sorted(header), header["typ"]), (["alg", "kid", "typ"], "countersign-seal+jws"))
        bare = {key: value for key, value in self.pack.items() if key != "signatures"}
        self.assertEqual((statement["subject"], statement["outcome"]), (address(bare), "allow"))
        altered = copy.deepcopy(self.pack)
        token = altered["signatures"][0]["signature"]
        altered["signatures"][0]["signature"] = token[:-3] + ("A" if token[-3] != "A" else "B") + token[-2:]
        with self.assertRaises(JWException):
            jose(altered, self.appliance.jwks_file)

    def test_4_an_executor_is_told(self):
        self.assertEqual(self.authorises(self.pack, self.asked, 0)["not_after"], self.wait(self.action, 0, "sealed")["not_after"])

        def other(change):
            request = copy.deepcopy(self.asked)
            change(request)
            return request
        for request in (other(lambda r: r["execution"]["arguments"].append("--all")), other(lambda r: r["provenance"].update(hypothesis="Another.")),
                        other(lambda r: r["execution"]["target"].update(environment="staging")), self.appliance.request()):
            self.assertIn("NOT an authorisation", self.authorises(self.pack, request, 1)["summary"])
        self.refused(self.appliance.verify(self.pack, "--expect-allow", "--request", "/nonexistent"), 2, "not_found")
        self.refused(self.appliance.verify(self.pack, "--expect-allow"), 2, "usage")

    def test_5_one_byte_changed(self):
        """Wherever it is changed, the pack is no longer authentic, and never authorises."""
        text = canonical(self.pack).decode()
        revision = self.asked["execution"]["arguments"][-1]
        for old, new in ((revision, revision[:-1] + ("1" if revision[-1] != "1" else "2")), (self.appliance.people["ada"].id, self.appliance.people["eve"].id),
                         ('"outcome":"allow"', '"outcome":"adios"'), ("sig:jws:", "sig:jwt:"), ('"version":1', '"version":2')):
            self.assertIn(old, text)
            with self.subTest(old):
                result = self.appliance.verify(text.replace(old, new, 1).encode())
                self.assertEqual(result.status, 1, result)
                self.assertFalse(result.json().get("authentic", False))

    def test_6_pins(self):
        published = json.loads(self.appliance.jwks_file.read_text())
        other = "sha256:" + "0" * 64
        trust = ("--trust", self.appliance.etc / "trust.json")
        self.verdict(self.pack, "--pin", address(published))
        self.verdict(self.pack, *trust, "--pin", self.appliance.trust_genesis)
        self.refused(self.appliance.verify(self.pack, "--pin", other), 1, "address_mismatch")
        self.refused(self.appliance.verify(self.pack, *trust, "--pin", other), 1, "genesis_mismatch")

    def test_7_who_may_see_it(self):
        self.refused(self.run_command("show", self.action, user=OTHER_AGENT_UID), 1, "not_found")
        self.refused(self.run_command("pack", self.action, user=OTHER_AGENT_UID), 1, "not_found")
        self.refused(self.run_command("show", self.action, user=STRANGER_UID), 1, "permission_denied")
        self.assertEqual(self.done(self.run_command("status", "--json", user=OPERATOR_UID)).json()["signer"]["ready"], True)


class P256(Ed25519):
    options = {"people_algorithm": "p256", "seal_algorithm": "p256"}
    people, seal = "ES256", "ES256"


class P384(Ed25519):
    options = {"people_algorithm": "p384", "seal_algorithm": "ed25519"}
    people, seal = "ES384", "EdDSA"


def drain(request):
    """What the class of level 1 describes."""
    request["purpose_request"]["action"] = request["proposed_action"]["requested_capability"] = "k8s.node.drain"
    request["proposed_action"]["action_declaration"]["action_type"] = "k8s.node.drain"
    request["execution"].update(arguments=["--context", "prod-eu-1", "drain", "node-7", "--ignore-daemonsets"], files=[])


class Ends(Case):
    """What else an action ends in."""

    def test_one_approver_is_enough_for_the_class_that_says_so(self):
        request = self.appliance.request("config")
        action = self.waiting(request)
        self.refused(self.appliance.approve("carl", action), 1, "approval_role_not_held")
        self.approve("ada", action)
        self.assertEqual(self.wait(action, 0, "sealed")["oversight"], "single_approver")
        self.authorises(self.sealed_as(action, "allow", "jws"), request, 0)

    def test_nobody_is_asked_at_level_4(self):
        request = self.appliance.request("restart")
        proposal = self.propose(request, 0, "sealed")
        self.assertEqual((proposal["decision"]["level"], proposal["decision"]["oversight"]), (4, "none"))
        self.wait(proposal["id"], 0, "sealed")
        self.authorises(self.sealed_as(proposal["id"], "allow", "jws"), request, 0)
        self.refused(self.appliance.approve("ada", proposal["id"]), 1, "approval_slot")

    def test_advice_is_recorded_at_level_1(self):
        request = self.appliance.request("config", drain)
        proposal = self.propose(request, 1, "recorded")
        self.assertEqual((proposal["decision"]["level"], proposal["decision"]["outcome"]), (1, "require_human_review"))
        self.wait(proposal["id"], 1, "recorded")
        self.authorises(self.sealed_as(proposal["id"], "require_human_review", "tlog"), request, 1)

    def test_denied(self):
        def careless(request):
            request["due_diligence"] = None
        request = self.appliance.request(change=careless)
        proposal = self.propose(request, 1, "denied")
        self.wait(proposal["id"], 1, "denied")
        self.authorises(self.sealed_as(proposal["id"], "deny", "tlog"), request, 1)

    def test_rejected(self):
        request = self.appliance.request()
        action = self.waiting(request)
        self.approve("ada", action)
        self.refused(self.appliance.approve("carl", action, verb="reject"), 2, "usage")
        screen = self.approve("carl", action, verb="reject", arguments=("--rationale", "Not during the sale.")).output
        self.assertIn("verified  decision          rejected", screen)
        self.wait(action, 1, "rejected")
        self.authorises(self.sealed_as(action, "deny", "tlog"), request, 1)
        self.refused(self.appliance.approve("carl", action), 1, "wrong_state")

    def test_withdrawn(self):
        request = self.appliance.request()
        action = self.waiting(request)
        self.approve("ada", action)
        self.assertEqual(self.appliance.call("Withdraw", AGENT_UID, id=action)["action"]["state"], "withdrawn")
        self.wait(action, 6, "withdrawn")
        self.authorises(self.sealed_as(action, "deny", "tlog"), request, 1)
        self.refused(self.appliance.approve("carl", action), 1, "wrong_state")

    def test_still_waiting(self):
        action = self.waiting()
        began = time.monotonic()
        self.assertEqual(self.done(self.run_command("wait", action, "--json", "--timeout", 1), 5).json()["state"], "awaiting_approval")
        self.assertLess(time.monotonic() - began, 30)
        self.approve("ada", action)
        self.done(self.run_command("wait", action, "--timeout", 0), 5)

    def test_a_restart_between_the_two(self):
        for number in (signal.SIGTERM, signal.SIGKILL):
            with self.subTest(number):
                request = self.appliance.request()
                action = self.waiting(request)
                self.approve("ada", action)
                self.appliance.restart(number)
                screen = self.approve("carl", action).output
                self.assertIn("verified    by              kye:person:acme.ada\n", screen)
                self.wait(action, 0, "sealed")
                self.authorises(self.sealed_as(action, "allow", "jws"), request, 0)

    def test_many_at_once(self):
        """Approvals of several actions in turn do not mix."""
        requests = [self.appliance.request(change=lambda request, ticket=ticket: request["provenance"].update(incident_ticket=ticket))
                    for ticket in ("INC-1", "INC-2", "INC-3")]
        actions = [self.waiting(request) for request in requests]
        for action in actions:
            self.approve("ada", action)
        for action in reversed(actions):
            self.approve("carl", action)
        for action, request in zip(actions, requests):
            self.wait(action, 0, "sealed")
            self.authorises(self.sealed_as(action, "allow", "jws"), request, 0)
        self.authorises(self.pack_of(actions[0]), requests[1], 1)


class Versions(Case):
    """Another policy or trust set while people think; and another appliance, whose policy lets nobody take their time."""

    @classmethod
    def setUpClass(cls):
        super().setUpClass()

        def hurry(policy):
            policy["approval"]["timeout_seconds"] = TIMEOUT_SECONDS
        cls.elsewhere = start(cls.directory / "elsewhere", policy=hurry)
        cls.addClassCleanup(cls.elsewhere.stop)

    def invalidated(self, action, request):
        """By name, and the approval that it had is of no use any more."""
        ended = self.wait(action, 1, "invalidated")
        self.assertEqual((ended["outcome"], ended["reason"]), ("deny", "invalidated"))
        self.appliance.publish()
        self.authorises(self.sealed_as(action, "deny", "tlog"), request, 1)
        self.refused(self.appliance.approve("carl", action), 1, "wrong_state")

    def test_1_a_new_policy_invalidates(self):
        request = self.appliance.request()
        action = self.waiting(request)
        self.approve("ada", action)
        self.appliance.next_version("policy", self.appliance.policy_directory, ("lena", "cora"), lambda plan: plan["approval"].update(timeout_seconds=900))
        self.appliance.reload("policy", 2)
        self.invalidated(action, request)
        self.works_again()

    def works_again(self):
        request = self.appliance.request()
        action = self.waiting(request)
        self.approved(action)
        self.wait(action, 0, "sealed")
        self.authorises(self.sealed_as(action, "allow", "jws"), request, 0)

    def test_2_a_new_trust_set_invalidates(self):
        request = self.appliance.request()
        action = self.waiting(request)
        self.approve("ada", action)

        def rename(plan):
            plan["organisations"][0]["name"] = "Acme Shop Limited"
        self.appliance.next_version("trust-set", self.appliance.trust_directory, ("sam", "lena"), rename)
        self.appliance.reload("trust_set", 2)
        self.invalidated(action, request)
        self.works_again()

    def test_3_what_takes_too_long_expires(self):
        kept, self.appliance = self.appliance, self.elsewhere
        try:
            request = self.appliance.request()
            action = self.waiting(request)
            ended = self.wait(action, 6, "expired")
            self.assertEqual(ended["outcome"], "deny")
            self.authorises(self.sealed_as(action, "deny", "tlog"), request, 1)
            self.refused(self.appliance.approve("carl", action), 1, "wrong_state")
        finally:
            self.appliance = kept

    def test_4_the_keys_of_another_appliance(self):
        proposal = self.propose(self.appliance.request("restart"), 0, "sealed")
        pack = self.pack_of(proposal["id"])
        self.verdict(pack)
        verdict = self.verdict(pack, status=1, jwks=self.elsewhere.jwks_file)
        self.assertEqual((verdict["authentic"], verdict["authorised"]), (False, False))
        self.verdict(pack, "--trust", self.elsewhere.etc / "trust.json", status=1)
        other = self.elsewhere.propose().json()["id"]
        self.assertNotEqual(other, proposal["id"])


def main():
    reason = need_root_and_softhsm()
    if reason:
        skip(f"main job: {reason}")
    if importlib.util.find_spec("jwcrypto") is None:
        skip("main job: no python3-jwcrypto for this interpreter")
    os.umask(0o022)
    return run_cases()


if __name__ == "__main__":
    sys.exit(main())
