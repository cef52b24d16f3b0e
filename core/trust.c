#include "cosign.h"
#include "rule.h"
#include "trust_rules.h"
#include "version_chain.h"

#include <stdlib.h>
#include <string.h>

#define SCHEMA "countersign.trust_set.v1"

struct cs_trust {
	json_t *versions;		/* array of documents, oldest first */
	json_t *addresses;		/* array of their addresses */
	struct cs_keyring *ring;
};

/*
 * The genesis is trusted because its address is pinned; its signatures show that both were there.
 */
static enum cs_err check_genesis(const struct cs_trust *trust, const json_t *version,
	const char *genesis, const char *address, cs_time issued_at, struct cs_fault *fault)
{
	enum cs_err err = cs_version_genesis(version, genesis, fault);

	if (err == CS_OK)
		err = cs_version_follows(version, NULL, fault);
	if (err == CS_OK)
		err = cs_trust_content(version, NULL, trust->addresses, fault);
	if (err == CS_OK)
		err = cs_keyring_advance(trust->ring, version, address, fault);
	if (err == CS_OK)
		err = cs_cosign_check(trust->ring, version, SCHEMA, issued_at, NULL, fault);
	return err;
}

/* Who may sign is the predecessor's to say, and the ring still is the predecessor's. */
static enum cs_err check_successor(const struct cs_trust *trust, const json_t *version,
	const char *address, cs_time issued_at, struct cs_fault *fault)
{
	const json_t *previous = cs_trust_document(trust);
	const char *persons[2] = {NULL, NULL};
	enum cs_err err = cs_version_follows(version, previous, fault);

	if (err == CS_OK)
		err = cs_cosign_check(trust->ring, version, SCHEMA, issued_at, persons, fault);
	for (size_t i = 0;
		err == CS_OK && i < 2 && persons[i] != NULL && cs_rule_on(CS_RULE_SELF_RAISE); i++)
		err = cs_trust_no_self_raise(version, previous, persons[i], fault);
	if (err == CS_OK)
		err = cs_trust_content(version, previous, trust->addresses, fault);
	if (err == CS_OK)
		err = cs_keyring_advance(trust->ring, version, address, fault);
	return err;
}

static enum cs_err load_version(struct cs_schema_registry *registry, struct cs_trust *trust,
	json_t *version, const char *genesis, struct cs_fault *fault)
{
	char address[CS_ADDRESS_TEXT];
	cs_time issued_at;
	enum cs_err err = cs_schema_check(registry, SCHEMA, version, fault);

	if (err == CS_OK)
		err = cs_address_of(version, address);
	if (err == CS_OK)
		err = cs_member_time(version, "issued_at", 0, "/issued_at", &issued_at, fault);
	if (err != CS_OK)
		return err;
	if (cs_trust_count(trust) == 0)
		err = check_genesis(trust, version, genesis, address, issued_at, fault);
	else
		err = check_successor(trust, version, address, issued_at, fault);
	if (err != CS_OK)
		return err;
	if (json_array_append(trust->versions, version) != 0 ||
		json_array_append_new(trust->addresses, json_string(address)) != 0)
		return CS_E_NOMEM;
	return CS_OK;
}

enum cs_err cs_trust_load(struct cs_schema_registry *registry, const json_t *versions,
	const char *genesis, struct cs_trust **ret_trust, struct cs_fault *fault)
{
	struct cs_trust *trust = calloc(1, sizeof *trust);
	enum cs_err err = CS_E_NOMEM;

	if (trust == NULL)
		return CS_E_NOMEM;
	trust->versions = json_array();
	trust->addresses = json_array();
	if (trust->versions == NULL || trust->addresses == NULL)
		goto out;
	err = cs_keyring_new(&trust->ring);
	if (err == CS_OK && json_array_size(versions) == 0)
		err = cs_fault_set(fault, CS_E_TRUST_GENESIS, "", "there is no trust set");
	for (size_t i = 0; err == CS_OK && i < json_array_size(versions); i++) {
		err = load_version(registry, trust, json_array_get(versions, i), genesis, fault);
		err = cs_fault_in_version(fault, i, err);
	}
out:
	if (err == CS_OK)
		*ret_trust = trust;
	else
		cs_trust_free(trust);
	return err;
}

void cs_trust_free(struct cs_trust *trust)
{
	if (trust == NULL)
		return;
	cs_keyring_free(trust->ring);
	json_decref(trust->versions);
	json_decref(trust->addresses);
	free(trust);
}

const json_t *cs_trust_document(const struct cs_trust *trust)
{
	return cs_trust_document_of(trust, json_array_size(trust->versions) - 1);
}

const json_t *cs_trust_document_of(const struct cs_trust *trust, size_t index)
{
	return json_array_get(trust->versions, index);
}

const char *cs_trust_address(const struct cs_trust *trust)
{
	return cs_trust_address_of(trust, cs_trust_count(trust) - 1);
}

int64_t cs_trust_version(const struct cs_trust *trust)
{
	return cs_json_integer(cs_trust_document(trust), "version", 0);
}

size_t cs_trust_count(const struct cs_trust *trust)
{
	return json_array_size(trust->addresses);
}

const char *cs_trust_address_of(const struct cs_trust *trust, size_t index)
{
	return json_string_value(json_array_get(trust->addresses, index));
}

const struct cs_keyring *cs_trust_keyring(const struct cs_trust *trust)
{
	return trust->ring;
}

static const json_t *entry(
	const struct cs_trust *trust, const char *list, const char *key, const char *id)
{
	return id != NULL ? cs_json_find(json_object_get(cs_trust_document(trust), list), key, id)
			  : NULL;
}

const json_t *cs_trust_person(const struct cs_trust *trust, const char *id)
{
	return entry(trust, "persons", "id", id);
}

const json_t *cs_trust_agent(const struct cs_trust *trust, const char *id)
{
	return entry(trust, "agents", "id", id);
}

const json_t *cs_trust_resource(const struct cs_trust *trust, const char *id)
{
	return entry(trust, "resources", "id", id);
}

const json_t *cs_trust_appliance(const struct cs_trust *trust, const char *origin)
{
	return entry(trust, "appliances", "origin", origin);
}
