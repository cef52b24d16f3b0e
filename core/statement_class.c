/*
 * What the core itself says about an action, against what the statement says: address, classes,
 * oversight.
 */
#include "statement_table.h"
#include "rule.h"
#include "schema.h"

enum cs_err cs_statement_mismatch(
	struct cs_fault *fault, const char *path, const char *stated, const char *found)
{
	return cs_fault_set(fault, CS_E_STATEMENT_MISMATCH, path,
		"stated %s, the evidence gives %s", stated != NULL ? stated : "nothing",
		found != NULL ? found : "nothing");
}

enum cs_err cs_statement_derive(const struct cs_statement_context *context, const json_t *statement,
	const json_t *core, struct cs_derived *derived, struct cs_fault *fault)
{
	const char *stated = cs_json_text(statement, "action");
	enum cs_err err =
		cs_schema_check(context->registry, "countersign.action_core.v1", core, fault);

	if (err == CS_OK)
		err = cs_address_of(core, derived->action);
	if (err != CS_OK)
		return err;
	if (cs_rule_on(CS_RULE_CORE_ADDRESS) && !cs_text_equal(stated, derived->action))
		return cs_statement_mismatch(fault, "/action", stated, derived->action);
	err = cs_oversight(
		core, context->policy, context->facts, context->at, &derived->oversight, fault);
	derived->class_known = err == CS_OK;
	/* A capability without a class can be refused, and the refusal sealed. */
	return err == CS_E_NOT_FOUND || err == CS_E_POLICY_QUORUM ? CS_OK : err;
}

static bool has_slot(const struct cs_oversight *oversight, const char *role)
{
	for (size_t i = 0; i < oversight->slot_count; i++)
		if (cs_text_equal(oversight->slots[i], role))
			return true;
	return false;
}

static void add_slot(struct cs_oversight *oversight, const char *role)
{
	if (!has_slot(oversight, role) && oversight->slot_count < CS_SLOTS_MAX)
		oversight->slots[oversight->slot_count++] = role;
}

/*
 * The slots of the oversight that the statement asks for. The broker may know a fact that makes it
 * stricter; then the class's own quorum is what is filled, and for two people an engineer and a
 * change owner in any case.
 */
static void tighten(struct cs_oversight *oversight, enum cs_oversight_kind stated)
{
	if (stated == oversight->kind)
		return;
	if (stated < oversight->kind) {
		/*
		 * Reached only when the rule is switched off to show that a test notices: the
		 * statement's word is taken.
		 */
		oversight->slot_count = stated == CS_OVERSIGHT_NONE ? 0 : 1;
		oversight->kind = stated;
		return;
	}
	if (oversight->slot_count == 0) {
		size_t i;
		json_t *role;

		json_array_foreach(json_object_get(oversight->action_class, "quorum"), i,
			role) if (json_is_string(role) && oversight->slot_count < CS_SLOTS_MAX)
			oversight->slots[oversight->slot_count++] = json_string_value(role);
	}
	if (stated == CS_OVERSIGHT_TWO_PERSON) {
		add_slot(oversight, "engineer");
		add_slot(oversight, "change_owner");
	} else if (oversight->slot_count == 0)
		add_slot(oversight, "engineer");
	oversight->kind = stated;
}

static enum cs_err check_change_class(
	const json_t *statement, const struct cs_derived *derived, struct cs_fault *fault)
{
	const char *found = cs_change_class_name(derived->oversight.change_class);
	const char *stated = cs_json_text(statement, "change_class");
	enum cs_change_class change_class;

	if (!cs_rule_on(CS_RULE_CHANGE_CLASS))
		return CS_OK;
	if (stated == NULL || cs_change_class_by_name(stated, &change_class) != CS_OK)
		return cs_statement_mismatch(fault, "/change_class", stated, found);
	if (change_class < derived->oversight.change_class)
		return cs_fault_set(fault, CS_E_STATEMENT_LAX, "/change_class",
			"stated %s, the evidence gives %s", stated, found);
	return change_class == derived->oversight.change_class
		       ? CS_OK
		       : cs_statement_mismatch(fault, "/change_class", stated, found);
}

static enum cs_err check_oversight(const struct cs_statement_context *context,
	const json_t *statement, struct cs_derived *derived, struct cs_fault *fault)
{
	const char *found = cs_oversight_name(derived->oversight.kind);
	const char *stated = cs_json_text(statement, "oversight");
	enum cs_oversight_kind kind;

	if (stated == NULL || cs_oversight_by_name(stated, &kind) != CS_OK)
		return cs_statement_mismatch(fault, "/oversight", stated, found);
	if (cs_rule_on(CS_RULE_OVERSIGHT) && kind < derived->oversight.kind)
		return cs_fault_set(fault, CS_E_STATEMENT_LAX, "/oversight",
			"stated %s, the policy demands %s", stated, found);
	if (context->exact && kind != derived->oversight.kind)
		return cs_statement_mismatch(fault, "/oversight", stated, found);
	tighten(&derived->oversight, kind);
	return CS_OK;
}

enum cs_err cs_statement_classes(const struct cs_statement_context *context,
	const json_t *statement, enum cs_statement_judge judge, struct cs_derived *derived,
	struct cs_fault *fault)
{
	const char *stated = cs_json_text(statement, "action_class");
	enum cs_err err;

	if (!derived->class_known) {
		bool none = json_is_null(json_object_get(statement, "action_class")) &&
			    json_is_null(json_object_get(statement, "change_class")) &&
			    json_is_null(json_object_get(statement, "oversight"));

		return judge == CS_JUDGE_REFUSAL && none
			       ? CS_OK
			       : cs_statement_mismatch(fault, "/action_class", stated, NULL);
	}
	if (cs_rule_on(CS_RULE_CLASS) && !cs_text_equal(stated, derived->oversight.action_class_id))
		return cs_statement_mismatch(
			fault, "/action_class", stated, derived->oversight.action_class_id);
	err = check_change_class(statement, derived, fault);
	return err == CS_OK ? check_oversight(context, statement, derived, fault) : err;
}
