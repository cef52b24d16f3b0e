/*
 * A broken broker against the approver: it holds the engine's key, so everything that it changes is
 * signed again. What the approver's own trust set and policy do not bear out is refused with its
 * own error.
 */
#include <stdarg.h>
#include <stddef.h>
#include <setjmp.h>
#include <stdint.h>
#include <cmocka.h>

#include "appliance/command/engine.c"
#include "appliance/command/review.c"
#include "core/jose.h"
#include "tests/fixture/case.h"

#include <sodium.h>

static struct cs_world *world;

static struct cs_approver approver_for(const char *person)
{
	return (struct cs_approver){
		.person = person,
		.audience = CS_WORLD_ORIGIN,
		.registry = cs_world_registry(world),
		.trust = (struct cs_trust *)(uintptr_t)cs_world_trust(world),
		.policy = (struct cs_policy *)(uintptr_t)cs_world_policy(world),
	};
}

static void sign(json_t *doc, const struct cs_signer *signer)
{
	assert_int_equal(cs_inline_sign(doc, signer, false), CS_OK);
}

static const struct cs_signer *engine(void)
{
	return cs_world_appliance(world, CS_USAGE_ENGINE);
}

/* What OpenBrief answers when nothing is wrong. */
static json_t *reply_for(const json_t *core, const char *person, const char *role)
{
	json_t *basis = cs_case_basis(world, core, person, role);
	json_t *brief = cs_case_brief(world, core, basis);

	sign(brief, engine());
	return json_pack("{s:O, s:o, s:o, s:O}", "core", core, "basis", basis, "brief", brief,
		"engine_certificate", cs_world_engine_certificate(world));
}

static json_t *rollback_reply(void)
{
	json_t *core = cs_world_core(world, "rollback", NULL);
	json_t *reply = reply_for(core, CS_WORLD_ADA, "engineer");

	json_decref(core);
	/* Documents of the world are borrowed: changes go to a copy. */
	json_t *copy = json_deep_copy(reply);
	json_decref(reply);
	return copy;
}

static void expect_at(
	enum cs_err expected, json_t *reply, const char *role, cs_time now, const char *path)
{
	struct cs_approver own = approver_for(CS_WORLD_ADA);
	CS_CLEANUP_REVIEW struct cs_review review = {0};
	struct cs_fault fault = {{0}};
	enum cs_err err = cs_review_open(&own, reply, role, now, &review, &fault);

	if (err != expected)
		print_error("%s at '%s': %s\n", cs_err_name(err), fault.path, fault.detail);
	assert_int_equal(err, expected);
	if (path != NULL)
		assert_string_equal(fault.path, path);
	json_decref(reply);
}

static void expect(enum cs_err expected, json_t *reply, const char *path)
{
	expect_at(expected, reply, "engineer", CS_WORLD_NOW, path);
}

/* The broker changes one thing and signs map, basis' brief and all again with the engine's key. */
static json_t *changed(const char *path, const char *value)
{
	json_t *reply = rollback_reply();
	json_t *basis;
	json_t *brief;
	char address[CS_ADDRESS_TEXT];

	cs_world_set(reply, path, value);
	basis = json_object_get(reply, "basis");
	brief = json_object_get(reply, "brief");
	sign(json_object_get(basis, "consequence_map"), engine());
	assert_int_equal(cs_address_of(basis, address), CS_OK);
	if (strncmp(path, "brief/", 6) != 0)
		json_object_set_new(brief, "basis", json_string(address));
	sign(brief, engine());
	return reply;
}

static void an_honest_brief_opens(void **unused)
{
	struct cs_approver own = approver_for(CS_WORLD_ADA);
	CS_CLEANUP_REVIEW struct cs_review review = {0};
	json_t *reply = rollback_reply();
	struct cs_fault fault = {{0}};
	char address[CS_ADDRESS_TEXT];
	(void)unused;

	assert_int_equal(
		cs_review_open(&own, reply, "engineer", CS_WORLD_NOW, &review, &fault), CS_OK);
	assert_int_equal(cs_address_of(json_object_get(reply, "core"), address), CS_OK);
	assert_string_equal(review.action, address);
	assert_string_equal(review.role, "engineer");
	assert_int_equal(review.oversight.kind, CS_OVERSIGHT_TWO_PERSON);
	assert_int_equal(review.oversight.slot_count, 2);
	assert_int_equal(review.issued_at, CS_WORLD_NOW);
	json_decref(reply);
}

