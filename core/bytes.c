#include "bytes.h"

#include <openssl/sha.h>
#include <sodium.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

void cs_bytes_free(struct cs_bytes *b)
{
	if (b == NULL)
		return;
	free(b->data);
	*b = (struct cs_bytes){0};
}

static enum cs_err fail(struct cs_bytes *b)
{
	b->failed = true;
	return CS_E_NOMEM;
}

/* Makes room for `more` bytes and a NUL. Doubling keeps a long chain of short appends linear. */
static enum cs_err reserve(struct cs_bytes *b, size_t more)
{
	size_t need, cap;
	uint8_t *data;

	if (b->failed)
		return CS_E_NOMEM;
	if (more >= SIZE_MAX / 4 || b->len >= SIZE_MAX / 4)
		return fail(b);
	need = b->len + more + 1;
	if (need <= b->cap)
		return CS_OK;
	cap = b->cap < 64 ? 64 : b->cap * 2;
	if (cap < need)
		cap = need;
	data = realloc(b->data, cap);
	if (data == NULL)
		return fail(b);
	b->data = data;
	b->cap = cap;
	return CS_OK;
}

enum cs_err cs_bytes_add(struct cs_bytes *b, const void *data, size_t len)
{
	if (b->failed)
		return CS_E_NOMEM;
	if (len == 0)
		return CS_OK;
	enum cs_err err = reserve(b, len);
	if (err != CS_OK)
		return err;
	memcpy(b->data + b->len, data, len);
	b->len += len;
	b->data[b->len] = '\0';
	return CS_OK;
}

enum cs_err cs_bytes_add_text(struct cs_bytes *b, const char *text)
{
	return cs_bytes_add(b, text, strlen(text));
}

enum cs_err cs_bytes_addf(struct cs_bytes *b, const char *fmt, ...)
{
	va_list args;
	int len;

	if (b->failed)
		return CS_E_NOMEM;
	va_start(args, fmt);
	len = vsnprintf(NULL, 0, fmt, args);
	va_end(args);
	if (len < 0)
		return fail(b);
	if (len == 0)
		return CS_OK;
	enum cs_err err = reserve(b, (size_t)len);
	if (err != CS_OK)
		return err;
	va_start(args, fmt);
	vsnprintf((char *)b->data + b->len, (size_t)len + 1, fmt, args);
	va_end(args);
	b->len += (size_t)len;
	return CS_OK;
}

enum cs_err cs_bytes_check(const struct cs_bytes *b)
{
	return b->failed ? CS_E_NOMEM : CS_OK;
}

bool cs_bytes_equal(const void *a, size_t a_len, const void *b, size_t b_len)
{
	return a_len == b_len && (a_len == 0 || memcmp(a, b, a_len) == 0);
}

static enum cs_err encode64(const uint8_t *data, size_t len, int variant, struct cs_bytes *out)
{
	size_t size;

	if (len == 0)
		return out->failed ? CS_E_NOMEM : CS_OK;
	/*
	 * libsodium ends the process on sizes it cannot hold: those are refused before it sees
	 * them.
	 */
	if (len >= SIZE_MAX / 4)
		return fail(out);
	size = sodium_base64_encoded_len(len, variant);
	enum cs_err err = reserve(out, size);
	if (err != CS_OK)
		return err;
	char *text = (char *)out->data + out->len;
	sodium_bin2base64(text, size, data, len, variant);
	out->len += strlen(text);
	return CS_OK;
}

static int value64(unsigned char c, int variant)
{
	bool url = variant == sodium_base64_VARIANT_URLSAFE_NO_PADDING;

	if (c >= 'A' && c <= 'Z')
		return c - 'A';
	if (c >= 'a' && c <= 'z')
		return c - 'a' + 26;
	if (c >= '0' && c <= '9')
		return c - '0' + 52;
	if (c == (url ? '-' : '+'))
		return 62;
	return c == (url ? '_' : '/') ? 63 : -1;
}

