#include "json_scan.h"
#include "number.h"
#include "utf8.h"

#include <countersign/limits.h>
#include <stdbool.h>
#include <stdint.h>
#include <string.h>

/* One bit for each open container says whether it is an object. */
_Static_assert(CS_JSON_DEPTH_MAX <= 64, "the containers that are open fit into 64 bits");

struct scan {
	const char *data;
	const char *at;
	const char *end;
	uint64_t objects;
	unsigned depth;
	struct cs_fault *fault;
};

/* Only a refusal needs line and column, so they are counted then. */
enum cs_err cs_json_refuse(const char *data, const char *where, enum cs_err err, const char *why,
	struct cs_fault *fault)
{
	size_t line = 1, column = 1;

	for (const char *at = data; at < where; at++) {
		if (*at == '\n') {
			line++;
			column = 1;
		} else if (((unsigned char)*at & 0xc0) != 0x80) {
			column++;
		}
	}
	return cs_fault_set(fault, err, "", "line %zu, column %zu: %s", line, column, why);
}

static enum cs_err refuse(const struct scan *s, enum cs_err err, const char *where, const char *why)
{
	return cs_json_refuse(s->data, where, err, why, s->fault);
}

static enum cs_err scan_bytes(struct scan *s)
{
	uint32_t code;

	if (s->end - s->data >= 3 && memcmp(s->data, "\xef\xbb\xbf", 3) == 0)
		return refuse(s, CS_E_JSON_BOM, s->data, "a byte order mark");
	for (const char *at = s->data; at < s->end;) {
		unsigned char c = (unsigned char)*at;
		if (c == 0)
			return refuse(s, CS_E_JSON_NUL, at, "a byte 00");
		if (c < 0x80) {
			at++;
			continue;
		}
		size_t size = cs_utf8_decode(at, (size_t)(s->end - at), &code);
		if (size == 0) {
			bool surrogate = c == 0xed && s->end - at >= 3 &&
					 ((unsigned char)at[1] & 0xe0) == 0xa0 &&
					 ((unsigned char)at[2] & 0xc0) == 0x80;
			if (surrogate)
				return refuse(
					s, CS_E_JSON_SURROGATE, at, "a surrogate encoded as UTF-8");
			return refuse(s, CS_E_JSON_UTF8, at, "not UTF-8");
		}
		at += size;
	}
	return CS_OK;
}

static void skip_space(struct scan *s)
{
	while (s->at < s->end &&
		(*s->at == ' ' || *s->at == '\t' || *s->at == '\n' || *s->at == '\r'))
		s->at++;
}

/* The four digits of an escape, or -1. */
static int32_t four_digits(const char *at, const char *end)
{
	int32_t value = 0;

	if (end - at < 4)
		return -1;
	for (int i = 0; i < 4; i++) {
		char c = at[i];
		if (c >= '0' && c <= '9')
			value = value << 4 | (c - '0');
		else if (c >= 'a' && c <= 'f')
			value = value << 4 | (c - 'a' + 10);
		else if (c >= 'A' && c <= 'F')
			value = value << 4 | (c - 'A' + 10);
		else
			return -1;
	}
	return value;
}

/* At the 'u' of an escape. */
static enum cs_err scan_unicode_escape(struct scan *s, bool key)
{
	const char *where = s->at - 1;
	int32_t code = four_digits(s->at + 1, s->end);

	if (code < 0)
		return refuse(
			s, CS_E_JSON_SYNTAX, where, "an escape without four hexadecimal digits");
	s->at += 5;
	if (code == 0 && key)
		return refuse(s, CS_E_JSON_NUL_KEY, where, "a key that holds U+0000");
	if (code < 0xd800 || code > 0xdfff)
		return CS_OK;
	if (code <= 0xdbff && s->end - s->at >= 2 && s->at[0] == '\\' && s->at[1] == 'u') {
		code = four_digits(s->at + 2, s->end);
		if (code >= 0xdc00 && code <= 0xdfff) {
			s->at += 6;
			return CS_OK;
		}
	}
	return refuse(s, CS_E_JSON_SURROGATE, where, "an escape for a lone surrogate");
}

/* At the opening quote. */
static enum cs_err scan_string(struct scan *s, bool key)
{
	const char *open = s->at++;