static void another_core_is_refused(void **unused)
{
	(void)unused;

	expect(CS_E_APPROVAL_ACTION, changed("core/execution/arguments/0", "\"delete\""),
		"basis/action");
	expect(CS_E_APPROVAL_ACTION, changed("core/nonce", "\"00000000000000000000000000000000\""),
		"basis/action");
	expect(CS_E_APPROVAL_ACTION,
		changed("basis/action",
			"\"sha256:"
			"0000000000000000000000000000000000000000000000000000000000000000\""),
		"basis/action");
}

static void what_is_not_pinned_is_refused(void **unused)
{
	static const char zero[] =
		"\"sha256:0000000000000000000000000000000000000000000000000000000000000000\"";
	json_t *core = cs_world_core(world, "rollback", "policy", zero, NULL);
	json_t *reply = rollback_reply();
	json_t *basis = json_object_get(reply, "basis");
	char action[CS_ADDRESS_TEXT];
	(void)unused;

	/* A core for another policy, whose address the basis names. */
	assert_int_equal(cs_address_of(core, action), CS_OK);
	json_object_set_new(reply, "core", core);
	json_object_set_new(basis, "action", json_string(action));
	expect(CS_E_APPROVAL_POLICY, reply, "core/policy");

	expect(CS_E_APPROVAL_POLICY, changed("basis/state/policy", zero), "basis/state/policy");
	expect(CS_E_APPROVAL_TRUST_SET, changed("basis/state/trust_set", zero),
		"basis/state/trust_set");
	expect(CS_E_APPROVAL_AUDIENCE, changed("basis/state/audience", "\"acme.example/other\""),
		"basis/state/audience");
	expect(CS_E_APPROVAL_BINDING, changed("basis/approver", "\"" CS_WORLD_EVE "\""),
		"basis/approver");
	expect(CS_E_APPROVAL_BINDING, changed("basis/role", "\"change_owner\""), "basis/role");
	expect(CS_E_ADDRESS_MISMATCH, changed("basis/state/principal/name", "\"Somebody Else\""),
		NULL);
	expect(CS_E_ADDRESS_MISMATCH, changed("basis/state/actor/state", "\"suspended\""), NULL);
	expect(CS_E_ADDRESS_MISMATCH, changed("basis/state/resource/service", "\"catalog-api\""),
		NULL);
	expect(CS_E_ADDRESS_MISMATCH,
		changed("basis/state/grants/0/scope/actions/+", "\"anything\""), NULL);
}

/* The broker composes everything again after it changed the basis. */
static json_t *recomposed(const char *path, const char *value)
{
	json_t *reply = rollback_reply();
	json_t *basis = json_object_get(reply, "basis");
	json_t *brief;

	cs_world_set(basis, path, value);
	sign(json_object_get(basis, "consequence_map"), engine());
	brief = cs_case_brief(world, json_object_get(reply, "core"), basis);
	sign(brief, engine());
	json_object_set_new(reply, "brief", brief);
	return reply;
}

/* True extracts of the trust set, but not those of this action. */
static void a_state_of_something_else_is_refused(void **unused)
{
	static const char *const emptied[] = {"purposes", "grants", "delegations", "persons"};
	char path[64];
	(void)unused;

	expect(CS_E_ADDRESS_MISMATCH, changed("basis/state/ended", "\"rejected\""), "basis/state");
	expect(CS_E_ADDRESS_MISMATCH, changed("basis/state/trust_version", "7"), "/trust_version");
	for (size_t i = 0; i < sizeof emptied / sizeof emptied[0]; i++) {
		snprintf(path, sizeof path, "basis/state/%s", emptied[i]);
		expect(CS_E_ADDRESS_MISMATCH, changed(path, "[]"), NULL);
	}
	json_t *reply = rollback_reply();
	json_t *state = json_object_get(json_object_get(reply, "basis"), "state");
	json_object_set_new(state, "resource", json_null());
	expect(CS_E_ADDRESS_MISMATCH, reply, NULL);
	/* Whom the connection spoke for is the appliance's to say; the gate then says no. */
	expect(CS_E_BRIEF_MISMATCH, changed("basis/state/caller", "\"kye:agent:acme.other\""),
		"/gate");
}

