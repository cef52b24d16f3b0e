#include "rulebook.h"

#include <stdlib.h>
#include <string.h>

static enum cs_err load_trust(const struct cs_daemon_settings *settings, cs_time now,
	struct cs_rulebook *book, struct cs_fault *fault)
{
	CS_CLEANUP_JSON json_t *versions = NULL;

	/*
	 * No guard here: what the broker loads binds nobody. The signer guards its own copies
	 * against the broker.
	 */
	enum cs_err err = cs_versions_read(
		settings->trust_directory, CS_TRUST_SET_MAX, false, 0, &versions, fault);
	if (err == CS_OK)
		err = cs_versions_in_force(
			versions, now, settings->trust_directory, &book->next_trust_set, fault);
	if (err == CS_OK)
		err = cs_trust_load(
			book->registry, versions, settings->trust_genesis, &book->trust, fault);
	if (err != CS_OK)
		return err;
	book->ring = cs_trust_keyring(book->trust);
	book->trust_set = cs_trust_address(book->trust);
	const json_t *appliance = cs_trust_appliance(book->trust, settings->origin);
	book->entity = cs_json_text(appliance, "id");
	if (book->entity == NULL)
		return cs_fault_set(fault, CS_E_LOG_ORIGIN, "origin",
			"the trust set has no appliance '%s'", settings->origin);
	return CS_OK;
}

static enum cs_err load_policy(const struct cs_daemon_settings *settings, struct cs_store *store,
	cs_time now, struct cs_rulebook *book, struct cs_fault *fault)
{
	CS_CLEANUP_JSON json_t *versions = NULL, *known = NULL;
	const char **accepted = NULL;

	enum cs_err err = cs_versions_read(
		settings->policy_directory, CS_POLICY_MAX, false, 0, &versions, fault);
	if (err == CS_OK)
		err = cs_versions_in_force(
			versions, now, settings->policy_directory, &book->next_policy, fault);
	if (err == CS_OK)
		err = cs_store_versions(store, "policy", &known);
	if (err != CS_OK)
		return err;
	accepted = calloc(json_array_size(known) + 1, sizeof *accepted);
	if (accepted == NULL)
		return CS_E_NOMEM;
	for (size_t i = 0; i < json_array_size(known); i++)
		accepted[i] = json_string_value(json_array_get(known, i));
	err = cs_policy_load(book->registry, versions, settings->policy_genesis, book->ring, now,
		accepted, &book->policy, fault);
	free(accepted);
	if (err != CS_OK)
		return err;
	book->policy_address = cs_policy_address(book->policy);
	const json_t *approval = json_object_get(cs_policy_document(book->policy), "approval");
	book->timeout_seconds = cs_json_integer(approval, "timeout_seconds", 600);
	book->not_after_seconds = cs_json_integer(approval, "not_after_seconds", 3600);
	return CS_OK;
}

static enum cs_err note_versions(
	struct cs_store *store, const struct cs_rulebook *book, cs_time now, struct cs_fault *fault)
{
	enum cs_err err = cs_store_begin(store);

	if (err != CS_OK)
		return err;
	err = cs_store_version_note(
		store, "trust_set", cs_trust_version(book->trust), book->trust_set, now, fault);
	err = cs_versions_explain(err, "trust_set", &book->next_trust_set, fault);
	if (err == CS_OK) {
		err = cs_store_version_note(store, "policy", cs_policy_version(book->policy),
			book->policy_address, now, fault);
		err = cs_versions_explain(err, "policy", &book->next_policy, fault);
	}
	if (err == CS_OK)
		return cs_store_commit(store);
	cs_store_rollback(store);
	return err;
}

enum cs_err cs_rulebook_load(const struct cs_daemon_settings *settings, struct cs_store *store,
	cs_time now, struct cs_rulebook **ret_rulebook, struct cs_fault *fault)
{
	struct cs_rulebook *book = calloc(1, sizeof *book);

	if (book == NULL)
		return CS_E_NOMEM;
	book->origin = settings->origin;
	enum cs_err err = cs_schema_registry_embedded(&book->registry);
	if (err == CS_OK)
		err = load_trust(settings, now, book, fault);
	if (err == CS_OK)
		err = load_policy(settings, store, now, book, fault);
	if (err == CS_OK)
		err = note_versions(store, book, now, fault);
	if (err != CS_OK) {
		cs_rulebook_free(book);
		return err;
	}
	*ret_rulebook = book;
	return CS_OK;
}

void cs_rulebook_free(struct cs_rulebook *rulebook)
{
	if (rulebook == NULL)
		return;
	cs_policy_free(rulebook->policy);
	cs_trust_free(rulebook->trust);
	cs_schema_registry_free(rulebook->registry);
	free(rulebook);
}

cs_time cs_rulebook_next(const struct cs_rulebook *rulebook)
{
	cs_time trust_set = rulebook->next_trust_set.at, policy = rulebook->next_policy.at;

	return trust_set < policy ? trust_set : policy;
}

bool cs_rulebook_same(const struct cs_rulebook *a, const struct cs_rulebook *b)
{
	return strcmp(a->trust_set, b->trust_set) == 0 &&
	       strcmp(a->policy_address, b->policy_address) == 0;
}

bool cs_rulebook_is_of(const struct cs_rulebook *rulebook, const struct cs_action *action)
{
	return strcmp(action->policy, rulebook->policy_address) == 0 &&
	       strcmp(action->trust_set, rulebook->trust_set) == 0;
}
