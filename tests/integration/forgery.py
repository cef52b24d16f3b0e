"""Decisions as no honest command makes them: any member changed, signed by a real token all the same."""
import copy
import hashlib
import json
import subprocess

from appliance import MODULE, TOOLS, Result, address, canonical, now, reachable

# What the rollback of tests/fixture is under tests/fixture/plan-policy.json.
ROLLBACK = {"action_class": "rollback-production-service", "change_class": "irreversible"}
ULID = "01KAGJ7XQ2D3E4F5G6H7J8K9M"


def ulid(number):
    """A well-formed ULID of one's own choice."""
    return ULID[:-4] + f"{number:05d}"


def snapshot_of(opened, number):
    """The snapshot of an opened brief, with one fact shown."""
    basis, brief = opened["basis"], opened["brief"]
    snapshot = {
        "schema": "kye.approver_knowledge_snapshot.v1", "id": basis["snapshot"], "version": 1, "approver": basis["approver"],
        "approval_brief_id": brief["id"], "captured_at": now(), "captured_by": basis["approver"],
        "facts_shown": [{"fact_id": f"fact-{number}", "kind": "command", "summary": "the command", "source_object": basis["action"]}],
        "questions_asked": [], "action": basis["action"], "basis": address(basis)}
    snapshot["content_hash"] = hashlib.sha256(canonical(snapshot)).hexdigest()
    return snapshot


def decision_of(opened, snapshot, number, value="approved", seconds=600, classes=None):
    """The unsigned decision that an honest command would compose for this brief."""
    core, basis, brief = opened["core"], opened["basis"], opened["brief"]
    return {
        "schema": "kye.approval_decision.v1", "id": f"kye:approval-decision:{ulid(number)}", "version": 1, "approval_brief_id": brief["id"],
        "approver": basis["approver"], "decision": value, "decided_at": now(), "rationale": "seen on the dashboard",
        "knowledge_snapshot_id": snapshot["id"], "approver_decision_right": f"kye:decision-right:{basis['role']}",
        "binding": {"action": address(core), **(classes or ROLLBACK), "policy": core["policy"], "trust_set": basis["state"]["trust_set"],
                    "audience": basis["state"]["audience"], "role": basis["role"], "brief": address(brief), "snapshot": address(snapshot),
                    "not_after": now(seconds)}}


def forge(person, document, kid=None, label=None):
    """Signs any document inline with a person's key."""
    command = [reachable(TOOLS / "forge"), MODULE, person.token["uri"], label or person.label, str(person.pin_file), kid or person.kid]
    owner = person.pin_file.stat().st_uid
    done = subprocess.run(command, env=person.environment, input=canonical(document), capture_output=True, timeout=60, user=owner, group=owner,
                          extra_groups=[])
    if done.returncode != 0:
        raise RuntimeError(f"forge: {Result(done.returncode, done.stdout, done.stderr.decode())}")
    return json.loads(done.stdout)


class Forger:
    """Opens briefs as approvers do and composes decisions from them."""

    def __init__(self, appliance):
        self.appliance, self.number = appliance, 0

    def open(self, name, action, role):
        person = self.appliance.people[name]
        return self.appliance.call("OpenBrief", person.uid, id=action, role=role)

    def compose(self, name, action, role, value="approved", seconds=600, classes=None):
        """(unsigned decision, snapshot) of an honest approver."""
        self.number += 1
        opened = self.open(name, action, role)
        snapshot = snapshot_of(opened, self.number)
        return decision_of(opened, snapshot, self.number, value, seconds, classes), snapshot

    def signed(self, name, action, role, change=None, kid=None, label=None, **options):
        """(signed decision, snapshot); `change` alters the decision before it is signed."""
        decision, snapshot = self.compose(name, action, role, **options)
        if change:
            decision = copy.deepcopy(decision)
            change(decision)
        return forge(self.appliance.people[name], decision, kid, label), snapshot

    def decide(self, name, action, decision, snapshot):
        return self.appliance.call("Decide", self.appliance.people[name].uid, id=action, decision=decision, snapshot=snapshot)
