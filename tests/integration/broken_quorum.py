"""The honest batches that everything else is measured by, and approvals that must not count."""
import time

from appliance import now
from broken_case import JWS, TLOG, BrokenCase, address, person_id
from broker import constraints, restriction
from signer_client import checkpoint_head, jws_payload


def config_members(**members):
    return {"action_class": "deploy-config", "change_class": "compensatable", "oversight": "single_approver", **members}


RESTART = {"action_class": "restart-stateless-service", "change_class": "reversible", "oversight": "none"}


class Control(BrokenCase):
    """What an honest broker asks for is signed; without this no refusal below would mean anything."""

    def head(self, answer):
        key = self.world.published()["kye:key:acme.countersign-1.checkpoint.01"]
        return checkpoint_head(answer["checkpoint"], key)

    def test_allow_gives_a_jws_under_the_published_seal_key(self):
        statement, answer = self.broker.allow()
        header, payload = jws_payload(answer["seals"][0], self.world.published())
        self.assertEqual(header, {"alg": "EdDSA", "kid": "kye:key:acme.countersign-1.seal.01", "typ": "countersign-seal+jws"})
        self.assertEqual(payload, statement)
        self.assertIsNone(answer["checkpoint"])

    def test_allow_in_tlog_form_gives_a_checkpoint(self):
        _, answer = self.broker.allow(form=TLOG)
        self.assertEqual(answer["seals"], [None])
        self.assertEqual(self.head(answer), ("acme.example/countersign", self.broker.log.size, self.broker.log.root))

    def test_deny_gives_a_checkpoint_over_its_leaf(self):
        _, answer = self.broker.deny()
        self.assertEqual(answer["seals"], [None])
        self.assertEqual(self.head(answer), ("acme.example/countersign", self.broker.log.size, self.broker.log.root))

    def test_one_batch_of_many(self):
        broker = self.broker
        core, approvals = broker.papers()
        refused, restart = broker.core(), broker.core("restart")
        given, answer = broker.batch(lambda: (TLOG, broker.refusal(refused), refused, ()),
                                     lambda: (JWS, broker.statement(core, approvals), core, approvals),
                                     lambda: (JWS, broker.statement(restart, **RESTART), restart, ()))
        self.assertEqual(self.head(answer)[1:], (broker.log.size, broker.log.root))
        self.assertIsNone(answer["seals"][0])
        for statement, seal in list(zip(given, answer["seals"]))[1:]:
            self.assertEqual(jws_payload(seal, self.world.published())[1], statement)

    def test_restrictions_travel_with_the_allow(self):
        broker = self.broker
        core = broker.core()
        only = restriction("follow-up", type="follow_up_by", value="2026-12-24T12:00:00Z")

        def restrict(decision):
            decision.update(decision="approved_with_restrictions", restrictions=[only])
        approvals = [broker.decide("ada", core, "engineer", restrict), broker.decide("carl", core, "change_owner")]
        bundle = constraints(only)
        self.sign(broker.statement(core, approvals, outcome="allow_with_constraints", constraints=address(bundle)), core, approvals,
                  constraints=bundle)

    def test_a_single_approver_and_nobody(self):
        core = self.broker.core("config")
        approvals = [self.broker.decide("ada", core, "engineer", classes={"action_class": "deploy-config", "change_class": "compensatable"})]
        self.sign(self.broker.statement(core, approvals, **config_members()), core, approvals)
        restart = self.broker.core("restart")
        self.sign(self.broker.statement(restart, **RESTART), restart)

    def test_a_statement_stricter_than_the_policy_needs_its_people(self):
        core = self.broker.core("config")
        classes = {"action_class": "deploy-config", "change_class": "compensatable"}
        one = [self.broker.decide("ada", core, "engineer", classes=classes)]
        strict = config_members(oversight="two_person")
        self.refuse_allow("approval_missing", core, one, **strict)
        both = one + [self.broker.decide("carl", core, "change_owner", classes=classes)]
        self.sign(self.broker.statement(core, both, **strict), core, both)

    def test_approvals_rejections_and_versions_are_leaves(self):
        broker = self.broker
        core, approvals = broker.papers()
        rejection = broker.decide("carl", core, "change_owner", value="rejected")
        for decision in (approvals[0], rejection):
            statement = broker.statement(core, kind="approval", subject=address(decision), outcome=decision["decision"], not_after=None)
            self.sign(statement, core, [decision], TLOG)
        self.sign(broker.of_version("trust_set", address(self.world.trust_set)), form=TLOG)
        self.sign(broker.of_version("policy", address(self.world.policy)), form=TLOG)

    def test_a_refusal_of_a_capability_without_a_class(self):
        core = self.broker.core(change=lambda core: core["proposed_action"].update(requested_capability="k8s.everything.delete"))
        nothing = {"action_class": None, "change_class": None, "oversight": None}
        self.sign(self.broker.refusal(core, **nothing), core, form=TLOG)
        self.refuse("statement_shape", self.broker.statement(core, **nothing), core)
        self.refuse("statement_mismatch", self.broker.statement(core), core)