/* A core with this change, about which everything is composed and signed as an appliance would. */
static json_t *consistent(const char *path, const char *value)
{
	json_t *core = cs_world_core(world, "rollback", path, value, NULL);
	json_t *reply = reply_for(core, CS_WORLD_ADA, "engineer");

	json_decref(core);
	return reply;
}

static void a_core_that_lies_about_the_world_is_refused(void **unused)
{
	(void)unused;

	expect(CS_E_TRUST_REFERENCE, consistent("requester", "\"" CS_WORLD_EVE "\""),
		"core/requester");
	expect(CS_E_TRUST_REFERENCE, consistent("execution/target/service", "\"catalog-api\""),
		"core/execution/target");
	expect(CS_E_TRUST_REFERENCE, consistent("execution/target/environment", "\"staging\""),
		"core/execution/target");
	expect(CS_E_TRUST_REFERENCE,
		consistent("execution/target/resource", "\"kye:res:acme.nowhere\""),
		"core/execution/target/resource");
	expect(CS_E_TRUST_REFERENCE,
		consistent("purpose_request/actor", "\"kye:agent:acme.nobody\""),
		"core/purpose_request/actor");
	/* Canary watch is suspended. */
	expect(CS_E_TRUST_REFERENCE,
		consistent("purpose_request/actor", "\"kye:agent:acme.canary-watch\""),
		"core/purpose_request/actor");
}

static void another_class_is_refused(void **unused)
{
	(void)unused;

	expect(CS_E_APPROVAL_CLASS, changed("basis/gate/action_class", "\"deploy-config\""),
		"basis/gate");
	expect(CS_E_APPROVAL_CLASS, changed("basis/gate/action_class", "null"), "basis/gate");
	expect(CS_E_APPROVAL_CLASS, changed("basis/gate/change_class", "\"reversible\""),
		"basis/gate");
	expect(CS_E_APPROVAL_CLASS, changed("basis/gate/oversight", "\"single_approver\""),
		"basis/gate");
	expect(CS_E_APPROVAL_CLASS, changed("basis/gate/level", "4"), "basis/gate");
}

static void what_the_documents_do_not_give_is_refused(void **unused)
{
	static const struct {
		const char *path;
		const char *value;
	} rows[] = {
		{"basis/gate/checks/0/passed", "false"},
		{"basis/gate/checks/0/detail", "\"all is well\""},
		{"basis/gate/outcome", "\"allow\""},
		{"basis/gate/slots/1", NULL},
		{"basis/gate/reason_code", "\"admissible_indeed\""},
		{"basis/consequence_map/consequences/0/severity", "\"low\""},
		{"basis/consequence_map/consequences/0/description", "\"nothing much\""},
		{"basis/consequence_map_id", "\"kye:consequence-map:01KAGJ7XQ2D3E4F5G6H7J8K9ZZ\""},
		{"basis/snapshot",
			"\"kye:approver-knowledge-snapshot:01KAGJ7XQ2D3E4F5G6H7J8K9ZZ\""},
		{"brief/proposed_action/summary", "\"Restart a stateless service\""},
		{"brief/recommended_decision", "\"rejected\""},
		{"brief/risk_level", "\"low\""},
		{"brief/actor", "\"kye:agent:acme.other\""},
		{"brief/actor_kind", "\"person\""},
		{"brief/principal", "\"" CS_WORLD_EVE "\""},
		{"brief/authority_chain/0", "\"kye:authority:acme.other\""},
		{"brief/scope/environment", "\"staging\""},
		{"brief/state", "\"fine\""},
		{"brief/recommended_controls/0", NULL},
		{"brief/role", "\"change_owner\""},
		{"brief/approver", "\"" CS_WORLD_EVE "\""},
		{"brief/validity/not_after", "\"2027-01-01T00:00:00Z\""},
		{"brief/basis",
			"\"sha256:"
			"0000000000000000000000000000000000000000000000000000000000000000\""},
		{"brief/knowledge_snapshot_id",
			"\"kye:approver-knowledge-snapshot:01KAGJ7XQ2D3E4F5G6H7J8K9ZZ\""},
		{"brief/supporting_scenario_runs/+", "\"kye:scenario-run:acme.fine\""},
	};
	(void)unused;

	for (size_t i = 0; i < sizeof rows / sizeof rows[0]; i++)
		expect(CS_E_BRIEF_MISMATCH, changed(rows[i].path, rows[i].value), NULL);
}

