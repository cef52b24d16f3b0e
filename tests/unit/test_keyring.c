/*
 * Who held which key and role, when: from trust sets and from published keys, which must say the same.
 */
#include <stdarg.h>
#include <stddef.h>
#include <setjmp.h>
#include <stdint.h>
#include <cmocka.h>

#include "core/jose.h"
#include "tests/fixture/world.h"

#include <sodium.h>
#include <stdio.h>
#include <string.h>

#define V2 "2026-10-10T08:00:00Z"
#define V3 "2026-10-20T08:00:00Z"
#define DECISION "kye.approval_decision.v1"
#define ADA_KEY "kye:key:acme.ada.01"

static cs_time at(const char *text)
{
	cs_time time = 0;

	assert_int_equal(cs_time_parse(text, &time, NULL), CS_OK);
	return time;
}

static int setup(void **state)
{
	*state = cs_world_new(0);
	return 0;
}

static int teardown(void **state)
{
	cs_world_free(*state);
	return 0;
}

/* Adds a version with up to three changes (path, value pairs, NULL-terminated), signed by Sue and Cora. */
static void next(struct cs_world *world, const char *issued_at, const char *const *changes)
{
	struct cs_fault fault = {0};
	json_t *draft = cs_world_next_trust(world, issued_at);

	for (; *changes != NULL; changes += 2)
		cs_world_set(draft, changes[0], changes[1]);
	cs_world_cosign(world, draft, CS_WORLD_SUE);
	cs_world_cosign(world, draft, CS_WORLD_CORA);
	cs_world_add_trust(world, draft);
	json_decref(draft);
	enum cs_err err = cs_world_try_trust(world, &fault);
	if (err != CS_OK)
		print_error("%s %s: %s\n", cs_err_name(err), fault.path, fault.detail);
	assert_int_equal(err, CS_OK);
}

static enum cs_err key_at(const struct cs_keyring *ring, const char *kid, const char *schema, const char *entity, const char *time)
{
	const struct cs_key_info *key = NULL;
	enum cs_err err = cs_keyring_key_at(ring, kid, schema, entity, at(time), "/signature/kid", &key, NULL);

	assert_true((err == CS_OK) == (key != NULL));
	return err;
}

static enum cs_err role_at(const struct cs_keyring *ring, const char *person, const char *role, const char *service, const char *environment,
	const char *time)
{
	return cs_keyring_role(ring, person, role, service, environment, at(time), NULL);
}

/* ---- keys ---- */

static void a_key_with_all_about_it(void **state)
{
	const struct cs_keyring *ring = cs_world_keyring(*state);
	const struct cs_key_info *ada = cs_keyring_find(ring, ADA_KEY);
	const struct cs_key_info *seal = cs_keyring_appliance_key(ring, CS_WORLD_ORIGIN, CS_USAGE_SEAL);

	assert_string_equal(ada->entity, CS_WORLD_ADA);
	assert_int_equal(ada->usage, CS_USAGE_PERSON);
	assert_string_equal(ada->product, "softhsm");
	assert_string_equal(ada->assurance, "software");
	assert_null(ada->origin);
	assert_int_equal(ada->not_before, at("2026-10-01T07:00:00Z"));
	assert_int_equal(ada->not_after, CS_TIME_MAX);
	assert_int_equal(ada->revoked_at, CS_TIME_MAX);
	assert_true(cs_public_key_equal(&ada->key, &cs_world_person(*state, CS_WORLD_ADA)->key));
	assert_string_equal(seal->entity, CS_WORLD_APPLIANCE);
	assert_string_equal(seal->origin, CS_WORLD_ORIGIN);
	assert_string_equal(cs_keyring_appliance_key(ring, CS_WORLD_ORIGIN, CS_USAGE_CHECKPOINT)->kid,
		"kye:key:acme.countersign-1.checkpoint.01");
	assert_string_equal(cs_keyring_appliance_key(ring, CS_WORLD_ORIGIN, CS_USAGE_DOCUMENT)->kid,
		"kye:key:acme.countersign-1.document.01");
	assert_null(cs_keyring_appliance_key(ring, CS_WORLD_ORIGIN, CS_USAGE_PERSON));
	assert_null(cs_keyring_appliance_key(ring, "acme.example/other", CS_USAGE_SEAL));
	assert_null(cs_keyring_appliance_key_at(ring, CS_WORLD_ORIGIN, CS_USAGE_SEAL, at("2026-10-01T06:59:59Z")));
	assert_null(cs_keyring_find(ring, "kye:key:acme.nobody"));
	assert_false(cs_keyring_is_plain(ring));
}

