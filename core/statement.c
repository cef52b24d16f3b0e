#include "statement_table.h"
#include "address.h"
#include "schema.h"

#include <stdlib.h>
#include <string.h>

bool cs_outcome_is_allow(const char *outcome)
{
	return cs_text_equal(outcome, "allow") || cs_text_equal(outcome, "allow_with_constraints");
}

/* NULL in the table stands for null in the statement. */
static bool matches(const char *stated, const char *row)
{
	return row == NULL ? stated == NULL : cs_text_equal(stated, row);
}

/* The closed table: what stands here can be sealed, nothing else. */
static const struct cs_statement_row table[] = {
	{"decision", "enforce", "allow", CS_FORM_JWS | CS_FORM_TLOG, CS_JUDGE_ALLOW},
	{"decision", "enforce", "allow_with_constraints", CS_FORM_JWS | CS_FORM_TLOG,
		CS_JUDGE_ALLOW},
	{"decision", "enforce", "deny", CS_FORM_TLOG, CS_JUDGE_REFUSAL},
	{"decision", "enforce", "quarantine", CS_FORM_TLOG, CS_JUDGE_REFUSAL},
	{"decision", "enforce", "require_human_review", CS_FORM_TLOG, CS_JUDGE_REFUSAL},
	{"approval", "enforce", "approved", CS_FORM_TLOG, CS_JUDGE_APPROVAL},
	{"approval", "enforce", "approved_with_restrictions", CS_FORM_TLOG, CS_JUDGE_APPROVAL},
	{"approval", "enforce", "rejected", CS_FORM_TLOG, CS_JUDGE_APPROVAL},
	{"approval", "enforce", "requires_more_information", CS_FORM_TLOG, CS_JUDGE_APPROVAL},
	{"approval", "enforce", "escalated", CS_FORM_TLOG, CS_JUDGE_APPROVAL},
	{"trust_set", NULL, NULL, CS_FORM_TLOG, CS_JUDGE_TRUST_SET},
	{"policy", NULL, NULL, CS_FORM_TLOG, CS_JUDGE_POLICY},
};

const struct cs_statement_row *cs_statement_row(const json_t *statement)
{
	const char *kind = cs_json_text(statement, "kind");
	const char *mode = cs_json_text(statement, "mode");
	const char *outcome = cs_json_text(statement, "outcome");

	for (size_t i = 0; i < sizeof table / sizeof table[0]; i++)
		if (matches(kind, table[i].kind) && matches(mode, table[i].mode) &&
			matches(outcome, table[i].outcome))
			return &table[i];
	return NULL;
}

enum demand { NULLED, GIVEN, EITHER };

/* Which members a judge needs, and which must be null. */
static const struct {
	const char *member;
	const char *path;
	enum demand demand[CS_JUDGE_COUNT];
} members[] = {
	/*				 allow	 refusal approval trust	  policy */
	{"action", "/action", {GIVEN, GIVEN, GIVEN, NULLED, NULLED}},
	{"action_class", "/action_class", {GIVEN, EITHER, GIVEN, NULLED, NULLED}},
	{"change_class", "/change_class", {GIVEN, EITHER, GIVEN, NULLED, NULLED}},
	{"oversight", "/oversight", {GIVEN, EITHER, GIVEN, NULLED, NULLED}},
	{"constraints", "/constraints", {EITHER, NULLED, NULLED, NULLED, NULLED}},
	{"not_after", "/not_after", {EITHER, NULLED, NULLED, NULLED, NULLED}},
};

static enum cs_err check_members(
	const json_t *statement, enum cs_statement_judge judge, struct cs_fault *fault)
{
	for (size_t i = 0; i < sizeof members / sizeof members[0]; i++) {
		bool null = json_is_null(json_object_get(statement, members[i].member));
		enum demand demand = members[i].demand[judge];

		if (demand == GIVEN && null)
			return cs_fault_set(fault, CS_E_STATEMENT_SHAPE, members[i].path,
				"must not be null here");
		if (demand == NULLED && !null)
			return cs_fault_set(
				fault, CS_E_STATEMENT_SHAPE, members[i].path, "must be null here");
	}
	if (judge != CS_JUDGE_ALLOW && judge != CS_JUDGE_REFUSAL &&
		json_array_size(json_object_get(statement, "approvals")) > 0)
		return cs_fault_set(
			fault, CS_E_STATEMENT_SHAPE, "/approvals", "must be empty here");
	return CS_OK;
}

static enum cs_err check_order(const json_t *statement, struct cs_fault *fault)
{
	const json_t *approvals = json_object_get(statement, "approvals");
	const json_t *log = json_object_get(statement, "log");

