#include "settings.h"

#include <errno.h>
#include <ini.h>
#include <pwd.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

struct reading {
	struct cs_settings *settings;
	const struct cs_setting_known *known;
	struct cs_fault *fault;
	enum cs_err err;
};

static enum cs_err refuse(
	const struct reading *r, const char *what, const char *section, const char *name)
{
	return cs_fault_set(
		r->fault, CS_E_CONFIG, r->settings->path, "%s: [%s] %s", what, section, name);
}

static int known_key(const struct cs_setting_known *known, const char *section, const char *name)
{
	for (; known->section != NULL; known++)
		if (strcmp(known->section, section) == 0 &&
			(known->name == NULL || strcmp(known->name, name) == 0))
			return 1;
	return 0;
}

/* Debian's libinih gives no line numbers to its handler. */
static int on_entry(void *context, const char *section, const char *name, const char *value)
{
	struct reading *r = context;
	struct cs_settings *s = r->settings;

	if (r->err != CS_OK)
		return 0;
	if (!known_key(r->known, section, name))
		r->err = refuse(r, "unknown setting", section, name);
	else if (cs_settings_get(s, section, name) != NULL)
		r->err = refuse(r, "given twice", section, name);
	else if (s->count == CS_SETTINGS_MAX || strlen(section) >= sizeof s->entry[0].section ||
		 strlen(name) >= sizeof s->entry[0].name)
		r->err = refuse(r, "too many settings or too long a name", section, name);
	if (r->err != CS_OK)
		return 0;
	struct cs_setting *e = &s->entry[s->count];
	strcpy(e->section, section);
	strcpy(e->name, name);
	e->value = strdup(value);
	if (e->value == NULL) {
		r->err = CS_E_NOMEM;
		return 0;
	}
	s->count++;
	return 1;
}

enum cs_err cs_settings_read(const char *path, const struct cs_setting_known *known,
	struct cs_settings **ret_settings, struct cs_fault *fault)
{
	struct cs_settings *s = calloc(1, sizeof *s);
	struct reading r = {s, known, fault, CS_OK};

	if (s == NULL)
		return CS_E_NOMEM;
	if (snprintf(s->path, sizeof s->path, "%s", path) >= (int)sizeof s->path) {
		cs_settings_free(s);
		return cs_fault_set(fault, CS_E_CONFIG, path, "the path is too long");
	}
	errno = 0;
	int line = ini_parse(path, on_entry, &r);
	if (r.err == CS_OK && line < 0)
		r.err = cs_fault_set(fault, errno == ENOENT ? CS_E_NOT_FOUND : CS_E_IO, path,
			"cannot read: %s", strerror(errno));
	if (r.err == CS_OK && line > 0)
		r.err = cs_fault_set(fault, CS_E_CONFIG, path,
			"line %d is neither [section], name = value nor a comment", line);
	if (r.err != CS_OK) {
		cs_settings_free(s);
		return r.err;
	}
	*ret_settings = s;
	return CS_OK;
}

void cs_settings_free(struct cs_settings *settings)
{
	if (settings == NULL)
		return;
	for (size_t i = 0; i < settings->count; i++)
		free(settings->entry[i].value);
	free(settings);
}

const char *cs_settings_get(
	const struct cs_settings *settings, const char *section, const char *name)
{
	for (size_t i = 0; i < settings->count; i++)
		if (strcmp(settings->entry[i].section, section) == 0 &&
			strcmp(settings->entry[i].name, name) == 0)
			return settings->entry[i].value;
	return NULL;
}

enum cs_err cs_settings_need(const struct cs_settings *settings, const char *section,
	const char *name, const char **ret_value, struct cs_fault *fault)
{
	const char *value = cs_settings_get(settings, section, name);

	if (value == NULL || value[0] == '\0')
		return cs_fault_set(
			fault, CS_E_CONFIG, settings->path, "[%s] %s is missing", section, name);
	*ret_value = value;
	return CS_OK;
}

enum cs_err cs_settings_number(const struct cs_settings *settings, const char *section,
	const char *name, int64_t low, int64_t high, int64_t fallback, int64_t *ret_value,
	struct cs_fault *fault)
{
	const char *value = cs_settings_get(settings, section, name);
	char *end;

	if (value == NULL) {
		*ret_value = fallback;
		return CS_OK;
	}
	errno = 0;
	long long number = strtoll(value, &end, 10);
	if (errno != 0 || end == value || *end != '\0' || number < low || number > high)
		return cs_fault_set(fault, CS_E_CONFIG, settings->path,
			"[%s] %s: '%s' is not a whole number from %lld to %lld", section, name,
			value, (long long)low, (long long)high);
	*ret_value = number;
	return CS_OK;
}

enum cs_err cs_user_id(const char *text, uid_t *ret_uid, struct cs_fault *fault)
{
	char *end;

	if (text[0] >= '0' && text[0] <= '9') {
		errno = 0;
		unsigned long long number = strtoull(text, &end, 10);
		if (errno != 0 || *end != '\0' || number >= 0xffffffffULL)
			return cs_fault_set(fault, CS_E_CONFIG, text, "not a user name or uid");
		*ret_uid = (uid_t)number;
		return CS_OK;
	}
	const struct passwd *user = getpwnam(text);
	if (user == NULL)
		return cs_fault_set(fault, CS_E_CONFIG, text, "no such user");
	*ret_uid = user->pw_uid;
	return CS_OK;
}