static void two_people_on_one_token(void **state)
{
	struct cs_world *world = cs_world_new(CS_WORLD_SHARED_TOKEN);
	const struct cs_keyring *ring = cs_world_keyring(world), *other = cs_world_keyring(*state);
	const char *carl = "kye:key:acme.carl.01";

	assert_string_equal(cs_keyring_find(ring, ADA_KEY)->serial, cs_keyring_find(ring, carl)->serial);
	assert_string_not_equal(cs_keyring_find(other, ADA_KEY)->serial, cs_keyring_find(other, carl)->serial);
	cs_world_free(world);
}

static void a_key_is_judged_in_order(void **state)
{
	static const struct {
		const char *kid, *schema, *entity, *time;
		enum cs_err err;
	} cases[] = {
		{ADA_KEY, DECISION, CS_WORLD_ADA, CS_WORLD_NOW_TEXT, CS_OK},
		{ADA_KEY, DECISION, NULL, CS_WORLD_NOW_TEXT, CS_OK},
		{ADA_KEY, DECISION, NULL, "2026-10-01T07:00:00Z", CS_OK},
		{ADA_KEY, DECISION, NULL, "2026-10-01T06:59:59.999Z", CS_E_KEY_WINDOW},
		{ADA_KEY, DECISION, CS_WORLD_EVE, CS_WORLD_NOW_TEXT, CS_E_KEY_ENTITY},
		{ADA_KEY, DECISION, CS_WORLD_EVE, "2026-01-01T00:00:00Z", CS_E_KEY_ENTITY},
		{ADA_KEY, "countersign.seal_statement.v1", CS_WORLD_EVE, CS_WORLD_NOW_TEXT, CS_E_KEY_USAGE},
		{"kye:key:acme.nobody", DECISION, NULL, CS_WORLD_NOW_TEXT, CS_E_KEY_UNKNOWN},
		{NULL, DECISION, NULL, CS_WORLD_NOW_TEXT, CS_E_KEY_UNKNOWN},
		{"kye:key:acme.countersign-1.seal.01", "countersign.seal_statement.v1", CS_WORLD_APPLIANCE, CS_WORLD_NOW_TEXT, CS_OK},
		{"kye:key:acme.countersign-1.seal.01", DECISION, NULL, CS_WORLD_NOW_TEXT, CS_E_KEY_USAGE},
		{"kye:key:acme.countersign-1.checkpoint.01", "countersign.seal_statement.v1", NULL, CS_WORLD_NOW_TEXT, CS_E_KEY_USAGE},
		{"kye:key:acme.countersign-1.document.01", "countersign.engine_certificate.v1", NULL, CS_WORLD_NOW_TEXT, CS_OK},
	};

	for (size_t i = 0; i < sizeof cases / sizeof *cases; i++)
		assert_int_equal(key_at(cs_world_keyring(*state), cases[i].kid, cases[i].schema, cases[i].entity, cases[i].time), cases[i].err);
}

static void faults_say_where(void **state)
{
	const struct cs_key_info *key = NULL;
	struct cs_fault fault = {0};

	assert_int_equal(cs_keyring_key_at(cs_world_keyring(*state), ADA_KEY, DECISION, CS_WORLD_EVE, CS_WORLD_NOW, "/signature/kid", &key, &fault),
		CS_E_KEY_ENTITY);
	assert_string_equal(fault.path, "/signature/kid");
	assert_non_null(strstr(fault.detail, CS_WORLD_EVE));
	assert_null(key);
}

