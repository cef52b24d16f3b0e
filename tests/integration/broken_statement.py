"""Statements that say something else than their evidence, the policy, the clock or the log."""
import copy

from appliance import canonical, now
from broken_case import JWS, TLOG, BrokenCase, address, person_id
from broken_world import OTHER_ENTITY
from broker import SOMETHING, constraints, restriction
from signer_client import Closed, Refused, append_frame, entry

ALLOWED_BY_NOBODY = {"change_class": "reversible", "oversight": "none"}


def capability(name):
    def change(core):
        core["proposed_action"]["requested_capability"] = name
    return change


class Classes(BrokenCase):
    """Class, change class and oversight are the signer's own, whatever is claimed."""

    @classmethod
    def setUpClass(cls):
        cls.core, cls.approvals = cls.broker.papers()

    def test_another_action_class(self):
        for name in ("deploy-config", "restart-stateless-service", "no-such-class"):
            self.refuse_allow("statement_mismatch", self.core, self.approvals, "/statements/0/action_class", action_class=name)
        self.refuse_allow("statement_mismatch", self.core, [], action_class="restart-stateless-service", **ALLOWED_BY_NOBODY)

    def test_a_lower_change_class(self):
        for name in ("reversible", "compensatable"):
            self.refuse_allow("statement_too_lax", self.core, self.approvals, "/statements/0/change_class", change_class=name)

    def test_a_higher_change_class(self):
        core = self.broker.core("restart")
        self.refuse_allow("statement_mismatch", core, [], "/statements/0/change_class", action_class="restart-stateless-service",
                          change_class="irreversible", oversight="none")

    def test_less_oversight(self):
        for name, approvals in (("none", []), ("none", self.approvals), ("single_approver", self.approvals[:1]), ("single_approver", self.approvals)):
            self.refuse_allow("statement_too_lax", self.core, approvals, "/statements/0/oversight", oversight=name)
        self.refuse_allow("statement_mismatch", self.core, self.approvals, oversight="none", action_class="deploy-config")

    def test_a_floor_is_not_lowered_by_what_the_core_claims(self):
        def harmless(core):
            core["proposed_action"]["action_declaration"]["reversibility"] = "reversible"
            core["proposed_action"]["action_risk_classification"].update(risk_tier="minimal", required_oversight_mode="none")
        core = self.broker.core(change=harmless)
        self.refuse_allow("statement_too_lax", core, [], "/statements/0/change_class", **ALLOWED_BY_NOBODY)
        self.refuse_allow("approval_missing", core, [])

    def test_what_the_core_claims_raises_it(self):
        core = self.broker.core("restart", lambda core: core["proposed_action"]["action_declaration"].update(reversibility="irreversible"))
        self.refuse_allow("statement_too_lax", core, [], "/statements/0/change_class", action_class="restart-stateless-service", **ALLOWED_BY_NOBODY)
        self.refuse_allow("approval_missing", core, [], action_class="restart-stateless-service")

    def test_the_capability_of_another_class(self):
        """The command of the rollback under the name of the class that nobody needs to approve."""
        core = self.broker.core(change=capability("k8s.deployment.restart"))
        self.refuse_allow("statement_too_lax", core, [], "/statements/0/change_class", action_class="restart-stateless-service", **ALLOWED_BY_NOBODY)
        self.refuse_allow("statement_mismatch", core, [], "/statements/0/action_class")
        self.refuse_allow("approval_missing", core, [], action_class="restart-stateless-service")
        self.refuse_allow("approval_other_action", core, self.approvals, action_class="restart-stateless-service")

    def test_a_core_that_is_not_the_statements(self):
        other = self.broker.core()
        self.refuse("statement_mismatch", self.broker.statement(other, self.approvals), self.core, self.approvals, path="/statements/0/action")
        self.refuse("approval_other_action", self.broker.statement(other, self.approvals), other, self.approvals)

    def commands(self):
        """Commands that the class of the restart does not describe."""
        plain = self.broker.core("restart")["execution"]
        arguments = plain["arguments"]
        yield "one argument more", {"arguments": [*arguments, "--all"]}
        yield "one argument less", {"arguments": arguments[:-1]}
        yield "another argument", {"arguments": [*arguments[:-2], "delete", arguments[-1]]}
        yield "a line more", {"arguments": [*arguments[:-1], arguments[-1] + "\n"]}
        yield "another cluster", {"arguments": ["--context", "prod-us-1", *arguments[2:]]}
        yield "a shell", {"executable": "/bin/sh", "arguments": ["-c", "kubectl rollout restart"]}
        yield "the same words elsewhere", {"executable": "/tmp/kubectl"}
        yield "another spelling", {"executable": "/usr/bin/../../tmp/../usr/bin/kubectl"}
        yield "an environment that is another program", {"environment_variables": {**plain["environment_variables"], "LD_PRELOAD": "/tmp/x.so"}}

    def test_a_command_that_the_class_does_not_describe(self):
        members = {"action_class": "restart-stateless-service", **ALLOWED_BY_NOBODY}
        for what, change in self.commands():
            with self.subTest(what):
                core = self.broker.core("restart", lambda core, change=change: core["execution"].update(change))
                code = "forbidden_character" if what == "a line more" else "statement_too_lax"
                self.refuse_allow(code, core, [], **members)

    def test_what_agents_may_not_do_at_all(self):
        for name, title, change_class, needed in (("k8s.namespace.delete", "delete-namespace", "irreversible", "two_person"),
                                                  ("k8s.node.drain", "drain-node", "irreversible", "two_person")):
            core = self.broker.core(change=capability(name))
            classes = {"action_class": title, "change_class": change_class}
            approvals = [self.broker.decide("ada", core, "engineer", classes=classes), self.broker.decide("carl", core, "change_owner", classes=classes)]
            self.refuse_allow("statement_too_lax", core, approvals, oversight=needed, **classes)

    def test_a_core_that_is_no_core(self):
        for change in (lambda core: core.pop("requester"), lambda core: core.update(more=1), lambda core: core.update(nonce="short"),
                       lambda core: core["execution"].update(executable="kubectl"), lambda core: core.update(schema="countersign.action_request.v1")):
            core = self.broker.core(change=change)
            self.refuse_allow("document_invalid", core, self.approvals)

    def test_another_agent_of_the_same_appliance(self):
        """Its principal is Eve: Paul does not become somebody else by it."""
        core = self.broker.core(change=lambda core: core["purpose_request"].update(actor=OTHER_ENTITY))
        self.refuse_allow("statement_mismatch", core, self.approvals, "/statements/0/action")
        honest = self.broker.core(change=lambda core: core["purpose_request"].update(actor=OTHER_ENTITY), requester=person_id("eve"))
        honest, approvals = self.broker.papers(honest)
        self.sign(self.broker.statement(honest, approvals), honest, approvals)


