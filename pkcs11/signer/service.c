#include "service.h"
#include "versions.h"

#include <countersign/limits.h>
#include <stdlib.h>
#include <time.h>

static const struct cs_setting_known known[] = {
	{"signer", "socket"},
	{"signer", "broker"},
	{"signer", "state_directory"},
	{"signer", "origin"},
	{"signer", "module"},
	{"signer", "token"},
	{"signer", "pin_file"},
	{"signer", "pin_credential"},
	{"signer", "seal_label"},
	{"signer", "checkpoint_label"},
	{"signer", "document_label"},
	{"trust", "trust_directory"},
	{"trust", "trust_genesis"},
	{"trust", "policy_directory"},
	{"trust", "policy_genesis"},
	{NULL, NULL},
};

cs_time cs_service_now(void)
{
	struct timespec now;

	clock_gettime(CLOCK_REALTIME, &now);
	return (cs_time)now.tv_sec * 1000 + now.tv_nsec / 1000000;
}

static enum cs_err need(const struct cs_service *s, const char *section, const char *name,
	const char **ret, struct cs_fault *fault)
{
	return cs_settings_need(s->settings, section, name, ret, fault);
}

/* ---- signed files ---- */

static enum cs_err read_versions(const struct cs_service *s, const char *directory_setting,
	size_t max, json_t **ret, struct cs_fault *fault)
{
	const char *directory;
	enum cs_err err = need(s, "trust", directory_setting, &directory, fault);

	return err != CS_OK ? err : cs_versions_read(directory, max, true, s->broker, ret, fault);
}

static enum cs_err load_trust(
	const struct cs_service *s, struct cs_trust **ret_trust, struct cs_fault *fault)
{
	CS_CLEANUP_JSON json_t *versions = NULL;
	const char *genesis;
	enum cs_err err = need(s, "trust", "trust_genesis", &genesis, fault);

	if (err == CS_OK)
		err = read_versions(s, "trust_directory", CS_TRUST_SET_MAX, &versions, fault);
	return err != CS_OK ? err : cs_trust_load(s->registry, versions, genesis, ret_trust, fault);
}

/* Policies accepted before are not judged at today's roles again; a new version is. */
static enum cs_err load_policy(const struct cs_service *s, const struct cs_trust *trust,
	struct cs_policy **ret_policy, struct cs_fault *fault)
{
	CS_CLEANUP_JSON json_t *versions = NULL;
	const json_t *before = cs_signer_frontier_accepted(s->frontier, "policy");
	size_t count = json_array_size(before);
	const char *genesis;
	enum cs_err err = need(s, "trust", "policy_genesis", &genesis, fault);

	if (err == CS_OK)
		err = read_versions(s, "policy_directory", CS_POLICY_MAX, &versions, fault);
	if (err != CS_OK)
		return err;
	const char **accepted = calloc(count + 1, sizeof *accepted);
	if (accepted == NULL)
		return CS_E_NOMEM;
	for (size_t i = 0; i < count; i++)
		accepted[i] = json_string_value(json_array_get(before, i));
	err = cs_policy_load(s->registry, versions, genesis, cs_trust_keyring(trust),
		cs_service_now(), accepted, ret_policy, fault);
	free(accepted);
	return err;
}

static enum cs_err accept(struct cs_service *s, const char *kind, size_t count,
	const char *(*address_of)(const void *, size_t), const void *chain, struct cs_fault *fault)
{
	CS_CLEANUP_JSON json_t *addresses = json_array();

	for (size_t i = 0; i < count; i++)
		if (json_array_append_new(addresses, json_string(address_of(chain, i))) != 0)
			return CS_E_NOMEM;
	return addresses == NULL ? CS_E_NOMEM
				 : cs_signer_frontier_accept(s->frontier, kind, addresses, fault);
}

static const char *trust_address(const void *chain, size_t i)
{
	return cs_trust_address_of(chain, i);
}

static const char *policy_address(const void *chain, size_t i)
{
	return cs_policy_address_of(chain, i);
}

enum cs_err cs_service_reload(struct cs_service *s, struct cs_fault *fault)
{
	struct cs_trust *trust = NULL;
	struct cs_policy *policy = NULL;
	enum cs_err err = load_trust(s, &trust, fault);