/* How many characters of `text` carry bits; 0 when the padding or the length is wrong. */
static size_t length64(const char *text, size_t len, int variant)
{
	if (variant == sodium_base64_VARIANT_URLSAFE_NO_PADDING)
		return len % 4 == 1 ? 0 : len;
	if (len % 4 != 0)
		return 0;
	if (text[len - 1] != '=')
		return len;
	return text[len - 2] != '=' ? len - 1 : len - 2;
}

/*
 * Not libsodium's decoder: that of version 1.0.18 takes some bytes from 80 up for digits, as it
 * compares signed characters. Padding is where the length asks for it, and the bits that a last
 * digit leaves over are zero, so that what is accepted is exactly what encode64() prints.
 */
static enum cs_err decode64(const char *text, size_t text_len, int variant, struct cs_bytes *out)
{
	uint32_t bits = 0;
	unsigned held = 0;

	if (text_len == 0)
		return out->failed ? CS_E_NOMEM : CS_OK;
	size_t len = length64(text, text_len, variant);
	if (len == 0)
		return CS_E_BASE64;
	enum cs_err err = reserve(out, len / 4 * 3 + 3);
	if (err != CS_OK)
		return err;
	uint8_t *to = out->data + out->len;
	for (size_t i = 0; i < len; i++) {
		int value = value64((unsigned char)text[i], variant);
		if (value < 0)
			goto refuse;
		bits = bits << 6 | (uint32_t)value;
		held += 6;
		if (held >= 8) {
			held -= 8;
			*to++ = (uint8_t)(bits >> held);
		}
	}
	if ((bits & ((1u << held) - 1)) != 0)
		goto refuse;
	out->len = (size_t)(to - out->data);
	out->data[out->len] = '\0';
	return CS_OK;
refuse:
	out->data[out->len] = '\0';
	return CS_E_BASE64;
}

enum cs_err cs_base64url_encode(const uint8_t *data, size_t len, struct cs_bytes *out)
{
	return encode64(data, len, sodium_base64_VARIANT_URLSAFE_NO_PADDING, out);
}

enum cs_err cs_base64url_decode(const char *text, size_t text_len, struct cs_bytes *out)
{
	return decode64(text, text_len, sodium_base64_VARIANT_URLSAFE_NO_PADDING, out);
}

enum cs_err cs_base64_encode(const uint8_t *data, size_t len, struct cs_bytes *out)
{
	return encode64(data, len, sodium_base64_VARIANT_ORIGINAL, out);
}

enum cs_err cs_base64_decode(const char *text, size_t text_len, struct cs_bytes *out)
{
	return decode64(text, text_len, sodium_base64_VARIANT_ORIGINAL, out);
}

void cs_hex_encode(const uint8_t *data, size_t len, char *text)
{
	static const char digits[] = "0123456789abcdef";

	for (size_t i = 0; i < len; i++) {
		text[2 * i] = digits[data[i] >> 4];
		text[2 * i + 1] = digits[data[i] & 15];
	}
	text[2 * len] = '\0';
}

static int hex_value(char c)
{
	if (c >= '0' && c <= '9')
		return c - '0';
	if (c >= 'a' && c <= 'f')
		return c - 'a' + 10;
	return -1;
}

enum cs_err cs_hex_decode(const char *text, size_t text_len, uint8_t *data, size_t len)
{
	if (text_len / 2 != len || text_len % 2 != 0)
		return CS_E_HEX;
	/* All digits are judged before the first byte is written. */
	for (size_t i = 0; i < text_len; i++)
		if (hex_value(text[i]) < 0)
			return CS_E_HEX;
	for (size_t i = 0; i < len; i++)
		data[i] = (uint8_t)(hex_value(text[2 * i]) << 4 | hex_value(text[2 * i + 1]));
	return CS_OK;
}

void cs_sha256(const void *data, size_t len, uint8_t digest[32])
{
	const uint8_t *bytes = len == 0 ? (const uint8_t *)"" : data;

	/*
	 * A pack is hashed many times over. OpenSSL uses the processor's instructions for it and is
	 * four times as fast; libsodium needs no memory and cannot fail.
	 */
	if (len < SHA256_CBLOCK || SHA256(bytes, len, digest) == NULL)
		crypto_hash_sha256(digest, bytes, len);
}