	for (size_t i = 1; i < json_array_size(approvals); i++)
		if (strcmp(json_string_value(json_array_get(approvals, i - 1)),
			    json_string_value(json_array_get(approvals, i))) >= 0)
			return cs_fault_set(
				fault, CS_E_STATEMENT_SHAPE, "/approvals", "not ascending");
	if (cs_json_integer(log, "index", -1) !=
		cs_json_integer(json_object_get(log, "after"), "size", -2))
		return cs_fault_set(
			fault, CS_E_STATEMENT_SHAPE, "/log/after/size", "not the index");
	return CS_OK;
}

enum cs_err cs_statement_shape(struct cs_schema_registry *registry, const json_t *statement,
	enum cs_seal_form form, struct cs_fault *fault)
{
	const struct cs_statement_row *row;
	unsigned wanted = form == CS_SEAL_JWS	 ? CS_FORM_JWS
			  : form == CS_SEAL_TLOG ? CS_FORM_TLOG
						 : 0;
	enum cs_err err =
		cs_schema_check(registry, "countersign.seal_statement.v1", statement, fault);

	if (err != CS_OK)
		return err;
	row = cs_statement_row(statement);
	if (row == NULL)
		return cs_fault_set(fault, CS_E_STATEMENT_SHAPE, "/kind",
			"no such kind, mode and outcome together");
	if ((row->forms & wanted) == 0)
		return cs_fault_set(fault, CS_E_STATEMENT_SHAPE, "", "not sealed in this form");
	err = check_members(statement, row->judge, fault);
	return err == CS_OK ? check_order(statement, fault) : err;
}

static int compare_addresses(const void *a, const void *b)
{
	return strcmp(a, b);
}

/* Addresses of documents in ascending order. */
enum cs_err cs_statement_addresses(const json_t *documents, json_t **ret_list)
{
	char addresses[CS_APPROVALS_MAX][CS_ADDRESS_TEXT];
	size_t count = json_array_size(documents);
	json_t *list;

	if (count > CS_APPROVALS_MAX)
		return CS_E_TOO_LARGE;
	for (size_t i = 0; i < count; i++) {
		enum cs_err err = cs_address_of(json_array_get(documents, i), addresses[i]);

		if (err != CS_OK)
			return err;
	}
	qsort(addresses, count, sizeof addresses[0], compare_addresses);
	list = json_array();
	for (size_t i = 0; i < count; i++)
		if (json_array_append_new(list, json_string(addresses[i])) != 0) {
			json_decref(list);
			return CS_E_NOMEM;
		}
	if (list == NULL)
		return CS_E_NOMEM;
	*ret_list = list;
	return CS_OK;
}

enum cs_err cs_statement_compose(const struct cs_statement_input *input, json_t **ret_statement)
{
	const struct cs_oversight *oversight = input->oversight;
	char issued_at[CS_TIME_TEXT], not_after[CS_TIME_TEXT], nonce[33],
		root[CS_ADDRESS_TEXT] = "sha256:";
	json_t *approvals = NULL, *statement;
	enum cs_err err = cs_statement_addresses(input->approvals, &approvals);

	if (err != CS_OK)
		return err;
	cs_hex_encode(input->nonce, sizeof input->nonce, nonce);
	cs_hex_encode(input->root, CS_HASH, root + strlen(root));
	statement = json_pack(
		"{ss ss ss ss? ss? ss? ss? ss? ss? ss ss so ss? s{ss sI s{sI ss}} ss ss ss?}",
		"schema", "countersign.seal_statement.v1", "kind", input->kind, "subject",
		input->subject, "mode", input->mode, "outcome", input->outcome, "action",
		input->action, "action_class",
		oversight != NULL ? oversight->action_class_id : NULL, "change_class",
		oversight != NULL ? cs_change_class_name(oversight->change_class) : NULL,
		"oversight", oversight != NULL ? cs_oversight_name(oversight->kind) : NULL,
		"policy", input->policy, "trust_set", input->trust_set, "approvals", approvals,
		"constraints", input->constraints, "log", "origin", input->origin, "index",
		(json_int_t)input->index, "after", "size", (json_int_t)input->index, "root", root,
		"nonce", nonce, "issued_at", cs_time_print(input->issued_at, issued_at),
		"not_after",
		input->not_after != CS_TIME_MAX ? cs_time_print(input->not_after, not_after)
						: NULL);
	if (statement == NULL)
		return CS_E_NOMEM;
	*ret_statement = statement;
	return CS_OK;
}

enum cs_err cs_statement_log(const json_t *statement, uint64_t *ret_index, uint8_t root[CS_HASH])
{
	const json_t *log = json_object_get(statement, "log");
	const char *text = cs_json_text_at(log, "after/root");
	int64_t index = cs_json_integer(log, "index", -1);
	uint8_t digest[CS_HASH];

	if (index < 0 || text == NULL || cs_address_digest(text, digest) != CS_OK)
		return CS_E_DOCUMENT_INVALID;
	*ret_index = (uint64_t)index;
	memcpy(root, digest, CS_HASH);
	return CS_OK;
}