/* Ended, revoked, and revoked for what happened before: the earlier of `at` and `invalid_from`. */
static void keys_end_and_are_revoked(void **state)
{
	const char *const changes[] = {"keys/0/not_after", "\"2026-11-01T00:00:00Z\"",
		"keys/1/revocation", "{\"at\":\"2026-11-01T00:00:00Z\",\"reason\":\"lost\",\"invalid_from\":null,\"last_trusted_checkpoint\":null}",
		"keys/2/revocation", "{\"at\":\"2026-11-01T00:00:00Z\",\"reason\":\"compromise\",\"invalid_from\":\"2026-10-15T00:00:00Z\","
			"\"last_trusted_checkpoint\":null}",
		"keys/3/revocation", "{\"at\":\"2026-11-01T00:00:00Z\",\"reason\":\"compromise\",\"invalid_from\":\"2026-11-15T00:00:00Z\","
			"\"last_trusted_checkpoint\":null}", NULL};
	static const struct {
		const char *kid, *last, *first_not;
		enum cs_err err;
	} cases[] = {
		{"kye:key:acme.ada.01", "2026-10-31T23:59:59.999Z", "2026-11-01T00:00:00Z", CS_E_KEY_WINDOW},
		{"kye:key:acme.eve.01", "2026-10-31T23:59:59.999Z", "2026-11-01T00:00:00Z", CS_E_KEY_REVOKED},
		{"kye:key:acme.carl.01", "2026-10-14T23:59:59.999Z", "2026-10-15T00:00:00Z", CS_E_KEY_REVOKED},
		{"kye:key:acme.dora.01", "2026-10-31T23:59:59.999Z", "2026-11-01T00:00:00Z", CS_E_KEY_REVOKED},
	};

	next(*state, V2, changes);
	for (size_t i = 0; i < sizeof cases / sizeof *cases; i++) {
		assert_int_equal(key_at(cs_world_keyring(*state), cases[i].kid, DECISION, NULL, cases[i].last), CS_OK);
		assert_int_equal(key_at(cs_world_keyring(*state), cases[i].kid, DECISION, NULL, cases[i].first_not), cases[i].err);
	}
}

/* ---- roles ---- */

static void roles_have_a_scope(void **state)
{
	static const struct {
		const char *person, *role, *service, *environment;
		enum cs_err err;
	} cases[] = {
		{CS_WORLD_ADA, "engineer", "checkout-api", "production", CS_OK},
		{CS_WORLD_ADA, "engineer", "catalog-api", "staging", CS_OK},
		{CS_WORLD_ADA, "engineer", NULL, NULL, CS_OK},
		{CS_WORLD_ADA, "engineer", "billing-api", "production", CS_E_APPROVAL_SCOPE},
		{CS_WORLD_ADA, "engineer", "checkout-api", "development", CS_E_APPROVAL_SCOPE},
		{CS_WORLD_ADA, "change_owner", "checkout-api", "production", CS_E_APPROVAL_ROLE},
		{CS_WORLD_EVE, "engineer", "billing-api", "anywhere", CS_OK},
		{CS_WORLD_DORA, "change_owner", "checkout-api", "production", CS_E_APPROVAL_SCOPE},
		{CS_WORLD_DORA, "change_owner", "billing-api", "production", CS_OK},
		{CS_WORLD_SAM, "security_officer", NULL, NULL, CS_OK},
		{CS_WORLD_SAM, "sre_lead", NULL, NULL, CS_E_APPROVAL_ROLE},
		{"kye:person:acme.nobody", "engineer", NULL, NULL, CS_E_APPROVAL_ROLE},
		{CS_WORLD_AGENT, "engineer", NULL, NULL, CS_E_APPROVAL_ROLE},
	};

	for (size_t i = 0; i < sizeof cases / sizeof *cases; i++)
		assert_int_equal(role_at(cs_world_keyring(*state), cases[i].person, cases[i].role, cases[i].service, cases[i].environment,
			CS_WORLD_NOW_TEXT), cases[i].err);
	assert_int_equal(role_at(cs_world_keyring(*state), CS_WORLD_ADA, "engineer", NULL, NULL, "2026-01-01T00:00:00Z"), CS_OK);
	assert_int_equal(role_at(cs_world_keyring(*state), CS_WORLD_ADA, "engineer", NULL, NULL, "2025-12-31T23:59:59Z"), CS_E_APPROVAL_ROLE);
}

