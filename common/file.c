#include "file.h"

#include <errno.h>
#include <fcntl.h>
#include <libgen.h>
#include <limits.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

static enum cs_err read_all(
	int fd, const char *path, size_t max, struct cs_bytes *data, struct cs_fault *fault)
{
	uint8_t block[16384];

	for (;;) {
		ssize_t n = read(fd, block, sizeof block);
		if (n < 0 && errno == EINTR)
			continue;
		if (n < 0)
			return cs_fault_set(
				fault, CS_E_IO, path, "cannot read: %s", strerror(errno));
		if (n == 0)
			return CS_OK;
		if (data->len + (size_t)n > max)
			return cs_fault_set(
				fault, CS_E_TOO_LARGE, path, "more than %zu bytes", max);
		enum cs_err err = cs_bytes_add(data, block, (size_t)n);
		if (err != CS_OK)
			return err;
	}
}

enum cs_err cs_file_guard(int fd, const char *path, uid_t not_writable_by, struct cs_fault *fault)
{
	struct stat st;

	if (fstat(fd, &st) != 0)
		return cs_fault_set(fault, CS_E_IO, path, "cannot stat: %s", strerror(errno));
	if (st.st_uid == not_writable_by)
		return cs_fault_set(fault, CS_E_PERMISSION, path,
			"belongs to uid %u, which may not write it", (unsigned)not_writable_by);
	/* Whoever may be in the group. A sticky directory lets nobody replace another's file. */
	bool sticky = S_ISDIR(st.st_mode) && (st.st_mode & S_ISVTX);
	if ((st.st_mode & (S_IWGRP | S_IWOTH)) != 0 && !sticky)
		return cs_fault_set(fault, CS_E_PERMISSION, path, "is writable by group or others");
	return CS_OK;
}

/* `not_writable_by` NULL: whoever may write it. */
static enum cs_err read_file(const char *path, size_t max, const uid_t *not_writable_by,
	struct cs_bytes *ret_data, struct cs_fault *fault)
{
	struct cs_bytes data = {0};
	struct stat st;
	enum cs_err err = CS_OK;
	bool standard_input = strcmp(path, "-") == 0;
	int fd = standard_input ? STDIN_FILENO : open(path, O_RDONLY | O_CLOEXEC | O_NONBLOCK);

	if (fd < 0)
		return cs_fault_set(fault, errno == ENOENT ? CS_E_NOT_FOUND : CS_E_IO, path,
			"cannot open: %s", strerror(errno));
	if (!standard_input && (fstat(fd, &st) != 0 || !S_ISREG(st.st_mode)))
		err = cs_fault_set(fault, CS_E_IO, path, "not a regular file");
	if (err == CS_OK && not_writable_by != NULL)
		err = cs_file_guard(fd, path, *not_writable_by, fault);
	if (err == CS_OK)
		err = read_all(fd, path, max, &data, fault);
	if (!standard_input)
		close(fd);
	if (err != CS_OK) {
		cs_bytes_free(&data);
		return err;
	}
	*ret_data = data;
	return CS_OK;
}

enum cs_err cs_file_read(
	const char *path, size_t max, struct cs_bytes *ret_data, struct cs_fault *fault)
{
	return read_file(path, max, NULL, ret_data, fault);
}

static enum cs_err read_json(const char *path, size_t max, const uid_t *not_writable_by,
	json_t **ret_doc, struct cs_fault *fault)
{
	CS_CLEANUP_BYTES struct cs_bytes data = {0};
	struct cs_fault inner = {0};
	enum cs_err err = read_file(path, max, not_writable_by, &data, fault);

	if (err != CS_OK)
		return err;
	err = cs_json_read(
		data.data ? (const void *)data.data : "", data.len, max, ret_doc, &inner);
	if (err != CS_OK) {
		char where[PATH_MAX + 64];
		snprintf(where, sizeof where, "%s%s%s", path, inner.path[0] ? "#" : "", inner.path);
		return cs_fault_set(fault, err, where, "%s", inner.detail);
	}
	return CS_OK;
}

enum cs_err cs_file_read_json(
	const char *path, size_t max, json_t **ret_doc, struct cs_fault *fault)
{
	return read_json(path, max, NULL, ret_doc, fault);
}

enum cs_err cs_file_read_guarded(const char *path, size_t max, uid_t not_writable_by,
	json_t **ret_doc, struct cs_fault *fault)
{
	return read_json(path, max, &not_writable_by, ret_doc, fault);
}

bool cs_file_write_all(int fd, const void *data, size_t len)
{
	const uint8_t *at = data;

	while (len > 0) {
		ssize_t n = write(fd, at, len);
		if (n < 0 && errno == EINTR)
			continue;
		if (n <= 0)
			return false;
		at += n;
		len -= (size_t)n;
	}
	return true;
}

bool cs_file_sync_parent(const char *path)
{
	char copy[PATH_MAX];

	if (snprintf(copy, sizeof copy, "%s", path) >= (int)sizeof copy) {
		errno = ENAMETOOLONG;
		return false;
	}
	int fd = open(dirname(copy), O_RDONLY | O_DIRECTORY | O_CLOEXEC);
	if (fd < 0)
		return false;
	bool ok = fsync(fd) == 0;
	int saved = errno;
	close(fd);
	errno = saved;
	return ok;
}

enum cs_err cs_file_write(const char *path, const void *data, size_t len, unsigned mode,
	struct cs_fault *fault)
{
	char temporary[PATH_MAX];

	if (snprintf(temporary, sizeof temporary, "%s.XXXXXX", path) >= (int)sizeof temporary)
		return cs_fault_set(fault, CS_E_TOO_LARGE, path, "the path is too long");
	int fd = mkostemp(temporary, O_CLOEXEC);
	if (fd < 0)
		return cs_fault_set(fault, CS_E_IO, path, "cannot create: %s", strerror(errno));
	bool ok = fchmod(fd, mode) == 0 && cs_file_write_all(fd, data, len) && fsync(fd) == 0;
	ok = close(fd) == 0 && ok;
	ok = ok && rename(temporary, path) == 0;
	if (!ok) {
		int saved = errno;
		unlink(temporary);
		return cs_fault_set(fault, CS_E_IO, path, "cannot write: %s", strerror(saved));
	}
	if (!cs_file_sync_parent(path))
		return cs_fault_set(fault, CS_E_IO, path, "cannot make the directory durable: %s",
			strerror(errno));
	return CS_OK;
}

enum cs_err cs_file_write_json(
	const char *path, const json_t *doc, unsigned mode, struct cs_fault *fault)
{
	CS_CLEANUP_BYTES struct cs_bytes text = {0};
	enum cs_err err = cs_canonical_print(doc, &text);

	if (err == CS_OK)
		err = cs_bytes_add(&text, "\n", 1);
	if (err != CS_OK)
		return cs_fault_set(fault, err, path, "cannot print the document");
	return cs_file_write(path, text.data, text.len, mode, fault);
}
