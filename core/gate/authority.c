/*
 * By what right: a grant in force for this action class, and a chain of delegations from the actor
 * to a named person.
 */
#include "checks.h"

#include <string.h>

#define ENTITIES_MAX 64 /* entities that one walk looks at */

static bool revoked(const json_t *grant, cs_time now)
{
	const json_t *at = json_object_get(grant, "revoked_at");
	cs_time when;

	if (at == NULL || json_is_null(at))
		return false;
	/* A time that cannot be read must not keep a grant alive. */
	return !json_is_string(at) || cs_time_parse(json_string_value(at), &when, NULL) != CS_OK ||
	       when <= now;
}

static bool upstream_active(const json_t *grant, const char **ret_broken)
{
	const json_t *chain = json_object_get(grant, "revocation_chain");
	size_t i;
	json_t *link;

	*ret_broken = "no chain";
	if (json_array_size(chain) == 0)
		return false;
	json_array_foreach(chain, i, link)
	{
		const char *status = cs_json_text(link, "status");

		if (status == NULL || strcmp(status, "active") != 0) {
			*ret_broken = cs_shown(cs_json_text(link, "grant_id"));
			return false;
		}
	}
	*ret_broken = NULL;
	return true;
}

static bool names_class(const struct cs_gate *gate, const json_t *grant)
{
	return gate->class_known && cs_json_has_text(cs_json_at(grant, "scope/actions"),
					    gate->oversight.action_class_id);
}

static bool grants_resource(const struct cs_gate *gate, const json_t *grant)
{
	const json_t *resources = cs_json_at(grant, "scope/resources");

	return resources == NULL || cs_covers(resources, gate->resource);
}

/*
 * How many of the conditions hold, counted in the order of the checks; the first grant with the
 * highest count is the one.
 */
static int rank(const struct cs_gate *gate, const json_t *grant)
{
	cs_time now = gate->input->now;
	const char *broken;

	if (!names_class(gate, grant))
		return 0;
	if (!cs_in_window(
		    json_object_get(grant, "not_before"), json_object_get(grant, "not_after"), now))
		return 1;
	if (revoked(grant, now))
		return 2;
	if (!upstream_active(grant, &broken))
		return 3;
	return grants_resource(gate, grant) ? 5 : 4;
}

const json_t *cs_gate_best_grant(const struct cs_gate *gate)
{
	const json_t *best = NULL;
	int best_rank = -1;
	size_t i;
	json_t *grant;

	json_array_foreach(json_object_get(gate->input->state, "grants"), i, grant)
	{
		const char *grantee = cs_json_text(grant, "grantee");
		int grant_rank = rank(gate, grant);

		if (grantee == NULL || gate->actor == NULL || strcmp(grantee, gate->actor) != 0)
			continue;
		if (grant_rank > best_rank) {
			best = grant;
			best_rank = grant_rank;
		}
	}
	return best;
}

/* The published environments are abbreviations. */
static bool environment_is(const char *abbreviated, const char *environment)
{
	static const struct {
		const char *abbreviation, *name;
	} names[] = {{"dev", "development"}, {"test", "testing"}, {"stage", "staging"},
		{"prod", "production"}};

	if (abbreviated == NULL || environment == NULL)
		return false;
	if (strcmp(abbreviated, environment) == 0)
		return true;
	for (size_t i = 0; i < sizeof names / sizeof names[0]; i++)
		if (strcmp(names[i].abbreviation, abbreviated) == 0)
			return strcmp(names[i].name, environment) == 0;
	return false;
}

static bool constraint_holds(const struct cs_gate *gate, const char *name, const json_t *value)
{
	const json_t *resource = json_object_get(gate->input->state, "resource");

	if (strcmp(name, "environment") == 0)
		return environment_is(
			json_string_value(value), cs_json_text(resource, "environment"));
	if (strcmp(name, "jurisdiction") == 0) {
		const char *jurisdiction = cs_json_text(resource, "jurisdiction");

		return jurisdiction != NULL && json_is_string(value) &&
		       strcmp(jurisdiction, json_string_value(value)) == 0;
	}
	if (strcmp(name, "time_window") == 0)
		return cs_in_window(json_object_get(value, "valid_from"),
			json_object_get(value, "valid_until"), gate->input->now);
	/* A limit that nobody here can judge must not be passed over. */
	return false;
}

static bool delegation_usable(const struct cs_gate *gate, const json_t *delegation)
{
	const json_t *scope = json_object_get(delegation, "scope");
	const json_t *actions = json_object_get(scope, "actions");
	const json_t *resources = json_object_get(scope, "resources");
	const char *status = cs_json_text(delegation, "status");
	const char *name;
	json_t *value;

	if (!gate->class_known || status == NULL || strcmp(status, "active") != 0)
		return false;
	if (!cs_in_window(json_object_get(delegation, "valid_from"),
		    json_object_get(delegation, "valid_until"), gate->input->now))
		return false;
	if (!cs_json_has_text(json_object_get(delegation, "allowed_actions"),
		    gate->oversight.action_class_id) ||
		cs_json_has_text(json_object_get(delegation, "forbidden_actions"),
			gate->oversight.action_class_id))
		return false;
	if (actions != NULL && !cs_json_has_text(actions, gate->oversight.action_class_id))
		return false;
	if (resources != NULL && !cs_covers(resources, gate->resource))
		return false;
	json_object_foreach(json_object_get(scope, "constraints"), name, value)
	{
		if (!constraint_holds(gate, name, value))
			return false;
	}
	return true;
}

