/*
 * Our schemas of the published artefact family: each accepts a full document and refuses what is
 * wrong in one place.
 */
#include <stdarg.h>
#include <stddef.h>
#include <setjmp.h>
#include <stdint.h>
#include <cmocka.h>

#include "schema.h"
#include "schema_embedded.h"

#include <sodium.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#define FOLDER "tests/unit/data/kye/"

static struct cs_schema_registry *registry;

static const struct {
	const char *file;
	const char *schema;
} documents[] = {
	{"purpose_request", "kye.purpose.request.v1"},
	{"purpose_admissibility", "kye.purpose.admissibility.v1"},
	{"purpose_grant", "kye.purpose.grant.v1"},
	{"proposed_action", "kye.proposed_action.v1"},
	{"admissibility_decision", "kye.admissibility_decision.v1"},
	{"authority_grant", "kye.authority.grant.v1"},
	{"delegation", "kye.delegation.v1"},
	{"decision_map", "kye.evidence.decision_map.v1"},
	{"pack", "kye.evidence.pack.v1"},
	{"context_seal", "kye.replay.context_seal.v1"},
	{"consequence_map", "kye.consequence_map.v1"},
	{"approval_brief", "kye.approval_brief.v1"},
	{"knowledge_snapshot", "kye.approver_knowledge_snapshot.v1"},
	{"approval_decision", "kye.approval_decision.v1"},
};

static json_t *load(const char *name)
{
	static char data[64 * 1024];
	char path[256];
	json_t *doc = NULL;
	FILE *file;
	size_t len;

	(void)snprintf(path, sizeof path, FOLDER "%s.json", name);
	file = fopen(path, "rb");
	if (file == NULL)
		fail_msg("cannot open %s: run the tests from the project's folder", path);
	len = fread(data, 1, sizeof data, file);
	fclose(file);
	assert_int_equal(cs_json_read(data, len, sizeof data, &doc, NULL), CS_OK);
	return doc;
}

static const char *schema_of(const char *file)
{
	for (size_t i = 0; i < sizeof documents / sizeof documents[0]; i++)
		if (strcmp(documents[i].file, file) == 0)
			return documents[i].schema;
	fail_msg("no document %s", file);
	return NULL;
}

static void test_full_documents(void **state)
{
	(void)state;
	for (size_t i = 0; i < sizeof documents / sizeof documents[0]; i++) {
		CS_CLEANUP_JSON json_t *doc = load(documents[i].file);
		struct cs_fault fault = {0};
		char uri[256];

		if (cs_schema_check(registry, documents[i].schema, doc, &fault) != CS_OK)
			fail_msg("%s: %s: %s", documents[i].file, fault.path, fault.detail);
		(void)snprintf(uri, sizeof uri, "https://countersign.invalid/schemas/%s.json",
			documents[i].schema);
		assert_int_equal(cs_schema_validate(registry, uri, doc, NULL), CS_OK);
	}
}

/* No document passes for one of another kind, and every one of them is closed. */
static void test_kinds_are_distinct(void **state)
{
	(void)state;
	for (size_t i = 0; i < sizeof documents / sizeof documents[0]; i++) {
		CS_CLEANUP_JSON json_t *doc = load(documents[i].file);
		struct cs_fault fault = {0};

		for (size_t j = 0; j < sizeof documents / sizeof documents[0]; j++)
			if (i != j)
				assert_int_equal(
					cs_schema_check(registry, documents[j].schema, doc, NULL),
					CS_E_DOCUMENT_INVALID);
		json_object_set_new(doc, "extra", json_true());
		assert_int_equal(cs_schema_check(registry, documents[i].schema, doc, &fault),
			CS_E_DOCUMENT_INVALID);
		assert_string_equal(fault.path, "/extra");
	}
	assert_int_equal(
		cs_schema_check(registry, "kye.unknown.v1", NULL, NULL), CS_E_SCHEMA_UNKNOWN);
}

struct edit {
	const char *file;
	const char *at;	   /* members and indexes, separated by '/'; the last one is set */
	const char *value; /* JSON; NULL removes the member */
	const char *path;  /* of the refusal, NULL when it stays valid */
	const char *detail;
};

#define ADDRESS_UPPER "\"sha256:AAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAA\""

