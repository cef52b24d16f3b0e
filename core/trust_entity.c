/*
 * Who is in a trust set: every identifier once, every reference leads to an entry.
 */
#include "trust_rules.h"

#include <stdio.h>
#include <string.h>

static enum cs_err add_ids(const json_t *version, const char *list, const char *member,
	json_t **map, struct cs_fault *fault)
{
	const json_t *entries = json_object_get(version, list);
	char path[64];

	if (*map == NULL)
		*map = json_object();
	if (*map == NULL)
		return CS_E_NOMEM;
	for (size_t i = 0; i < json_array_size(entries); i++) {
		json_t *entry = json_array_get(entries, i);
		const char *id = cs_json_text(entry, member);
		snprintf(path, sizeof path, "/%s/%zu", list, i);
		if (id == NULL)
			return cs_fault_set(fault, CS_E_ID, path, "no %s", member);
		if (json_object_get(*map, id) != NULL)
			return cs_fault_set(
				fault, CS_E_TRUST_DUPLICATE, path, "%s occurs twice", id);
		if (json_object_set(*map, id, entry) != 0)
			return CS_E_NOMEM;
	}
	return CS_OK;
}

static enum cs_err only_once(
	const json_t *version, const char *list, const char *member, struct cs_fault *fault)
{
	CS_CLEANUP_JSON json_t *map = NULL;

	return add_ids(version, list, member, &map, fault);
}

enum cs_err cs_trust_index_make(
	const json_t *version, struct cs_trust_index *index, struct cs_fault *fault)
{
	CS_CLEANUP_JSON json_t *entities = NULL;
	const struct {
		const char *list, *member;
		json_t **map;
	} table[] = {
		{"organisations", "id", &index->organisations},
		{"persons", "id", &index->persons},
		{"agents", "id", &index->agents},
		{"resources", "id", &index->resources},
		{"tokens", "id", &index->tokens},
		{"keys", "kid", &index->keys},
		{"grants", "id", &index->grants},
		{"appliances", "id", &index->appliances},
		/*
		 * Appliances and organisations are both kye:ent:…, so they share one set of names.
		 */
		{"organisations", "id", &entities},
		{"appliances", "id", &entities},
	};
	enum cs_err err = CS_OK;

	for (size_t i = 0; err == CS_OK && i < sizeof table / sizeof *table; i++)
		err = add_ids(version, table[i].list, table[i].member, table[i].map, fault);
	if (err == CS_OK)
		err = only_once(version, "purposes", "id", fault);
	if (err == CS_OK)
		err = only_once(version, "delegations", "delegation_id", fault);
	if (err == CS_OK)
		err = only_once(version, "appliances", "origin", fault);
	/* One human enrolled as two persons would be two people for every rule. */
	if (err == CS_OK)
		err = only_once(version, "persons", "employee_digest", fault);
	return err;
}

void cs_trust_index_free(struct cs_trust_index *index)
{
	json_decref(index->organisations);
	json_decref(index->persons);
	json_decref(index->agents);
	json_decref(index->resources);
	json_decref(index->tokens);
	json_decref(index->keys);
	json_decref(index->grants);
	json_decref(index->appliances);
}

enum cs_err cs_trust_refers(const char *id, const json_t *map, const json_t *other,
	const char *path, struct cs_fault *fault)
{
	if (id != NULL && (json_object_get(map, id) != NULL || json_object_get(other, id) != NULL))
		return CS_OK;
	return cs_fault_set(
		fault, CS_E_TRUST_REFERENCE, path, "%s is no entry", id ? id : "nothing");
}

/* A role entry without `until` names itself: ending it must not be ambiguous. */
static enum cs_err check_roles(const json_t *person, const char *path, struct cs_fault *fault)
{
	static const char *const not_identity[] = {"until", NULL};
	CS_CLEANUP_JSON json_t *seen = json_object();
	const json_t *roles = json_object_get(person, "roles");

	for (size_t i = 0; i < json_array_size(roles); i++) {
		CS_CLEANUP_BYTES struct cs_bytes identity = {0};
		enum cs_err err = cs_canonical_print_without(
			json_array_get(roles, i), not_identity, &identity);
		if (err != CS_OK)
			return err;
		if (json_object_get(seen, (const char *)identity.data) != NULL)
			return cs_fault_set(fault, CS_E_TRUST_DUPLICATE, path,
				"the same role, scope and beginning twice");
		if (json_object_set_new(seen, (const char *)identity.data, json_true()) != 0)
			return CS_E_NOMEM;
	}
	return CS_OK;
}

