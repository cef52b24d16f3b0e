/* For what: the twelve reasons of a purpose admissibility, in their published order. */
#include "checks.h"

#include <string.h>

#include "jose.h"

static bool data_classes_covered(
	const json_t *wanted, const json_t *granted, const char **ret_outside)
{
	size_t i;
	json_t *entry;

	*ret_outside = NULL;
	json_array_foreach(wanted, i, entry)
	{
		const char *text = json_string_value(entry);

		if (text == NULL || !cs_json_has_text(granted, text)) {
			*ret_outside = cs_shown(text);
			return false;
		}
	}
	return true;
}

static void check_parties(struct cs_gate *gate)
{
	const json_t *grant = gate->purpose;
	const json_t *request = json_object_get(gate->input->core, "purpose_request");
	const char *organisation = cs_json_text_at(gate->input->state, "actor/organisation");
	const char *principal = cs_json_text(grant, "principal");
	const char *grantee = cs_json_text(grant, "grantee");
	const char *wanted = cs_json_text(request, "purpose");
	const char *granted = cs_json_text_at(grant, "purpose/id");

	cs_check(gate, CS_CHECK_PRINCIPAL_MATCHES, cs_text_equal(principal, organisation),
		"purpose_principal_mismatch",
		"principal of the grant %s, organisation of the actor %s", cs_shown(principal),
		cs_shown(organisation));
	cs_check(gate, CS_CHECK_GRANTEE_MATCHES, cs_text_equal(grantee, gate->actor),
		"purpose_grantee_mismatch", "grantee %s, actor %s", cs_shown(grantee),
		cs_shown(gate->actor));
	cs_check(gate, CS_CHECK_PURPOSE_MATCHES, cs_text_equal(wanted, granted), "purpose_mismatch",
		"requested %s, granted %s", cs_shown(wanted), cs_shown(granted));
}

static void check_scope(struct cs_gate *gate)
{
	const json_t *scope = json_object_get(gate->purpose, "scope");
	const json_t *request = json_object_get(gate->input->core, "purpose_request");
	const char *outside;

	cs_check(gate, CS_CHECK_ACTION_IN_SCOPE,
		gate->capability != NULL &&
			cs_json_has_text(json_object_get(scope, "actions"), gate->capability),
		"purpose_action_out_of_scope", "action %s", cs_shown(gate->capability));
	cs_check(gate, CS_CHECK_RESOURCE_IN_SCOPE,
		cs_covers(json_object_get(scope, "resources"), gate->resource),
		"purpose_resource_out_of_scope", "resource %s", cs_shown(gate->resource));
	bool covered = data_classes_covered(json_object_get(request, "data_classes"),
		json_object_get(scope, "data_classes"), &outside);
	cs_check(gate, CS_CHECK_DATA_CLASS_IN_SCOPE, gate->purpose != NULL && covered,
		"purpose_data_class_out_of_scope", "outside the grant: %s", cs_shown(outside));
}

static void check_times(struct cs_gate *gate)
{
	const json_t *grant = gate->purpose;
	const char *weekly = cs_json_text_at(grant, "restrictions/weekly_window");
	bool inside =
		grant != NULL && cs_in_window(json_object_get(grant, "not_before"),
					 json_object_get(grant, "not_after"), gate->input->now);

	if (weekly != NULL && cs_weekly_window(weekly, gate->input->now) == CS_WEEKLY_OUTSIDE)
		inside = false;
	cs_check(gate, CS_CHECK_WITHIN_TIME_WINDOW, inside, "purpose_outside_window",
		"from %s until %s, weekly %s", cs_shown(cs_json_text(grant, "not_before")),
		cs_shown(cs_json_text(grant, "not_after")), cs_shown(weekly));
}

