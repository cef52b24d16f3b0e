/*
 * What a policy owes before anybody signs it.
 */
#include "policy_rules.h"
#include "rule.h"

#include <countersign/limits.h>
#include <inttypes.h>
#include <stdio.h>
#include <string.h>

/*
 * The schema says the same, and so do gate and signer: an irreversible change with fewer than two
 * people cannot be written down. Asked before the schema, so that the refusal says what is wrong.
 */
static enum cs_err check_irreversible(
	const json_t *action_class, const char *path, struct cs_fault *fault)
{
	const json_t *quorum = json_object_get(action_class, "quorum");
	const char *floor = cs_json_text(action_class, "reversibility");

	if (!cs_rule_on(CS_RULE_IRREVERSIBLE_QUORUM) || floor == NULL ||
		strcmp(floor, "irreversible") != 0)
		return CS_OK;
	if (json_array_size(quorum) < 2 || !cs_json_has_text(quorum, "engineer") ||
		!cs_json_has_text(quorum, "change_owner"))
		return cs_fault_set(fault, CS_E_POLICY_QUORUM, path,
			"%s cannot be undone and needs engineer and change_owner",
			cs_json_text(action_class, "id") ? cs_json_text(action_class, "id")
							 : "this class");
	return CS_OK;
}

static enum cs_err check_quorums(const json_t *document, struct cs_fault *fault)
{
	const json_t *classes = json_object_get(document, "action_classes");
	char path[64];

	for (size_t i = 0; i < json_array_size(classes); i++) {
		snprintf(path, sizeof path, "/action_classes/%zu/quorum", i);
		enum cs_err err = check_irreversible(json_array_get(classes, i), path, fault);
		if (err != CS_OK)
			return err;
	}
	return CS_OK;
}

/* A class stands on every level below its own, so the cells of those are filled too. */
static enum cs_err check_controls(
	const json_t *action_class, int64_t level, const char *path, struct cs_fault *fault)
{
	static const struct {
		int64_t from;
		const char *cells;
	} needed[] = {{1, "recommend"}, {2, "execute_with_approval"}, {3, "execute_autonomously"}};

	for (size_t i = 0; i < sizeof needed / sizeof *needed; i++)
		if (level >= needed[i].from &&
			!json_is_object(json_object_get(
				json_object_get(action_class, "controls"), needed[i].cells)))
			return cs_fault_set(fault, CS_E_POLICY_CONTROLS, path,
				"level %" PRId64 " needs the four controls of %s", level,
				needed[i].cells);
	return CS_OK;
}

static enum cs_err check_patterns(
	const json_t *action_class, const char *list, const char *path, struct cs_fault *fault)
{
	const json_t *commands = json_object_get(action_class, list);
	char why[128];
	bool matches;

	for (size_t i = 0; i < json_array_size(commands); i++) {
		const json_t *patterns = json_object_get(json_array_get(commands, i), "arguments");
		for (size_t j = 0; j < json_array_size(patterns); j++) {
			enum cs_err err =
				cs_pattern_match(json_string_value(json_array_get(patterns, j)), "",
					&matches, why, sizeof why);
			if (err != CS_OK)
				return cs_fault_set(fault, err, path, "pattern %zu of command %zu in %s: %s", j, i, list, why);
		}
	}
	return CS_OK;
}

static enum cs_err check_class(const json_t *action_class, const char *path, struct cs_fault *fault)
{
	const char *floor = cs_json_text(action_class, "reversibility");
	size_t slots = json_array_size(json_object_get(action_class, "quorum"));
	int64_t level = cs_json_integer(action_class, "level", -1);
	enum cs_err err;

	if (strcmp(floor, "irreversible") == 0 && level > 2)
		return cs_fault_set(fault, CS_E_POLICY, path,
			"level %" PRId64 " for what cannot be undone", level);
	if (slots > CS_SLOTS_MAX)
		return cs_fault_set(fault, CS_E_POLICY, path, "more than %d slots", CS_SLOTS_MAX);
	if (level == 2 && slots == 0)
		return cs_fault_set(
			fault, CS_E_POLICY, path, "level 2 asks people, but there is no slot");
	err = check_controls(action_class, level, path, fault);
	if (err == CS_OK)
		err = check_patterns(action_class, "executables", path, fault);
	return err == CS_OK ? check_patterns(action_class, "rollbacks", path, fault) : err;
}

static enum cs_err check_capabilities(
	const json_t *action_class, json_t *seen, const char *path, struct cs_fault *fault)
{
	const json_t *capabilities = json_object_get(action_class, "capabilities");

	for (size_t i = 0; i < json_array_size(capabilities); i++) {
		const char *capability = json_string_value(json_array_get(capabilities, i));
		const json_t *other = json_object_get(seen, capability);
		if (other != NULL)
			return cs_fault_set(fault, CS_E_POLICY_CAPABILITY, path,
				"%s is in %s already", capability, json_string_value(other));
		if (json_object_set(seen, capability, json_object_get(action_class, "id")) != 0)
			return CS_E_NOMEM;
	}
	return CS_OK;
}

static enum cs_err check_classes(const json_t *document, struct cs_fault *fault)
{
	CS_CLEANUP_JSON json_t *ids = json_object();
	CS_CLEANUP_JSON json_t *capabilities = json_object();
	const json_t *classes = json_object_get(document, "action_classes");
	char path[64];

	for (size_t i = 0; i < json_array_size(classes); i++) {
		const json_t *action_class = json_array_get(classes, i);
		const char *id = cs_json_text(action_class, "id");
		snprintf(path, sizeof path, "/action_classes/%zu", i);
		if (json_object_get(ids, id) != NULL)
			return cs_fault_set(
				fault, CS_E_TRUST_DUPLICATE, path, "%s occurs twice", id);
		if (json_object_set_new(ids, id, json_true()) != 0)
			return CS_E_NOMEM;
		enum cs_err err = check_class(action_class, path, fault);
		if (err == CS_OK)
			err = check_capabilities(action_class, capabilities, path, fault);
		if (err != CS_OK)
			return err;
	}
	return CS_OK;
}

static enum cs_err check_review(const json_t *document, struct cs_fault *fault)
{
	const char *last = cs_json_text_at(document, "review/last"),
		   *next = cs_json_text_at(document, "review/next");
	cs_time last_at, next_at;
	enum cs_err err = cs_time_parse(last, &last_at, fault);

	if (err == CS_OK)
		err = cs_time_parse(next, &next_at, fault);
	if (err == CS_OK && next_at <= last_at)
		return cs_fault_set(fault, CS_E_POLICY, "/review/next",
			"%s is not after the last review, %s", next, last);
	return err;
}

enum cs_err cs_policy_check_content(
	struct cs_schema_registry *registry, const json_t *document, struct cs_fault *fault)
{
	enum cs_err err = check_quorums(document, fault);

	if (err == CS_OK)
		err = cs_schema_check(registry, "countersign.policy.v1", document, fault);
	if (err == CS_OK)
		err = check_review(document, fault);
	if (err == CS_OK)
		err = check_classes(document, fault);
	return err;
}
