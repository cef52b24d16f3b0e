/*
 * The broker's memory: SQLite in WAL mode with synchronous=FULL, so that what was committed
 * survives a power cut.
 *
 * Documents are kept as canonical bytes. Every function is one statement or a few; a caller that
 * needs several to hold together puts them between cs_store_begin and cs_store_commit. Errors of
 * SQLite are logged here, once, and become CS_E_STORE. The log in here is a copy of what the signer
 * appended: its hashes, not the database, prove that it is whole.
 */
#ifndef CS_STORE_H
#define CS_STORE_H

#include "action_state.h"
#include "statement.h"

#define CS_STORE_VERSION 1     /* PRAGMA user_version */
#define CS_IDEMPOTENCY_MAX 128 /* characters of an idempotency key */
#define CS_ACTION_ID_TEXT 64

struct cs_store;

/*
 * Opens or creates DIRECTORY/countersign.db, alone: a second daemon on it is refused (CS_E_BUSY).
 * CS_E_UNSUPPORTED for another schema version, CS_E_STORE. With the log's leaves hashed again:
 * CS_E_LOG_FORK when a stored statement is not the leaf that was sealed, or an index is missing;
 * `ret_frontier` is the log's.
 */
CS_MUST_CHECK enum cs_err cs_store_open(const char *directory, struct cs_store **ret_store,
	struct cs_frontier *ret_frontier, struct cs_fault *fault);
void cs_store_close(struct cs_store *store);

/* One transaction at a time; no nesting. Rollback is also what a failed commit leaves behind. */
CS_MUST_CHECK enum cs_err cs_store_begin(struct cs_store *store);
CS_MUST_CHECK enum cs_err cs_store_commit(struct cs_store *store);
void cs_store_rollback(struct cs_store *store);

/* ---- versions of trust set and policy that were in force here ---- */

/*
 * Notes that this version is in force. CS_E_TRUST_ROLLBACK when a newer one was,
 * CS_E_TRUST_CONFLICT when the same one had another address. `kind` is "trust_set" or "policy".
 */
CS_MUST_CHECK enum cs_err cs_store_version_note(struct cs_store *store, const char *kind,
	int64_t version, const char *address, cs_time now, struct cs_fault *fault);
/* Addresses of all versions noted, as an array of strings. Caller owns. */
CS_MUST_CHECK enum cs_err cs_store_versions(
	struct cs_store *store, const char *kind, json_t **ret_addresses);

/* ---- actions ---- */

struct cs_action {
	int64_t seq; /* order of arrival; page mark */
	char id[CS_ACTION_ID_TEXT];
	char address[CS_ADDRESS_TEXT]; /* of the core */
	char caller[CS_ID_MAX + 1];
	char idempotency[CS_IDEMPOTENCY_MAX + 1]; /* "" is none */
	char request[CS_ADDRESS_TEXT];		  /* address of the request */
	char capability[CS_ID_MAX + 1];
	enum cs_action_state state;
	bool sealed;
	char outcome[32]; /* sealed outcome; "" before */
	char reason[65];  /* reason code of the newest decision */
	/* error name: the signer refuses to seal it as it is; "" is not */
	char refused[65];
	char policy[CS_ADDRESS_TEXT]; /* versions that the gate ran on */
	char trust_set[CS_ADDRESS_TEXT];
	cs_time created_at, updated_at;
	cs_time expires_at; /* CS_TIME_MAX is never */
	cs_time not_after;  /* CS_TIME_MAX is none */
	int64_t log_index;  /* -1 before it is sealed */
};

/* The documents that belong to an action. */
enum cs_action_document {
	CS_DOCUMENT_CORE,
	CS_DOCUMENT_GATE,     /* first gate result, unsigned */
	CS_DOCUMENT_STATE,    /* the state it ran on */
	CS_DOCUMENT_MAP,      /* consequence map, unsigned; absent when nobody is asked */
	CS_DOCUMENT_DECISION, /* newest gate result, unsigned */
	CS_DOCUMENT_COUNT
};

/*
 * Inserts with its documents (NULL is absent); sets action->seq. CS_E_EXISTS for an idempotency key
 * or core that is there already.
 */
CS_MUST_CHECK enum cs_err cs_store_action_add(struct cs_store *store, struct cs_action *action,
	const json_t *const documents[CS_DOCUMENT_COUNT]);
