/*
 * The published KYE Protocol files: argv[1] is their folder.
 *
 * Published instances against the published schemas (the negative fixtures must fail there), non-
 * negative ones of our family against ours, and then ours against the published ones: every
 * document that is one change away from a valid one and that our schema accepts must be accepted by
 * the published schema too.
 */
#include "schema.h"

#include <dirent.h>
#include <sodium.h>
#include <stdio.h>
#include <string.h>
#include <unistd.h>

#define FILE_MAX (1024 * 1024)
#define DEPTH_MAX 16
#define PUBLISHED "https://kyeprotocol.com/schemas/"

/* `invalid`: keyword at which the published schema refuses the instance, NULL when it is valid. */
static const struct {
	const char *instance;
	const char *published; /* NULL: only instances are published */
	const char *ours;      /* NULL: not of our family */
	const char *invalid;
} cases[] = {
	{"examples/admissibility-decision", "admissibility-decision",
		"kye.admissibility_decision.v1", NULL},
	{"examples/approval-brief__approval-brief-1", NULL, "kye.approval_brief.v1", NULL},
	{"examples/approval-brief__approval-decision-1", NULL, "kye.approval_decision.v1", NULL},
	{"examples/approval-brief__approver-knowledge-snapshot-1", NULL,
		"kye.approver_knowledge_snapshot.v1", NULL},
	{"examples/authority__grant-1", "kye.authority.grant.v1", "kye.authority.grant.v1", NULL},
	{"examples/authority__grant-agent-delegate-1", "kye.authority.grant.v1", NULL,
		"/agent_of_record"},
	{"examples/authority__grant-agent-of-record-1", "kye.authority.grant.v1", NULL,
		"/agent_of_record"},
	{"examples/commit-boundary", "commit-boundary", NULL, NULL},
	{"examples/consequence-mapping__consequence-map-1", NULL, "kye.consequence_map.v1", NULL},
	{"examples/delegation", "delegation", NULL, ""},
	{"examples/evidence__decision-map-1", "kye.evidence.decision_map.v1",
		"kye.evidence.decision_map.v1", NULL},
	{"examples/evidence__pack-1", "kye.evidence.pack.v1", NULL, "/coordinate/lifecycle"},
	{"examples/human-involvement-plan", "human-involvement-plan", NULL,
		"/involvement_points/0/qualification"},
	{"examples/main-restore-evidence__kye.purpose.request.v1", NULL, "kye.purpose.request.v1",
		NULL},
	{"examples/proposed-action", "proposed-action", "kye.proposed_action.v1", NULL},
	{"examples/purpose__admissibility-1", NULL, "kye.purpose.admissibility.v1", NULL},
	{"examples/purpose__grant-1", NULL, "kye.purpose.grant.v1", NULL},
	{"examples/purpose__request-1", NULL, "kye.purpose.request.v1", NULL},
	{"examples/replay__context-seal-1", NULL, "kye.replay.context_seal.v1", NULL},
	{"examples/review-path", "review-path", NULL, NULL},
	{"signed/audit-integrity-check", "audit-integrity-check", NULL, NULL},
	{"signed/engine-health", "engine-health", NULL, NULL},
	{"signed/self-audit-run", "self-audit-run", NULL, NULL},
};

/*
 * Our schema beside the published one of the same artefact, and a document of ours that both
 * accept.
 */
static const struct {
	const char *ours;
	const char *published;
	const char *sample;
} pairs[] = {
	{"kye.admissibility_decision.v1", "admissibility-decision", "admissibility_decision"},
	{"kye.authority.grant.v1", "kye.authority.grant.v1", "authority_grant"},
	{"kye.delegation.v1", "delegation", "delegation"},
	{"kye.evidence.decision_map.v1", "kye.evidence.decision_map.v1", "decision_map"},
	{"kye.evidence.pack.v1", "kye.evidence.pack.v1", "pack"},
	{"kye.proposed_action.v1", "proposed-action", "proposed_action"},
};

struct suite {
	const char *folder;
	struct cs_schema_registry *published;
	struct cs_schema_registry *ours;
	unsigned count, failed;
};

static json_t *read_file(const char *path)
{
	static char data[FILE_MAX];
	json_t *doc = NULL;
	struct cs_fault fault = {0};
	FILE *file = fopen(path, "rb");
	size_t len;

	if (file == NULL)
		return NULL;
	len = fread(data, 1, sizeof data, file);
	fclose(file);
	if (cs_json_read(data, len, sizeof data, &doc, &fault) != CS_OK) {
		printf("FAILED %s: %s\n", path, fault.detail);
		return NULL;
	}
	return doc;
}

