/* Briefs, their basis and the approver's snapshot, composed and checked against each other. */
#include <stdarg.h>
#include <stddef.h>
#include <setjmp.h>
#include <stdint.h>
#include <cmocka.h>

#include "core/address.h"
#include "core/jose.h"
#include "core/schema.h"
#include "tests/fixture/case.h"

#include <sodium.h>
#include <string.h>

static struct cs_world *world;

/* The documents that one approver gets. */
struct desk {
	json_t *core, *basis, *brief;
};

static struct desk desk_for(const char *person, const char *role)
{
	struct desk desk = {.core = cs_world_core(world, "rollback", NULL)};

	desk.basis = cs_case_basis(world, desk.core, person, role);
	desk.brief = cs_case_brief(world, desk.core, desk.basis);
	return desk;
}

static void desk_free(struct desk *desk)
{
	json_decref(desk->core);
	json_decref(desk->basis);
	json_decref(desk->brief);
}

static void expect_valid(const char *schema, const json_t *doc)
{
	struct cs_fault fault = {{0}};
	enum cs_err err = cs_schema_check(cs_world_registry(world), schema, doc, &fault);

	if (err != CS_OK)
		print_error(
			"%s: %s at %s: %s\n", schema, cs_err_name(err), fault.path, fault.detail);
	assert_int_equal(err, CS_OK);
}

static void expect_text(const json_t *doc, const char *path, const char *expected)
{
	const char *value = cs_json_text_at(doc, path);

	assert_non_null(value);
	assert_string_equal(value, expected);
}

static void a_brief_has_its_thirteen_slots(void **unused)
{
	struct desk desk = desk_for(CS_WORLD_ADA, "engineer");
	json_t *chain = cs_world_json(
		"[\"kye:authority:acme.sre-autoheal.2026\", \"kye:deleg:acme.sre-autoheal\", "
		"\"" CS_WORLD_LENA "\"]");
	json_t *controls = cs_world_json(
		"[\"identity: each approver signs with an own token\", "
		"\"authorization: quorum of the class, roles in scope of the service\", "
		"\"audit: pack sealed before anything runs\", "
		"\"reversibility: tested rollback plan and rollback command\", "
		"\"two_person: engineer\", \"two_person: change_owner\"]");
	char basis[CS_ADDRESS_TEXT];
	(void)unused;

	expect_valid("countersign.brief_basis.v1", desk.basis);
	expect_valid("kye.approval_brief.v1", desk.brief);
	expect_text(desk.brief, "actor", CS_WORLD_AGENT);
	expect_text(desk.brief, "actor_kind", "ai_agent");
	expect_text(desk.brief, "principal", CS_WORLD_PAUL);
	assert_true(json_equal(json_object_get(desk.brief, "authority_chain"), chain));
	expect_text(desk.brief, "scope/service", "checkout-api");
	expect_text(desk.brief, "scope/environment", "production");
	expect_text(desk.brief, "scope/resource", "kye:res:acme.checkout-api.production");
	expect_text(desk.brief, "state", "actor active; principal active; delegator active");
	expect_text(desk.brief, "proposed_action/action_id",
		"kye:proposed-action:acme:01KAGJ7XQ2D3E4F5G6H7J8K9MA");
	expect_text(desk.brief, "proposed_action/summary",
		"Roll checkout-api in production back from revision 42 to revision 41");
	expect_text(desk.brief, "risk_level", "critical");
	expect_text(desk.brief, "recommended_decision", "approved");
	assert_true(json_equal(json_object_get(desk.brief, "recommended_controls"), controls));
	expect_text(
		desk.brief, "consequence_map_id", cs_json_text(desk.basis, "consequence_map_id"));
	expect_text(desk.brief, "knowledge_snapshot_id", cs_json_text(desk.basis, "snapshot"));
	expect_text(desk.brief, "validity/not_before", CS_WORLD_NOW_TEXT);
	expect_text(desk.brief, "validity/not_after", "2026-11-20T10:10:00Z");

	expect_text(desk.brief, "id", cs_json_text(desk.basis, "brief"));
	expect_text(desk.brief, "approver", CS_WORLD_ADA);
	expect_text(desk.brief, "role", "engineer");
	expect_text(desk.brief, "approver_decision_right", "kye:decision-right:engineer");
	expect_text(desk.brief, "issued_by", CS_WORLD_ENGINE);
	assert_int_equal(cs_address_of(desk.basis, basis), CS_OK);
	expect_text(desk.brief, "basis", basis);
	json_decref(chain);
	json_decref(controls);
	desk_free(&desk);
}

