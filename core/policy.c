#include "cosign.h"
#include "keyring_build.h"
#include "policy_rules.h"
#include "rule.h"
#include "version_chain.h"

#include <stdlib.h>
#include <string.h>

#define SCHEMA "countersign.policy.v1"

struct cs_policy {
	json_t *document;		/* the newest version */
	json_t *addresses;		/* array, oldest first */
};

static const char *const change_classes[] = {
	[CS_CHANGE_REVERSIBLE] = "reversible",
	[CS_CHANGE_COMPENSATABLE] = "compensatable",
	[CS_CHANGE_IRREVERSIBLE] = "irreversible",
};

const char *cs_change_class_name(enum cs_change_class change_class)
{
	return (unsigned)change_class <= CS_CHANGE_IRREVERSIBLE ? change_classes[change_class]
								: "irreversible";
}

enum cs_err cs_change_class_by_name(const char *name, enum cs_change_class *ret)
{
	for (unsigned i = 0; name != NULL && i <= CS_CHANGE_IRREVERSIBLE; i++) {
		if (strcmp(change_classes[i], name) == 0) {
			*ret = (enum cs_change_class)i;
			return CS_OK;
		}
	}
	return CS_E_NOT_FOUND;
}

static enum cs_err policy_new(struct cs_policy **ret_policy)
{
	struct cs_policy *policy = calloc(1, sizeof *policy);

	if (policy == NULL)
		return CS_E_NOMEM;
	policy->addresses = json_array();
	if (policy->addresses == NULL) {
		free(policy);
		return CS_E_NOMEM;
	}
	*ret_policy = policy;
	return CS_OK;
}

void cs_policy_free(struct cs_policy *policy)
{
	if (policy == NULL)
		return;
	json_decref(policy->document);
	json_decref(policy->addresses);
	free(policy);
}

/* Makes a checked version the newest. */
static enum cs_err take(struct cs_policy *policy, const json_t *version)
{
	char address[CS_ADDRESS_TEXT];
	enum cs_err err = cs_address_of(version, address);

	if (err != CS_OK)
		return err;
	if (json_array_append_new(policy->addresses, json_string(address)) != 0)
		return CS_E_NOMEM;
	json_decref(policy->document);
	policy->document = json_incref((json_t *)(uintptr_t)version);
	return CS_OK;
}

static bool was_accepted(const json_t *version, const char *const *accepted)
{
	char address[CS_ADDRESS_TEXT];

	if (accepted == NULL || cs_address_of(version, address) != CS_OK)
		return false;
	while (*accepted != NULL && strcmp(*accepted, address) != 0)
		accepted++;
	return *accepted != NULL;
}

static enum cs_err check_signed(
	const json_t *version, const struct cs_keyring *ring, struct cs_fault *fault)
{
	cs_time issued_at;
	enum cs_err err = cs_member_time(version, "issued_at", 0, "/issued_at", &issued_at, fault);

	return err == CS_OK ? cs_cosign_check(ring, version, SCHEMA, issued_at, NULL, fault) : err;
}

static enum cs_err load_version(struct cs_schema_registry *registry, struct cs_policy *policy,
	const json_t *version, const char *genesis, const struct cs_keyring *ring,
	struct cs_fault *fault)
{
	enum cs_err err = CS_OK;

	if (policy->document == NULL)
		err = cs_version_genesis(version, genesis, fault);
	if (err == CS_OK)
		err = cs_policy_check_content(registry, version, fault);
	if (err == CS_OK)
		err = cs_version_follows(version, policy->document, fault);
	if (err == CS_OK)
		err = check_signed(version, ring, fault);
	return err == CS_OK ? take(policy, version) : err;
}

enum cs_err cs_policy_load(struct cs_schema_registry *registry, const json_t *versions,
	const char *genesis, const struct cs_keyring *ring, cs_time now,
	const char *const *accepted, struct cs_policy **ret_policy, struct cs_fault *fault)
{
	struct cs_policy *policy = NULL;
	size_t count = json_array_size(versions);
	enum cs_err err = policy_new(&policy);

	if (err == CS_OK && count == 0)
		err = cs_fault_set(fault, CS_E_TRUST_GENESIS, "", "there is no policy");
	for (size_t i = 0; err == CS_OK && i < count; i++) {
		err = load_version(
			registry, policy, json_array_get(versions, i), genesis, ring, fault);
		/* The newest one vouches for those before it, whose signers may have left since. */
		if (err == CS_OK && i + 1 == count && !was_accepted(policy->document, accepted))
			err = cs_cosign_check(ring, policy->document, SCHEMA, now, NULL, fault);
		err = cs_fault_in_version(fault, i, err);
	}
	if (err == CS_OK)
		*ret_policy = policy;
	else
		cs_policy_free(policy);
	return err;
}

enum cs_err cs_policy_from_pack(struct cs_schema_registry *registry, const json_t *document,
	const struct cs_keyring *ring, struct cs_policy **ret_policy, struct cs_fault *fault)
{
	struct cs_policy *policy = NULL;
	enum cs_err err = cs_policy_check_content(registry, document, fault);

	if (err == CS_OK && cs_rule_on(CS_RULE_VERIFY_POLICY))
		err = check_signed(document, ring, fault);
	if (err == CS_OK)
		err = policy_new(&policy);
	if (err == CS_OK)
		err = take(policy, document);
	if (err == CS_OK)
		*ret_policy = policy;
	else
		cs_policy_free(policy);
	return err;
}

const json_t *cs_policy_document(const struct cs_policy *policy)
{
	return policy->document;
}

const char *cs_policy_address(const struct cs_policy *policy)
{
	return cs_policy_address_of(policy, cs_policy_count(policy) - 1);
}

int64_t cs_policy_version(const struct cs_policy *policy)
{
	return cs_json_integer(policy->document, "version", 0);
}

size_t cs_policy_count(const struct cs_policy *policy)
{
	return json_array_size(policy->addresses);
}

const char *cs_policy_address_of(const struct cs_policy *policy, size_t index)
{
	return json_string_value(json_array_get(policy->addresses, index));
}

const json_t *cs_policy_class_for(const struct cs_policy *policy, const char *capability)
{
	const json_t *classes = json_object_get(policy->document, "action_classes");

	for (size_t i = 0; capability != NULL && i < json_array_size(classes); i++) {
		const json_t *action_class = json_array_get(classes, i);
		if (cs_json_has_text(json_object_get(action_class, "capabilities"), capability))
			return action_class;
	}
	return NULL;
}
