"""Briefs that lie, signed by an engine whose certificate is good: each is refused for what the approver's own trust set and policy know."""
import copy
import json
import re
import shutil

from appliance import VarlinkError, address, now
from deceived_case import DeceivedCase
from deceiver import YES, changed, pin_of
from forgery import forge

ZERO = "sha256:" + "0" * 64
OTHER_ENTITY = "kye:ent:acme.telemetry"


class Control(DeceivedCase):
    """Without a lie the command asks, so a refusal below is one of the lie."""

    def test_honest(self):
        screen = self.asked()
        self.assertEqual(screen.code, "approval_missing")
        self.assertEqual(screen.broker.methods, ["Show", "OpenBrief"])

    def test_signed_again_by_the_brokers_own_engine(self):
        for again in (self.deceiver.sign, self.deceiver.brief, self.deceiver.everything, lambda reply: self.deceiver.everything(reply, restate=True)):
            self.assertEqual(self.asked(again(self.opened)).code, "approval_missing")

    def test_without_a_module_an_honest_brief_gets_as_far_as_the_token(self):
        broker = self.broker()
        screen = self.command(broker, config=self.world.config_of("ada", module="/nonexistent.so"))
        self.assertEqual((screen.status, screen.code), (3, "module_missing"), screen)
        self.assertIn("THE COMMAND THAT WILL RUN", screen.text)

    def test_what_is_signed_is_what_was_shown(self):
        """A consistent lie is a true question: everything that the broker changed stands on the screen and in what the token signs."""
        core = changed(self.opened["core"], "execution/arguments/7", "--to-revision=666")
        lie = self.deceiver.everything({**self.opened, "core": core})
        ada = self.world.people["ada"]
        screen = self.asked(lie, {**self.shown, "core": core}, script=[YES, pin_of(ada)])
        self.assertEqual(screen.code, "approval_slot")
        self.assertIn('"--to-revision=666"', screen.text)
        self.assertNotIn(self.opened["core"]["execution"]["arguments"][7], screen.text)
        sent = screen.broker.calls[-1][1]
        binding = sent["decision"]["binding"]
        self.assertEqual((binding["action"], binding["brief"], binding["snapshot"]), (address(core), address(lie["brief"]), address(sent["snapshot"])))
        # An address is longer than a line: what wraps belongs together.
        self.assertIn(address(core), re.sub(r"\n +", "", screen.text))
        self.assertEqual(sent["snapshot"]["basis"], address(lie["basis"]))

    def test_the_daemon_knows_no_brief_but_its_own(self):
        """So what an approver signs for somebody else's brief is of no use, the reused name included."""
        lie = self.deceiver.brief(self.opened)
        self.assertEqual(lie["brief"]["id"], self.opened["brief"]["id"])
        ada = self.world.people["ada"]
        screen = self.asked(lie, script=[YES, pin_of(ada)])
        sent = screen.broker.calls[-1][1]
        with self.assertRaises(VarlinkError) as caught:
            self.world.call("Decide", ada.uid, **sent)
        self.assertEqual((caught.exception.code, caught.exception.parameters["path"]), ("approval_binding", "/binding/brief"))


