"""Had the signer been deceived as well: what it signs with a rule off is still not what the real verifier accepts.

Two ways to such a pack: an honest pack sealed anew with another statement, and a whole appliance, daemon and signer, without one rule.
"""
import base64
import copy
import json
import secrets
import unittest

from appliance import VarlinkError, address, now
from broken_case import JWS
from broken_teeth import TeethCase, attempt
from broken_world import TEETH
from broker import SOMETHING, restriction
from forgery import Forger, forge


def failed(verdict):
    """{name of a failed check: its code} of a verdict."""
    return {check["name"]: check["code"] for check in verdict.json()["checks"] if check["result"] == "failed"}


def statement_of(pack):
    payload = pack["signatures"][0]["signature"].removeprefix("sig:jws:").split(".")[1]
    return json.loads(base64.urlsafe_b64decode(payload + "=="))


def papers_of(pack):
    """(core, decisions, constraints) that a pack carries."""
    inputs = next(member for member in pack["resolution"]["members"] if member["ref_field"] == "inputs_blob_ref")["content"]
    return inputs["core"], [paper["decision"] for paper in inputs["approvals"]], inputs["constraints"]


class VerdictCase(TeethCase):
    @classmethod
    def sealed_pack(cls, first=None, second=None, off="", binaries=None):
        """The pack that a whole appliance makes of a rollback; `first` and `second` say who decides how."""
        cls.world.restart_signer(fresh=True, binary=TEETH, rules_off=off)
        cls.world.start_broker(binaries, off)
        try:
            forger = Forger(cls.world)
            action = cls.world.propose().json()["id"]
            for decide, name, role in ((first, "ada", "engineer"), (second, "carl", "change_owner")):
                if decide:
                    decide(forger, action)
                else:
                    forger.decide(name, action, *forger.signed(name, action, role))
            cls.world.wait_final(action)
            return cls.world.pack(action)
        finally:
            cls.world.stop_process("daemon")


class Resealed(VerdictCase):
    """The members of an honest pack under a statement that says something else."""

    @classmethod
    def prepare(cls):
        limit = restriction("limit", type="replicas", value=3)

        def restrict(decision):
            decision.update(decision="approved_with_restrictions", restrictions=[limit])
        cls.pack = cls.sealed_pack()
        cls.restricted = cls.sealed_pack(first=lambda forger, action: forger.decide("ada", action, *forger.signed("ada", action, "engineer", restrict)))

    def reseal(self, off="", pack=None, form=JWS, evidence=None, **members):
        """The pack with a seal over another statement, made by a signer without the rules `off`."""
        self.begin(off)
        pack = copy.deepcopy(pack or self.pack)
        core, approvals, bundle = papers_of(pack)
        statement = {**statement_of(pack), "log": self.broker.place(), "nonce": secrets.token_hex(16), "issued_at": now(), **members}
        given = {"core": core, "approvals": approvals, "constraints": bundle, **(evidence or {})}
        answer = self.broker.append(**attempt(statement, given["core"], given["approvals"], form, constraints=given["constraints"]))
        pack["signatures"][0].update(signature="sig:jws:" + answer["seals"][0], signed_at=statement["issued_at"])
        return self.world.verify(pack)

    def rejected(self, check, code, off, **options):
        verdict = self.reseal(off, **options)
        self.assertEqual(verdict.status, 1, repr(verdict))
        self.assertEqual(failed(verdict).get(check), code, repr(verdict))

    def test_the_same_statement_is_authentic(self):
        for pack in (self.pack, self.restricted):
            verdict = self.reseal(pack=pack)
            self.assertEqual((verdict.status, failed(verdict)), (0, {}), repr(verdict))

    def test_other_subject(self):
        """No rule of the signer's: it does not see packs. The verifier does."""
        self.rejected("subject", "address_mismatch", "", subject=SOMETHING)

    def test_core_address(self):
        self.rejected("statement", "statement_mismatch", "signer.core-address", action=SOMETHING)

    def test_class(self):
        self.rejected("statement", "statement_mismatch", "signer.class", action_class="deploy-config")

    def test_change_class(self):
        self.rejected("statement", "statement_mismatch", "signer.change-class", change_class="reversible")

    def test_oversight(self):
        self.rejected("statement", "statement_mismatch", "signer.oversight", oversight="none", approvals=[], evidence={"approvals": []})

    def test_quorum(self):
        self.rejected("statement", "statement_mismatch", "signer.quorum", approvals=[], evidence={"approvals": []})

    def test_constraints(self):
        self.rejected("statement", "statement_mismatch", "signer.constraints", pack=self.restricted, constraints=None, outcome="allow",
                      evidence={"constraints": None})

    def test_versions(self):
        self.rejected("statement", "statement_mismatch", "signer.versions", policy=SOMETHING)
        old = address(self.world.version(self.world.trust_directory, 1))
        self.rejected("trust_set_in_force", "statement_other_trust_set", "signer.versions", trust_set=old)

    def test_not_after(self):
        for not_after in (None, now(86400)):
            self.rejected("oversight_and_quorum", "statement_window", "signer.not-after", not_after=not_after)

    def test_issued_before_the_approvals(self):
        verdict = self.reseal("signer.issued-at", issued_at=now(-1800))
        self.assertEqual(verdict.status, 1, repr(verdict))

    def test_a_refusal_in_the_form_of_an_allow(self):
        verdict = self.reseal("signer.shape", outcome="deny", not_after=None)
        self.assertEqual(verdict.status, 1, repr(verdict))


