/*
 * Authority and purpose grants: signed by the grantor's own key, over the grant as it was before
 * anybody revoked it.
 */
#include "trust_rules.h"
#include "jose.h"

#include <stdio.h>
#include <string.h>

static enum cs_err signed_form(const json_t *grant, json_t **ret_form)
{
	CS_CLEANUP_JSON json_t *form = NULL;
	const char *member;
	json_t *value;

	if (!json_is_object(grant))
		return CS_E_SIGNATURE_FORM;
	form = json_object();
	if (form == NULL)
		return CS_E_NOMEM;
	/* Not json_copy, which leaves members out when memory runs out. */
	json_object_foreach((json_t *)(uintptr_t)grant, member, value) {
		if (json_object_set(form, member, value) != 0)
			return CS_E_NOMEM;
	}
	if (json_object_set_new(form, "revoked_at", json_null()) != 0 ||
		json_object_set_new(form, "revoked_reason", json_null()) != 0)
		return CS_E_NOMEM;
	*ret_form = json_incref(form);
	return CS_OK;
}

enum cs_err cs_grant_verify(const struct cs_keyring *ring, const json_t *grant, const char *schema,
	struct cs_fault *fault)
{
	CS_CLEANUP_JSON json_t *form = NULL;
	const char *signature = cs_json_text(grant, "signature");
	const char *issuer = cs_json_text(grant, "issued_by");
	const struct cs_key_info *key = NULL;
	char kid[CS_ID_MAX + 1];
	cs_time issued_at;
	enum cs_err err;

	if (signature == NULL || cs_sig_string_kid(signature, kid, sizeof kid) != CS_OK)
		return cs_fault_set(
			fault, CS_E_SIGNATURE_FORM, "/signature", "not sig:ALG:KID:VALUE");
	if (issuer == NULL)
		return cs_fault_set(
			fault, CS_E_KEY_ENTITY, "/issued_by", "nobody issued this grant");
	err = cs_member_time(grant, "issued_at", 0, "/issued_at", &issued_at, fault);
	if (err == CS_OK)
		err = cs_keyring_key_at(
			ring, kid, schema, issuer, issued_at, "/signature", &key, fault);
	if (err == CS_OK)
		err = signed_form(grant, &form);
	if (err != CS_OK)
		return err;
	err = cs_sig_string_verify(form, signature, kid, &key->key);
	return err == CS_OK
		       ? CS_OK
		       : cs_fault_set(fault, err, "/signature", "%s: %s", kid, cs_err_text(err));
}

static enum cs_err check_chain(const json_t *grant, const struct cs_trust_index *index,
	const char *path, struct cs_fault *fault)
{
	const json_t *chain = json_object_get(grant, "revocation_chain");

	for (size_t i = 0; i < json_array_size(chain); i++) {
		const json_t *step = json_array_get(chain, i);
		enum cs_err err = cs_trust_refers(
			cs_json_text(step, "grant_id"), index->grants, NULL, path, fault);
		if (err == CS_OK)
			err = cs_trust_refers(cs_json_text(step, "issuer"), index->organisations,
				index->persons, path, fault);
		if (err != CS_OK)
			return err;
	}
	return CS_OK;
}

static enum cs_err check_references(const json_t *grant, const struct cs_trust_index *index,
	const char *path, struct cs_fault *fault)
{
	const json_t *resources = cs_json_at(grant, "scope/resources");
	enum cs_err err;

	err = cs_trust_refers(cs_json_text(grant, "principal"), index->organisations,
		index->persons, path, fault);
	if (err == CS_OK)
		err = cs_trust_refers(
			cs_json_text(grant, "grantee"), index->agents, index->persons, path, fault);
	if (err == CS_OK)
		err = cs_trust_refers(
			cs_json_text(grant, "issued_by"), index->persons, NULL, path, fault);
	for (size_t i = 0; err == CS_OK && i < json_array_size(resources); i++)
		err = cs_trust_refers(json_string_value(json_array_get(resources, i)),
			index->resources, NULL, path, fault);
	return err == CS_OK ? check_chain(grant, index, path, fault) : err;
}

static enum cs_err check_list(const json_t *version, const json_t *previous, const char *list,
	const char *schema, const struct cs_keyring *ring, const struct cs_trust_index *index,
	struct cs_fault *fault)
{
	const json_t *grants = json_object_get(version, list);
	cs_time version_at, grant_at;
	char path[64];
	enum cs_err err = cs_member_time(version, "issued_at", 0, "/issued_at", &version_at, fault);

	for (size_t i = 0; err == CS_OK && i < json_array_size(grants); i++) {
		const json_t *grant = json_array_get(grants, i);
		snprintf(path, sizeof path, "/%s/%zu", list, i);
		err = check_references(grant, index, path, fault);
		/*
		 * Judged when it came in: revoking the grantor's key for a compromise must not make
		 * the trust set that says so unloadable. Whoever relies on the grant asks
		 * cs_grant_verify again.
		 */
		if (err != CS_OK || cs_json_find(json_object_get(previous, list), "id",
					    cs_json_text(grant, "id")) != NULL)
			continue;
		err = cs_grant_verify(ring, grant, schema, fault);
		if (err != CS_OK && fault != NULL)
			snprintf(fault->path, sizeof fault->path, "%s/signature", path);
		if (err == CS_OK)
			err = cs_member_time(grant, "issued_at", 0, path, &grant_at, fault);
		if (err == CS_OK && grant_at > version_at)
			err = cs_fault_set(fault, CS_E_TRUST_CHAIN, path,
				"%s is issued later than the trust set", cs_json_text(grant, "id"));
	}
	return err;
}

enum cs_err cs_trust_grants(const json_t *version, const json_t *previous,
	const struct cs_trust_index *index, struct cs_fault *fault)
{
	struct cs_keyring *ring = NULL;
	char address[CS_ADDRESS_TEXT];
	enum cs_err err = cs_address_of(version, address);

	if (err == CS_OK)
		err = cs_keyring_new(&ring);
	if (err == CS_OK)
		err = cs_keyring_advance(ring, version, address, fault);
	if (err == CS_OK)
		err = check_list(
			version, previous, "grants", "kye.authority.grant.v1", ring, index, fault);
	if (err == CS_OK)
		err = check_list(
			version, previous, "purposes", "kye.purpose.grant.v1", ring, index, fault);
	cs_keyring_free(ring);
	return err;
}