class AnotherAction(DeceivedCase):
    @classmethod
    def setUpClass(cls):
        cls.other_action = cls.world.propose(cls.world.request(change=lambda request: request["provenance"].update(incident_ticket="INC-2"))).json()["id"]
        cls.other_shown, cls.other = cls.honest(cls.other_action)

    def swapped(self, *names):
        return {**self.opened, **{name: copy.deepcopy(self.other[name]) for name in names}}

    def test_one_document_of_another(self):
        self.refused("approval_other_action", self.swapped("core"), "basis/action")
        self.refused("approval_other_action", self.swapped("basis"), "basis/action")
        self.refused("approval_other_action", self.swapped("basis", "brief"), "basis/action")
        self.refused("approval_other_action", self.swapped("core", "brief"), "basis/action")
        self.refused("brief_mismatch", self.swapped("brief"))
        self.refused("brief_mismatch", self.swapped("core", "basis"))

    def test_the_whole_brief_of_another(self):
        """Each page is true, but they are not of one action."""
        self.refused("approval_other_action", self.other, "core")
        self.refused("approval_other_action", self.opened, "core", shown=self.other_shown)

    def test_another_argument(self):
        core = changed(self.opened["core"], "execution/arguments/7", "--to-revision=666")
        self.refused("approval_other_action", {**self.opened, "core": core}, "basis/action")
        self.refused("approval_other_action", self.deceiver.everything({**self.opened, "core": core}), "core")

    def test_another_address(self):
        self.refused("approval_other_action", self.deceiver.sign(changed(self.opened, "basis/action", ZERO)), "basis/action")

    def test_the_same_action_for_another_time(self):
        """The nonce is what makes it another."""
        core = changed(self.opened["core"], "nonce", "0" * 32)
        self.refused("approval_other_action", {**self.opened, "core": core}, "basis/action")
        self.refused("approval_other_action", self.deceiver.everything({**self.opened, "core": core}), "core")


class Pinned(DeceivedCase):
    """What the approval would be bound to is the approver's own."""

    def lie(self, code, path, value, at, compose=None):
        self.refused(code, (compose or self.deceiver.everything)(changed(self.opened, path, value)), at)

    def test_policy(self):
        core = changed(self.opened, "core/policy", ZERO)
        self.refused("approval_other_policy", self.deceiver.everything(core), "core/policy", shown={**self.shown, "core": core["core"]})
        both = changed(core, "basis/state/policy", ZERO)
        self.refused("approval_other_policy", self.deceiver.everything(both), "core/policy", shown={**self.shown, "core": core["core"]})
        self.lie("approval_other_policy", "basis/state/policy", ZERO, "basis/state/policy")

    def test_trust_set(self):
        self.lie("approval_other_trust_set", "basis/state/trust_set", ZERO, "basis/state/trust_set")
        self.lie("address_mismatch", "basis/state/trust_version", 7, "/trust_version")

    def test_audience(self):
        self.lie("approval_other_appliance", "basis/state/audience", "acme.example/other", "basis/state/audience")

    def test_approver_and_role(self):
        self.lie("approval_binding", "basis/approver", "kye:person:acme.eve", "basis/approver")
        self.lie("approval_binding", "basis/role", "change_owner", "basis/role")
        self.lie("approval_binding", "basis/role", "security_officer", "basis/role")

    def test_the_brief_of_another_approver(self):
        _, other = self.honest(self.action, "carl", "change_owner")
        self.refused("approval_binding", other, "basis/approver")
        _, other = self.honest(self.action, "eve", "engineer")
        self.refused("approval_binding", other, "basis/approver")


