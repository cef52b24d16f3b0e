/*
 * The methods: who may call which, with which parameters, and what answers them.
 */
#include "actions.h"
#include "introspection.h"
#include "methods.h"
#include "moment.h"
#include "replies.h"
#include "varlink.h"

#include <limits.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#define LIST_DEFAULT 100
#define LIST_MAX 500

static const char *text_parameter(const json_t *parameters, const char *name)
{
	return cs_json_text(parameters, name);
}

/* ---- finding ---- */

/*
 * A caller sees its own actions alone, whatever else the id may be. Whoever may read all of them
 * sees all.
 */
static enum cs_err find_action(struct cs_daemon *d, const struct cs_call *call, const char *id,
	struct cs_action *ret_action, struct cs_fault *fault)
{
	const struct cs_peer *peer = cs_call_peer(call);
	struct cs_action action;

	enum cs_err err = cs_store_action(d->store, id, &action);
	if (err == CS_OK &&
		!(peer->roles & (CS_ROLE_APPROVER | CS_ROLE_OPERATOR | CS_ROLE_AUDITOR)) &&
		strcmp(action.caller, peer->caller) != 0)
		err = CS_E_NOT_FOUND;
	if (err == CS_E_NOT_FOUND)
		return cs_fault_set(fault, err, "id", "no action '%s'", id);
	if (err == CS_OK)
		*ret_action = action;
	return err;
}

/* Withdrawing is for who proposed it, also when the same user may read others' actions. */
static enum cs_err find_own(struct cs_daemon *d, const struct cs_call *call, const char *id,
	struct cs_action *ret_action, struct cs_fault *fault)
{
	enum cs_err err = cs_store_action(d->store, id, ret_action);

	if (err == CS_OK && strcmp(ret_action->caller, cs_call_peer(call)->caller) != 0)
		err = CS_E_NOT_FOUND;
	return err == CS_E_NOT_FOUND ? cs_fault_set(fault, err, "id", "no action '%s'", id) : err;
}

/* ---- io.countersign.Appliance ---- */

static enum cs_err run_propose(
	struct cs_daemon *d, struct cs_call *call, const json_t *parameters, struct cs_fault *fault)
{
	struct cs_action action;
	const json_t *key = json_object_get(parameters, "idempotency_key");

	if (json_is_string(key) && json_string_length(key) != strlen(json_string_value(key)))
		return cs_fault_set(fault, CS_E_TEXT, "idempotency_key", "a byte 00");
	enum cs_err err = cs_action_propose(d, cs_call_peer(call)->caller,
		json_object_get(parameters, "request"), json_string_value(key), &action, fault);
	if (err != CS_OK)
		return err;
	if (action.refused[0] != '\0')
		return cs_reply_refused(action.refused, action.id, fault);
	if (action.sealed || cs_action_state_is(action.state, CS_STATE_WAITS))
		return cs_reply_proposed(d, call, &action);
	/* The same request again while the first one could not be sealed. */
	err = cs_sealer_ready(d->sealer, fault);
	if (err != CS_OK)
		return cs_fault_set(
			fault, err, action.id, "stored, to be sealed when the signer is back");
	return cs_call_park(call, CS_WAIT_PROPOSED, action.id, NULL, fault);
}

static enum cs_err run_wait(
	struct cs_daemon *d, struct cs_call *call, const json_t *parameters, struct cs_fault *fault)
{
	struct cs_action action;

	enum cs_err err = find_action(d, call, text_parameter(parameters, "id"), &action, fault);
	if (err != CS_OK)
		return err;
	if (action.sealed)
		return cs_reply_view(d, call, &action, false);
	err = cs_call_park(
		call, cs_call_more(call) ? CS_WAIT_CHANGES : CS_WAIT_FINAL, action.id, NULL, fault);
	if (err == CS_OK && cs_call_more(call))
		err = cs_reply_view(d, call, &action, true);
	return err;
}

