#include "caller.h"
#include "command.h"
#include "report.h"

#include <stdlib.h>
#include <string.h>
#include <time.h>

#define FOREVER_SECONDS (366L * 24 * 3600)

static enum cs_err timeout_of(
	const struct cs_call *call, int64_t *ret_seconds, struct cs_fault *fault)
{
	const char *text = cs_call_value(call, "timeout");
	char *end;

	*ret_seconds = FOREVER_SECONDS;
	if (text == NULL)
		return CS_OK;
	long seconds = strtol(text, &end, 10);
	if (text[0] < '0' || text[0] > '9' || *end != '\0' || seconds > FOREVER_SECONDS)
		return cs_fault_set(fault, CS_E_USAGE, "", "--timeout is a number of seconds");
	*ret_seconds = seconds;
	return CS_OK;
}

static int64_t milliseconds(void)
{
	struct timespec t;

	clock_gettime(CLOCK_MONOTONIC, &t);
	return (int64_t)t.tv_sec * 1000 + t.tv_nsec / 1000000;
}

/*
 * Follows the action until it is final or the time is over; the last that was heard of it stays
 * in *action.
 */
static enum cs_err follow(struct cs_call *call, struct cs_varlink *link, int64_t seconds,
	json_t **action, struct cs_fault *fault)
{
	int64_t deadline = milliseconds() + seconds * 1000;
	bool continues = true;

	while (continues) {
		CS_CLEANUP_JSON json_t *reply = NULL;
		bool refused = false;
		int64_t left = deadline - milliseconds();
		/* The first reply comes at once: it is heard even with a timeout of nothing. */
		if (*action == NULL && left < 2000)
			left = 2000;
		enum cs_err err =
			cs_varlink_receive(link, left, &reply, &continues, &refused, fault);
		if (err == CS_E_TIMEOUT && *action != NULL && !refused)
			return CS_OK;
		if (err != CS_OK)
			return cs_caller_refused(call, err, refused);
		json_decref(*action);
		*action = json_incref(json_object_get(reply, "action"));
		if (*action == NULL)
			return cs_fault_set(
				fault, CS_E_SERVICE, "/action", "the reply has no action");
		if (json_is_true(json_object_get(*action, "final")))
			return CS_OK;
	}
	return CS_OK;
}

enum cs_err cs_command_wait(struct cs_call *call, struct cs_fault *fault)
{
	CS_CLEANUP_VARLINK struct cs_varlink *link = NULL;
	CS_CLEANUP_JSON json_t *parameters = json_pack("{s:s}", "id", call->operand[0]);
	CS_CLEANUP_JSON json_t *action = NULL;
	CS_CLEANUP_BYTES struct cs_bytes text = {0};
	int64_t seconds;
	enum cs_err err = timeout_of(call, &seconds, fault);

	if (err == CS_OK && parameters == NULL)
		return CS_E_NOMEM;
	if (err == CS_OK)
		err = cs_caller_connect(call, &link, fault);
	if (err == CS_OK)
		err = cs_varlink_send(link, "Wait", parameters, true, fault);
	if (err == CS_OK)
		err = follow(call, link, seconds, &action, fault);
	if (err != CS_OK)
		return err;
	call->exit = json_is_true(json_object_get(action, "final"))
			     ? cs_caller_exit(cs_json_text(action, "state"))
			     : CS_EXIT_WAITING;
	if (call->json)
		return cs_report_json(action, fault);
	cs_caller_print_action(action, &text);
	return cs_report_write(&text, fault);
}
