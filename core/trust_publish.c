/*
 * The published keys: what an auditor needs of a trust set, as a JWK set.
 */
#include "trust_rules.h"

#include <string.h>

static enum cs_err set(json_t *object, const char *key, json_t *value)
{
	return json_object_set_new(object, key, value) == 0 ? CS_OK : CS_E_NOMEM;
}

/* A member as the trust set has it. */
static json_t *member(const json_t *entry, const char *key)
{
	return json_incref(json_object_get(entry, key));
}

static enum cs_err publish_key(const struct cs_keyring *ring, const json_t *entry, json_t *keys)
{
	const struct cs_key_info *key = cs_keyring_find(ring, cs_json_text(entry, "kid"));
	CS_CLEANUP_JSON json_t *roles = NULL;
	json_t *jwk = NULL;
	enum cs_err err;

	if (key == NULL)
		return CS_E_INTERNAL;
	if (key->usage == CS_USAGE_PERSON) {
		err = cs_keyring_published_roles(ring, key->entity, &roles);
		if (err != CS_OK)
			return err;
	} else {
		roles = json_array();
	}
	err = cs_public_key_to_jwk(&key->key, &jwk);
	if (err != CS_OK)
		return err;
	if (json_array_append_new(keys, jwk) != 0)
		return CS_E_NOMEM;
	err = set(jwk, "kid", json_string(key->kid));
	if (err == CS_OK)
		err = set(jwk, "alg", json_string(cs_alg_name(key->key.alg)));
	if (err == CS_OK)
		err = set(jwk, "use", json_string("sig"));
	if (err == CS_OK)
		err = set(jwk, "entity", json_string(key->entity));
	if (err == CS_OK)
		err = set(jwk, "token",
			json_pack("{s:s, s:s}", "product", key->product, "serial", key->serial));
	if (err == CS_OK)
		err = set(jwk, "assurance", json_string(key->assurance));
	if (err == CS_OK)
		err = set(jwk, "usage", json_string(cs_usage_name(key->usage)));
	if (err == CS_OK)
		err = set(jwk, "not_before", member(entry, "not_before"));
	if (err == CS_OK)
		err = set(jwk, "not_after", member(entry, "not_after"));
	if (err == CS_OK)
		err = set(jwk, "revocation", member(entry, "revocation"));
	if (err == CS_OK)
		err = set(jwk, "origin",
			key->origin != NULL ? json_string(key->origin) : json_null());
	return err == CS_OK ? set(jwk, "roles", json_incref(roles)) : err;
}

static enum cs_err publish_history(const struct cs_keyring *ring, json_t *history)
{
	char text[CS_TIME_TEXT];

	for (size_t i = 0; i < ring->version_count; i++) {
		const struct cs_ring_version *version = &ring->versions[i];
		json_t *entry = json_pack("{s:I, s:s, s:s}", "version",
			(json_int_t)version->version, "address", version->address, "issued_at",
			cs_time_print(version->issued_at, text));
		if (json_array_append_new(history, entry) != 0)
			return CS_E_NOMEM;
	}
	return CS_OK;
}

enum cs_err cs_trust_publish(const struct cs_trust *trust, json_t **ret_jwks)
{
	const struct cs_keyring *ring = cs_trust_keyring(trust);
	const json_t *entries = json_object_get(cs_trust_document(trust), "keys");
	CS_CLEANUP_JSON json_t *keys = json_array();
	CS_CLEANUP_JSON json_t *history = json_array();
	json_t *jwks;
	enum cs_err err = keys != NULL && history != NULL ? CS_OK : CS_E_NOMEM;

	for (size_t i = 0; err == CS_OK && i < json_array_size(entries); i++)
		err = publish_key(ring, json_array_get(entries, i), keys);
	if (err == CS_OK)
		err = publish_history(ring, history);
	if (err != CS_OK)
		return err;
	jwks = json_pack("{s:s, s:O, s:{s:s, s:s, s:I, s:s, s:O}}", "schema",
		"countersign.published_keys.v1", "keys", keys, "countersign", "genesis",
		cs_keyring_genesis(ring), "trust_set", cs_trust_address(trust), "version",
		(json_int_t)cs_trust_version(trust), "issued_at", cs_keyring_as_of(ring), "history",
		history);
	if (jwks == NULL)
		return CS_E_NOMEM;
	*ret_jwks = jwks;
	return CS_OK;
}
