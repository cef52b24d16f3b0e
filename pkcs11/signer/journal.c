#include "journal.h"
#include "log.h"
#include "file.h"

#include <errno.h>
#include <fcntl.h>
#include <limits.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sodium.h>
#include <sys/file.h>
#include <sys/stat.h>
#include <unistd.h>

#define HASH_TEXT 64
/* One record, a snapshot with its consumed actions included. */
#define LINE_MAX_BYTES (256 * 1024 * 1024)
/* How often the file may be replaced under a process that is just opening it. */
#define OPEN_ATTEMPTS 8

struct cs_journal {
	int fd;
	off_t len;
	off_t compact; /* the length from which on it is worth rewriting */
	bool directory_dirty; /* the name may not survive a crash yet: nothing may rest on it */
	uint8_t chain[32];
	char path[PATH_MAX];
	bool unfinished; /* a half-written line stands behind `len` */
};

/* chain' = SHA-256(chain || JSON) */
static void next_chain(const uint8_t chain[32], const void *json, size_t len, uint8_t next[32])
{
	crypto_hash_sha256_state state;

	crypto_hash_sha256_init(&state);
	crypto_hash_sha256_update(&state, chain, 32);
	crypto_hash_sha256_update(&state, json, len);
	crypto_hash_sha256_final(&state, next);
}

static enum cs_err io_fault(const char *path, const char *what, struct cs_fault *fault)
{
	return cs_fault_set(fault, CS_E_IO, path, "%s: %s", what, strerror(errno));
}

/*
 * After a rewrite the journal doubles at least before the next one, however much there is to
 * remember.
 */
static void expect_growth(struct cs_journal *j)
{
	j->compact = 2 * j->len > CS_JOURNAL_COMPACT ? 2 * j->len : CS_JOURNAL_COMPACT;
}

static enum cs_err compose_line(
	const uint8_t chain[32], const json_t *record, struct cs_bytes *line, uint8_t next[32])
{
	CS_CLEANUP_BYTES struct cs_bytes json = {0};
	char hex[HASH_TEXT + 1];
	enum cs_err err = cs_canonical_print(record, &json);

	if (err != CS_OK)
		return err;
	next_chain(chain, json.data, json.len, next);
	cs_hex_encode(next, 32, hex);
	cs_bytes_add(line, hex, HASH_TEXT);
	cs_bytes_add(line, " ", 1);
	cs_bytes_add(line, json.data, json.len);
	cs_bytes_add(line, "\n", 1);
	return cs_bytes_check(line);
}

static bool write_at(int fd, const uint8_t *data, size_t len, off_t at)
{
	while (len > 0) {
		ssize_t n = pwrite(fd, data, len, at);
		if (n < 0 && errno == EINTR)
			continue;
		if (n <= 0)
			return false;
		data += n;
		len -= (size_t)n;
		at += n;
	}
	return true;
}

/*
 * One line without its LF. `*ret_whole` says that the line continues the chain: then nothing tore
 * it, whatever else is wrong.
 */
static enum cs_err read_line(
	struct cs_journal *j, const char *line, size_t len, bool *ret_whole, json_t **ret_record)
{
	uint8_t stored[32], next[32];

	*ret_whole = false;
	if (len < HASH_TEXT + 2 || line[HASH_TEXT] != ' ' ||
		cs_hex_decode(line, HASH_TEXT, stored, 32) != CS_OK)
		return CS_E_LOG_ROLLBACK;
	next_chain(j->chain, line + HASH_TEXT + 1, len - HASH_TEXT - 1, next);
	if (memcmp(stored, next, 32) != 0)
		return CS_E_LOG_ROLLBACK;
	*ret_whole = true;
	enum cs_err err = cs_json_read_canonical(
		line + HASH_TEXT + 1, len - HASH_TEXT - 1, LINE_MAX_BYTES, ret_record, NULL);
	if (err == CS_E_NOMEM)
		return err;
	if (err != CS_OK)
		return CS_E_LOG_ROLLBACK;
	memcpy(j->chain, next, 32);
	return CS_OK;
}