static void composing_twice_gives_the_same_bytes(void **unused)
{
	struct desk one = desk_for(CS_WORLD_ADA, "engineer");
	struct desk two = desk_for(CS_WORLD_ADA, "engineer");
	struct desk carl = desk_for(CS_WORLD_CARL, "change_owner");
	CS_CLEANUP_BYTES struct cs_bytes first = {0}, second = {0};
	(void)unused;

	assert_int_equal(cs_canonical_print(one.brief, &first), CS_OK);
	assert_int_equal(cs_canonical_print(two.brief, &second), CS_OK);
	assert_true(cs_bytes_equal(first.data, first.len, second.data, second.len));
	assert_false(cs_json_same(one.brief, carl.brief));
	desk_free(&one);
	desk_free(&two);
	desk_free(&carl);
}

/* Not the signature of the brief nor that of the map changes what a brief says. */
static void signatures_do_not_count(void **unused)
{
	struct desk desk = desk_for(CS_WORLD_ADA, "engineer");
	struct cs_fault fault = {{0}};
	(void)unused;

	assert_int_equal(
		cs_inline_sign(desk.brief, cs_world_appliance(world, CS_USAGE_ENGINE), false),
		CS_OK);
	assert_int_equal(
		cs_brief_check(desk.core, desk.basis, cs_world_policy(world), desk.brief, &fault),
		CS_OK);
	assert_int_equal(cs_inline_sign(json_object_get(desk.basis, "gate"),
				 cs_world_appliance(world, CS_USAGE_ENGINE), false),
		CS_OK);
	json_t *again = cs_case_brief(world, desk.core, desk.basis);
	assert_int_equal(
		cs_brief_check(desk.core, desk.basis, cs_world_policy(world), again, &fault),
		CS_OK);
	json_decref(again);
	desk_free(&desk);
}

static void a_brief_that_says_otherwise_is_refused(void **unused)
{
	static const struct {
		const char *path, *value, *member;
	} changes[] = {
		{"actor", "\"kye:agent:acme.canary-watch\"", "/actor"},
		{"actor_kind", "\"workflow\"", "/actor_kind"},
		{"principal", "\"" CS_WORLD_ADA "\"", "/principal"},
		{"authority_chain/1", NULL, "/authority_chain"},
		{"scope/environment", "\"staging\"", "/scope"},
		{"state", "\"actor ended\"", "/state"},
		{"proposed_action/summary", "\"Roll back\"", "/proposed_action"},
		{"risk_level", "\"low\"", "/risk_level"},
		{"recommended_decision", "\"rejected\"", "/recommended_decision"},
		{"recommended_controls", "[]", "/recommended_controls"},
		{"consequence_map_id", "\"kye:consequence-map:another\"", "/consequence_map_id"},
		{"knowledge_snapshot_id", "\"kye:approver-knowledge-snapshot:another\"",
			"/knowledge_snapshot_id"},
		{"validity/not_after", "\"2027-11-20T11:00:00Z\"", "/validity"},
		{"approver", "\"" CS_WORLD_CARL "\"", "/approver"},
		{"role", "\"change_owner\"", "/role"},
		{"basis",
			"\"sha256:"
			"0000000000000000000000000000000000000000000000000000000000000000\"",
			"/basis"},
		{"issued_at", "\"2026-11-20T10:00:01Z\"", "/issued_at"},
		{"issued_by", NULL, "/issued_by"},
		{"risk_level", NULL, "/risk_level"},
		{"extra", "1", "/extra"},
	};
	(void)unused;

	for (size_t i = 0; i < sizeof changes / sizeof changes[0]; i++) {
		struct desk desk = desk_for(CS_WORLD_ADA, "engineer");
		struct cs_fault fault = {{0}};

		assert_int_equal(cs_brief_check(desk.core, desk.basis, cs_world_policy(world),
					 desk.brief, &fault),
			CS_OK);
		cs_world_set(desk.brief, changes[i].path, changes[i].value);
		assert_int_equal(cs_brief_check(desk.core, desk.basis, cs_world_policy(world),
					 desk.brief, &fault),
			CS_E_BRIEF_MISMATCH);
		assert_string_equal(fault.path, changes[i].member);
		desk_free(&desk);
	}
}

/*
 * A broker that hands out a result or a map that the documents do not give gets no brief composed
 * from it.
 */