class Extracts(DeceivedCase):
    """What was read of the trust set equals the approver's own."""

    def test_changed(self):
        def more(actions):
            return [*actions, "anything"]
        for path, value in (
                ("actor/name", "Another agent"), ("actor/state", "suspended"), ("actor/principal", "kye:person:acme.eve"), ("actor/unix_users", ["root"]),
                ("principal/name", "Somebody Else"), ("principal/state", "suspended"), ("principal/roles", []), ("persons/0/name", "Somebody Else"),
                ("persons/0/roles/0/until", "2026-02-01T00:00:00Z"), ("resource/service", "catalog-api"), ("resource/environment", "staging"),
                ("resource/jurisdiction", "US"), ("grants/0/scope/actions", more), ("grants/0/scope/resources", more), ("grants/0/not_after", now(10 ** 9)),
                ("grants/0/revoked_at", now(-60)), ("grants/0/principal", "kye:ent:acme.other"), ("delegations/0/allowed_actions", more),
                ("delegations/0/delegator_entity_id", "kye:person:acme.sam"), ("delegations/0/valid_until", now(10 ** 9)),
                ("delegations/0/requires_approval_for", []), ("delegations/0/status", "revoked"), ("purposes/0/scope/actions", more),
                ("purposes/0/restrictions/max_blast_radius", 5), ("purposes/0/purpose/label", "Anything at all")):
            with self.subTest(path):
                lie = self.deceiver.everything(changed(self.opened, f"basis/state/{path}", value))
                self.refused("address_mismatch", lie, "/" + path.split("/")[0])

    def test_left_out_or_added(self):
        state = self.opened["basis"]["state"]
        for member, value in (("grants", []), ("grants", state["grants"] * 2), ("delegations", []), ("persons", []), ("purposes", []), ("actor", None),
                              ("principal", None), ("resource", None)):
            with self.subTest(member):
                self.refused("address_mismatch", self.deceiver.everything(changed(self.opened, f"basis/state/{member}", value)))

    def test_true_extracts_of_something_else(self):
        """The resource of another service, as the trust set states it."""
        resource = {"id": "kye:res:acme.catalog-api.production", "service": "catalog-api", "environment": "production", "jurisdiction": "GB"}
        self.refused("address_mismatch", self.deceiver.everything(changed(self.opened, "basis/state/resource", resource)), "basis/state")

    def test_an_approval_that_nobody_gave(self):
        approval = {"address": ZERO, "decision": "approved", "approver": "kye:person:acme.carl", "role": "change_owner", "kid": "kye:key:acme.carl.01",
                    "token": {"product": "x", "serial": "1"}, "assurance": "attested", "decided_at": now(-5), "not_after": now(600), "restrictions": []}
        self.refused("address_mismatch", self.deceiver.everything(changed(self.opened, "basis/state/approvals", [approval])), "basis/state")

    def test_an_end_that_nobody_made(self):
        for ended in ("rejected", "expired", "withdrawn", "invalidated"):
            self.refused("address_mismatch", self.deceiver.everything(changed(self.opened, "basis/state/ended", ended)), "basis/state")

    def test_a_core_that_says_otherwise(self):
        """Composed over the true extracts: the core itself contradicts the trust set."""
        for path, value, at in (("requester", "kye:person:acme.eve", "core/requester"), ("execution/target/service", "catalog-api", "core/execution/target"),
                                ("execution/target/environment", "staging", "core/execution/target"),
                                ("execution/target/resource", "kye:res:acme.nowhere", "core/execution/target/resource"),
                                ("purpose_request/actor", "kye:agent:acme.nobody", "core/purpose_request/actor"),
                                ("purpose_request/actor", "kye:agent:acme.canary-watch", "core/purpose_request/actor")):
            with self.subTest(value):
                core = changed(self.opened["core"], path, value)
                lie = self.deceiver.everything({**self.opened, "core": core}, restate=True)
                self.refused("dangling_reference", lie, at, shown={**self.shown, "core": core})

    def test_whom_the_connection_spoke_for(self):
        """That is the appliance's word: the page says what the gate makes of it."""
        lie = self.deceiver.everything(changed(self.opened, "basis/state/caller", "kye:agent:acme.canary-watch"))
        screen = self.asked(lie)
        self.assertIn("NOT PASSED", screen.text)
        self.assertIn("verified  recommended       rejected", screen.text)