/* To read from the start; closing it does not give up the lock. */
static enum cs_err open_stream(
	const struct cs_journal *j, FILE **ret_file, struct cs_fault *fault)
{
	int copy = fcntl(j->fd, F_DUPFD_CLOEXEC, 0);
	FILE *file = copy >= 0 ? fdopen(copy, "r") : NULL;

	if (file == NULL) {
		enum cs_err err = io_fault(j->path, "cannot read", fault);
		if (copy >= 0)
			close(copy);
		return err;
	}
	*ret_file = file;
	return CS_OK;
}

/*
 * What a crash in the middle of a write leaves: a line that does not end, or blocks that were never filled. A line that is complete and wrong was
 * changed afterwards; cutting it off would forget what was signed.
 */
static bool is_torn(const char *line, size_t len)
{
	return line[len - 1] != '\n' || memchr(line, '\0', len) != NULL;
}

static enum cs_err cut_off(const struct cs_journal *j, size_t len, struct cs_fault *fault)
{
	if (ftruncate(j->fd, j->len) != 0 || fdatasync(j->fd) != 0)
		return io_fault(j->path, "cannot cut off a torn line", fault);
	cs_log(CS_LOG_WARNING, "%s: cut off %zu bytes of a line that was never finished", j->path, len);
	return CS_OK;
}

static enum cs_err read_records(struct cs_journal *j, FILE *file,
	enum cs_err (*on_record)(void *, const json_t *, struct cs_fault *), void *context,
	struct cs_fault *fault)
{
	char *line = NULL;
	size_t cap = 0, number = 0;
	enum cs_err err = CS_OK;
	ssize_t n;

	while (err == CS_OK && (n = getline(&line, &cap, file)) > 0) {
		json_t *record = NULL;
		bool whole = false;
		number++;
		err = line[n - 1] == '\n' ? read_line(j, line, (size_t)n - 1, &whole, &record)
					  : CS_E_LOG_ROLLBACK;
		/* The first line came with the file's name, whole or not at all. */
		if (err == CS_E_LOG_ROLLBACK && !whole && number > 1 && is_torn(line, (size_t)n) && getc(file) == EOF) {
			err = cut_off(j, (size_t)n, fault);
			break;
		}
		if (err == CS_E_LOG_ROLLBACK)
			err = cs_fault_set(fault, err, j->path,
				"line %zu is damaged; restore is a two-person resume, not a copy",
				number);
		if (err == CS_OK)
			err = on_record(context, record, fault);
		if (err == CS_OK) {
			j->len += n;
			if (number == 1)
				expect_growth(j);
		}
		json_decref(record);
	}
	if (err == CS_OK && ferror(file))
		err = io_fault(j->path, "cannot read", fault);
	free(line);
	return err;
}

static enum cs_err sync_name(struct cs_journal *j, struct cs_fault *fault)
{
	if (!j->directory_dirty)
		return CS_OK;
	if (!cs_file_sync_parent(j->path))
		return io_fault(j->path, "cannot make the directory durable", fault);
	j->directory_dirty = false;
	return CS_OK;
}

/* Is the locked file still the one with this name? A rewrite may have come in between. */
static bool has_the_name(int fd, const char *path)
{
	struct stat held, named;

	return fstat(fd, &held) == 0 && stat(path, &named) == 0 && held.st_dev == named.st_dev &&
	       held.st_ino == named.st_ino;
}

static enum cs_err open_locked(const char *path, int *ret_fd, struct cs_fault *fault)
{
	for (int attempt = 0; attempt < OPEN_ATTEMPTS; attempt++) {
		enum cs_err err;
		int fd = open(path, O_RDWR | O_CREAT | O_CLOEXEC | O_NOFOLLOW, 0600);
		if (fd < 0)
			return io_fault(path, "cannot open", fault);
		if (flock(fd, LOCK_EX | LOCK_NB) != 0) {
			err = errno == EWOULDBLOCK
				      ? cs_fault_set(fault, CS_E_BUSY, path,
						"another signer holds this journal")
				      : io_fault(path, "cannot lock", fault);
			close(fd);
			return err;
		}
		if (has_the_name(fd, path)) {
			*ret_fd = fd;
			return CS_OK;
		}
		close(fd);
	}
	return cs_fault_set(fault, CS_E_BUSY, path, "another signer keeps replacing this journal");
}

