/*
 * The published signed artefacts under our verifier, and our artefacts under the published schemas:
 * argv[1] is the folder of the KYE Protocol's files.
 *
 * Each published artefact verifies under its JWKS, and with any bit of its canonical form flipped
 * it does not. Whatever a sealed pack of ours holds in a form that is published validates against
 * the published schema, in every scenario.
 */
#include "tests/fixture/verdict.h"

#include <dirent.h>
#include <sodium.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#define FILE_MAX (1024 * 1024)
#define PUBLISHED "https://kyeprotocol.com/schemas/"

static const char *const artefacts[] = {"self-audit-run", "engine-health", "audit-integrity-check"};

struct suite {
	const char *folder;
	struct cs_schema_registry *ours; /* none is needed to verify an artefact */
	struct cs_schema_registry *published;
	struct cs_keyring *ring;
	unsigned count, failed;
};

static bool expect(struct suite *suite, const char *what, bool good, const char *why)
{
	suite->count++;
	if (good)
		return true;
	suite->failed++;
	printf("FAILED %s: %s\n", what, why);
	return false;
}

static json_t *read_file(const struct suite *suite, const char *name)
{
	static char data[FILE_MAX];
	char path[1024];
	json_t *doc = NULL;
	struct cs_fault fault = {0};

	snprintf(path, sizeof path, "%s/%s", suite->folder, name);
	FILE *file = fopen(path, "rb");
	if (file == NULL)
		return NULL;
	size_t len = fread(data, 1, sizeof data, file);
	fclose(file);
	if (cs_json_read(data, len, sizeof data, &doc, &fault) != CS_OK)
		printf("FAILED %s: %s\n", path, fault.detail);
	return doc;
}

/* ---- published artefacts ---- */

static bool authentic(const struct suite *suite, const json_t *document)
{
	const struct cs_verify_input input = {
		.registry = suite->ours, .ring = suite->ring, .document = document};
	CS_CLEANUP_JSON json_t *verdict = cs_verdict_of(&input);

	return json_is_true(json_object_get(verdict, "authentic"));
}

static bool bytes_authentic(const struct suite *suite, const char *text, size_t len)
{
	CS_CLEANUP_JSON json_t *document = NULL;

	return cs_json_read(text, len, FILE_MAX, &document, NULL) == CS_OK &&
	       authentic(suite, document);
}

static void flip_every_bit(struct suite *suite, const char *name, const json_t *artefact)
{
	size_t len;
	char *text = cs_sealed_text(artefact, &len);

	for (size_t i = 0; i < len; i++)
		for (unsigned bit = 0; bit < 8; bit++) {
			char what[256];
			snprintf(what, sizeof what, "%s, bit %u of byte %zu flipped", name, bit, i);
			text[i] = (char)((unsigned char)text[i] ^ (1u << bit));
			expect(suite, what, !bytes_authentic(suite, text, len),
				"verifies all the same");
			text[i] = (char)((unsigned char)text[i] ^ (1u << bit));
		}
	expect(suite, name, bytes_authentic(suite, text, len), "does not verify in canonical form");
	free(text);
}

static void run_artefacts(struct suite *suite)
{
	CS_CLEANUP_JSON json_t *jwks = read_file(suite, "signed/self-audit-jwks.json");
	struct cs_fault fault = {0};

	if (!expect(suite, "self-audit-jwks",
		    cs_keyring_from_jwks(suite->ours, jwks, &suite->ring, &fault) == CS_OK,
		    fault.detail))
		return;
	expect(suite, "self-audit-jwks", cs_keyring_is_plain(suite->ring), "is not plain");
	for (size_t i = 0; i < sizeof artefacts / sizeof artefacts[0]; i++) {
		char name[128];
		snprintf(name, sizeof name, "signed/%s.json", artefacts[i]);
		CS_CLEANUP_JSON json_t *artefact = read_file(suite, name);
		if (expect(suite, name, artefact != NULL && authentic(suite, artefact),
			    "does not verify"))
			flip_every_bit(suite, name, artefact);
	}
}

/* ---- our artefacts under the published schemas ---- */

static void load_published(struct suite *suite)
{
	char path[1024];
	struct cs_fault fault = {0};
	struct dirent *entry;

	snprintf(path, sizeof path, "%s/schemas", suite->folder);
	DIR *dir = opendir(path);
	while (dir != NULL && (entry = readdir(dir)) != NULL) {
		if (strstr(entry->d_name, ".json") == NULL)
			continue;
		snprintf(path, sizeof path, "schemas/%s", entry->d_name);
		CS_CLEANUP_JSON json_t *schema = read_file(suite, path);
		expect(suite, path,
			schema != NULL &&
				cs_schema_add(suite->published, NULL, schema, &fault) == CS_OK,
			fault.detail);
	}
	if (dir != NULL)
		closedir(dir);
	expect(suite, "published schemas", cs_schema_compile(suite->published, &fault) == CS_OK,
		fault.detail);
}

static void validate(
	struct suite *suite, const char *name, const json_t *document, const char *scenario)
{
	struct cs_fault fault = {0};
	char uri[256], what[256], why[600];

