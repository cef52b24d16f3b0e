#!/usr/bin/python3
"""The main job from genesis to verdict, then everything that must be refused, one line each.

Leaves pack.json, jwks.json and trust.json in the directory given. Exits 77 where it cannot run, and says why.
"""
import base64
import json
import pathlib
import shutil
import signal
import sys
import tempfile
import time

from world import DemoAppliance

from appliance import AGENT_UID, VarlinkError, address, canonical, need_root_and_softhsm, now, skip
from forgery import Forger, forge


class Lines:
    """One line per check, and the count at the end."""

    def __init__(self):
        self.passed = self.failed = 0

    def check(self, what, good, detail=""):
        self.passed, self.failed = self.passed + bool(good), self.failed + (not good)
        print(f"{'ok  ' if good else 'FAIL'} {what}{' (' + detail + ')' if detail else ''}", flush=True)
        return good

    def refused(self, what, code, act):
        """`act` must be refused with this very reason."""
        try:
            result = act()
        except VarlinkError as error:
            return self.check(f"refused: {what}", error.code == code, error.code)
        got = result.code if hasattr(result, "code") else json.dumps(result)[:300]
        return self.check(f"refused: {what}", getattr(result, "status", 0) != 0 and got == code, got or repr(result)[-300:])


class Demo:
    def __init__(self, appliance, lines):
        self.appliance, self.lines = appliance, lines
        self.forger = Forger(appliance)

    # ---- the main job ----

    def main_job(self):
        a, lines = self.appliance, self.lines
        request = a.request()
        proposal = a.propose(request)
        if not lines.check("the agent's rollback waits for people", proposal.status == 5, json.loads(proposal.output or "{}").get("state", proposal.error)):
            raise SystemExit(1)
        action = proposal.json()["id"]
        for name, role in (("ada", "engineer"), ("carl", "change_owner")):
            done = a.approve(name, action)
            if not lines.check(f"{name} signs as {role} with the own token", done.status == 0, done.code):
                print(done)
                raise SystemExit(1)
        waited = a.countersign("--socket", a.api, "wait", action, "--json", user=AGENT_UID)
        lines.check("the action is sealed as allowed", waited.status == 0, f"exit {waited.status}")
        pack = a.pack(action)
        verdict = a.verify(pack)
        lines.check("the auditor verifies the pack with the published keys alone", verdict.status == 0, verdict.json()["summary"])
        authorised = a.verify(pack, "--expect-allow", "--request", a.request_file(request, "asked"))
        lines.check("the executor is told that it may run", authorised.status == 0, authorised.json()["summary"])
        with_trust = a.verify(pack, "--trust", a.etc / "trust.json")
        lines.check("the trust sets bear the extracts out", with_trust.status == 0, with_trust.json()["summary"])
        lines.check("a JOSE library that is not ours verifies the seal", jose_verifies(pack, a.jwks_file))
        return request, action, pack

    def leave(self, directory, pack):
        (directory / "pack.json").write_bytes(canonical(pack))
        shutil.copy(self.appliance.jwks_file, directory / "jwks.json")
        shutil.copy(self.appliance.etc / "trust.json", directory / "trust.json")

    # ---- refusals ----

    def waiting(self, change=None):
        """A fresh action that waits for people."""
        return self.appliance.propose(self.appliance.request(change=change)).json()["id"]

    def quorum_refusals(self):
        a, lines, forger = self.appliance, self.lines, self.forger
        action = self.waiting()
        a.approve("ada", action)
        lines.refused("one approval only gives no pack", "wrong_state", lambda: a.call("GetPack", AGENT_UID, id=action))
        lines.refused("two engineers and no change owner", "approval_slot", lambda: self.decide("eve", action, "engineer"))
        lines.refused("two people on one token", "approval_same_token", lambda: self.decide("tess", action, "change_owner"))
        lines.refused("the requester as change owner", "approval_by_requester", lambda: self.decide("paul", action, "change_owner"))
        lines.refused("a role outside the service's scope", "approval_role_out_of_scope", lambda: self.borrowed("dora", "carl", action))
        action = self.waiting()
        a.approve("tom", action, role="engineer")
        lines.refused("the same person twice", "approval_same_person", lambda: self.decide("tom", action, "change_owner"))
        again = forger.signed("ada", action, "engineer")
        action = self.waiting()
        first = forger.signed("ada", action, "engineer")
        forger.decide("ada", action, *first)
        lines.refused("the same approval twice", "approval_duplicate", lambda: forger.decide("ada", action, *first))
        lines.refused("an approval for another action", "approval_other_action", lambda: forger.decide("ada", self.waiting(), *again))

    def decide(self, name, action, role, change=None, **options):
        decision, snapshot = self.forger.signed(name, action, role, change, **options)
        return self.forger.decide(name, action, decision, snapshot)

    def borrowed(self, name, lender, action):
        """A decision of somebody who is given no brief for this action, made from a brief of somebody who is."""
        person = self.appliance.people[name]
        decision, snapshot = self.forger.compose(lender, action, "change_owner")
        decision["approver"] = snapshot["approver"] = person.id
        return self.forger.decide(name, action, forge(person, decision), snapshot)

    def binding_refusals(self):
        action = self.waiting()
        other = "sha256:" + "0" * 64

        def bind(member, value):
            def change(decision):
                decision["binding"][member] = value
            return change
        for what, code, member, value in (
                ("for another action class", "approval_other_class", "action_class", "deploy-config"),
                ("for a laxer change class", "approval_other_class", "change_class", "reversible"),
                ("for another policy", "approval_other_policy", "policy", other),
                ("for another trust set", "approval_other_trust_set", "trust_set", other),
                ("for another appliance", "approval_other_appliance", "audience", "elsewhere.example/log"),
                ("for another role than the brief's", "approval_binding", "role", "change_owner"),
                ("that has expired", "approval_expired", "not_after", now(-1)),
                ("valid for longer than the policy allows", "approval_window_too_long", "not_after", now(86400))):
            self.lines.refused(f"an approval {what}", code, lambda change=bind(member, value): self.decide("ada", action, "engineer", change))

        short, snapshot = self.forger.signed("ada", action, "engineer", seconds=0.3)
        time.sleep(0.4)
        self.lines.refused("an approval whose time has passed", "approval_expired", lambda: self.forger.decide("ada", action, short, snapshot))
        self.lines.refused("an approval for a role not held", "approval_role_not_held", lambda: self.decide("ada", action, "change_owner"))
        self.lines.refused("an unenrolled key", "key_unknown", lambda: self.decide(
            "ada", action, "engineer", kid="kye:key:acme.ada.spare", label="spare-key"))
        self.lines.refused("a revoked key", "key_revoked", lambda: self.decide("rex", action, "engineer"))
        decision, snapshot = self.forger.signed("ada", action, "engineer")
        decision["rationale"] = decision["rationale"][:-1] + "e"
        self.lines.refused("an approval altered by one byte", "bad_signature", lambda: self.forger.decide("ada", action, decision, snapshot))

    def rejection(self):
        a, lines = self.appliance, self.lines
        action = self.waiting()
        a.approve("ada", action)
        done = a.approve("carl", action, verb="reject", arguments=("--rationale", "the error ratio is falling by itself"))
        lines.check("a rejection is sealed and its receipt shown", done.status == 0, done.code)
        a.wait_final(action)
        verdict = a.verify(a.pack(action))
        lines.check("a rejected action is authentic and no authorisation", verdict.status == 0 and "NOT an authorisation" in verdict.json()["summary"],
                    verdict.json()["summary"])
        refused = a.verify(a.pack(action), "--expect-allow", "--request", a.request_file(a.request(), "asked"))
        lines.refused("a rejected action as authorisation", "not_an_authorisation", lambda: refused)
        lines.refused("approving after a rejection", "wrong_state", lambda: a.approve("tom", action, role="change_owner"))

    def gate_refusals(self):
        def drop(member, inner=None):
            def change(request):
                if inner:
                    request[member][inner] = None
                else:
                    request[member] = None
            return change

        def outside(request):
            request["purpose_request"]["action"] = "k8s.secret.rotate"
            request["proposed_action"]["requested_capability"] = "k8s.secret.rotate"
            request["proposed_action"]["action_declaration"]["action_type"] = "k8s.secret.rotate"
        for what, failing, change in (("an agent outside its action class", "authority", outside),
                                      ("no due diligence", "rules", drop("due_diligence")),
                                      ("no rollback plan", "rules", drop("due_diligence", "rollback_plan"))):
            proposal = self.appliance.propose(self.appliance.request(change=change))
            answer = json.loads(proposal.output or "{}")
            failed = [check for check in answer.get("decision", {}).get("checks", []) if not check["passed"]]
            self.lines.check(f"refused: {what}", proposal.status == 1 and answer.get("state") == "denied" and
                             any(check["engine"] == failing for check in failed), ", ".join(check["reason_code"] for check in failed) or repr(proposal))

    def second_use(self, old_action, pack):
        """The approvals of the sealed action once more, for the same request proposed again."""
        action = self.waiting()
        papers = next(member for member in pack["resolution"]["members"] if member["ref_field"] == "inputs_blob_ref")["content"]["approvals"]
        for paper in papers:
            name = paper["decision"]["approver"].rsplit(".", 1)[1]
            self.lines.refused(f"{name}'s used approval a second time", "approval_other_action",
                               lambda paper=paper, name=name: self.forger.decide(name, action, paper["decision"], paper["snapshot"]))
            self.lines.refused(f"{name}'s used approval on the sealed action", "wrong_state",
                               lambda paper=paper, name=name: self.forger.decide(name, old_action, paper["decision"], paper["snapshot"]))

    # ---- trust sets and policies ----

    def version_refusals(self):
        a, lines = self.appliance, self.lines

        def raise_lena(plan):
            lena = next(entry for entry in plan["persons"] if entry["id"].endswith(".lena"))
            lena["roles"].append({"role": "change_owner", "services": ["*"], "environments": ["*"], "from": now(), "until": None})

        plan = a.next_plan(a.trust_directory, lambda plan: plan["organisations"][0].update(name="Acme Shop Limited"))
        draft, previous = a.draft("trust-set", plan, a.trust_directory)
        lines.refused("a trust set without signatures", "missing_signature", lambda: self.trial(draft))
        a.sign(draft, "sam", previous)
        lines.refused("a trust set signed by one", "missing_signature", lambda: self.trial(draft))
        lines.refused("a trust set signed twice by one", "exists", lambda: a.sign(draft, "sam", previous, check=False))
        a.sign(draft, "lena", previous)
        skipped = json.loads(draft.read_text())
        skipped["version"] += 1
        lines.refused("a trust set out of order", "broken_chain", lambda: self.trial(draft, skipped))
        draft, previous = a.draft("trust-set", a.next_plan(a.trust_directory, raise_lena), a.trust_directory)
        a.sign(draft, "sam", previous)
        lines.refused("a trust set signed by someone whose rights it raises", "signer_raises_own_rights", lambda: a.sign(draft, "lena", previous, check=False))
        forged = self.cosigned(draft, "lena")
        lines.refused("the same with a forged second signature", "signer_raises_own_rights", lambda: self.trial(draft, forged))
        plan = a.next_plan(a.policy_directory, lambda plan: plan["approval"].update(timeout_seconds=1200))
        draft, previous = a.draft("policy", plan, a.policy_directory)
        lines.refused("a policy without signatures", "missing_signature", lambda: self.policy_trial(draft))
        a.sign(draft, "lena", previous)
        lines.refused("a policy signed by one", "missing_signature", lambda: self.policy_trial(draft))
        lines.refused("a policy signed by the wrong role", "wrong_signers", lambda: self.policy_trial(draft, self.cosigned(draft, "sam")))
        a.sign(draft, "cora", previous)
        skipped = json.loads(draft.read_text())
        skipped["version"] += 1
        lines.refused("a policy out of order", "broken_chain", lambda: self.policy_trial(draft, skipped))

    def cosigned(self, draft, name):
        document = json.loads(draft.read_text())
        signatures = document.pop("signatures")
        signed = forge(self.appliance.people[name], document)
        return {**document, "signatures": signatures + [signed["signature"]]}

    def trial(self, draft, document=None):
        """Verifies the chain of trust sets with this draft as its next version."""
        return self.trial_of("trust-set", self.appliance.trust_directory, document or json.loads(draft.read_text()), self.appliance.trust_genesis)

    def policy_trial(self, draft, document=None):
        a = self.appliance
        return self.trial_of("policy", a.policy_directory, document or json.loads(draft.read_text()), a.policy_genesis, "--trust-directory",
                             a.trust_directory, "--trust-genesis", a.trust_genesis)

    def trial_of(self, kind, base, document, genesis, *arguments):
        directory = self.appliance.directory / "trial"
        shutil.rmtree(directory, ignore_errors=True)
        shutil.copytree(base, directory)
        (directory / f"{document['version']:06d}.json").write_text(json.dumps(document))
        return self.appliance.provision(kind, "verify", "--genesis", genesis, *arguments, directory, check=False)

    def rollback_refusals(self, what, directory):
        """The running signer and daemon keep the newer version when the file of an older one is all that is left."""
        a = self.appliance
        newest, kept = a.newest(directory), a.directory / "kept.json"
        seen = {name: a.log_of(name).count("version_rollback") for name in ("signer", "daemon")}
        shutil.move(newest, kept)
        for name in seen:
            a.processes[name].send_signal(signal.SIGHUP)
        for name, before in seen.items():
            deadline = time.monotonic() + 10
            while time.monotonic() < deadline and a.log_of(name).count("version_rollback") == before:
                time.sleep(0.05)
            self.lines.check(f"refused: a rolled-back {what}, by the {name}", a.log_of(name).count("version_rollback") > before, "version_rollback")
        shutil.move(kept, newest)


