/*
 * Prepared statements of the store, and how its files use them.
 */
#ifndef CS_STORE_SQL_H
#define CS_STORE_SQL_H

#include <sqlite3.h>
#include "store.h"

#define ACTION_COLUMNS \
	"seq, id, address, caller, idempotency, request, capability, state, sealed, outcome, " \
	"reason, refused, policy, trust_set," \
	" created_at, updated_at, expires_at, not_after, log_index"
#define APPROVAL_COLUMNS \
	"seq, address, action, person, role, brief, refused, log_index, decision, snapshot"
#define IS_WAITING "state IN ('awaiting_approval', 'escalated', 'needs_information')"
#define IS_DECIDED \
	"sealed = 0 AND state IN ('denied', 'recorded', 'allowed', 'approved', 'rejected', " \
	"'expired', 'withdrawn', 'invalidated')"

/* X(symbol, SQL) */
#define CS_STORE_STATEMENTS(X) \
	X(SQL_BEGIN, "BEGIN IMMEDIATE") \
	X(SQL_COMMIT, "COMMIT") \
	X(SQL_ROLLBACK, "ROLLBACK") \
	X(SQL_VERSION_NEWEST, "SELECT version, address FROM versions WHERE kind = ?1 ORDER BY " \
			      "version DESC LIMIT 1") \
	X(SQL_VERSION_ADD, "INSERT OR IGNORE INTO versions (kind, version, address, noted_at) " \
			   "VALUES (?1, ?2, ?3, ?4)") \
	X(SQL_VERSIONS, "SELECT address FROM versions WHERE kind = ?1 ORDER BY version") \
	X(SQL_ACTION_ADD, "INSERT INTO actions (id, address, caller, idempotency, request, " \
			  "capability, state, sealed, outcome, reason, refused," \
			  " policy, trust_set, created_at, updated_at, expires_at, not_after, " \
			  "log_index, core, gate, gate_state, consequence_map," \
			  " decision) VALUES (?1, ?2, ?3, nullif(?4, ''), ?5, ?6, ?7, 0, '', ?8, " \
			  "'', ?9, ?10, ?11, ?11, ?12, ?13, -1, ?14, ?15, ?16," \
			  " ?17, ?18)") \
	X(SQL_ACTION, "SELECT " ACTION_COLUMNS " FROM actions WHERE id = ?1") \
	X(SQL_ACTION_BY_KEY, \
		"SELECT " ACTION_COLUMNS " FROM actions WHERE caller = ?1 AND idempotency = ?2") \
	X(SQL_ACTION_CORE, "SELECT core FROM actions WHERE id = ?1") \
	X(SQL_ACTION_GATE, "SELECT gate FROM actions WHERE id = ?1") \
	X(SQL_ACTION_STATE, "SELECT gate_state FROM actions WHERE id = ?1") \
	X(SQL_ACTION_MAP, "SELECT consequence_map FROM actions WHERE id = ?1") \
	X(SQL_ACTION_DECISION, "SELECT decision FROM actions WHERE id = ?1") \
	X(SQL_ACTION_MOVE, "UPDATE actions SET state = ?3, updated_at = ?4 WHERE id = ?1 AND " \
			   "state = ?2 AND sealed = 0") \
	X(SQL_ACTION_REFUSE, "UPDATE actions SET refused = ?2 WHERE id = ?1") \
	X(SQL_REFUSALS_FORGET, \
		"UPDATE actions SET refused = '' WHERE refused <> '' AND sealed = 0") \
	X(SQL_ACTION_SEALED, "UPDATE actions SET state = ?2, sealed = 1, outcome = ?3, reason = " \
			     "?4, not_after = ?5, log_index = ?6, decision = ?7," \
			     " updated_at = ?8, refused = '' WHERE id = ?1 AND sealed = 0") \
	X(SQL_ACTIONS, "SELECT " ACTION_COLUMNS " FROM actions WHERE seq < ?1 AND (?2 IS NULL OR " \
						"caller = ?2) ORDER BY seq DESC LIMIT ?3") \
	X(SQL_ACTIONS_WAITING, \
		"SELECT " ACTION_COLUMNS \
		" FROM actions WHERE seq < ?1 AND (?2 IS NULL OR caller = ?2) AND " IS_WAITING \
		" ORDER BY seq DESC LIMIT ?3") \
	X(SQL_COUNT_OPEN, "SELECT count(*) FROM actions WHERE sealed = 0 AND caller = ?1") \
	X(SQL_COUNT_SINCE, "SELECT count(*) FROM actions WHERE caller = ?1 AND created_at > ?2") \
	X(SQL_COUNT_WAITING, "SELECT count(*) FROM actions WHERE sealed = 0 AND " IS_WAITING) \
	X(SQL_COUNT_UNSEALED, "SELECT count(*) FROM actions WHERE refused = '' AND " IS_DECIDED) \
	X(SQL_COUNT_REFUSED, "SELECT count(*) FROM actions WHERE refused <> '' AND sealed = 0") \
	X(SQL_NEXT_EXPIRY, \
		"SELECT " ACTION_COLUMNS " FROM actions WHERE sealed = 0 AND " IS_WAITING \
		" ORDER BY expires_at, seq LIMIT 1") \
	X(SQL_NEXT_OUTDATED, \
		"SELECT " ACTION_COLUMNS " FROM actions WHERE sealed = 0 AND " IS_WAITING \
		" AND (policy <> ?1 OR trust_set <> ?2) ORDER BY seq LIMIT 1") \
	X(SQL_NEXT_UNSEALED, \
		"SELECT " ACTION_COLUMNS " FROM actions WHERE refused = '' AND " IS_DECIDED \
		" AND NOT EXISTS (SELECT 1 FROM approvals" \
		" WHERE approvals.action = actions.id AND approvals.log_index < 0 AND " \
		"approvals.refused = '') ORDER BY caller <= ?1, caller, seq LIMIT 1") \
	X(SQL_BRIEF_ADD, "INSERT INTO briefs (action, approver, role, address, basis, brief) " \
			 "VALUES (?1, ?2, ?3, ?4, ?5, ?6)") \
	X(SQL_BRIEF, "SELECT basis, brief FROM briefs WHERE action = ?1 AND approver = ?2 AND " \
		     "role = ?3 ORDER BY seq DESC LIMIT 1") \
	X(SQL_BRIEF_BY_ADDRESS, \
		"SELECT basis, brief FROM briefs WHERE action = ?1 AND address = ?2") \
	X(SQL_APPROVAL_ADD, "INSERT INTO approvals (address, action, person, role, brief, " \
			    "refused, log_index, decision, snapshot, received_at)" \
			    " VALUES (?1, ?2, ?3, ?4, ?5, '', -1, ?6, ?7, ?8)") \
	X(SQL_APPROVAL, "SELECT " APPROVAL_COLUMNS " FROM approvals WHERE address = ?1") \
	X(SQL_APPROVALS, \
		"SELECT " APPROVAL_COLUMNS " FROM approvals WHERE action = ?1 ORDER BY seq") \
	X(SQL_NEXT_UNLOGGED, \
		"SELECT " APPROVAL_COLUMNS \
		" FROM approvals WHERE log_index < 0 AND refused = '' ORDER BY seq LIMIT 1") \
	X(SQL_APPROVAL_REFUSE, \
		"UPDATE approvals SET refused = ?2 WHERE address = ?1 AND log_index < 0") \
	X(SQL_APPROVAL_LOGGED, \
		"UPDATE approvals SET log_index = ?2 WHERE address = ?1 AND log_index < 0") \
	X(SQL_PENDING_PUT, "INSERT INTO pending_seal (one, idx, kind, subject, action, state, " \
			   "outcome, reason, not_after, decision, pack," \
			   " admissibility, frame, made_at) VALUES (1, ?1, ?2, ?3, ?4, ?5, ?6, " \
			   "?7, ?8, ?9, ?10, ?11, ?12, ?13)") \
	X(SQL_PENDING, "SELECT idx, kind, subject, action, state, outcome, reason, not_after, " \
		       "decision, pack, admissibility, frame" \
		       " FROM pending_seal") \
	X(SQL_PENDING_DROP, "DELETE FROM pending_seal") \
	X(SQL_LEAF_ADD, "INSERT INTO log (idx, kind, subject, statement, leaf, form, seal, " \
			"checkpoint, sealed_at)" \
			" VALUES (?1, ?2, ?3, ?4, ?5, ?6, ?7, ?8, ?9)") \
	X(SQL_LEAF_KNOWN, "SELECT 1 FROM log WHERE kind = ?1 AND subject = ?2") \
	X(SQL_LEAF, "SELECT statement, seal FROM log WHERE idx = ?1") \
	X(SQL_LEAVES, "SELECT idx, statement, leaf FROM log ORDER BY idx") \
	X(SQL_ENVELOPE_ADD, "INSERT INTO envelopes (action, name, document) VALUES (?1, ?2, ?3)") \
	X(SQL_ENVELOPE, "SELECT document FROM envelopes WHERE action = ?1 AND name = ?2")