/* One entity that the walk reached: by which delegation, and from which earlier entity. */
struct step {
	const char *entity;
	const json_t *link;
	size_t from;
	size_t depth;
};

static bool reached(const struct step *steps, size_t count, const char *entity)
{
	for (size_t i = 0; i < count; i++)
		if (strcmp(steps[i].entity, entity) == 0)
			return true;
	return false;
}

static bool is_person(const char *id)
{
	return strncmp(id, "kye:person:", 11) == 0;
}

static bool is_active(const json_t *entry)
{
	const char *life = cs_json_text(entry, "state");

	return life != NULL && strcmp(life, "active") == 0;
}

static void fill_chain(
	const struct step *steps, size_t last, const json_t *person, struct cs_chain *chain)
{
	chain->person = person;
	chain->count = steps[last].depth;
	for (size_t i = last; steps[i].depth > 0; i = steps[i].from)
		chain->links[steps[i].depth - 1] = steps[i].link;
}

/*
 * Breadth first, each entity once: the shortest way to an active person, else the shortest to any
 * registered one.
 */
void cs_gate_walk(const struct cs_gate *gate, struct cs_chain *ret_chain)
{
	const json_t *state = gate->input->state;
	struct step steps[ENTITIES_MAX] = {{0}};
	size_t count = 0;

	memset(ret_chain, 0, sizeof *ret_chain);
	if (gate->actor == NULL)
		return;
	steps[count++] = (struct step){.entity = gate->actor};
	for (size_t at = 0; at < count; at++) {
		size_t i;
		json_t *delegation;

		if (steps[at].depth == CS_CHAIN_MAX || is_person(steps[at].entity))
			continue;
		json_array_foreach(json_object_get(state, "delegations"), i, delegation)
		{
			const char *holder = cs_json_text(delegation, "actor_entity_id");
			const char *from = cs_json_text(delegation, "delegator_entity_id");

			if (holder == NULL || from == NULL ||
				strcmp(holder, steps[at].entity) != 0 || count == ENTITIES_MAX ||
				reached(steps, count, from) || !delegation_usable(gate, delegation))
				continue;
			steps[count] = (struct step){.entity = from,
				.link = delegation,
				.from = at,
				.depth = steps[at].depth + 1};
			const json_t *person =
				is_person(from) ? cs_json_find(json_object_get(state, "persons"),
							  "id", from)
						: NULL;
			if (person != NULL && (ret_chain->person == NULL || is_active(person)))
				fill_chain(steps, count, person, ret_chain);
			if (ret_chain->person != NULL && is_active(ret_chain->person))
				return;
			count++;
		}
	}
}

static void check_grant(struct cs_gate *gate)
{
	const json_t *grant = gate->grant;
	cs_time now = gate->input->now;
	const char *id = cs_shown(cs_json_text(grant, "id"));
	const char *class_id = gate->class_known ? gate->oversight.action_class_id : "none";
	const char *broken;

	cs_check(gate, CS_CHECK_GRANT_CLASS, names_class(gate, grant),
		grant == NULL ? "authority_missing" : "authority_other_class",
		"action class %s, grant %s", class_id, id);
	cs_check(gate, CS_CHECK_GRANT_WINDOW,
		grant != NULL && cs_in_window(json_object_get(grant, "not_before"),
					 json_object_get(grant, "not_after"), now),
		"authority_outside_window", "from %s until %s",
		cs_shown(cs_json_text(grant, "not_before")),
		cs_shown(cs_json_text(grant, "not_after")));
	cs_check(gate, CS_CHECK_GRANT_REVOKED, grant != NULL && !revoked(grant, now),
		"authority_revoked", "revoked at %s", cs_shown(cs_json_text(grant, "revoked_at")));
	bool active = upstream_active(grant, &broken);
	cs_check(gate, CS_CHECK_GRANT_UPSTREAM, active, "authority_upstream_revoked",
		"not active upstream: %s", cs_shown(broken));
}

void cs_gate_authority(struct cs_gate *gate)
{
	const struct cs_chain *chain = &gate->chain;
	const char *needs_approval = NULL;

	check_grant(gate);
	cs_check(gate, CS_CHECK_DELEGATION, chain->person != NULL,
		json_array_size(json_object_get(gate->input->state, "delegations")) == 0
			? "delegation_missing"
			: "delegation_broken",
		"%zu delegations lead to %s", chain->count,
		cs_shown(cs_json_text(chain->person, "id")));

	for (size_t i = 0; i < chain->count; i++)
		if (gate->class_known &&
			cs_json_has_text(json_object_get(chain->links[i], "requires_approval_for"),
				gate->oversight.action_class_id))
			needs_approval = cs_json_text(chain->links[i], "delegation_id");
	cs_check(gate, CS_CHECK_DELEGATION_APPROVAL,
		needs_approval == NULL || gate->oversight.kind != CS_OVERSIGHT_NONE,
		"delegation_requires_approval", "approval demanded by: %s",
		cs_shown(needs_approval));
}
