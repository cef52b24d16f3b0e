#include "present.h"

#include <inttypes.h>
#include <stdio.h>

static void number_row(struct cs_screen *screen, enum cs_standing standing, const char *label,
	const json_t *object, const char *key, const char *unit)
{
	const json_t *value = json_object_get(object, key);

	if (json_is_integer(value))
		cs_screen_rowf(screen, standing, label, "%" JSON_INTEGER_FORMAT "%s",
			json_integer_value(value), unit);
	else
		cs_screen_row(screen, standing, label, "not stated");
}

static void permille_row(
	struct cs_screen *screen, const char *label, const json_t *object, const char *key)
{
	const json_t *value = json_object_get(object, key);
	int64_t permille = json_integer_value(value);

	if (json_is_integer(value))
		cs_screen_rowf(screen, CS_CLAIMED, label, "%" PRId64 ".%" PRId64 " %%",
			permille / 10, permille % 10);
	else
		cs_screen_row(screen, CS_CLAIMED, label, "not stated");
}

/*
 * Everything that decides what a process does: program, arguments, directory, environment, files.
 */
static void execution_rows(
	const json_t *execution, enum cs_standing standing, struct cs_screen *screen)
{
	const json_t *variables = json_object_get(execution, "environment_variables");
	const json_t *entry;
	const char *name;
	char label[32];
	size_t i;

	cs_screen_quoted(screen, standing, "program", cs_json_text(execution, "executable"));
	json_array_foreach(json_object_get(execution, "arguments"), i, entry) {
		snprintf(label, sizeof label, "argument %zu", i + 1);
		cs_screen_quoted(screen, standing, label, json_string_value(entry));
	}
	if (json_array_size(json_object_get(execution, "arguments")) == 0)
		cs_screen_row(screen, standing, "arguments", "none");
	cs_screen_row(
		screen, standing, "program's digest", cs_json_text(execution, "executable_digest"));
	cs_screen_quoted(screen, standing, "in directory", cs_json_text(execution, "directory"));
	json_object_foreach((json_t *)(uintptr_t)variables, name, entry) {
		cs_screen_quoted(screen, standing, "variable", name);
		cs_screen_quoted(screen, standing, "  set to", json_string_value(entry));
	}
	json_array_foreach(json_object_get(execution, "files"), i, entry) {
		cs_screen_quoted(screen, standing, "reads file", cs_json_text(entry, "path"));
		cs_screen_row(screen, standing, "  with digest", cs_json_text(entry, "digest"));
	}
}

static void command_section(
	const json_t *core, enum cs_standing standing, const char *action, struct cs_screen *screen)
{
	cs_screen_section(screen, "THE COMMAND THAT WILL RUN", "command", action);
	execution_rows(json_object_get(core, "execution"), standing, screen);
}

static void where_section(
	const json_t *core, enum cs_standing standing, const char *action, struct cs_screen *screen)
{
	const json_t *target = cs_json_at(core, "execution/target");
	const json_t *proposed = json_object_get(core, "proposed_action");

	cs_screen_section(screen, "WHAT AND WHERE", "target", action);
	cs_screen_row(screen, standing, "service", cs_json_text(target, "service"));
	cs_screen_row(screen, standing, "environment", cs_json_text(target, "environment"));
	cs_screen_row(screen, standing, "resource", cs_json_text(target, "resource"));
	cs_screen_row(
		screen, standing, "capability", cs_json_text(proposed, "requested_capability"));
	cs_screen_row(screen, CS_CLAIMED, "in short", cs_json_text(proposed, "action_summary"));
}

static void reach_section(const json_t *core, const char *action, struct cs_screen *screen)
{
	const json_t *care = json_object_get(core, "due_diligence");
	const json_t *radius = json_object_get(care, "blast_radius");
	const json_t *screened;
	size_t i;

	cs_screen_section(screen, "HOW FAR IT REACHES", "blast_radius", action);
	if (!json_is_object(care)) {
		cs_screen_row(screen, CS_CLAIMED, "due diligence", "none was recorded");
		return;
	}
	number_row(screen, CS_CLAIMED, "services", radius, "services", "");
	number_row(screen, CS_CLAIMED, "namespaces", radius, "namespaces", "");
	permille_row(screen, "replicas", radius, "replica_permille");
	permille_row(screen, "traffic", radius, "traffic_permille");
	cs_screen_row(screen, CS_CLAIMED, "impact", cs_json_text(care, "impact"));
	cs_screen_row(screen, CS_CLAIMED, "classification", cs_json_text(care, "classification"));
	json_array_foreach(json_object_get(care, "screens"), i, screened) {
		cs_screen_row(screen, CS_CLAIMED, "screened for", cs_json_text(screened, "kind"));
		cs_screen_row(screen, CS_CLAIMED, "  result", cs_json_text(screened, "result"));
		cs_screen_row(screen, CS_CLAIMED, "  by", cs_json_text(screened, "by"));
		cs_screen_row(screen, CS_CLAIMED, "  at", cs_json_text(screened, "at"));
		cs_screen_row(screen, CS_CLAIMED, "  detail", cs_json_text(screened, "detail"));
	}
}

