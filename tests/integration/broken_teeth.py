"""Teeth: each rule of the signer switched off by itself lets through what it alone refuses, and nothing else does.

The signer here is the build whose rules can be switched off; with none off it refuses like the real one.
"""
import shutil
import subprocess
import unittest

from appliance import AGENT_UID, MODULE, ROOT, CommandFailed, now
from broken_case import JWS, BrokenCase, address
from broken_world import TEETH
from broker import SOMETHING, Broker, restriction
from signer_client import Closed, Log, jws_payload


class TeethCase(BrokenCase):
    """A signer of the other build for each attempt, with an empty state; afterwards the real one again."""

    @classmethod
    def setUpClass(cls):
        if not TEETH.exists():
            raise unittest.SkipTest(f"no {TEETH}")
        cls.honest = cls.broker
        cls.honest.close()
        cls.broker = Broker(cls.world)
        cls.prepare()

    @classmethod
    def prepare(cls):
        """What the cases share."""

    @classmethod
    def tearDownClass(cls):
        cls.broker.close()
        cls.broker = cls.honest
        cls.world.restart_signer(fresh=True)
        cls.broker.log = Log()

    def setUp(self):
        pass

    def tearDown(self):
        pass

    def begin(self, off="", **settings):
        self.world.restart_signer(fresh=True, binary=TEETH, rules_off=off, **settings)
        self.broker.log = Log()
        self.broker.connect()

    def bites(self, rule, code, attack):
        """`attack` gives what to append, after whatever honest leaves it needs; `code` is how the rule refuses it. Returns what was signed."""
        self.begin()
        with self.broker.refused(self, code):
            self.broker.append(**attack())
        self.begin(rule)
        given = attack()
        answer = self.broker.append(**given)
        self.assertEqual(self.broker.client.health()["log"]["root"], "sha256:" + self.broker.log.root.hex())
        if given.get("form", JWS) == JWS:
            self.assertEqual(jws_payload(answer["seals"][0], self.world.published())[1], given["statement"])
        else:
            self.assertIsNotNone(answer["checkpoint"])
        return given, answer


def attempt(statement, core, approvals=(), form=JWS, **evidence):
    return {"statement": statement, "core": core, "approvals": approvals, "form": form, **evidence}


