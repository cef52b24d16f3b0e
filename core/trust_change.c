/*
 * Nothing is removed from a trust set: every entry of the version before is still there, with the
 * same members, and the few members that may change do so towards an end.
 */
#include "trust_rules.h"

#include <stdio.h>
#include <string.h>

typedef bool change_fn(const json_t *was, const json_t *now);

static const char *text_or_empty(const json_t *value)
{
	return json_is_string(value) ? json_string_value(value) : "";
}

static bool free_change(const json_t *was, const json_t *now)
{
	(void)was;
	(void)now;
	return true;
}

bool cs_trust_not_later(const json_t *was, const json_t *now)
{
	cs_time before, after;

	if (was == NULL || json_is_null(was))
		return true;
	return cs_time_parse(text_or_empty(was), &before, NULL) == CS_OK &&
	       cs_time_parse(text_or_empty(now), &after, NULL) == CS_OK && after <= before;
}

bool cs_trust_still_revoked(const json_t *was, const json_t *now)
{
	cs_time before, after;

	if (json_is_null(was))
		return true;
	return cs_revocation_time(was, "", &before, NULL) == CS_OK &&
	       cs_revocation_time(now, "", &after, NULL) == CS_OK && after <= before;
}

/*
 * A revocation may be corrected to reach further back, and to name a checkpoint; a checkpoint once
 * named stays.
 */
static bool revocation_change(const json_t *was, const json_t *now)
{
	const json_t *checkpoint = json_object_get(was, "last_trusted_checkpoint");

	if (!cs_trust_still_revoked(was, now))
		return false;
	return checkpoint == NULL || json_is_null(checkpoint) ||
	       json_equal(checkpoint, json_object_get(now, "last_trusted_checkpoint"));
}

static bool state_change(const json_t *was, const json_t *now)
{
	return strcmp(text_or_empty(was), "ended") != 0 || json_equal(was, now);
}

static bool status_change(const json_t *was, const json_t *now)
{
	const char *before = text_or_empty(was);

	return (strcmp(before, "revoked") != 0 && strcmp(before, "expired") != 0) ||
	       json_equal(was, now);
}

/*
 * `roles[]` has no identifiers: an entry is found by everything but its `until`. New entries are
 * welcome.
 */
static bool same_role(const json_t *a, const json_t *b)
{
	static const char *const members[] = {"role", "services", "environments", "from"};

	for (size_t i = 0; i < sizeof members / sizeof *members; i++)
		if (!json_equal(json_object_get(a, members[i]), json_object_get(b, members[i])))
			return false;
	return true;
}

static bool roles_change(const json_t *was, const json_t *now)
{
	for (size_t i = 0; i < json_array_size(was); i++) {
		const json_t *role = json_array_get(was, i), *found = NULL;
		for (size_t j = 0; j < json_array_size(now) && found == NULL; j++)
			if (same_role(role, json_array_get(now, j)))
				found = json_array_get(now, j);
		if (found == NULL || !cs_trust_not_later(json_object_get(role, "until"),
					     json_object_get(found, "until")))
			return false;
	}
	return true;
}

#define CHANGES_MAX 4
/* Members of a list's entries that may change, and how. Everything else stays as it is. */
static const struct list_rule {
	const char *list;
	const char *id;
	struct {
		const char *member;
		change_fn *allowed;
	} changes[CHANGES_MAX];
} rules[] = {
	{"organisations", "id", {{"name", free_change}}},
	{"persons", "id",
		{{"name", free_change}, {"state", state_change}, {"roles", roles_change}}},
	{"agents", "id",
		{{"name", free_change}, {"state", state_change}, {"unix_users", free_change}}},
	{"resources", "id", {{NULL, NULL}}},
	{"tokens", "id", {{NULL, NULL}}},
	{"keys", "kid", {{"not_after", cs_trust_not_later}, {"revocation", revocation_change}}},
	{"grants", "id", {{"revoked_at", cs_trust_not_later}, {"revoked_reason", free_change}}},
	{"delegations", "delegation_id",
		{{"status", status_change}, {"valid_until", cs_trust_not_later}}},
	{"purposes", "id", {{"revoked_at", cs_trust_not_later}, {"revoked_reason", free_change}}},
	/* Rotation: which keys may stand there is a rule on the new version. */
	{"appliances", "id",
		{{"seal_key", free_change}, {"checkpoint_key", free_change},
			{"document_key", free_change}}},
};

static change_fn *change_of(const struct list_rule *rule, const char *member)
{
	for (size_t i = 0; i < CHANGES_MAX && rule->changes[i].member != NULL; i++)
		if (strcmp(rule->changes[i].member, member) == 0)
			return rule->changes[i].allowed;
	return NULL;
}

/*
 * Each member of either entry: equal, or changed as its rule allows. Gives the first that is not.
 */
static const char *first_wrong(const struct list_rule *rule, const json_t *was, const json_t *now)
{
	const json_t *sides[] = {was, now};

	for (size_t side = 0; side < 2; side++) {
		const char *member;
		json_t *value;
		json_object_foreach((json_t *)(uintptr_t)sides[side], member, value) {
			const json_t *before = json_object_get(was, member),
				     *after = json_object_get(now, member);
			change_fn *allowed = change_of(rule, member);
			if (!(before != NULL && after != NULL && json_equal(before, after)) &&
				(allowed == NULL || !allowed(before, after)))
				return member;
		}
	}
	return NULL;
}

static enum cs_err check_list(const struct list_rule *rule, const json_t *version,
	const json_t *previous, struct cs_fault *fault)
{
	CS_CLEANUP_JSON json_t *index = json_object();
	const json_t *was = json_object_get(previous, rule->list),
		     *now = json_object_get(version, rule->list);
	char path[128];

	for (size_t i = 0; i < json_array_size(now); i++) {
		const char *id = cs_json_text(json_array_get(now, i), rule->id);
		if (id == NULL || json_object_set(index, id, json_array_get(now, i)) != 0)
			return CS_E_NOMEM;
	}
	for (size_t i = 0; i < json_array_size(was); i++) {
		const json_t *entry = json_array_get(was, i);
		const char *id = cs_json_text(entry, rule->id);
		const json_t *kept = json_object_get(index, id);
		snprintf(path, sizeof path, "/%s", rule->list);
		if (kept == NULL)
			return cs_fault_set(fault, CS_E_TRUST_REMOVED, path,
				"%s is gone; entries end, they are not removed", id);
		const char *member = first_wrong(rule, entry, kept);
		if (member != NULL)
			return cs_fault_set(fault, CS_E_TRUST_REMOVED, path,
				"%s: %s may not change so", id, member);
	}
	return CS_OK;
}

enum cs_err cs_trust_nothing_removed(
	const json_t *version, const json_t *previous, struct cs_fault *fault)
{
	enum cs_err err = CS_OK;

	for (size_t i = 0; err == CS_OK && i < sizeof rules / sizeof *rules; i++)
		err = check_list(&rules[i], version, previous, fault);
	return err;
}