class Gate(DeceivedCase):
    def lie(self, code, changes, at=None):
        reply = self.opened
        for path, value in changes.items():
            reply = changed(reply, path, value)
        self.refused(code, self.deceiver.sign(reply), at)

    def test_class_and_oversight(self):
        for member, values in (("action_class", ("deploy-config", "restart-stateless-service", None)), ("change_class", ("reversible", "compensatable", None)),
                               ("oversight", ("single_approver", "none", None)), ("level", (1, 3, 4))):
            for value in values:
                with self.subTest(member, value=value):
                    self.lie("approval_other_class", {f"basis/gate/{member}": value}, "basis/gate")

    def test_the_result(self):
        checks = self.opened["basis"]["gate"]["checks"]
        for path, value in (("outcome", "allow"), ("reason_code", "all_is_well"), ("slots", lambda slots: slots[:1]), ("checks", checks[1:]),
                            ("checks/0/detail", "all is well"), ("checks/3/passed", False), ("finality", "sealed_final")):
            with self.subTest(path):
                self.assertNotEqual(changed(self.opened, f"basis/gate/{path}", value), self.opened)
                self.lie("brief_mismatch", {f"basis/gate/{path}": value})

    def test_a_failed_check_told_as_passed(self):
        """No due diligence at all: the true result recommends to reject, the lie is found."""
        core = changed(self.opened["core"], "due_diligence", None)
        shown = {**self.shown, "core": core}
        true = self.deceiver.everything({**self.opened, "core": core}, restate=True)
        screen = self.asked(true, shown)
        self.assertIn("verified  recommended       rejected", screen.text)
        self.assertIn("NOT PASSED", screen.text)

        def pass_all(checks):
            return [{**check, "passed": True} for check in checks]
        lie = changed(changed(true, "basis/gate/checks", pass_all), "brief/recommended_decision", "approved")
        self.refused("brief_mismatch", self.deceiver.sign(lie), "/gate", shown=shown)
        lie = changed(true, "brief/recommended_decision", "approved")
        self.refused("brief_mismatch", self.deceiver.sign(lie), "/recommended_decision", shown=shown)


class Times(DeceivedCase):
    """All of it composed anew at other times; what the session key's certificate does not cover is not even looked at."""

    def at(self, decided, issued, ends, certificate=None):
        reply, decided_at = self.opened, now(decided)
        for path, value in (("basis/state/at", decided_at), ("basis/gate/decided_at", decided_at), ("basis/consequence_map/generated_at", decided_at),
                            ("basis/issued_at", now(issued)), ("basis/not_after", now(ends))):
            reply = changed(reply, path, value)
        lie = self.deceiver.everything(reply)
        return {**lie, "engine_certificate": certificate} if certificate else lie

    def certificate(self, begins, ends):
        """One that only somebody with the document key can make."""
        made = {**self.deceiver.certificate, "not_before": now(begins), "not_after": now(ends)}
        return forge(self.world.document_key, made)

    def test_in_the_window(self):
        self.assertEqual(self.asked(self.at(-30, -30, 500, self.certificate(-60, 3600))).code, "approval_missing")

    def test_over(self):
        self.refused("approval_expired", self.at(-400, -400, -1, self.certificate(-500, 3600)), "basis/not_after")

    def test_longer_than_an_action_may_wait(self):
        self.refused("approval_window_too_long", self.at(0, 0, 86400, self.certificate(-60, 3600)), "basis/not_after")
        self.refused("approval_window_too_long", self.at(-30, -30, 600, self.certificate(-60, 3600)), "basis/not_after")

    def test_a_result_of_yesterday(self):
        """Screens were fresh then, and a grant had not ended yet."""
        self.refused("approval_window_too_long", self.at(-86400, 0, 600, self.certificate(-60, 3600)), "basis/not_after")

    def test_a_session_key_of_yesterday(self):
        """Its certificate ended; a backdated brief with a long life does not bring it back."""
        self.refused("approval_window_too_long", self.at(-7200, -7200, 500, self.certificate(-10000, -3600)), "basis/not_after")
        self.refused("bad_certificate", self.at(-30, -30, 500, self.certificate(-10000, -3600)), "/engine_certificate")

    def test_later_than_now(self):
        self.refused("approval_early", self.at(400, 400, 900, self.certificate(-60, 3600)), "basis/issued_at")
        self.refused("approval_early", self.at(100, 0, 500, self.certificate(-60, 3600)), "basis/gate/decided_at")

    def test_a_state_of_another_time(self):
        reply = changed(self.opened, "basis/state/at", now(-86400))
        self.refused("brief_mismatch", self.deceiver.everything(reply), "basis/gate/decided_at")


