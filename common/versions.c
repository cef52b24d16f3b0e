#include "versions.h"
#include "file.h"

#include <dirent.h>
#include <errno.h>
#include <inttypes.h>
#include <limits.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

static int by_version(const void *a, const void *b)
{
	int64_t x = cs_json_integer(*(json_t *const *)a, "version", 0);
	int64_t y = cs_json_integer(*(json_t *const *)b, "version", 0);

	return (x > y) - (x < y);
}

static bool is_version_file(const char *name)
{
	size_t len = strlen(name);

	return name[0] != '.' && len > 5 && strcmp(name + len - 5, ".json") == 0;
}

static enum cs_err read_one(const char *directory, const char *name, size_t max, bool guard,
	uid_t other, json_t **ret, struct cs_fault *fault)
{
	char path[PATH_MAX];

	if (snprintf(path, sizeof path, "%s/%s", directory, name) >= (int)sizeof path)
		return cs_fault_set(fault, CS_E_TOO_LARGE, directory, "the path is too long");
	return guard ? cs_file_read_guarded(path, max, other, ret, fault)
		     : cs_file_read_json(path, max, ret, fault);
}

enum cs_err cs_versions_read(const char *directory, size_t max, bool guard, uid_t not_writable_by,
	json_t **ret_versions, struct cs_fault *fault)
{
	json_t **found = calloc(CS_VERSIONS_MAX, sizeof *found);
	size_t count = 0;
	enum cs_err err = CS_OK;
	const struct dirent *entry;
	DIR *dir = opendir(directory);

	if (dir == NULL) {
		free(found);
		return cs_fault_set(fault, errno == ENOENT ? CS_E_NOT_FOUND : CS_E_IO, directory,
			"cannot open: %s", strerror(errno));
	}
	if (found == NULL)
		err = CS_E_NOMEM;
	else if (guard)
		err = cs_file_guard(dirfd(dir), directory, not_writable_by, fault);
	while (err == CS_OK && (entry = readdir(dir)) != NULL) {
		if (!is_version_file(entry->d_name))
			continue;
		if (count == CS_VERSIONS_MAX)
			err = cs_fault_set(fault, CS_E_TOO_LARGE, directory,
				"more than %d versions", CS_VERSIONS_MAX);
		else
			err = read_one(directory, entry->d_name, max, guard, not_writable_by,
				&found[count], fault);
		if (err == CS_OK)
			count++;
	}
	closedir(dir);
	if (err == CS_OK && count == 0)
		err = cs_fault_set(fault, CS_E_NOT_FOUND, directory, "holds no *.json file");
	json_t *versions = err == CS_OK ? json_array() : NULL;
	if (err == CS_OK && versions == NULL)
		err = CS_E_NOMEM;
	if (err == CS_OK)
		qsort(found, count, sizeof *found, by_version);
	for (size_t i = 0; err == CS_OK && i < count; i++)
		if (json_array_append(versions, found[i]) != 0)
			err = CS_E_NOMEM;
	for (size_t i = 0; i < count; i++)
		json_decref(found[i]);
	free(found);
	if (err != CS_OK) {
		json_decref(versions);
		return err;
	}
	*ret_versions = versions;
	return CS_OK;
}

static bool is_to_come(const json_t *version, cs_time now, cs_time *ret_at)
{
	const char *text = cs_json_text(version, "issued_at");

	return text != NULL && cs_time_parse(text, ret_at, NULL) == CS_OK && *ret_at > now;
}

enum cs_err cs_versions_in_force(json_t *versions, cs_time now, const char *directory,
	struct cs_upcoming *ret_next, struct cs_fault *fault)
{
	struct cs_upcoming next = {.version = 0, .at = CS_TIME_MAX};
	size_t count = json_array_size(versions), present = 0;
	char text[CS_TIME_TEXT];
	cs_time at = 0;

	while (present < count && !is_to_come(json_array_get(versions, present), now, &at))
		present++;
	if (present < count) {
		next.version = cs_json_integer(json_array_get(versions, present), "version", 0);
		next.at = at;
	}
	if (present == 0 && count > 0)
		return cs_fault_set(fault, CS_E_TRUST_EARLY, directory,
			"version %" PRId64 " comes into force at %s, and there is none before it",
			next.version, cs_time_print(at, text));
	while (json_array_size(versions) > present)
		if (json_array_remove(versions, json_array_size(versions) - 1) != 0)
			return CS_E_INTERNAL;
	*ret_next = next;
	return CS_OK;
}

enum cs_err cs_versions_explain(
	enum cs_err err, const char *kind, const struct cs_upcoming *next, struct cs_fault *fault)
{
	char text[CS_TIME_TEXT];

	if (err != CS_E_TRUST_ROLLBACK || next->at == CS_TIME_MAX)
		return err;
	return cs_fault_set(fault, CS_E_CLOCK, kind,
		"version %" PRId64
		" was in force here before, but the clock has not reached its %s",
		next->version, cs_time_print(next->at, text));
}