static const struct edit edits[] = {
	/* as published without, as we emit with */
	{"purpose_request", "schema", NULL, NULL, NULL},
	{"purpose_request", "schema", "\"kye.purpose.request.v2\"", "/schema", "const:"},
	{"purpose_request", "claimed_grant_id", NULL, NULL, NULL},
	{"purpose_request", "requested_at", "\"2026-11-20T10:00:00+01:00\"", "/requested_at",
		"pattern:"},
	{"purpose_request", "requested_at", "\"2026-02-30T10:00:00Z\"", "/requested_at", "format:"},
	{"purpose_request", "tool_call_hash", ADDRESS_UPPER, "/tool_call_hash", "pattern:"},
	{"purpose_request", "actor", "\"agent\"", "/actor", "pattern:"},
	{"purpose_request", "data_classes", "[\"a\",\"a\"]", "/data_classes", "uniqueItems:"},
	/* twelve reasons, in order */
	{"purpose_admissibility", "reasons/0/code", "\"grantee_matches\"", "/reasons/0/code",
		"const:"},
	{"purpose_admissibility", "reasons/11", NULL, "/reasons", "minItems:"},
	{"purpose_admissibility", "reasons/3/passed", "1", "/reasons/3/passed", "type:"},
	{"purpose_admissibility", "reasons/3/more", "1", "/reasons/3/more",
		"additionalProperties:"},
	{"purpose_admissibility", "grant_id", "null", NULL, NULL},
	{"purpose_grant", "schema", "\"kye.purpose.grant.v1\"", "/schema", "additionalProperties:"},
	{"purpose_grant", "restrictions", NULL, NULL, NULL},
	{"purpose_grant", "restrictions/rate_cap/requests_per_minute", "0",
		"/restrictions/rate_cap/requests_per_minute", "minimum:"},
	{"purpose_grant", "revoked_at", "\"never\"", "/revoked_at", "anyOf:"},
	{"proposed_action", "origin/source_type", "\"person\"", "/origin/source_type", "enum:"},
	{"proposed_action", "action_declaration/reversibility", "\"no\"",
		"/action_declaration/reversibility", "enum:"},
	{"proposed_action", "proposed_action_id", "\"kye:proposed-action:\"", "/proposed_action_id",
		"pattern:"},
	{"admissibility_decision", "obligations", "[\"notify_principal\",\"notify_principal\"]",
		"/obligations", "uniqueItems:"},
	{"admissibility_decision", "checked_dimensions/mood", "true", "/checked_dimensions/mood",
		"additionalProperties:"},
	{"admissibility_decision", "decision", "\"allow\"", "/decision", "enum:"},
	{"authority_grant", "schema", "\"kye.authority.grant.v1\"", "/schema",
		"additionalProperties:"},
	{"authority_grant", "agent_of_record", "{}", "/agent_of_record", "additionalProperties:"},
	{"authority_grant", "grantee", "\"kye:robot:x\"", "/grantee", "pattern:"},
	{"authority_grant", "revocation_chain", "[]", "/revocation_chain", "minItems:"},
	{"authority_grant", "version", "1.0", NULL, NULL},
	{"authority_grant", "version", "2", "/version", "const:"},
	{"delegation", "scope", NULL, "", "required: the member 'scope'"},
	{"delegation", "scope_id", "\"kye:scp:x\"", "/scope_id", "additionalProperties:"},
	{"delegation", "delegation_id", "\"kye:delegation:x\"", "/delegation_id", "pattern:"},
	{"delegation", "scope/constraints/environment", "\"production\"",
		"/scope/constraints/environment", "enum:"},
	{"delegation", "scope/constraints/limits/max_calls_per_day", "0.5",
		"/scope/constraints/limits/max_calls_per_day", "type:"},
	{"decision_map", "nodes/0/type", "\"note\"", "/nodes/0/type", "enum:"},
	{"decision_map", "nodes/0/signature", NULL, "/nodes/0", "required:"},
	{"decision_map", "edges/0/kind", "\"follows\"", "/edges/0/kind", "enum:"},
	/* packs of ours resolve everything and have one signature */
	{"pack", "resolution", NULL, "", "required: the member 'resolution'"},
	{"pack", "signatures", "[]", "/signatures", "minItems:"},
	{"pack", "signatures/1",
		"{\"signer\":\"kye:ent:a\",\"signature\":\"sig:jws:x\",\"signed_at\":\"2026-11-"
		"20T10:00:00Z\"}",
		"/signatures", "maxItems:"},
	{"pack", "signatures/0/signer", "\"kye:person:a\"", "/signatures/0/signer", "pattern:"},
	{"pack", "resolution/unresolved/0",
		"{\"ref_field\":\"x\",\"reason\":\"nobody could find this document\"}",
		"/resolution/unresolved", "maxItems:"},
	{"pack", "resolution/members/3", NULL, "/resolution/members", "minItems:"},
	{"pack", "resolution/members/0/content", "\"text\"", "/resolution/members/0/content",
		"type:"},
	{"pack", "resolution/members/0/content", "{\"any\":{\"thing\":[1]}}", NULL, NULL},
	{"pack", "resolution/member_order/1", "\"decision_map_ref\"", "/resolution/member_order",
		"uniqueItems:"},
	{"pack", "signed_state/state_ref", NULL, "/signed_state", "required:"},
	{"pack", "coordinate/lifecycle", "\"live\"", "/coordinate/lifecycle",
		"additionalProperties:"},
	{"context_seal", "signal_versions/x", "1", "/signal_versions/x", "type:"},
	{"context_seal", "signal_versions", "{}", NULL, NULL},
	{"consequence_map", "scenario_run_id", NULL, NULL, NULL},
	{"consequence_map", "scenario_run_id", "\"kye:scenario-run:1\"", NULL, NULL},
	{"consequence_map", "consequences/0/likelihood", "1.01", "/consequences/0/likelihood",
		"maximum:"},
	{"consequence_map", "consequences/0/severity", "\"none\"", "/consequences/0/severity",
		"enum:"},
	{"approval_brief", "basis", NULL, NULL, NULL},
	{"approval_brief", "basis", ADDRESS_UPPER, "/basis", "pattern:"},
	{"approval_brief", "risk_level", "\"severe\"", "/risk_level", "enum:"},
	{"approval_brief", "scope/namespace", "\"x\"", "/scope/namespace", "additionalProperties:"},
	{"approval_brief", "recommended_decision", "\"allow\"", "/recommended_decision", "enum:"},
	{"approval_brief", "approver", "\"kye:agent:x\"", "/approver", "pattern:"},
	{"knowledge_snapshot", "content_hash", "\"sha256:00\"", "/content_hash", "pattern:"},
	{"knowledge_snapshot", "action", NULL, NULL, NULL},
	{"knowledge_snapshot", "questions_asked", "[]", NULL, NULL},
	{"approval_decision", "signature", NULL, "", "required: the member 'signature'"},
	{"approval_decision", "signature/value_b64", "\"a+/=\"", "/signature/value_b64",
		"pattern:"},
	{"approval_decision", "signature/alg", "\"none\"", "/signature/alg", "enum:"},
	{"approval_decision", "binding", NULL, NULL, NULL},
	{"approval_decision", "binding/more", "1", "/binding/more", "additionalProperties:"},
	{"approval_decision", "binding/not_after", NULL, "/binding",
		"required: the member 'not_after'"},
	{"approval_decision", "binding/role", NULL, "/binding", "required: the member 'role'"},
	{"approval_decision", "binding/change_class", "\"undoable\"", "/binding/change_class",
		"enum:"},
	{"approval_decision", "restrictions", NULL, NULL, NULL},
	{"approval_decision", "restrictions/0/type", "\"never\"", "/restrictions/0/type", "enum:"},
	{"approval_decision", "restrictions/0/value", "[\"a\",\"b\"]", NULL, NULL},
	{"approval_decision", "restrictions/0/value", "0.5", "/restrictions/0/value", "anyOf:"},
	{"approval_decision", "decision", "\"approve\"", "/decision", "enum:"},
};