class ConsequenceMap(DeceivedCase):
    def test_altered(self):
        base = "basis/consequence_map/"
        for path, value in (("consequences/0/severity", "low"), ("consequences/0/description", "Nothing much."), ("consequences", []),
                            ("consequences/0/affected_object", "kye:res:acme.other"), ("summary/critical_count", 0), ("target_object/object_id", "x"),
                            ("id", "kye:consequence-map:01KAGJ7XQ2D3E4F5G6H7J8K9ZZ")):
            with self.subTest(path):
                if path == "summary/critical_count":
                    value = self.opened["basis"]["consequence_map"]["summary"]["critical_count"] + 1
                self.refused("brief_mismatch", self.deceiver.sign(changed(self.opened, base + path, value)))

    def test_in_another_name(self):
        lie = self.deceiver.everything(changed(self.opened, "basis/consequence_map/generated_by", OTHER_ENTITY))
        self.refused("key_entity", lie, "basis/consequence_map/generated_by")

    def signed(self, document):
        """A brief over a basis whose map has this signature."""
        reply = changed(self.deceiver.sign(self.opened), "basis/consequence_map", document)
        return {**reply, "brief": self.deceiver.engine.sign({**reply["brief"], "basis": address(reply["basis"])})}

    def test_signatures(self):
        bare = {key: value for key, value in self.opened["basis"]["consequence_map"].items() if key != "signature"}
        stranger = type(self.deceiver.engine)("kye:key:engine.stranger")
        self.refused("bad_signature_form", self.signed(bare), "basis/consequence_map/signature")
        self.refused("key_unknown", self.signed(stranger.sign(bare)), "basis/consequence_map/signature")
        self.refused("bad_signature", self.signed(stranger.sign(bare, kid=self.deceiver.engine.kid)), "basis/consequence_map/signature")
        self.refused("key_unknown", self.signed(forge(self.world.people["ada"], bare)), "basis/consequence_map/signature")
        self.refused("bad_signature", self.signed(forge(self.world.people["ada"], bare, kid=self.deceiver.engine.kid)), "basis/consequence_map/signature")


class Certificate(DeceivedCase):
    def lie(self, code, certificate, at=None):
        self.refused(code, {**self.deceiver.sign(self.opened), "engine_certificate": certificate}, at)

    def forged(self, **changes):
        return forge(self.world.document_key, {**self.deceiver.certificate, **changes})

    def test_content(self):
        """Signed by the document key itself: the rules hold all the same."""
        for at, changes in (("/engine_certificate/origin", {"origin": "acme.example/other"}), ("/engine_certificate/appliance", {"appliance": "kye:ent:acme.other"}),
                            ("/engine_certificate", {"not_before": now(-7200), "not_after": now(-3600)}),
                            ("/engine_certificate", {"not_before": now(60), "not_after": now(3600)}),
                            ("/engine_certificate/not_after", {"not_after": now(2 * 86400)})):
            with self.subTest(changes):
                self.lie("bad_certificate", self.forged(**changes), at)
        self.lie("document_invalid", self.forged(usage="seal"), "engine_certificate/usage")
        self.lie("document_invalid", self.forged(extra=1))
        self.lie("key_unknown", self.forged(kid="kye:key:acme.other"), "brief/signature")

    def test_altered_after_it_was_signed(self):
        for member, value in (("jwk", {**self.deceiver.engine.jwk, "x": "A" * 42 + "E"}), ("kid", "kye:key:acme.other"), ("not_after", now(3600))):
            with self.subTest(member):
                self.lie("bad_signature", {**self.deceiver.certificate, member: value}, "/engine_certificate/signature")

    def test_who_signed_it(self):
        certificate = self.deceiver.certificate
        bare = {key: value for key, value in certificate.items() if key != "signature"}
        document = self.world.document_key.kid
        self.lie("key_unknown", self.deceiver.engine.sign(bare), "/engine_certificate/signature")
        self.lie("bad_signature", self.deceiver.engine.sign(bare, kid=document), "/engine_certificate/signature")
        for name in ("ada", "sam"):
            self.lie("key_unknown", forge(self.world.people[name], bare), "/engine_certificate/signature")
            self.lie("bad_signature", forge(self.world.people[name], bare, kid=document), "/engine_certificate/signature")
        for usage in ("seal", "checkpoint"):
            self.lie("key_unknown", forge(self.world.document_key, bare, kid=document.replace("document", usage), label=usage), "/engine_certificate/signature")
            self.lie("bad_signature", forge(self.world.document_key, bare, label=usage), "/engine_certificate/signature")
        self.lie("bad_signature_form", bare, "/engine_certificate/signature")

    def test_of_another_session(self):
        """The daemon's certificate with what the broker's own key signed, and the reverse."""
        self.lie("key_unknown", self.opened["engine_certificate"], None)
        self.refused("key_unknown", {**self.opened, "engine_certificate": self.deceiver.certificate}, "brief/signature")