static void a_basis_that_says_otherwise_is_refused(void **unused)
{
	static const struct {
		const char *path, *value, *where;
	} changes[] = {
		{"action",
			"\"sha256:"
			"0000000000000000000000000000000000000000000000000000000000000000\"",
			"/action"},
		{"gate/outcome", "\"allow\"", "/gate"},
		{"gate/change_class", "\"reversible\"", "/gate"},
		{"gate/checks/3/passed", "false", "/gate"},
		{"gate/slots", "[]", "/gate"},
		{"gate/decided_at", "\"soon\"", "/gate/decided_at"},
		{"gate/id", NULL, "/gate/id"},
		{"gate", NULL, "/gate/id"},
		{"state/actor/state", "\"suspended\"", "/gate"},
		{"state/principal", "null", "/gate"},
		{"consequence_map/consequences/0/severity", "\"low\"", "/consequence_map"},
		{"consequence_map/summary/critical_count", "0", "/consequence_map"},
		{"consequence_map/id", "\"kye:consequence-map:another\"", "/consequence_map_id"},
		{"consequence_map/generated_at", NULL, "/consequence_map/generated_at"},
		{"consequence_map/generated_by", NULL, "/consequence_map/generated_by"},
		{"consequence_map", "null", "/consequence_map_id"},
	};
	(void)unused;

	for (size_t i = 0; i < sizeof changes / sizeof changes[0]; i++) {
		struct desk desk = desk_for(CS_WORLD_ADA, "engineer");
		struct cs_fault fault = {{0}};
		json_t *brief = NULL;

		cs_world_set(desk.basis, changes[i].path, changes[i].value);
		assert_int_equal(cs_brief_compose(desk.core, desk.basis, cs_world_policy(world),
					 CS_WORLD_ENGINE, &brief, &fault),
			CS_E_BRIEF_MISMATCH);
		assert_string_equal(fault.path, changes[i].where);
		assert_null(brief);
		desk_free(&desk);
	}
}

static void another_core_gives_another_brief(void **unused)
{
	struct desk desk = desk_for(CS_WORLD_ADA, "engineer");
	json_t *other = cs_world_core(
		world, "rollback", "execution/arguments/7", "\"--to-revision=40\"", NULL);
	struct cs_fault fault = {{0}};
	(void)unused;

	assert_int_equal(
		cs_brief_check(other, desk.basis, cs_world_policy(world), desk.brief, &fault),
		CS_E_BRIEF_MISMATCH);
	assert_string_equal(fault.path, "/action");
	json_decref(other);
	desk_free(&desk);
}

static void what_the_gate_refuses_is_not_recommended(void **unused)
{
	json_t *core = cs_world_core(world, "rollback", "due_diligence", "null", NULL);
	json_t *basis = cs_case_basis(world, core, CS_WORLD_ADA, "engineer");
	json_t *brief = cs_case_brief(world, core, basis);
	(void)unused;

	expect_text(brief, "recommended_decision", "rejected");
	json_decref(brief);
	json_decref(basis);
	json_decref(core);
}

static void a_snapshot_hashes_what_was_shown(void **unused)
{
	struct desk desk = desk_for(CS_WORLD_ADA, "engineer");
	json_t *snapshot = cs_case_snapshot(desk.basis, desk.brief);
	json_t *questions = cs_world_json(
		"[{\"question_id\": \"q-1\", \"text\": \"Why?\", \"answer\": \"Errors.\"}]");
	json_t *asked = NULL;
	char hash[65], action[CS_ADDRESS_TEXT], basis[CS_ADDRESS_TEXT];
	(void)unused;

	expect_valid("kye.approver_knowledge_snapshot.v1", snapshot);
	expect_text(snapshot, "id", cs_json_text(desk.basis, "snapshot"));
	expect_text(snapshot, "approver", CS_WORLD_ADA);
	expect_text(snapshot, "approval_brief_id", cs_json_text(desk.brief, "id"));
	expect_text(snapshot, "facts_shown/0/kind", "command");
	assert_int_equal(cs_address_of(desk.core, action), CS_OK);
	expect_text(snapshot, "action", action);
	assert_int_equal(cs_address_of(desk.basis, basis), CS_OK);
	expect_text(snapshot, "basis", basis);
	assert_int_equal(cs_content_hash(snapshot, hash), CS_OK);
	expect_text(snapshot, "content_hash", hash);

	assert_int_equal(cs_snapshot_compose(desk.basis, desk.brief, NULL, questions, CS_WORLD_ADA,
				 CS_WORLD_NOW, &asked),
		CS_OK);
	expect_valid("kye.approver_knowledge_snapshot.v1", asked);
	expect_text(asked, "questions_asked/0/answer", "Errors.");
	assert_int_equal(json_array_size(json_object_get(asked, "facts_shown")), 0);
	assert_string_not_equal(cs_json_text(asked, "content_hash"), hash);
	json_decref(asked);
	json_decref(questions);
	json_decref(snapshot);
	desk_free(&desk);
}

