/*
 * A short-lived Ed25519 key of this process, which a key on a token certifies.
 *
 * The private key lives in pages of its own (libsodium sodium_malloc: guard pages, locked against
 * swap, left out of core dumps) that are readable only while it signs, and is wiped when freed. Not
 * thread-safe: two threads that sign with one key would close the pages under each other.
 */
#ifndef CS_SESSION_KEY_H
#define CS_SESSION_KEY_H

#include "signature.h"

#define CS_SESSION_SEED 32

struct cs_session_key;

/*
 * From 32 random bytes (RFC 8032 section 5.1.5), which are wiped, also on failure. `kid` is copied.
 * Free with cs_session_key_free. CS_E_NOMEM, also when the limit on locked memory (RLIMIT_MEMLOCK)
 * does not allow the page.
 */
CS_MUST_CHECK enum cs_err cs_session_key_make(
	const char *kid, uint8_t seed[CS_SESSION_SEED], struct cs_session_key **ret_key);
/*
 * Borrowed: lives as long as the key. Its `sign` returns CS_OK, or CS_E_INTERNAL when the pages
 * cannot be opened.
 */
const struct cs_signer *cs_session_key_signer(const struct cs_session_key *key);
void cs_session_key_free(struct cs_session_key *key);

#endif
