/*
 * Published signed notes: each verifies with each key given, and with any byte of the signed text,
 * the separator or that key's signature line changed it does not.
 */
#include "core/note.h"
#include "tests/fixture/vector_file.h"

#include <dirent.h>
#include <sodium.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

static unsigned cases;
static unsigned failed;

static void fail(const char *file, const char *key, const char *why, size_t offset)
{
	if (failed++ < 20)
		printf("%s by %s: %s (byte %zu)\n", file, key, why, offset);
}

/*
 * Whether the line that holds the byte at `offset` is a signature by `key`: its name, then base64
 * that begins with its id.
 */
static bool own_line(const struct cs_bytes *note, size_t offset, const struct cs_note_key *key)
{
	CS_CLEANUP_BYTES struct cs_bytes id = {0};
	const uint8_t hash[] = {(uint8_t)(key->hash >> 24), (uint8_t)(key->hash >> 16),
		(uint8_t)(key->hash >> 8), (uint8_t)key->hash};
	char start[300];
	size_t line = offset;

	while (note->data[line - 1] != '\n')
		line--;
	size_t len = (size_t)snprintf(start, sizeof start, "\xe2\x80\x94 %s ", key->name);
	if (note->len - line < len + 8 || memcmp(note->data + line, start, len) != 0)
		return false;
	/* Eight characters are six bytes and need no padding. */
	return cs_base64_decode((const char *)note->data + line + len, 8, &id) == CS_OK &&
	       memcmp(id.data, hash, sizeof hash) == 0;
}

static void change_bytes(const char *file, const struct cs_bytes *note,
	const struct cs_note_key *key, size_t text_len)
{
	static const uint8_t masks[] = {0x01, 0x02, 0x10, 0x20, 0x80};
	char *copy = malloc(note->len);

	if (copy == NULL)
		exit(1);
	for (size_t i = 0; i < note->len; i++) {
		/*
		 * Lines by others, another key of the same name included, are ignored as the
		 * standard demands.
		 */
		if (i > text_len && !own_line(note, i, key))
			continue;
		for (size_t m = 0; m < sizeof masks; m++) {
			size_t changed_len = 0;
			memcpy(copy, note->data, note->len);
			copy[i] = (char)(copy[i] ^ masks[m]);
			cases++;
			if (cs_note_verify(copy, note->len, key, &changed_len) == CS_OK)
				fail(file, key->name, "a changed byte is accepted", i);
		}
	}
	for (size_t cut = 0; cut <= text_len; cut++) {
		size_t cut_len = 0;
		cases++;
		if (cs_note_verify((const char *)note->data, cut, key, &cut_len) == CS_OK)
			fail(file, key->name, "a note cut short is accepted", cut);
	}
	free(copy);
}

static void run_key(const char *file, const struct cs_bytes *note, const char *line)
{
	CS_CLEANUP_BYTES struct cs_bytes again = {0};
	struct cs_note_key key;
	size_t text_len = 0;

	cases++;
	enum cs_err err = cs_note_key_parse(line, &key);
	if (err != CS_OK) {
		fail(file, line, cs_err_name(err), 0);
		return;
	}
	if (cs_note_key_print(&key, &again) != CS_OK ||
		!cs_bytes_equal(again.data, again.len, line, strlen(line)))
		fail(file, line, "the key prints otherwise", 0);
	err = cs_note_verify((const char *)note->data, note->len, &key, &text_len);
	if (err != CS_OK) {
		fail(file, line, cs_err_name(err), 0);
		return;
	}
	change_bytes(file, note, &key, text_len);
}

/* NAME.note beside NAME.vkey, which has one key a line. */
static void run_note(const char *folder, const char *file)
{
	CS_CLEANUP_BYTES struct cs_bytes note = {0};
	CS_CLEANUP_BYTES struct cs_bytes keys = {0};
	char key_file[300];
	char *rest = NULL;
	unsigned before = cases;

	snprintf(key_file, sizeof key_file, "%.*s.vkey", (int)(strlen(file) - strlen(".note")),
		file);
	if (cs_test_file_read(folder, file, &note) == CS_OK &&
		cs_test_file_read(folder, key_file, &keys) == CS_OK && keys.data != NULL)
		for (char *line = strtok_r((char *)keys.data, "\r\n", &rest); line;
			line = strtok_r(NULL, "\r\n", &rest))
			run_key(file, &note, line);
	if (cases == before)
		fail(file, key_file, "nothing ran", 0);
}

int main(int argc, char **argv)
{
	char folder[512];
	struct dirent *entry;
	unsigned notes = 0;

	if (sodium_init() < 0)
		return 1;
	if (!cs_test_folder(argc, argv, "notes", "notes", folder))
		return CS_TEST_SKIP;
	DIR *dir = opendir(folder);
	while (dir != NULL && (entry = readdir(dir)) != NULL) {
		size_t len = strlen(entry->d_name);
		if (len <= 5 || len > 250 || strcmp(entry->d_name + len - 5, ".note") != 0)
			continue;
		run_note(folder, entry->d_name);
		notes++;
	}
	if (dir != NULL)
		closedir(dir);
	if (notes == 0)
		fail(folder, "any key", "no notes", 0);
	printf("conformance notes: %u cases, %u failed\n", cases, failed);
	return failed ? 1 : 0;
}
