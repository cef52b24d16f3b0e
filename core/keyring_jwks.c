/*
 * A keyring from published keys: signed by two people whose keys and roles it publishes, so its
 * fingerprint must come from elsewhere.
 */
#include "cosign.h"
#include "keyring_build.h"
#include "schema.h"

#include <stdio.h>
#include <string.h>

#define SCHEMA "countersign.published_keys.v1"

static enum cs_err bad_key(struct cs_fault *fault, const char *path, const char *why)
{
	return cs_fault_set(fault, CS_E_KEY, path, "%s", why);
}

/*
 * Before the schema is asked: a key that cannot be judged has an error of its own, and is never
 * passed over.
 */
static enum cs_err check_members(const json_t *keys, struct cs_fault *fault)
{
	static const char *const needed[] = {"kid", "alg", "use", "entity", "token", "assurance",
		"usage", "not_before", "not_after", "revocation", "origin", "roles"};
	char path[64];

	for (size_t i = 0; i < json_array_size(keys); i++) {
		const json_t *entry = json_array_get(keys, i);
		for (size_t j = 0; j < sizeof needed / sizeof *needed; j++) {
			snprintf(path, sizeof path, "/keys/%zu/%s", i, needed[j]);
			if (json_object_get(entry, needed[j]) == NULL)
				return bad_key(fault, path,
					"a published key without this member cannot be judged");
		}
	}
	return CS_OK;
}

static enum cs_err add_key(struct cs_keyring *ring, const struct cs_key_info *info,
	const char *path, struct cs_fault *fault)
{
	enum cs_err err = cs_keyring_add_key(ring, info);

	return err == CS_OK ? err
			    : cs_fault_set(fault, err, path, "%s: %s", info->kid, cs_err_text(err));
}

static enum cs_err read_jwk(
	const json_t *entry, struct cs_key_info *info, const char *path, struct cs_fault *fault)
{
	const char *alg = cs_json_text(entry, "alg");
	enum cs_err err = cs_public_key_from_jwk(entry, &info->key);

	if (err != CS_OK)
		return cs_fault_set(fault, err, path, "%s: %s", info->kid, cs_err_text(err));
	if (json_object_get(entry, "alg") != NULL &&
		(alg == NULL || strcmp(alg, cs_alg_name(info->key.alg)) != 0))
		return bad_key(fault, path, "alg is not the algorithm of the key");
	return CS_OK;
}

static enum cs_err read_roles(struct cs_keyring *ring, const json_t *entry, const char *person,
	const char *path, struct cs_fault *fault)
{
	const json_t *roles = json_object_get(entry, "roles");

	for (size_t i = 0; i < json_array_size(roles); i++) {
		const json_t *role = json_array_get(roles, i);
		struct cs_role_span span = {
			.person = person,
			.role = cs_json_text(role, "role"),
			.services = json_object_get(role, "services"),
			.environments = json_object_get(role, "environments"),
		};
		enum cs_err err = cs_member_time(role, "from", 0, path, &span.from, fault);
		if (err == CS_OK)
			err = cs_member_time(role, "until", CS_TIME_MAX, path, &span.until, fault);
		if (err == CS_OK)
			err = cs_keyring_add_role(ring, &span);
		if (err != CS_OK)
			return err;
	}
	return CS_OK;
}

static enum cs_err read_key(
	struct cs_keyring *ring, const json_t *entry, const char *path, struct cs_fault *fault)
{
	struct cs_key_info info = {
		.kid = cs_json_text(entry, "kid"),
		.entity = cs_json_text(entry, "entity"),
		.usage = cs_usage_by_name(cs_json_text(entry, "usage")),
		.product = cs_json_text_at(entry, "token/product"),
		.serial = cs_json_text_at(entry, "token/serial"),
		.assurance = cs_json_text(entry, "assurance"),
		.origin = cs_json_text(entry, "origin"),
		.last_trusted_checkpoint =
			cs_json_text_at(entry, "revocation/last_trusted_checkpoint"),
	};
	bool person = info.usage == CS_USAGE_PERSON;
	bool appliance = info.usage == CS_USAGE_SEAL || info.usage == CS_USAGE_CHECKPOINT ||
			 info.usage == CS_USAGE_DOCUMENT;
	enum cs_err err = read_jwk(entry, &info, path, fault);

	if (err != CS_OK)
		return err;
	if (person != (strncmp(info.entity, "kye:person:", strlen("kye:person:")) == 0))
		return bad_key(fault, path, "usage and entity do not go together");
	if (!person && json_array_size(json_object_get(entry, "roles")) > 0)
		return bad_key(fault, path, "roles on a key that is no person's");
	if (appliance && info.origin == NULL)
		return bad_key(fault, path, "an appliance's key without a log origin");
	err = cs_member_time(entry, "not_before", 0, path, &info.not_before, fault);
	if (err == CS_OK)
		err = cs_member_time(entry, "not_after", CS_TIME_MAX, path, &info.not_after, fault);
	if (err == CS_OK)
		err = cs_revocation_time(
			json_object_get(entry, "revocation"), path, &info.revoked_at, fault);
	/* Under two names it would fill two slots. */
	for (size_t i = 0; err == CS_OK && i < ring->key_count; i++)
		if (cs_public_key_equal(&ring->keys[i].key, &info.key))
			err = cs_fault_set(fault, CS_E_TRUST_DUPLICATE, path,
				"%s and %s are one key", ring->keys[i].kid, info.kid);
	if (err == CS_OK)
		err = add_key(ring, &info, path, fault);
	return err == CS_OK ? read_roles(ring, entry, info.entity, path, fault) : err;
}