/* The same world, told by trust sets and by published keys. */
struct history {
	struct cs_world *world;
	struct cs_keyring *published;
};

static int setup_history(void **state)
{
	struct history *history = test_calloc(1, sizeof *history);
	/* Ada is away from V2 to V3; Eve gets a role that pretends to be old; Carl's role ends. */
	const char *const second[] = {"persons/0/state", "\"suspended\"",
		"persons/1/roles/+", "{\"role\":\"change_owner\",\"services\":[\"*\"],\"environments\":[\"*\"],\"from\":\"2026-01-01T00:00:00Z\",\"until\":null}",
		"persons/2/roles/0/until", "\"2026-10-15T00:00:00Z\"", NULL};
	const char *const third[] = {"persons/0/state", "\"active\"", NULL};

	history->world = cs_world_new(0);
	next(history->world, V2, second);
	next(history->world, V3, third);
	CS_CLEANUP_JSON json_t *jwks = cs_world_jwks(history->world);
	assert_int_equal(cs_keyring_from_jwks(cs_world_registry(history->world), jwks, &history->published, NULL), CS_OK);
	*state = history;
	return 0;
}

static int teardown_history(void **state)
{
	struct history *history = *state;

	cs_keyring_free(history->published);
	cs_world_free(history->world);
	test_free(history);
	return 0;
}

static void roles_follow_the_history(void **state)
{
	struct history *history = *state;
	static const struct {
		const char *person, *role, *time;
		enum cs_err err;
	} cases[] = {
		{CS_WORLD_ADA, "engineer", "2026-10-10T07:59:59.999Z", CS_OK},
		{CS_WORLD_ADA, "engineer", V2, CS_E_APPROVAL_ROLE},
		{CS_WORLD_ADA, "engineer", "2026-10-20T07:59:59.999Z", CS_E_APPROVAL_ROLE},
		{CS_WORLD_ADA, "engineer", V3, CS_OK},
		{CS_WORLD_EVE, "change_owner", "2026-10-10T07:59:59.999Z", CS_E_APPROVAL_ROLE},
		{CS_WORLD_EVE, "change_owner", V2, CS_OK},
		{CS_WORLD_EVE, "engineer", "2026-10-02T00:00:00Z", CS_OK},
		{CS_WORLD_CARL, "change_owner", "2026-10-14T23:59:59.999Z", CS_OK},
		{CS_WORLD_CARL, "change_owner", "2026-10-15T00:00:00Z", CS_E_APPROVAL_ROLE},
	};

	for (size_t i = 0; i < sizeof cases / sizeof *cases; i++) {
		assert_int_equal(role_at(cs_world_keyring(history->world), cases[i].person, cases[i].role, "checkout-api", "production",
			cases[i].time), cases[i].err);
		assert_int_equal(role_at(history->published, cases[i].person, cases[i].role, "checkout-api", "production", cases[i].time),
			cases[i].err);
	}
}

