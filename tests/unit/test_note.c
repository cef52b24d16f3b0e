/* Signed notes, their keys and cosignatures. */
#include <stdarg.h>
#include <stddef.h>
#include <setjmp.h>
#include <stdint.h>
#include <cmocka.h>

#include "core/note.h"
#include "tests/fixture/software_key.h"

#include <countersign/limits.h>
#include <sodium.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#define NAME "appliance.example/log1"
#define TEXT "some text\n\nwith an empty line\n"
#define DASH "\xe2\x80\x94 "

static struct cs_test_key *ed25519;
static struct cs_test_key *p256;
static struct cs_test_key *p384;

static int setup(void **state)
{
	(void)state;
	if (cs_test_key_make(CS_ALG_EDDSA, "kye:key:a", "note", &ed25519) != CS_OK ||
		cs_test_key_make(CS_ALG_ES256, "kye:key:b", "note", &p256) != CS_OK ||
		cs_test_key_make(CS_ALG_ES384, "kye:key:c", "note", &p384) != CS_OK)
		return -1;
	return 0;
}

static int teardown(void **state)
{
	(void)state;
	cs_test_key_free(ed25519);
	cs_test_key_free(p256);
	cs_test_key_free(p384);
	return 0;
}

static struct cs_note_key note_key(const char *name, const struct cs_test_key *key)
{
	struct cs_note_key made;

	assert_int_equal(cs_note_key_set(name, &cs_test_key_signer(key)->key, &made), CS_OK);
	return made;
}

static enum cs_err verify(const struct cs_bytes *note, const struct cs_note_key *key)
{
	size_t text_len = 12345;
	enum cs_err err = cs_note_verify((const char *)note->data, note->len, key, &text_len);

	if (err != CS_OK)
		assert_int_equal(text_len, 12345);
	return err;
}

static void sign(
	struct cs_bytes *note, const char *text, const char *name, const struct cs_test_key *key)
{
	assert_int_equal(cs_bytes_add_text(note, text), CS_OK);
	assert_int_equal(cs_note_sign(note, name, cs_test_key_signer(key)), CS_OK);
}

/* ---- keys ---- */

static void test_key_text(void **state)
{
	const struct cs_test_key *all[] = {ed25519, p256};
	const unsigned types[] = {CS_NOTE_ED25519, CS_NOTE_ECDSA};

	(void)state;
	for (size_t i = 0; i < 2; i++) {
		CS_CLEANUP_BYTES struct cs_bytes text = {0};
		struct cs_note_key key = note_key(NAME, all[i]);
		struct cs_note_key again;

		assert_string_equal(key.name, NAME);
		assert_int_equal(key.type, types[i]);
		assert_int_equal(cs_note_key_print(&key, &text), CS_OK);
		assert_int_equal(cs_note_key_parse((const char *)text.data, &again), CS_OK);
		assert_string_equal(again.name, NAME);
		assert_int_equal(again.hash, key.hash);
		assert_int_equal(again.type, key.type);
		assert_true(cs_public_key_equal(&again.key, &key.key));
		for (size_t at = strlen(NAME); at < text.len; at++) {
			text.data[at] ^= 1;
			assert_int_not_equal(
				cs_note_key_parse((const char *)text.data, &again), CS_OK);
			text.data[at] ^= 1;
		}
		/* The name is part of what is hashed for Ed25519 alone. */
		text.data[0] ^= 1;
		assert_int_equal(cs_note_key_parse((const char *)text.data, &again),
			i == 0 ? CS_E_KEY : CS_OK);
	}
}

/*
 * The hash is SHA-256 over name, LF, type and key for Ed25519, and over the SubjectPublicKeyInfo
 * for P-256.
 */
static void test_key_hash(void **state)
{
	CS_CLEANUP_BYTES struct cs_bytes input = {0};
	struct cs_note_key key = note_key(NAME, ed25519);
	uint8_t digest[32];

	(void)state;
	assert_int_equal(cs_bytes_add_text(&input, NAME "\n\x01"), CS_OK);
	assert_int_equal(cs_bytes_add(&input, key.key.point, 32), CS_OK);
	cs_sha256(input.data, input.len, digest);
	assert_int_equal(
		key.hash, (uint32_t)digest[0] << 24 | digest[1] << 16 | digest[2] << 8 | digest[3]);
	key = note_key(NAME, p256);
	cs_bytes_free(&input);
	assert_int_equal(cs_public_key_to_spki(&key.key, &input), CS_OK);
	cs_sha256(input.data, input.len, digest);
	assert_int_equal(
		key.hash, (uint32_t)digest[0] << 24 | digest[1] << 16 | digest[2] << 8 | digest[3]);
}

