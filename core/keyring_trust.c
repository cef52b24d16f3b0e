/*
 * A keyring from the versions of a trust set, one after the other.
 */
#include "keyring_build.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

static json_int_t index_of(const json_t *map, const char *key)
{
	const json_t *index = json_object_get(map, key);

	return index != NULL ? json_integer_value(index) : -1;
}

static enum cs_err new_key(struct cs_keyring *ring, const json_t *version, const json_t *entry,
	const char *path, struct cs_fault *fault)
{
	const json_t *token = cs_json_find(
		json_object_get(version, "tokens"), "id", cs_json_text(entry, "token"));
	const json_t *appliance = cs_json_find(
		json_object_get(version, "appliances"), "id", cs_json_text(entry, "entity"));
	struct cs_key_info info = {
		.kid = cs_json_text(entry, "kid"),
		.entity = cs_json_text(entry, "entity"),
		.usage = cs_usage_by_name(cs_json_text(entry, "usage")),
		.product = cs_json_text(token, "product"),
		.serial = cs_json_text(token, "serial"),
		.assurance = cs_json_text(token, "assurance"),
		.origin = cs_json_text(appliance, "origin"),
	};
	enum cs_err err = cs_public_key_from_jwk(json_object_get(entry, "jwk"), &info.key);

	if (err != CS_OK)
		return cs_fault_set(fault, err, path, "%s: %s", info.kid, cs_err_text(err));
	err = cs_member_time(entry, "not_before", 0, path, &info.not_before, fault);
	return err == CS_OK ? cs_keyring_add_key(ring, &info) : err;
}

static enum cs_err advance_keys(
	struct cs_keyring *ring, const json_t *version, struct cs_fault *fault)
{
	const json_t *keys = json_object_get(version, "keys");
	char path[32];

	for (size_t i = 0; i < json_array_size(keys); i++) {
		const json_t *entry = json_array_get(keys, i);
		const char *kid = cs_json_text(entry, "kid");
		enum cs_err err = CS_OK;
		snprintf(path, sizeof path, "/keys/%zu", i);
		if (kid == NULL)
			return CS_E_INTERNAL;
		if (cs_keyring_edit(ring, kid) == NULL)
			err = new_key(ring, version, entry, path, fault);
		if (err != CS_OK)
			return err;
		struct cs_key_info *info = cs_keyring_edit(ring, kid);
		err = cs_member_time(
			entry, "not_after", CS_TIME_MAX, path, &info->not_after, fault);
		if (err == CS_OK)
			err = cs_revocation_time(json_object_get(entry, "revocation"), path,
				&info->revoked_at, fault);
		info->last_trusted_checkpoint =
			cs_json_text_at(entry, "revocation/last_trusted_checkpoint");
		if (err != CS_OK)
			return err;
	}
	return CS_OK;
}

/* Follows whether a person is active: opens a span, or closes the one that is open. */
static enum cs_err advance_state(
	struct cs_keyring *ring, const char *person, bool is_active, cs_time issued_at)
{
	json_int_t index = index_of(ring->by_person, person);
	bool was_active = index >= 0 && ring->active[index].until == CS_TIME_MAX;
	void *active = ring->active;

	if (is_active == was_active)
		return CS_OK;
	if (was_active) {
		ring->active[index].until = issued_at;
		return CS_OK;
	}
	if (cs_grow(&active, ring->active_count, &ring->active_cap, sizeof *ring->active) != CS_OK)
		return CS_E_NOMEM;
	ring->active = active;
	ring->active[ring->active_count] = (struct cs_active_span){
		.person = person,
		.from = ring->version_count == 0 ? 0 : issued_at,
		.until = CS_TIME_MAX,
	};
	if (json_object_set_new(
		    ring->by_person, person, json_integer((json_int_t)ring->active_count)) != 0)
		return CS_E_NOMEM;
	ring->active_count++;
	return CS_OK;
}

/* Text that is the same for the same entry in every version: everything but `until`. */
static enum cs_err role_identity(const char *person, const json_t *entry, struct cs_bytes *out)
{
	static const char *const not_identity[] = {"until", NULL};

	cs_bytes_addf(out, "%s ", person);
	return cs_canonical_print_without(entry, not_identity, out);
}

