/*
 * Verification: offline, from public keys alone. Every check has a name and says passed, failed or
 * not checked.
 */
#ifndef CS_VERIFY_H
#define CS_VERIFY_H

#include "pack.h"

struct cs_verify_input {
	struct cs_schema_registry *registry;
	const struct cs_keyring *ring; /* from published keys or trust sets */
	const struct cs_trust *trust;  /* NULL without the trust sets */
	const json_t *document;	       /* a pack, or a published payload + signature artefact */
	bool expect_allow;
	const json_t *request; /* with expect_allow: the countersign.action_request.v1 */
	cs_time now;	       /* with expect_allow: must lie inside the statement's window */
	bool stop_at_first;    /* give up at the first failed check */
};

/*
 * Gives the verdict, never an error about the document itself: only CS_E_NOMEM and CS_E_INTERNAL
 * fail. `ret_verdict` (caller owns): {authentic: bool, authorised: bool, kind: "pack" | "payload",
 * decision, action, action_class, change_class, oversight, issued_at, not_after, signer, assurance
 * ("test" when a software token counts, else "hardware"; null unless an authentic pack), restrictions[] of
 * the allow, which whoever executes keeps to, genesis, revocations_as_of, approvals[]
 * of {approver, role, kid, decision, decided_at}, checks[] of {name, result: "passed" | "failed" |
 * "not_checked", code, detail}, not_checked[] of names, summary}. `summary` is one line such as
 * "authentic; decision: deny; NOT an authorisation".
 */
CS_MUST_CHECK enum cs_err cs_verify(const struct cs_verify_input *input, json_t **ret_verdict);

#endif
