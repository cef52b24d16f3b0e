/*
 * Verification's inside: one run over one document, and the list of named checks it builds up.
 */
#ifndef CS_VERIFY_CHECK_H
#define CS_VERIFY_CHECK_H

#include "verify.h"

struct cs_verification {
	const struct cs_verify_input *in;
	json_t *checks; /* array of {name, result, code, detail} */
	bool failed;	/* a check failed */
	bool out_of_memory;
	bool test_assurance; /* a software token counted */

	/* filled by the checks of the seal */
	json_t *statement; /* owned */
	cs_time issued_at;
	enum cs_seal_form form;
	const struct cs_key_info *seal_key; /* NULL unless the seal verified */

	/* members of the pack; borrowed, NULL until the addresses were checked */
	const json_t *map, *inputs, *state, *replay_seal;
	const json_t *core, *decision;

	struct cs_policy *policy; /* owned; from the pack, signatures checked */
	struct cs_public_key engine_key;
	const char *engine_kid;
	bool engine_ok;
};

/* Adds a check's result: passed for CS_OK, else failed with the error's name and the fault. */
void cs_verification_add(
	struct cs_verification *v, const char *name, enum cs_err err, const struct cs_fault *fault);
/* Adds a check that could not be made here, with the reason. */
void cs_verification_skip(struct cs_verification *v, const char *name, const char *reason);
/*
 * True when the run may stop: out of memory, or a check failed and the caller wants to hear of the
 * first alone.
 */
bool cs_verification_stop(const struct cs_verification *v);

/* verify_seal.c: the one signature, the statement in it, and that its subject is this pack. */
void cs_verify_seal(struct cs_verification *v);
/* verify_members.c: schemas, addresses, and what the statement says about them. */
void cs_verify_members(struct cs_verification *v);
/* verify_signatures.c: engine certificate and everything that the engine signed; policy; grants. */
void cs_verify_signatures(struct cs_verification *v);
/* verify_decision.c: class, oversight and quorum again; briefs recomposed; trust extracts. */
void cs_verify_decision(struct cs_verification *v);
/* verify_envelopes.c: the published documents that repeat the decision in other words. */
void cs_verify_envelopes(struct cs_verification *v);

#endif
