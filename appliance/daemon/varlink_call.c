#include "varlink_call.h"
#include "log.h"

#include <string.h>

#define OUT_PAUSE (256 * 1024) /* bytes not yet read by the peer at which its next call waits */
#define TURN_MAX 16	       /* messages of one connection in a row */

/* ---- answers ---- */

const struct cs_peer *cs_call_peer(const struct cs_call *call)
{
	return &call->peer;
}

bool cs_call_more(const struct cs_call *call)
{
	return call->more;
}

void cs_call_end(struct cs_call *call)
{
	call->open = call->more = call->oneway = false;
	call->wait = CS_WAIT_NOTHING;
	call->action[0] = call->approval[0] = '\0';
}

static void answer(struct cs_call *call, json_t *message, bool continues)
{
	if (message == NULL) {
		call->dead = true;
		return;
	}
	if (!call->oneway)
		cs_call_send(call, message);
	json_decref(message);
	if (!continues)
		cs_call_end(call);
}

void cs_call_reply(struct cs_call *call, json_t *parameters, bool continues)
{
	json_t *message = parameters ? json_pack("{so}", "parameters", parameters) : NULL;

	if (message != NULL && continues &&
		json_object_set_new(message, "continues", json_true()) != 0) {
		json_decref(message);
		message = NULL;
	}
	if (parameters == NULL) {
		cs_call_refuse(call, CS_E_NOMEM, NULL);
		return;
	}
	answer(call, message, continues);
}

/* Which declared error a code travels under. What is not listed is a refusal by a rule. */
static const struct {
	enum cs_err code;
	const char *error;
} errors[] = {
	{CS_E_NOT_FOUND, "NotFound"},
	{CS_E_PERMISSION, "PermissionDenied"},
	{CS_E_STATE, "WrongState"},
	{CS_E_BUSY, "Busy"},
	{CS_E_IDEMPOTENCY, "IdempotencyConflict"},
	{CS_E_SIGNER_DOWN, "SignerUnavailable"},
	{CS_E_DOCUMENT_INVALID, "InvalidDocument"},
	{CS_E_TEXT, "InvalidDocument"},
	{CS_E_TOO_LARGE, "InvalidDocument"},
	{CS_E_MATCH_LIMIT, "InvalidDocument"},
	{CS_E_TIME, "InvalidDocument"},
	{CS_E_ID, "InvalidDocument"},
	{CS_E_ADDRESS, "InvalidDocument"},
	{CS_E_JSON_DEPTH, "InvalidDocument"},
	{CS_E_NOMEM, "Internal"},
	{CS_E_INTERNAL, "Internal"},
	{CS_E_IO, "Internal"},
	{CS_E_STORE, "Internal"},
	{CS_E_EXISTS, "Internal"},
	{CS_E_SCHEMA_UNKNOWN, "Internal"},
	{CS_E_SCHEMA_INVALID, "Internal"},
	{CS_E_SCHEMA_UNSUPPORTED, "Internal"},
};

static const char *error_of(enum cs_err err)
{
	for (size_t i = 0; i < sizeof errors / sizeof errors[0]; i++)
		if (errors[i].code == err)
			return errors[i].error;
	return "Refused";
}

static void refuse_as(
	struct cs_call *call, const char *error, enum cs_err err, const struct cs_fault *fault)
{
	char name[96];

	snprintf(name, sizeof name, CS_VARLINK_INTERFACE ".%s", error);
	answer(call,
		json_pack("{sss{ssssss}}", "error", name, "parameters", "code", cs_err_name(err),
			"path", fault ? fault->path : "", "detail",
			fault && fault->detail[0] != '\0' ? fault->detail : cs_err_text(err)),
		false);
}

void cs_call_refuse(struct cs_call *call, enum cs_err err, const struct cs_fault *fault)
{
	const struct cs_fault none = {0};
	const char *error = error_of(err);

	/* What failed here is for the log; the peer learns no more than that. */
	if (strcmp(error, "Internal") == 0) {
		cs_log_fault(CS_LOG_ERROR, "a call failed", err, fault ? fault : &none);
		fault = NULL;
	}
	refuse_as(call, error, err, fault);
}