class Quorum(BrokenCase):
    """Approvals that do not make two people."""

    @classmethod
    def setUpClass(cls):
        cls.core, cls.approvals = cls.broker.papers()
        cls.ada, cls.carl = cls.approvals

    def tearDown(self):
        super().tearDown()
        self.assertEqual(len(self.approvals), 2)

    def decide(self, name, role="engineer", change=None, **options):
        return self.broker.decide(name, self.core, role, change, **options)

    def test_no_approvals(self):
        self.refuse_allow("approval_missing", self.core, [])

    def test_one_approval(self):
        self.refuse_allow("approval_missing", self.core, [self.ada])
        self.refuse_allow("approval_missing", self.core, [self.carl])

    def test_two_engineers(self):
        self.refuse_allow("approval_slot", self.core, [self.ada, self.decide("eve")])

    def test_a_third_approval_that_fills_no_slot(self):
        self.refuse_allow("approval_slot", self.core, [*self.approvals, self.decide("eve")])

    def test_same_person_with_two_keys_on_two_tokens(self):
        second = self.broker.decide("tom", self.core, "change_owner", signer=self.world.spares["tom"])
        self.refuse_allow("approval_same_person", self.core, [self.decide("tom"), second])

    def test_same_person_with_one_key(self):
        self.refuse_allow("approval_same_person", self.core, [self.decide("tom"), self.decide("tom", "change_owner")])

    def test_two_people_on_one_token(self):
        self.refuse_allow("approval_same_token", self.core, [self.ada, self.decide("tess", "change_owner")])

    def test_the_same_approval_twice(self):
        twice = [self.ada, self.ada]
        self.refuse_allow("statement_evidence", self.core, twice)
        self.refuse("document_invalid", {**self.broker.statement(self.core, twice), "approvals": [address(self.ada)] * 2}, self.core, twice)

    def test_the_requester_as_change_owner(self):
        self.refuse_allow("approval_by_requester", self.core, [self.ada, self.decide("paul", "change_owner")])

    def test_the_requester_as_engineer_is_honest(self):
        core = self.broker.core()
        approvals = [self.broker.decide("paul", core, "engineer"), self.broker.decide("carl", core, "change_owner")]
        self.sign(self.broker.statement(core, approvals), core, approvals)

    def test_the_requester_hidden_behind_another_name(self):
        core = self.broker.core(requester=person_id("eve"))
        approvals = [self.broker.decide("ada", core, "engineer"), self.broker.decide("paul", core, "change_owner")]
        self.refuse_allow("statement_mismatch", core, approvals, path="/statements/0/action")

    def test_an_agent_that_is_suspended_or_nobody(self):
        for actor, person in (("kye:agent:acme.canary-watch", "eve"), ("kye:agent:acme.nobody", "paul")):
            core = self.broker.core(change=lambda core, actor=actor: core["purpose_request"].update(actor=actor), requester=person_id(person))
            core, approvals = self.broker.papers(core)
            self.refuse_allow("statement_mismatch", core, approvals, path="/statements/0/action")

    def test_a_role_not_held(self):
        self.refuse_allow("approval_role_not_held", self.core, [self.decide("eve"), self.decide("ada", "change_owner")])

    def test_a_role_that_has_ended_and_a_person_who_is_suspended(self):
        for name in ("olga", "ida"):
            self.refuse_allow("approval_role_not_held", self.core, [self.decide(name), self.carl])

    def test_a_change_owner_of_another_service(self):
        self.refuse_allow("approval_role_out_of_scope", self.core, [self.ada, self.decide("dora", "change_owner")])

    def test_decisions_that_are_no_approvals(self):
        for value in ("rejected", "requires_more_information", "escalated"):
            with self.subTest(value):
                self.refuse_allow("approval_rejected", self.core, [self.ada, self.decide("carl", "change_owner", value=value)])
        self.refuse_allow("document_invalid", self.core, [self.ada, self.decide("carl", "change_owner", value="expired")])


