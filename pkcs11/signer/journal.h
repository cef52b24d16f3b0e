/*
 * An append-only file of hash-chained JSON lines, the durable half of the signer's memory.
 */
#ifndef CS_SIGNER_JOURNAL_H
#define CS_SIGNER_JOURNAL_H

#include "canonical.h"

/* Bytes up to which the journal is never worth rewriting. */
#define CS_JOURNAL_COMPACT (8 * 1024 * 1024)

struct cs_journal;

/*
 * Opens or creates `path`, locks it, and calls `on_record` for each record in order. A torn last
 * line is cut off. CS_E_BUSY, CS_E_LOG_ROLLBACK (a damaged line that is not the last, or is the
 * only one: the first record comes with cs_journal_replace, so nothing tears it), CS_E_IO,
 * CS_E_TOO_LARGE (the path), CS_E_NOMEM, or what `on_record` returns. CS_E_BUSY also when the file
 * goes on being replaced under this name: a lock on a file without a name keeps nobody out.
 */
CS_MUST_CHECK enum cs_err cs_journal_open(const char *path,
	enum cs_err (*on_record)(void *context, const json_t *record, struct cs_fault *fault),
	void *context, struct cs_journal **ret_journal, struct cs_fault *fault);
void cs_journal_close(struct cs_journal *journal);

/*
 * Appends one record and makes it durable. On failure the file is cut back to its old length.
 * CS_E_IO, CS_E_NOMEM.
 */
CS_MUST_CHECK enum cs_err cs_journal_append(
	struct cs_journal *journal, const json_t *record, struct cs_fault *fault);
/*
 * Replaces the whole journal by this one record, durably and atomically. CS_E_IO, CS_E_NOMEM. When
 * it is only the directory that could not be made durable, the new file is in its place and no
 * later append succeeds before the directory is.
 */
CS_MUST_CHECK enum cs_err cs_journal_replace(
	struct cs_journal *journal, const json_t *record, struct cs_fault *fault);
/* True when the journal has outgrown CS_JOURNAL_COMPACT and twice its first record. */
bool cs_journal_is_long(const struct cs_journal *journal);

#endif
