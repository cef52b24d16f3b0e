#include "daemon_settings.h"

#include <stdlib.h>

static const struct cs_setting_known known[] = {
	{"appliance", "origin"},
	{"appliance", "socket"},
	{"appliance", "state_directory"},
	{"trust", "trust_directory"},
	{"trust", "trust_genesis"},
	{"trust", "policy_directory"},
	{"trust", "policy_genesis"},
	{"signer", "socket"},
	{"signer", "user"},
	{"signer", "deadline_seconds"},
	{"limits", "open_actions_per_caller"},
	{"limits", "requests_per_minute"},
	{"limits", "queue"},
	{"roles", NULL},
	{NULL, NULL},
};

static enum cs_err absolute(const char *name, const char *value, struct cs_fault *fault)
{
	if (value[0] != '/')
		return cs_fault_set(fault, CS_E_CONFIG, name, "'%s' is no absolute path", value);
	return CS_OK;
}

static enum cs_err address(const char *name, const char *value, struct cs_fault *fault)
{
	if (!cs_address_ok(value))
		return cs_fault_set(fault, CS_E_CONFIG, name, "'%s' is no address", value);
	return CS_OK;
}

static enum cs_err anything(const char *name, const char *value, struct cs_fault *fault)
{
	(void)name;
	(void)value;
	(void)fault;
	return CS_OK;
}

static enum cs_err read_texts(struct cs_daemon_settings *s, struct cs_fault *fault)
{
	const struct {
		const char *section, *name;
		const char **place;
		enum cs_err (*check)(const char *name, const char *value, struct cs_fault *fault);
	} texts[] = {
		{"appliance", "origin", &s->origin, anything},
		{"appliance", "state_directory", &s->state_directory, absolute},
		{"trust", "trust_directory", &s->trust_directory, absolute},
		{"trust", "trust_genesis", &s->trust_genesis, address},
		{"trust", "policy_directory", &s->policy_directory, absolute},
		{"trust", "policy_genesis", &s->policy_genesis, address},
		{"signer", "socket", &s->signer_socket, absolute},
	};
	enum cs_err err = CS_OK;

	for (size_t i = 0; i < sizeof texts / sizeof texts[0] && err == CS_OK; i++) {
		err = cs_settings_need(
			s->raw, texts[i].section, texts[i].name, texts[i].place, fault);
		if (err == CS_OK)
			err = texts[i].check(texts[i].name, *texts[i].place, fault);
	}
	if (err != CS_OK)
		return err;
	s->socket = cs_settings_get(s->raw, "appliance", "socket");
	if (s->socket == NULL)
		s->socket = "/run/countersign/api.sock";
	return absolute("socket", s->socket, fault);
}

static enum cs_err read_numbers(struct cs_daemon_settings *s, struct cs_fault *fault)
{
	const struct {
		const char *section, *name;
		int64_t low, high, fallback;
		int64_t *place;
	} numbers[] = {
		{"signer", "deadline_seconds", 1, 600, 20, &s->deadline_seconds},
		{"limits", "open_actions_per_caller", 1, 100000, 64, &s->open_actions},
		{"limits", "requests_per_minute", 1, 1000000, 600, &s->requests_per_minute},
		{"limits", "queue", 1, CS_CLIENTS_MAX, 256, &s->queue},
	};
	enum cs_err err = CS_OK;

	for (size_t i = 0; i < sizeof numbers / sizeof numbers[0] && err == CS_OK; i++)
		err = cs_settings_number(s->raw, numbers[i].section, numbers[i].name,
			numbers[i].low, numbers[i].high, numbers[i].fallback, numbers[i].place,
			fault);
	return err;
}

enum cs_err cs_daemon_settings_read(
	const char *path, struct cs_daemon_settings **ret_settings, struct cs_fault *fault)
{
	struct cs_daemon_settings *s = calloc(1, sizeof *s);
	const char *user = NULL;

	if (s == NULL)
		return CS_E_NOMEM;
	enum cs_err err = cs_settings_read(path, known, &s->raw, fault);
	if (err == CS_OK)
		err = read_texts(s, fault);
	if (err == CS_OK)
		err = read_numbers(s, fault);
	if (err == CS_OK)
		err = cs_settings_need(s->raw, "signer", "user", &user, fault);
	if (err == CS_OK)
		err = cs_user_id(user, &s->signer_uid, fault);
	if (err == CS_OK)
		err = cs_roles_read(s->raw, &s->roles, fault);
	if (err != CS_OK) {
		cs_daemon_settings_free(s);
		return err;
	}
	*ret_settings = s;
	return CS_OK;
}

void cs_daemon_settings_free(struct cs_daemon_settings *settings)
{
	if (settings == NULL)
		return;
	cs_settings_free(settings->raw);
	free(settings);
}