static void undo_section(
	const json_t *core, enum cs_standing standing, const char *action, struct cs_screen *screen)
{
	const json_t *rollback = json_object_get(core, "rollback");
	const json_t *plan = cs_json_at(core, "due_diligence/rollback_plan");

	cs_screen_section(screen, "HOW IT IS UNDONE", "rollback", action);
	if (json_is_object(rollback))
		execution_rows(rollback, standing, screen);
	else
		cs_screen_row(screen, standing, "command", "there is none");
	if (!json_is_object(plan)) {
		cs_screen_row(screen, standing, "plan", "there is none");
		return;
	}
	cs_screen_row(screen, CS_CLAIMED, "plan", cs_json_text(plan, "reference"));
	cs_screen_row(screen, CS_CLAIMED, "plan's digest", cs_json_text(plan, "digest"));
	cs_screen_row(screen, CS_CLAIMED, "last tested", cs_json_text(plan, "tested_at"));
	number_row(screen, CS_CLAIMED, "takes", plan, "seconds_to_undo", " seconds");
}

static void origin_section(
	const json_t *core, enum cs_standing standing, const char *action, struct cs_screen *screen)
{
	const json_t *provenance = json_object_get(core, "provenance");
	const json_t *model = json_object_get(provenance, "model");
	const json_t *confidence = json_object_get(provenance, "confidence_permille");
	const json_t *signal;
	size_t i;

	cs_screen_section(screen, "WHO ASKS, AND WHY", "origin", action);
	cs_screen_row(screen, standing, "agent", cs_json_text_at(core, "purpose_request/actor"));
	cs_screen_row(screen, standing, "person behind it", cs_json_text(core, "requester"));
	cs_screen_row(
		screen, CS_CLAIMED, "purpose", cs_json_text_at(core, "purpose_request/purpose"));
	cs_screen_row(screen, CS_CLAIMED, "ticket", cs_json_text(provenance, "incident_ticket"));
	cs_screen_row(screen, CS_CLAIMED, "hypothesis", cs_json_text(provenance, "hypothesis"));
	if (json_is_integer(confidence))
		permille_row(screen, "confidence", provenance, "confidence_permille");
	else
		cs_screen_row(screen, CS_CLAIMED, "confidence", "not stated");
	cs_screen_row(screen, CS_CLAIMED, "model", cs_json_text(model, "name"));
	cs_screen_row(screen, CS_CLAIMED, "  version", cs_json_text(model, "version"));
	cs_screen_row(screen, CS_CLAIMED, "reasoning", cs_json_text(provenance, "decision_trace"));
	json_array_foreach(json_object_get(provenance, "signals"), i, signal) {
		cs_screen_row(screen, CS_CLAIMED, "signal", cs_json_text(signal, "id"));
		cs_screen_row(screen, CS_CLAIMED, "  from", cs_json_text(signal, "source"));
		cs_screen_row(
			screen, CS_CLAIMED, "  observed", cs_json_text(signal, "observed_at"));
	}
}

void cs_present_core(
	const json_t *core, enum cs_standing standing, const char *action, struct cs_screen *screen)
{
	command_section(core, standing, action, screen);
	where_section(core, standing, action, screen);
	reach_section(core, action, screen);
	undo_section(core, standing, action, screen);
	origin_section(core, standing, action, screen);
}

static void chain_rows(const json_t *brief, struct cs_screen *screen)
{
	const json_t *link;
	size_t i;

	json_array_foreach(json_object_get(brief, "authority_chain"), i, link) {
		const char *label = i == 0 ? "authority" : "";
		cs_screen_row(screen, CS_VERIFIED, label, json_string_value(link));
	}
}