static void apply(json_t *doc, const struct edit *edit)
{
	CS_CLEANUP_JSON json_t *value = NULL;
	json_t *at = doc;
	char path[256], *part, *rest = path;

	(void)snprintf(path, sizeof path, "%s", edit->at);
	if (edit->value != NULL)
		assert_int_equal(
			cs_json_read(edit->value, strlen(edit->value), SIZE_MAX, &value, NULL),
			CS_OK);
	while ((part = strsep(&rest, "/")) != NULL && rest != NULL)
		at = json_is_array(at) ? json_array_get(at, strtoul(part, NULL, 10))
				       : json_object_get(at, part);
	assert_non_null(at);
	if (json_is_object(at)) {
		assert_int_equal(value != NULL ? json_object_set(at, part, value)
					       : json_object_del(at, part),
			0);
		return;
	}
	size_t index = strtoul(part, NULL, 10);
	if (value == NULL)
		assert_int_equal(json_array_remove(at, index), 0);
	else if (index == json_array_size(at))
		assert_int_equal(json_array_append(at, value), 0);
	else
		assert_int_equal(json_array_set(at, index, value), 0);
}

static void test_edited_documents(void **state)
{
	(void)state;
	for (size_t i = 0; i < sizeof edits / sizeof edits[0]; i++) {
		const struct edit *edit = &edits[i];
		CS_CLEANUP_JSON json_t *doc = load(edit->file);
		struct cs_fault fault = {0};
		enum cs_err err;

		apply(doc, edit);
		err = cs_schema_check(registry, schema_of(edit->file), doc, &fault);
		if (err != (edit->path == NULL ? CS_OK : CS_E_DOCUMENT_INVALID) ||
			(edit->path != NULL && (strcmp(fault.path, edit->path) != 0 ||
						       strncmp(fault.detail, edit->detail,
							       strlen(edit->detail)) != 0)))
			fail_msg("%s with %s: %s at '%s': %s", edit->file, edit->at,
				cs_err_name(err), fault.path, fault.detail);
	}
}

