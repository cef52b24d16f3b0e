/*
 * One token: found by URI, logged in to with a PIN, used through one session.
 *
 * A token is looked at again before every login, and whenever a call fails: a token that does not
 * answer any more, or that is another one now, is CS_E_TOKEN_REMOVED, whatever the module called
 * the failure. Nothing here tries anything twice by itself; cs_token_recover is one attempt, made
 * when the caller asks for it.
 *
 * Login belongs to the process, not to the session (PKCS #11 section 5.6): two `struct cs_token`
 * for one token share it.
 */
#ifndef CS_PKCS11_TOKEN_H
#define CS_PKCS11_TOKEN_H

#include <stdint.h>
#include "pin.h"
#include "slot.h"

struct cs_token;

/*
 * Finds the one initialised token that matches and opens a read-only session. The module stays the
 * caller's and outlives the token. Errors of cs_slot_find and, for C_OpenSession, of cs_ckr_err;
 * CS_E_NOMEM.
 */
CS_MUST_CHECK enum cs_err cs_token_open(struct cs_module *module, const struct cs_token_uri *uri,
	struct cs_token **ret_token, struct cs_fault *fault);
/*
 * Closes the session, which ends the login when no other session of this process is left on the
 * token. NULL is fine.
 */
void cs_token_close(struct cs_token *token);
void cs_token_cleanup(struct cs_token **token);
#define CS_CLEANUP_TOKEN __attribute__((cleanup(cs_token_cleanup)))

/* As it was when the token was opened; recovery accepts no other one. Borrowed. */
const struct cs_token_identity *cs_token_identity(const struct cs_token *token);

#define CS_LOGIN_LAST_TRY 1u /* a person said so: log in even if a wrong PIN would lock the token */

/*
 * C_Login as user, one call at most. `pin` may be NULL for a token with its own keypad.
 *
 *	CS_E_PIN_LOCKED		the PIN is locked (then no call was made), or it locked now
 *	CS_E_PIN_LAST_TRY	one try is left, and CS_LOGIN_LAST_TRY not given;
 *				no call was made
 *	CS_E_PIN		wrong PIN, which is marked (pin.h): given again, it is
 *				refused without a call
 *	CS_E_PIN_SOURCE		no PIN, and no keypad
 *	CS_E_TOKEN_REMOVED	token gone, or another one in its place
 *	and the other errors of cs_ckr_err
 *
 * CS_OK without a check of the PIN when this process is logged in already. A token that does not
 * report its tries (YubiHSM, SoftHSM) never gives the two refusals without a call.
 */
CS_MUST_CHECK enum cs_err cs_token_login(
	struct cs_token *token, struct cs_pin *pin, unsigned flags, struct cs_fault *fault);

/*
 * After CS_E_TOKEN_REMOVED or any other failure: finds the same token again (by URI, then by
 * product and serial), opens a new session and logs in with the rules above. When that fails for
 * another reason than the PIN and no other token of the module is open, the module is restarted
 * and all that done once more. Keys find their objects again by themselves. CS_E_TOKEN_MISSING
 * while it is not back or another one is there; errors of cs_token_login.
 */
CS_MUST_CHECK enum cs_err cs_token_recover(
	struct cs_token *token, struct cs_pin *pin, struct cs_fault *fault);

/*
 * Is the token there, the same, and logged in? CS_E_TOKEN_REMOVED, CS_E_STATE (not logged in),
 * errors of cs_ckr_err.
 */
CS_MUST_CHECK enum cs_err cs_token_check(struct cs_token *token, struct cs_fault *fault);

/*
 * Initialises the one uninitialised token that `where` matches (NULL: any): label of 1..32 bytes,
 * SO PIN, user PIN. Then finds it again by label and serial, because modules renumber slots, and
 * gives its identity. Everything on it is lost: tokens that are initialised already are not
 * touched. CS_E_TOKEN_MISSING and CS_E_TOKEN_AMBIGUOUS for uninitialised tokens, CS_E_USAGE
 * (label), CS_E_PIN (length outside the token's limits; nothing was done), errors of cs_ckr_err.
 */
CS_MUST_CHECK enum cs_err cs_token_init(struct cs_module *module, const struct cs_token_uri *where,
	const char *label, const struct cs_pin *so_pin, const struct cs_pin *user_pin,
	struct cs_token_identity *ret_identity, struct cs_fault *fault);

/* ---- for the rest of pkcs11/, with the module's lock held ---- */

struct cs_module *cs_token_module(const struct cs_token *token);
/* CS_E_STATE after a fork or while there is no session (a failed recovery). */
CS_MUST_CHECK enum cs_err cs_token_session(
	const struct cs_token *token, CK_SESSION_HANDLE *ret_session, struct cs_fault *fault);
/* Grows with each recovery; object handles of an older generation mean nothing. */
uint64_t cs_token_generation(const struct cs_token *token);
/*
 * A read-write session beside the token's own one; the caller closes it with C_CloseSession.
 * Errors of cs_ckr_err.
 */
CS_MUST_CHECK enum cs_err cs_token_open_writable(
	struct cs_token *token, CK_SESSION_HANDLE *ret_session, struct cs_fault *fault);
/*
 * The login that a key with CKA_ALWAYS_AUTHENTICATE wants between C_SignInit and C_Sign
 * (CKU_CONTEXT_SPECIFIC), by the rules of cs_token_login without CS_LOGIN_LAST_TRY.
 */
CS_MUST_CHECK enum cs_err cs_token_login_for_operation(
	struct cs_token *token, struct cs_pin *pin, struct cs_fault *fault);
/* Another session in the place of one that an unfinished operation blocks. Keeps the login. */
void cs_token_renew_session(struct cs_token *token);
/*
 * cs_ckr_fault for a call on this token that failed, after a look at the token: CS_E_TOKEN_REMOVED
 * when it is gone or another one, CS_E_STATE when a key handle is not valid because the login has
 * ended.
 */
enum cs_err cs_token_fault(
	struct cs_token *token, const char *call, CK_RV rv, struct cs_fault *fault);

#endif
