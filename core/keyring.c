#include "keyring_build.h"

#include <stdlib.h>
#include <string.h>

enum cs_err cs_grow(void **array, size_t count, size_t *cap, size_t size)
{
	if (count < *cap)
		return CS_OK;
	size_t room = *cap ? *cap * 2 : 16;
	void *grown = reallocarray(*array, room, size);
	if (grown == NULL)
		return CS_E_NOMEM;
	*array = grown;
	*cap = room;
	return CS_OK;
}

enum cs_err cs_keyring_new(struct cs_keyring **ret_ring)
{
	struct cs_keyring *ring = calloc(1, sizeof *ring);

	if (ring == NULL)
		return CS_E_NOMEM;
	ring->documents = json_array();
	ring->by_kid = json_object();
	ring->by_role = json_object();
	ring->by_person = json_object();
	if (ring->documents == NULL || ring->by_kid == NULL || ring->by_role == NULL ||
		ring->by_person == NULL) {
		cs_keyring_free(ring);
		return CS_E_NOMEM;
	}
	*ret_ring = ring;
	return CS_OK;
}

void cs_keyring_free(struct cs_keyring *ring)
{
	if (ring == NULL)
		return;
	free(ring->keys);
	free(ring->roles);
	free(ring->active);
	free(ring->versions);
	json_decref(ring->by_kid);
	json_decref(ring->by_role);
	json_decref(ring->by_person);
	json_decref(ring->documents);
	free(ring);
}

enum cs_err cs_keyring_keep(struct cs_keyring *ring, const json_t *document)
{
	/* jansson counts references in the value itself, so it wants it without const. */
	return json_array_append(ring->documents, (json_t *)(uintptr_t)document) == 0 ? CS_OK
										      : CS_E_NOMEM;
}

enum cs_err cs_keyring_add_key(struct cs_keyring *ring, const struct cs_key_info *info)
{
	void *keys = ring->keys;

	if (json_object_get(ring->by_kid, info->kid) != NULL)
		return CS_E_TRUST_DUPLICATE;
	if (cs_grow(&keys, ring->key_count, &ring->key_cap, sizeof *info) != CS_OK)
		return CS_E_NOMEM;
	ring->keys = keys;
	if (json_object_set_new(
		    ring->by_kid, info->kid, json_integer((json_int_t)ring->key_count)) != 0)
		return CS_E_NOMEM;
	ring->keys[ring->key_count++] = *info;
	return CS_OK;
}

enum cs_err cs_keyring_add_role(struct cs_keyring *ring, const struct cs_role_span *span)
{
	void *roles = ring->roles;

	if (cs_grow(&roles, ring->role_count, &ring->role_cap, sizeof *span) != CS_OK)
		return CS_E_NOMEM;
	ring->roles = roles;
	ring->roles[ring->role_count++] = *span;
	return CS_OK;
}

enum cs_err cs_keyring_add_version(
	struct cs_keyring *ring, const char *address, int64_t version, cs_time issued_at)
{
	void *versions = ring->versions;

	if (cs_grow(&versions, ring->version_count, &ring->version_cap, sizeof *ring->versions) !=
		CS_OK)
		return CS_E_NOMEM;
	ring->versions = versions;
	struct cs_ring_version *entry = &ring->versions[ring->version_count];
	*entry = (struct cs_ring_version){.version = version, .issued_at = issued_at};
	if (!cs_address_ok(address))
		return CS_E_ADDRESS;
	memcpy(entry->address, address, CS_ADDRESS_TEXT);
	ring->version_count++;
	cs_time_print(issued_at, ring->as_of);
	return CS_OK;
}

struct cs_key_info *cs_keyring_edit(struct cs_keyring *ring, const char *kid)
{
	const json_t *index = json_object_get(ring->by_kid, kid);

	return index != NULL ? &ring->keys[json_integer_value(index)] : NULL;
}

const struct cs_key_info *cs_keyring_find(const struct cs_keyring *ring, const char *kid)
{
	const json_t *index = json_object_get(ring->by_kid, kid);

	return index != NULL ? &ring->keys[json_integer_value(index)] : NULL;
}

enum cs_err cs_member_time(const json_t *object, const char *key, cs_time open, const char *path,
	cs_time *ret_time, struct cs_fault *fault)
{
	const char *text = cs_json_text(object, key);

	if (open != 0 && json_is_null(json_object_get(object, key))) {
		*ret_time = open;
		return CS_OK;
	}
	if (text == NULL || cs_time_parse(text, ret_time, NULL) != CS_OK)
		return cs_fault_set(
			fault, CS_E_TIME, path, "'%s' is not a time in UTC", text ? text : key);
	return CS_OK;
}

enum cs_err cs_revocation_time(
	const json_t *revocation, const char *path, cs_time *ret_time, struct cs_fault *fault)
{
	cs_time at, from;
	enum cs_err err;

	if (json_is_null(revocation)) {
		*ret_time = CS_TIME_MAX;
		return CS_OK;
	}
	err = cs_member_time(revocation, "at", 0, path, &at, fault);
	if (err == CS_OK)
		err = cs_member_time(revocation, "invalid_from", CS_TIME_MAX, path, &from, fault);
	if (err == CS_OK)
		*ret_time = at < from ? at : from;
	return err;
}

/* True when the list holds `name` or "*". */
static bool scope_has(const json_t *list, const char *name)
{
	return cs_json_has_text(list, "*") || cs_json_has_text(list, name);
}

