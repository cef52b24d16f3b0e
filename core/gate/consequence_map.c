/*
 * What the documents themselves say about consequences: no scenario was run, so likelihoods are
 * left out.
 */
#include "checks.h"

#define WIDE_PERMILLE 500 /* from here on an action touches more than a part of the service */

const char *cs_risk_level(const json_t *core, const char *change_class)
{
	static const char *const levels[] = {"low", "medium", "high", "critical"};
	const json_t *radius = cs_json_at(core, "due_diligence/blast_radius");
	/* What is not stated is taken to be wide. */
	bool wide = cs_json_integer(radius, "services", INT64_MAX) > 1 ||
		    cs_json_integer(radius, "replica_permille", WIDE_PERMILLE) >= WIDE_PERMILLE ||
		    cs_json_integer(radius, "traffic_permille", WIDE_PERMILLE) >= WIDE_PERMILLE;
	size_t base = cs_text_equal(change_class, "reversible")	     ? 0
		      : cs_text_equal(change_class, "compensatable") ? 1
								     : 2;

	return levels[base + (wide ? 1 : 0)];
}

static const char *reversibility_severity(const char *change_class)
{
	if (cs_text_equal(change_class, "reversible"))
		return "low";
	return cs_text_equal(change_class, "compensatable") ? "medium" : "high";
}

static bool append(json_t *list, const char *object, const char *kind, const char *severity,
	const struct cs_bytes *text)
{
	if (cs_bytes_check(text) != CS_OK)
		return false;
	return json_array_append_new(
		       list, json_pack("{ss ss ss ss#}", "affected_object", object, "kind", kind,
				     "severity", severity, "description", (const char *)text->data,
				     (int)text->len)) == 0;
}

static json_t *consequences(const json_t *core, const char *change_class, const char *risk)
{
	const char *resource = cs_shown(cs_json_text_at(core, "execution/target/resource"));
	const json_t *radius = cs_json_at(core, "due_diligence/blast_radius");
	const json_t *plan = cs_json_at(core, "due_diligence/rollback_plan");
	CS_CLEANUP_BYTES struct cs_bytes effect = {0}, reach = {0}, undo = {0};
	json_t *list = json_array();

	cs_bytes_add_text(
		&effect, cs_shown(cs_json_text_at(core, "proposed_action/action_summary")));
	if (json_is_object(radius))
		cs_bytes_addf(&reach,
			"services %lld, namespaces %lld, replicas %lld permille, traffic %lld "
			"permille",
			(long long)cs_json_integer(radius, "services", 0),
			(long long)cs_json_integer(radius, "namespaces", 0),
			(long long)cs_json_integer(radius, "replica_permille", 0),
			(long long)cs_json_integer(radius, "traffic_permille", 0));
	else
		cs_bytes_add_text(&reach, "blast radius not stated");
	cs_bytes_addf(&undo, "change class %s; ", cs_shown(change_class));
	if (json_is_object(plan))
		cs_bytes_addf(&undo, "undone in %lld seconds by %s, tested at %s",
			(long long)cs_json_integer(plan, "seconds_to_undo", 0),
			cs_shown(cs_json_text(plan, "reference")),
			cs_shown(cs_json_text(plan, "tested_at")));
	else
		cs_bytes_add_text(&undo, "no rollback plan");
	if (!append(list, resource, "intended_effect", risk, &effect) ||
		!append(list, resource, "blast_radius", risk, &reach) ||
		!append(list, resource, "reversibility", reversibility_severity(change_class),
			&undo)) {
		json_decref(list);
		return NULL;
	}
	return list;
}

static int count(const json_t *list, const char *severity)
{
	int found = 0;
	size_t i;
	json_t *row;

	json_array_foreach (list, i, row)
		found += cs_text_equal(cs_json_text(row, "severity"), severity);
	return found;
}

enum cs_err cs_consequence_map(const json_t *core, const json_t *decision, const char *id,
	const char *generated_by, cs_time now, json_t **ret_doc)
{
	const char *change_class = cs_json_text(decision, "change_class");
	json_t *list = consequences(core, change_class, cs_risk_level(core, change_class));
	char at[CS_TIME_TEXT];
	json_t *doc;

	if (list == NULL)
		return CS_E_NOMEM;
	doc = json_pack("{ss ss si s{ss ss} ss ss so s{si si si si si}}", "schema",
		"kye.consequence_map.v1", "id", id, "version", 1, "target_object", "object_id",
		cs_shown(cs_json_text_at(core, "execution/target/resource")), "object_schema",
		"countersign.trust_set.v1", "generated_at", cs_time_print(now, at), "generated_by",
		generated_by, "consequences", list, "summary", "total_consequences",
		(int)json_array_size(list), "critical_count", count(list, "critical"), "high_count",
		count(list, "high"), "medium_count", count(list, "medium"), "low_count",
		count(list, "low"));
	if (doc == NULL)
		return CS_E_NOMEM;
	*ret_doc = doc;
	return CS_OK;
}