static void only_the_certified_engine_signs(void **unused)
{
	const struct cs_signer *stranger =
		cs_world_stranger(world, CS_ALG_EDDSA, "kye:key:acme.stranger");
	json_t *reply = rollback_reply();
	(void)unused;

	sign(json_object_get(reply, "brief"), stranger);
	expect(CS_E_KEY_UNKNOWN, reply, "brief/signature");
	reply = rollback_reply();
	json_object_del(json_object_get(reply, "brief"), "signature");
	expect(CS_E_SIGNATURE_FORM, reply, "brief/signature");
	reply = rollback_reply();
	sign(json_object_get(json_object_get(reply, "basis"), "consequence_map"), stranger);
	expect(CS_E_KEY_UNKNOWN, reply, "basis/consequence_map/signature");
	reply = changed("brief/issued_by", "\"kye:ent:acme.other\"");
	expect(CS_E_KEY_ENTITY, reply, "brief/issued_by");
	expect(CS_E_KEY_ENTITY,
		changed("basis/consequence_map/generated_by", "\"kye:ent:acme.other\""),
		"basis/consequence_map/generated_by");
	/* Signed by the engine over something else. */
	reply = rollback_reply();
	json_object_set_new(
		json_object_get(reply, "brief"), "issued_at", json_string("2026-11-20T09:59:59Z"));
	expect(CS_E_SIGNATURE, reply, "brief/signature");
}

/* A certificate with this change, signed by `signer`; the engine stays the same. */
static json_t *certified(const char *path, const char *value, const struct cs_signer *signer)
{
	json_t *reply = rollback_reply();
	json_t *certificate = json_object_get(reply, "engine_certificate");

	if (path != NULL)
		cs_world_set(certificate, path, value);
	sign(certificate, signer);
	return reply;
}

static void only_the_document_key_certifies(void **unused)
{
	const struct cs_signer *document = cs_world_appliance(world, CS_USAGE_DOCUMENT);
	(void)unused;

	expect(CS_OK, certified(NULL, NULL, document), NULL);
	expect(CS_E_KEY_UNKNOWN, certified(NULL, NULL, engine()), "/engine_certificate/signature");
	expect(CS_E_KEY_UNKNOWN, certified(NULL, NULL, cs_world_appliance(world, CS_USAGE_SEAL)),
		"/engine_certificate/signature");
	expect(CS_E_KEY_UNKNOWN, certified(NULL, NULL, cs_world_person(world, CS_WORLD_ADA)),
		"/engine_certificate/signature");
	expect(CS_E_CERTIFICATE, certified("origin", "\"acme.example/other\"", document),
		"/engine_certificate/origin");
	expect(CS_E_CERTIFICATE, certified("appliance", "\"kye:ent:acme.other\"", document),
		"/engine_certificate/appliance");
	expect(CS_E_CERTIFICATE, certified("not_after", "\"2026-11-21T09:00:00.001Z\"", document),
		"/engine_certificate/not_after");
	expect(CS_E_CERTIFICATE, certified("not_after", "\"2026-11-20T09:59:59Z\"", document),
		"/engine_certificate");
	expect(CS_E_CERTIFICATE, certified("not_before", "\"2026-11-20T10:00:01Z\"", document),
		"/engine_certificate");
	expect(CS_E_KEY_UNKNOWN, certified("kid", "\"kye:key:acme.other\"", document),
		"brief/signature");
}

static void windows_are_kept(void **unused)
{
	(void)unused;

	expect_at(CS_OK, rollback_reply(), "engineer", CS_WORLD_NOW + 600 * 1000 - 1, NULL);
	expect_at(CS_E_APPROVAL_EXPIRED, rollback_reply(), "engineer", CS_WORLD_NOW + 600 * 1000,
		"basis/not_after");
	expect(CS_OK, recomposed("not_after", "\"2026-11-20T10:09:59Z\""), NULL);
	expect(CS_E_APPROVAL_WINDOW, recomposed("not_after", "\"2026-11-20T10:10:00.001Z\""),
		"basis/not_after");
	expect(CS_OK, recomposed("issued_at", "\"2026-11-20T09:59:59.001Z\""), NULL);
	expect(CS_E_APPROVAL_EARLY, recomposed("issued_at", "\"2026-11-20T09:59:59Z\""),
		"basis/gate/decided_at");
	expect(CS_E_BRIEF_MISMATCH, recomposed("gate/decided_at", "\"2026-11-20T09:59:59Z\""),
		"basis/gate/decided_at");
	expect_at(CS_OK, rollback_reply(), "engineer",
		CS_WORLD_NOW - CS_DECIDED_AHEAD_SECONDS * 1000, NULL);
	expect_at(CS_E_APPROVAL_EARLY, rollback_reply(), "engineer",
		CS_WORLD_NOW - CS_DECIDED_AHEAD_SECONDS * 1000 - 1, "basis/issued_at");
}