static void what_a_decision_cannot_be_made_of(void **unused)
{
	struct desk desk = desk_for(CS_WORLD_ADA, "engineer");
	json_t *snapshot = cs_case_snapshot(desk.basis, desk.brief);
	json_t *restrictions =
		cs_world_json("[{\"restriction_id\": \"r\", \"summary\": \"by day only\"}]");
	const struct cs_decision_input good = {
		.id = "kye:approval-decision:acme.ada:01KAGJ7XQ2D3E4F5G6H7J8K9ZF",
		.decision = "approved",
		.rationale = "",
		.core = desk.core,
		.basis = desk.basis,
		.brief = desk.brief,
		.snapshot = snapshot,
		.policy = cs_world_policy(world),
		.trust_set = cs_trust_address(cs_world_trust(world)),
		.audience = CS_WORLD_ORIGIN,
		.role = "engineer",
		.decided_at = CS_WORLD_NOW,
		.not_after = CS_WORLD_NOW + 1000};
	struct cs_decision_input input = good;
	json_t *decision = NULL;
	struct cs_fault fault = {{0}};
	char address[CS_ADDRESS_TEXT];
	(void)unused;

	assert_int_equal(cs_decision_compose(&input, &decision, &fault), CS_OK);
	assert_int_equal(cs_address_of(desk.brief, address), CS_OK);
	expect_text(decision, "binding/brief", address);
	assert_int_equal(cs_address_of(snapshot, address), CS_OK);
	expect_text(decision, "binding/snapshot", address);
	expect_text(decision, "binding/not_after", "2026-11-20T10:00:01Z");
	expect_text(decision, "binding/change_class", "irreversible");
	expect_text(decision, "approver", CS_WORLD_ADA);
	assert_null(json_object_get(decision, "restrictions"));
	assert_null(json_object_get(decision, "signature"));
	json_decref(decision);
	decision = NULL;

	input.decision = "expired";
	assert_int_equal(cs_decision_compose(&input, &decision, &fault), CS_E_USAGE);
	input.decision = "approved_with_restrictions";
	assert_int_equal(cs_decision_compose(&input, &decision, &fault), CS_E_USAGE);
	input.restrictions = restrictions;
	assert_int_equal(cs_decision_compose(&input, &decision, &fault), CS_OK);
	assert_true(json_equal(json_object_get(decision, "restrictions"), restrictions));
	json_decref(decision);
	decision = NULL;
	input.decision = "approved";
	assert_int_equal(cs_decision_compose(&input, &decision, &fault), CS_E_USAGE);
	assert_string_equal(fault.path, "/restrictions");
	input = good;
	input.role = "change_owner";
	assert_int_equal(cs_decision_compose(&input, &decision, &fault), CS_E_APPROVAL_BINDING);
	input = good;
	input.not_after = input.decided_at;
	assert_int_equal(cs_decision_compose(&input, &decision, &fault), CS_E_APPROVAL_WINDOW);
	input = good;
	json_t *unknown = cs_world_core(world, "rollback", "proposed_action/requested_capability",
		"\"k8s.secret.read\"", NULL);
	input.core = unknown;
	assert_int_equal(cs_decision_compose(&input, &decision, &fault), CS_E_NOT_FOUND);
	assert_null(decision);
	json_decref(unknown);
	json_decref(restrictions);
	json_decref(snapshot);
	desk_free(&desk);
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
		cmocka_unit_test(a_brief_has_its_thirteen_slots),
		cmocka_unit_test(composing_twice_gives_the_same_bytes),
		cmocka_unit_test(signatures_do_not_count),
		cmocka_unit_test(a_brief_that_says_otherwise_is_refused),
		cmocka_unit_test(a_basis_that_says_otherwise_is_refused),
		cmocka_unit_test(another_core_gives_another_brief),
		cmocka_unit_test(what_the_gate_refuses_is_not_recommended),
		cmocka_unit_test(a_snapshot_hashes_what_was_shown),
		cmocka_unit_test(what_a_decision_cannot_be_made_of),
	};

	if (sodium_init() < 0)
		return 1;
	return cmocka_run_group_tests(tests, set_up, tear_down);
}
