#include "service.h"
#include "clock_now.h"
#include "log.h"
#include "versions.h"

#include <countersign/limits.h>
#include <stdlib.h>

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

static enum cs_err need(const struct cs_service *s, const char *section, const char *name,
	const char **ret, struct cs_fault *fault)
{
	return cs_settings_need(s->settings, section, name, ret, fault);
}

/* ---- signed files ---- */

/* The trust sets and policies of one load. */
struct loaded {
	cs_time now;
	struct cs_trust *trust;
	struct cs_policy *policy;
	struct cs_upcoming next_trust_set;
	struct cs_upcoming next_policy;
};

static enum cs_err read_versions(const struct cs_service *s, const char *directory_setting,
	size_t max, cs_time now, json_t **ret, struct cs_upcoming *ret_next, struct cs_fault *fault)
{
	const char *directory;
	enum cs_err err = need(s, "trust", directory_setting, &directory, fault);

	if (err == CS_OK)
		err = cs_versions_read(directory, max, true, s->broker, ret, fault);
	return err != CS_OK ? err : cs_versions_in_force(*ret, now, directory, ret_next, fault);
}

static enum cs_err load_trust(const struct cs_service *s, struct loaded *l, struct cs_fault *fault)
{
	CS_CLEANUP_JSON json_t *versions = NULL;
	const char *genesis;
	enum cs_err err = need(s, "trust", "trust_genesis", &genesis, fault);

	if (err == CS_OK)
		err = read_versions(s, "trust_directory", CS_TRUST_SET_MAX, l->now, &versions,
			&l->next_trust_set, fault);
	return err != CS_OK ? err : cs_trust_load(s->registry, versions, genesis, &l->trust, fault);
}

/* Policies accepted before are not judged at today's roles again; a new version is. */
static enum cs_err load_policy(const struct cs_service *s, struct loaded *l, struct cs_fault *fault)
{
	CS_CLEANUP_JSON json_t *versions = NULL;
	const json_t *before = cs_signer_frontier_accepted(s->frontier, "policy");
	size_t count = json_array_size(before);
	const char *genesis;
	enum cs_err err = need(s, "trust", "policy_genesis", &genesis, fault);

	if (err == CS_OK)
		err = read_versions(s, "policy_directory", CS_POLICY_MAX, l->now, &versions,
			&l->next_policy, fault);
	if (err != CS_OK)
		return err;
	const char **accepted = calloc(count + 1, sizeof *accepted);
	if (accepted == NULL)
		return CS_E_NOMEM;
	for (size_t i = 0; i < count; i++)
		accepted[i] = json_string_value(json_array_get(before, i));
	err = cs_policy_load(s->registry, versions, genesis, cs_trust_keyring(l->trust), l->now,
		accepted, &l->policy, fault);
	free(accepted);
	return err;
}

static enum cs_err accept(struct cs_service *s, const char *kind, size_t count,
	const char *(*address_of)(const void *, size_t), const void *chain,
	const struct cs_upcoming *next, struct cs_fault *fault)
{
	CS_CLEANUP_JSON json_t *addresses = json_array();

	for (size_t i = 0; i < count; i++)
		if (json_array_append_new(addresses, json_string(address_of(chain, i))) != 0)
			return CS_E_NOMEM;
	if (addresses == NULL)
		return CS_E_NOMEM;
	return cs_versions_explain(
		cs_signer_frontier_accept(s->frontier, kind, addresses, fault), kind, next, fault);
}

static const char *trust_address(const void *chain, size_t i)
{
	return cs_trust_address_of(chain, i);
}

static const char *policy_address(const void *chain, size_t i)
{
	return cs_policy_address_of(chain, i);
}

static void log_upcoming(const char *kind, const struct cs_upcoming *next)
{
	char at[CS_TIME_TEXT];

	if (next->at != CS_TIME_MAX)
		cs_log(CS_LOG_INFO, "%s %lld comes into force at %s", kind,
			(long long)next->version, cs_time_print(next->at, at));
}

static void take(struct cs_service *s, const struct loaded *l)
{
	cs_policy_free(s->policy);
	cs_trust_free(s->trust);
	s->policy = l->policy;
	s->trust = l->trust;
	s->load_at =
		l->next_trust_set.at < l->next_policy.at ? l->next_trust_set.at : l->next_policy.at;
	log_upcoming("trust set", &l->next_trust_set);
	log_upcoming("policy", &l->next_policy);
	/* The pinned public keys may be others now. */
	cs_signer_keys_close(s->keys);
	s->keys = NULL;
}