static void test_key_refused(void **state)
{
	static const char *const names[] = {
		"",
		" ",
		"a b",
		"a+b",
		"a\tb",
		"a\nb",
		"a\xc2\xa0"
		"b",
		"a\xc2\x85",
		"a\xe2\x80\x89"
		"b",
		"a\xe3\x80\x80",
		"\xff",
		"a\xc3",
		"a\x01",
		"a\xed\xa0\x80",
		"\xc0\xaf",
	};
	static const char *const texts[] = {
		"",
		"+",
		"++",
		"a+b",
		"a+00000000",
		"a+0000000g+AQ==",
		"a+0000000+AQ==",
		"a+000000000+AQ==",
		"a+ABCDEF01+AQ==",
		"a+00000000+",
		"a+00000000+AQ",
		"a+00000000+A",
	};
	struct cs_note_key key = {.hash = 7};
	char name[300];

	(void)state;
	for (size_t i = 0; i < sizeof names / sizeof *names; i++)
		assert_int_equal(cs_note_key_set(names[i], &cs_test_key_signer(ed25519)->key, &key),
			CS_E_NOTE);
	for (size_t i = 0; i < sizeof texts / sizeof *texts; i++)
		assert_int_equal(cs_note_key_parse(texts[i], &key), i < 9    ? CS_E_NOTE
								    : i == 9 ? CS_E_KEY
									     : CS_E_NOTE);
	assert_int_equal(cs_note_key_set(NAME, &cs_test_key_signer(p384)->key, &key), CS_E_KEY);
	memset(name, 'n', sizeof name);
	name[256] = '\0';
	assert_int_equal(cs_note_key_set(name, &cs_test_key_signer(ed25519)->key, &key), CS_E_NOTE);
	assert_int_equal(key.hash, 7);
	name[255] = '\0';
	assert_int_equal(cs_note_key_set(name, &cs_test_key_signer(ed25519)->key, &key), CS_OK);
	assert_int_equal(
		cs_note_key_set("\xc3\xa9/\xe2\x82\xac", &cs_test_key_signer(ed25519)->key, &key),
		CS_OK);
}

/* Types and encodings behind a hash that is right for them. */
static void test_key_types(void **state)
{
	const struct {
		uint8_t type;
		const struct cs_test_key *key;
		size_t cut;
		bool hash_spki;
		enum cs_err err;
	} cases[] = {
		{0x01, ed25519, 0, false, CS_OK},
		{0x04, ed25519, 0, false, CS_OK},
		{0x02, p256, 0, true, CS_OK},
		{0x02, p256, 0, false, CS_E_KEY}, /* the hash of the other types */
		{0x02, p384, 0, true, CS_E_KEY},
		{0x02, ed25519, 0, true, CS_E_KEY}, /* 32 bare bytes are no SubjectPublicKeyInfo */
		{0x01, ed25519, 1, false, CS_E_KEY},
		{0x03, ed25519, 0, false, CS_E_KEY},
		{0x05, p256, 0, false, CS_E_KEY},
		{0xff, ed25519, 0, false, CS_E_KEY},
	};

	(void)state;
	for (size_t i = 0; i < sizeof cases / sizeof *cases; i++) {
		CS_CLEANUP_BYTES struct cs_bytes encoded = {0};
		CS_CLEANUP_BYTES struct cs_bytes input = {0};
		CS_CLEANUP_BYTES struct cs_bytes text = {0};
		const struct cs_public_key *key = &cs_test_key_signer(cases[i].key)->key;
		struct cs_note_key parsed;
		uint8_t digest[32];

		assert_int_equal(cs_bytes_add(&encoded, &cases[i].type, 1), CS_OK);
		if (key->alg == CS_ALG_EDDSA)
			assert_int_equal(
				cs_bytes_add(&encoded, key->point, 32 - cases[i].cut), CS_OK);
		else
			assert_int_equal(cs_public_key_to_spki(key, &encoded), CS_OK);
		if (!cases[i].hash_spki)
			assert_int_equal(cs_bytes_add_text(&input, NAME "\n"), CS_OK);
		assert_int_equal(cs_bytes_add(&input, encoded.data + cases[i].hash_spki,
					 encoded.len - cases[i].hash_spki),
			CS_OK);
		cs_sha256(input.data, input.len, digest);
		assert_int_equal(cs_bytes_addf(&text, NAME "+%02x%02x%02x%02x+", digest[0],
					 digest[1], digest[2], digest[3]),
			CS_OK);
		assert_int_equal(cs_base64_encode(encoded.data, encoded.len, &text), CS_OK);
		assert_int_equal(cs_note_key_parse((const char *)text.data, &parsed), cases[i].err);
	}
}