class EveryClass(BrokenCase):
    """Each class of the policy whose actions need people: without exactly those people nothing comes out."""

    def commands(self):
        """An action core for each capability whose command fits its class, where there is such a command."""
        requests = {"k8s.deployment.rollback": "rollback", "k8s.config.apply": "config", "k8s.secret.rotate": "rollback"}
        for entry in self.world.policy["action_classes"]:
            for name in entry["capabilities"]:
                if name == "k8s.nodepool.scale":
                    def scale(core):
                        capability("k8s.nodepool.scale")(core)
                        core["proposed_action"]["action_declaration"]["reversibility"] = "reversible"
                        core["execution"].update(executable="/usr/bin/eksctl", arguments=[
                            "scale", "nodegroup", "--cluster", "prod-eu-1", "--name", "web", "--nodes", "5"])
                        core["rollback"] = copy.deepcopy(core["execution"])
                    yield entry, self.broker.core("restart", scale)
                elif name in requests:
                    yield entry, self.broker.core(requests[name], capability(name))
                elif entry["level"] == 2:
                    self.fail(f"no command for the class of {name}")

    def test_nothing_comes_out_without_the_people(self):
        other_core, other_approvals = self.broker.papers()
        seen = set()
        for action_class, core in self.commands():
            classes = {"action_class": action_class["id"], "change_class": action_class["reversibility"]}
            two = action_class["reversibility"] == "irreversible"
            members = {**classes, "oversight": "two_person" if two else "single_approver"}
            engineer = self.broker.decide("ada", core, "engineer", classes=classes)
            owner = self.broker.decide("carl", core, "change_owner", classes=classes)
            wrong = {**classes, "action_class": "restart-stateless-service" if not two else "deploy-config"}
            cases = [("no approvals", "approval_missing", []),
                     ("wrong role", "approval_slot", [owner] if not two else [self.broker.decide("eve", core, "engineer", classes=classes), engineer]),
                     ("role not held", "approval_role_not_held", [self.broker.decide("carl", core, "engineer", classes=classes)]),
                     ("approvals of another action", "approval_other_action", other_approvals[:2 if two else 1]),
                     ("approvals of another class", "approval_other_class", [self.broker.decide("ada", core, "engineer", classes=wrong)])]
            if two:
                cases += [("one approval", "approval_missing", [engineer]), ("the other alone", "approval_missing", [owner])]
            for what, code, approvals in cases:
                for form in (JWS, TLOG):
                    with self.subTest(action_class["id"], what=what, form=form):
                        self.refuse(code, self.broker.statement(core, approvals, **members), core, approvals, form)
            for oversight in ("none", "single_approver") if two else ("none",):
                for approvals in ([], [engineer]):
                    with self.subTest(action_class["id"], claimed=oversight):
                        self.refuse_allow("statement_too_lax", core, approvals, **{**members, "oversight": oversight})
            honest = [engineer, owner] if two else [engineer]
            self.sign(self.broker.statement(core, honest, **members), core, honest)
            seen.add(action_class["id"])
        self.assertEqual(seen, {entry["id"] for entry in self.world.policy["action_classes"] if entry["level"] == 2})