struct listing {
	struct cs_action *actions;
	size_t count;
	bool full; /* as many as were asked for: there may be more */
};

static enum cs_err list_one(void *context, const struct cs_action *action)
{
	struct listing *l = context;

	l->actions[l->count++] = *action;
	return CS_OK;
}

/* Open for a role that this person holds, and not decided on by them. */
static bool waits_for(
	struct cs_daemon *d, const struct cs_action *action, const json_t *view, const char *person)
{
	CS_CLEANUP_JSON json_t *core = NULL;
	const json_t *slots = json_object_get(view, "slots");
	size_t i;
	json_t *slot;

	if (cs_json_find(slots, "approver", person) != NULL ||
		cs_store_action_document(d->store, action, CS_DOCUMENT_CORE, &core) != CS_OK)
		return false;
	json_array_foreach (slots, i, slot) {
		if (cs_json_text(slot, "approval") == NULL &&
			cs_keyring_role(d->book->ring, person, cs_json_text(slot, "role"),
				cs_json_text_at(core, "execution/target/service"),
				cs_json_text_at(core, "execution/target/environment"), cs_now(),
				NULL) == CS_OK)
			return true;
	}
	return false;
}

static enum cs_err reply_list(
	struct cs_daemon *d, struct cs_call *call, const struct listing *l, const char *person)
{
	json_t *views = json_array();
	const char *next = l->full ? l->actions[l->count - 1].id : NULL;
	enum cs_err err = views ? CS_OK : CS_E_NOMEM;

	for (size_t i = 0; i < l->count && err == CS_OK; i++) {
		json_t *view = NULL;
		err = cs_action_view(d, &l->actions[i], &view);
		if (err == CS_OK && person != NULL && !waits_for(d, &l->actions[i], view, person))
			json_decref(view);
		else if (err == CS_OK && json_array_append_new(views, view) != 0)
			err = CS_E_NOMEM;
	}
	if (err != CS_OK) {
		json_decref(views);
		return err;
	}
	/* The last that was looked at, shown or not: what is left out must hide nothing. */
	cs_call_reply(call, json_pack("{soss?}", "actions", views, "next", next), false);
	return CS_OK;
}

static enum cs_err run_list(
	struct cs_daemon *d, struct cs_call *call, const json_t *parameters, struct cs_fault *fault)
{
	const struct cs_peer *peer = cs_call_peer(call);
	bool all = (peer->roles & (CS_ROLE_APPROVER | CS_ROLE_OPERATOR | CS_ROLE_AUDITOR)) != 0;
	bool mine = json_is_true(json_object_get(parameters, "mine"));
	const char *before = text_parameter(parameters, "before");
	const char *person = mine && peer->approver[0] != '\0' ? peer->approver : NULL;
	int64_t limit = cs_json_integer(parameters, "limit", LIST_DEFAULT), seq = INT64_MAX;
	struct cs_action mark;
	enum cs_err err = CS_OK;

	if (limit < 1 || limit > LIST_MAX)
		return cs_fault_set(fault, CS_E_DOCUMENT_INVALID, "limit", "not 1 to %d", LIST_MAX);
	if (before != NULL)
		err = find_action(d, call, before, &mark, fault);
	if (err != CS_OK)
		return err;
	if (before != NULL)
		seq = mark.seq;
	if (mine && peer->caller[0] != '\0')
		all = false;
	struct listing l = {calloc((size_t)limit, sizeof *l.actions), 0, false};
	if (l.actions == NULL)
		return CS_E_NOMEM;
	err = cs_store_actions(
		d->store, all ? NULL : peer->caller, person != NULL, seq, limit, list_one, &l);
	l.full = l.count == (size_t)limit;
	if (err == CS_OK)
		err = reply_list(d, call, &l, person);
	free(l.actions);
	return err;
}