class Signatures(BrokenCase):
    """Approvals that nobody, or somebody else, signed."""

    @classmethod
    def setUpClass(cls):
        cls.core, (cls.ada, cls.carl) = cls.broker.papers()

    def refuse_second(self, code, second):
        self.refuse_allow(code, self.core, [self.ada, second])

    def test_altered_after_signing(self):
        self.refuse_second("bad_signature", {**self.carl, "rationale": "whatever"})

    def test_signature_of_another_document(self):
        other = self.broker.decide("carl", self.core, "change_owner", seconds=500)
        self.refuse_second("bad_signature", {**self.carl, "signature": other["signature"]})

    def test_signed_by_another_token_under_the_name_of_the_right_key(self):
        carl = self.world.people["carl"]
        unsigned = self.broker.decide("carl", self.core, "change_owner", signer=self.world.people["eve"], kid=carl.kid)
        self.refuse_second("bad_signature", unsigned)

    def test_another_algorithm_or_encoding(self):
        signature = self.carl["signature"]
        self.refuse_second("algorithm_mismatch", {**self.carl, "signature": {**signature, "alg": "ES256"}})
        self.refuse_second("bad_base64url", {**self.carl, "signature": {**signature, "value_b64": signature["value_b64"][:-1] + "_"}})
        self.refuse_second("bad_signature_form", {**self.carl, "signature": {**signature, "value_b64": signature["value_b64"][:-2]}})

    def test_a_key_that_is_not_enrolled(self):
        spare = {"signer": self.world.people["ada"], "label": "spare-key"}
        self.refuse_second("key_unknown", self.broker.decide("carl", self.core, "change_owner", kid="kye:key:acme.carl.spare", **spare))
        self.refuse_second("bad_signature", self.broker.decide("carl", self.core, "change_owner", kid=self.world.people["carl"].kid, **spare))

    def test_a_key_that_is_revoked(self):
        self.refuse_allow("key_revoked", self.core, [self.broker.decide("rex", self.core, "engineer"), self.carl])

    def test_somebody_elses_key(self):
        self.refuse_second("key_entity", self.broker.decide("carl", self.core, "change_owner", signer=self.world.people["eve"],
                                                            kid=self.world.people["eve"].kid))

    def test_a_key_for_another_purpose(self):
        for usage in ("seal", "checkpoint", "document"):
            signature = {**self.carl["signature"], "kid": f"kye:key:acme.countersign-1.{usage}.01"}
            self.refuse_second("key_usage", {**self.carl, "signature": signature})

    def test_without_signature_or_binding(self):
        for missing, code in (("signature", "document_invalid"), ("binding", "approval_binding")):
            self.refuse_second(code, {name: value for name, value in self.carl.items() if name != missing})


