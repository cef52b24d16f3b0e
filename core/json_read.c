#include "canonical.h"
#include "json_scan.h"

#include <countersign/limits.h>
#include <locale.h>
#include <math.h>

void cs_json_cleanup(json_t **doc)
{
	json_decref(*doc);
	*doc = NULL;
}

/*
 * jansson reads every number as a real, because it knows no integer beyond 64 bits. Those that a json_integer holds become
 * one; -0 becomes 0, which is how RFC 8785 prints it. A negative result is "out of memory".
 */
static int settle_number(json_t *value, json_t **ret_integer)
{
	double number = json_real_value(value);

	*ret_integer = NULL;
	if (fabs(number) > 9007199254740992.0 || number != (double)(json_int_t)number)
		return 0;
	*ret_integer = json_integer((json_int_t)number);
	return *ret_integer == NULL ? -1 : 0;
}

/* The scan has bounded the depth to CS_JSON_DEPTH_MAX before. */
static int settle_numbers(json_t *doc)
{
	json_t *integer;

	if (json_is_object(doc)) {
		for (void *at = json_object_iter(doc); at != NULL; at = json_object_iter_next(doc, at)) {
			json_t *value = json_object_iter_value(at);
			if (json_is_real(value)) {
				if (settle_number(value, &integer) < 0)
					return -1;
				if (integer != NULL && json_object_iter_set_new(doc, at, integer) < 0)
					return -1;
			} else if (settle_numbers(value) < 0) {
				return -1;
			}
		}
	} else if (json_is_array(doc)) {
		for (size_t i = 0; i < json_array_size(doc); i++) {
			json_t *value = json_array_get(doc, i);
			if (json_is_real(value)) {
				if (settle_number(value, &integer) < 0)
					return -1;
				if (integer != NULL && json_array_set_new(doc, i, integer) < 0)
					return -1;
			} else if (settle_numbers(value) < 0) {
				return -1;
			}
		}
	}
	return 0;
}

/* jansson reads numbers with strtod(), so a decimal comma of the caller's locale must not be in force meanwhile. */
static json_t *load(const char *data, size_t len, json_error_t *error)
{
	const size_t flags = JSON_REJECT_DUPLICATES | JSON_DECODE_ANY | JSON_ALLOW_NUL | JSON_DECODE_INT_AS_REAL;
	locale_t plain = newlocale(LC_ALL_MASK, "C", (locale_t)0);

	if (plain == (locale_t)0)
		return NULL;
	locale_t before = uselocale(plain);
	json_t *doc = json_loadb(data, len, flags, error);
	uselocale(before);
	freelocale(plain);
	return doc;
}

enum cs_err cs_json_read(const void *data, size_t len, size_t max, json_t **ret_doc, struct cs_fault *fault)
{
	CS_CLEANUP_JSON json_t *doc = NULL;
	json_error_t error = {0};

	if (len > max)
		return cs_fault_set(fault, CS_E_TOO_LARGE, "", "%zu bytes, at most %zu are allowed", len, max);
	if (len == 0)
		return cs_fault_set(fault, CS_E_JSON_SYNTAX, "", "the document is empty");
	enum cs_err err = cs_json_scan(data, len, fault);
	if (err != CS_OK)
		return err;
	doc = load(data, len, &error);
	if (doc == NULL && json_error_code(&error) == json_error_duplicate_key)
		return cs_fault_set(fault, CS_E_JSON_DUPLICATE, "", "line %d, column %d: %s", error.line, error.column,
			error.text);
	/* After the scan nothing else is left to refuse, and jansson reports exhaustion as errors of many kinds. */
	if (doc == NULL)
		return cs_fault_set(fault, CS_E_NOMEM, "", "out of memory while reading %zu bytes", len);
	if (json_is_real(doc)) {
		json_t *integer;
		if (settle_number(doc, &integer) < 0)
			return cs_fault_set(fault, CS_E_NOMEM, "", "out of memory");
		if (integer != NULL) {
			json_decref(doc);
			doc = integer;
		}
	} else if (settle_numbers(doc) < 0) {
		return cs_fault_set(fault, CS_E_NOMEM, "", "out of memory while reading %zu bytes", len);
	}
	*ret_doc = doc;
	doc = NULL;
	return CS_OK;
}

enum cs_err cs_json_read_canonical(const void *data, size_t len, size_t max, json_t **ret_doc, struct cs_fault *fault)
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
		return cs_fault_set(fault, CS_E_NOT_CANONICAL, "", "differs from the canonical form at byte %zu", at);
	}
	*ret_doc = doc;
	doc = NULL;
	return CS_OK;
}