	snprintf(uri, sizeof uri, PUBLISHED "%s.json", name);
	snprintf(what, sizeof what, "%s of %s", name, scenario);
	enum cs_err err = document == NULL
				  ? CS_E_NOT_FOUND
				  : cs_schema_validate(suite->published, uri, document, &fault);
	snprintf(why, sizeof why, "%s %s: %s", cs_err_name(err), fault.path, fault.detail);
	expect(suite, what, err == CS_OK, why);
}

static void validate_all(
	struct suite *suite, const char *name, const json_t *list, const char *scenario)
{
	const json_t *document;
	size_t i;

	expect(suite, name, json_array_size(list) > 0, "is in no pack");
	json_array_foreach (list, i, document)
		validate(suite, name, document, scenario);
}

static void run_scenarios(struct suite *suite, unsigned flags)
{
	static const char *const names[CS_SEALED_SCENARIOS] = {
		"rollback", "restricted", "config", "restart", "denied", "rejected"};
	struct cs_world *world = cs_world_new(flags);

	for (int i = 0; i < CS_SEALED_SCENARIOS; i++) {
		struct cs_sealed *sealed = cs_sealed_scenario(world, (enum cs_sealed_scenario)i);
		validate(suite, "kye.evidence.pack.v1", sealed->pack, names[i]);
		validate(suite, "kye.evidence.decision_map.v1", sealed->map, names[i]);
		validate(suite, "proposed-action", json_object_get(sealed->core, "proposed_action"),
			names[i]);
		validate(suite, "admissibility-decision",
			json_object_get(sealed->inputs, "admissibility_decision"), names[i]);
		validate_all(suite, "kye.authority.grant.v1",
			json_object_get(sealed->inputs, "grants"), names[i]);
		validate_all(suite, "delegation", json_object_get(sealed->inputs, "delegations"),
			names[i]);
		cs_sealed_free(sealed);
	}
	cs_world_free(world);
}

/* A comparison that never refuses proves nothing. */
static void run_refusals(struct suite *suite)
{
	static const char *const changes[][3] = {
		{"kye.evidence.pack.v1", "signatures", "[]"},
		{"kye.evidence.pack.v1", "signatures/0/signer", "\"kye:person:acme.ada\""},
		{"kye.evidence.decision_map.v1", "nodes/0/type", "\"other\""},
		{"proposed-action", "origin", NULL},
		{"admissibility-decision", "decision", "\"allow\""},
		{"kye.authority.grant.v1", "schema", "\"kye.authority.grant.v1\""},
		{"delegation", "status", "\"other\""},
	};
	struct cs_world *world = cs_world_new(0);
	struct cs_sealed *sealed = cs_sealed_scenario(world, CS_SEALED_ROLLBACK);

	for (size_t i = 0; i < sizeof changes / sizeof changes[0]; i++) {
		const char *name = changes[i][0];
		const json_t *of =
			strcmp(name, "proposed-action") == 0
				? json_object_get(sealed->core, "proposed_action")
			: strcmp(name, "admissibility-decision") == 0
				? json_object_get(sealed->inputs, "admissibility_decision")
			: strcmp(name, "kye.authority.grant.v1") == 0
				? cs_json_at(sealed->inputs, "grants/0")
			: strcmp(name, "delegation") == 0
				? cs_json_at(sealed->inputs, "delegations/0")
			: strcmp(name, "kye.evidence.pack.v1") == 0 ? sealed->pack
								    : sealed->map;
		CS_CLEANUP_JSON json_t *changed = json_deep_copy(of);
		char uri[256];
		cs_world_set(changed, changes[i][1], changes[i][2]);
		snprintf(uri, sizeof uri, PUBLISHED "%s.json", name);
		expect(suite, name,
			cs_schema_validate(suite->published, uri, changed, NULL) ==
				CS_E_DOCUMENT_INVALID,
			"accepted although it was changed");
	}
	cs_sealed_free(sealed);
	cs_world_free(world);
}

int main(int argc, char **argv)
{
	struct suite suite = {0};

	if (sodium_init() < 0)
		return 1;
	if (argc != 2) {
		fprintf(stderr, "usage: test_artefacts KYE\n");
		return 2;
	}
	suite.folder = argv[1];
	if (access(argv[1], R_OK) != 0) {
		printf("SKIP artefacts: no folder %s\n", argv[1]);
		return 77;
	}
	if (cs_schema_registry_embedded(&suite.ours) != CS_OK ||
		cs_schema_registry_new(&suite.published) != CS_OK) {
		printf("FAILED artefacts: no registry\n");
		return 1;
	}
	cs_schema_assert_formats(suite.published, true);
	run_artefacts(&suite);
	load_published(&suite);
	run_scenarios(&suite, 0);
	run_scenarios(&suite, CS_WORLD_P256_SEAL | CS_WORLD_P256_PEOPLE);
	run_refusals(&suite);
	printf("conformance artefacts: %u cases, %u failed\n", suite.count, suite.failed);
	cs_keyring_free(suite.ring);
	cs_schema_registry_free(suite.ours);
	cs_schema_registry_free(suite.published);
	return suite.failed == 0 ? 0 : 1;
}