class Versions(BrokenCase):
    """Policy and trust set are the signer's own."""

    @classmethod
    def setUpClass(cls):
        cls.core, cls.approvals = cls.broker.papers()

    def test_another_or_an_older_policy(self):
        old = address(self.world.version(self.world.policy_directory, 1))
        for policy in (old, SOMETHING):
            self.refuse_allow("statement_other_policy", self.core, self.approvals, policy=policy)
        core, approvals = self.broker.papers(self.broker.core(policy=old))
        self.refuse_allow("statement_other_policy", core, approvals, "/statements/0/action")

    def test_another_or_an_older_trust_set(self):
        for trust_set in (address(self.world.version(self.world.trust_directory, number)) for number in (1, 2)):
            self.refuse_allow("statement_other_trust_set", self.core, self.approvals, trust_set=trust_set)
        self.refuse_allow("statement_other_trust_set", self.core, self.approvals, trust_set=SOMETHING)

    def test_versions_that_are_not_in_force_as_leaves(self):
        broker, world = self.broker, self.world
        for kind, code, directory in (("trust_set", "statement_other_trust_set", world.trust_directory),
                                      ("policy", "statement_other_policy", world.policy_directory)):
            for subject in (SOMETHING, address(world.version(directory, 1))):
                self.refuse(code, broker.of_version(kind, subject), form=TLOG, path="/statements/0/subject")
        self.refuse("statement_evidence", broker.of_version("policy", address(world.policy)), form=TLOG, sealed=world.policy)