class Binding(BrokenCase):
    """Approvals for something else, or for another time."""

    @classmethod
    def setUpClass(cls):
        cls.core, (cls.ada, cls.carl) = cls.broker.papers()

    def bound(self, **members):
        return self.broker.decide("carl", self.core, "change_owner", lambda decision: decision["binding"].update(members))

    def test_approvals_of_another_action(self):
        other, approvals = self.broker.papers()
        self.refuse_allow("approval_other_action", self.core, approvals)
        self.refuse_allow("approval_other_action", self.core, [self.ada, approvals[1]])
        self.sign(self.broker.statement(other, approvals), other, approvals)
        self.refuse_allow("approval_other_action", self.core, approvals)

    def test_each_member_of_the_binding(self):
        old_policy = address(self.world.version(self.world.policy_directory, 1))
        old_trust_set = address(self.world.version(self.world.trust_directory, 2))
        for code, member, value in (
                ("approval_other_action", "action", self.other_address()),
                ("approval_other_class", "action_class", "deploy-config"),
                ("approval_other_class", "change_class", "reversible"),
                ("approval_other_policy", "policy", self.other_address()),
                ("approval_other_policy", "policy", old_policy),
                ("approval_other_trust_set", "trust_set", self.other_address()),
                ("approval_other_trust_set", "trust_set", old_trust_set),
                ("approval_other_appliance", "audience", "elsewhere.example/log"),
                ("approval_binding", "role", "engineer")):
            with self.subTest(member, value=value):
                self.refuse_allow(code, self.core, [self.ada, self.bound(**{member: value})])

    def test_expired(self):
        soon = self.broker.decide("carl", self.core, "change_owner", seconds=1)
        time.sleep(1.1)
        self.refuse_allow("approval_expired", self.core, [self.ada, soon], not_after=now(30))

    def test_decided_before_the_key_was_enrolled(self):
        def past(decision):
            decision["decided_at"], decision["binding"]["not_after"] = now(-3000), now(60)
        self.refuse_allow("key_not_valid_at_time", self.core, [self.ada, self.broker.decide("carl", self.core, "change_owner", past)])

    def test_decided_in_the_future_or_for_too_long(self):
        def ahead(decision):
            decision["decided_at"], decision["binding"]["not_after"] = now(400), now(1000)
        self.refuse_allow("approval_early", self.core, [self.ada, self.broker.decide("carl", self.core, "change_owner", ahead)])
        self.refuse_allow("approval_window_too_long", self.core, [self.ada, self.bound(not_after=now(86400))])

    def test_not_a_time(self):
        self.refuse_allow("document_invalid", self.core, [self.ada, self.bound(not_after="2026-02-30T00:00:00Z")], not_after=now(60))


class Consumed(BrokenCase):
    """One action, one allow."""

    def test_a_second_statement_for_the_same_action(self):
        core, approvals = self.broker.papers()
        self.broker.allow(core, approvals)
        self.refuse_allow("action_consumed", core, approvals)
        self.refuse("action_consumed", self.broker.statement(core, approvals), core, approvals, TLOG)
        fresh = [self.broker.decide("eve", core, "engineer"), self.broker.decide("carl", core, "change_owner", seconds=900)]
        self.refuse_allow("action_consumed", core, fresh)

    def test_twice_in_one_batch(self):
        core, approvals = self.broker.papers()
        with self.broker.refused(self, "action_consumed", "/statements/1/action"):
            self.broker.batch(*[lambda: (JWS, self.broker.statement(core, approvals), core, approvals)] * 2)

    def test_again_after_a_short_window(self):
        """The allow's own window has passed, those of its approvals have not."""
        core, approvals = self.broker.papers()
        self.broker.allow(core, approvals, not_after=now(2))
        time.sleep(2.5)
        self.refuse_allow("action_consumed", core, approvals)

    def test_again_after_a_restart(self):
        core, approvals = self.broker.papers()
        self.broker.allow(core, approvals)
        self.broker.deny()
        self.world.kill_signer()
        self.world.restart_signer()
        self.broker.connect()
        self.refuse_allow("action_consumed", core, approvals)

    def test_allowed_after_it_was_refused(self):
        """Whoever was shown the receipt of a rejection can rely on it."""
        core, approvals = self.broker.papers()
        self.broker.deny(core)
        self.refuse_allow("action_consumed", core, approvals)
        core, approvals = self.broker.papers()
        rejection = self.broker.decide("tom", core, "change_owner", value="rejected")
        self.sign(self.broker.statement(core, kind="approval", subject=address(rejection), outcome="rejected", not_after=None), core,
                  [rejection], TLOG)
        self.refuse_allow("action_consumed", core, approvals)