def jose_verifies(pack, jwks_file):
    """Debian's python3-jwcrypto on the compact JWS, with the exported keys."""
    from jwcrypto import jwk, jws
    token = pack["signatures"][0]["signature"].removeprefix("sig:jws:")
    header = json.loads(base64.urlsafe_b64decode(token.split(".")[0] + "=="))
    exported = next(key for key in json.loads(pathlib.Path(jwks_file).read_text())["keys"] if key["kid"] == header["kid"])
    public = jwk.JWK(**{name: exported[name] for name in ("kty", "crv", "x", "y") if name in exported})
    signature = jws.JWS()
    signature.deserialize(token)
    signature.verify(public)
    return json.loads(signature.payload)["subject"] == address(pack)


def run(directory, lines, people, seal, refusals):
    appliance = DemoAppliance(directory, people_algorithm=people, seal_algorithm=seal)
    demo = Demo(appliance, lines)
    print(f"--- people's keys {people}, appliance's keys {seal}", flush=True)
    try:
        appliance.ceremony()
        appliance.settle()
        appliance.start()
        _, action, pack = demo.main_job()
        if refusals:
            demo.quorum_refusals()
            demo.binding_refusals()
            demo.rejection()
            demo.gate_refusals()
            demo.second_use(action, pack)
            demo.version_refusals()
            demo.rollback_refusals("trust set", appliance.trust_directory)
            demo.rollback_refusals("policy", appliance.policy_directory)
        return demo, pack
    finally:
        appliance.stop()


def main():
    reason = need_root_and_softhsm()
    if reason:
        skip(f"demo: {reason}")
    target = pathlib.Path(sys.argv[1] if len(sys.argv) > 1 else "build/demo").resolve()
    shutil.rmtree(target, ignore_errors=True)
    lines = Lines()
    target.mkdir(parents=True)
    # The appliance's users must be able to enter its directory, which not every checkout allows.
    with tempfile.TemporaryDirectory(prefix="countersign-demo.") as world:
        pathlib.Path(world).chmod(0o755)
        demo, pack = run(pathlib.Path(world) / "ed25519", lines, "ed25519", "ed25519", refusals=True)
        demo.leave(target, pack)
        run(pathlib.Path(world) / "p256", lines, "p256", "p256", refusals=False)
    print(f"demo: {lines.passed} passed, {lines.failed} failed")
    return 1 if lines.failed else 0


if __name__ == "__main__":
    sys.exit(main())
