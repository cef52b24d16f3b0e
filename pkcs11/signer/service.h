/*
 * One running signer: its settings, the signed files it trusts, its memory and its three keys on
 * one token.
 */
#ifndef CS_SIGNER_SERVICE_H
#define CS_SIGNER_SERVICE_H

#include <sys/types.h>
#include "frontier.h"
#include "policy.h"
#include "settings.h"
#include "signer_keys.h"

struct cs_service {
	struct cs_settings *settings;
	struct cs_schema_registry *registry;
	const char *origin; /* borrowed from the settings */
	uid_t broker;	    /* the one user whose frames are read */
	struct cs_signer_frontier *frontier;
	struct cs_trust *trust;
	struct cs_policy *policy;
	cs_time load_at;	     /* when to load by itself again; CS_TIME_MAX: never */
	struct cs_signer_keys *keys; /* NULL until the token was there once */
	/* CS_OK, or why the PIN was refused: it is not offered again before a reload. */
	enum cs_err pin_err;
	struct cs_fault pin_fault;
};

/*
 * Reads settings, opens the journal, loads the trust sets and policies in force from files that
 * the broker cannot write, and records their versions. The token is not touched. Errors of what
 * is read, each with its place. Close with cs_service_close.
 */
CS_MUST_CHECK enum cs_err cs_service_open(
	const char *settings_path, struct cs_service *ret_service, struct cs_fault *fault);
void cs_service_close(struct cs_service *service);

/*
 * Loads trust sets and policies anew (SIGHUP). Versions still to come are left out, not recorded,
 * and remembered in `load_at`. On any error the old ones stay in force. CS_E_TRUST_ROLLBACK,
 * CS_E_TRUST_CONFLICT, CS_E_CLOCK (a version used before is still to come) and the errors of
 * cs_versions_in_force, cs_trust_load and cs_policy_load.
 */
CS_MUST_CHECK enum cs_err cs_service_reload(struct cs_service *service, struct cs_fault *fault);

/*
 * Loads them by itself once `load_at` is reached: to be called with the time at which something is
 * about to be judged. What cannot be loaded is logged and tried again after
 * CS_VERSIONS_RETRY_SECONDS; meanwhile the old ones stay in force. A PIN that was refused stays so.
 */
void cs_service_advance(struct cs_service *service, cs_time now);

/*
 * Makes the token usable: opens it the first time, recovers it after a failure. One attempt; a
 * wrong PIN is never tried twice. CS_OK when the keys are ready.
 */
CS_MUST_CHECK enum cs_err cs_service_ready(struct cs_service *service, struct cs_fault *fault);

/*
 * For a signature that failed with `err`: says why in `fault`, gives the token up and returns
 * `err`. The next cs_service_ready opens module, session and keys anew, because a session or an
 * object handle that failed once may never work again though the token answers.
 */
enum cs_err cs_service_failed(struct cs_service *service, enum cs_err err, struct cs_fault *fault);

#endif
