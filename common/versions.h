/*
 * Trust sets and policies as directories of files: every *.json in it is one version; order comes from the documents.
 */
#ifndef CS_VERSIONS_H
#define CS_VERSIONS_H

#include "policy.h"

#define CS_VERSIONS_MAX 4096	/* files in a directory */

/*
 * Reads all *.json files of a directory into an array sorted by `version`. With `guard` set, refuses a directory or file that `not_writable_by` could
 * write (owner or mode; root and the caller's own user are not asked): CS_E_PERMISSION. CS_E_NOT_FOUND for an empty directory.
 */
CS_MUST_CHECK enum cs_err cs_versions_read(const char *directory, size_t max, bool guard, uid_t not_writable_by, json_t **ret_versions,
	struct cs_fault *fault);

#endif
