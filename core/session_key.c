#include "session_key.h"

#include <sodium.h>
#include <stdlib.h>
#include <string.h>

struct cs_session_key {
	struct cs_signer signer;
	char *kid;
	uint8_t *secret; /* crypto_sign_SECRETKEYBYTES, no access between uses */
};

static enum cs_err sign(void *context, const void *message, size_t message_len, uint8_t *signature)
{
	struct cs_session_key *key = context;

	if (sodium_mprotect_readonly(key->secret) != 0)
		return CS_E_INTERNAL;
	int signed_ok = crypto_sign_detached(signature, NULL, message, message_len, key->secret);
	int closed = sodium_mprotect_noaccess(key->secret);
	return signed_ok == 0 && closed == 0 ? CS_OK : CS_E_INTERNAL;
}

static enum cs_err fill(struct cs_session_key *key, const char *kid, const uint8_t *seed)
{
	uint8_t public_key[crypto_sign_PUBLICKEYBYTES];

	key->kid = strdup(kid);
	key->secret = sodium_malloc(crypto_sign_SECRETKEYBYTES);
	if (key->kid == NULL || key->secret == NULL)
		return CS_E_NOMEM;
	/* sodium_malloc locks too but does not say whether it could. */
	if (sodium_mlock(key->secret, crypto_sign_SECRETKEYBYTES) != 0)
		return CS_E_NOMEM;
	if (crypto_sign_seed_keypair(public_key, key->secret, seed) != 0 ||
		sodium_mprotect_noaccess(key->secret) != 0)
		return CS_E_INTERNAL;
	key->signer.kid = key->kid;
	key->signer.sign = sign;
	key->signer.context = key;
	return cs_public_key_set(CS_ALG_EDDSA, public_key, sizeof public_key, &key->signer.key);
}

enum cs_err cs_session_key_make(
	const char *kid, uint8_t seed[CS_SESSION_SEED], struct cs_session_key **ret_key)
{
	struct cs_session_key *key = calloc(1, sizeof *key);
	enum cs_err err = key ? fill(key, kid, seed) : CS_E_NOMEM;

	sodium_memzero(seed, CS_SESSION_SEED);
	if (err != CS_OK) {
		cs_session_key_free(key);
		return err;
	}
	*ret_key = key;
	return CS_OK;
}

const struct cs_signer *cs_session_key_signer(const struct cs_session_key *key)
{
	return &key->signer;
}

void cs_session_key_free(struct cs_session_key *key)
{
	if (key == NULL)
		return;
	sodium_free(key->secret); /* opens the pages and wipes them; NULL is fine */
	free(key->kid);
	free(key);
}