	while (s->at < s->end) {
		const char *at = s->at;
		while (at < s->end && (unsigned char)*at >= 0x20 && *at != '"' && *at != '\\')
			at++;
		s->at = at;
		if (at == s->end)
			break;
		unsigned char c = (unsigned char)*at;
		if (c == '"') {
			s->at++;
			return CS_OK;
		}
		if (c < 0x20)
			return refuse(
				s, CS_E_JSON_SYNTAX, s->at, "a control character inside a string");
		s->at++;
		if (c != '\\')
			continue;
		if (s->at < s->end && *s->at == 'u') {
			enum cs_err err = scan_unicode_escape(s, key);
			if (err != CS_OK)
				return err;
		} else if (s->at < s->end && strchr("\"\\/bfnrt", *s->at) != NULL) {
			s->at++;
		} else {
			return refuse(s, CS_E_JSON_SYNTAX, s->at - 1,
				"an escape that JSON does not have");
		}
	}
	return refuse(s, CS_E_JSON_SYNTAX, open, "a string without its end");
}

static enum cs_err scan_number(struct scan *s)
{
	const char *start = s->at;
	double value;

	/*
	 * strchr() would find the terminator of its set, but scan_bytes() has seen that no byte is
	 * 00.
	 */
	while (s->at < s->end && strchr("0123456789+-.eE", *s->at) != NULL)
		s->at++;
	enum cs_err err = cs_number_read(start, (size_t)(s->at - start), &value);
	if (err != CS_OK)
		return refuse(
			s, err, start, err == CS_E_JSON_SYNTAX ? "not a number" : cs_err_text(err));
	return CS_OK;
}

static bool take_word(struct scan *s, const char *word)
{
	size_t len = strlen(word);

	if ((size_t)(s->end - s->at) < len || memcmp(s->at, word, len) != 0)
		return false;
	s->at += len;
	return true;
}

/* A key and its colon. */
static enum cs_err scan_key(struct scan *s)
{
	skip_space(s);
	if (s->at == s->end || *s->at != '"')
		return refuse(s, CS_E_JSON_SYNTAX, s->at, "no key where an object needs one");
	enum cs_err err = scan_string(s, true);
	if (err != CS_OK)
		return err;
	skip_space(s);
	if (s->at == s->end || *s->at != ':')
		return refuse(s, CS_E_JSON_SYNTAX, s->at, "no colon after a key");
	s->at++;
	return CS_OK;
}

/*
 * A scalar, an empty container, or the opening of a container up to its first element;
 * `*ret_complete` says which.
 */
static enum cs_err scan_value(struct scan *s, bool *ret_complete)
{
	skip_space(s);
	*ret_complete = true;
	if (s->at == s->end)
		return refuse(s, CS_E_JSON_SYNTAX, s->at, "the text ends where a value is needed");
	char c = *s->at;
	if (c == '"')
		return scan_string(s, false);
	if (c == '-' || (c >= '0' && c <= '9'))
		return scan_number(s);
	if (c == '{' || c == '[') {
		if (s->depth == CS_JSON_DEPTH_MAX)
			return refuse(s, CS_E_JSON_DEPTH, s->at, cs_err_text(CS_E_JSON_DEPTH));
		s->at++;
		skip_space(s);
		if (s->at < s->end && *s->at == (c == '{' ? '}' : ']')) {
			s->at++;
			return CS_OK;
		}
		s->depth++;
		s->objects = s->objects << 1 | (c == '{');
		*ret_complete = false;
		return c == '{' ? scan_key(s) : CS_OK;
	}
	if (take_word(s, "true") || take_word(s, "false") || take_word(s, "null"))
		return CS_OK;
	return refuse(s, CS_E_JSON_SYNTAX, s->at, "no value where one is needed");
}

/*
 * After a complete value: a comma leads to the next one, closing brackets complete their
 * containers.
 */
static enum cs_err scan_after_value(struct scan *s)
{
	while (s->depth > 0) {
		bool object = s->objects & 1;
		skip_space(s);
		if (s->at < s->end && *s->at == ',') {
			s->at++;
			return object ? scan_key(s) : CS_OK;
		}
		if (s->at == s->end || *s->at != (object ? '}' : ']'))
			return refuse(s, CS_E_JSON_SYNTAX, s->at,
				object ? "neither a comma nor the end of the object"
				       : "neither a comma nor the end of the array");
		s->at++;
		s->depth--;
		s->objects >>= 1;
	}
	return CS_OK;
}

enum cs_err cs_json_scan(const char *data, size_t len, struct cs_fault *fault)
{
	struct scan s = {.data = data, .at = data, .end = data + len, .fault = fault};
	enum cs_err err = scan_bytes(&s);
	bool complete;

	if (err != CS_OK)
		return err;
	do {
		err = scan_value(&s, &complete);
		if (err == CS_OK && complete)
			err = scan_after_value(&s);
		if (err != CS_OK)
			return err;
	} while (!complete || s.depth > 0);
	skip_space(&s);
	if (s.at < s.end)
		return refuse(&s, CS_E_JSON_TRAILING, s.at, "something after the value");
	return CS_OK;
}