static enum cs_err key_refused(
	struct cs_fault *fault, enum cs_err err, const char *path, const char *kid, const char *why)
{
	return cs_fault_set(fault, err, path, "%s %s", kid, why);
}

enum cs_err cs_keyring_key_at(const struct cs_keyring *ring, const char *kid, const char *schema,
	const char *entity, cs_time at, const char *path, const struct cs_key_info **ret_key,
	struct cs_fault *fault)
{
	const struct cs_key_info *key = kid != NULL ? cs_keyring_find(ring, kid) : NULL;
	char text[CS_TIME_TEXT];

	if (key == NULL)
		return key_refused(fault, CS_E_KEY_UNKNOWN, path,
			kid ? kid : "a key without a name", "is not enrolled");
	if (!cs_usage_may_sign(key->usage, schema))
		return cs_fault_set(fault, CS_E_KEY_USAGE, path,
			"%s has usage %s and may not sign %s", kid, cs_usage_name(key->usage),
			schema);
	if (entity != NULL && strcmp(key->entity, entity) != 0)
		return cs_fault_set(fault, CS_E_KEY_ENTITY, path, "%s belongs to %s, not to %s",
			kid, key->entity, entity);
	if (at < key->not_before || at >= key->not_after)
		return cs_fault_set(fault, CS_E_KEY_WINDOW, path, "%s is not valid at %s", kid,
			cs_time_print(at, text));
	if (at >= key->revoked_at)
		return cs_fault_set(fault, CS_E_KEY_REVOKED, path, "%s is revoked from %s on", kid,
			cs_time_print(key->revoked_at, text));
	*ret_key = key;
	return CS_OK;
}

static bool active_at(const struct cs_keyring *ring, const char *person, cs_time at)
{
	if (!ring->has_states)
		return true;
	for (size_t i = 0; i < ring->active_count; i++) {
		const struct cs_active_span *span = &ring->active[i];
		if (at >= span->from && at < span->until && strcmp(span->person, person) == 0)
			return true;
	}
	return false;
}

enum cs_err cs_keyring_role(const struct cs_keyring *ring, const char *person, const char *role,
	const char *service, const char *environment, cs_time at, struct cs_fault *fault)
{
	bool held = false;

	if (active_at(ring, person, at)) {
		for (size_t i = 0; i < ring->role_count; i++) {
			const struct cs_role_span *span = &ring->roles[i];
			if (at < span->from || at >= span->until || strcmp(span->role, role) != 0 ||
				strcmp(span->person, person) != 0)
				continue;
			held = true;
			if ((service == NULL || scope_has(span->services, service)) &&
				(environment == NULL ||
					scope_has(span->environments, environment)))
				return CS_OK;
		}
	}
	if (held)
		return cs_fault_set(fault, CS_E_APPROVAL_SCOPE, "",
			"%s holds %s, but not for %s in %s", person, role,
			service ? service : "any service",
			environment ? environment : "any environment");
	return cs_fault_set(fault, CS_E_APPROVAL_ROLE, "", "%s does not hold %s", person, role);
}

const struct cs_key_info *cs_keyring_appliance_key_at(
	const struct cs_keyring *ring, const char *origin, enum cs_usage usage, cs_time at)
{
	const struct cs_key_info *found = NULL;

	for (size_t i = 0; i < ring->key_count; i++) {
		const struct cs_key_info *key = &ring->keys[i];
		if (key->usage != usage || key->origin == NULL || strcmp(key->origin, origin) != 0)
			continue;
		if (at < key->not_before || at >= key->not_after || at >= key->revoked_at)
			continue;
		if (found == NULL || key->not_before > found->not_before)
			found = key;
	}
	return found;
}

const struct cs_key_info *cs_keyring_appliance_key(
	const struct cs_keyring *ring, const char *origin, enum cs_usage usage)
{
	const struct cs_key_info *found = NULL;
	cs_time as_of = ring->version_count ? ring->versions[ring->version_count - 1].issued_at : 0;

	/*
	 * A key may begin after the version that names it; at most one of each usage has not ended.
	 */
	for (size_t i = 0; i < ring->key_count; i++) {
		const struct cs_key_info *key = &ring->keys[i];
		if (key->usage == usage && key->origin != NULL &&
			strcmp(key->origin, origin) == 0 && as_of < key->not_after &&
			as_of < key->revoked_at &&
			(found == NULL || key->not_before > found->not_before))
			found = key;
	}
	return found;
}

enum cs_err cs_keyring_version_at(
	const struct cs_keyring *ring, const char *address, cs_time at, struct cs_fault *fault)
{
	const struct cs_ring_version *in_force = NULL;
	char text[CS_TIME_TEXT];

	for (size_t i = 0; i < ring->version_count && ring->versions[i].issued_at <= at; i++)
		in_force = &ring->versions[i];
	if (in_force != NULL && strcmp(in_force->address, address) == 0)
		return CS_OK;
	return cs_fault_set(fault, CS_E_STATEMENT_TRUST_SET, "",
		"%s was not the trust set in force at %s", address, cs_time_print(at, text));
}

const char *cs_keyring_genesis(const struct cs_keyring *ring)
{
	return ring->version_count ? ring->versions[0].address : "";
}

const char *cs_keyring_as_of(const struct cs_keyring *ring)
{
	return ring->as_of;
}

bool cs_keyring_is_plain(const struct cs_keyring *ring)
{
	return ring->plain;
}