void cs_call_refuse_standard(
	struct cs_call *call, const char *error, const char *parameter, const char *value)
{
	char name[96];

	snprintf(name, sizeof name, "org.varlink.service.%s", error);
	if (parameter == NULL)
		answer(call, json_pack("{sss{}}", "error", name, "parameters"), false);
	else
		answer(call, json_pack("{sss{ss}}", "error", name, "parameters", parameter, value),
			false);
}

void cs_call_garbage(struct cs_call *call, enum cs_err err, const struct cs_fault *fault)
{
	call->open = true;
	call->oneway = false;
	refuse_as(call, "BadMessage", err, fault);
	call->closing = true;
	call->in.len = call->taken = call->searched = 0;
}

/* ---- calls ---- */

static const struct cs_method *find_method(const char *name)
{
	for (const struct cs_method *m = cs_methods; m->name != NULL; m++)
		if (strcmp(m->name, name) == 0)
			return m;
	return NULL;
}

/* The standard distinguishes an interface that is not there from a method that is not. */
static void refuse_method(struct cs_call *call, const char *name)
{
	const char *dot = strrchr(name, '.');
	size_t len = dot ? (size_t)(dot - name) : 0;

	for (const struct cs_method *m = cs_methods; m->name != NULL; m++) {
		if (len > 0 && strncmp(m->name, name, len) == 0 &&
			strrchr(m->name, '.') == m->name + len) {
			cs_call_refuse_standard(call, "MethodNotFound", "method", name);
			return;
		}
	}
	char interface[128];
	snprintf(interface, sizeof interface, "%.*s",
		(int)(len < sizeof interface - 1 ? len : sizeof interface - 1), name);
	cs_call_refuse_standard(call, "InterfaceNotFound", "interface", interface);
}

static bool type_fits(json_type wanted, const json_t *value)
{
	return wanted == JSON_TRUE ? json_is_boolean(value) : json_typeof(value) == wanted;
}

/*
 * The name of the first parameter that is missing, of another type or unknown; NULL when all are
 * right. A null stands for one that is left out.
 */
static const char *wrong_parameter(const struct cs_method *method, json_t *parameters)
{
	const char *key;
	json_t *value;

	for (const struct cs_parameter *p = method->parameters; p->name != NULL; p++) {
		const json_t *given = json_object_get(parameters, p->name);
		if (given == NULL || json_is_null(given) ? !p->optional
							 : !type_fits(p->type, given))
			return p->name;
	}
	json_object_foreach (parameters, key, value) {
		const struct cs_parameter *p = method->parameters;
		while (p->name != NULL && strcmp(p->name, key) != 0)
			p++;
		if (p->name == NULL)
			return key;
	}
	return NULL;
}

static void run_method(struct cs_call *call, const struct cs_method *method, json_t *parameters)
{
	struct cs_daemon *daemon = cs_server_daemon(call->server);
	struct cs_fault fault = {0};
	enum cs_err err = CS_OK;

	if (method->roles != CS_ANYBODY) {
		if (call->access != CS_OK)
			err = cs_fault_set(&fault, CS_E_PERMISSION, "", "uid %u has no role here",
				(unsigned)call->peer.uid);
		else if ((method->roles & call->peer.roles) == 0)
			err = cs_fault_set(&fault, CS_E_PERMISSION, "",
				"not for the role of uid %u", (unsigned)call->peer.uid);
	}
	if (err == CS_OK && !cs_server_rate(call->server, call->peer.uid))
		err = cs_fault_set(
			&fault, CS_E_BUSY, "", "uid %u calls too often", (unsigned)call->peer.uid);
	if (err == CS_OK) {
		const char *wrong = wrong_parameter(method, parameters);
		if (wrong != NULL) {
			cs_call_refuse_standard(call, "InvalidParameter", "parameter", wrong);
			return;
		}
		err = method->run(daemon, call, parameters, &fault);
	}
	if (err != CS_OK)
		cs_call_refuse(call, err, &fault);
}