class Revoked(DeceivedCase):
    """The approver's trust set is newer than the appliance's: in it the document key is revoked, after it had certified the engine."""

    @classmethod
    def setUpClass(cls):
        cls.directory = cls.world.directory / "newer"
        shutil.copytree(cls.world.trust_directory, cls.directory)
        newest = json.loads(cls.world.newest(cls.directory).read_text())
        plan = {key: value for key, value in newest.items() if key not in ("schema", "id", "version", "previous", "issued_at", "signatures")}
        for key in plan["keys"]:
            if key["usage"] == "document":
                key["revocation"] = {"at": now(), "reason": "lost", "invalid_from": None, "last_trusted_checkpoint": None}
        path = cls.world.directory / "newer-plan.json"
        path.write_text(json.dumps(plan))
        cls.world.add_version("trust-set", path, cls.directory, ("sam", "lena"))
        cls.directory.chmod(0o755)

    def test_a_document_key_that_was_revoked_since(self):
        versions = [json.loads(path.read_text()) for path in sorted(self.directory.glob("*.json"))]
        kept, self.deceiver.trust_file = self.deceiver.trust_file, self.world.directory / "newer.json"
        self.deceiver.trust_file.write_text(json.dumps(versions))
        try:
            reply = changed(changed(self.opened, "basis/state/trust_set", address(versions[-1])), "basis/state/trust_version", len(versions))
            lie = self.deceiver.everything(reply, restate=True)
        finally:
            self.deceiver.trust_file = kept
        config = self.world.config_of("ada", module="/nonexistent.so", trust_directory=str(self.directory))
        broker = self.broker(lie)
        self.assert_refused(self.command(broker, config=config), "key_revoked", path="/engine_certificate/signature/kid")
        self.assertNotIn("Decide", broker.methods)