static void versions_follow_the_history(void **state)
{
	struct history *history = *state;
	const struct cs_trust *trust = cs_world_trust(history->world);
	const struct cs_keyring *rings[] = {cs_trust_keyring(trust), history->published};
	static const struct {
		const char *time;
		int in_force;		/* index, -1: none */
	} cases[] = {
		{"2026-10-01T07:59:59.999Z", -1}, {"2026-10-01T08:00:00Z", 0}, {"2026-10-10T07:59:59.999Z", 0}, {V2, 1},
		{"2026-10-20T07:59:59.999Z", 1}, {V3, 2}, {CS_WORLD_NOW_TEXT, 2},
	};

	for (size_t r = 0; r < 2; r++) {
		for (size_t i = 0; i < sizeof cases / sizeof *cases; i++)
			for (int version = 0; version < 3; version++)
				assert_int_equal(cs_keyring_version_at(rings[r], cs_trust_address_of(trust, (size_t)version), at(cases[i].time),
					NULL), version == cases[i].in_force ? CS_OK : CS_E_STATEMENT_TRUST_SET);
		assert_int_equal(cs_keyring_version_at(rings[r], "sha256:00", CS_WORLD_NOW, NULL), CS_E_STATEMENT_TRUST_SET);
		assert_string_equal(cs_keyring_genesis(rings[r]), cs_world_trust_genesis(history->world));
		assert_string_equal(cs_keyring_as_of(rings[r]), V3);
	}
}

static void published_keys_say_the_same_of_keys(void **state)
{
	struct history *history = *state;
	const struct cs_keyring *ring = cs_world_keyring(history->world);
	const json_t *keys = json_object_get(cs_trust_document(cs_world_trust(history->world)), "keys");

	assert_int_equal(json_array_size(keys), 12);
	for (size_t i = 0; i < json_array_size(keys); i++) {
		const char *kid = cs_json_text(json_array_get(keys, i), "kid");
		const struct cs_key_info *a = cs_keyring_find(ring, kid), *b = cs_keyring_find(history->published, kid);
		assert_string_equal(a->kid, b->kid);
		assert_string_equal(a->entity, b->entity);
		assert_int_equal(a->usage, b->usage);
		assert_true(cs_public_key_equal(&a->key, &b->key));
		assert_string_equal(a->product, b->product);
		assert_string_equal(a->serial, b->serial);
		assert_string_equal(a->assurance, b->assurance);
		assert_string_equal(a->origin ? a->origin : "", b->origin ? b->origin : "");
		assert_int_equal(a->not_before, b->not_before);
		assert_int_equal(a->not_after, b->not_after);
		assert_int_equal(a->revoked_at, b->revoked_at);
	}
	assert_false(cs_keyring_is_plain(history->published));
	assert_string_equal(cs_keyring_appliance_key(history->published, CS_WORLD_ORIGIN, CS_USAGE_SEAL)->kid,
		"kye:key:acme.countersign-1.seal.01");
}

/* ---- refusals of published keys ---- */

static void expect_jwks(struct cs_world *world, const json_t *jwks, enum cs_err expected, const char *what)
{
	struct cs_keyring *ring = NULL;
	struct cs_fault fault = {0};
	enum cs_err err = cs_keyring_from_jwks(cs_world_registry(world), jwks, &ring, &fault);

	if (err != expected)
		print_error("%s: %s %s: %s\n", what, cs_err_name(err), fault.path, fault.detail);
	assert_int_equal(err, expected);
	assert_true((err == CS_OK) == (ring != NULL));
	cs_keyring_free(ring);
}

/* Signed after the change, so that the change alone is refused. */
static void expect_changed(struct cs_world *world, const char *path, const char *value, enum cs_err expected)
{
	CS_CLEANUP_JSON json_t *jwks = NULL;

	assert_int_equal(cs_trust_publish(cs_world_trust(world), &jwks), CS_OK);
	cs_world_set(jwks, path, value);
	cs_world_cosign(world, jwks, CS_WORLD_SAM);
	cs_world_cosign(world, jwks, CS_WORLD_LENA);
	expect_jwks(world, jwks, expected, path);
}

static void a_published_key_has_all_members(void **state)
{
	static const char *const members[] = {"kid", "alg", "use", "entity", "token", "assurance", "usage", "not_before", "not_after", "revocation",
		"origin", "roles", "kty", "crv", "x"};
	char path[64];

	for (size_t i = 0; i < sizeof members / sizeof *members; i++) {
		snprintf(path, sizeof path, "keys/4/%s", members[i]);
		/* The three of the JWK itself are the schema's to miss. */
		expect_changed(*state, path, NULL, i < 12 ? CS_E_KEY : CS_E_DOCUMENT_INVALID);
	}
}

