/*
 * RFC 8785 against the published pairs and the file of ten thousand numbers. argv[1] is the folder
 * of published vectors.
 */
#include "canonical.h"
#include "number.h"

#include <dirent.h>
#include <sodium.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#define NUMBERS "b9f7a8e75ef22a835685a52ccba7f7d6bdc99e34b010992cbc5864cd12be6892"
#define SKIPPED 77

static unsigned cases, failed;

static void judge(bool good, const char *what, const char *name)
{
	cases++;
	if (good)
		return;
	failed++;
	printf("FAILED %s: %s\n", name, what);
}

static bool read_file(const char *folder, const char *name, struct cs_bytes *out)
{
	char path[1024], block[4096];
	size_t got;

	snprintf(path, sizeof path, "%s/%s", folder, name);
	FILE *file = fopen(path, "rb");
	if (file == NULL)
		return false;
	while ((got = fread(block, 1, sizeof block, file)) > 0)
		cs_bytes_add(out, block, got);
	bool good = ferror(file) == 0 && cs_bytes_check(out) == CS_OK;
	fclose(file);
	return good;
}

/* "7b 22 ..." in lines. */
static void from_hex(const struct cs_bytes *text, struct cs_bytes *out)
{
	const char *at = (const char *)text->data;
	char *end;

	for (;;) {
		unsigned long value = strtoul(at, &end, 16);
		if (end == at)
			return;
		uint8_t byte = (uint8_t)value;
		cs_bytes_add(out, &byte, 1);
		at = end;
	}
}

static void run_pair(const char *folder, const char *name)
{
	CS_CLEANUP_BYTES struct cs_bytes input = {0}, output = {0}, hex = {0}, bytes = {0},
					 form = {0};
	CS_CLEANUP_JSON json_t *doc = NULL, *again = NULL;
	char sub[700], hex_name[300];
	int stem = (int)(strlen(name) - strlen(".json"));

	snprintf(sub, sizeof sub, "%s/input", folder);
	bool found = read_file(sub, name, &input);
	snprintf(sub, sizeof sub, "%s/output", folder);
	found = found && read_file(sub, name, &output);
	snprintf(sub, sizeof sub, "%s/outhex", folder);
	snprintf(hex_name, sizeof hex_name, "%.*s.txt", stem, name);
	found = found && read_file(sub, hex_name, &hex);
	judge(found, "its input, output or outhex is missing", name);
	if (!found)
		return;
	from_hex(&hex, &bytes);
	bool read = cs_json_read(input.data, input.len, input.len, &doc, NULL) == CS_OK;
	judge(read, "the input is refused", name);
	bool printed = read && cs_canonical_print(doc, &form) == CS_OK;
	judge(printed && cs_bytes_equal(form.data, form.len, bytes.data, bytes.len),
		"differs from outhex", name);
	judge(printed && cs_bytes_equal(form.data, form.len, output.data, output.len),
		"differs from output", name);
	judge(cs_json_read_canonical(output.data, output.len, output.len, &again, NULL) == CS_OK,
		"the output is not read as canonical", name);
}

static bool run_pairs(const char *folder)
{
	char path[700];
	struct dirent *entry;
	unsigned pairs = 0;

	snprintf(path, sizeof path, "%s/input", folder);
	DIR *dir = opendir(path);
	if (dir == NULL)
		return false;
	while ((entry = readdir(dir)) != NULL) {
		const char *dot = strrchr(entry->d_name, '.');
		if (dot == NULL || strcmp(dot, ".json") != 0)
			continue;
		run_pair(folder, entry->d_name);
		pairs++;
	}
	closedir(dir);
	judge(pairs > 0, "holds no pair", path);
	return true;
}

static void run_number(char *line)
{
	char *expected = strchr(line, ','), text[CS_NUMBER_TEXT];
	double value, back;

	if (expected == NULL) {
		judge(false, "a line without a comma", line);
		return;
	}
	*expected++ = '\0';
	uint64_t bits = strtoull(line, NULL, 16);
	memcpy(&value, &bits, sizeof value);
	judge(cs_number_print(value, text) == CS_OK && strcmp(text, expected) == 0,
		"prints otherwise", line);
	judge(cs_number_read(expected, strlen(expected), &back) == CS_OK && back == value,
		"reads otherwise", line);
}

static void run_numbers(const char *folder)
{
	CS_CLEANUP_BYTES struct cs_bytes file = {0};
	const char *name = "es6testfile10k.txt";
	uint8_t digest[32];
	char hex[65];

	if (!read_file(folder, name, &file)) {
		judge(false, "is missing", name);
		return;
	}
	cs_sha256(file.data, file.len, digest);
	cs_hex_encode(digest, sizeof digest, hex);
	judge(strcmp(hex, NUMBERS) == 0, "is not the published file", name);
	unsigned lines = 0;
	for (char *line = strtok((char *)file.data, "\n"); line != NULL;
		line = strtok(NULL, "\n"), lines++)
		run_number(line);
	judge(lines == 10000, "does not have ten thousand lines", name);
}

int main(int argc, char **argv)
{
	char folder[600];

	if (sodium_init() < 0)
		return 1;
	if (argc != 2) {
		fprintf(stderr, "usage: %s VECTORS\n", argv[0]);
		return 2;
	}
	snprintf(folder, sizeof folder, "%s/jcs", argv[1]);
	if (!run_pairs(folder)) {
		printf("SKIP jcs: no folder %s\n", folder);
		return SKIPPED;
	}
	run_numbers(folder);
	printf("conformance jcs: %u cases, %u failed\n", cases, failed);
	return failed == 0 ? 0 : 1;
}
