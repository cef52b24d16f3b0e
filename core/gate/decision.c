/* What follows: which slots are filled, the outcome, and the record of it all. */
#include "checks.h"
#include "approval.h"

#include <string.h>

static bool same_token(const json_t *a, const json_t *b)
{
	return cs_text_equal(
		       cs_json_text_at(a, "token/product"), cs_json_text_at(b, "token/product")) &&
	       cs_text_equal(
		       cs_json_text_at(a, "token/serial"), cs_json_text_at(b, "token/serial"));
}

static bool current(const struct cs_gate *gate, const json_t *approval)
{
	const char *text = cs_json_text(approval, "not_after");
	cs_time not_after;

	return text != NULL && cs_time_parse(text, &not_after, NULL) == CS_OK &&
	       gate->input->now < not_after;
}

static bool distinct(const struct cs_gate *gate, const json_t *approval)
{
	for (size_t i = 0; i < gate->oversight.slot_count; i++) {
		const json_t *other = gate->slots[i];

		if (other != NULL && (cs_text_equal(cs_json_text(other, "approver"),
					      cs_json_text(approval, "approver")) ||
					     cs_text_equal(cs_json_text(other, "kid"),
						     cs_json_text(approval, "kid")) ||
					     same_token(other, approval)))
			return false;
	}
	return true;
}

static bool fill_slot(struct cs_gate *gate, const json_t *approval)
{
	const char *address = cs_json_text(approval, "address");

	if (address == NULL || !cs_address_ok(address))
		return false;
	for (size_t i = 0; i < gate->oversight.slot_count; i++)
		if (gate->slots[i] == NULL &&
			cs_text_equal(gate->oversight.slots[i], cs_json_text(approval, "role"))) {
			gate->slots[i] = approval;
			return true;
		}
	return false;
}

/*
 * The extracts are of decisions whose signatures and bindings were checked before. What remains to
 * be judged is what they amount to together.
 */
void cs_gate_decide(struct cs_gate *gate)
{
	const json_t *approvals = json_object_get(gate->input->state, "approvals");
	const char *rejected_by = NULL, *expired = NULL, *unfit = NULL;
	const char *open = NULL;
	size_t i;
	json_t *approval;

	json_array_foreach(approvals, i, approval)
	{
		const char *who = cs_shown(cs_json_text(approval, "approver"));

		if (cs_text_equal(cs_json_text(approval, "decision"), "rejected"))
			rejected_by = who;
		if (!cs_approval_is_approval(approval))
			continue;
		if (!current(gate, approval))
			expired = who;
		else if (!gate->class_known || !distinct(gate, approval) ||
			 !fill_slot(gate, approval))
			unfit = who;
	}
	gate->slots_open = 0;
	for (i = 0; gate->class_known && i < gate->oversight.slot_count; i++)
		if (gate->slots[i] == NULL) {
			gate->slots_open++;
			open = gate->oversight.slots[i];
		}
	cs_check(gate, CS_CHECK_NO_REJECTION, rejected_by == NULL, "rejected", "rejected by: %s",
		cs_shown(rejected_by));
	cs_check(gate, CS_CHECK_APPROVALS_CURRENT, expired == NULL, "approval_expired",
		"expired: %s", cs_shown(expired));
	cs_check(gate, CS_CHECK_APPROVALS_FIT, unfit == NULL, "approval_unfit",
		"fills no slot of its own: %s", cs_shown(unfit));
	/*
	 * Before the last run an open slot is what the answer asks for, not a fault; advice is not
	 * approved by anybody.
	 */
	bool advice = !gate->class_known || gate->oversight.level < 2;
	cs_check(gate, CS_CHECK_QUORUM, !gate->input->final || advice || gate->slots_open == 0,
		"approval_missing", "%zu slots, %zu open, such as %s",
		gate->class_known ? gate->oversight.slot_count : (size_t)0, gate->slots_open,
		cs_shown(open));
}

