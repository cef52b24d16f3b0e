/*
 * Bounded reading and durable writing of whole files.
 */
#ifndef CS_FILE_H
#define CS_FILE_H

#include <stdbool.h>
#include <sys/types.h>
#include "canonical.h"

/*
 * Reads a regular file (or "-": standard input) of at most `max` bytes. CS_E_IO, CS_E_NOT_FOUND,
 * CS_E_TOO_LARGE, CS_E_NOMEM; the fault's path is the file's.
 */
CS_MUST_CHECK enum cs_err cs_file_read(
	const char *path, size_t max, struct cs_bytes *ret_data, struct cs_fault *fault);
/* cs_file_read and cs_json_read; the fault's path is "FILE" or "FILE#/pointer". */
CS_MUST_CHECK enum cs_err cs_file_read_json(
	const char *path, size_t max, json_t **ret_doc, struct cs_fault *fault);

/*
 * CS_E_PERMISSION for an open file or directory that belongs to `not_writable_by`, or that its
 * group or others may write, whoever they are; root and the caller's own user are not asked. The
 * sticky bit excuses a directory. CS_E_IO. `path` is for the fault.
 */
CS_MUST_CHECK enum cs_err cs_file_guard(
	int fd, const char *path, uid_t not_writable_by, struct cs_fault *fault);
/* cs_file_read_json of a file that passes cs_file_guard: the one that is read is the one judged. */
CS_MUST_CHECK enum cs_err cs_file_read_guarded(const char *path, size_t max, uid_t not_writable_by,
	json_t **ret_doc, struct cs_fault *fault);

/*
 * Writes a temporary file beside `path`, fsyncs it, renames it and fsyncs the directory. CS_E_IO,
 * CS_E_TOO_LARGE (the path).
 */
CS_MUST_CHECK enum cs_err cs_file_write(const char *path, const void *data, size_t len,
	unsigned mode, struct cs_fault *fault);
/* Writes the canonical form and a newline. */
CS_MUST_CHECK enum cs_err cs_file_write_json(
	const char *path, const json_t *doc, unsigned mode, struct cs_fault *fault);
/* All of it to a descriptor, however often a signal or a pipe interrupts. False: errno says why. */
CS_MUST_CHECK bool cs_file_write_all(int fd, const void *data, size_t len);
/*
 * Makes the directory that `path` stands in durable: only then is a file durable that was created
 * or renamed there. False: errno says why.
 */
CS_MUST_CHECK bool cs_file_sync_parent(const char *path);

#endif