/* ---- notes ---- */

/* The example of the standard: its key, and a note by it. */
static void test_published_note(void **state)
{
	static const char note[] = "This is an example message.\n\n" DASH "example.com/foo "
				   "Uw2QOkn8srV1yJGh2VYRlL1Tnagv1YEq6TfXppzi2ONncAlTgK7Ztg1ERYNZXsY"
				   "jOBH3mFXmRKuwHjG1Yu72IneyaQM=\n";
	struct cs_note_key key;
	size_t text_len = 0;

	(void)state;
	assert_int_equal(
		cs_note_key_parse(
			"example.com/foo+530d903a+AekyeRrm56hApGFkyQR4ZCbV54Id2LKaANYcrnKv3U2k",
			&key),
		CS_OK);
	assert_int_equal(cs_note_verify(note, strlen(note), &key, &text_len), CS_OK);
	assert_int_equal(text_len, strlen("This is an example message.\n"));
}

static void test_sign_and_verify(void **state)
{
	const struct cs_test_key *all[] = {ed25519, p256};
	static const char *const texts[] = {TEXT, "x\n", "ends in an empty line\n\n", "\x7f\n",
		"\n", "\xc3\xa9 \xe2\x80\x94 x\n"};

	(void)state;
	for (size_t i = 0; i < 2; i++) {
		for (size_t t = 0; t < sizeof texts / sizeof *texts; t++) {
			CS_CLEANUP_BYTES struct cs_bytes note = {0};
			struct cs_note_key key = note_key(NAME, all[i]);
			struct cs_note_key other = note_key("other.example", all[i]);
			size_t text_len = 0;

			sign(&note, texts[t], NAME, all[i]);
			assert_int_equal(
				cs_note_verify((const char *)note.data, note.len, &key, &text_len),
				CS_OK);
			assert_int_equal(text_len, strlen(texts[t]));
			assert_int_equal(verify(&note, &other), CS_E_KEY_UNKNOWN);
			for (size_t at = 0; at < note.len; at++) {
				for (unsigned bit = 0; bit < 8; bit++) {
					note.data[at] ^= (uint8_t)(1u << bit);
					assert_int_not_equal(verify(&note, &key), CS_OK);
					note.data[at] ^= (uint8_t)(1u << bit);
				}
			}
			for (size_t cut = 0; cut < note.len; cut++)
				assert_int_not_equal(cs_note_verify((const char *)note.data, cut,
							     &key, &text_len),
					CS_OK);
			/* In the last two that leaves no empty line, or no UTF-8. */
			note.data[0] = 'y';
			assert_int_equal(verify(&note, &key), t < 4 ? CS_E_SIGNATURE : CS_E_NOTE);
		}
	}
}

static void test_several_signatures(void **state)
{
	CS_CLEANUP_BYTES struct cs_bytes note = {0};
	struct cs_note_key a = note_key(NAME, ed25519);
	struct cs_note_key b = note_key(NAME, p256);
	struct cs_note_key c = note_key("witness.example", ed25519);

	(void)state;
	sign(&note, TEXT, NAME, ed25519);
	assert_int_equal(verify(&note, &b), CS_E_KEY_UNKNOWN); /* the same name, another key */
	size_t one = note.len;
	sign(&note, "", NAME, p256);
	sign(&note, "", "witness.example", ed25519);
	assert_int_equal(verify(&note, &a), CS_OK);
	assert_int_equal(verify(&note, &b), CS_OK);
	assert_int_equal(verify(&note, &c), CS_OK);
	/* Never a second line by one key, neither made nor read. */
	size_t len = note.len;
	assert_int_equal(cs_note_sign(&note, NAME, cs_test_key_signer(ed25519)), CS_E_NOTE);
	assert_int_equal(note.len, len);
	CS_CLEANUP_BYTES struct cs_bytes line = {0};
	assert_int_equal(
		cs_bytes_add(&line, note.data + strlen(TEXT) + 1, one - strlen(TEXT) - 1), CS_OK);
	assert_int_equal(cs_bytes_add(&note, line.data, line.len), CS_OK);
	assert_int_equal(verify(&note, &a), CS_E_NOTE);
	assert_int_equal(verify(&note, &b), CS_OK);
	assert_int_equal(cs_note_sign(&note, NAME, cs_test_key_signer(ed25519)), CS_E_NOTE);
}