static enum cs_err add_decision(void *context, struct cs_approval *approval)
{
	return json_array_append(context, approval->decision) == 0 ? CS_OK : CS_E_NOMEM;
}

static enum cs_err run_show(
	struct cs_daemon *d, struct cs_call *call, const json_t *parameters, struct cs_fault *fault)
{
	CS_CLEANUP_JSON json_t *view = NULL, *core = NULL, *decision = NULL,
			       *decisions = json_array();
	struct cs_action action;

	enum cs_err err = find_action(d, call, text_parameter(parameters, "id"), &action, fault);
	if (err == CS_OK)
		err = cs_action_view(d, &action, &view);
	if (err == CS_OK)
		err = cs_store_action_document(d->store, &action, CS_DOCUMENT_CORE, &core);
	if (err == CS_OK)
		err = cs_action_decision(d, &action, &decision);
	if (err == CS_OK)
		err = decisions ? cs_store_approvals(d->store, &action, add_decision, decisions)
				: CS_E_NOMEM;
	if (err == CS_OK)
		cs_call_reply(call,
			json_pack("{sOsOsOsO}", "action", view, "core", core, "decision", decision,
				"decisions", decisions),
			false);
	return err;
}

static enum cs_err run_open_brief(
	struct cs_daemon *d, struct cs_call *call, const json_t *parameters, struct cs_fault *fault)
{
	const char *own = cs_call_peer(call)->approver,
		   *named = text_parameter(parameters, "approver");
	const char *approver = own[0] != '\0' ? own : named;
	struct cs_action action;
	struct cs_brief brief = {0};

	if (approver == NULL)
		return cs_fault_set(fault, CS_E_DOCUMENT_INVALID, "approver",
			"this user stands for nobody: say who opens the brief");
	if (named != NULL && strcmp(named, approver) != 0)
		return cs_fault_set(
			fault, CS_E_PERMISSION, "approver", "this user is '%s'", approver);
	if (!cs_id_ok(approver, "person"))
		return cs_fault_set(fault, CS_E_ID, "approver", "not a person's identifier");
	enum cs_err err = find_action(d, call, text_parameter(parameters, "id"), &action, fault);
	if (err == CS_OK)
		err = cs_action_brief(
			d, &action, approver, text_parameter(parameters, "role"), &brief, fault);
	if (err == CS_OK)
		cs_call_reply(call,
			json_pack("{sOsOsOsO}", "core", brief.core, "basis", brief.basis, "brief",
				brief.brief, "engine_certificate", brief.certificate),
			false);
	cs_brief_clear(&brief);
	return err;
}

static enum cs_err run_decide(
	struct cs_daemon *d, struct cs_call *call, const json_t *parameters, struct cs_fault *fault)
{
	const char *own = cs_call_peer(call)->approver;
	const json_t *decision = json_object_get(parameters, "decision");
	const char *approver = cs_json_text(decision, "approver");
	char address[CS_ADDRESS_TEXT];
	struct cs_action action;

	enum cs_err err = find_action(d, call, text_parameter(parameters, "id"), &action, fault);
	if (err == CS_OK && own[0] != '\0' && approver != NULL && strcmp(own, approver) != 0)
		err = cs_fault_set(
			fault, CS_E_PERMISSION, "/decision/approver", "this user is '%s'", own);
	if (err == CS_OK)
		err = cs_action_decide(d, &action, decision,
			json_object_get(parameters, "snapshot"), address, fault);
	if (err != CS_OK)
		return err;
	err = cs_call_park(call, CS_WAIT_DECIDED, action.id, address, fault);
	/* Waiting for the quorum is a change that others follow. */
	cs_daemon_changed(d, action.id);
	return err;
}

static enum cs_err run_get_pack(
	struct cs_daemon *d, struct cs_call *call, const json_t *parameters, struct cs_fault *fault)
{
	json_t *pack = NULL;
	struct cs_action action;

