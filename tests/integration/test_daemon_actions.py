#!/usr/bin/python3
"""The life of actions, through the real daemon and signer: what ends them, what brings them back, and what each leaves in its pack.

One appliance on throwaway tokens serves all cases, in the order of their names. Needs root, exits 77 where it cannot run.
"""
import json
import shutil
import signal
import sys
import tempfile
import time
import unittest

from appliance import AGENT_UID, OTHER_AGENT_UID, Appliance, Connection, VarlinkError, need_root_and_softhsm, now, run_cases, skip
from forgery import Forger

OPEN_ACTIONS = 12
TIMEOUT_SECONDS = 3


class SmallAppliance(Appliance):
    """Few open actions per caller, so that the cap can be reached."""

    requests_per_minute = 1000000

    rate_cap = 1000000

    def write_settings(self):
        super().write_settings()
        path = self.etc / "countersign.conf"
        text = path.read_text().replace("open_actions_per_caller = 1000", f"open_actions_per_caller = {OPEN_ACTIONS}")
        path.write_text(text.replace("requests_per_minute = 1000000", f"requests_per_minute = {self.requests_per_minute}"))

    def next_policy(self, change):
        newest = json.loads(self.newest(self.policy_directory).read_text())
        plan = {key: value for key, value in newest.items() if key not in ("schema", "id", "version", "previous", "issued_at", "signatures")}
        change(plan)
        path = self.directory / "policy-plan.json"
        path.write_text(json.dumps(plan))
        self.add_policy(path, ("lena", "cora"))


class Case(unittest.TestCase):
    appliance = None
    forger = None

    def setUp(self):
        self.addCleanup(self.withdraw_everything)

    def call(self, method, user=AGENT_UID, **parameters):
        return self.appliance.call(method, user, **parameters)

    def refused(self, name, code, method, user=AGENT_UID, **parameters):
        with self.assertRaises(VarlinkError) as caught:
            self.call(method, user, **parameters)
        self.assertEqual((caught.exception.name, caught.exception.code), (name, code), caught.exception.parameters)
        return caught.exception

    def propose(self, name="rollback", change=None, **parameters):
        return self.call("Propose", request=self.appliance.request(name, change), **parameters)

    def waiting(self):
        proposal = self.propose()
        self.assertEqual(proposal["state"], "awaiting_approval")
        return proposal["id"]

    def decide(self, name, action, role, **options):
        decision, snapshot = self.forger.signed(name, action, role, **options)
        return self.forger.decide(name, action, decision, snapshot)

    def view(self, action):
        return self.call("Show", id=action)["action"]

    def final(self, action):
        return self.call("Wait", id=action)["action"]

    def verified(self, action, decision):
        """The pack is authentic and says this."""
        verdict = self.appliance.verify(self.appliance.pack(action), "--trust", self.appliance.etc / "trust.json").json()
        failed = [check for check in verdict["checks"] if check["result"] == "failed"]
        self.assertEqual((failed, verdict["authentic"], verdict["decision"]), ([], True, decision))
        return verdict

    def withdraw_everything(self):
        for action in self.call("List", limit=500)["actions"]:
            if action["state"] in ("awaiting_approval", "needs_information", "escalated"):
                self.call("Withdraw", id=action["id"])