static void test_signature_count(void **state)
{
	CS_CLEANUP_BYTES struct cs_bytes note = {0};
	char name[32];

	(void)state;
	for (unsigned i = 0; i < CS_NOTE_SIGNATURES_MAX; i++) {
		snprintf(name, sizeof name, "w%u", i);
		sign(&note, i == 0 ? TEXT : "", name, ed25519);
	}
	struct cs_note_key key = note_key("w0", ed25519);
	assert_int_equal(verify(&note, &key), CS_OK);
	assert_int_equal(cs_note_sign(&note, NAME, cs_test_key_signer(ed25519)), CS_E_NOTE);
	assert_int_equal(cs_bytes_add_text(&note, DASH "w AAAAAAA=\n"), CS_OK);
	assert_int_equal(verify(&note, &key), CS_E_NOTE);
}

/* A good note, then lines beside the signature that others must not be able to smuggle in. */
static void test_lines(void **state)
{
	static const struct {
		const char *line;
		enum cs_err err;
	} cases[] = {
		{DASH "w AAAAAAA=\n", CS_OK},
		{DASH "\xc3\xa9 AAAAAAA=\n", CS_OK},
		{DASH "w AAAAAA==\n", CS_E_NOTE}, /* a key id and no signature */
		{DASH "w AAAAAAA\n", CS_E_NOTE},
		{DASH "w AAAAAAB=\n", CS_E_NOTE},
		{DASH "w AAAA-AA=\n", CS_E_NOTE},
		{DASH "w  AAAAAAA=\n", CS_E_NOTE},
		{DASH "w AAAAAAA= \n", CS_E_NOTE},
		{DASH "w AAAAAAA= AAAA\n", CS_E_NOTE},
		{DASH "w AAAAAAA=", CS_E_NOTE},
		{DASH "w AAAAAAA=\r\n", CS_E_NOTE},
		{DASH "w\n", CS_E_NOTE},
		{DASH "w \n", CS_E_NOTE},
		{DASH "AAAAAAA=\n", CS_E_NOTE},
		{DASH " AAAAAAA=\n", CS_E_NOTE},
		{DASH "a+b AAAAAAA=\n", CS_E_NOTE},
		{DASH "a\xe2\x80\xa8"
		      "b AAAAAAA=\n",
			CS_E_NOTE},
		{DASH "\xff AAAAAAA=\n", CS_E_NOTE},
		{DASH "\n", CS_E_NOTE},
		{"- w AAAAAAA=\n", CS_E_NOTE},
		{"\xe2\x80\x93 w AAAAAAA=\n", CS_E_NOTE}, /* an en dash */
		{"\xe2\x80\x94w AAAAAAA=\n", CS_E_NOTE},
		{"w AAAAAAA=\n", CS_E_NOTE},
		{"\n", CS_E_NOTE},
		{"\n" DASH "w AAAAAAA=\n", CS_E_KEY_UNKNOWN}, /* now our line is text */
		{"\n\n", CS_E_NOTE},
	};
	struct cs_note_key key = note_key(NAME, ed25519);

	(void)state;
	for (size_t i = 0; i < sizeof cases / sizeof *cases; i++) {
		CS_CLEANUP_BYTES struct cs_bytes note = {0};
		sign(&note, TEXT, NAME, ed25519);
		assert_int_equal(cs_bytes_add_text(&note, cases[i].line), CS_OK);
		assert_int_equal(verify(&note, &key), cases[i].err);
	}
}