static const char *string_of(const json_t *value)
{
	const char *text = json_string_value(value);

	return text != NULL && strlen(text) == json_string_length(value) ? text : NULL;
}

static void run_message(struct cs_call *call, json_t *message)
{
	CS_CLEANUP_JSON json_t *none = json_object();
	json_t *parameters = json_object_get(message, "parameters");
	const char *name = string_of(json_object_get(message, "method"));
	struct cs_fault fault = {0};

	if (none == NULL) {
		call->dead = true;
		return;
	}
	if (name == NULL || (parameters != NULL && !json_is_object(parameters))) {
		enum cs_err err = cs_fault_set(&fault, CS_E_DOCUMENT_INVALID,
			name ? "/parameters" : "/method", "not a Varlink call");
		cs_call_garbage(call, err, &fault);
		return;
	}
	call->open = true;
	call->more = json_is_true(json_object_get(message, "more"));
	call->oneway = json_is_true(json_object_get(message, "oneway"));
	const struct cs_method *method = find_method(name);
	if (method == NULL)
		refuse_method(call, name);
	else if (json_is_true(json_object_get(message, "upgrade")) ||
		 (call->more && call->oneway) || (call->more && !(method->flags & CS_METHOD_MORE)))
		cs_call_refuse_standard(
			call, "InvalidParameter", "parameter", call->more ? "more" : "upgrade");
	else
		run_method(call, method, parameters ? parameters : none);
}

/* Drops what was run once it is most of the buffer: each byte is moved once on average. */
static void compact(struct cs_call *call)
{
	if (call->taken < call->in.len && call->taken < call->in.len / 2)
		return;
	memmove(call->in.data, call->in.data + call->taken, call->in.len - call->taken);
	call->in.len -= call->taken;
	call->searched -= call->taken;
	call->taken = 0;
}

/* One message of `len` bytes at the front of what is not taken yet. */
static void run_bytes(struct cs_call *call, size_t len)
{
	CS_CLEANUP_JSON json_t *message = NULL;
	struct cs_fault fault = {0};

	enum cs_err err =
		cs_json_read(call->in.data + call->taken, len, CS_MESSAGE_MAX, &message, &fault);
	if (err == CS_OK && !json_is_object(message))
		err = cs_fault_set(&fault, CS_E_DOCUMENT_INVALID, "", "not an object");
	call->taken += len + 1;
	call->searched = call->taken;
	if (err == CS_OK)
		run_message(call, message);
	else
		cs_call_garbage(call, err, &fault);
}

bool cs_call_work(struct cs_call *call)
{
	for (int turn = 0; turn < TURN_MAX; turn++) {
		if (call->open || call->closing || call->dead ||
			call->out.len - call->written >= OUT_PAUSE || call->taken == call->in.len)
			return true;
		const uint8_t *end =
			memchr(call->in.data + call->searched, 0, call->in.len - call->searched);
		size_t len = (end ? (size_t)(end - call->in.data) : call->in.len) - call->taken;
		if (len > CS_MESSAGE_MAX) {
			struct cs_fault fault = {0};
			enum cs_err err = cs_fault_set(
				&fault, CS_E_TOO_LARGE, "", "more than %d bytes", CS_MESSAGE_MAX);
			cs_call_garbage(call, err, &fault);
			return true;
		}
		if (end == NULL) {
			call->searched = call->in.len;
			if (call->partial_since == 0)
				call->partial_since = cs_monotonic();
			return true;
		}
		call->partial_since = 0;
		if (!cs_server_turn(call->server, call->peer.uid))
			return false;
		uint64_t begun = cs_monotonic();
		run_bytes(call, len);
		compact(call);
		cs_server_spent(call->server, call->peer.uid, cs_monotonic() - begun);
	}
	return false;
}
