/*
 * Project Wycheproof: our verdict on each signature is the published one. The key is read in all
 * three forms that the files give (point, PEM, JWK), which must agree.
 */
#include "core/signature.h"
#include "tests/fixture/vector_file.h"

#include <sodium.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

static unsigned cases;
static unsigned failed;

static void fail(const char *file, const json_t *test, const char *why)
{
	if (failed++ >= 20)
		return;
	printf("%s tcId %lld (%s): %s\n", file,
		(long long)json_integer_value(json_object_get(test, "tcId")),
		json_string_value(json_object_get(test, "comment")), why);
}

static bool hex(const json_t *object, const char *key, struct cs_bytes *out)
{
	const char *text = json_string_value(json_object_get(object, key));
	uint8_t byte;

	if (text == NULL || strlen(text) % 2 != 0)
		return false;
	for (size_t i = 0; text[i] != '\0'; i += 2)
		if (cs_hex_decode(text + i, 2, &byte, 1) != CS_OK ||
			cs_bytes_add(out, &byte, 1) != CS_OK)
			return false;
	return true;
}

static bool read_keys(
	const json_t *group, enum cs_alg alg, const char *point_name, struct cs_public_key *ret_key)
{
	CS_CLEANUP_BYTES struct cs_bytes point = {0};
	struct cs_public_key from_jwk;
	struct cs_public_key from_pem;
	const char *pem = json_string_value(json_object_get(group, "publicKeyPem"));

	if (pem == NULL || !hex(json_object_get(group, "publicKey"), point_name, &point))
		return false;
	if (cs_public_key_set(alg, point.data, point.len, ret_key) != CS_OK)
		return false;
	if (cs_public_key_from_pem(pem, strlen(pem), &from_pem) != CS_OK ||
		!cs_public_key_equal(ret_key, &from_pem))
		return false;
	/* A few groups have no JWK. */
	const json_t *jwk = json_object_get(group, "publicKeyJwk");
	return jwk == NULL || (cs_public_key_from_jwk(jwk, &from_jwk) == CS_OK &&
				      cs_public_key_equal(ret_key, &from_jwk));
}

static void run_test(const char *file, const struct cs_public_key *key, const json_t *test)
{
	CS_CLEANUP_BYTES struct cs_bytes message = {0};
	CS_CLEANUP_BYTES struct cs_bytes signature = {0};
	const char *result = json_string_value(json_object_get(test, "result"));

	cases++;
	if (result == NULL || !hex(test, "msg", &message) || !hex(test, "sig", &signature)) {
		fail(file, test, "cannot be read");
		return;
	}
	enum cs_err err = cs_signature_verify(
		key, message.data, message.len, signature.data, signature.len, 0);
	if (err != CS_OK && err != CS_E_SIGNATURE && err != CS_E_SIGNATURE_FORM)
		fail(file, test, cs_err_name(err));
	else if (strcmp(result, "acceptable") != 0 &&
		 (err == CS_OK) != (strcmp(result, "valid") == 0))
		fail(file, test,
			err == CS_OK ? "accepted, should be refused"
				     : "refused, should be accepted");
}

static void run_file(const char *folder, const char *file, enum cs_alg alg, const char *point_name)
{
	CS_CLEANUP_BYTES struct cs_bytes data = {0};
	CS_CLEANUP_JSON json_t *doc = NULL;
	const json_t *group;
	const json_t *test;
	unsigned before = cases;
	size_t i;
	size_t j;

	if (cs_test_file_read(folder, file, &data) == CS_OK)
		doc = json_loadb((const char *)data.data, data.len, 0, NULL);
	json_array_foreach(json_object_get(doc, "testGroups"), i, group)
	{
		struct cs_public_key key;
		bool usable = read_keys(group, alg, point_name, &key);
		json_array_foreach(json_object_get(group, "tests"), j, test)
		{
			if (usable)
				run_test(file, &key, test);
			else
				fail(file, test, "the key's forms are refused or disagree");
		}
	}
	if (cases - before != (unsigned)json_integer_value(json_object_get(doc, "numberOfTests")) ||
		cases == before) {
		failed++;
		printf("%s: %u cases ran, not all\n", file, cases - before);
	}
}

int main(int argc, char **argv)
{
	char folder[512];

	if (sodium_init() < 0)
		return 1;
	if (!cs_test_folder(argc, argv, "wycheproof", "wycheproof", folder))
		return CS_TEST_SKIP;
	run_file(folder, "ed25519_test.json", CS_ALG_EDDSA, "pk");
	run_file(folder, "ecdsa_secp256r1_sha256_p1363_test.json", CS_ALG_ES256, "uncompressed");
	printf("conformance wycheproof: %u cases, %u failed\n", cases, failed);
	return failed ? 1 : 0;
}