	if (err == CS_OK)
		err = load_policy(s, trust, &policy, fault);
	if (err == CS_OK && cs_trust_appliance(trust, s->origin) == NULL)
		err = cs_fault_set(fault, CS_E_LOG_ORIGIN, "[signer] origin",
			"the trust set has no appliance with the log '%s'", s->origin);
	if (err == CS_OK)
		err = accept(s, "trust_set", cs_trust_count(trust), trust_address, trust, fault);
	if (err == CS_OK)
		err = accept(s, "policy", cs_policy_count(policy), policy_address, policy, fault);
	if (err != CS_OK) {
		cs_policy_free(policy);
		cs_trust_free(trust);
		return err;
	}
	cs_policy_free(s->policy);
	cs_trust_free(s->trust);
	s->policy = policy;
	s->trust = trust;
	/* The pinned public keys may be others now. */
	cs_signer_keys_close(s->keys);
	s->keys = NULL;
	s->pin_err = CS_OK;
	return CS_OK;
}

/* ---- token ---- */

/* Each wrong PIN costs a try, and the last one the token. */
static bool about_pin(enum cs_err err)
{
	return err == CS_E_PIN || err == CS_E_PIN_LOCKED || err == CS_E_PIN_LAST_TRY;
}

enum cs_err cs_service_failed(struct cs_service *s, enum cs_err err, struct cs_fault *fault)
{
	const struct cs_fault *why = cs_signer_keys_fault(s->keys);

	cs_fault_set(fault, err, why ? why->path : "", "%s", why ? why->detail : cs_err_text(err));
	if (about_pin(err)) {
		s->pin_err = err;
		cs_fault_set(&s->pin_fault, err, why ? why->path : "", "%s",
			why ? why->detail : cs_err_text(err));
	}
	cs_signer_keys_close(s->keys);
	s->keys = NULL;
	return err;
}

enum cs_err cs_service_ready(struct cs_service *s, struct cs_fault *fault)
{
	struct cs_signer_keys_settings keys = {
		.pin_file = cs_settings_get(s->settings, "signer", "pin_file"),
		.pin_credential = cs_settings_get(s->settings, "signer", "pin_credential"),
	};
	enum cs_err err;

	if (s->keys != NULL)
		return cs_signer_keys_ready(s->keys, fault);
	if (s->pin_err != CS_OK)
		return cs_fault_set(fault, s->pin_err, s->pin_fault.path,
			"%s; it is not tried again before a reload", s->pin_fault.detail);
	err = need(s, "signer", "module", &keys.module, fault);
	if (err == CS_OK)
		err = need(s, "signer", "token", &keys.token, fault);
	if (err == CS_OK)
		err = need(s, "signer", "seal_label", &keys.label[CS_SIGNER_SEAL], fault);
	if (err == CS_OK)
		err = need(
			s, "signer", "checkpoint_label", &keys.label[CS_SIGNER_CHECKPOINT], fault);
	if (err == CS_OK)
		err = need(s, "signer", "document_label", &keys.label[CS_SIGNER_DOCUMENT], fault);
	if (err != CS_OK)
		return err;
	err = cs_signer_keys_open(&keys, s->trust, s->origin, &s->keys, &s->pin_fault);
	if (about_pin(err))
		s->pin_err = err;
	return err == CS_OK
		       ? CS_OK
		       : cs_fault_set(fault, err, s->pin_fault.path, "%s", s->pin_fault.detail);
}

/* ---- open, close ---- */

enum cs_err cs_service_open(
	const char *settings_path, struct cs_service *ret_service, struct cs_fault *fault)
{
	struct cs_service s = {0};
	const char *broker, *directory;
	enum cs_err err = cs_settings_read(settings_path, known, &s.settings, fault);

	if (err == CS_OK)
		err = need(&s, "signer", "origin", &s.origin, fault);
	if (err == CS_OK)
		err = need(&s, "signer", "broker", &broker, fault);
	if (err == CS_OK)
		err = cs_user_id(broker, &s.broker, fault);
	if (err == CS_OK)
		err = need(&s, "signer", "state_directory", &directory, fault);
	if (err == CS_OK)
		err = cs_schema_registry_embedded(&s.registry);
	if (err == CS_OK)
		err = cs_signer_frontier_open(directory, s.origin, &s.frontier, fault);
	if (err == CS_OK)
		err = cs_service_reload(&s, fault);
	if (err != CS_OK) {
		cs_service_close(&s);
		return err;
	}
	*ret_service = s;
	return CS_OK;
}

void cs_service_close(struct cs_service *service)
{
	cs_signer_keys_close(service->keys);
	cs_policy_free(service->policy);
	cs_trust_free(service->trust);
	cs_signer_frontier_close(service->frontier);
	cs_schema_registry_free(service->registry);
	cs_settings_free(service->settings);
	*service = (struct cs_service){0};
}
