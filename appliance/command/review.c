#include "review.h"
#include "engine.h"
#include "state.h"

#include <countersign/limits.h>
#include <inttypes.h>
#include <stdio.h>
#include <string.h>

static bool equal(const char *a, const char *b)
{
	return a != NULL && b != NULL && strcmp(a, b) == 0;
}

void cs_review_free(struct cs_review *review)
{
	json_decref(review->core);
	json_decref(review->basis);
	json_decref(review->brief);
	json_decref(review->certificate);
}

struct cs_approval_context cs_review_context(const struct cs_review *review, cs_time at)
{
	return (struct cs_approval_context){
		.registry = review->approver->registry,
		.ring = cs_trust_keyring(review->approver->trust),
		.policy = review->approver->policy,
		.trust_set = cs_trust_address(review->approver->trust),
		.audience = review->approver->audience,
		.core = review->core,
		.action = review->action,
		.oversight = &review->oversight,
		.at = at,
	};
}

/* Whether the person may sign in this role, as cs_approval_check will judge it. */
static enum cs_err check_role(const struct cs_approver *approver, const json_t *core,
	const char *role, cs_time now, struct cs_fault *fault)
{
	enum cs_err err = cs_keyring_role(cs_trust_keyring(approver->trust), approver->person, role,
		cs_json_text_at(core, "execution/target/service"),
		cs_json_text_at(core, "execution/target/environment"), now, fault);

	if (err != CS_OK)
		return err;
	if (equal(cs_json_text(core, "requester"), approver->person) &&
		strcmp(role, "engineer") != 0)
		return cs_fault_set(fault, CS_E_APPROVAL_REQUESTER, "role",
			"you asked for this action and would sign as '%s'", role);
	return CS_OK;
}

static bool has_slot(const struct cs_oversight *oversight, const char *role)
{
	for (size_t i = 0; i < oversight->slot_count; i++)
		if (strcmp(oversight->slots[i], role) == 0)
			return true;
	return false;
}

enum cs_err cs_review_role(const struct cs_approver *approver, const json_t *core,
	const char *wanted, cs_time now, const char **ret_role, struct cs_fault *fault)
{
	struct cs_oversight oversight;
	const char *found = NULL;
	enum cs_err err = cs_oversight(core, approver->policy, NULL, now, &oversight, fault);

	if (err != CS_OK)
		return err;
	if (wanted != NULL) {
		if (!has_slot(&oversight, wanted))
			return cs_fault_set(fault, CS_E_APPROVAL_SLOT, "role",
				"nobody is asked in the role '%s'", wanted);
		*ret_role = wanted;
		return check_role(approver, core, wanted, now, fault);
	}
	if (oversight.slot_count == 0)
		return cs_fault_set(fault, CS_E_APPROVAL_SLOT, "role",
			"your policy asks nobody about this action");
	for (size_t i = 0; i < oversight.slot_count; i++) {
		enum cs_err one = check_role(approver, core, oversight.slots[i], now, fault);
		err = one;
		if (one != CS_OK || (found != NULL && strcmp(found, oversight.slots[i]) == 0))
			continue;
		if (found != NULL)
			return cs_fault_set(fault, CS_E_USAGE, "",
				"you could sign as '%s' or as '%s': --role says which", found,
				oversight.slots[i]);
		found = oversight.slots[i];
	}
	if (found == NULL)
		return err;
	*ret_role = found;
	return CS_OK;
}

static enum cs_err check_size(
	const json_t *doc, const char *name, size_t max, struct cs_fault *fault)
{
	CS_CLEANUP_BYTES struct cs_bytes text = {0};
	enum cs_err err = cs_canonical_print(doc, &text);

	if (err != CS_OK)
		return cs_fault_set(fault, err, name, "cannot be printed");
	return text.len <= max
		       ? CS_OK
		       : cs_fault_set(fault, CS_E_TOO_LARGE, name, "more than %zu bytes", max);
}

static enum cs_err take(const struct cs_approver *approver, const json_t *reply, const char *name,
	const char *schema, size_t max, json_t **ret_doc, struct cs_fault *fault)
{
	struct cs_fault inner = {0};
	json_t *doc = json_object_get(reply, name);
	enum cs_err err;

	if (doc == NULL)
		return cs_fault_set(fault, CS_E_DOCUMENT_INVALID, name, "the appliance gave none");
	err = check_size(doc, name, max, fault);
	if (err != CS_OK)
		return err;
	err = cs_schema_check(approver->registry, schema, doc, &inner);
	if (err != CS_OK) {
		char path[sizeof inner.path + 32];
		snprintf(path, sizeof path, "%s%s", name, inner.path);
		return cs_fault_set(fault, err, path, "%s", inner.detail);
	}
	*ret_doc = json_incref(doc);
	return CS_OK;
}

