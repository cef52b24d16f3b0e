/*
 * The one list of everything that can be refused or go wrong.
 *
 * A fallible function returns `enum cs_err` and writes its `ret_…` arguments only on CS_OK.
 * Functions that judge somebody else's input also take a `struct cs_fault *` (may be NULL), which says
 * where (a JSON pointer, RFC 6901, or a field name) and why, for the message a person reads.
 * The names are stable: they travel over the Varlink socket, the signer wire and in exit messages.
 */
#ifndef COUNTERSIGN_ERROR_H
#define COUNTERSIGN_ERROR_H

#define CS_MUST_CHECK __attribute__((warn_unused_result))
#define CS_PRINTF(fmt, args) __attribute__((format(printf, fmt, args)))

/* X(symbol, stable name, text) */
#define CS_ERRORS(X) \
	/* general */ \
	X(CS_OK, "ok", "no error") \
	X(CS_E_NOMEM, "out_of_memory", "out of memory") \
	X(CS_E_INTERNAL, "internal", "internal error") \
	X(CS_E_USAGE, "usage", "wrong usage") \
	X(CS_E_IO, "io", "input or output failed") \
	X(CS_E_TOO_LARGE, "too_large", "larger than the limit") \
	X(CS_E_NOT_FOUND, "not_found", "no such object") \
	X(CS_E_EXISTS, "exists", "already exists") \
	X(CS_E_TIMEOUT, "timeout", "the deadline passed") \
	X(CS_E_BUSY, "busy", "too much work is queued; try again later") \
	X(CS_E_UNSUPPORTED, "unsupported", "not supported") \
	X(CS_E_PERMISSION, "permission_denied", "not permitted for this caller") \
	X(CS_E_STATE, "wrong_state", "not possible in this state") \
	X(CS_E_CONFIG, "bad_setting", "a setting is wrong") \
	/* canonical form (RFC 8785, RFC 8259) */ \
	X(CS_E_JSON_NUL, "nul_byte", "a byte 00") \
	X(CS_E_JSON_BOM, "byte_order_mark", "a byte order mark") \
	X(CS_E_JSON_UTF8, "invalid_utf8", "invalid UTF-8") \
	X(CS_E_JSON_SURROGATE, "lone_surrogate", "a lone surrogate") \
	X(CS_E_JSON_DUPLICATE, "duplicate_key", "a key that occurs twice") \
	X(CS_E_JSON_DEPTH, "too_deep", "nested deeper than 64 levels") \
	X(CS_E_JSON_TRAILING, "trailing_data", "something after the value") \
	X(CS_E_JSON_INEXACT, "inexact_integer", "an integer that no double holds exactly") \
	X(CS_E_JSON_RANGE, "number_range", "a number beyond the range of a double") \
	X(CS_E_JSON_NUL_KEY, "nul_in_key", "a key that holds U+0000") \
	X(CS_E_JSON_SYNTAX, "syntax", "not JSON") \
	X(CS_E_NOT_CANONICAL, "not_canonical", "not in canonical form") \
	/* text, encodings, times, identifiers */ \
	X(CS_E_TEXT, "forbidden_character", "a character that text may not hold") \
	X(CS_E_BASE64, "bad_base64url", "not canonical base64url without padding") \
	X(CS_E_HEX, "bad_hex", "not lower-case hexadecimal of the right length") \
	X(CS_E_ADDRESS, "bad_address", "not an address (sha256: and 64 hexadecimal digits)") \
	X(CS_E_ADDRESS_MISMATCH, "address_mismatch", "the address is not that of the content") \
	X(CS_E_TIME, "bad_time", "not an RFC 3339 time in UTC ending in Z") \
	X(CS_E_ID, "bad_identifier", "not a KYE identifier of the right class") \
	/* JSON Schema */ \
	X(CS_E_SCHEMA_UNSUPPORTED, "schema_unsupported", "the schema uses a keyword or reference not supported") \
	X(CS_E_SCHEMA_INVALID, "schema_invalid", "the schema itself is wrong") \
	X(CS_E_SCHEMA_UNKNOWN, "schema_unknown", "no such schema") \
	X(CS_E_DOCUMENT_INVALID, "document_invalid", "the document does not match its schema") \
	X(CS_E_MATCH_LIMIT, "match_limit", "a pattern needed more steps than allowed") \
	/* keys and signatures */ \
	X(CS_E_KEY, "bad_key", "not a usable public key") \
	X(CS_E_ALGORITHM, "algorithm_mismatch", "the algorithm is not the key's") \
	X(CS_E_SIGNATURE_FORM, "bad_signature_form", "not a signature in the form demanded") \
	X(CS_E_SIGNATURE, "bad_signature", "the signature does not verify") \
	X(CS_E_SIGNATURE_HIGH_S, "high_s", "an ECDSA signature with high S") \
	X(CS_E_KEY_UNKNOWN, "key_unknown", "the key is not enrolled") \
	X(CS_E_KEY_REVOKED, "key_revoked", "the key is revoked") \
	X(CS_E_KEY_WINDOW, "key_not_valid_at_time", "the key is not valid at that time") \
	X(CS_E_KEY_USAGE, "key_usage", "the key may not sign this kind of document") \
	X(CS_E_KEY_ENTITY, "key_entity", "the key belongs to another entity") \
	X(CS_E_CERTIFICATE, "bad_certificate", "the session certificate is not valid") \
	/* log */ \
	X(CS_E_NOTE, "bad_note", "not a well-formed signed note") \
	X(CS_E_CHECKPOINT, "bad_checkpoint", "not a well-formed checkpoint") \
	X(CS_E_PROOF, "bad_proof", "the inclusion proof does not lead to the checkpoint") \
	X(CS_E_LOG_GAP, "log_gap", "the log index is beyond the next one") \
	X(CS_E_LOG_FORK, "log_fork", "another leaf or tree head stands at this place in the log") \
	X(CS_E_LOG_ROLLBACK, "log_rollback", "the log is behind what was signed before") \
	X(CS_E_LOG_ORIGIN, "log_origin", "another log origin") \
	/* trust set and policy */ \
	X(CS_E_TRUST_GENESIS, "genesis_mismatch", "the first version is not the pinned one") \
	X(CS_E_TRUST_CHAIN, "broken_chain", "the version does not follow its predecessor") \
	X(CS_E_TRUST_ROLLBACK, "version_rollback", "an older version than one already used") \
	X(CS_E_TRUST_CONFLICT, "version_conflict", "the same version with other content") \
	X(CS_E_TRUST_EARLY, "not_in_force_yet", "no version is in force yet") \
	X(CS_E_TRUST_UNSIGNED, "missing_signature", "fewer than two signatures") \
	X(CS_E_TRUST_SIGNERS, "wrong_signers", "not signed by two people in the roles that must sign") \
	X(CS_E_TRUST_SELF_RAISE, "signer_raises_own_rights", "a signer adds or raises own keys or roles") \
	X(CS_E_TRUST_REMOVED, "removed_entry", "an entry was removed or rewritten instead of ended") \
	X(CS_E_TRUST_DUPLICATE, "duplicate_identifier", "an identifier that occurs twice") \
	X(CS_E_TRUST_REFERENCE, "dangling_reference", "a reference to an entry that does not exist") \
	X(CS_E_TRUST_TOKEN, "bad_token_identity", "the token has no usable identity") \
	X(CS_E_TRUST_ENROLMENT, "bad_enrolment", "the enrolment challenge does not prove the key") \
	X(CS_E_TRUST_OFFICERS, "too_few_security_officers", "fewer than two security officers") \
	X(CS_E_POLICY_QUORUM, "quorum_too_small", "an irreversible class with fewer than two people") \
	X(CS_E_POLICY_CONTROLS, "controls_missing", "a level whose controls are not filled in") \
	X(CS_E_POLICY_CAPABILITY, "capability_ambiguous", "a capability mapped to more than one class") \
	X(CS_E_POLICY, "bad_policy", "a policy that contradicts itself") \
	/* approvals and quorum */ \
	X(CS_E_APPROVAL_MISSING, "approval_missing", "a slot of the quorum is not filled") \
	X(CS_E_APPROVAL_SAME_PERSON, "approval_same_person", "one person in two slots") \
	X(CS_E_APPROVAL_SAME_KEY, "approval_same_key", "one key in two slots") \
	X(CS_E_APPROVAL_SAME_TOKEN, "approval_same_token", "one token in two slots") \
	X(CS_E_APPROVAL_REQUESTER, "approval_by_requester", "the requester may fill the engineer slot only") \
	X(CS_E_APPROVAL_ROLE, "approval_role_not_held", "the approver does not hold the signed role") \
	X(CS_E_APPROVAL_SCOPE, "approval_role_out_of_scope", "the role does not cover this service and environment") \
	X(CS_E_APPROVAL_ACTION, "approval_other_action", "the approval is for another action") \
	X(CS_E_APPROVAL_CLASS, "approval_other_class", "the approval is for another action class or change class") \
	X(CS_E_APPROVAL_POLICY, "approval_other_policy", "the approval is for another policy version") \
	X(CS_E_APPROVAL_TRUST_SET, "approval_other_trust_set", "the approval is for another trust set version") \
	X(CS_E_APPROVAL_AUDIENCE, "approval_other_appliance", "the approval is for another appliance") \
	X(CS_E_APPROVAL_BINDING, "approval_binding", "the approval's binding disagrees with the documents") \
	X(CS_E_APPROVAL_EXPIRED, "approval_expired", "the approval's window has passed") \
	X(CS_E_APPROVAL_EARLY, "approval_early", "the approval was decided outside the time allowed") \
	X(CS_E_APPROVAL_WINDOW, "approval_window_too_long", "the approval's window is longer than the policy allows") \
	X(CS_E_APPROVAL_REJECTED, "approval_rejected", "the decision is not an approval") \
	X(CS_E_APPROVAL_SLOT, "approval_slot", "no open slot for this role") \
	X(CS_E_APPROVAL_DUPLICATE, "approval_duplicate", "the same approval twice") \
	X(CS_E_APPROVAL_ASSURANCE, "approval_assurance", "the class demands an attested token") \
	X(CS_E_BRIEF_MISMATCH, "brief_mismatch", "the brief is not what the documents compose to") \
	/* statement and signer */ \
	X(CS_E_STATEMENT_SHAPE, "statement_shape", "not a statement this signer ever signs") \
	X(CS_E_STATEMENT_EVIDENCE, "statement_evidence", "the evidence for this kind of statement is not complete") \
	X(CS_E_STATEMENT_MISMATCH, "statement_mismatch", "the statement and its evidence disagree") \
	X(CS_E_STATEMENT_LAX, "statement_too_lax", "the statement demands less than the policy does") \
	X(CS_E_STATEMENT_POLICY, "statement_other_policy", "the statement names another policy version") \
	X(CS_E_STATEMENT_TRUST_SET, "statement_other_trust_set", "the statement names another trust set version") \
	X(CS_E_STATEMENT_TIME, "statement_time", "issued_at is too far from the clock or before the last leaf") \
	X(CS_E_STATEMENT_WINDOW, "statement_window", "not_after is missing, past or later than an approval's") \
	X(CS_E_CLOCK, "clock_behind", "the clock is behind what was signed or in force before") \
	X(CS_E_CONSUMED, "action_consumed", "the action was already decided") \
	X(CS_E_FRAME, "bad_frame", "a malformed frame") \
	X(CS_E_OPERATION, "unknown_operation", "an operation this signer does not have") \
	/* tokens */ \
	X(CS_E_URI, "bad_pkcs11_uri", "not a PKCS#11 URI that is accepted") \
	X(CS_E_MODULE, "module_missing", "the PKCS#11 module cannot be loaded") \
	X(CS_E_TOKEN_MISSING, "token_missing", "no such token") \
	X(CS_E_TOKEN_AMBIGUOUS, "token_ambiguous", "more than one token matches") \
	X(CS_E_TOKEN_REMOVED, "token_removed", "the token was removed") \
	X(CS_E_TOKEN, "token_failed", "the token failed") \
	X(CS_E_TOKEN_KEY, "token_key_missing", "no such key on the token") \
	X(CS_E_TOKEN_KEY_AMBIGUOUS, "token_key_ambiguous", "more than one key on the token matches") \
	X(CS_E_TOKEN_MECHANISM, "mechanism_missing", "the token does not have the mechanism") \
	X(CS_E_PIN, "pin_incorrect", "wrong PIN") \
	X(CS_E_PIN_LOCKED, "pin_locked", "the PIN is locked") \
	X(CS_E_PIN_LAST_TRY, "pin_last_try", "refused: only one try is left before the PIN locks") \
	X(CS_E_PIN_SOURCE, "pin_source", "the PIN cannot be read from where the settings say") \
	X(CS_E_SIGNATURE_SELF, "token_signature_wrong", "the token made a signature that does not verify") \
	/* appliance */ \
	X(CS_E_SERVICE, "service_unavailable", "the appliance cannot be reached") \
	X(CS_E_SIGNER_DOWN, "signer_unavailable", "the signer or its token is not available") \
	X(CS_E_STORE, "store_failed", "the store failed") \
	X(CS_E_IDEMPOTENCY, "idempotency_conflict", "the idempotency key was used for another request") \
	X(CS_E_PACK, "bad_pack", "the evidence pack does not hold together") \
	X(CS_E_NOT_AUTHORISED, "not_an_authorisation", "authentic, but not an authorisation for this request")

enum cs_err {
#define CS_ERROR_SYMBOL(symbol, name, text) symbol,
	CS_ERRORS(CS_ERROR_SYMBOL)
#undef CS_ERROR_SYMBOL
	CS_ERR_COUNT
};

/* Stable name, such as "duplicate_key"; "unknown" outside the list. Static storage. */
const char *cs_err_name(enum cs_err err);
/* One-line English text for a person. Static storage. */
const char *cs_err_text(enum cs_err err);
/* The error with this stable name, or CS_ERR_COUNT. */
enum cs_err cs_err_by_name(const char *name);

/* Where and why an input was refused. Both strings are always terminated and already safe to show. */
struct cs_fault {
	char path[192];		/* JSON pointer or field name; "" is the whole document */
	char detail[320];	/* the reason, with the values that matter */
};

/*
 * Fills `fault` (may be NULL) and returns `err`, so that a refusal is one line:
 *	return cs_fault_set(fault, CS_E_TIME, "/issued_at", "'%s' has no Z", text);
 * Foreign text goes through cs_text_show() semantics: control and format characters are escaped.
 */
enum cs_err cs_fault_set(struct cs_fault *fault, enum cs_err err, const char *path, const char *fmt, ...)
	CS_PRINTF(4, 5);

#endif