/*
 * A seal can be long: a statement, its inclusion proof and a checkpoint with cosignatures in one
 * string.
 */
static void test_long_seals(void **state)
{
	CS_CLEANUP_JSON json_t *doc = load("pack");
	json_t *entry = json_array_get(json_object_get(doc, "signatures"), 0);
	char *seal = malloc(20001);

	(void)state;
	assert_non_null(seal);
	memset(seal, 'A', 20000);
	memcpy(seal, "sig:tlog:", 9);
	seal[20000] = '\0';
	json_object_set_new(entry, "signature", json_string(seal));
	free(seal);
	assert_int_equal(cs_schema_check(registry, "kye.evidence.pack.v1", doc, NULL), CS_OK);
}

static void test_text_rules(void **state)
{
	static const struct edit texts[] = {
		{"approval_decision", "rationale", "\"one\\ntwo\"", NULL, NULL},
		{"approval_decision", "rationale", "\"one\\ttwo\"", "/rationale", NULL},
		{"approval_decision", "rationale", "\"\\u202etxt\"", "/rationale", NULL},
		{"approval_decision", "restrictions/0/summary", "\"one\\ntwo\"",
			"/restrictions/0/summary", NULL},
		{"proposed_action", "action_summary", "\"\\u001b[2J\"", "/action_summary", NULL},
		{"purpose_request", "scope", "{\"a\\u200bb\":1}", "/scope/a\\u{200B}b", NULL},
	};

	(void)state;
	for (size_t i = 0; i < sizeof texts / sizeof texts[0]; i++) {
		CS_CLEANUP_JSON json_t *doc = load(texts[i].file);
		struct cs_fault fault = {0};

		apply(doc, &texts[i]);
		/* Well-formed by the schema alone: it is the rules for text that refuse. */
		assert_int_equal(
			cs_schema_validate(registry, schema_of(texts[i].file), doc, NULL), CS_OK);
		assert_int_equal(cs_schema_check(registry, schema_of(texts[i].file), doc, &fault),
			texts[i].path == NULL ? CS_OK : CS_E_TEXT);
		if (texts[i].path != NULL)
			assert_string_equal(fault.path, texts[i].path);
	}
}

/* Each embedded schema is named after its file, and its `$id` after both. */
static void test_embedded_names(void **state)
{
	size_t count = 0;

	(void)state;
	for (const struct cs_embedded_schema *one = cs_embedded_schemas; one->name != NULL;
		one++, count++) {
		CS_CLEANUP_JSON json_t *schema = NULL;
		char id[256];

		assert_int_equal(cs_json_read(one->data, one->len, SIZE_MAX, &schema, NULL), CS_OK);
		(void)snprintf(
			id, sizeof id, "https://countersign.invalid/schemas/%s.json", one->name);
		assert_string_equal(cs_json_text(schema, "$id"), id);
		assert_non_null(cs_json_text(schema, "$schema"));
	}
	assert_true(count >= sizeof documents / sizeof documents[0]);
}

static int set_up(void **state)
{
	(void)state;
	return cs_schema_registry_embedded(&registry) == CS_OK ? 0 : -1;
}

static int tear_down(void **state)
{
	(void)state;
	cs_schema_registry_free(registry);
	return 0;
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_full_documents),
		cmocka_unit_test(test_kinds_are_distinct),
		cmocka_unit_test(test_edited_documents),
		cmocka_unit_test(test_long_seals),
		cmocka_unit_test(test_text_rules),
		cmocka_unit_test(test_embedded_names),
	};

	if (sodium_init() < 0)
		return 1;
	return cmocka_run_group_tests(tests, set_up, tear_down);
}