static void expect(struct suite *suite, const char *what, enum cs_err got, enum cs_err wanted,
	const struct cs_fault *fault)
{
	suite->count++;
	if (got == wanted)
		return;
	suite->failed++;
	printf("FAILED %s: %s instead of %s: %s %s\n", what, cs_err_name(got), cs_err_name(wanted),
		fault->path, fault->detail);
}

static void load_published(struct suite *suite)
{
	char path[1024];
	struct cs_fault fault = {0};
	struct dirent *entry;
	DIR *dir;

	(void)snprintf(path, sizeof path, "%s/schemas", suite->folder);
	dir = opendir(path);
	while (dir != NULL && (entry = readdir(dir)) != NULL) {
		CS_CLEANUP_JSON json_t *schema = NULL;

		if (strstr(entry->d_name, ".json") == NULL)
			continue;
		(void)snprintf(path, sizeof path, "%s/schemas/%s", suite->folder, entry->d_name);
		schema = read_file(path);
		fault = (struct cs_fault){0};
		expect(suite, entry->d_name,
			schema == NULL ? CS_E_IO
				       : cs_schema_add(suite->published, NULL, schema, &fault),
			CS_OK, &fault);
	}
	if (dir != NULL)
		closedir(dir);
	fault = (struct cs_fault){0};
	expect(suite, "published schemas", cs_schema_compile(suite->published, &fault), CS_OK,
		&fault);
}

static void run_cases(struct suite *suite)
{
	for (size_t i = 0; i < sizeof cases / sizeof cases[0]; i++) {
		char path[1024], uri[256];
		CS_CLEANUP_JSON json_t *file = NULL;
		const json_t *doc;
		struct cs_fault fault = {0};

		(void)snprintf(path, sizeof path, "%s/%s.json", suite->folder, cases[i].instance);
		file = read_file(path);
		if (file == NULL) {
			expect(suite, cases[i].instance, CS_E_IO, CS_OK, &fault);
			continue;
		}
		doc = json_object_get(file, "payload") != NULL ? json_object_get(file, "payload")
							       : file;
		if (cases[i].published != NULL) {
			(void)snprintf(uri, sizeof uri, PUBLISHED "%s.json", cases[i].published);
			expect(suite, cases[i].instance,
				cs_schema_validate(suite->published, uri, doc, &fault),
				cases[i].invalid == NULL ? CS_OK : CS_E_DOCUMENT_INVALID, &fault);
		}
		if (cases[i].invalid != NULL && strcmp(fault.path, cases[i].invalid) != 0) {
			suite->failed++;
			printf("FAILED %s: refused at '%s' instead of '%s'\n", cases[i].instance,
				fault.path, cases[i].invalid);
		}
		fault = (struct cs_fault){0};
		if (cases[i].ours != NULL)
			expect(suite, cases[i].instance,
				cs_schema_check(suite->ours, cases[i].ours, doc, &fault), CS_OK,
				&fault);
	}
}

/* ---- ours may be stricter than the published schema, never laxer ---- */

struct mutation {
	struct suite *suite;
	const char *ours;
	char published[256];
	const json_t *doc;
	unsigned accepted;
};

static void compare(struct mutation *m, const char *what)
{
	struct cs_fault fault = {0};

	if (cs_schema_validate(m->suite->ours, m->ours, m->doc, NULL) != CS_OK)
		return;
	m->accepted++;
	expect(m->suite, what,
		cs_schema_validate(m->suite->published, m->published, m->doc, &fault), CS_OK,
		&fault);
}

/*
 * Other values for one place: every type, empty ones, strings of other shapes, numbers around every
 * border.
 */
static json_t *other_values(const json_t *value)
{
	json_t *values = json_pack("[n,b,i,i,i,f,s,s,s,s,s,s,[],[s],[s,s],{},{s:s}]", 1, 0, 1, -1,
		0.5, "", "x", "kye:ent:other", "2026-11-20T10:00:00Z", "2026-11-20T10:00:60Z",
		"sha256:00", "x", "x", "x", "x", "x");

	if (json_is_string(value)) {
		char text[512];

		(void)snprintf(text, sizeof text, "%.400s\n", json_string_value(value));
		json_array_append_new(values, json_string(text));
		(void)snprintf(text, sizeof text, "%.400s+", json_string_value(value));
		json_array_append_new(values, json_string(text));
		(void)snprintf(text, sizeof text, "%.400s:", json_string_value(value));
		json_array_append_new(values, json_string(text));
		(void)snprintf(text, sizeof text, "x%.400s", json_string_value(value));
		json_array_append_new(values, json_string(text));
	}
	return values;
}