class SignerTeeth(TeethCase):
    @classmethod
    def prepare(cls):
        cls.core, cls.approvals = cls.broker.papers()

    def allow(self, core=None, approvals=None, **members):
        core, approvals = core or self.core, self.approvals if approvals is None else approvals
        return attempt(self.broker.statement(core, approvals, **members), core, approvals)

    def test_peer(self):
        for off, served in (("", False), ("signer.peer", True)):
            self.begin(off)
            with self.world.connect(AGENT_UID) as client:
                if served:
                    self.assertEqual(client.health()["state"], "ready")
                else:
                    self.assertRaises(Closed, client.health)

    def test_shape(self):
        self.bites("signer.shape", "statement_shape", lambda: attempt(self.broker.refusal(self.core), self.core))

    def test_core_address(self):
        other = address(self.broker.core())
        self.bites("signer.core-address", "statement_mismatch", lambda: self.allow(action=other))

    def test_class(self):
        self.bites("signer.class", "statement_mismatch", lambda: self.allow(action_class="restart-stateless-service"))

    def test_change_class(self):
        self.bites("signer.change-class", "statement_too_lax", lambda: self.allow(change_class="reversible"))

    def test_oversight(self):
        for oversight, approvals in (("none", []), ("single_approver", self.approvals[:1])):
            self.bites("signer.oversight", "statement_too_lax", lambda oversight=oversight, approvals=approvals: self.allow(
                approvals=approvals, oversight=oversight))

    def test_oversight_of_what_agents_may_not_do(self):
        core = self.broker.core(change=lambda core: core["proposed_action"].update(requested_capability="k8s.node.drain"))
        classes = {"action_class": "drain-node", "change_class": "irreversible"}
        approvals = [self.broker.decide(name, core, role, classes=classes) for name, role in (("ada", "engineer"), ("carl", "change_owner"))]
        self.begin()
        with self.broker.refused(self, "statement_too_lax", "/statements/0/outcome"):
            self.broker.append(**self.allow(core, approvals, **classes))

    def test_quorum(self):
        self.bites("signer.quorum", "approval_missing", lambda: self.allow(approvals=[]))
        self.bites("signer.quorum", "approval_missing", lambda: self.allow(approvals=self.approvals[:1]))

    def test_constraints(self):
        core = self.broker.core()
        limit = restriction("limit", type="replicas", value=3)

        def restrict(decision):
            decision.update(decision="approved_with_restrictions", restrictions=[limit])
        approvals = [self.broker.decide("ada", core, "engineer", restrict), self.broker.decide("carl", core, "change_owner")]
        self.bites("signer.constraints", "statement_mismatch", lambda: self.allow(core, approvals))

    def test_versions(self):
        self.bites("signer.versions", "statement_other_policy", lambda: self.allow(policy=SOMETHING))
        self.bites("signer.versions", "statement_other_trust_set", lambda: self.allow(
            trust_set=address(self.world.version(self.world.trust_directory, 1))))
        core = self.broker.core(policy=SOMETHING)

        def rebind(decision):
            decision["binding"]["policy"] = address(self.world.policy)
        approvals = [self.broker.decide(name, core, role, rebind) for name, role in (("ada", "engineer"), ("carl", "change_owner"))]
        self.bites("signer.versions", "statement_other_policy", lambda: self.allow(core, approvals))

    def test_issued_at(self):
        self.bites("signer.issued-at", "statement_time", lambda: self.allow(issued_at=now(-7200)))

    def test_issued_at_before_the_last_leaf(self):
        def attack():
            self.broker.deny()
            return self.allow(issued_at=now(-5))
        self.bites("signer.issued-at", "statement_time", attack)

    def test_not_after(self):
        for not_after in (None, now(-60), now(3600)):
            self.bites("signer.not-after", "statement_window", lambda not_after=not_after: self.allow(not_after=not_after))

    def test_consumed(self):
        def attack():
            self.broker.allow(self.core, self.approvals)
            return self.allow()
        self.bites("signer.consumed", "action_consumed", attack)

    def test_log_next(self):
        def place(index):
            self.broker.deny()
            log = self.broker.place()
            log["index"] = log["after"]["size"] = index
            return log
        self.bites("signer.log-next", "log_gap", lambda: self.allow(log=place(7)))
        self.bites("signer.log-next", "log_fork", lambda: self.allow(log=place(0)))

    def test_log_head(self):
        def place():
            log = self.broker.place()
            log["after"]["root"] = SOMETHING
            return log
        self.bites("signer.log-head", "log_fork", lambda: self.allow(log=place()))

    def test_irreversible_quorum(self):
        """One person for a command that its class does not describe, where the class itself asks for one person."""
        core = self.broker.core("config", lambda core: core["execution"].update(executable="/bin/sh", arguments=["-c", "reboot"]))
        classes = {"action_class": "deploy-config", "change_class": "irreversible"}
        one = [self.broker.decide("ada", core, "engineer", classes=classes)]
        self.bites("policy.irreversible-quorum", "statement_too_lax", lambda: self.allow(core, one, oversight="single_approver", **classes))

    # ---- the token ----

    def test_self_verify(self):
        """A token whose signatures are wrong: nothing of it gets out, and the leaf is signed once an honest one is back."""
        compiler = shutil.which("cc") or shutil.which("gcc")
        if not compiler:
            self.skipTest("no compiler for the module that lies")
        module = self.world.directory / "lying.so"
        subprocess.run([compiler, "-shared", "-fPIC", "-Wall", "-I/usr/include/p11-kit-1", "-o", module,
                        ROOT / "tests/integration/lying_module.c", "-ldl"], check=True, capture_output=True)
        self.begin(module=module)
        given = self.allow()
        with self.broker.refused(self, "signer_unavailable", detail="token_signature_wrong: "):
            self.broker.append(**given)
        self.world.restart_signer(binary=TEETH, module=MODULE)
        self.broker.connect()
        answer = self.broker.append(**given)
        self.assertEqual(jws_payload(answer["seals"][0], self.world.published())[1], given["statement"])
        self.begin("signer.self-verify", module=module)
        answer = self.broker.append(**self.allow())
        with self.assertRaises(Exception) as caught:
            jws_payload(answer["seals"][0], self.world.published())
        self.assertEqual(type(caught.exception).__name__, "InvalidJWSSignature")

    def test_usage(self):
        """A trust set, signed by the right people, that gives the checkpoint key the document key's place."""
        checkpoint = "kye:key:acme.countersign-1.checkpoint.01"

        def change(following):
            following["appliances"][0]["document_key"] = checkpoint
            for key in following["keys"]:
                if key["usage"] == "document":
                    key["not_after"] = following["issued_at"]
        directory = self.world.forged_version("usage", ("sue", "cora"), change)
        settings = {"trust_directory": directory, "document_label": "checkpoint"}
        for off in ("", "signer.usage"):
            with self.assertRaises(CommandFailed) as caught:
                self.begin(off, **settings)
            self.assertIn("dangling_reference", str(caught.exception))
            self.world.processes.pop("signer", None)
        jwk = {"kty": "OKP", "crv": "Ed25519", "x": self.world.published()[checkpoint]["x"]}
        self.begin("trust.appliance-keys", **settings)
        with self.broker.refused(self, "signer_unavailable", detail="key_usage: "):
            self.broker.client.certify(jwk)
        self.begin("trust.appliance-keys,signer.usage", **settings)
        self.assertEqual(self.broker.client.certify(jwk)["signature"]["kid"], checkpoint)