static void malformed_documents_are_refused(void **unused)
{
	json_t *reply = rollback_reply();
	(void)unused;

	json_object_del(reply, "basis");
	expect(CS_E_DOCUMENT_INVALID, reply, "basis");
	expect(CS_E_DOCUMENT_INVALID, changed("core/extra", "1"), "core/extra");
	expect(CS_E_DOCUMENT_INVALID, changed("brief/extra", "1"), "brief/extra");
	expect(CS_E_TEXT, changed("core/provenance/hypothesis", "\"fine\\u202eevil\""),
		"core/provenance/hypothesis");
	expect(CS_E_TEXT, changed("core/execution/arguments/0", "\"\\u001b[2J\""),
		"core/execution/arguments/0");
	expect(CS_E_TEXT, changed("brief/proposed_action/summary", "\"a\\u0007\""),
		"brief/proposed_action/summary");
}

static void expect_role(enum cs_err expected, const char *person, const char *request,
	const char *wanted, const char *role)
{
	struct cs_approver own = approver_for(person);
	json_t *core = cs_world_core(world, request, NULL);
	const char *found = NULL;
	struct cs_fault fault = {{0}};
	enum cs_err err = cs_review_role(&own, core, wanted, CS_WORLD_NOW, &found, &fault);

	if (err != expected)
		print_error("%s for %s at '%s': %s\n", cs_err_name(err), person, fault.path,
			fault.detail);
	assert_int_equal(err, expected);
	if (expected == CS_OK)
		assert_string_equal(found, role);
	json_decref(core);
}

static void the_role_is_one_that_the_person_holds(void **unused)
{
	(void)unused;

	expect_role(CS_OK, CS_WORLD_ADA, "rollback", NULL, "engineer");
	expect_role(CS_OK, CS_WORLD_ADA, "rollback", "engineer", "engineer");
	expect_role(CS_OK, CS_WORLD_CARL, "rollback", NULL, "change_owner");
	/* Paul asked for it: of his two roles only the engineer's is left. */
	expect_role(CS_OK, CS_WORLD_PAUL, "rollback", NULL, "engineer");
	expect_role(CS_E_APPROVAL_REQUESTER, CS_WORLD_PAUL, "rollback", "change_owner", NULL);
	expect_role(CS_E_APPROVAL_ROLE, CS_WORLD_ADA, "rollback", "change_owner", NULL);
	expect_role(CS_E_APPROVAL_ROLE, CS_WORLD_SAM, "rollback", NULL, NULL);
	expect_role(CS_E_APPROVAL_SCOPE, CS_WORLD_DORA, "rollback", NULL, NULL);
	expect_role(CS_E_APPROVAL_SLOT, CS_WORLD_LENA, "rollback", "sre_lead", NULL);
	expect_role(CS_E_APPROVAL_SLOT, CS_WORLD_ADA, "restart", NULL, NULL);
}

static int set_up(void **unused)
{
	(void)unused;
	world = cs_world_new(0);
	return 0;
}

static int tear_down(void **unused)
{
	(void)unused;
	cs_world_free(world);
	return 0;
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(an_honest_brief_opens),
		cmocka_unit_test(another_core_is_refused),
		cmocka_unit_test(what_is_not_pinned_is_refused),
		cmocka_unit_test(a_state_of_something_else_is_refused),
		cmocka_unit_test(a_core_that_lies_about_the_world_is_refused),
		cmocka_unit_test(another_class_is_refused),
		cmocka_unit_test(what_the_documents_do_not_give_is_refused),
		cmocka_unit_test(only_the_certified_engine_signs),
		cmocka_unit_test(only_the_document_key_certifies),
		cmocka_unit_test(windows_are_kept),
		cmocka_unit_test(malformed_documents_are_refused),
		cmocka_unit_test(the_role_is_one_that_the_person_holds),
	};

	if (sodium_init() < 0)
		return 1;
	return cmocka_run_group_tests(tests, set_up, tear_down);
}
