/*
 * Settings files: INI, read once at start. Every key must be known; a wrong one is named.
 */
#ifndef CS_SETTINGS_H
#define CS_SETTINGS_H

#include <stddef.h>
#include <stdint.h>
#include <sys/types.h>
#include <countersign/error.h>

#define CS_SETTINGS_MAX 256 /* entries in a file */

struct cs_setting {
	char section[32];
	char name[64];
	char *value;
};

struct cs_settings {
	char path[256];
	size_t count;
	struct cs_setting entry[CS_SETTINGS_MAX];
};

/* One key that a program knows; `name` NULL admits any name in the section. */
struct cs_setting_known {
	const char *section;
	const char *name;
};

/*
 * Reads `path` and refuses keys that are not in `known` (ended by section NULL), keys given twice,
 * and more than CS_SETTINGS_MAX entries. CS_E_CONFIG with the file as the fault's path and section
 * and key in its detail, or the number of a line that is none of INI's; CS_E_NOT_FOUND, CS_E_IO,
 * CS_E_NOMEM. Free with cs_settings_free.
 */
CS_MUST_CHECK enum cs_err cs_settings_read(const char *path, const struct cs_setting_known *known,
	struct cs_settings **ret_settings, struct cs_fault *fault);
void cs_settings_free(struct cs_settings *settings);

/* Value or NULL. Borrowed. */
const char *cs_settings_get(
	const struct cs_settings *settings, const char *section, const char *name);
/* Value, or CS_E_CONFIG naming the missing key. */
CS_MUST_CHECK enum cs_err cs_settings_need(const struct cs_settings *settings, const char *section,
	const char *name, const char **ret_value, struct cs_fault *fault);
/* Whole number in [low, high], or `fallback` when absent. CS_E_CONFIG. */
CS_MUST_CHECK enum cs_err cs_settings_number(const struct cs_settings *settings,
	const char *section, const char *name, int64_t low, int64_t high, int64_t fallback,
	int64_t *ret_value, struct cs_fault *fault);
/* A user name or a numeric uid: CS_E_CONFIG when there is no such user. */
CS_MUST_CHECK enum cs_err cs_user_id(const char *text, uid_t *ret_uid, struct cs_fault *fault);

#endif