class Deceived(VerdictCase):
    """A whole appliance without one rule on approvals, and the real verifier."""

    @classmethod
    def prepare(cls):
        if not (TEETH.parent / "countersignd").exists():
            raise unittest.SkipTest("no daemon whose rules can be switched off")

    def rejected(self, rule, code, first=None, second=None):
        with self.assertRaises(VarlinkError) as caught:
            self.sealed_pack(first, second, "", TEETH.parent)
        self.assertEqual(caught.exception.code, code)
        pack = self.sealed_pack(first, second, rule, TEETH.parent)
        self.assertEqual(statement_of(pack)["outcome"], "allow")
        for keys in ((), ("--trust", self.world.etc / "trust.json")):
            verdict = self.world.verify(pack, *keys)
            self.assertEqual(verdict.status, 1, repr(verdict))
            self.assertEqual(failed(verdict).get("oversight_and_quorum"), code, repr(verdict))

    def test_the_same_without_any_rule_off_is_authentic(self):
        verdict = self.world.verify(self.sealed_pack(binaries=TEETH.parent))
        self.assertEqual((verdict.status, failed(verdict)), (0, {}), repr(verdict))

    @staticmethod
    def by(name, role, change=None, lender=None, signer=None, after=None):
        """Somebody's decision; `lender` opens the brief for who gets none, `signer` is another token, `after` alters what was signed."""
        def decide(forger, action):
            world = forger.appliance
            person = world.people[name]
            decision, snapshot = forger.compose(lender or name, action, role)
            decision["approver"] = snapshot["approver"] = person.id
            if change:
                change(decision)
            key = world.spares[name] if signer == "spare" else person
            decision = forge(key, decision)
            if after:
                decision.update(after)
            forger.decide(name, action, decision, snapshot)
        return decide

    def test_rules_that_the_gate_holds_by_itself(self):
        """Without them in daemon and signer alike, such approvals still end in a refusal."""
        for rule, first, second in (
                ("quorum.two-persons", self.by("tom", "engineer"), self.by("tom", "change_owner", signer="spare")),
                ("quorum.two-tokens", None, self.by("tess", "change_owner"))):
            pack = self.sealed_pack(first, second, rule, TEETH.parent)
            verdict = self.world.verify(pack)
            self.assertTrue(pack["signatures"][0]["signature"].startswith("sig:tlog:"), rule)
            self.assertEqual(verdict.json()["decision"], "deny", repr(verdict))

    def test_binding(self):
        self.rejected("quorum.binding", "approval_other_appliance", None, self.by(
            "carl", "change_owner", lambda decision: decision["binding"].update(audience="elsewhere.example/log")))

    def test_window(self):
        self.rejected("quorum.window", "approval_window_too_long", None, self.by(
            "carl", "change_owner", lambda decision: decision["binding"].update(not_after=now(86400))))

    def test_revoked(self):
        self.rejected("quorum.revoked", "key_revoked", self.by("rex", "engineer"))

    def test_signature(self):
        self.rejected("quorum.signature", "bad_signature", None, self.by("carl", "change_owner", after={"rationale": "whatever"}))