static void check_limits(struct cs_gate *gate)
{
	const json_t *restrictions = json_object_get(gate->purpose, "restrictions");
	const json_t *jurisdictions = json_object_get(restrictions, "jurisdiction");
	const char *jurisdiction = cs_json_text_at(gate->input->state, "resource/jurisdiction");
	int64_t cap = cs_json_integer(
		json_object_get(restrictions, "rate_cap"), "requests_per_minute", -1);
	int64_t seen = cs_json_integer(
		json_object_get(gate->input->state, "facts"), "requests_last_minute", -1);

	cs_check(gate, CS_CHECK_WITHIN_JURISDICTION,
		gate->purpose != NULL &&
			(jurisdictions == NULL ||
				(jurisdiction != NULL &&
					cs_json_has_text(jurisdictions, jurisdiction))),
		"purpose_outside_jurisdiction", "jurisdiction of the resource: %s",
		cs_shown(jurisdiction));
	/* A cap without a count is not kept. */
	cs_check(gate, CS_CHECK_WITHIN_RATE_CAP,
		gate->purpose != NULL && (json_object_get(restrictions, "rate_cap") == NULL ||
						 (cap >= 0 && seen >= 0 && seen <= cap)),
		"purpose_rate_exceeded",
		"%lld requests in the last minute, cap %lld (-1: not given)", (long long)seen,
		(long long)cap);
}

static void check_standing(struct cs_gate *gate)
{
	const json_t *grant = gate->purpose;
	const json_t *revoked = json_object_get(grant, "revoked_at");
	const char *signature = cs_json_text(grant, "signature");
	bool dual = json_is_true(cs_json_at(grant, "restrictions/dual_control"));
	char kid[CS_ID_MAX + 1] = "";
	cs_time when;
	bool in_force = grant != NULL;

	if (revoked != NULL && !json_is_null(revoked))
		in_force = json_is_string(revoked) &&
			   cs_time_parse(json_string_value(revoked), &when, NULL) == CS_OK &&
			   when > gate->input->now;
	cs_check(gate, CS_CHECK_NOT_REVOKED, in_force, "purpose_revoked", "revoked at %s",
		cs_shown(json_string_value(revoked)));
	/*
	 * A trust set loads only when the signatures of its grants verify; the state carries what
	 * was loaded.
	 */
	bool has_signature =
		signature != NULL && cs_sig_string_kid(signature, kid, sizeof kid) == CS_OK;
	cs_check(gate, CS_CHECK_SIGNATURE_VALID, has_signature, "purpose_signature_missing",
		"verified with the trust set, key %s", cs_shown(kid));
	cs_check(gate, CS_CHECK_DUAL_CONTROL,
		grant != NULL && (!dual || (gate->class_known && gate->oversight.kind ==
									 CS_OVERSIGHT_TWO_PERSON)),
		"purpose_dual_control_missing", "dual control %s, oversight %s",
		dual ? "demanded" : "not demanded",
		gate->class_known ? cs_oversight_name(gate->oversight.kind) : "none");
}

/*
 * A restriction that nobody here can judge must not be passed over. Every pack is evidence, so
 * requires_evidence holds.
 */
static void check_restrictions(struct cs_gate *gate)
{
	static const char *const judged[] = {"jurisdiction", "weekly_window", "rate_cap",
		"dual_control", "requires_evidence", "max_blast_radius"};
	const json_t *restrictions = json_object_get(gate->purpose, "restrictions");
	int64_t services = cs_json_integer(
		cs_json_at(gate->input->core, "due_diligence/blast_radius"), "services", 0);
	const char *unknown = NULL;
	const char *name;
	json_t *value;

	json_object_foreach(json_object_get(gate->purpose, "restrictions"), name, value)
	{
		bool known = false;

		for (size_t i = 0; i < sizeof judged / sizeof judged[0]; i++)
			known = known || strcmp(name, judged[i]) == 0;
		if (strcmp(name, "weekly_window") == 0)
			known = json_is_string(value) &&
				cs_weekly_window(json_string_value(value), gate->input->now) !=
					CS_WEEKLY_UNKNOWN;
		/* Ours counts services. A radius that is not stated is refused by its own check. */
		if (strcmp(name, "max_blast_radius") == 0)
			known = json_is_integer(value) && services <= json_integer_value(value);
		if (!known)
			unknown = name;
	}
	cs_check(gate, CS_CHECK_RESTRICTIONS, unknown == NULL, "purpose_restriction",
		"%zu restrictions, not satisfied: %s", json_object_size(restrictions),
		cs_shown(unknown));
}

void cs_gate_purpose(struct cs_gate *gate)
{
	const char *claimed =
		cs_json_text_at(gate->input->core, "purpose_request/claimed_grant_id");

	cs_check(gate, CS_CHECK_PURPOSE_FOUND, gate->purpose != NULL, "purpose_grant_missing",
		"claimed grant %s", cs_shown(claimed));
	check_parties(gate);
	check_scope(gate);
	check_times(gate);
	check_limits(gate);
	check_standing(gate);
	check_restrictions(gate);
}