class AtOnce(Case):
    def test_an_action_that_needs_nobody_is_sealed_when_it_is_answered(self):
        proposal = self.propose("restart")
        self.assertEqual((proposal["state"], proposal["decision"]["outcome"], proposal["decision"]["finality"]), ("sealed", "allow", "sealed_final"))
        action = self.view(proposal["id"])
        self.assertTrue(action["final"])
        self.assertEqual((action["outcome"], action["oversight"], action["slots"]), ("allow", "none", []))
        self.assertGreater(action["not_after"], now())
        self.verified(proposal["id"], "allow")
        self.refused("WrongState", "wrong_state", "Withdraw", id=proposal["id"])

    def test_a_denied_action_is_sealed_as_denied(self):
        def drop(request):
            request["due_diligence"] = None
        proposal = self.propose(change=drop)
        self.assertEqual((proposal["state"], proposal["decision"]["outcome"]), ("denied", "deny"))
        action = self.view(proposal["id"])
        self.assertEqual((action["final"], action["outcome"], action["not_after"]), (True, "deny", None))
        self.verified(proposal["id"], "deny")

    def test_a_capability_without_a_class_is_sealed_as_denied(self):
        def other(request):
            request["purpose_request"]["action"] = request["proposed_action"]["requested_capability"] = "k8s.crystal.ball"
            request["proposed_action"]["action_declaration"]["action_type"] = "k8s.crystal.ball"
        proposal = self.propose(change=other)
        self.assertEqual(proposal["state"], "denied")
        self.assertEqual((self.view(proposal["id"])["action_class"], self.view(proposal["id"])["oversight"]), (None, None))
        self.verified(proposal["id"], "deny")

    def test_speaking_for_another_agent_is_denied(self):
        proposal = self.call("Propose", OTHER_AGENT_UID, request=self.appliance.request())
        self.assertEqual(proposal["state"], "denied")
        self.assertIn(False, [check["passed"] for check in proposal["decision"]["checks"] if check["engine"] == "entity"])

    def test_the_same_key_gives_the_same_action(self):
        request = self.appliance.request()
        first = self.call("Propose", request=request, idempotency_key="key-1")
        again = self.call("Propose", request=request, idempotency_key="key-1")
        self.assertEqual((first["id"], first["action"]), (again["id"], again["action"]))
        other = self.call("Propose", request=request, idempotency_key="key-2")
        self.assertNotEqual(first["action"], other["action"])
        error = self.refused("IdempotencyConflict", "idempotency_conflict", "Propose", request=self.appliance.request("restart"), idempotency_key="key-1")
        self.assertEqual(error.parameters["path"], "idempotency_key")
        # Another caller's key of the same name is another key.
        self.assertNotEqual(self.call("Propose", OTHER_AGENT_UID, request=request, idempotency_key="key-1")["id"], first["id"])

    def test_a_sealed_action_comes_back_under_its_key(self):
        request = self.appliance.request("restart")
        first = self.call("Propose", request=request, idempotency_key="sealed-1")
        again = self.call("Propose", request=request, idempotency_key="sealed-1")
        self.assertEqual((again["id"], again["state"]), (first["id"], "sealed"))
        self.assertEqual(again["decision"]["id"], first["decision"]["id"])

    def test_open_actions_are_capped(self):
        actions = [self.waiting() for _ in range(OPEN_ACTIONS)]
        self.refused("Busy", "busy", "Propose", request=self.appliance.request())
        self.call("Withdraw", id=actions[0])
        self.waiting()


class Following(Case):
    def test_more_streams_each_change(self):
        action = self.waiting()
        with Connection(self.appliance.api, AGENT_UID) as connection:
            connection.send("Wait", more=True, id=action)
            states = [connection.receive()["action"]["state"]]
            self.decide("ada", action, "engineer")
            self.decide("carl", action, "change_owner")
            while True:
                entry = connection.receive()["action"]
                states.append(entry["state"])
                if entry["final"]:
                    break
        self.assertEqual(states[0], "awaiting_approval")
        self.assertEqual(states[-1], "sealed")
        self.assertEqual([slot["approver"] for slot in entry["slots"]], ["kye:person:acme.ada", "kye:person:acme.carl"])
        self.verified(action, "allow")

    def test_a_list_goes_backwards_in_pages(self):
        actions = [self.waiting() for _ in range(5)]
        first = [entry["id"] for entry in self.call("List", limit=2)["actions"]]
        second = [entry["id"] for entry in self.call("List", limit=2, before=first[-1])["actions"]]
        self.assertEqual(first + second, actions[:0:-1])

    def test_a_page_may_be_empty_before_the_list_ends(self):
        """What a person has decided on hides nothing that is older."""
        older, newer = self.waiting(), self.waiting()
        self.decide("ada", newer, "engineer")
        ada = self.appliance.people["ada"].uid
        page = self.call("List", ada, mine=True, limit=1)
        self.assertEqual((page["actions"], page["next"]), ([], newer))
        page = self.call("List", ada, mine=True, limit=1, before=newer)
        self.assertEqual(([entry["id"] for entry in page["actions"]], page["next"]), ([older], older))
        self.assertIsNone(self.call("List", ada, mine=True, limit=500)["next"])

    def test_mine_is_what_a_person_can_decide(self):
        action = self.waiting()

        def mine(name):
            return action in [entry["id"] for entry in self.call("List", self.appliance.people[name].uid, mine=True)["actions"]]
        self.assertEqual([mine(name) for name in ("ada", "carl", "dora", "cora")], [True, True, False, False])
        self.decide("ada", action, "engineer")
        self.assertEqual([mine(name) for name in ("ada", "eve", "carl")], [False, False, True])