class Brief(DeceivedCase):
    def test_something_else_than_the_documents_give(self):
        for path, value in (
                ("proposed_action/summary", "Restart a stateless service"), ("proposed_action/action_id", "kye:proposed-action:acme:other"),
                ("recommended_decision", "rejected"), ("risk_level", "low"), ("actor", "kye:agent:acme.other"), ("actor_kind", "person"),
                ("principal", "kye:person:acme.eve"), ("authority_chain", []), ("authority_chain/0", "kye:authority:acme.other"),
                ("scope/service", "catalog-api"), ("scope/environment", "staging"), ("scope/resource", "kye:res:acme.other"), ("state", "fine"),
                ("recommended_controls", []), ("role", "change_owner"), ("approver", "kye:person:acme.eve"), ("validity/not_after", now(86400)),
                ("validity/not_before", now(-86400)), ("issued_at", now(-86400)), ("supporting_scenario_runs", ["kye:scenario-run:acme.fine"]),
                ("approver_decision_right", "kye:decision-right:auditor"), ("id", "kye:approval-brief:01KAGJ7XQ2D3E4F5G6H7J8K9ZZ"),
                ("knowledge_snapshot_id", "kye:approver-knowledge-snapshot:01KAGJ7XQ2D3E4F5G6H7J8K9ZZ"),
                ("consequence_map_id", "kye:consequence-map:01KAGJ7XQ2D3E4F5G6H7J8K9ZZ")):
            with self.subTest(path):
                self.refused("brief_mismatch", self.deceiver.sign(changed(self.opened, f"brief/{path}", value)), "/" + path.split("/")[0])

    def test_of_another_basis(self):
        reply = self.deceiver.sign(self.opened)
        self.refused("brief_mismatch", {**reply, "brief": self.deceiver.engine.sign({**reply["brief"], "basis": ZERO})}, "/basis")

    def test_in_another_name(self):
        self.refused("key_entity", self.deceiver.sign(changed(self.opened, "brief/issued_by", OTHER_ENTITY)), "brief/issued_by")

    def test_signatures(self):
        reply = self.deceiver.sign(self.opened)
        brief = {key: value for key, value in reply["brief"].items() if key != "signature"}
        stranger = type(self.deceiver.engine)("kye:key:engine.stranger")
        ada, engine = self.world.people["ada"], self.deceiver.engine.kid
        for code, signed in (("bad_signature_form", brief), ("key_unknown", stranger.sign(brief)), ("bad_signature", stranger.sign(brief, kid=engine)),
                             ("key_unknown", forge(ada, brief)), ("bad_signature", forge(ada, brief, kid=engine)),
                             ("algorithm_mismatch", changed(reply["brief"], "signature/alg", "ES256")),
                             ("bad_signature", changed(reply["brief"], "risk_level", "low")),
                             ("document_invalid", changed(reply["brief"], "signature/value_b64", lambda text: text + "=="))):
            with self.subTest(code):
                self.refused(code, {**reply, "brief": signed})


class Shapes(DeceivedCase):
    def test_extra_members(self):
        for path in ("core/x", "core/execution/x", "core/provenance/x", "basis/x", "basis/gate/x", "basis/state/x", "basis/consequence_map/x",
                     "basis/consequence_map/consequences/0/x", "brief/x", "brief/scope/x", "brief/signature/x", "engine_certificate/x",
                     "engine_certificate/jwk/d", "basis/state/facts/x"):
            with self.subTest(path):
                self.refused("document_invalid", changed(self.opened, path, 1))

    def test_missing_or_of_another_type(self):
        for name in ("core", "basis", "brief", "engine_certificate"):
            for value in (None, [], "x", 1, True, {}):
                with self.subTest(name, value=value):
                    self.refused("document_invalid", {**self.opened, name: value}, name if not isinstance(value, dict) else None)
            self.refused("document_invalid", {key: value for key, value in self.opened.items() if key != name}, name)
        self.refused("document_invalid", {})

    def test_scenario_runs_and_facts_that_nobody_defined(self):
        for member in ("scenario_runs", "facts"):
            self.refused("document_invalid", changed(self.opened, f"basis/{member}", [{"risk": "none"}]), f"basis/{member}")

    def test_facts_are_the_appliances_word(self):
        lie = self.deceiver.everything(changed(self.opened, "basis/state/facts", {"requests_last_minute": 4711}))
        self.assertIn("claimed   requests/minute   4711 by this agent, says the appliance", self.asked(lie).text)

    def test_too_large(self):
        for path, value in (("core/execution/arguments", ["x" * 1000] * 80), ("basis/state/actor/unix_users", ["x" * 1000] * 100),
                            ("brief/recommended_controls", ["x" * 2000] * 60), ("engine_certificate/entity", "kye:ent:" + "x" * 20000)):
            with self.subTest(path):
                self.refused("too_large", changed(self.opened, path, value), path.split("/")[0])


__all__ = ["AnotherAction", "Brief", "Certificate", "ConsequenceMap", "Control", "Extracts", "Gate", "Pinned", "Revoked", "Shapes", "Times"]