static enum cs_err advance_role(struct cs_keyring *ring, const char *person, const json_t *entry,
	cs_time issued_at, const char *path, struct cs_fault *fault)
{
	CS_CLEANUP_BYTES struct cs_bytes identity = {0};
	struct cs_role_span span = {
		.person = person,
		.role = cs_json_text(entry, "role"),
		.services = json_object_get(entry, "services"),
		.environments = json_object_get(entry, "environments"),
	};
	enum cs_err err = role_identity(person, entry, &identity);

	if (err == CS_OK)
		err = cs_member_time(entry, "from", 0, path, &span.from, fault);
	if (err == CS_OK)
		err = cs_member_time(entry, "until", CS_TIME_MAX, path, &span.until, fault);
	if (err != CS_OK)
		return err;
	json_int_t index = index_of(ring->by_role, (const char *)identity.data);
	if (index >= 0) {
		ring->roles[index].until = span.until;
		return CS_OK;
	}
	if (ring->version_count > 0 && span.from < issued_at)
		span.from = issued_at;
	if (json_object_set_new(ring->by_role, (const char *)identity.data,
		    json_integer((json_int_t)ring->role_count)) != 0)
		return CS_E_NOMEM;
	return cs_keyring_add_role(ring, &span);
}

static enum cs_err advance_persons(
	struct cs_keyring *ring, const json_t *version, cs_time issued_at, struct cs_fault *fault)
{
	const json_t *persons = json_object_get(version, "persons");
	char path[64];

	for (size_t i = 0; i < json_array_size(persons); i++) {
		const json_t *person = json_array_get(persons, i);
		const json_t *roles = json_object_get(person, "roles");
		const char *id = cs_json_text(person, "id");
		const char *state = cs_json_text(person, "state");
		if (id == NULL || state == NULL)
			return CS_E_INTERNAL;
		enum cs_err err = advance_state(ring, id, strcmp(state, "active") == 0, issued_at);
		for (size_t j = 0; err == CS_OK && j < json_array_size(roles); j++) {
			snprintf(path, sizeof path, "/persons/%zu/roles/%zu", i, j);
			err = advance_role(
				ring, id, json_array_get(roles, j), issued_at, path, fault);
		}
		if (err != CS_OK)
			return err;
	}
	return CS_OK;
}

enum cs_err cs_keyring_advance(
	struct cs_keyring *ring, const json_t *version, const char *address, struct cs_fault *fault)
{
	cs_time issued_at;
	enum cs_err err = cs_member_time(version, "issued_at", 0, "/issued_at", &issued_at, fault);

	ring->has_states = true;
	if (err == CS_OK)
		err = cs_keyring_keep(ring, version);
	if (err == CS_OK)
		err = advance_keys(ring, version, fault);
	if (err == CS_OK)
		err = advance_persons(ring, version, issued_at, fault);
	if (err == CS_OK)
		err = cs_keyring_add_version(
			ring, address, cs_json_integer(version, "version", 0), issued_at);
	return err;
}

static enum cs_err publish_span(
	const struct cs_role_span *span, cs_time from, cs_time until, json_t *roles)
{
	char from_text[CS_TIME_TEXT], until_text[CS_TIME_TEXT];
	json_t *role = json_pack("{s:s, s:O, s:O, s:s, s:s?}", "role", span->role, "services",
		span->services, "environments", span->environments, "from",
		cs_time_print(from, from_text), "until",
		until == CS_TIME_MAX ? NULL : cs_time_print(until, until_text));

	return json_array_append_new(roles, role) == 0 ? CS_OK : CS_E_NOMEM;
}

enum cs_err cs_keyring_published_roles(
	const struct cs_keyring *ring, const char *person, json_t **ret_roles)
{
	CS_CLEANUP_JSON json_t *roles = json_array();

	if (roles == NULL)
		return CS_E_NOMEM;
	for (size_t i = 0; i < ring->role_count; i++) {
		const struct cs_role_span *role = &ring->roles[i];
		if (strcmp(role->person, person) != 0)
			continue;
		for (size_t j = 0; j < ring->active_count; j++) {
			const struct cs_active_span *active = &ring->active[j];
			cs_time from = role->from > active->from ? role->from : active->from;
			cs_time until = role->until < active->until ? role->until : active->until;
			if (from >= until || strcmp(active->person, person) != 0)
				continue;
			enum cs_err err = publish_span(role, from, until, roles);
			if (err != CS_OK)
				return err;
		}
	}
	*ret_roles = json_incref(roles);
	return CS_OK;
}