class Deciding(Case):
    def test_a_decision_is_answered_with_its_leaf(self):
        action = self.waiting()
        decision, snapshot = self.forger.signed("ada", action, "engineer")
        reply = self.forger.decide("ada", action, decision, snapshot)
        self.assertEqual(reply["state"], "awaiting_approval")
        statement = reply["receipt"]["statement"]
        self.assertEqual((statement["kind"], statement["outcome"], statement["subject"]), ("approval", "approved", reply["receipt"]["decision"]))
        self.assertTrue(reply["receipt"]["seal"].startswith("sig:tlog:"))

    def test_questions_hold_and_approvals_go_on(self):
        action = self.waiting()
        self.assertEqual(self.decide("eve", action, "engineer", value="requires_more_information")["state"], "needs_information")
        self.assertEqual(self.decide("ada", action, "engineer")["state"], "awaiting_approval")
        self.assertEqual(self.decide("carl", action, "change_owner", value="escalated")["state"], "escalated")
        self.assertEqual(self.decide("carl", action, "change_owner")["state"], "approved")
        self.assertEqual(self.final(action)["state"], "sealed")
        self.verified(action, "allow")
        self.assertEqual([entry["decision"] for entry in self.call("Show", id=action)["decisions"]],
                         ["requires_more_information", "approved", "escalated", "approved"])

    def test_a_rejection_while_questions_are_open_ends_it(self):
        action = self.waiting()
        self.decide("ada", action, "engineer", value="requires_more_information")
        self.assertEqual(self.decide("carl", action, "change_owner", value="rejected")["state"], "rejected")
        self.assertEqual(self.final(action)["outcome"], "deny")
        self.verified(action, "deny")

    def test_an_unknown_brief_and_another_snapshot_are_refused(self):
        action = self.waiting()
        decision, snapshot = self.forger.compose("ada", action, "engineer")
        from forgery import forge
        ada = self.appliance.people["ada"]
        wrong = json.loads(json.dumps(decision))
        wrong["binding"]["brief"] = "sha256:" + "0" * 64
        self.refused("Refused", "approval_binding", "Decide", ada.uid, id=action, decision=forge(ada, wrong), snapshot=snapshot)
        other = dict(snapshot, captured_at=now(-1))
        self.refused("Refused", "approval_binding", "Decide", ada.uid, id=action, decision=forge(ada, decision), snapshot=other)
        self.refused("InvalidDocument", "document_invalid", "Decide", ada.uid, id=action, decision=forge(ada, decision), snapshot={})
        self.refused("PermissionDenied", "permission_denied", "Decide", self.appliance.people["carl"].uid, id=action, decision=forge(ada, decision),
                     snapshot=snapshot)
        self.assertEqual(self.forger.decide("ada", action, forge(ada, decision), snapshot)["state"], "awaiting_approval")

    def test_a_brief_is_for_who_is_asked(self):
        action, people = self.waiting(), self.appliance.people
        self.refused("Refused", "approval_role_not_held", "OpenBrief", people["cora"].uid, id=action, role="engineer")
        self.refused("Refused", "approval_role_out_of_scope", "OpenBrief", people["dora"].uid, id=action, role="change_owner")
        self.refused("Refused", "approval_slot", "OpenBrief", people["lena"].uid, id=action, role="sre_lead")
        self.refused("Refused", "approval_by_requester", "OpenBrief", people["paul"].uid, id=action, role="change_owner")
        self.refused("PermissionDenied", "permission_denied", "OpenBrief", people["ada"].uid, id=action, role="engineer", approver=people["eve"].id)
        opened = self.call("OpenBrief", people["ada"].uid, id=action, role="engineer")
        self.assertEqual(opened["basis"], self.call("OpenBrief", people["ada"].uid, id=action, role="engineer")["basis"])