static void mutate(struct mutation *m, json_t *value, unsigned depth);

static void mutate_member(struct mutation *m, json_t *object, const char *key)
{
	CS_CLEANUP_JSON json_t *kept = json_incref(json_object_get(object, key));
	CS_CLEANUP_JSON json_t *others = other_values(kept);
	size_t i;
	json_t *other;

	json_object_del(object, key);
	compare(m, key);
	json_array_foreach(others, i, other)
	{
		json_object_set(object, key, other);
		compare(m, key);
	}
	json_object_set(object, key, kept);
}

static void mutate_element(struct mutation *m, json_t *array, size_t index)
{
	CS_CLEANUP_JSON json_t *kept = json_incref(json_array_get(array, index));
	CS_CLEANUP_JSON json_t *others = other_values(kept);
	size_t i;
	json_t *other;

	json_array_remove(array, index);
	compare(m, "array");
	json_array_insert(array, index, kept);
	json_array_insert(array, index, kept);
	compare(m, "array");
	json_array_remove(array, index);
	json_array_foreach(others, i, other)
	{
		json_array_set(array, index, other);
		compare(m, "array");
	}
	json_array_set(array, index, kept);
}

static void mutate(struct mutation *m, json_t *value, unsigned depth)
{
	CS_CLEANUP_JSON json_t *keys = json_array();
	const char *key;
	json_t *member;
	size_t i;

	if (depth > DEPTH_MAX)
		return;
	if (json_is_object(value)) {
		json_object_set_new(value, "not_a_member", json_true());
		compare(m, "not_a_member");
		json_object_del(value, "not_a_member");
		json_object_foreach(value, key, member)
			json_array_append_new(keys, json_string(key));
		json_array_foreach(keys, i, member)
			mutate_member(m, value, json_string_value(member));
		json_array_foreach(keys, i, member)
			mutate(m, json_object_get(value, json_string_value(member)), depth + 1);
	} else if (json_is_array(value)) {
		for (i = 0; i < json_array_size(value); i++)
			mutate_element(m, value, i);
		json_array_foreach(value, i, member) mutate(m, member, depth + 1);
	}
}

static void run_pairs(struct suite *suite)
{
	for (size_t i = 0; i < sizeof pairs / sizeof pairs[0]; i++) {
		CS_CLEANUP_JSON json_t *doc = NULL;
		struct mutation m = {.suite = suite, .ours = pairs[i].ours};
		struct cs_fault fault = {0};
		char path[256];

		(void)snprintf(path, sizeof path, "tests/unit/data/kye/%s.json", pairs[i].sample);
		(void)snprintf(
			m.published, sizeof m.published, PUBLISHED "%s.json", pairs[i].published);
		doc = read_file(path);
		expect(suite, path,
			doc == NULL ? CS_E_IO
				    : cs_schema_validate(suite->ours, pairs[i].ours, doc, &fault),
			CS_OK, &fault);
		if (doc == NULL)
			continue;
		m.doc = doc;
		mutate(&m, doc, 0);
		/* A comparison that never compares proves nothing. */
		if (m.accepted < 10) {
			suite->failed++;
			printf("FAILED %s: only %u changed documents were accepted\n",
				pairs[i].ours, m.accepted);
		}
	}
}

int main(int argc, char **argv)
{
	struct suite suite = {0};

	if (sodium_init() < 0)
		return 1;
	if (argc != 2) {
		fprintf(stderr, "usage: test_kye KYE\n");
		return 2;
	}
	suite.folder = argv[1];
	if (access(argv[1], R_OK) != 0) {
		printf("SKIP kye: no folder %s\n", argv[1]);
		return 77;
	}
	if (cs_schema_registry_new(&suite.published) != CS_OK ||
		cs_schema_registry_embedded(&suite.ours) != CS_OK) {
		printf("FAILED kye: no registry\n");
		return 1;
	}
	cs_schema_assert_formats(suite.published, true);
	load_published(&suite);
	run_cases(&suite);
	run_pairs(&suite);
	printf("conformance kye: %u cases, %u failed\n", suite.count, suite.failed);
	cs_schema_registry_free(suite.published);
	cs_schema_registry_free(suite.ours);
	return suite.failed == 0 ? 0 : 1;
}