static const char *outcome(const struct cs_gate *gate, const json_t *constraints)
{
	if (gate->first_reason != NULL)
		return "deny";
	if (gate->oversight.level == 1)
		return "require_human_review";
	if (gate->slots_open > 0)
		return "require_approval";
	return constraints != NULL ? "allow_with_constraints" : "allow";
}

/* Each duty and when it arises; the order is the record's. */
static json_t *obligations(const struct cs_gate *gate, const char *decided)
{
	bool allowed = strncmp(decided, "allow", 5) == 0;
	int level = gate->class_known ? gate->oversight.level : 0;
	const struct {
		const char *name;
		bool owed;
	} duties[] = {
		{"emit_evidence_pack", true},
		{"collect_approvals", cs_text_equal(decided, "require_approval")},
		{"enforce_constraints", cs_text_equal(decided, "allow_with_constraints")},
		{"notify_people", allowed && level == 3},
		{"requalify", allowed && level == 4},
		{"owe_review", !cs_text_equal(decided, "deny") &&
				       cs_text_equal(cs_json_text_at(gate->input->core,
							     "due_diligence/classification"),
					       "emergency")},
		{"record_human_act", cs_text_equal(decided, "require_human_review")},
	};
	json_t *list = json_array();

	for (size_t i = 0; i < sizeof duties / sizeof duties[0]; i++)
		if (duties[i].owed &&
			json_array_append_new(list, json_string(duties[i].name)) != 0) {
			json_decref(list);
			return NULL;
		}
	return list;
}

static json_t *slots(const struct cs_gate *gate)
{
	json_t *list = json_array();

	for (size_t i = 0; gate->class_known && i < gate->oversight.slot_count; i++) {
		json_t *slot = json_pack("{ss ss?}", "role", gate->oversight.slots[i], "approval",
			cs_json_text(gate->slots[i], "address"));

		if (json_array_append_new(list, slot) != 0) {
			json_decref(list);
			return NULL;
		}
	}
	return list;
}

enum cs_err cs_gate_record(struct cs_gate *gate, json_t **ret_decision)
{
	CS_CLEANUP_JSON json_t *constraints = NULL;
	const struct cs_oversight *oversight = gate->class_known ? &gate->oversight : NULL;
	const char *decided, *reason;
	char action[CS_ADDRESS_TEXT], bound[CS_ADDRESS_TEXT], at[CS_TIME_TEXT];
	enum cs_err err = cs_gate_recorded(gate, CS_CHECK_COUNT);
	json_t *record;

	if (err == CS_OK)
		err = cs_constraints_compose(
			json_object_get(gate->input->state, "approvals"), &constraints);
	if (err == CS_OK)
		err = cs_address_of(gate->input->core, action);
	if (err == CS_OK && constraints != NULL)
		err = cs_address_of(constraints, bound);
	if (err != CS_OK)
		return err;
	decided = outcome(gate, constraints);
	/* An action that ended is refused for that, whatever else has gone stale meanwhile. */
	reason = gate->ended != NULL	      ? gate->ended
		 : gate->first_reason != NULL ? gate->first_reason
					      : "admissible";
	record = json_pack("{ss ss ss ss ss sO so ss? ss? so ss? so ss? ss ss}", "schema",
		"countersign.decision.v1", "id", gate->input->decision_id, "action", action,
		"outcome", decided, "reason_code", reason, "checks", gate->list, "obligations",
		obligations(gate, decided), "action_class",
		oversight != NULL ? oversight->action_class_id : NULL, "change_class",
		oversight != NULL ? cs_change_class_name(oversight->change_class) : NULL, "level",
		oversight != NULL ? json_integer(oversight->level) : json_null(), "oversight",
		oversight != NULL ? cs_oversight_name(oversight->kind) : NULL, "slots", slots(gate),
		"constraints", cs_text_equal(decided, "allow_with_constraints") ? bound : NULL,
		"finality", gate->input->final ? "sealed_final" : "advisory", "decided_at",
		cs_time_print(gate->input->now, at));
	if (record == NULL)
		return CS_E_NOMEM;
	*ret_decision = record;
	return CS_OK;
}
