/*
 * The engine's session key, as the appliance's document key on its token certified it.
 */
#ifndef CS_COMMAND_ENGINE_H
#define CS_COMMAND_ENGINE_H

#include "approver.h"

struct cs_engine_identity {
	const char *kid; /* borrowed from the certificate */
	const char *entity;
	struct cs_public_key key;
};

/*
 * Judges a countersign.engine_certificate.v1 (its schema was checked) under the document key that
 * the pinned trust set gives the appliance, for use at `at`; that key must not be revoked at `now`.
 * CS_E_CERTIFICATE: another appliance or origin, a life of more than CS_CERTIFICATE_SECONDS, not
 * valid at `at`. CS_E_KEY_…, CS_E_SIGNATURE.
 */
CS_MUST_CHECK enum cs_err cs_engine_check(const struct cs_approver *approver,
	const json_t *certificate, cs_time at, cs_time now, struct cs_engine_identity *ret_engine,
	struct cs_fault *fault);

/*
 * The inline signature of a document that the engine may sign: CS_E_KEY_USAGE and the errors of
 * cs_inline_verify; `path` is for the fault.
 */
CS_MUST_CHECK enum cs_err cs_engine_signed(const struct cs_engine_identity *engine,
	const json_t *document, const char *path, struct cs_fault *fault);

#endif