class Ending(Case):
    def test_withdrawing_ends_it_sealed(self):
        action = self.waiting()
        decision, snapshot = self.forger.signed("ada", action, "engineer")
        self.forger.decide("ada", action, decision, snapshot)
        late = self.forger.signed("carl", action, "change_owner")
        reply = self.call("Withdraw", id=action)["action"]
        self.assertEqual((reply["state"], reply["final"], reply["outcome"], reply["expires_at"]), ("withdrawn", True, "deny", None))
        self.verified(action, "deny")
        self.refused("WrongState", "wrong_state", "Withdraw", id=action)
        self.refused("WrongState", "wrong_state", "Decide", self.appliance.people["carl"].uid, id=action, decision=late[0], snapshot=late[1])
        self.refused("WrongState", "wrong_state", "OpenBrief", self.appliance.people["carl"].uid, id=action, role="change_owner")


class Outage(Case):
    def tearDown(self):
        if "signer" not in self.appliance.processes:
            self.appliance.start_signer()
            self.ready()

    def ready(self):
        self.appliance.wait_until(lambda: self.appliance.status()["signer"]["ready"], "the signer to be back")

    def test_without_the_signer_nothing_is_allowed_and_it_recovers(self):
        action = self.waiting()
        approval = self.forger.signed("ada", action, "engineer")
        before = self.appliance.status()
        self.appliance.stop_process("signer")
        self.appliance.wait_until(lambda: not self.appliance.status()["signer"]["ready"], "the outage to be seen")
        count = len(self.call("List", limit=500)["actions"])
        self.refused("SignerUnavailable", "signer_unavailable", "Propose", request=self.appliance.request("restart"))
        self.refused("SignerUnavailable", "signer_unavailable", "Withdraw", id=action)
        self.refused("SignerUnavailable", "signer_unavailable", "Decide", self.appliance.people["ada"].uid, id=action, decision=approval[0],
                     snapshot=approval[1])
        self.assertEqual(len(self.call("List", limit=500)["actions"]), count)
        self.assertEqual(self.appliance.status()["log"], before["log"])
        self.assertEqual(self.appliance.status()["signer"]["reason"], "signer_unavailable")
        # What waits for people can still be proposed and read.
        self.waiting()
        self.call("OpenBrief", self.appliance.people["carl"].uid, id=action, role="change_owner")
        self.appliance.start_signer()
        self.ready()
        self.assertEqual(self.propose("restart")["state"], "sealed")
        self.forger.decide("ada", action, *approval)
        self.decide("carl", action, "change_owner")
        self.assertEqual(self.final(action)["state"], "sealed")
        self.verified(action, "allow")

    def test_the_daemon_starts_without_the_signer(self):
        self.appliance.stop_process("daemon")
        self.appliance.stop_process("signer")
        self.appliance.start_daemon(wait=False)
        self.appliance.wait_for_socket(self.appliance.api, "daemon")
        self.assertFalse(self.appliance.status()["signer"]["ready"])
        # Without a certificate nothing can be briefed either.
        self.refused("SignerUnavailable", "signer_unavailable", "Propose", request=self.appliance.request())
        self.appliance.start_signer()
        self.ready()
        self.waiting()


class Restart(Case):
    def restart(self, number=signal.SIGTERM):
        self.appliance.stop_process("daemon", number)
        self.appliance.start_daemon()

    def test_an_action_waits_through_a_restart(self):
        action = self.waiting()
        self.decide("ada", action, "engineer")
        old = self.forger.signed("carl", action, "change_owner")
        self.restart()
        self.assertEqual(self.view(action)["slots"][0]["approver"], "kye:person:acme.ada")
        # A decision about a brief of before counts: its address does not depend on the engine's key.
        self.forger.decide("carl", action, *old)
        self.assertEqual(self.final(action)["state"], "sealed")
        self.verified(action, "allow")

    def test_after_a_kill_each_approver_may_have_read_under_another_key(self):
        action = self.waiting()
        self.decide("ada", action, "engineer")
        self.restart(signal.SIGKILL)
        self.decide("carl", action, "change_owner")
        self.assertEqual(self.final(action)["state"], "sealed")
        self.verified(action, "allow")

    def test_a_brief_is_made_anew_under_a_new_key(self):
        action, ada = self.waiting(), self.appliance.people["ada"].uid
        before = self.call("OpenBrief", ada, id=action, role="engineer")
        self.restart()
        after = self.call("OpenBrief", ada, id=action, role="engineer")
        self.assertNotEqual(before["brief"]["id"], after["brief"]["id"])
        self.assertEqual(after["brief"]["signature"]["kid"], after["engine_certificate"]["kid"])
        self.assertEqual(after["basis"]["consequence_map"]["signature"]["kid"], after["engine_certificate"]["kid"])

    def test_rate_is_per_user(self):
        self.appliance.requests_per_minute = 30
        self.appliance.settle()
        self.restart()
        try:
            with Connection(self.appliance.api, OTHER_AGENT_UID) as connection:
                for _ in range(30):
                    connection.call("Status")
                with self.assertRaises(VarlinkError) as caught:
                    for _ in range(3):
                        connection.call("Status")
            self.assertEqual((caught.exception.name, caught.exception.code), ("Busy", "busy"))
            self.assertEqual(self.call("List", limit=1)["actions"][:0], [])
        finally:
            self.appliance.requests_per_minute = 1000000
            self.appliance.settle()
            self.restart()