/* CS_E_NOT_FOUND. */
CS_MUST_CHECK enum cs_err cs_store_action(
	struct cs_store *store, const char *id, struct cs_action *ret_action);
CS_MUST_CHECK enum cs_err cs_store_action_by_key(struct cs_store *store, const char *caller,
	const char *idempotency, struct cs_action *ret_action);
/* CS_E_NOT_FOUND when absent. Caller owns. */
CS_MUST_CHECK enum cs_err cs_store_action_document(struct cs_store *store,
	const struct cs_action *action, enum cs_action_document which, json_t **ret_doc);
/*
 * Moves to another state along the table (CS_E_STATE otherwise); `action` is updated. The store
 * refuses when the row is no longer in action->state.
 */
CS_MUST_CHECK enum cs_err cs_store_action_move(struct cs_store *store, struct cs_action *action,
	enum cs_action_state to, cs_time now, struct cs_fault *fault);
/*
 * The signer will not seal it as it is: it stays for an operator, and the sealer leaves it alone.
 */
CS_MUST_CHECK enum cs_err cs_store_action_refuse(
	struct cs_store *store, const struct cs_action *action, enum cs_err code);
/* Forgets such refusals, to try once more after a start or a reload. */
CS_MUST_CHECK enum cs_err cs_store_refusals_forget(struct cs_store *store);

/*
 * Newest first: up to `limit` actions with seq below `before` (INT64_MAX: all), of one caller or
 * all (NULL), waiting ones only or all. Calls `each` for one after the other; it must not use the
 * store. Its first error ends the walk.
 */
CS_MUST_CHECK enum cs_err cs_store_actions(struct cs_store *store, const char *caller, bool waiting,
	int64_t before, int64_t limit,
	enum cs_err (*each)(void *context, const struct cs_action *action), void *context);

/* Actions of this caller that are not final, and those that came since a time. */
CS_MUST_CHECK enum cs_err cs_store_count_open(
	struct cs_store *store, const char *caller, int64_t *ret_count);
CS_MUST_CHECK enum cs_err cs_store_count_since(
	struct cs_store *store, const char *caller, cs_time since, int64_t *ret_count);
/* For the status: waiting for people; decided and not sealed; refused by the signer. */
CS_MUST_CHECK enum cs_err cs_store_count_states(
	struct cs_store *store, int64_t *ret_waiting, int64_t *ret_unsealed, int64_t *ret_refused);

/* The waiting action that expires first; CS_E_NOT_FOUND when none waits. */
CS_MUST_CHECK enum cs_err cs_store_next_expiry(
	struct cs_store *store, struct cs_action *ret_action);
/* A waiting action that was proposed under other versions than these; CS_E_NOT_FOUND when none. */
CS_MUST_CHECK enum cs_err cs_store_next_outdated(struct cs_store *store, const char *policy,
	const char *trust_set, struct cs_action *ret_action);
/*
 * An action that is decided and neither sealed nor refused, with no approval of it still to be
 * logged: the oldest of the caller whose turn it is. Callers take turns in the order of their
 * names; `served` is who had the last one, "" nobody. CS_E_NOT_FOUND.
 */
CS_MUST_CHECK enum cs_err cs_store_next_unsealed(
	struct cs_store *store, const char *served, struct cs_action *ret_action);

/* ---- briefs and approvals ---- */

/*
 * What this approver is shown for this role; an older one stays known by its address, which is the
 * brief's.
 */
CS_MUST_CHECK enum cs_err cs_store_brief_add(struct cs_store *store, const struct cs_action *action,
	const char *approver, const char *role, const char *address, const json_t *basis,
	const json_t *brief);
/* The newest, or the one with this address. CS_E_NOT_FOUND. Caller owns both. */
CS_MUST_CHECK enum cs_err cs_store_brief(struct cs_store *store, const struct cs_action *action,
	const char *approver, const char *role, json_t **ret_basis, json_t **ret_brief);
CS_MUST_CHECK enum cs_err cs_store_brief_by_address(struct cs_store *store,
	const struct cs_action *action, const char *address, json_t **ret_basis,
	json_t **ret_brief);

struct cs_approval {
	int64_t seq;
	char address[CS_ADDRESS_TEXT]; /* of the approval decision */
	char action[CS_ACTION_ID_TEXT];
	char person[CS_ID_MAX + 1];
	char role[64];
	char brief[CS_ADDRESS_TEXT];
	char refused[65];
	int64_t log_index; /* -1 before it is logged */
	json_t *decision;  /* owned */
	json_t *snapshot;  /* owned */
};
void cs_approval_clear(struct cs_approval *approval);

