#include "note_form.h"
#include "utf8.h"

#include <string.h>

/* The White_Space property of Unicode, which has been stable since version 6.3. */
static bool is_space(uint32_t point)
{
	return (point >= 0x09 && point <= 0x0d) || point == 0x20 || point == 0x85 ||
	       point == 0xa0 || point == 0x1680 || (point >= 0x2000 && point <= 0x200a) ||
	       point == 0x2028 || point == 0x2029 || point == 0x202f || point == 0x205f ||
	       point == 0x3000;
}

bool cs_note_text_ok(const char *text, size_t len)
{
	uint32_t point = 0;

	for (size_t pos = 0, step; pos < len; pos += step) {
		step = cs_utf8_decode(text + pos, len - pos, &point);
		if (step == 0 || (point < 0x20 && point != '\n'))
			return false;
	}
	return true;
}

bool cs_note_name_ok(const char *name, size_t len)
{
	uint32_t point = 0;

	for (size_t pos = 0, step; pos < len; pos += step) {
		step = cs_utf8_decode(name + pos, len - pos, &point);
		if (step == 0 || point < 0x20 || point == '+' || is_space(point))
			return false;
	}
	return len > 0;
}

bool cs_note_decimal(const char *text, size_t len, uint64_t max, uint64_t *ret_value)
{
	uint64_t value = 0;

	if (len == 0 || (len > 1 && text[0] == '0'))
		return false;
	for (size_t i = 0; i < len; i++) {
		if (text[i] < '0' || text[i] > '9')
			return false;
		unsigned digit = (unsigned)(text[i] - '0');
		if (value > (UINT64_MAX - digit) / 10)
			return false;
		value = value * 10 + digit;
	}
	if (value > max)
		return false;
	*ret_value = value;
	return true;
}

bool cs_note_line(const char **pos, const char *end, const char **ret_line, size_t *ret_len)
{
	const char *lf = *pos < end ? memchr(*pos, '\n', (size_t)(end - *pos)) : NULL;

	if (lf == NULL)
		return false;
	*ret_line = *pos;
	*ret_len = (size_t)(lf - *pos);
	*pos = lf + 1;
	return true;
}

enum cs_err cs_note_hash(const char *line, size_t len, uint8_t hash[CS_HASH])
{
	CS_CLEANUP_BYTES struct cs_bytes value = {0};
	enum cs_err err = cs_base64_decode(line, len, &value);

	if (err != CS_OK)
		return err;
	if (value.len != CS_HASH)
		return CS_E_BASE64;
	memcpy(hash, value.data, CS_HASH);
	return CS_OK;
}
