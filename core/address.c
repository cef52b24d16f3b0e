#include "address.h"

#include <string.h>

#define PREFIX "sha256:"
#define PREFIX_LEN 7

static enum cs_err digest_without(const json_t *doc, const char *const *skip, uint8_t digest[32])
{
	CS_CLEANUP_BYTES struct cs_bytes form = {0};
	enum cs_err err = json_is_object(doc) ? cs_canonical_print_without(doc, skip, &form)
					      : cs_canonical_print(doc, &form);

	if (err == CS_OK)
		cs_sha256(form.data, form.len, digest);
	return err;
}

static void print_address(const uint8_t digest[32], char address[CS_ADDRESS_TEXT])
{
	memcpy(address, PREFIX, PREFIX_LEN);
	cs_hex_encode(digest, 32, address + PREFIX_LEN);
}

enum cs_err cs_address_of(const json_t *doc, char address[CS_ADDRESS_TEXT])
{
	static const char *const skip[] = {"signature", "signatures", NULL};
	uint8_t digest[32];
	enum cs_err err = digest_without(doc, skip, digest);

	if (err == CS_OK)
		print_address(digest, address);
	return err;
}

void cs_address_of_bytes(const void *data, size_t len, char address[CS_ADDRESS_TEXT])
{
	uint8_t digest[32];

	cs_sha256(data, len, digest);
	print_address(digest, address);
}

enum cs_err cs_content_hash(const json_t *doc, char hex[65])
{
	static const char *const skip[] = {"content_hash", "signature", NULL};
	uint8_t digest[32];
	enum cs_err err = digest_without(doc, skip, digest);

	if (err == CS_OK)
		cs_hex_encode(digest, 32, hex);
	return err;
}

enum cs_err cs_address_digest(const char *address, uint8_t digest[32])
{
	if (address == NULL || strncmp(address, PREFIX, PREFIX_LEN) != 0)
		return CS_E_ADDRESS;
	const char *hex = address + PREFIX_LEN;
	return cs_hex_decode(hex, strnlen(hex, 65), digest, 32) == CS_OK ? CS_OK : CS_E_ADDRESS;
}

bool cs_address_ok(const char *text)
{
	uint8_t digest[32];

	return cs_address_digest(text, digest) == CS_OK;
}

/* Crockford's base 32, as the ULID specification uses it: no I, L, O, U. */
static const char base32[] = "0123456789ABCDEFGHJKMNPQRSTVWXYZ";

void cs_ulid_print(cs_time time, const uint8_t random[10], char text[CS_ULID_TEXT])
{
	uint64_t ms = (uint64_t)time & UINT64_C(0xffffffffffff);

	for (int i = 9; i >= 0; i--, ms >>= 5)
		text[i] = base32[ms & 31];
	/* 80 bits are 16 digits: five bytes make eight of them. */
	for (int half = 0; half < 2; half++) {
		uint64_t bits = 0;
		for (int i = 0; i < 5; i++)
			bits = bits << 8 | random[half * 5 + i];
		for (int i = 7; i >= 0; i--, bits >>= 5)
			text[10 + half * 8 + i] = base32[bits & 31];
	}
	text[26] = '\0';
}

static bool id_character(char c)
{
	return (c >= '0' && c <= '9') || (c >= 'a' && c <= 'z') || (c >= 'A' && c <= 'Z') ||
	       c == '.' || c == '_' || c == '-';
}

bool cs_id_ok(const char *id, const char *class_name)
{
	size_t class_len = strlen(class_name), run = 0;

	if (id == NULL || strnlen(id, CS_ID_MAX + 1) > CS_ID_MAX || strncmp(id, "kye:", 4) != 0)
		return false;
	id += 4;
	if (strncmp(id, class_name, class_len) != 0 || id[class_len] != ':')
		return false;
	for (id += class_len + 1; *id != '\0'; id++) {
		if (*id == ':' ? run == 0 : !id_character(*id))
			return false;
		run = *id == ':' ? 0 : run + 1;
	}
	return run > 0;
}