enum cs_err cs_journal_open(const char *path,
	enum cs_err (*on_record)(void *context, const json_t *record, struct cs_fault *fault),
	void *context, struct cs_journal **ret_journal, struct cs_fault *fault)
{
	struct cs_journal *j = calloc(1, sizeof *j);
	FILE *file = NULL;
	enum cs_err err;

	if (j == NULL)
		return CS_E_NOMEM;
	if (snprintf(j->path, sizeof j->path, "%s", path) >= (int)sizeof j->path) {
		free(j);
		return cs_fault_set(fault, CS_E_TOO_LARGE, path, "the path is too long");
	}
	j->fd = -1;
	j->directory_dirty = true;
	err = open_locked(path, &j->fd, fault);
	if (err == CS_OK)
		err = sync_name(j, fault);
	if (err == CS_OK)
		err = open_stream(j, &file, fault);
	if (err == CS_OK)
		err = read_records(j, file, on_record, context, fault);
	if (file != NULL)
		fclose(file);
	if (err != CS_OK) {
		cs_journal_close(j);
		return err;
	}
	*ret_journal = j;
	return CS_OK;
}

void cs_journal_close(struct cs_journal *journal)
{
	if (journal == NULL)
		return;
	if (journal->fd >= 0)
		close(journal->fd);
	free(journal);
}

enum cs_err cs_journal_append(struct cs_journal *j, const json_t *record, struct cs_fault *fault)
{
	CS_CLEANUP_BYTES struct cs_bytes line = {0};
	uint8_t next[32];
	enum cs_err err = compose_line(j->chain, record, &line, next);

	if (err == CS_OK)
		err = sync_name(j, fault);
	if (err != CS_OK)
		return err;
	if (j->unfinished)
		return cs_fault_set(fault, CS_E_IO, j->path, "a half-written line could not be cut off; restart when the disk is well");
	if (!write_at(j->fd, line.data, line.len, j->len) || fdatasync(j->fd) != 0) {
		err = io_fault(j->path, "cannot write", fault);
		/* What may stand behind the end now would follow the next line: no more lines before a new start. */
		j->unfinished = ftruncate(j->fd, j->len) != 0;
		return err;
	}
	memcpy(j->chain, next, 32);
	j->len += (off_t)line.len;
	return CS_OK;
}

enum cs_err cs_journal_replace(struct cs_journal *j, const json_t *record, struct cs_fault *fault)
{
	CS_CLEANUP_BYTES struct cs_bytes line = {0};
	char fresh[PATH_MAX + 8];
	uint8_t start[32] = {0}, next[32];
	enum cs_err err = compose_line(start, record, &line, next);

	if (err != CS_OK)
		return err;
	snprintf(fresh, sizeof fresh, "%s.new", j->path);
	int fd = open(fresh, O_RDWR | O_CREAT | O_TRUNC | O_CLOEXEC | O_NOFOLLOW, 0600);
	if (fd < 0)
		return io_fault(fresh, "cannot create", fault);
	/* Locked before it takes the old file's name, so that there is no moment without a lock. */
	if (flock(fd, LOCK_EX | LOCK_NB) != 0 || !write_at(fd, line.data, line.len, 0) ||
		fsync(fd) != 0 || rename(fresh, j->path) != 0) {
		err = io_fault(fresh, "cannot write", fault);
		close(fd);
		unlink(fresh);
		return err;
	}
	close(j->fd);
	j->fd = fd;
	j->len = (off_t)line.len;
	expect_growth(j);
	memcpy(j->chain, next, 32);
	/* What has failed here stands before the next append again. */
	j->directory_dirty = true;
	return sync_name(j, fault);
}

bool cs_journal_is_long(const struct cs_journal *journal)
{
	return journal->len > journal->compact;
}
