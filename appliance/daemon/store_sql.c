#include "store_sql.h"
#include "log.h"

#include <string.h>

enum cs_err cs_sql_fail(struct cs_store *store, const char *what)
{
	cs_log(CS_LOG_ERROR, "store: %s: %s (%d)", what, sqlite3_errmsg(store->db),
		sqlite3_extended_errcode(store->db));
	return CS_E_STORE;
}

struct cs_sql cs_sql_start(struct cs_store *store, enum cs_store_sql which)
{
	return (struct cs_sql){.store = store, .stmt = store->sql[which], .err = CS_OK};
}

static void check_bind(struct cs_sql *q, int rc)
{
	if (rc != SQLITE_OK && q->err == CS_OK)
		q->err = cs_sql_fail(q->store, "bind");
}

void cs_sql_text(struct cs_sql *q, const char *text)
{
	q->parameter++;
	if (text == NULL)
		check_bind(q, sqlite3_bind_null(q->stmt, q->parameter));
	else
		check_bind(q, sqlite3_bind_text(q->stmt, q->parameter, text, -1, SQLITE_TRANSIENT));
}

void cs_sql_integer(struct cs_sql *q, int64_t value)
{
	check_bind(q, sqlite3_bind_int64(q->stmt, ++q->parameter, value));
}

void cs_sql_bytes(struct cs_sql *q, const void *data, size_t len)
{
	check_bind(q, sqlite3_bind_blob64(q->stmt, ++q->parameter, data, len, SQLITE_TRANSIENT));
}

void cs_sql_document(struct cs_sql *q, const json_t *doc)
{
	CS_CLEANUP_BYTES struct cs_bytes text = {0};

	if (doc == NULL) {
		cs_sql_text(q, NULL);
		return;
	}
	enum cs_err err = cs_canonical_print(doc, &text);
	if (err != CS_OK && q->err == CS_OK)
		q->err = err;
	cs_sql_bytes(q, text.data, text.len);
}

/* A constraint of any other kind is a fault of ours. */
static bool is_there(const struct cs_store *store)
{
	int code = sqlite3_extended_errcode(store->db);

	return code == SQLITE_CONSTRAINT_UNIQUE || code == SQLITE_CONSTRAINT_PRIMARYKEY ||
	       code == SQLITE_CONSTRAINT_ROWID;
}

bool cs_sql_row(struct cs_sql *q)
{
	if (q->err != CS_OK)
		return false;
	int rc = sqlite3_step(q->stmt);
	q->column = 0;
	if (rc == SQLITE_ROW)
		return true;
	if (rc == SQLITE_CONSTRAINT && is_there(q->store))
		q->err = CS_E_EXISTS;
	else if (rc != SQLITE_DONE)
		q->err = cs_sql_fail(q->store, sqlite3_sql(q->stmt));
	return false;
}

int64_t cs_sql_get_integer(struct cs_sql *q)
{
	return sqlite3_column_int64(q->stmt, q->column++);
}

void cs_sql_get_text(struct cs_sql *q, char *text, size_t size)
{
	const char *value = (const char *)sqlite3_column_text(q->stmt, q->column++);
	size_t len = value ? strlen(value) : 0;

	if (len >= size) {
		if (q->err == CS_OK)
			q->err = cs_sql_fail(q->store, "a text is longer than it was written");
		len = 0;
	}
	if (len > 0)
		memcpy(text, value, len);
	text[len] = '\0';
}

void cs_sql_get_hash(struct cs_sql *q, uint8_t hash[CS_HASH])
{
	const void *value = sqlite3_column_blob(q->stmt, q->column);

	if (sqlite3_column_bytes(q->stmt, q->column) == CS_HASH)
		memcpy(hash, value, CS_HASH);
	else if (q->err == CS_OK)
		q->err = cs_sql_fail(q->store, "a hash of another length");
	q->column++;
}

void cs_sql_get_bytes(struct cs_sql *q, struct cs_bytes *out)
{
	const void *value = sqlite3_column_blob(q->stmt, q->column);
	int len = sqlite3_column_bytes(q->stmt, q->column);

	q->column++;
	out->len = 0;
	if (len > 0 && cs_bytes_add(out, value, (size_t)len) != CS_OK && q->err == CS_OK)
		q->err = CS_E_NOMEM;
}

json_t *cs_sql_get_document(struct cs_sql *q)
{
	const void *value = sqlite3_column_blob(q->stmt, q->column);
	int len = sqlite3_column_bytes(q->stmt, q->column);
	json_t *doc = NULL;
	struct cs_fault fault = {0};

	q->column++;
	if (value == NULL)
		return NULL;
	enum cs_err err = cs_json_read(value, (size_t)len, CS_MESSAGE_MAX, &doc, &fault);
	if (err == CS_OK)
		return doc;
	cs_log_fault(CS_LOG_ERROR, "store: a stored document is damaged", err, &fault);
	if (q->err == CS_OK)
		q->err = err == CS_E_NOMEM ? err : CS_E_STORE;
	return NULL;
}

enum cs_err cs_sql_end(struct cs_sql *q)
{
	sqlite3_reset(q->stmt);
	sqlite3_clear_bindings(q->stmt);
	return q->err;
}

enum cs_err cs_sql_do(struct cs_sql *q, int *ret_changes)
{
	cs_sql_row(q);
	if (ret_changes != NULL)
		*ret_changes = sqlite3_changes(q->store->db);
	return cs_sql_end(q);
}

enum cs_err cs_sql_one(struct cs_sql *q)
{
	if (!cs_sql_row(q) && q->err == CS_OK)
		q->err = CS_E_NOT_FOUND;
	return q->err;
}