static void test_text_refused(void **state)
{
	static const struct {
		const char *text;
		size_t len;
	} cases[] = {
		{"", 0},
		{"no line end", 11},
		{"a\tb\n", 4},
		{"a\rb\n", 4},
		{"a\0b\n", 4},
		{"\x1b[31m\n", 6},
		{"\xff\n", 2},
		{"\xc3\n", 2},
		{"\xed\xa0\x80\n", 4},
		{"\xf4\x90\x80\x80\n", 5},
		{"\xc0\x80\n", 3},
		/* a last paragraph meant as signatures, and malformed */
		{"a\n\n" DASH "w AAAA\n", 14},
		{"a\n\n" DASH "w AAAAAAA=\nmore\n", 23},
	};
	struct cs_note_key key = note_key(NAME, ed25519);

	(void)state;
	for (size_t i = 0; i < sizeof cases / sizeof *cases; i++) {
		CS_CLEANUP_BYTES struct cs_bytes note = {0};
		assert_int_equal(cs_bytes_add(&note, cases[i].text, cases[i].len), CS_OK);
		assert_int_equal(cs_note_sign(&note, NAME, cs_test_key_signer(ed25519)), CS_E_NOTE);
		assert_int_equal(note.len, cases[i].len);
		assert_int_equal(cs_bytes_add_text(&note, "\n\n" DASH "w AAAAAAA=\n"), CS_OK);
		enum cs_err err = i < 2 || i > 10 ? CS_E_KEY_UNKNOWN : CS_E_NOTE;
		assert_int_equal(verify(&note, &key), err);
	}
	struct cs_bytes empty = {0};
	assert_int_equal(verify(&empty, &key), CS_E_NOTE);
}

static void test_signer_refused(void **state)
{
	CS_CLEANUP_BYTES struct cs_bytes note = {0};
	struct cs_signer signer = *cs_test_key_signer(ed25519);

	(void)state;
	assert_int_equal(cs_bytes_add_text(&note, TEXT), CS_OK);
	assert_int_equal(cs_note_sign(&note, NAME, cs_test_key_signer(p384)), CS_E_KEY);
	assert_int_equal(cs_note_sign(&note, "two words", &signer), CS_E_NOTE);
	signer = cs_test_key_removed(ed25519);
	assert_int_equal(cs_note_sign(&note, NAME, &signer), CS_E_TOKEN_REMOVED);
	assert_string_equal((const char *)note.data, TEXT);
}

/*
 * A P-256 line with high S, or not in DER: well formed as a note, refused as a signature of ours.
 */
static void test_ecdsa_strictness(void **state)
{
	const struct cs_signer *signer = cs_test_key_signer(p256);
	struct cs_note_key key = note_key(NAME, p256);
	uint8_t raw[CS_SIGNATURE_MAX];
	uint8_t high[64];

	(void)state;
	assert_int_equal(signer->sign(signer->context, TEXT, strlen(TEXT), raw), CS_OK);
	memcpy(high, raw, 64);
	cs_test_signature_flip_s(CS_ALG_ES256, high);
	CS_CLEANUP_BYTES struct cs_bytes low_der = {0};
	CS_CLEANUP_BYTES struct cs_bytes high_der = {0};
	assert_int_equal(cs_signature_to_der(CS_ALG_ES256, raw, 64, &low_der), CS_OK);
	assert_int_equal(cs_signature_to_der(CS_ALG_ES256, high, 64, &high_der), CS_OK);
	const struct {
		const uint8_t *signature;
		size_t len;
		enum cs_err err;
	} cases[] = {
		{low_der.data, low_der.len, CS_OK},
		{high_der.data, high_der.len, CS_E_SIGNATURE_HIGH_S},
		{raw, 64, CS_E_SIGNATURE_FORM},
		{low_der.data, low_der.len - 1, CS_E_SIGNATURE_FORM},
	};
	for (size_t i = 0; i < sizeof cases / sizeof *cases; i++) {
		CS_CLEANUP_BYTES struct cs_bytes value = {0};
		CS_CLEANUP_BYTES struct cs_bytes note = {0};
		const uint8_t id[4] = {(uint8_t)(key.hash >> 24), (uint8_t)(key.hash >> 16),
			(uint8_t)(key.hash >> 8), (uint8_t)key.hash};
		assert_int_equal(cs_bytes_add(&value, id, 4), CS_OK);
		assert_int_equal(cs_bytes_add(&value, cases[i].signature, cases[i].len), CS_OK);
		assert_int_equal(cs_bytes_add_text(&note, TEXT "\n" DASH NAME " "), CS_OK);
		assert_int_equal(cs_base64_encode(value.data, value.len, &note), CS_OK);
		assert_int_equal(cs_bytes_add_text(&note, "\n"), CS_OK);
		assert_int_equal(verify(&note, &key), cases[i].err);
	}
}

