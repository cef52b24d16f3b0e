#include "canonical.h"
#include "json_scan.h"
#include "number.h"
#include "utf8.h"

#include <countersign/limits.h>
#include <math.h>
#include <stdio.h>
#include <string.h>

void cs_json_cleanup(json_t **doc)
{
	json_decref(*doc);
	*doc = NULL;
}

/*
 * The document is built here, not by json_loadb(): jansson 2.14 ends the process on an assertion
 * when memory runs out inside a number, and its numbers depend on the caller's locale.
 * cs_json_scan() has judged the text before, so nothing but a key that occurs twice and lack of
 * memory can fail.
 */
struct builder {
	const char *data;
	const char *at;
	const char *end;
	struct cs_fault *fault;
	json_t *root;
	json_t *open[CS_JSON_DEPTH_MAX]; /* the containers around `at`, borrowed from `root` */
	size_t depth;
	struct cs_bytes key; /* of the next value, when the innermost container is an object */
	bool has_key;
	struct cs_bytes text; /* the last string that held an escape */
};

static enum cs_err no_memory(const struct builder *b)
{
	return cs_fault_set(b->fault, CS_E_NOMEM, "", "out of memory while reading %zu bytes",
		(size_t)(b->end - b->data));
}

/* Takes `value` (NULL: out of memory) over into its place; a container is then open. */
static enum cs_err place(struct builder *b, json_t *value)
{
	int failed = 0;

	if (value == NULL)
		return no_memory(b);
	if (b->depth == 0) {
		b->root = value;
	} else if (b->has_key) {
		failed = json_object_setn_new_nocheck(
			b->open[b->depth - 1], (const char *)b->key.data, b->key.len, value);
		b->has_key = false;
	} else {
		failed = json_array_append_new(b->open[b->depth - 1], value);
	}
	if (failed != 0)
		return no_memory(b);
	if (json_is_object(value) || json_is_array(value))
		b->open[b->depth++] = value;
	return CS_OK;
}

static uint32_t four_digits(const char *at)
{
	uint32_t value = 0;

	for (int i = 0; i < 4; i++) {
		char c = at[i];
		value = value << 4 | (uint32_t)(c <= '9' ? c - '0' : (c | 0x20) - 'a' + 10);
	}
	return value;
}

/* At the backslash. */
static void add_escaped(struct builder *b, struct cs_bytes *out)
{
	static const char names[] = "bfnrt", values[] = "\b\f\n\r\t";
	char c = b->at[1];

	b->at += 2;
	if (c != 'u') {
		const char *name = strchr(names, c);
		cs_bytes_add(out, name != NULL ? &values[name - names] : &c, 1);
		return;
	}
	uint32_t code = four_digits(b->at);
	b->at += 4;
	if (code >= 0xd800 && code <= 0xdbff) {
		code = 0x10000 + ((code - 0xd800) << 10) + (four_digits(b->at + 2) - 0xdc00);
		b->at += 6;
	}
	char text[4];
	cs_bytes_add(out, text, cs_utf8_encode(code, text));
}

/* At the opening quote. The result is part of the input, or `scratch` when there were escapes. */
static enum cs_err take_string(
	struct builder *b, struct cs_bytes *scratch, const char **ret_text, size_t *ret_len)
{
	const char *from = ++b->at, *at = from;

	while (*at != '"' && *at != '\\')
		at++;
	b->at = at;
	if (*at == '"') {
		*ret_text = from;
		*ret_len = (size_t)(b->at++ - from);
		return CS_OK;
	}
	scratch->len = 0;
	for (;;) {
		cs_bytes_add(scratch, from, (size_t)(b->at - from));
		if (*b->at == '"')
			break;
		add_escaped(b, scratch);
		for (from = b->at; *b->at != '"' && *b->at != '\\';)
			b->at++;
	}
	b->at++;
	if (cs_bytes_check(scratch) != CS_OK)
		return no_memory(b);
	*ret_text = (const char *)scratch->data;
	*ret_len = scratch->len;
	return CS_OK;
}

static enum cs_err build_key(struct builder *b)
{
	const char *where = b->at, *text;
	size_t len;
	enum cs_err err = take_string(b, &b->text, &text, &len);