static enum cs_err take_documents(const struct cs_approver *approver, const json_t *reply,
	struct cs_review *review, struct cs_fault *fault)
{
	enum cs_err err = take(approver, reply, "core", "countersign.action_core.v1", CS_CORE_MAX,
		&review->core, fault);

	if (err == CS_OK)
		err = take(approver, reply, "basis", "countersign.brief_basis.v1", CS_EVIDENCE_MAX,
			&review->basis, fault);
	if (err == CS_OK)
		err = take(approver, reply, "brief", "kye.approval_brief.v1", CS_EVIDENCE_MAX,
			&review->brief, fault);
	if (err == CS_OK)
		err = take(approver, reply, "engine_certificate",
			"countersign.engine_certificate.v1", CS_APPROVAL_MAX, &review->certificate,
			fault);
	return err;
}

/* Everything that the approval will be bound to is what the approver has pinned. */
static enum cs_err check_pinned(
	const struct cs_review *review, const char *role, struct cs_fault *fault)
{
	const struct cs_approver *own = review->approver;
	const json_t *state = json_object_get(review->basis, "state");
	const struct {
		const char *path;
		const char *given;
		const char *own;
		enum cs_err err;
	} rows[] = {
		{"basis/action", cs_json_text(review->basis, "action"), review->action,
			CS_E_APPROVAL_ACTION},
		{"core/policy", cs_json_text(review->core, "policy"),
			cs_policy_address(own->policy), CS_E_APPROVAL_POLICY},
		{"basis/state/policy", cs_json_text(state, "policy"),
			cs_policy_address(own->policy), CS_E_APPROVAL_POLICY},
		{"basis/state/trust_set", cs_json_text(state, "trust_set"),
			cs_trust_address(own->trust), CS_E_APPROVAL_TRUST_SET},
		{"basis/state/audience", cs_json_text(state, "audience"), own->audience,
			CS_E_APPROVAL_AUDIENCE},
		{"basis/approver", cs_json_text(review->basis, "approver"), own->person,
			CS_E_APPROVAL_BINDING},
		{"basis/role", cs_json_text(review->basis, "role"), role, CS_E_APPROVAL_BINDING},
	};

	for (size_t i = 0; i < sizeof rows / sizeof rows[0]; i++)
		if (!equal(rows[i].given, rows[i].own))
			return cs_fault_set(fault, rows[i].err, rows[i].path,
				"the appliance says '%s', yours is '%s'",
				rows[i].given != NULL ? rows[i].given : "nothing",
				rows[i].own != NULL ? rows[i].own : "nothing");
	return CS_OK;
}

/*
 * The state is what the own trust set gives for this action, nothing left out and nothing of
 * another: only whom the connection spoke for, the facts and the time are the appliance's word.
 */
static enum cs_err check_state(const struct cs_review *review, struct cs_fault *fault)
{
	CS_CLEANUP_JSON json_t *expected = NULL;
	const struct cs_approver *own = review->approver;
	const json_t *state = json_object_get(review->basis, "state");
	struct cs_state_input input = {
		.trust = own->trust,
		.policy = cs_policy_address(own->policy),
		.audience = own->audience,
		.caller = cs_json_text(state, "caller"),
		.core = review->core,
		.facts = json_object_get(state, "facts"),
	};
	enum cs_err err = cs_state_matches_trust(state, own->trust, fault);

	if (err == CS_OK)
		err = cs_time_parse(cs_json_text(state, "at"), &input.now, fault);
	if (err == CS_OK)
		err = cs_state_compose(&input, &expected);
	if (err == CS_OK && !cs_json_same(expected, state))
		err = cs_fault_set(fault, CS_E_ADDRESS_MISMATCH, "basis/state",
			"not what your trust set states about an action that just began to wait");
	return err;
}

/*
 * Who asks, for whom, and where: by the pinned trust set, not by what the core says about itself.
 */