static void a_published_key_is_right(void **state)
{
	static const struct {
		const char *path, *value;
		enum cs_err err;
	} cases[] = {
		{"keys/4/not_after", "\"2027-10-01T00:00:00Z\"", CS_OK},
		{"keys/4/alg", "\"ES256\"", CS_E_KEY},
		{"keys/4/x", "\"AQAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAA\"", CS_E_KEY},
		{"keys/4/kid", "\"kye:key:acme.ada.01\"", CS_E_TRUST_DUPLICATE},
		{"keys/4/usage", "\"seal\"", CS_E_KEY},
		{"keys/9/usage", "\"person\"", CS_E_KEY},
		{"keys/9/origin", "null", CS_E_KEY},
		{"keys/9/roles/+", "{\"role\":\"engineer\",\"services\":[\"*\"],\"environments\":[\"*\"],\"from\":\"2026-01-01T00:00:00Z\","
			"\"until\":null}", CS_E_KEY},
		{"keys/4/not_before", "\"yesterday\"", CS_E_DOCUMENT_INVALID},
		{"keys/4/use", "\"enc\"", CS_E_DOCUMENT_INVALID},
		{"keys/4/comment", "\"x\"", CS_E_DOCUMENT_INVALID},
		{"schema", "\"countersign.published_keys.v2\"", CS_E_DOCUMENT_INVALID},
		{"keys", "[]", CS_E_DOCUMENT_INVALID},
		{"keys", "{}", CS_E_DOCUMENT_INVALID},
		{"countersign/version", "2", CS_E_TRUST_CHAIN},
		{"countersign/issued_at", "\"2026-10-01T08:00:01Z\"", CS_E_TRUST_CHAIN},
		{"countersign/genesis", "\"sha256:5555555555555555555555555555555555555555555555555555555555555555\"", CS_E_TRUST_CHAIN},
		{"countersign/trust_set", "\"sha256:5555555555555555555555555555555555555555555555555555555555555555\"", CS_E_TRUST_CHAIN},
		{"countersign/history/0/version", "2", CS_E_TRUST_CHAIN},
		{"countersign/history/+", "{\"version\":2,\"address\":\"sha256:5555555555555555555555555555555555555555555555555555555555555555\","
			"\"issued_at\":\"2026-10-01T08:00:00Z\"}", CS_E_TRUST_CHAIN},
		/* The roles that the two signers are published with. */
		{"keys/7/roles", "[]", CS_E_TRUST_SIGNERS},
		{"keys/5/roles/0/from", "\"2026-10-01T08:00:01Z\"", CS_E_TRUST_SIGNERS},
		{"keys/7/not_after", "\"2026-10-01T08:00:00Z\"", CS_E_KEY_WINDOW},
	};

	for (size_t i = 0; i < sizeof cases / sizeof *cases; i++)
		expect_changed(*state, cases[i].path, cases[i].value, cases[i].err);
}

static void a_published_key_has_one_name(void **state)
{
	CS_CLEANUP_JSON json_t *jwks = NULL;

	assert_int_equal(cs_trust_publish(cs_world_trust(*state), &jwks), CS_OK);
	json_t *keys = json_object_get(jwks, "keys");
	json_object_set(json_array_get(keys, 2), "x", json_object_get(json_array_get(keys, 0), "x"));
	cs_world_cosign(*state, jwks, CS_WORLD_SAM);
	cs_world_cosign(*state, jwks, CS_WORLD_LENA);
	expect_jwks(*state, jwks, CS_E_TRUST_DUPLICATE, "Carl with Ada's key");
}