class QuorumTeeth(TeethCase):
    """The rules on approvals, each the only one that stands between two signatures and an allow."""

    @classmethod
    def prepare(cls):
        cls.core, (cls.ada, cls.carl) = cls.broker.papers()

    def decide(self, name, role="engineer", change=None, **options):
        return self.broker.decide(name, self.core, role, change, **options)

    def bites_pair(self, rule, code, first, second):
        return self.bites(rule, code, lambda: attempt(self.broker.statement(self.core, [first, second]), self.core, [first, second]))

    def test_two_persons(self):
        second = self.decide("tom", "change_owner", signer=self.world.spares["tom"])
        self.bites_pair("quorum.two-persons", "approval_same_person", self.decide("tom"), second)

    def test_two_tokens(self):
        self.bites_pair("quorum.two-tokens", "approval_same_token", self.ada, self.decide("tess", "change_owner"))

    def test_two_keys(self):
        """A key has one person and one token, so the rules on those two must be off as well before this one is alone."""
        others = "quorum.two-persons,quorum.two-tokens"
        pair = [self.decide("tom"), self.decide("tom", "change_owner")]
        for off, code in ((others, "approval_same_key"), (others + ",quorum.two-keys", None)):
            self.begin(off)
            given = attempt(self.broker.statement(self.core, pair), self.core, pair)
            if code:
                with self.broker.refused(self, code):
                    self.broker.append(**given)
            else:
                self.broker.append(**given)

    def test_requester(self):
        self.bites_pair("quorum.requester", "approval_by_requester", self.ada, self.decide("paul", "change_owner"))

    def test_role_held(self):
        self.bites_pair("quorum.role-held", "approval_role_not_held", self.decide("eve"), self.decide("ada", "change_owner"))

    def test_role_scope(self):
        self.bites_pair("quorum.role-scope", "approval_role_out_of_scope", self.ada, self.decide("dora", "change_owner"))

    def test_binding(self):
        _, approvals = self.broker.papers()
        self.bites_pair("quorum.binding", "approval_other_action", *approvals)

    def test_window(self):
        """Too long; what has expired is refused by the statement's own window as well."""
        long = self.decide("carl", "change_owner", lambda decision: decision["binding"].update(not_after=now(86400)))
        self.bites_pair("quorum.window", "approval_window_too_long", self.ada, long)

    def test_revoked(self):
        self.bites_pair("quorum.revoked", "key_revoked", self.decide("rex"), self.carl)

    def test_is_approval(self):
        self.bites_pair("quorum.is-approval", "approval_rejected", self.ada, self.decide("carl", "change_owner", value="rejected"))

    def test_signature(self):
        self.bites_pair("quorum.signature", "bad_signature", self.ada, {**self.carl, "rationale": "whatever"})


class TrustTeeth(TeethCase):
    """The rules on the signed files, as the signer meets them when it starts."""

    def starts(self, off, **settings):
        try:
            self.begin(off, **settings)
        except CommandFailed as failure:
            self.world.processes.pop("signer", None)
            return str(failure)
        return ""

    def bites_at_start(self, rule, code, **settings):
        self.assertIn(code, self.starts("", **settings))
        self.assertEqual(self.starts(rule, **settings), "")

    def test_genesis(self):
        self.bites_at_start("trust.genesis", "genesis_mismatch", trust_genesis=SOMETHING)

    def test_chain(self):
        directory = self.world.forged_version("chain", ("sue", "cora"), lambda following: following.update(previous=SOMETHING))
        self.bites_at_start("trust.chain", "broken_chain", trust_directory=directory)

    def test_two_signers(self):
        for name, signers, code in (("one", ("sue",), "missing_signature"), ("wrong", ("ada", "carl"), "wrong_signers")):
            directory = self.world.forged_version(name, signers)
            self.bites_at_start("trust.two-signers", code, trust_directory=directory)

    def test_self_raise(self):
        def change(following):
            cora = next(person for person in following["persons"] if person["id"].endswith(".cora"))
            cora["roles"].append({"role": "change_owner", "services": ["*"], "environments": ["*"], "from": now(), "until": None})
        directory = self.world.forged_version("raise", ("sue", "cora"), change)
        self.bites_at_start("trust.self-raise", "signer_raises_own_rights", trust_directory=directory)

    def test_nothing_removed(self):
        """Without its revocation Rex's key would be good again."""
        def change(following):
            for key in following["keys"]:
                key["revocation"] = None
        directory = self.world.forged_version("removed", ("sue", "cora"), change)
        self.bites_at_start("trust.nothing-removed", "removed_entry", trust_directory=directory)

    def test_rollback(self):
        directory = self.world.directory / "forged" / "rollback"
        shutil.copytree(self.world.trust_directory, directory)
        sorted(directory.glob("*.json"))[-1].unlink()
        for off, refused in (("", True), ("trust.rollback", False)):
            self.begin()
            try:
                self.world.restart_signer(binary=TEETH, rules_off=off, trust_directory=directory)
                self.assertFalse(refused)
            except CommandFailed as failure:
                self.world.processes.pop("signer", None)
                self.assertTrue(refused)
                self.assertIn("version_rollback", str(failure))