	enum cs_err err = find_action(d, call, text_parameter(parameters, "id"), &action, fault);
	if (err != CS_OK)
		return err;
	if (!action.sealed)
		return cs_fault_set(fault, CS_E_STATE, "", "it is '%s' and not sealed yet",
			cs_action_state_name(action.state));
	err = cs_store_envelope(d->store, &action, "kye.evidence.pack.v1", &pack);
	if (err == CS_OK)
		cs_call_reply(call, json_pack("{so}", "pack", pack), false);
	return err == CS_E_NOT_FOUND ? CS_E_STORE : err;
}

static enum cs_err run_withdraw(
	struct cs_daemon *d, struct cs_call *call, const json_t *parameters, struct cs_fault *fault)
{
	struct cs_action action;

	enum cs_err err = find_own(d, call, text_parameter(parameters, "id"), &action, fault);
	if (err == CS_OK)
		err = cs_action_withdraw(d, &action, fault);
	return err == CS_OK ? cs_call_park(call, CS_WAIT_WITHDRAWN, action.id, NULL, fault) : err;
}

static json_t *signer_status(struct cs_daemon *d)
{
	const char *detail = NULL;
	const json_t *status = NULL;
	struct cs_fault fault = {0};
	enum cs_err stalled = cs_sealer_state(d->sealer, &detail, &status);
	enum cs_err ready = cs_sealer_ready(d->sealer, &fault);

	if (ready == CS_OK)
		return json_pack(
			"{sbsnsssO?}", "ready", 1, "reason", "detail", "", "status", status);
	return json_pack("{sbsssssO?}", "ready", 0, "reason",
		cs_err_name(stalled != CS_OK ? stalled : ready), "detail", fault.detail, "status",
		status);
}

static json_t *log_status(struct cs_daemon *d)
{
	const struct cs_frontier *frontier = cs_sealer_frontier(d->sealer);
	char address[CS_ADDRESS_TEXT] = "sha256:";
	uint8_t root[CS_HASH];

	cs_merkle_root(frontier, root);
	cs_hex_encode(root, sizeof root, address + 7);
	return json_pack("{sIss}", "size", (json_int_t)frontier->size, "root", address);
}

static enum cs_err run_status(
	struct cs_daemon *d, struct cs_call *call, const json_t *parameters, struct cs_fault *fault)
{
	int64_t waiting = 0, unsealed = 0, aside = 0;
	char started[CS_TIME_TEXT], until[CS_TIME_TEXT], next[CS_TIME_TEXT];
	cs_time next_at = cs_rulebook_next(d->book);
	bool certified = d->engine.certificate != NULL;

	(void)parameters;
	(void)fault;
	enum cs_err err = cs_store_count_states(d->store, &waiting, &unsealed, &aside);
	if (err != CS_OK)
		return err;
	cs_call_reply(call,
		json_pack("{ssssss s{sssI} s{sssI} ss? so s{ss?ss?} so s{sIsIsI} sI ss}", "version",
			CS_VERSION, "origin", d->book->origin, "entity", d->book->entity,
			"trust_set", "address", d->book->trust_set, "version",
			(json_int_t)cs_trust_version(d->book->trust), "policy", "address",
			d->book->policy_address, "version",
			(json_int_t)cs_policy_version(d->book->policy), "next_version_at",
			next_at != CS_TIME_MAX ? cs_time_print(next_at, next) : NULL, "signer",
			signer_status(d), "engine", "kid", certified ? d->engine.signer.kid : NULL,
			"not_after", certified ? cs_time_print(d->engine.not_after, until) : NULL,
			"log", log_status(d), "actions", "waiting", (json_int_t)waiting, "unsealed",
			(json_int_t)unsealed, "refused", (json_int_t)aside, "clients",
			(json_int_t)cs_server_clients(d->server), "started_at",
			cs_time_print(d->started_at, started)),
		false);
	return CS_OK;
}