/* CS_E_APPROVAL_DUPLICATE for one that is there already. */
CS_MUST_CHECK enum cs_err cs_store_approval_add(
	struct cs_store *store, const struct cs_approval *approval, cs_time now);
/* CS_E_NOT_FOUND. Clear with cs_approval_clear. */
CS_MUST_CHECK enum cs_err cs_store_approval(
	struct cs_store *store, const char *address, struct cs_approval *ret_approval);
/*
 * All of an action in the order of arrival, as above. The approval is cleared after `each`, which
 * may take its documents by setting them NULL.
 */
CS_MUST_CHECK enum cs_err cs_store_approvals(struct cs_store *store, const struct cs_action *action,
	enum cs_err (*each)(void *context, struct cs_approval *approval), void *context);
/* The oldest that is neither logged nor refused; CS_E_NOT_FOUND. */
CS_MUST_CHECK enum cs_err cs_store_next_unlogged(
	struct cs_store *store, struct cs_approval *ret_approval);
CS_MUST_CHECK enum cs_err cs_store_approval_refuse(
	struct cs_store *store, const char *address, enum cs_err code);
CS_MUST_CHECK enum cs_err cs_store_approval_logged(
	struct cs_store *store, const char *address, uint64_t index);

/* ---- the log, and the one append that may be under way ---- */

enum cs_leaf_kind { CS_LEAF_DECISION, CS_LEAF_APPROVAL, CS_LEAF_TRUST_SET, CS_LEAF_POLICY };

struct cs_pending {
	uint64_t index;
	enum cs_leaf_kind kind;
	char subject[CS_ADDRESS_TEXT];
	char action[CS_ACTION_ID_TEXT]; /* decision and approval; "" otherwise */
	/* decision only: what the action becomes */
	enum cs_action_state state;
	char outcome[32];
	char reason[65];
	cs_time not_after;
	json_t *decision;      /* owned: final gate result, unsigned */
	json_t *pack;	       /* owned: without `signatures` */
	json_t *admissibility; /* owned: kye.purpose.admissibility.v1 */
	struct cs_bytes frame; /* owned: the append's frame, byte for byte */
};
void cs_pending_clear(struct cs_pending *pending);

CS_MUST_CHECK enum cs_err cs_store_pending_put(
	struct cs_store *store, const struct cs_pending *pending, cs_time now);
/* CS_E_NOT_FOUND. Clear with cs_pending_clear. */
CS_MUST_CHECK enum cs_err cs_store_pending(struct cs_store *store, struct cs_pending *ret_pending);
CS_MUST_CHECK enum cs_err cs_store_pending_drop(struct cs_store *store);

struct cs_leaf {
	uint64_t index;
	enum cs_leaf_kind kind;
	const char *subject;
	const json_t *statement;
	uint8_t hash[CS_HASH];
	enum cs_seal_form form;
	const char *seal;	/* "sig:jws:…" or "sig:tlog:…" */
	const char *checkpoint; /* signed note, or NULL */
};
CS_MUST_CHECK enum cs_err cs_store_leaf_add(
	struct cs_store *store, const struct cs_leaf *leaf, cs_time now);
/* Whether a leaf of this kind about this subject is in the log. */
CS_MUST_CHECK enum cs_err cs_store_leaf_known(
	struct cs_store *store, enum cs_leaf_kind kind, const char *subject, bool *ret_known);
/* Statement and seal of a leaf; CS_E_NOT_FOUND. Caller owns the document {statement, seal}. */
CS_MUST_CHECK enum cs_err cs_store_leaf(struct cs_store *store, uint64_t index, json_t **ret_leaf);

/* Final gate result, outcome, state and log index of an action that was just sealed. */
CS_MUST_CHECK enum cs_err cs_store_action_sealed(struct cs_store *store,
	const struct cs_action *action, const struct cs_pending *pending, cs_time now);

/* ---- envelopes ---- */

/* The name is the schema's. */
CS_MUST_CHECK enum cs_err cs_store_envelope_add(struct cs_store *store,
	const struct cs_action *action, const char *name, const json_t *document);
/* CS_E_NOT_FOUND. */
CS_MUST_CHECK enum cs_err cs_store_envelope(struct cs_store *store, const struct cs_action *action,
	const char *name, json_t **ret_document);

#endif
