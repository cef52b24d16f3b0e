/*
 * Documents in versions, each naming the one before: trust sets and policies.
 */
#ifndef CS_VERSION_CHAIN_H
#define CS_VERSION_CHAIN_H

#include "address.h"

/*
 * Whether `version` is the next one after `previous` (NULL: a genesis): number one higher,
 * `previous` its address, the same id, issued later. CS_E_TRUST_CHAIN; CS_E_TIME.
 */
CS_MUST_CHECK enum cs_err cs_version_follows(
	const json_t *version, const json_t *previous, struct cs_fault *fault);

/* Whether the first version has the pinned address: CS_E_TRUST_GENESIS. */
CS_MUST_CHECK enum cs_err cs_version_genesis(
	const json_t *first, const char *genesis, struct cs_fault *fault);

/* Puts "/INDEX" before the fault's path and returns `err`. */
enum cs_err cs_fault_in_version(struct cs_fault *fault, size_t index, enum cs_err err);

#endif
