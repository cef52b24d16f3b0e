#include "state.h"
#include "address.h"
#include "gate/checks.h"

#include <string.h>

/*
 * An agent may hold many grants; a pack has room for these. Those that cover the resource come
 * first, so that the cap cannot hide the one that allows. The gate refuses more steps of delegation
 * than CHAIN_STEPS anyway.
 */
#define EXTRACTS_MAX 16
#define CHAIN_STEPS 8

static json_t *copy_or_null(const json_t *doc)
{
	return doc != NULL ? cs_json_copied(doc) : json_null();
}

/* A pack is public; the digest of an employee number has no use in it. */
static json_t *person_extract(const json_t *person)
{
	json_t *copy = copy_or_null(person);

	if (copy != NULL && json_is_object(copy))
		json_object_del(copy, "employee_digest");
	return copy;
}

/* As the gate has it: a grant that it would not take must not be put before one that it would. */
static bool covers(const json_t *entry, const char *resource)
{
	const json_t *resources = cs_json_at(entry, "scope/resources");

	return resource != NULL && (resources == NULL || cs_covers(resources, resource));
}

/*
 * Entries of `list` whose member `key` is `holder`: the ones that cover the resource, then the
 * others.
 */
static enum cs_err select_held(const json_t *list, const char *key, const char *holder,
	const char *resource, json_t *selected)
{
	for (int pass = 0; pass < 2; pass++) {
		size_t i;
		json_t *entry;

		json_array_foreach(list, i, entry)
		{
			const char *held_by = cs_json_text(entry, key);

			if (held_by == NULL || strcmp(held_by, holder) != 0 ||
				covers(entry, resource) != (pass == 0))
				continue;
			if (json_array_size(selected) == EXTRACTS_MAX)
				return CS_OK;
			if (json_array_append_new(selected, cs_json_copied(entry)) != 0)
				return CS_E_NOMEM;
		}
	}
	return CS_OK;
}

static bool holds_delegation(const json_t *selected, const char *id)
{
	return id != NULL && cs_json_find(selected, "delegation_id", id) != NULL;
}

/*
 * Every delegation on a way up from the actor, nearest first. The selected ones are the queue: the
 * delegators of entry i are looked up when i is reached, so the walk ends with the cap.
 */
static enum cs_err select_chain(const json_t *delegations, const char *actor, json_t *selected)
{
	const char *holder = actor;
	size_t next = 0;

	for (;;) {
		size_t i;
		json_t *entry;

		json_array_foreach(delegations, i, entry)
		{
			const char *held_by = cs_json_text(entry, "actor_entity_id");

			if (held_by == NULL || strcmp(held_by, holder) != 0 ||
				holds_delegation(selected, cs_json_text(entry, "delegation_id")))
				continue;
			if (json_array_size(selected) == EXTRACTS_MAX)
				return CS_OK;
			if (json_array_append_new(selected, cs_json_copied(entry)) != 0)
				return CS_E_NOMEM;
		}
		if (next == json_array_size(selected))
			return CS_OK;
		holder = cs_json_text(json_array_get(selected, next++), "delegator_entity_id");
		if (holder == NULL)
			holder = "";
	}
}

static enum cs_err select_persons(
	const json_t *document, const json_t *delegations, json_t *selected)
{
	size_t i;
	json_t *entry;

	json_array_foreach(delegations, i, entry)
	{
		const char *id = cs_json_text(entry, "delegator_entity_id");
		const json_t *person =
			id != NULL ? cs_json_find(json_object_get(document, "persons"), "id", id)
				   : NULL;

		if (person == NULL || cs_json_find(selected, "id", id) != NULL)
			continue;
		if (json_array_append_new(selected, person_extract(person)) != 0)
			return CS_E_NOMEM;
	}
	return CS_OK;
}

/* What a state says about one actor and one resource, from one version of the trust set. */
struct extracts {
	json_t *actor, *principal, *resource, *persons, *grants, *delegations, *purposes;
};

static void extracts_free(struct extracts *e)
{
	json_decref(e->actor);
	json_decref(e->principal);
	json_decref(e->resource);
	json_decref(e->persons);
	json_decref(e->grants);
	json_decref(e->delegations);
	json_decref(e->purposes);
}

/*
 * `claimed` is the purpose grant that the request names: that one alone is carried, whoever holds
 * it, so that the gate can say that it is another's.
 */
