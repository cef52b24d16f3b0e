/*
 * One person's decision, from the brief to the receipt: what `approve` and `reject` have in
 * common.
 */
#ifndef CS_DECIDE_H
#define CS_DECIDE_H

#include "arguments.h"

/* `decision` is "approved" or "rejected"; options --config, --role and --rationale as given. */
CS_MUST_CHECK enum cs_err cs_decide(
	struct cs_call *call, const char *decision, struct cs_fault *fault);

#endif