static enum cs_err load(struct cs_service *s, cs_time now, struct cs_fault *fault)
{
	struct loaded l = {.now = now};
	enum cs_err err = load_trust(s, &l, fault);

	if (err == CS_OK)
		err = load_policy(s, &l, fault);
	if (err == CS_OK && cs_trust_appliance(l.trust, s->origin) == NULL)
		err = cs_fault_set(fault, CS_E_LOG_ORIGIN, "[signer] origin",
			"the trust set has no appliance with the log '%s'", s->origin);
	if (err == CS_OK)
		err = accept(s, "trust_set", cs_trust_count(l.trust), trust_address, l.trust,
			&l.next_trust_set, fault);
	if (err == CS_OK)
		err = accept(s, "policy", cs_policy_count(l.policy), policy_address, l.policy,
			&l.next_policy, fault);
	if (err != CS_OK) {
		cs_policy_free(l.policy);
		cs_trust_free(l.trust);
		return err;
	}
	take(s, &l);
	return CS_OK;
}

enum cs_err cs_service_reload(struct cs_service *s, struct cs_fault *fault)
{
	enum cs_err err = load(s, cs_now(), fault);

	if (err == CS_OK)
		s->pin_err = CS_OK;
	return err;
}

void cs_service_advance(struct cs_service *s, cs_time now)
{
	struct cs_fault fault = {0};
	int64_t trust_set = cs_trust_version(s->trust), policy = cs_policy_version(s->policy);

	if (now < s->load_at)
		return;
	enum cs_err err = load(s, now, &fault);
	if (err != CS_OK) {
		s->load_at = cs_time_add_seconds(now, CS_VERSIONS_RETRY_SECONDS);
		cs_log_fault(CS_LOG_ERROR,
			"a version that comes into force is refused, the old ones stay", err,
			&fault);
		return;
	}
	if (cs_trust_version(s->trust) != trust_set)
		cs_log(CS_LOG_INFO, "trust set %lld is in force: %s",
			(long long)cs_trust_version(s->trust), cs_trust_address(s->trust));
	if (cs_policy_version(s->policy) != policy)
		cs_log(CS_LOG_INFO, "policy %lld is in force: %s",
			(long long)cs_policy_version(s->policy), cs_policy_address(s->policy));
}

/* ---- token ---- */

/* Each wrong PIN costs a try, and the last one the token. */
static bool about_pin(enum cs_err err)
{
	return err == CS_E_PIN || err == CS_E_PIN_LOCKED || err == CS_E_PIN_LAST_TRY;
}

static void note_pin(struct cs_service *s, enum cs_err err, const struct cs_fault *why)
{
	if (!about_pin(err))
		return;
	s->pin_err = err;
	cs_fault_set(&s->pin_fault, err, why->path, "%s", why->detail);
}

enum cs_err cs_service_failed(struct cs_service *s, enum cs_err err, struct cs_fault *fault)
{
	const struct cs_fault *said = cs_signer_keys_fault(s->keys);
	struct cs_fault why = {0};

	cs_fault_set(&why, err, said ? said->path : "", "%s",
		said ? said->detail : cs_err_text(err));
	note_pin(s, err, &why);
	cs_fault_set(fault, err, why.path, "%s", why.detail);
	cs_signer_keys_close(s->keys);
	s->keys = NULL;
	return err;
}

/* The keys are there already: is the token still, or again? */
static enum cs_err keys_ready(struct cs_service *s, struct cs_fault *fault)
{
	struct cs_fault why = {0};
	enum cs_err err = cs_signer_keys_ready(s->keys, &why);

	if (err == CS_OK)
		return CS_OK;
	note_pin(s, err, &why);
	return cs_fault_set(fault, err, why.path, "%s", why.detail);
}

enum cs_err cs_service_ready(struct cs_service *s, struct cs_fault *fault)
{
	struct cs_signer_keys_settings keys = {
		.pin_file = cs_settings_get(s->settings, "signer", "pin_file"),
		.pin_credential = cs_settings_get(s->settings, "signer", "pin_credential"),
	};
	struct cs_fault why = {0};
	enum cs_err err;

	if (s->keys != NULL && s->pin_err == CS_OK)
		return keys_ready(s, fault);
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
	err = cs_signer_keys_open(&keys, s->trust, s->origin, &s->keys, &why);
	if (err == CS_OK)
		return CS_OK;
	note_pin(s, err, &why);
	return cs_fault_set(fault, err, why.path, "%s", why.detail);
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