static enum cs_err check_world(const struct cs_review *review, struct cs_fault *fault)
{
	const struct cs_trust *trust = review->approver->trust;
	const char *actor = cs_json_text_at(review->core, "purpose_request/actor");
	const json_t *target = cs_json_at(review->core, "execution/target");
	const char *resource = cs_json_text(target, "resource");
	const json_t *agent = actor != NULL ? cs_trust_agent(trust, actor) : NULL;
	const json_t *known = resource != NULL ? cs_trust_resource(trust, resource) : NULL;

	if (agent == NULL || !equal(cs_json_text(agent, "state"), "active"))
		return cs_fault_set(fault, CS_E_TRUST_REFERENCE, "core/purpose_request/actor",
			"no active agent '%s' in your trust set", actor != NULL ? actor : "");
	if (!equal(cs_json_text(agent, "principal"), cs_json_text(review->core, "requester")))
		return cs_fault_set(fault, CS_E_TRUST_REFERENCE, "core/requester",
			"the person behind '%s' is another one", actor);
	if (known == NULL)
		return cs_fault_set(fault, CS_E_TRUST_REFERENCE, "core/execution/target/resource",
			"no resource '%s' in your trust set", resource != NULL ? resource : "");
	if (!equal(cs_json_text(known, "service"), cs_json_text(target, "service")) ||
		!equal(cs_json_text(known, "environment"), cs_json_text(target, "environment")))
		return cs_fault_set(fault, CS_E_TRUST_REFERENCE, "core/execution/target",
			"'%s' is %s in %s by your trust set", resource,
			cs_json_text(known, "service"), cs_json_text(known, "environment"));
	return CS_OK;
}

static enum cs_err check_oversight(struct cs_review *review, cs_time now, struct cs_fault *fault)
{
	const json_t *gate = json_object_get(review->basis, "gate");
	struct cs_oversight *own = &review->oversight;
	enum cs_err err = cs_oversight(review->core, review->approver->policy,
		cs_json_at(review->basis, "state/facts"), now, own, fault);

	if (err != CS_OK)
		return err;
	if (!equal(cs_json_text(gate, "action_class"), own->action_class_id) ||
		!equal(cs_json_text(gate, "change_class"),
			cs_change_class_name(own->change_class)) ||
		!equal(cs_json_text(gate, "oversight"), cs_oversight_name(own->kind)) ||
		cs_json_integer(gate, "level", -1) != own->level)
		return cs_fault_set(fault, CS_E_APPROVAL_CLASS, "basis/gate",
			"your policy says class '%s', %s, %s, level %d; the appliance says "
			"otherwise",
			own->action_class_id, cs_change_class_name(own->change_class),
			cs_oversight_name(own->kind), own->level);
	return CS_OK;
}

static enum cs_err check_role_of_review(
	const struct cs_review *review, cs_time now, struct cs_fault *fault)
{
	if (!has_slot(&review->oversight, review->role))
		return cs_fault_set(fault, CS_E_APPROVAL_SLOT, "role",
			"nobody is asked in the role '%s'", review->role);
	return check_role(review->approver, review->core, review->role, now, fault);
}

static bool is_engine(
	const struct cs_review *review, const struct cs_engine_identity *engine, const char *name)
{
	return equal(name, engine->entity) ||
	       equal(name, cs_json_text(review->certificate, "appliance"));
}

static enum cs_err check_engine(const struct cs_review *review, cs_time now, struct cs_fault *fault)
{
	struct cs_engine_identity engine;
	const char *issued_by = cs_json_text(review->brief, "issued_by");
	const char *map_by = cs_json_text_at(review->basis, "consequence_map/generated_by");
	enum cs_err err = cs_engine_check(
		review->approver, review->certificate, review->issued_at, now, &engine, fault);

	if (err == CS_OK)
		err = cs_engine_signed(&engine, review->brief, "brief/signature", fault);
	if (err == CS_OK)
		err = cs_engine_signed(&engine, json_object_get(review->basis, "consequence_map"),
			"basis/consequence_map/signature", fault);
	if (err == CS_OK && !is_engine(review, &engine, issued_by))
		err = cs_fault_set(fault, CS_E_KEY_ENTITY, "brief/issued_by",
			"'%s' is not the engine that signed it", issued_by);
	if (err == CS_OK && !is_engine(review, &engine, map_by))
		err = cs_fault_set(fault, CS_E_KEY_ENTITY, "basis/consequence_map/generated_by",
			"'%s' is not the engine that signed it", map_by);
	return err;
}