static enum cs_err check_persons(
	const json_t *version, const struct cs_trust_index *index, struct cs_fault *fault)
{
	const json_t *persons = json_object_get(version, "persons");
	char path[64];

	for (size_t i = 0; i < json_array_size(persons); i++) {
		const json_t *person = json_array_get(persons, i);
		snprintf(path, sizeof path, "/persons/%zu", i);
		enum cs_err err = cs_trust_refers(cs_json_text(person, "organisation"),
			index->organisations, NULL, path, fault);
		if (err == CS_OK)
			err = check_roles(person, path, fault);
		if (err != CS_OK)
			return err;
	}
	return CS_OK;
}

static enum cs_err check_agents(
	const json_t *version, const struct cs_trust_index *index, struct cs_fault *fault)
{
	const json_t *agents = json_object_get(version, "agents");
	char path[64];

	for (size_t i = 0; i < json_array_size(agents); i++) {
		const json_t *agent = json_array_get(agents, i);
		snprintf(path, sizeof path, "/agents/%zu", i);
		enum cs_err err = cs_trust_refers(cs_json_text(agent, "organisation"),
			index->organisations, NULL, path, fault);
		if (err == CS_OK)
			err = cs_trust_refers(cs_json_text(agent, "principal"), index->persons,
				NULL, path, fault);
		if (err != CS_OK)
			return err;
	}
	return CS_OK;
}

static enum cs_err check_delegation(const json_t *delegation, const struct cs_trust_index *index,
	const char *path, struct cs_fault *fault)
{
	const json_t *resources = cs_json_at(delegation, "scope/resources");
	enum cs_err err;

	err = cs_trust_refers(cs_json_text(delegation, "actor_entity_id"), index->agents,
		index->persons, path, fault);
	if (err == CS_OK)
		err = cs_trust_refers(cs_json_text(delegation, "subject_entity_id"),
			index->organisations, index->persons, path, fault);
	if (err == CS_OK)
		err = cs_trust_refers(cs_json_text(delegation, "delegator_entity_id"),
			index->persons, index->agents, path, fault);
	if (err == CS_OK && json_object_get(delegation, "authorized_by_entity_id") != NULL)
		err = cs_trust_refers(cs_json_text(delegation, "authorized_by_entity_id"),
			index->persons, index->organisations, path, fault);
	for (size_t i = 0; err == CS_OK && i < json_array_size(resources); i++)
		err = cs_trust_refers(json_string_value(json_array_get(resources, i)),
			index->resources, NULL, path, fault);
	return err;
}

/* Somebody must be able to replace the key of the other one. */
static enum cs_err check_officers(const json_t *version, struct cs_fault *fault)
{
	const json_t *persons = json_object_get(version, "persons");
	cs_time issued_at, from;
	unsigned officers = 0;
	enum cs_err err = cs_member_time(version, "issued_at", 0, "/issued_at", &issued_at, fault);

	for (size_t i = 0; err == CS_OK && i < json_array_size(persons); i++) {
		const json_t *person = json_array_get(persons, i);
		const json_t *roles = json_object_get(person, "roles");
		const char *state = cs_json_text(person, "state");
		bool officer = false;
		for (size_t j = 0; err == CS_OK && j < json_array_size(roles); j++) {
			const json_t *role = json_array_get(roles, j);
			const char *name = cs_json_text(role, "role");
			err = cs_member_time(role, "from", 0, "/persons", &from, fault);
			if (err == CS_OK && name != NULL && strcmp(name, "security_officer") == 0 &&
				from <= issued_at && json_is_null(json_object_get(role, "until")))
				officer = true;
		}
		if (officer && state != NULL && strcmp(state, "active") == 0)
			officers++;
	}
	if (err == CS_OK && officers < 2)
		return cs_fault_set(fault, CS_E_TRUST_OFFICERS, "/persons",
			"%u active security officers without an end; two are needed", officers);
	return err;
}

enum cs_err cs_trust_entities(
	const json_t *version, const struct cs_trust_index *index, struct cs_fault *fault)
{
	const json_t *delegations = json_object_get(version, "delegations");
	char path[64];
	enum cs_err err = check_persons(version, index, fault);

	if (err == CS_OK)
		err = check_agents(version, index, fault);
	for (size_t i = 0; err == CS_OK && i < json_array_size(delegations); i++) {
		snprintf(path, sizeof path, "/delegations/%zu", i);
		err = check_delegation(json_array_get(delegations, i), index, path, fault);
	}
	return err == CS_OK ? check_officers(version, fault) : err;
}
