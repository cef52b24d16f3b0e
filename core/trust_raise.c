/*
 * Nobody signs a version that adds or raises their own keys or roles.
 */
#include "trust_rules.h"

#include <stdio.h>
#include <string.h>

static enum cs_err raised(
	struct cs_fault *fault, const char *path, const char *person, const char *what)
{
	return cs_fault_set(
		fault, CS_E_TRUST_SELF_RAISE, path, "%s would sign for %s", person, what);
}

static bool is_state(const json_t *person, const char *state)
{
	const char *text = cs_json_text(person, "state");

	return text != NULL && strcmp(text, state) == 0;
}

/* Every name in `now` is in `was`, or `was` is everything. */
static bool scope_within(const json_t *was, const json_t *now)
{
	if (cs_json_has_text(was, "*"))
		return true;
	for (size_t i = 0; i < json_array_size(now); i++)
		if (!cs_json_has_text(was, json_string_value(json_array_get(now, i))))
			return false;
	return true;
}

static bool role_within(const json_t *was, const json_t *now)
{
	cs_time was_from, now_from;

	return json_equal(json_object_get(was, "role"), json_object_get(now, "role")) &&
	       scope_within(json_object_get(was, "services"), json_object_get(now, "services")) &&
	       scope_within(json_object_get(was, "environments"),
		       json_object_get(now, "environments")) &&
	       cs_member_time(was, "from", 0, "", &was_from, NULL) == CS_OK &&
	       cs_member_time(now, "from", 0, "", &now_from, NULL) == CS_OK &&
	       now_from >= was_from &&
	       cs_trust_not_later(json_object_get(was, "until"), json_object_get(now, "until"));
}

static enum cs_err check_person(
	const json_t *version, const json_t *previous, const char *person, struct cs_fault *fault)
{
	const json_t *now = cs_json_find(json_object_get(version, "persons"), "id", person);
	const json_t *was = cs_json_find(json_object_get(previous, "persons"), "id", person);
	const json_t *roles = json_object_get(now, "roles"), *old = json_object_get(was, "roles");

	if (now != NULL && was == NULL)
		return raised(fault, "/persons", person, "being added");
	if (is_state(now, "active") && !is_state(was, "active"))
		return raised(fault, "/persons", person, "being active again");
	for (size_t i = 0; i < json_array_size(roles); i++) {
		const json_t *role = json_array_get(roles, i);
		bool within = false;
		for (size_t j = 0; j < json_array_size(old) && !within; j++)
			within = role_within(json_array_get(old, j), role);
		if (!within)
			return raised(
				fault, "/persons", person, "a new or wider role of their own");
	}
	return CS_OK;
}

static enum cs_err check_keys(
	const json_t *version, const json_t *previous, const char *person, struct cs_fault *fault)
{
	static const char *const fixed[] = {"entity", "usage", "token", "jwk", "not_before"};
	const json_t *keys = json_object_get(version, "keys"),
		     *old = json_object_get(previous, "keys");

	for (size_t i = 0; i < json_array_size(keys); i++) {
		const json_t *now = json_array_get(keys, i);
		const json_t *was = cs_json_find(old, "kid", cs_json_text(now, "kid"));
		const char *entity = cs_json_text(now, "entity");
		if (entity == NULL || strcmp(entity, person) != 0)
			continue;
		if (was == NULL)
			return raised(fault, "/keys", person, "a key of their own");
		for (size_t j = 0; j < sizeof fixed / sizeof *fixed; j++)
			if (!json_equal(
				    json_object_get(was, fixed[j]), json_object_get(now, fixed[j])))
				return raised(
					fault, "/keys", person, "a change to a key of their own");
		if (!cs_trust_not_later(
			    json_object_get(was, "not_after"), json_object_get(now, "not_after")))
			return raised(fault, "/keys", person, "a longer life of their own key");
		if (!cs_trust_still_revoked(
			    json_object_get(was, "revocation"), json_object_get(now, "revocation")))
			return raised(
				fault, "/keys", person, "lifting a revocation of their own key");
	}
	return CS_OK;
}

/*
 * The tokens that the person's keys are on. Their identity decides whether two keys count as two.
 */
static enum cs_err check_tokens(
	const json_t *version, const json_t *previous, const char *person, struct cs_fault *fault)
{
	const json_t *keys = json_object_get(previous, "keys");

	for (size_t i = 0; i < json_array_size(keys); i++) {
		const json_t *key = json_array_get(keys, i);
		const char *entity = cs_json_text(key, "entity"), *id = cs_json_text(key, "token");
		if (entity == NULL || id == NULL || strcmp(entity, person) != 0)
			continue;
		if (!json_equal(cs_json_find(json_object_get(previous, "tokens"), "id", id),
			    cs_json_find(json_object_get(version, "tokens"), "id", id)))
			return raised(fault, "/tokens", person, "a change to a token of their own");
	}
	return CS_OK;
}

static enum cs_err check_given(const json_t *version, const json_t *previous, const char *list,
	const char *id, const char *holder, const char *person, struct cs_fault *fault)
{
	const json_t *entries = json_object_get(version, list);
	char path[64];

	for (size_t i = 0; i < json_array_size(entries); i++) {
		const json_t *entry = json_array_get(entries, i);
		const char *to = cs_json_text(entry, holder);
		if (to == NULL || strcmp(to, person) != 0)
			continue;
		snprintf(path, sizeof path, "/%s/%zu", list, i);
		if (cs_json_find(json_object_get(previous, list), id, cs_json_text(entry, id)) ==
			NULL)
			return raised(fault, path, person, "a grant to themselves");
	}
	return CS_OK;
}

enum cs_err cs_trust_no_self_raise(
	const json_t *version, const json_t *previous, const char *person, struct cs_fault *fault)
{
	enum cs_err err = check_person(version, previous, person, fault);

	if (err == CS_OK)
		err = check_keys(version, previous, person, fault);
	if (err == CS_OK)
		err = check_tokens(version, previous, person, fault);
	if (err == CS_OK)
		err = check_given(version, previous, "grants", "id", "grantee", person, fault);
	if (err == CS_OK)
		err = check_given(version, previous, "purposes", "id", "grantee", person, fault);
	if (err == CS_OK)
		err = check_given(version, previous, "delegations", "delegation_id",
			"actor_entity_id", person, fault);
	return err;
}
