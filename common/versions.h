/*
 * Trust sets and policies as directories of files: every *.json in it is one version; order comes
 * from the documents, and so does the moment from which on a version counts.
 */
#ifndef CS_VERSIONS_H
#define CS_VERSIONS_H

#include "clock.h"
#include "policy.h"

#define CS_VERSIONS_MAX 4096	     /* files in a directory */
#define CS_VERSIONS_RETRY_SECONDS 30 /* after a version whose time came could not be loaded */

/*
 * Reads all *.json files of a directory into an array sorted by `version`. With `guard` set,
 * refuses a directory or file that `not_writable_by` could write (cs_file_guard): CS_E_PERMISSION.
 * CS_E_NOT_FOUND for a directory that is empty or not there. CS_E_TOO_LARGE for a file above `max`
 * bytes and for more than CS_VERSIONS_MAX; the other errors of cs_file_read_json.
 */
CS_MUST_CHECK enum cs_err cs_versions_read(const char *directory, size_t max, bool guard,
	uid_t not_writable_by, json_t **ret_versions, struct cs_fault *fault);

/* The first version that is not in force yet. */
struct cs_upcoming {
	int64_t version; /* 0 when there is none */
	cs_time at;	 /* its issued_at; CS_TIME_MAX when there is none */
};

/*
 * A version comes into force at its issued_at. Takes the first one whose issued_at is later than
 * `now`, and all after it, out of `versions` (sorted, as cs_versions_read gives it), and says in
 * `ret_next` which it was. A version without a readable issued_at stays, for the loader to refuse.
 * CS_E_TRUST_EARLY, with `directory` as the fault's path, when the very first one is still to come;
 * then `versions` is not changed.
 */
CS_MUST_CHECK enum cs_err cs_versions_in_force(json_t *versions, cs_time now, const char *directory,
	struct cs_upcoming *ret_next, struct cs_fault *fault);

/*
 * A rollback (CS_E_TRUST_ROLLBACK) whose missing version was left out as still to come is a clock
 * that was set back: gives CS_E_CLOCK then, with `kind` as the fault's path, and `err` otherwise.
 */
enum cs_err cs_versions_explain(
	enum cs_err err, const char *kind, const struct cs_upcoming *next, struct cs_fault *fault);

#endif