static enum cs_err read_plain_key(
	struct cs_keyring *ring, const json_t *entry, const char *path, struct cs_fault *fault)
{
	struct cs_key_info info = {
		.kid = cs_json_text(entry, "kid"),
		.usage = CS_USAGE_COUNT,
		.not_after = CS_TIME_MAX,
		.revoked_at = CS_TIME_MAX,
	};
	enum cs_err err;

	if (info.kid == NULL)
		return bad_key(fault, path, "a key without kid");
	err = read_jwk(entry, &info, path, fault);
	return err == CS_OK ? add_key(ring, &info, path, fault) : err;
}

static enum cs_err read_keys(struct cs_keyring *ring, const json_t *jwks, struct cs_fault *fault)
{
	const json_t *keys = json_object_get(jwks, "keys");
	char path[64];

	for (size_t i = 0; i < json_array_size(keys); i++) {
		const json_t *entry = json_array_get(keys, i);
		snprintf(path, sizeof path, "/keys/%zu", i);
		enum cs_err err = ring->plain ? read_plain_key(ring, entry, path, fault)
					      : read_key(ring, entry, path, fault);
		if (err != CS_OK)
			return err;
	}
	return CS_OK;
}

static enum cs_err broken(struct cs_fault *fault, const char *path, const char *why)
{
	return cs_fault_set(fault, CS_E_TRUST_CHAIN, path, "%s", why);
}

static bool same_text(const json_t *a, const char *a_key, const json_t *b, const char *b_key)
{
	return json_equal(json_object_get(a, a_key), json_object_get(b, b_key));
}

static enum cs_err read_history(
	struct cs_keyring *ring, const json_t *about, struct cs_fault *fault)
{
	const json_t *history = json_object_get(about, "history");
	const json_t *first = json_array_get(history, 0),
		     *last = json_array_get(history, json_array_size(history) - 1);
	cs_time at, before = -1;
	char path[64];

	for (size_t i = 0; i < json_array_size(history); i++) {
		const json_t *entry = json_array_get(history, i);
		int64_t version = cs_json_integer(entry, "version", 0);
		snprintf(path, sizeof path, "/countersign/history/%zu", i);
		enum cs_err err = cs_member_time(entry, "issued_at", 0, path, &at, fault);
		if (err != CS_OK)
			return err;
		if (version != (int64_t)i + 1 || at <= before)
			return broken(
				fault, path, "versions are not numbered from 1 in order of time");
		before = at;
		err = cs_keyring_add_version(ring, cs_json_text(entry, "address"), version, at);
		if (err != CS_OK)
			return err;
	}
	if (!same_text(about, "genesis", first, "address"))
		return broken(
			fault, "/countersign/genesis", "not the first version of the history");
	if (!same_text(about, "trust_set", last, "address") ||
		!same_text(about, "version", last, "version") ||
		!same_text(about, "issued_at", last, "issued_at"))
		return broken(fault, "/countersign", "not the last version of the history");
	return CS_OK;
}

static enum cs_err read_published(struct cs_schema_registry *registry, const json_t *jwks,
	struct cs_keyring *ring, struct cs_fault *fault)
{
	enum cs_err err = check_members(json_object_get(jwks, "keys"), fault);

	if (err == CS_OK)
		err = cs_schema_check(registry, SCHEMA, jwks, fault);
	if (err == CS_OK)
		err = read_keys(ring, jwks, fault);
	if (err == CS_OK)
		err = read_history(ring, json_object_get(jwks, "countersign"), fault);
	if (err == CS_OK)
		err = cs_cosign_check(ring, jwks, SCHEMA,
			ring->versions[ring->version_count - 1].issued_at, NULL, fault);
	return err;
}

enum cs_err cs_keyring_from_jwks(struct cs_schema_registry *registry, const json_t *jwks,
	struct cs_keyring **ret_ring, struct cs_fault *fault)
{
	struct cs_keyring *ring = NULL;
	enum cs_err err;

	if (!json_is_array(json_object_get(jwks, "keys")))
		return cs_fault_set(fault, CS_E_DOCUMENT_INVALID, "/keys", "no array of keys");
	err = cs_keyring_new(&ring);
	if (err == CS_OK)
		err = cs_keyring_keep(ring, jwks);
	if (err == CS_OK) {
		ring->plain = json_object_get(jwks, "schema") == NULL;
		err = ring->plain ? read_keys(ring, jwks, fault)
				  : read_published(registry, jwks, ring, fault);
	}
	if (err == CS_OK)
		*ret_ring = ring;
	else
		cs_keyring_free(ring);
	return err;
}