/*
 * A witness's line: the time stamp is signed with the text, and no ordinary signature passes for
 * it.
 */
static void test_cosignature(void **state)
{
	const struct cs_signer *signer = cs_test_key_signer(ed25519);
	struct cs_note_key log = note_key(NAME, p256);
	struct cs_note_key witness;
	CS_CLEANUP_BYTES struct cs_bytes vkey = {0};
	CS_CLEANUP_BYTES struct cs_bytes input = {0};
	CS_CLEANUP_BYTES struct cs_bytes value = {0};
	CS_CLEANUP_BYTES struct cs_bytes note = {0};
	uint8_t encoded[33] = {CS_NOTE_COSIGNATURE};
	uint8_t digest[32];
	uint8_t signature[64];
	static const char message[] = "cosignature/v1\ntime 1700000000\n" TEXT;
	static const uint8_t time[8] = {0, 0, 0, 0, 0x65, 0x53, 0xf1, 0x00};

	(void)state;
	memcpy(encoded + 1, signer->key.point, 32);
	assert_int_equal(cs_bytes_add_text(&input, "w.example\n"), CS_OK);
	assert_int_equal(cs_bytes_add(&input, encoded, sizeof encoded), CS_OK);
	cs_sha256(input.data, input.len, digest);
	assert_int_equal(cs_bytes_addf(&vkey, "w.example+%02x%02x%02x%02x+", digest[0], digest[1],
				 digest[2], digest[3]),
		CS_OK);
	assert_int_equal(cs_base64_encode(encoded, sizeof encoded, &vkey), CS_OK);
	assert_int_equal(cs_note_key_parse((const char *)vkey.data, &witness), CS_OK);
	assert_int_equal(signer->sign(signer->context, message, strlen(message), signature), CS_OK);
	assert_int_equal(cs_bytes_add(&value, digest, 4), CS_OK);
	assert_int_equal(cs_bytes_add(&value, time, 8), CS_OK);
	assert_int_equal(cs_bytes_add(&value, signature, 64), CS_OK);
	sign(&note, TEXT, NAME, p256);
	size_t log_len = note.len;
	assert_int_equal(verify(&note, &witness), CS_E_KEY_UNKNOWN);
	for (size_t at = 0; at <= value.len; at++) {
		note.len = log_len;
		note.data[log_len] = '\0';
		if (at > 4 && at < value.len)
			value.data[at] ^= 0x80;
		assert_int_equal(cs_bytes_add_text(&note, DASH "w.example "), CS_OK);
		assert_int_equal(cs_base64_encode(value.data, value.len, &note), CS_OK);
		assert_int_equal(cs_bytes_add_text(&note, "\n"), CS_OK);
		bool whole = at <= 4 || at == value.len;
		assert_int_equal(verify(&note, &witness), whole ? CS_OK : CS_E_SIGNATURE);
		assert_int_equal(verify(&note, &log), CS_OK);
		if (at > 4 && at < value.len)
			value.data[at] ^= 0x80;
	}
	/* Times beyond 2^63 - 1, and values too short for a time. */
	value.data[4] = 0x80;
	for (size_t len = 5; len <= value.len; len++) {
		note.len = log_len;
		note.data[log_len] = '\0';
		assert_int_equal(cs_bytes_add_text(&note, DASH "w.example "), CS_OK);
		assert_int_equal(cs_base64_encode(value.data, len, &note), CS_OK);
		assert_int_equal(cs_bytes_add_text(&note, "\n"), CS_OK);
		assert_int_equal(verify(&note, &witness), CS_E_SIGNATURE_FORM);
	}
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_key_text),
		cmocka_unit_test(test_key_hash),
		cmocka_unit_test(test_key_refused),
		cmocka_unit_test(test_key_types),
		cmocka_unit_test(test_published_note),
		cmocka_unit_test(test_sign_and_verify),
		cmocka_unit_test(test_several_signatures),
		cmocka_unit_test(test_signature_count),
		cmocka_unit_test(test_lines),
		cmocka_unit_test(test_text_refused),
		cmocka_unit_test(test_signer_refused),
		cmocka_unit_test(test_ecdsa_strictness),
		cmocka_unit_test(test_cosignature),
	};

	if (sodium_init() < 0)
		return 1;
	return cmocka_run_group_tests(tests, setup, teardown);
}
