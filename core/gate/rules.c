/*
 * Under which rules: the action class, and due diligence that is complete, fresh and not the
 * agent's own word.
 */
#include "checks.h"

#include <string.h>

static bool blank(const char *text)
{
	return text == NULL || text[strspn(text, " \t\n")] == '\0';
}

static const json_t *diligence(const struct cs_gate *gate)
{
	return json_object_get(gate->input->core, "due_diligence");
}

static void check_class(struct cs_gate *gate)
{
	const char *code = gate->class_error == CS_E_POLICY_QUORUM ? "quorum_too_small"
								   : "action_class_unknown";
	int level = gate->class_known ? gate->oversight.level : 0;

	cs_check(gate, CS_CHECK_CLASS, gate->class_known, code, "capability %s, action class %s",
		cs_shown(gate->capability),
		gate->class_known ? gate->oversight.action_class_id : "none");
	cs_check(gate, CS_CHECK_LEVEL, level >= 1, "level_manual", "level %d", level);
}

static void check_record(struct cs_gate *gate)
{
	const json_t *record = diligence(gate);
	const json_t *radius = json_object_get(record, "blast_radius");
	int64_t services = cs_json_integer(radius, "services", 0);
	int64_t replicas = cs_json_integer(radius, "replica_permille", -1);
	int64_t traffic = cs_json_integer(radius, "traffic_permille", -1);

	cs_check(gate, CS_CHECK_DUE_DILIGENCE, json_is_object(record), "due_diligence_missing",
		"classification %s", cs_shown(cs_json_text(record, "classification")));
	cs_check(gate, CS_CHECK_IMPACT, !blank(cs_json_text(record, "impact")), "impact_missing",
		"impact %s", blank(cs_json_text(record, "impact")) ? "not stated" : "stated");
	/*
	 * An action touches the service that it is for: a radius of nothing is one that nobody
	 * filled in.
	 */
	cs_check(gate, CS_CHECK_BLAST_RADIUS, services >= 1 && replicas >= 0 && traffic >= 0,
		"blast_radius_missing",
		"%lld services, %lld permille of replicas, %lld permille of traffic (-1: not "
		"given)",
		(long long)services, (long long)replicas, (long long)traffic);
}

/*
 * Whether one screen is recent: not older than the policy allows, nor ahead of the clock by more
 * than clocks differ.
 */
static bool fresh(const struct cs_gate *gate, const json_t *screen)
{
	const char *at = cs_json_text(screen, "at");
	int64_t age = cs_json_integer(
		json_object_get(cs_policy_document(gate->input->policy), "due_diligence"),
		"screen_max_age_seconds", 0);
	cs_time when;

	if (at == NULL || cs_time_parse(at, &when, NULL) != CS_OK)
		return false;
	return when <= cs_time_add_seconds(gate->input->now, CS_ISSUED_SKEW_SECONDS) &&
	       gate->input->now <= cs_time_add_seconds(when, age);
}

static void check_screens(struct cs_gate *gate)
{
	const json_t *screens = json_object_get(diligence(gate), "screens");
	const json_t *wanted =
		cs_json_at(cs_policy_document(gate->input->policy), "due_diligence/screens");
	const char *missing = NULL, *failed = NULL, *stale = NULL, *own = NULL;
	size_t i;
	json_t *entry;

	json_array_foreach(wanted, i, entry)
	{
		const char *kind = json_string_value(entry);

		if (kind == NULL || cs_json_find(screens, "kind", kind) == NULL)
			missing = cs_shown(kind);
	}
	/* Every screen counts, also one that nobody asked for and one of two of a kind. */
	json_array_foreach(screens, i, entry)
	{
		const char *kind = cs_shown(cs_json_text(entry, "kind"));

		if (!cs_text_equal(cs_json_text(entry, "result"), "pass"))
			failed = kind;
		if (!fresh(gate, entry))
			stale = kind;
		if (blank(cs_json_text(entry, "by")) ||
			cs_text_equal(cs_json_text(entry, "by"), gate->actor))
			own = kind;
	}
	cs_check(gate, CS_CHECK_SCREENS_PRESENT, missing == NULL, "screen_missing", "missing: %s",
		cs_shown(missing));
	cs_check(gate, CS_CHECK_SCREENS_PASSED, failed == NULL, "screen_failed", "failed: %s",
		cs_shown(failed));
	cs_check(gate, CS_CHECK_SCREENS_FRESH, stale == NULL, "screen_stale",
		"too old or in the future: %s", cs_shown(stale));
	cs_check(gate, CS_CHECK_SCREENS_INDEPENDENT, own == NULL, "screen_by_actor",
		"by the actor or nobody: %s", cs_shown(own));
}

static void check_rollback(struct cs_gate *gate)
{
	const json_t *plan = json_object_get(diligence(gate), "rollback_plan");
	const char *reference = cs_json_text(plan, "reference");
	const char *digest = cs_json_text(plan, "digest");
	const char *tested_at = cs_json_text(plan, "tested_at");
	int64_t seconds = cs_json_integer(plan, "seconds_to_undo", -1);
	cs_time tested;

	cs_check(gate, CS_CHECK_ROLLBACK_PLAN,
		!blank(reference) && digest != NULL && cs_address_ok(digest) && tested_at != NULL &&
			seconds >= 0,
		"rollback_plan_missing", "plan %s, %lld seconds to undo (-1: not given)",
		cs_shown(reference), (long long)seconds);
	cs_check(gate, CS_CHECK_ROLLBACK_TESTED,
		tested_at != NULL && cs_time_parse(tested_at, &tested, NULL) == CS_OK &&
			tested <= cs_time_add_seconds(gate->input->now, CS_ISSUED_SKEW_SECONDS),
		"rollback_plan_untested", "tested at %s", cs_shown(tested_at));
	cs_check(gate, CS_CHECK_ROLLBACK_EXECUTION,
		json_is_object(json_object_get(gate->input->core, "rollback")),
		"rollback_execution_missing", "undone by %s",
		cs_shown(cs_json_text_at(gate->input->core, "rollback/executable")));
}

static const char *forbidden_variable(const struct cs_gate *gate, const char *which)
{
	const json_t *allowed =
		json_object_get(cs_policy_document(gate->input->policy), "environment_variables");
	json_t *execution = json_object_get(gate->input->core, which);
	const char *name;
	json_t *value;

	json_object_foreach(json_object_get(execution, "environment_variables"), name, value)
	{
		if (!cs_json_has_text(allowed, name))
			return name;
	}
	return NULL;
}

void cs_gate_rules(struct cs_gate *gate)
{
	const char *forbidden;

	check_class(gate);
	check_record(gate);
	check_screens(gate);
	check_rollback(gate);
	forbidden = forbidden_variable(gate, "execution");
	if (forbidden == NULL)
		forbidden = forbidden_variable(gate, "rollback");
	cs_check(gate, CS_CHECK_VARIABLES, forbidden == NULL, "environment_variable_forbidden",
		"not allowed: %s", cs_shown(forbidden));
}