static void judgement_section(const struct cs_review *review, struct cs_screen *screen)
{
	const struct cs_oversight *oversight = &review->oversight;
	const json_t *gate = json_object_get(review->basis, "gate");
	const json_t *requests = cs_json_at(review->basis, "state/facts/requests_last_minute");
	const json_t *check;
	size_t passed = 0;
	size_t i;

	cs_screen_section(screen, "WHAT YOUR POLICY MAKES OF IT", "judgement",
		cs_policy_address(review->approver->policy));
	cs_screen_row(screen, CS_VERIFIED, "action class", oversight->action_class_id);
	cs_screen_row(
		screen, CS_VERIFIED, "change class", cs_change_class_name(oversight->change_class));
	cs_screen_row(screen, CS_VERIFIED, "oversight", cs_oversight_name(oversight->kind));
	cs_screen_rowf(screen, CS_VERIFIED, "level", "%d", oversight->level);
	cs_screen_row(screen, CS_VERIFIED, "risk", cs_json_text(review->brief, "risk_level"));
	chain_rows(review->brief, screen);
	json_array_foreach(json_object_get(gate, "checks"), i, check) {
		if (json_is_true(json_object_get(check, "passed"))) {
			passed++;
			continue;
		}
		cs_screen_row(screen, CS_VERIFIED, "NOT PASSED", cs_json_text(check, "check"));
		cs_screen_row(screen, CS_VERIFIED, "", cs_json_text(check, "detail"));
	}
	cs_screen_rowf(screen, CS_VERIFIED, "gate's checks", "%zu of %zu passed", passed,
		json_array_size(json_object_get(gate, "checks")));
	cs_screen_row(screen, CS_VERIFIED, "recommended",
		cs_json_text(review->brief, "recommended_decision"));
	if (json_is_integer(requests))
		cs_screen_rowf(screen, CS_CLAIMED, "requests/minute",
			"%" JSON_INTEGER_FORMAT " by this agent, says the appliance",
			json_integer_value(requests));
	cs_screen_row(screen, CS_CLAIMED, "scenario runs", "none: the risk is not assessed");
}

static void slots_section(const struct cs_review *review, const struct cs_signed_slot *slots,
	size_t count, struct cs_screen *screen)
{
	cs_screen_section(screen, "WHO SIGNS", "slots", review->action);
	for (size_t i = 0; i < count; i++) {
		const struct cs_signed_slot *slot = &slots[i];
		enum cs_standing standing =
			slot->approver == NULL || slot->verified ? CS_VERIFIED : CS_CLAIMED;
		cs_screen_row(screen, standing, "slot", slot->role);
		/* Whether somebody signed already is the appliance's word: it can withhold. */
		cs_screen_row(screen, slot->approver == NULL ? CS_CLAIMED : standing, "  decision",
			slot->approver == NULL ? "open" : slot->decision);
		if (slot->approver != NULL)
			cs_screen_row(screen, standing, "  by", slot->approver);
	}
}

void cs_present_review(const struct cs_review *review, const struct cs_signed_slot *slots,
	size_t slot_count, struct cs_screen *screen)
{
	cs_present_core(review->core, CS_VERIFIED, review->action, screen);
	judgement_section(review, screen);
	slots_section(review, slots, slot_count, screen);
}

void cs_present_signature(const struct cs_review *review, const char *decision, cs_time not_after,
	const char *rationale, struct cs_screen *screen)
{
	const struct cs_approver *own = review->approver;
	char text[CS_TIME_TEXT];

	cs_screen_section(screen, "WHAT YOUR SIGNATURE WILL SAY", "signature", review->action);
	cs_screen_row(screen, CS_VERIFIED, "decision", decision);
	cs_screen_row(screen, CS_VERIFIED, "by", own->person);
	cs_screen_row(screen, CS_VERIFIED, "as", review->role);
	cs_screen_row(screen, CS_VERIFIED, "this action alone", review->action);
	cs_screen_row(screen, CS_VERIFIED, "on the appliance", own->audience);
	cs_screen_rowf(screen, CS_VERIFIED, "under policy", "version %" PRId64 ", %s",
		cs_policy_version(own->policy), cs_policy_address(own->policy));
	cs_screen_rowf(screen, CS_VERIFIED, "under trust set", "version %" PRId64 ", %s",
		cs_trust_version(own->trust), cs_trust_address(own->trust));
	cs_screen_row(screen, CS_VERIFIED, "until at most", cs_time_print(not_after, text));
	cs_screen_row(screen, CS_VERIFIED, "rationale", rationale[0] != '\0' ? rationale : "none");
}
