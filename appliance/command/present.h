/*
 * What an approver reads about an action, in this order: the command that will run, where it
 * runs, how far it reaches, how it is undone, who asks, what the policy makes of it, who signs,
 * and what the signature will cover.
 */
#ifndef CS_PRESENT_H
#define CS_PRESENT_H

#include "review.h"
#include "screen.h"

/* One slot of the quorum or one decision, as far as it could be checked. */
struct cs_signed_slot {
	const char *role;
	const char *approver; /* NULL while the slot is open */
	const char *decision;
	bool verified; /* signature, binding and role were checked under the own trust set */
};

/*
 * The whole screen for a reviewed brief. Strings are borrowed from `review` and `slots` for as
 * long as the screen lives.
 */
void cs_present_review(const struct cs_review *review, const struct cs_signed_slot *slots,
	size_t slot_count, struct cs_screen *screen);

/*
 * The parts that a core alone gives, for somebody who only looks: nothing is verified, every row
 * is the appliance's or the agent's word.
 */
void cs_present_core(const json_t *core, enum cs_standing standing, const char *action,
	struct cs_screen *screen);

/* What the person is about to sign. */
void cs_present_signature(const struct cs_review *review, const char *decision, cs_time not_after,
	const char *rationale, struct cs_screen *screen);

#endif
