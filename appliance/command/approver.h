/*
 * The approver's own side: their settings, the trust set and policy that they pin, and their
 * token. Nothing here comes from the appliance.
 *
 * Settings are one JSON object: person, kid, module, token (a PKCS #11 URI, RFC 7512), label,
 * trust_directory, trust_genesis, policy_directory, policy_genesis; optional: origin (needed when
 * the trust set has more than one appliance) and policy_accepted (addresses of policy versions
 * that this person accepted before, and whose signers' keys or roles have ended since).
 */
#ifndef CS_APPROVER_H
#define CS_APPROVER_H

#include "policy.h"
#include "pkcs11/sign.h"

#define CS_POLICIES_ACCEPTED_MAX 64

struct cs_approver {
	json_t *config;
	const char *person; /* these borrow from `config` */
	const char *kid;
	const char *module_path;
	const char *token_uri;
	const char *label;
	const char *audience; /* log origin of the appliance; borrows from `config` or `trust` */
	struct cs_schema_registry *registry;
	struct cs_trust *trust;
	struct cs_policy *policy;
	const struct cs_key_info *enrolled; /* the key `kid`, by the trust set */
};

/*
 * Reads the settings and loads what they pin. CS_E_CONFIG for a member that is missing, unknown
 * or of another type, for an appliance that the trust set does not have, and when several are
 * possible. Errors of cs_trust_load and cs_policy_load. Free with cs_approver_free.
 */
CS_MUST_CHECK enum cs_err cs_approver_load(
	const char *path, cs_time now, struct cs_approver **ret_approver, struct cs_fault *fault);
void cs_approver_free(struct cs_approver *approver); /* NULL is fine */
void cs_approver_cleanup(struct cs_approver **approver);
#define CS_CLEANUP_APPROVER __attribute__((cleanup(cs_approver_cleanup)))

/* The person's token, opened but not logged in to. Zero-initialise. */
struct cs_approver_token {
	struct cs_module *module;
	struct cs_token *token;
	struct cs_pin *pin;
	struct cs_token_key *key;
	struct cs_token_signer signer;
};

/*
 * Opens the token and checks that it is the one on which the trust set says this person's key was
 * enrolled, before any PIN is asked for. CS_E_TRUST_TOKEN for another token, errors of
 * cs_module_open and cs_token_open.
 */
CS_MUST_CHECK enum cs_err cs_approver_token_open(const struct cs_approver *approver,
	struct cs_approver_token *token, struct cs_fault *fault);
/*
 * Asks for the PIN on the terminal, logs in, and finds the key. What signs afterwards is
 * token->signer.signer, whose every signature is checked against the enrolled public key. Errors
 * of cs_pin_prompt, cs_token_login and cs_token_key_find.
 */
CS_MUST_CHECK enum cs_err cs_approver_token_login(const struct cs_approver *approver,
	struct cs_approver_token *token, struct cs_fault *fault);
void cs_approver_token_close(struct cs_approver_token *token);
#define CS_CLEANUP_APPROVER_TOKEN __attribute__((cleanup(cs_approver_token_close)))

#endif
