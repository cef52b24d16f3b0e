#include "store_sql.h"
#include "log.h"

#include <limits.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>

static const char schema[] =
	"CREATE TABLE versions ("
	" kind TEXT NOT NULL, version INTEGER NOT NULL, address TEXT NOT NULL, noted_at INTEGER "
	"NOT NULL,"
	" PRIMARY KEY (kind, version)) STRICT, WITHOUT ROWID;"
	"CREATE TABLE actions ("
	" seq INTEGER PRIMARY KEY AUTOINCREMENT, id TEXT NOT NULL UNIQUE, address TEXT NOT NULL "
	"UNIQUE, caller TEXT NOT NULL,"
	" idempotency TEXT, request TEXT NOT NULL, capability TEXT NOT NULL, state TEXT NOT NULL, "
	"sealed INTEGER NOT NULL,"
	" outcome TEXT NOT NULL, reason TEXT NOT NULL, refused TEXT NOT NULL, policy TEXT NOT "
	"NULL, trust_set TEXT NOT NULL,"
	" created_at INTEGER NOT NULL, updated_at INTEGER NOT NULL, expires_at INTEGER NOT NULL, "
	"not_after INTEGER NOT NULL,"
	" log_index INTEGER NOT NULL, core BLOB NOT NULL, gate BLOB NOT NULL, gate_state BLOB NOT "
	"NULL, consequence_map BLOB,"
	" decision BLOB NOT NULL) STRICT;"
	"CREATE UNIQUE INDEX actions_idempotency ON actions (caller, idempotency) WHERE "
	"idempotency IS NOT NULL;"
	"CREATE INDEX actions_caller ON actions (caller, created_at);"
	"CREATE INDEX actions_open ON actions (caller) WHERE sealed = 0;"
	"CREATE INDEX actions_unsealed ON actions (state, expires_at) WHERE sealed = 0;"
	"CREATE TABLE briefs ("
	" seq INTEGER PRIMARY KEY AUTOINCREMENT, action TEXT NOT NULL REFERENCES actions (id), "
	"approver TEXT NOT NULL,"
	" role TEXT NOT NULL, address TEXT NOT NULL,"
	" basis BLOB NOT NULL, brief BLOB NOT NULL) STRICT;"
	"CREATE INDEX briefs_approver ON briefs (action, approver, role);"
	"CREATE UNIQUE INDEX briefs_address ON briefs (action, address);"
	"CREATE TABLE approvals ("
	" seq INTEGER PRIMARY KEY AUTOINCREMENT, address TEXT NOT NULL UNIQUE, action TEXT NOT "
	"NULL REFERENCES actions (id),"
	" person TEXT NOT NULL, role TEXT NOT NULL, brief TEXT NOT NULL, refused TEXT NOT NULL, "
	"log_index INTEGER NOT NULL,"
	" decision BLOB NOT NULL, snapshot BLOB NOT NULL, received_at INTEGER NOT NULL) STRICT;"
	"CREATE INDEX approvals_action ON approvals (action, seq);"
	"CREATE INDEX approvals_unlogged ON approvals (seq) WHERE log_index < 0 AND refused = '';"
	"CREATE TABLE log ("
	" idx INTEGER PRIMARY KEY, kind INTEGER NOT NULL, subject TEXT NOT NULL, statement BLOB "
	"NOT NULL, leaf BLOB NOT NULL,"
	" form INTEGER NOT NULL, seal TEXT NOT NULL, checkpoint TEXT, sealed_at INTEGER NOT NULL) "
	"STRICT;"
	"CREATE INDEX log_subject ON log (subject, kind);"
	"CREATE TABLE pending_seal ("
	" one INTEGER PRIMARY KEY CHECK (one = 1), idx INTEGER NOT NULL, kind INTEGER NOT NULL, "
	"subject TEXT NOT NULL,"
	" action TEXT NOT NULL, state TEXT NOT NULL, outcome TEXT NOT NULL, reason TEXT NOT NULL, "
	"not_after INTEGER NOT NULL,"
	" decision BLOB, pack BLOB, admissibility BLOB, frame BLOB NOT NULL, made_at INTEGER NOT "
	"NULL) STRICT;"
	"CREATE TABLE envelopes ("
	" action TEXT NOT NULL REFERENCES actions (id), name TEXT NOT NULL, document BLOB NOT NULL,"
	" PRIMARY KEY (action, name)) STRICT;";

static const char *const statements[] = {
#define TEXT(symbol, sql) [symbol] = sql,
	CS_STORE_STATEMENTS(TEXT)
#undef TEXT
};

static enum cs_err execute(struct cs_store *store, const char *sql)
{
	int rc = sqlite3_exec(store->db, sql, NULL, NULL, NULL);

	if (rc == SQLITE_BUSY || rc == SQLITE_LOCKED)
		return CS_E_BUSY;
	return rc == SQLITE_OK ? CS_OK : cs_sql_fail(store, sql);
}