static enum cs_err extracts_make(const json_t *document, const char *actor, const char *resource,
	const char *claimed, struct extracts *e)
{
	const json_t *agent =
		actor != NULL ? cs_json_find(json_object_get(document, "agents"), "id", actor)
			      : NULL;
	const char *principal = cs_json_text(agent, "principal");
	const json_t *place =
		resource != NULL
			? cs_json_find(json_object_get(document, "resources"), "id", resource)
			: NULL;
	const json_t *purpose =
		claimed != NULL ? cs_json_find(json_object_get(document, "purposes"), "id", claimed)
				: NULL;
	enum cs_err err = CS_OK;

	e->actor = copy_or_null(agent);
	e->principal = person_extract(
		principal != NULL
			? cs_json_find(json_object_get(document, "persons"), "id", principal)
			: NULL);
	e->resource = copy_or_null(place);
	e->persons = json_array();
	e->grants = json_array();
	e->delegations = json_array();
	e->purposes = json_array();
	if (e->actor == NULL || e->principal == NULL || e->resource == NULL || e->persons == NULL ||
		e->grants == NULL || e->delegations == NULL || e->purposes == NULL)
		return CS_E_NOMEM;
	if (purpose != NULL && json_array_append_new(e->purposes, cs_json_copied(purpose)) != 0)
		return CS_E_NOMEM;
	if (agent == NULL)
		return CS_OK;
	err = select_held(json_object_get(document, "grants"), "grantee", actor,
		place != NULL ? resource : NULL, e->grants);
	if (err == CS_OK)
		err = select_chain(json_object_get(document, "delegations"), actor, e->delegations);
	if (err == CS_OK)
		err = select_persons(document, e->delegations, e->persons);
	return err;
}

enum cs_err cs_state_compose(const struct cs_state_input *input, json_t **ret_state)
{
	char at[CS_TIME_TEXT];
	struct extracts e = {0};
	enum cs_err err;
	json_t *state;

	err = extracts_make(cs_trust_document(input->trust),
		cs_json_text_at(input->core, "purpose_request/actor"),
		cs_json_text_at(input->core, "execution/target/resource"),
		cs_json_text_at(input->core, "purpose_request/claimed_grant_id"), &e);
	if (err != CS_OK)
		goto out;
	state = json_pack("{ss ss ss sI ss ss ss? sO sO sO sO sO sO sO so so ss?}", "schema",
		"countersign.state.v1", "at", cs_time_print(input->now, at), "trust_set",
		cs_trust_address(input->trust), "trust_version",
		(json_int_t)cs_trust_version(input->trust), "policy", input->policy, "audience",
		input->audience, "caller", input->caller, "actor", e.actor, "principal",
		e.principal, "persons", e.persons, "resource", e.resource, "grants", e.grants,
		"delegations", e.delegations, "purposes", e.purposes, "facts",
		input->facts != NULL ? cs_json_copied(input->facts) : json_object(), "approvals",
		input->approvals != NULL ? cs_json_copied(input->approvals) : json_array(), "ended",
		input->ended);
	if (state == NULL)
		err = CS_E_NOMEM;
	else
		*ret_state = state;
out:
	extracts_free(&e);
	return err;
}

static enum cs_err same(
	const json_t *state, const char *member, const json_t *expected, struct cs_fault *fault)
{
	char path[64] = "/";

	strncat(path, member, sizeof path - 2);
	if (!json_equal(json_object_get(state, member), expected))
		return cs_fault_set(
			fault, CS_E_ADDRESS_MISMATCH, path, "not what the trust set states");
	return CS_OK;
}

/* The version of this address, or NULL: a pack is read long after other versions have followed. */
static const json_t *version_of(const struct cs_trust *trust, const char *address)
{
	for (size_t i = 0; address != NULL && i < cs_trust_count(trust); i++)
		if (strcmp(address, cs_trust_address_of(trust, i)) == 0)
			return cs_trust_document_of(trust, i);
	return NULL;
}

enum cs_err cs_state_matches_trust(
	const json_t *state, const struct cs_trust *trust, struct cs_fault *fault)
{
	const json_t *document = version_of(trust, cs_json_text(state, "trust_set"));
	const json_t *purpose = json_array_get(json_object_get(state, "purposes"), 0);
	struct extracts e = {0};
	enum cs_err err;

	if (document == NULL)
		return cs_fault_set(
			fault, CS_E_ADDRESS_MISMATCH, "/trust_set", "no version of this trust set");
	if (cs_json_integer(state, "trust_version", -1) != cs_json_integer(document, "version", 0))
		return cs_fault_set(fault, CS_E_ADDRESS_MISMATCH, "/trust_version",
			"not the version of that trust set");
	/*
	 * Who acts and what on stands in the extracts themselves; an actor left out gives no
	 * grants, so only a refusal.
	 */
	err = extracts_make(document, cs_json_text_at(state, "actor/id"),
		cs_json_text_at(state, "resource/id"), cs_json_text(purpose, "id"), &e);
	if (err != CS_OK)
		goto out;
	const struct {
		const char *member;
		const json_t *expected;
	} rows[] = {
		{"actor", e.actor},
		{"principal", e.principal},
		{"resource", e.resource},
		{"persons", e.persons},
		{"grants", e.grants},
		{"delegations", e.delegations},
		{"purposes", e.purposes},
	};
	for (size_t i = 0; err == CS_OK && i < sizeof rows / sizeof rows[0]; i++)
		err = same(state, rows[i].member, rows[i].expected, fault);
out:
	extracts_free(&e);
	return err;
}