static void two_people_publish(void **state)
{
	static const struct {
		const char *a, *b;
		enum cs_err err;
	} cases[] = {
		{CS_WORLD_SUE, CS_WORLD_CORA, CS_OK},
		{NULL, NULL, CS_E_TRUST_UNSIGNED},
		{CS_WORLD_SAM, NULL, CS_E_TRUST_UNSIGNED},
		{CS_WORLD_SAM, CS_WORLD_SAM, CS_E_TRUST_SIGNERS},
		{CS_WORLD_SAM, CS_WORLD_SUE, CS_E_TRUST_SIGNERS},
		{CS_WORLD_LENA, CS_WORLD_CORA, CS_E_TRUST_SIGNERS},
	};
	CS_CLEANUP_JSON json_t *unsigned_jwks = NULL;

	assert_int_equal(cs_trust_publish(cs_world_trust(*state), &unsigned_jwks), CS_OK);
	for (size_t i = 0; i < sizeof cases / sizeof *cases; i++) {
		CS_CLEANUP_JSON json_t *jwks = json_deep_copy(unsigned_jwks);
		if (cases[i].a != NULL)
			cs_world_cosign(*state, jwks, cases[i].a);
		if (cases[i].b != NULL)
			cs_world_cosign(*state, jwks, cases[i].b);
		expect_jwks(*state, jwks, cases[i].err, cases[i].a ? cases[i].a : "nobody");
	}
	CS_CLEANUP_JSON json_t *jwks = cs_world_jwks(*state);
	cs_world_set(jwks, "keys/4/assurance", "\"attested\"");
	expect_jwks(*state, jwks, CS_E_SIGNATURE, "changed after signing");
}

/* A person's key that has been revoked still says who held which role before. */
static void revoked_people_keep_their_past(void **state)
{
	const char *const changes[] = {"keys/0/revocation",
		"{\"at\":\"2026-11-01T00:00:00Z\",\"reason\":\"left\",\"invalid_from\":null,\"last_trusted_checkpoint\":null}",
		"persons/0/state", "\"ended\"", NULL};
	struct cs_keyring *ring = NULL;

	next(*state, V2, changes);
	CS_CLEANUP_JSON json_t *jwks = cs_world_jwks(*state);
	assert_int_equal(cs_keyring_from_jwks(cs_world_registry(*state), jwks, &ring, NULL), CS_OK);
	assert_int_equal(role_at(ring, CS_WORLD_ADA, "engineer", NULL, NULL, "2026-10-09T00:00:00Z"), CS_OK);
	assert_int_equal(role_at(ring, CS_WORLD_ADA, "engineer", NULL, NULL, V2), CS_E_APPROVAL_ROLE);
	assert_int_equal(key_at(ring, ADA_KEY, DECISION, CS_WORLD_ADA, "2026-10-09T00:00:00Z"), CS_OK);
	assert_int_equal(key_at(ring, ADA_KEY, DECISION, CS_WORLD_ADA, "2026-11-01T00:00:00Z"), CS_E_KEY_REVOKED);
	cs_keyring_free(ring);
}

/* ---- a JWKS of somebody else ---- */

#define PLAIN "{\"_note\":\"theirs\",\"keys\":[{\"kty\":\"OKP\",\"crv\":\"Ed25519\",\"kid\":\"k1\",\"alg\":\"EdDSA\",\"use\":\"sig\"," \
	"\"x\":\"vEOg9wc9MYGigQQr0Xq17eFpheeC3oVVCL3NF_hma_E\"}]}"

static void a_plain_jwks_only_finds(void **state)
{
	CS_CLEANUP_JSON json_t *jwks = cs_world_json(PLAIN);
	struct cs_keyring *ring = NULL;

	assert_int_equal(cs_keyring_from_jwks(cs_world_registry(*state), jwks, &ring, NULL), CS_OK);
	assert_true(cs_keyring_is_plain(ring));
	assert_int_equal(cs_keyring_find(ring, "k1")->key.alg, CS_ALG_EDDSA);
	assert_null(cs_keyring_find(ring, "k2"));
	assert_int_equal(key_at(ring, "k1", DECISION, NULL, CS_WORLD_NOW_TEXT), CS_E_KEY_USAGE);
	assert_int_equal(role_at(ring, CS_WORLD_ADA, "engineer", NULL, NULL, CS_WORLD_NOW_TEXT), CS_E_APPROVAL_ROLE);
	assert_int_equal(cs_keyring_version_at(ring, cs_world_trust_genesis(*state), CS_WORLD_NOW, NULL), CS_E_STATEMENT_TRUST_SET);
	assert_null(cs_keyring_appliance_key(ring, CS_WORLD_ORIGIN, CS_USAGE_SEAL));
	assert_string_equal(cs_keyring_genesis(ring), "");
	assert_string_equal(cs_keyring_as_of(ring), "");
	cs_keyring_free(ring);
}