class Kinds(BrokenCase):
    """The closed table: what is not in it is never signed."""

    @classmethod
    def setUpClass(cls):
        cls.core, cls.approvals = cls.broker.papers()

    def test_kinds_without_a_row(self):
        for kind in ("outcome", "event", "binding", "guard", "stop", "handover", "resume"):
            for form in (JWS, TLOG):
                self.refuse("statement_shape", self.broker.of_version(kind, SOMETHING), form=form)
                self.refuse("statement_shape", self.broker.statement(self.core, self.approvals, kind=kind), self.core, self.approvals, form)
        self.refuse_allow("document_invalid", self.core, self.approvals, kind="permission")

    def test_mode_and_outcome(self):
        for members in ({"mode": "shadow"}, {"outcome": "simulated_allow"}, {"mode": "shadow", "outcome": "simulated_allow"}, {"mode": None},
                        {"outcome": None}, {"outcome": "approved"}, {"outcome": "executed"}, {"outcome": "require_approval"}):
            for form in (JWS, TLOG):
                with self.subTest(str(members), form=form):
                    self.refuse("statement_shape", self.broker.statement(self.core, self.approvals, **members), self.core, self.approvals, form)

    def test_form(self):
        self.refuse("statement_shape", self.broker.refusal(self.core), self.core, form=JWS)
        for kind, version in (("trust_set", self.world.trust_set), ("policy", self.world.policy)):
            self.refuse("statement_shape", self.broker.of_version(kind, address(version)), form=JWS)
        approval = self.approvals[0]
        leaf = self.broker.statement(self.core, kind="approval", subject=address(approval), outcome="approved", not_after=None)
        self.refuse("statement_shape", leaf, self.core, [approval], JWS)

    def test_members_that_must_be_null_or_must_not(self):
        for members in ({"action": None}, {"action_class": None}, {"change_class": None}, {"oversight": None}):
            self.refuse("statement_shape", self.broker.statement(self.core, self.approvals, **members), self.core, self.approvals)
        for members in ({"constraints": SOMETHING}, {"not_after": now(60)}):
            self.refuse("statement_shape", self.broker.refusal(self.core, **members), self.core, form=TLOG)
        self.refuse("statement_shape", self.broker.of_version("policy", address(self.world.policy), action=SOMETHING), form=TLOG)

    def test_members_of_its_own(self):
        for members in ({"more": 1}, {"nonce": "0"}, {"subject": "sha256:" + "A" * 64}, {"approvals": ["nobody"]}, {"schema": "kye.approval_decision.v1"}):
            self.refuse("document_invalid", {**self.broker.statement(self.core, self.approvals), **members}, self.core, self.approvals)
        without = self.broker.statement(self.core, self.approvals)
        del without["not_after"]
        self.refuse("document_invalid", without, self.core, self.approvals)
        unsorted = self.broker.statement(self.core, self.approvals)
        unsorted["approvals"].reverse()
        self.refuse("statement_shape", unsorted, self.core, self.approvals)

    def test_an_approval_is_sealed_as_what_it_is(self):
        approval = self.approvals[0]
        rejection = self.broker.decide("carl", self.core, "change_owner", value="rejected")

        def leaf(decision, **members):
            return self.broker.statement(self.core, kind="approval", **{"subject": address(decision), "outcome": decision["decision"],
                                                                        "not_after": None, **members})
        self.refuse("statement_mismatch", leaf(rejection, outcome="approved"), self.core, [rejection], TLOG, "/statements/0/outcome")
        self.refuse("statement_mismatch", leaf(approval, subject=SOMETHING), self.core, [approval], TLOG, "/statements/0/subject")
        self.refuse("bad_signature", leaf(approval), self.core, [{**approval, "signature": rejection["signature"] | {
            "kid": approval["signature"]["kid"]}}], TLOG)
        self.refuse("statement_evidence", leaf(approval), self.core, [], TLOG)
        self.refuse("statement_evidence", leaf(approval), self.core, self.approvals, TLOG)
        other = self.broker.core()
        self.refuse("approval_other_action", {**leaf(rejection), "action": address(other)}, other, [rejection], TLOG)

    def test_a_refusal_lists_only_what_people_signed(self):
        forged = {**self.approvals[0], "rationale": "whatever"}
        self.refuse("bad_signature", self.broker.refusal(self.core, [forged]), self.core, [forged], TLOG)
        self.refuse("statement_evidence", self.broker.refusal(self.core, self.approvals), self.core, [], TLOG)


