#include "canonical.h"

#include <string.h>

/* A C string ends at U+0000 and would pass "engineer\u0000x" for "engineer". */
static const char *plain_text(const json_t *value)
{
	const char *text = json_string_value(value);

	return text != NULL && strlen(text) == json_string_length(value) ? text : NULL;
}

const char *cs_json_text(const json_t *object, const char *key)
{
	return plain_text(json_object_get(object, key));
}

/* A decimal index without leading zeros; the array's own size bounds it. */
static const json_t *element(const json_t *array, const char *step, size_t len)
{
	size_t index = 0;

	if (len == 0 || len > 9 || (step[0] == '0' && len > 1))
		return NULL;
	for (size_t i = 0; i < len; i++) {
		if (step[i] < '0' || step[i] > '9')
			return NULL;
		index = index * 10 + (size_t)(step[i] - '0');
	}
	return json_array_get(array, index);
}

const json_t *cs_json_at(const json_t *doc, const char *path)
{
	while (doc != NULL) {
		size_t len = strcspn(path, "/");
		doc = json_is_array(doc) ? element(doc, path, len)
					 : json_object_getn(doc, path, len);
		if (path[len] == '\0')
			return doc;
		path += len + 1;
	}
	return NULL;
}

const char *cs_json_text_at(const json_t *doc, const char *path)
{
	return plain_text(cs_json_at(doc, path));
}

int64_t cs_json_integer(const json_t *object, const char *key, int64_t fallback)
{
	const json_t *value = json_object_get(object, key);

	return json_is_integer(value) ? (int64_t)json_integer_value(value) : fallback;
}

const json_t *cs_json_find(const json_t *array, const char *key, const char *value)
{
	for (size_t i = 0; i < json_array_size(array); i++) {
		const json_t *item = json_array_get(array, i);
		const char *text = cs_json_text(item, key);
		if (text != NULL && strcmp(text, value) == 0)
			return item;
	}
	return NULL;
}

bool cs_json_has_text(const json_t *array, const char *value)
{
	for (size_t i = 0; i < json_array_size(array); i++) {
		const char *text = plain_text(json_array_get(array, i));
		if (text != NULL && strcmp(text, value) == 0)
			return true;
	}
	return false;
}

bool cs_text_equal(const char *a, const char *b)
{
	return a != NULL && b != NULL && strcmp(a, b) == 0;
}

enum cs_err cs_json_copy(const json_t *doc, json_t **ret_copy)
{
	json_t *copy;

	if (doc == NULL)
		return CS_E_INTERNAL;
	copy = json_deep_copy(doc);
	if (copy == NULL || !json_equal(copy, doc)) {
		json_decref(copy);
		return CS_E_NOMEM;
	}
	*ret_copy = copy;
	return CS_OK;
}

json_t *cs_json_copied(const json_t *doc)
{
	json_t *copy = NULL;

	return doc != NULL && cs_json_copy(doc, &copy) == CS_OK ? copy : NULL;
}