static enum cs_err user_version(struct cs_store *store, int *ret_version)
{
	sqlite3_stmt *stmt = NULL;
	enum cs_err err = CS_E_STORE;

	if (sqlite3_prepare_v2(store->db, "PRAGMA user_version", -1, &stmt, NULL) == SQLITE_OK &&
		sqlite3_step(stmt) == SQLITE_ROW) {
		*ret_version = sqlite3_column_int(stmt, 0);
		err = CS_OK;
	}
	sqlite3_finalize(stmt);
	return err == CS_OK ? err : cs_sql_fail(store, "PRAGMA user_version");
}

static enum cs_err make_schema(struct cs_store *store, struct cs_fault *fault)
{
	char sql[64];
	int version = -1;

	enum cs_err err = user_version(store, &version);
	if (err != CS_OK || version == CS_STORE_VERSION)
		return err;
	if (version != 0)
		return cs_fault_set(fault, CS_E_UNSUPPORTED, "",
			"the store has schema version %d, this program knows %d", version,
			CS_STORE_VERSION);
	snprintf(sql, sizeof sql, "PRAGMA user_version = %d", CS_STORE_VERSION);
	err = execute(store, "BEGIN EXCLUSIVE");
	if (err == CS_OK)
		err = execute(store, schema);
	if (err == CS_OK)
		err = execute(store, sql);
	return err == CS_OK ? execute(store, "COMMIT") : err;
}

/*
 * SQLite answers a setting that it cannot make with the one that it keeps, and no error. What is
 * acknowledged would then not be durable.
 */
static enum cs_err check_durability(struct cs_store *store, struct cs_fault *fault)
{
	static const struct {
		const char *sql, *expected;
	} rows[] = {
		{"PRAGMA journal_mode", "wal"},
		{"PRAGMA synchronous", "2"},
	};
	enum cs_err err = CS_OK;

	for (size_t i = 0; i < sizeof rows / sizeof rows[0] && err == CS_OK; i++) {
		sqlite3_stmt *stmt = NULL;
		const char *value = NULL;

		if (sqlite3_prepare_v2(store->db, rows[i].sql, -1, &stmt, NULL) == SQLITE_OK &&
			sqlite3_step(stmt) == SQLITE_ROW)
			value = (const char *)sqlite3_column_text(stmt, 0);
		if (value == NULL)
			err = cs_sql_fail(store, rows[i].sql);
		else if (strcmp(value, rows[i].expected) != 0)
			err = cs_fault_set(fault, CS_E_STORE, "", "%s is '%s', not '%s'",
				rows[i].sql, value, rows[i].expected);
		sqlite3_finalize(stmt);
	}
	return err;
}

static enum cs_err configure(struct cs_store *store, struct cs_fault *fault)
{
	/* An exclusive lock keeps a second daemon out, and the wal-index out of shared memory. */
	static const char *const settings[] = {
		"PRAGMA locking_mode = EXCLUSIVE",
		"PRAGMA journal_mode = WAL",
		"PRAGMA synchronous = FULL",
		"PRAGMA foreign_keys = ON",
		"PRAGMA trusted_schema = OFF",
		"PRAGMA cell_size_check = ON",
		"PRAGMA temp_store = MEMORY",
		"BEGIN IMMEDIATE",
		"COMMIT",
	};
	enum cs_err err = CS_OK;

	for (size_t i = 0; i < sizeof settings / sizeof settings[0] && err == CS_OK; i++)
		err = execute(store, settings[i]);
	if (err == CS_E_BUSY)
		return cs_fault_set(fault, err, "", "another process uses this store");
	if (err == CS_OK)
		err = check_durability(store, fault);
	return err == CS_OK ? make_schema(store, fault) : err;
}

static enum cs_err prepare(struct cs_store *store)
{
	for (size_t i = 0; i < SQL_COUNT; i++)
		if (sqlite3_prepare_v3(store->db, statements[i], -1, SQLITE_PREPARE_PERSISTENT,
			    &store->sql[i], NULL) != SQLITE_OK)
			return cs_sql_fail(store, statements[i]);
	return CS_OK;
}

/*
 * The hash that was sealed, the statement that is kept and their order must agree before anything
 * builds on them.
 */
static enum cs_err rebuild(
	struct cs_store *store, struct cs_frontier *ret_frontier, struct cs_fault *fault)
{
	struct cs_frontier frontier = {0};
	CS_CLEANUP_BYTES struct cs_bytes statement = {0};
	uint8_t kept[CS_HASH], hash[CS_HASH];
	struct cs_sql q = cs_sql_start(store, SQL_LEAVES);
	enum cs_err err = CS_OK;

