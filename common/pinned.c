#include "pinned.h"

#include <countersign/limits.h>
#include <stdlib.h>

enum cs_err cs_pinned_trust(struct cs_schema_registry *registry, const char *directory,
	const char *genesis, cs_time now, struct cs_trust **ret_trust, struct cs_fault *fault)
{
	CS_CLEANUP_JSON json_t *versions = NULL;
	struct cs_upcoming next;
	enum cs_err err = cs_versions_read(directory, CS_TRUST_SET_MAX, false, 0, &versions, fault);

	if (err == CS_OK)
		err = cs_versions_in_force(versions, now, directory, &next, fault);
	return err == CS_OK ? cs_trust_load(registry, versions, genesis, ret_trust, fault) : err;
}

/* The addresses of all versions, NULL-terminated; `texts` holds them. */
static enum cs_err addresses_of(
	const json_t *versions, char (**ret_texts)[CS_ADDRESS_TEXT], const char ***ret_list)
{
	size_t count = json_array_size(versions);
	char(*texts)[CS_ADDRESS_TEXT] = calloc(count + 1, sizeof *texts);
	const char **list = calloc(count + 1, sizeof *list);
	enum cs_err err = texts != NULL && list != NULL ? CS_OK : CS_E_NOMEM;

	for (size_t i = 0; err == CS_OK && i < count; i++) {
		err = cs_address_of(json_array_get(versions, i), texts[i]);
		list[i] = texts[i];
	}
	if (err != CS_OK) {
		free(texts);
		free(list);
		return err;
	}
	*ret_texts = texts;
	*ret_list = list;
	return CS_OK;
}

enum cs_err cs_pinned_policy(struct cs_schema_registry *registry, const char *directory,
	const char *genesis, const struct cs_keyring *ring, cs_time now,
	const char *const *accepted, bool any, struct cs_policy **ret_policy,
	struct cs_fault *fault)
{
	CS_CLEANUP_JSON json_t *versions = NULL;
	char(*texts)[CS_ADDRESS_TEXT] = NULL;
	const char **all = NULL;
	struct cs_upcoming next;
	enum cs_err err = cs_versions_read(directory, CS_POLICY_MAX, false, 0, &versions, fault);

	if (err == CS_OK && !any)
		err = cs_versions_in_force(versions, now, directory, &next, fault);
	if (err == CS_OK && any)
		err = addresses_of(versions, &texts, &all);
	if (err == CS_OK)
		err = cs_policy_load(registry, versions, genesis, ring, now, any ? all : accepted,
			ret_policy, fault);
	free(texts);
	free(all);
	return err;
}