static void a_plain_jwks_is_refused_whole(void **state)
{
	static const struct {
		const char *path, *value;
		enum cs_err err;
	} cases[] = {
		{"keys/0/alg", NULL, CS_OK},
		{"keys/0/kid", NULL, CS_E_KEY},
		{"keys/0/kid", "7", CS_E_KEY},
		{"keys/0/alg", "\"ES256\"", CS_E_KEY},
		{"keys/0/kty", "\"RSA\"", CS_E_KEY},
		{"keys/0/x", "\"AQAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAA\"", CS_E_KEY},
		{"keys/+", "{\"kid\":\"k2\"}", CS_E_KEY},
		{"keys/+", "7", CS_E_KEY},
		{"keys/+", "{\"kty\":\"OKP\",\"crv\":\"Ed25519\",\"kid\":\"k1\",\"x\":\"vEOg9wc9MYGigQQr0Xq17eFpheeC3oVVCL3NF_hma_E\"}",
			CS_E_TRUST_DUPLICATE},
		{"keys", "7", CS_E_DOCUMENT_INVALID},
		{"keys", NULL, CS_E_DOCUMENT_INVALID},
		{"schema", "null", CS_E_KEY},
	};

	for (size_t i = 0; i < sizeof cases / sizeof *cases; i++) {
		CS_CLEANUP_JSON json_t *jwks = cs_world_json(PLAIN);
		cs_world_set(jwks, cases[i].path, cases[i].value);
		expect_jwks(*state, jwks, cases[i].err, cases[i].path);
	}
	expect_jwks(*state, NULL, CS_E_DOCUMENT_INVALID, "nothing");
}

int main(void)
{
	static const struct CMUnitTest tests[] = {
		cmocka_unit_test_setup_teardown(a_key_with_all_about_it, setup, teardown),
		cmocka_unit_test_setup_teardown(two_people_on_one_token, setup, teardown),
		cmocka_unit_test_setup_teardown(a_key_is_judged_in_order, setup, teardown),
		cmocka_unit_test_setup_teardown(faults_say_where, setup, teardown),
		cmocka_unit_test_setup_teardown(keys_end_and_are_revoked, setup, teardown),
		cmocka_unit_test_setup_teardown(roles_have_a_scope, setup, teardown),
		cmocka_unit_test_setup_teardown(roles_follow_the_history, setup_history, teardown_history),
		cmocka_unit_test_setup_teardown(versions_follow_the_history, setup_history, teardown_history),
		cmocka_unit_test_setup_teardown(published_keys_say_the_same_of_keys, setup_history, teardown_history),
		cmocka_unit_test_setup_teardown(a_published_key_has_all_members, setup, teardown),
		cmocka_unit_test_setup_teardown(a_published_key_is_right, setup, teardown),
		cmocka_unit_test_setup_teardown(a_published_key_has_one_name, setup, teardown),
		cmocka_unit_test_setup_teardown(two_people_publish, setup, teardown),
		cmocka_unit_test_setup_teardown(revoked_people_keep_their_past, setup, teardown),
		cmocka_unit_test_setup_teardown(a_plain_jwks_only_finds, setup, teardown),
		cmocka_unit_test_setup_teardown(a_plain_jwks_is_refused_whole, setup, teardown),
	};

	if (sodium_init() < 0)
		return 1;
	return cmocka_run_group_tests(tests, NULL, NULL);
}