	while (err == CS_OK && cs_sql_row(&q)) {
		uint64_t index = (uint64_t)cs_sql_get_integer(&q);
		cs_sql_get_bytes(&q, &statement);
		cs_sql_get_hash(&q, kept);
		cs_merkle_leaf(statement.data, statement.len, hash);
		if (index != frontier.size || memcmp(kept, hash, CS_HASH) != 0)
			err = cs_fault_set(fault, CS_E_LOG_FORK, "",
				"leaf %llu of the store is not what was sealed",
				(unsigned long long)frontier.size);
		else
			err = cs_merkle_append(&frontier, kept);
	}
	enum cs_err end = cs_sql_end(&q);
	if (err == CS_OK)
		err = end;
	if (err == CS_OK)
		*ret_frontier = frontier;
	return err;
}

enum cs_err cs_store_open(const char *directory, struct cs_store **ret_store,
	struct cs_frontier *ret_frontier, struct cs_fault *fault)
{
	char path[PATH_MAX];
	struct cs_store *store = calloc(1, sizeof *store);

	if (store == NULL)
		return CS_E_NOMEM;
	if (snprintf(path, sizeof path, "%s/countersign.db", directory) >= (int)sizeof path) {
		free(store);
		return cs_fault_set(fault, CS_E_CONFIG, directory, "the path is too long");
	}
	umask(077);
	enum cs_err err = CS_OK;
	if (sqlite3_open_v2(path, &store->db,
		    SQLITE_OPEN_READWRITE | SQLITE_OPEN_CREATE | SQLITE_OPEN_NOFOLLOW,
		    NULL) != SQLITE_OK)
		err = store->db ? cs_sql_fail(store, path) : CS_E_NOMEM;
	if (err == CS_OK)
		err = configure(store, fault);
	if (err == CS_OK)
		err = prepare(store);
	if (err == CS_OK)
		err = rebuild(store, ret_frontier, fault);
	if (err != CS_OK) {
		cs_store_close(store);
		return err;
	}
	*ret_store = store;
	return CS_OK;
}

void cs_store_close(struct cs_store *store)
{
	if (store == NULL)
		return;
	for (size_t i = 0; i < SQL_COUNT; i++)
		sqlite3_finalize(store->sql[i]);
	if (sqlite3_close(store->db) != SQLITE_OK)
		cs_log(CS_LOG_ERROR, "store: not closed cleanly: %s", sqlite3_errmsg(store->db));
	free(store);
}

static enum cs_err plain(struct cs_store *store, enum cs_store_sql which)
{
	struct cs_sql q = cs_sql_start(store, which);

	return cs_sql_do(&q, NULL);
}

enum cs_err cs_store_begin(struct cs_store *store)
{
	return plain(store, SQL_BEGIN);
}

enum cs_err cs_store_commit(struct cs_store *store)
{
	enum cs_err err = plain(store, SQL_COMMIT);

	if (err != CS_OK)
		cs_store_rollback(store);
	return err;
}

void cs_store_rollback(struct cs_store *store)
{
	if (sqlite3_get_autocommit(store->db))
		return;
	if (plain(store, SQL_ROLLBACK) != CS_OK)
		cs_log(CS_LOG_ERROR, "store: rollback failed");
}

enum cs_err cs_store_version_note(struct cs_store *store, const char *kind, int64_t version,
	const char *address, cs_time now, struct cs_fault *fault)
{
	struct cs_sql q = cs_sql_start(store, SQL_VERSION_NEWEST);
	char known[CS_ADDRESS_TEXT] = "";
	int64_t newest = 0;

	cs_sql_text(&q, kind);
	if (cs_sql_row(&q)) {
		newest = cs_sql_get_integer(&q);
		cs_sql_get_text(&q, known, sizeof known);
	}
	enum cs_err err = cs_sql_end(&q);
	if (err != CS_OK)
		return err;
	if (version < newest)
		return cs_fault_set(fault, CS_E_TRUST_ROLLBACK, kind,
			"version %lld, but %lld was in force", (long long)version,
			(long long)newest);
	if (version == newest && strcmp(known, address) != 0)
		return cs_fault_set(fault, CS_E_TRUST_CONFLICT, kind, "version %lld was %s",
			(long long)version, known);
	q = cs_sql_start(store, SQL_VERSION_ADD);
	cs_sql_text(&q, kind);
	cs_sql_integer(&q, version);
	cs_sql_text(&q, address);
	cs_sql_integer(&q, now);
	return cs_sql_do(&q, NULL);
}

enum cs_err cs_store_versions(struct cs_store *store, const char *kind, json_t **ret_addresses)
{
	CS_CLEANUP_JSON json_t *list = json_array();
	struct cs_sql q = cs_sql_start(store, SQL_VERSIONS);

	if (list == NULL)
		return CS_E_NOMEM;
	cs_sql_text(&q, kind);
	while (cs_sql_row(&q)) {
		char address[CS_ADDRESS_TEXT];
		cs_sql_get_text(&q, address, sizeof address);
		if (json_array_append_new(list, json_string(address)) != 0)
			q.err = CS_E_NOMEM;
	}
	enum cs_err err = cs_sql_end(&q);
	if (err != CS_OK)
		return err;
	*ret_addresses = list;
	list = NULL;
	return CS_OK;
}