class Versions(Case):
    """Last, because the policy of this class lets nobody take their time."""

    def reload(self, name):
        self.appliance.processes[name].send_signal(signal.SIGHUP)

    def test_a_new_policy_invalidates_and_a_short_one_expires(self):
        action = self.waiting()
        self.decide("ada", action, "engineer")
        late = self.forger.signed("carl", action, "change_owner")

        def shorten(policy):
            policy["approval"]["timeout_seconds"] = TIMEOUT_SECONDS
        self.appliance.next_policy(shorten)
        self.reload("daemon")
        self.appliance.wait_until(lambda: self.appliance.status()["policy"]["version"] == 2, "the daemon to reload")
        self.assertEqual(self.view(action)["state"], "invalidated")
        # The signer has not reloaded: it refuses, nothing is lost, and the status says what is wrong.
        self.appliance.wait_until(lambda: self.appliance.status()["signer"]["reason"] == "statement_other_policy", "the disagreement to be seen")
        self.refused("SignerUnavailable", "signer_unavailable", "Propose", request=self.appliance.request("restart"))
        self.reload("signer")
        ended = self.final(action)
        self.assertEqual((ended["state"], ended["outcome"]), ("invalidated", "deny"))
        self.verified(action, "deny")
        self.refused("WrongState", "wrong_state", "Decide", self.appliance.people["carl"].uid, id=action, decision=late[0], snapshot=late[1])
        self.appliance.wait_until(lambda: self.appliance.status()["signer"]["ready"], "agreement")
        self.expire()
        self.roll_back()

    def expire(self):
        action = self.waiting()
        self.decide("ada", action, "engineer")
        before = time.monotonic()
        ended = self.final(action)
        self.assertLess(time.monotonic() - before, TIMEOUT_SECONDS + 2)
        self.assertEqual((ended["state"], ended["outcome"], ended["final"]), ("expired", "deny", True))
        self.assertEqual(self.appliance.pack(action)["signatures"][0]["signature"][:9], "sig:tlog:")
        self.verified(action, "deny")

    def roll_back(self):
        """An older policy is not taken, neither on reload nor at start."""
        newest = self.appliance.newest(self.appliance.policy_directory)
        kept = newest.read_bytes()
        newest.unlink()
        try:
            self.reload("daemon")
            self.appliance.wait_until(lambda: "version_rollback" in self.appliance.log_of("daemon"), "the refusal")
            self.assertEqual(self.appliance.status()["policy"]["version"], 2)
            self.appliance.stop_process("daemon")
            self.appliance.start_daemon(wait=False)
            self.assertEqual(self.appliance.processes.pop("daemon").wait(timeout=10), 1)
        finally:
            newest.write_bytes(kept)
            newest.chmod(0o644)
            self.appliance.start_daemon()


def main():
    reason = need_root_and_softhsm()
    if reason:
        skip(f"daemon actions: {reason}")
    directory = tempfile.mkdtemp(prefix="daemon-actions.")
    appliance = SmallAppliance(directory)
    try:
        appliance.ceremony()
        appliance.settle()
        appliance.start()
        Case.appliance, Case.forger = appliance, Forger(appliance)
        status = run_cases()
        ended = appliance.stop_process("daemon")
        if status == 1:
            print(appliance.log_of("daemon")[-4000:], appliance.log_of("signer")[-4000:])
    finally:
        appliance.stop()
        shutil.rmtree(directory)
    return status if ended == 0 else 1


if __name__ == "__main__":
    sys.exit(main())