static enum cs_err read_window(struct cs_review *review, struct cs_fault *fault)
{
	const char *issued_at = cs_json_text(review->basis, "issued_at");
	const char *not_after = cs_json_text(review->basis, "not_after");
	enum cs_err err =
		cs_time_parse(issued_at != NULL ? issued_at : "", &review->issued_at, fault);

	if (err == CS_OK)
		err = cs_time_parse(not_after != NULL ? not_after : "", &review->expires_at, fault);
	return err;
}

/*
 * The first gate result is of the state's time, and an action waits no longer than the policy lets
 * it. Else a result of the day before could be shown, when a grant had not ended yet, signed by an
 * engine whose certificate ended since.
 */
static enum cs_err check_times(const struct cs_review *review, struct cs_fault *fault)
{
	const json_t *gate = json_object_get(review->basis, "gate");
	const char *decided_at = cs_json_text(gate, "decided_at");
	int64_t longest = cs_json_integer(
		json_object_get(cs_policy_document(review->approver->policy), "approval"),
		"timeout_seconds", 0);
	char text[CS_TIME_TEXT];
	cs_time decided;
	enum cs_err err = cs_time_parse(decided_at != NULL ? decided_at : "", &decided, fault);

	if (err != CS_OK)
		return err;
	if (!equal(decided_at, cs_json_text_at(review->basis, "state/at")))
		return cs_fault_set(fault, CS_E_BRIEF_MISMATCH, "basis/gate/decided_at",
			"the gate ran at %s, on a state of another time", decided_at);
	/* Briefs are issued at whole seconds. */
	if (decided >= cs_time_add_seconds(review->issued_at, 1))
		return cs_fault_set(fault, CS_E_APPROVAL_EARLY, "basis/gate/decided_at",
			"the gate ran at %s, after the brief was issued", decided_at);
	if (review->expires_at > cs_time_add_seconds(decided, longest))
		return cs_fault_set(fault, CS_E_APPROVAL_WINDOW, "basis/not_after",
			"the brief ends at %s; your policy lets an action of %s wait for %" PRId64
			" seconds",
			cs_time_print(review->expires_at, text), decided_at, longest);
	return CS_OK;
}

enum cs_err cs_review_check_window(
	const struct cs_review *review, cs_time now, struct cs_fault *fault)
{
	char text[CS_TIME_TEXT];

	if (now >= review->expires_at)
		return cs_fault_set(fault, CS_E_APPROVAL_EXPIRED, "basis/not_after",
			"the brief ended at %s", cs_time_print(review->expires_at, text));
	if (review->issued_at > cs_time_add_seconds(now, CS_DECIDED_AHEAD_SECONDS))
		return cs_fault_set(fault, CS_E_APPROVAL_EARLY, "basis/issued_at",
			"the brief was issued at %s, later than now",
			cs_time_print(review->issued_at, text));
	return CS_OK;
}

static enum cs_err check_all(struct cs_review *review, const json_t *reply, const char *role,
	cs_time now, struct cs_fault *fault)
{
	enum cs_err err = take_documents(review->approver, reply, review, fault);

	if (err == CS_OK)
		err = cs_address_of(review->core, review->action);
	if (err == CS_OK)
		err = check_pinned(review, role, fault);
	if (err == CS_OK)
		err = check_state(review, fault);
	if (err == CS_OK)
		err = check_world(review, fault);
	if (err == CS_OK)
		err = check_oversight(review, now, fault);
	if (err != CS_OK)
		return err;
	review->role = cs_json_text(review->basis, "role");
	err = check_role_of_review(review, now, fault);
	if (err == CS_OK)
		err = read_window(review, fault);
	if (err == CS_OK)
		err = check_engine(review, now, fault);
	if (err == CS_OK)
		err = cs_brief_check(review->core, review->basis, review->approver->policy,
			review->brief, fault);
	if (err == CS_OK)
		err = check_times(review, fault);
	return err == CS_OK ? cs_review_check_window(review, now, fault) : err;
}

enum cs_err cs_review_open(const struct cs_approver *approver, const json_t *reply,
	const char *role, cs_time now, struct cs_review *ret_review, struct cs_fault *fault)
{
	struct cs_review review = {.approver = approver};
	enum cs_err err = check_all(&review, reply, role, now, fault);

	if (err != CS_OK) {
		cs_review_free(&review);
		return err;
	}
	*ret_review = review;
	return CS_OK;
}