class Evidence(BrokenCase):
    """All of the evidence, and nothing else."""

    @classmethod
    def setUpClass(cls):
        cls.core, cls.approvals = cls.broker.papers()
        cls.limit = restriction("limit", type="replicas", value=3)
        cls.owe = restriction("owe", type="follow_up_by", value="2026-12-24T12:00:00Z")
        core = cls.restricted_core = cls.broker.core()

        def restrict(*restrictions):
            return lambda decision: decision.update(decision="approved_with_restrictions", restrictions=list(restrictions))
        cls.restricted = [cls.broker.decide("ada", core, "engineer", restrict(cls.limit)),
                          cls.broker.decide("carl", core, "change_owner", restrict(cls.owe))]

    def test_missing_or_too_much(self):
        statement = self.broker.statement(self.core, self.approvals)
        self.refuse("statement_evidence", statement, None, self.approvals)
        self.refuse("statement_evidence", statement, self.core, self.approvals[:1])
        self.refuse("statement_evidence", statement, self.core, self.approvals, sealed=self.core)
        self.refuse("statement_evidence", statement, self.core, self.approvals, constraints=constraints(self.limit))
        self.refuse("statement_evidence", {**statement, "constraints": SOMETHING}, self.core, self.approvals)
        self.refuse("statement_evidence", self.broker.of_version("policy", address(self.world.policy)), self.core, form=TLOG)

    def test_approvals_that_are_not_those_listed(self):
        other = self.broker.decide("eve", self.core, "engineer")
        statement = self.broker.statement(self.core, [other, self.approvals[1]])
        self.refuse("statement_mismatch", statement, self.core, self.approvals, path="/statements/0/approvals")

    def refuse_constraints(self, code, bundle, outcome="allow_with_constraints", **members):
        named = {"constraints": address(bundle) if bundle is not None else None, "outcome": outcome, **members}
        statement = self.broker.statement(self.restricted_core, self.restricted, **named)
        self.refuse(code, statement, self.restricted_core, self.restricted, constraints=bundle)

    def test_constraints_dropped_or_fewer(self):
        self.refuse_constraints("statement_mismatch", None, "allow")
        self.refuse_constraints("statement_mismatch", None)
        self.refuse_constraints("statement_mismatch", constraints(self.limit))
        self.refuse_constraints("statement_mismatch", constraints({**self.limit, "value": 300}, self.owe))

    def test_constraints_and_outcome(self):
        both = constraints(self.limit, self.owe)
        self.refuse_constraints("statement_mismatch", both, "allow")
        self.refuse_constraints("statement_mismatch", both, constraints=SOMETHING)
        backwards = copy.deepcopy(both)
        backwards["restrictions"].reverse()
        self.refuse_constraints("statement_mismatch", backwards)
        self.refuse_constraints("document_invalid", {**both, "more": 1})
        more = constraints(self.limit, self.owe, restriction("gate", type="not_before", value="2026-11-20T00:00:00Z"))
        statement = self.broker.statement(self.restricted_core, self.restricted, outcome="allow_with_constraints", constraints=address(more))
        self.sign(statement, self.restricted_core, self.restricted, constraints=more)

    def test_every_byte(self):
        """One bit of any byte of core and approvals: the frame is malformed, the document another, or the signature wrong."""
        statement = self.broker.statement(self.core, self.approvals)
        data = append_frame(entry(JWS, statement, self.core, self.approvals))
        start = data.index(canonical(statement)) + len(canonical(statement))
        codes = set()
        for place in range(start, len(data)):
            changed = data[:place] + bytes([data[place] ^ 1]) + data[place + 1:]
            with self.assertRaises(Refused) as caught:
                try:
                    self.broker.client.ask(changed)
                except Closed:  # the one before was malformed
                    self.broker.connect()
                    self.broker.client.ask(changed)
            codes.add(caught.exception.code)
        self.assertLessEqual({"bad_frame", "statement_mismatch", "document_invalid", "bad_signature"}, codes)
        self.assertNotIn("internal", codes)