enum cs_store_sql {
#define CS_STORE_SYMBOL(symbol, sql) symbol,
	CS_STORE_STATEMENTS(CS_STORE_SYMBOL)
#undef CS_STORE_SYMBOL
		SQL_COUNT
};

struct cs_store {
	sqlite3 *db;
	sqlite3_stmt *sql[SQL_COUNT];
};

/* Logs SQLite's own words and gives CS_E_STORE. */
enum cs_err cs_sql_fail(struct cs_store *store, const char *what);

/*
 * A run of one prepared statement: bind in order, step, read columns in order, end. The first
 * failure is kept until cs_sql_end, so that a chain is checked once.
 */
struct cs_sql {
	struct cs_store *store;
	sqlite3_stmt *stmt;
	int parameter; /* last bound, 1 is the first */
	int column;    /* next to read */
	enum cs_err err;
};
struct cs_sql cs_sql_start(struct cs_store *store, enum cs_store_sql which);
void cs_sql_text(struct cs_sql *q, const char *text); /* NULL is SQL's NULL */
void cs_sql_integer(struct cs_sql *q, int64_t value);
void cs_sql_bytes(struct cs_sql *q, const void *data, size_t len);
/* canonical bytes; NULL is SQL's NULL */
void cs_sql_document(struct cs_sql *q, const json_t *doc);
/* True while there is a row. */
bool cs_sql_row(struct cs_sql *q);
int64_t cs_sql_get_integer(struct cs_sql *q);
void cs_sql_get_text(struct cs_sql *q, char *text, size_t size);
void cs_sql_get_hash(struct cs_sql *q, uint8_t hash[CS_HASH]);
void cs_sql_get_bytes(struct cs_sql *q, struct cs_bytes *out);
/* NULL for SQL's NULL. */
json_t *cs_sql_get_document(struct cs_sql *q);
/* Resets the statement; CS_OK or the first failure. */
CS_MUST_CHECK enum cs_err cs_sql_end(struct cs_sql *q);
/* Steps a statement that gives no rows, and ends it. `ret_changes` may be NULL. */
CS_MUST_CHECK enum cs_err cs_sql_do(struct cs_sql *q, int *ret_changes);
/* One row demanded: CS_E_NOT_FOUND (not logged) when there is none. */
CS_MUST_CHECK enum cs_err cs_sql_one(struct cs_sql *q);

#endif