/* ---- org.varlink.service ---- */

static enum cs_err run_info(
	struct cs_daemon *d, struct cs_call *call, const json_t *parameters, struct cs_fault *fault)
{
	(void)d;
	(void)parameters;
	(void)fault;
	cs_call_reply(call,
		json_pack("{ssssssss s[ss]}", "vendor", "Countersign", "product", "countersignd",
			"version", CS_VERSION, "url", "https://countersign.invalid/", "interfaces",
			"org.varlink.service", CS_VARLINK_INTERFACE),
		false);
	return CS_OK;
}

static enum cs_err run_describe(
	struct cs_daemon *d, struct cs_call *call, const json_t *parameters, struct cs_fault *fault)
{
	const char *name = text_parameter(parameters, "interface");
	size_t len = 0;
	const char *text = name ? cs_introspection(name, &len) : NULL;

	(void)d;
	(void)fault;
	if (text == NULL)
		cs_call_refuse_standard(call, "InterfaceNotFound", "interface", name ? name : "");
	else
		cs_call_reply(call, json_pack("{ss%}", "description", text, len), false);
	return CS_OK;
}

/* ---- the table ---- */

static const struct cs_parameter none[] = {{NULL}};
static const struct cs_parameter propose[] = {
	{"request", JSON_OBJECT, false}, {"idempotency_key", JSON_STRING, true}, {NULL}};
static const struct cs_parameter by_id[] = {{"id", JSON_STRING, false}, {NULL}};
static const struct cs_parameter list[] = {{"mine", JSON_TRUE, true}, {"before", JSON_STRING, true},
	{"limit", JSON_INTEGER, true}, {NULL}};
static const struct cs_parameter open_brief[] = {{"id", JSON_STRING, false},
	{"role", JSON_STRING, false}, {"approver", JSON_STRING, true}, {NULL}};
static const struct cs_parameter decide[] = {{"id", JSON_STRING, false},
	{"decision", JSON_OBJECT, false}, {"snapshot", JSON_OBJECT, false}, {NULL}};
static const struct cs_parameter by_interface[] = {{"interface", JSON_STRING, false}, {NULL}};

#define NAMED(method) CS_VARLINK_INTERFACE "." method

const struct cs_method cs_methods[] = {
	{NAMED("Propose"), CS_ROLE_CALLER, 0, propose, run_propose},
	{NAMED("Wait"), CS_ROLE_CALLER | CS_ROLE_APPROVER | CS_ROLE_OPERATOR | CS_ROLE_AUDITOR,
		CS_METHOD_MORE, by_id, run_wait},
	{NAMED("List"), CS_ROLE_CALLER | CS_ROLE_APPROVER | CS_ROLE_OPERATOR | CS_ROLE_AUDITOR, 0,
		list, run_list},
	{NAMED("Show"), CS_ROLE_CALLER | CS_ROLE_APPROVER | CS_ROLE_AUDITOR, 0, by_id, run_show},
	{NAMED("OpenBrief"), CS_ROLE_APPROVER, 0, open_brief, run_open_brief},
	{NAMED("Decide"), CS_ROLE_APPROVER, 0, decide, run_decide},
	{NAMED("GetPack"), CS_ROLE_CALLER | CS_ROLE_APPROVER | CS_ROLE_AUDITOR, 0, by_id,
		run_get_pack},
	{NAMED("Withdraw"), CS_ROLE_CALLER, 0, by_id, run_withdraw},
	{NAMED("Status"), CS_ROLE_CALLER | CS_ROLE_APPROVER | CS_ROLE_OPERATOR | CS_ROLE_AUDITOR, 0,
		none, run_status},
	{"org.varlink.service.GetInfo", CS_ANYBODY, 0, none, run_info},
	{"org.varlink.service.GetInterfaceDescription", CS_ANYBODY, 0, by_interface, run_describe},
	{NULL},
};