	if (err != CS_OK)
		return err;
	b->key.len = 0;
	/* An empty key needs a pointer too. */
	cs_bytes_add(&b->key, text, len);
	cs_bytes_add(&b->key, "", 1);
	if (cs_bytes_check(&b->key) != CS_OK)
		return no_memory(b);
	b->key.len--;
	if (json_object_getn(b->open[b->depth - 1], (const char *)b->key.data, b->key.len) !=
		NULL) {
		char why[128];
		snprintf(
			why, sizeof why, "the key '%.80s' occurs twice", (const char *)b->key.data);
		return cs_json_refuse(b->data, where, CS_E_JSON_DUPLICATE, why, b->fault);
	}
	b->has_key = true;
	return CS_OK;
}

static enum cs_err build_string(struct builder *b)
{
	const char *text;
	size_t len;

	if (b->depth > 0 && json_is_object(b->open[b->depth - 1]) && !b->has_key)
		return build_key(b);
	enum cs_err err = take_string(b, &b->text, &text, &len);
	return err != CS_OK ? err : place(b, json_stringn_nocheck(text, len));
}

/* -0 becomes the integer 0, which is how RFC 8785 prints it. */
static enum cs_err build_number(struct builder *b)
{
	const char *from = b->at;
	double number;

	while (b->at < b->end && strchr("0123456789+-.eE", *b->at) != NULL)
		b->at++;
	enum cs_err err = cs_number_read(from, (size_t)(b->at - from), &number);
	if (err != CS_OK)
		return cs_fault_set(b->fault, err, "", "%s", cs_err_text(err));
	if (fabs(number) <= 9007199254740992.0 && number == (double)(json_int_t)number)
		return place(b, json_integer((json_int_t)number));
	return place(b, json_real(number));
}

static enum cs_err build_token(struct builder *b)
{
	switch (*b->at) {
	case '"':
		return build_string(b);
	case '{':
		b->at++;
		return place(b, json_object());
	case '[':
		b->at++;
		return place(b, json_array());
	case '}':
	case ']':
		b->at++;
		b->depth--;
		return CS_OK;
	case 't':
		b->at += 4;
		return place(b, json_true());
	case 'f':
		b->at += 5;
		return place(b, json_false());
	case 'n':
		b->at += 4;
		return place(b, json_null());
	case ' ':
	case '\t':
	case '\n':
	case '\r':
	case ',':
	case ':':
		b->at++;
		return CS_OK;
	default:
		return build_number(b);
	}
}

enum cs_err cs_json_read(
	const void *data, size_t len, size_t max, json_t **ret_doc, struct cs_fault *fault)
{
	struct builder b = {.data = data, .at = data, .fault = fault};
	enum cs_err err;

	if (len > max)
		return cs_fault_set(
			fault, CS_E_TOO_LARGE, "", "%zu bytes, at most %zu are allowed", len, max);
	if (len == 0)
		return cs_fault_set(fault, CS_E_JSON_SYNTAX, "", "the document is empty");
	err = cs_json_scan(data, len, fault);
	if (err != CS_OK)
		return err;
	b.end = b.data + len;
	while (err == CS_OK && b.at < b.end)
		err = build_token(&b);
	cs_bytes_free(&b.key);
	cs_bytes_free(&b.text);
	if (err != CS_OK) {
		json_decref(b.root);
		return err;
	}
	*ret_doc = b.root;
	return CS_OK;
}

enum cs_err cs_json_read_canonical(
	const void *data, size_t len, size_t max, json_t **ret_doc, struct cs_fault *fault)
{
	CS_CLEANUP_JSON json_t *doc = NULL;
	CS_CLEANUP_BYTES struct cs_bytes form = {0};
	enum cs_err err = cs_json_read(data, len, max, &doc, fault);

	if (err != CS_OK)
		return err;
	err = cs_canonical_print(doc, &form);
	if (err != CS_OK)
		return cs_fault_set(fault, err, "", "%s", cs_err_text(err));
	if (!cs_bytes_equal(form.data, form.len, data, len)) {
		size_t at = 0;
		while (at < len && at < form.len && form.data[at] == ((const uint8_t *)data)[at])
			at++;
		return cs_fault_set(fault, CS_E_NOT_CANONICAL, "",
			"differs from the canonical form at byte %zu", at);
	}
	*ret_doc = doc;
	doc = NULL;
	return CS_OK;
}