class Time(BrokenCase):
    """The signer's own clock, and never before the last leaf."""

    @classmethod
    def setUpClass(cls):
        cls.core, cls.approvals = cls.broker.papers()

    def test_backdated_or_ahead(self):
        for seconds in (-3600, -32, 35, 3600):
            self.refuse_allow("statement_time", self.core, self.approvals, "/statements/0/issued_at", issued_at=now(seconds), not_after=now(5))
        self.refuse_allow("document_invalid", self.core, self.approvals, issued_at="yesterday")

    def test_before_the_last_leaf(self):
        self.broker.deny()
        self.refuse_allow("statement_time", self.core, self.approvals, "/statements/0/issued_at", issued_at=now(-2))
        with self.broker.refused(self, "statement_time", "/statements/1/issued_at"):
            self.broker.batch(*[lambda seconds=seconds: (TLOG, self.broker.refusal(self.core, issued_at=now(seconds)), self.core, ())
                                for seconds in (0, -1)])

    def test_the_end_of_an_allow(self):
        for not_after in (None, now(-1), now(), now(601), now(3600)):
            self.refuse_allow("statement_window", self.core, self.approvals, "/statements/0/not_after", not_after=not_after)
        self.refuse_allow("document_invalid", self.core, self.approvals, not_after="never")

    def test_the_end_of_an_allow_that_nobody_approved(self):
        core = self.broker.core("restart")
        for not_after in (None, now(-1), now(3700), "9999-12-31T23:59:59Z"):
            self.refuse_allow("statement_window", core, [], "/statements/0/not_after", action_class="restart-stateless-service",
                              not_after=not_after, **ALLOWED_BY_NOBODY)


class Place(BrokenCase):
    """The next index, after exactly the leaves that are there."""

    @classmethod
    def setUpClass(cls):
        cls.core, cls.approvals = cls.broker.papers()

    def refuse_place(self, code, path=None, **members):
        place = self.broker.place()
        place["after"].update({name: members.pop(name) for name in ("size", "root") if name in members})
        place.update(members)
        self.refuse_allow(code, self.core, self.approvals, path, log=place)

    def test_gap_and_fork(self):
        self.broker.deny()
        size = self.broker.log.size
        self.refuse_place("log_gap", "/statements/0/log/index", index=size + 1, size=size + 1)
        self.refuse_place("log_fork", "/statements/0/log/index", index=size - 1, size=size - 1)
        self.refuse_place("log_fork", "/statements/0/log/index", index=0, size=0, root="sha256:" + "e" * 64)
        self.refuse_place("log_gap", index=2 ** 53 - 1, size=2 ** 53 - 1)
        self.refuse_place("statement_shape", "/statements/0/log/after/size", size=size + 1)
        self.refuse_place("document_invalid", index=-1, size=-1)

    def test_another_leaf_where_one_stands(self):
        """The log as it was before the last leaf, continued with another one."""
        self.broker.deny()
        hashes = self.broker.log.hashes
        self.broker.log.hashes = hashes[:-1]
        statement = self.broker.statement(self.core, self.approvals)
        self.broker.log.hashes = hashes
        self.refuse("log_fork", statement, self.core, self.approvals)

    def test_another_tree_head_or_origin(self):
        self.refuse_place("log_fork", "/statements/0/log/after/root", root=SOMETHING)
        self.refuse_place("log_origin", "/statements/0/log/origin", origin="elsewhere.example/log")

    def test_a_batch_with_a_hole(self):
        def later():
            statement = self.broker.refusal(self.core)
            statement["log"]["index"] += 1
            statement["log"]["after"]["size"] += 1
            return TLOG, statement, self.core, ()
        with self.broker.refused(self, "log_gap", "/statements/1/log/index"):
            self.broker.batch(lambda: (TLOG, self.broker.refusal(self.core), self.core, ()), later)
