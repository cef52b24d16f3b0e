/*
 * Directories of versions: what is read, in which order, and from when on a version counts.
 */
#include <stdarg.h>
#include <stddef.h>
#include <setjmp.h>
#include <stdint.h>
#include <cmocka.h>

#include "file.h"
#include "pinned.h"
#include "tests/fixture/world.h"

#include <dirent.h>
#include <limits.h>
#include <sodium.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#define MAX 65536
#define LATER "2026-11-20T12:00:00.500Z"
#define LATER_TIME (CS_WORLD_NOW + INT64_C(7200500))
#define LAST "2026-11-21T12:00:00Z"

static char directory[PATH_MAX];

static int make_directory(void **state)
{
	const char *base = getenv("TMPDIR");

	(void)state;
	snprintf(directory, sizeof directory, "%s/versions.XXXXXX", base != NULL ? base : "/tmp");
	return mkdtemp(directory) != NULL ? 0 : -1;
}

static int remove_directory(void **state)
{
	char path[PATH_MAX + 300];
	const struct dirent *entry;
	DIR *dir = opendir(directory);

	(void)state;
	while (dir != NULL && (entry = readdir(dir)) != NULL) {
		snprintf(path, sizeof path, "%s/%s", directory, entry->d_name);
		unlink(path);
	}
	if (dir != NULL)
		closedir(dir);
	return rmdir(directory);
}

static const char *file(const char *name)
{
	static char path[PATH_MAX + 64];

	snprintf(path, sizeof path, "%s/%s", directory, name);
	return path;
}

static void put(const char *name, const char *text)
{
	assert_int_equal(cs_file_write(file(name), text, strlen(text), 0644, NULL), CS_OK);
}

static void put_version(const char *name, const json_t *version)
{
	assert_int_equal(cs_file_write_json(file(name), version, 0644, NULL), CS_OK);
}

/* The numbers of the versions read, such as "1 2 3 ". */
static void expect_numbers(const json_t *versions, const char *expected)
{
	char text[200] = "";

	for (size_t i = 0; i < json_array_size(versions); i++) {
		size_t len = strlen(text);
		snprintf(text + len, sizeof text - len, "%lld ",
			(long long)cs_json_integer(json_array_get(versions, i), "version", 0));
	}
	assert_string_equal(text, expected);
}

/* ---- reading ---- */

static void test_order_comes_from_the_documents(void **state)
{
	CS_CLEANUP_JSON json_t *versions = NULL;

	(void)state;
	put("a.json", "{\"version\":10}");
	put("b.json", "{\"version\":2}");
	put("c.json", "{\"version\":1}");
	put("readme.txt", "not JSON");
	put(".hidden.json", "not JSON");
	put(".json", "not JSON");
	assert_int_equal(cs_versions_read(directory, MAX, false, 0, &versions, NULL), CS_OK);
	expect_numbers(versions, "1 2 10 ");
}

static void refused(enum cs_err expected, const char *path, bool guard, uid_t other)
{
	struct cs_fault fault = {0};
	json_t *versions = NULL;

	assert_int_equal(
		cs_versions_read(directory, MAX, guard, other, &versions, &fault), expected);
	assert_null(versions);
	assert_string_equal(fault.path, path);
}

static void test_what_cannot_be_read_is_refused(void **state)
{
	char big[MAX + 2];

	(void)state;
	refused(CS_E_NOT_FOUND, directory, false, 0);
	put("1.json", "{\"version\":1}");
	put("2.json", "{\"version\":2");
	refused(CS_E_JSON_SYNTAX, file("2.json"), false, 0);
	memset(big, ' ', sizeof big);
	big[sizeof big - 1] = '\0';
	put("2.json", big);
	refused(CS_E_TOO_LARGE, file("2.json"), false, 0);
	unlink(file("2.json"));
	unlink(file("1.json"));
	assert_int_equal(rmdir(directory), 0);
	refused(CS_E_NOT_FOUND, directory, false, 0);
	assert_int_equal(mkdir(directory, 0755), 0);
}

static void test_the_guard_asks_who_may_write(void **state)
{
	CS_CLEANUP_JSON json_t *versions = NULL;
	uid_t other = geteuid() + 1;

	(void)state;
	put("1.json", "{\"version\":1}");
	assert_int_equal(chmod(directory, 0755), 0);
	assert_int_equal(cs_versions_read(directory, MAX, true, other, &versions, NULL), CS_OK);
	refused(CS_E_PERMISSION, directory, true, geteuid());
	assert_int_equal(chmod(file("1.json"), 0664), 0);
	refused(CS_E_PERMISSION, file("1.json"), true, other);
	assert_int_equal(chmod(file("1.json"), 0646), 0);
	refused(CS_E_PERMISSION, file("1.json"), true, other);
	/* On a file the sticky bit means nothing. */
	assert_int_equal(chmod(file("1.json"), 01664), 0);
	refused(CS_E_PERMISSION, file("1.json"), true, other);
	assert_int_equal(chmod(file("1.json"), 0644), 0);
	assert_int_equal(chmod(directory, 0775), 0);
	refused(CS_E_PERMISSION, directory, true, other);
	assert_int_equal(chmod(directory, 01777), 0);
	json_decref(versions);
	versions = NULL;
	assert_int_equal(cs_versions_read(directory, MAX, true, other, &versions, NULL), CS_OK);
}

/* ---- from when on ---- */

static json_t *three(void)
{
	return cs_world_json("[{\"version\":1,\"issued_at\":\"2026-11-20T10:00:00Z\"},"
			     "{\"version\":2,\"issued_at\":\"" LATER "\"},"
			     "{\"version\":3,\"issued_at\":\"" LAST "\"}]");
}

static void expect_in_force(
	json_t *versions, cs_time now, const char *numbers, int64_t next_version, cs_time next_at)
{
	struct cs_upcoming next = {0};

	assert_int_equal(cs_versions_in_force(versions, now, "trust", &next, NULL), CS_OK);
	expect_numbers(versions, numbers);
	assert_int_equal(next.version, next_version);
	assert_int_equal(next.at, next_at);
	json_decref(versions);
}

static void test_a_version_counts_from_its_time_on(void **state)
{
	const cs_time last = CS_WORLD_NOW + INT64_C(26) * 3600000;

	(void)state;
	expect_in_force(three(), CS_WORLD_NOW, "1 ", 2, LATER_TIME);
	expect_in_force(three(), LATER_TIME - 1, "1 ", 2, LATER_TIME);
	expect_in_force(three(), LATER_TIME, "1 2 ", 3, last);
	expect_in_force(three(), last - 1, "1 2 ", 3, last);
	expect_in_force(three(), last, "1 2 3 ", 0, CS_TIME_MAX);
	expect_in_force(three(), CS_TIME_MAX, "1 2 3 ", 0, CS_TIME_MAX);
}

static void test_nothing_stands_on_a_version_left_out(void **state)
{
	json_t *versions = three();

	(void)state;
	cs_world_set(versions, "2/issued_at", "\"2026-11-20T10:30:00Z\"");
	expect_in_force(versions, CS_WORLD_NOW + 3600000, "1 ", 2, LATER_TIME);
}

static void test_a_version_without_a_time_is_left_to_the_loader(void **state)
{
	json_t *versions = three();

	(void)state;
	cs_world_set(versions, "0/issued_at", NULL);
	cs_world_set(versions, "1/issued_at", "\"2026-11-20T12:00:00+01:00\"");
	expect_in_force(versions, CS_WORLD_NOW, "1 2 ", 3, CS_WORLD_NOW + INT64_C(26) * 3600000);
	expect_in_force(json_array(), CS_WORLD_NOW, "", 0, CS_TIME_MAX);
}

static void test_a_first_version_to_come_is_refused_with_its_time(void **state)
{
	CS_CLEANUP_JSON json_t *versions = three();
	struct cs_upcoming next = {7, 7};
	struct cs_fault fault = {0};

	(void)state;
	assert_int_equal(cs_versions_in_force(versions, CS_WORLD_NOW - 1, "trust", &next, &fault),
		CS_E_TRUST_EARLY);
	assert_string_equal(fault.path, "trust");
	assert_non_null(strstr(fault.detail, "version 1 comes into force at " CS_WORLD_NOW_TEXT));
	expect_numbers(versions, "1 2 3 ");
	assert_int_equal(next.version, 7);
}

static void test_a_clock_set_back_is_told_from_a_rollback(void **state)
{
	const struct cs_upcoming next = {2, LATER_TIME}, none = {0, CS_TIME_MAX};
	struct cs_fault fault = {0};

	(void)state;
	assert_int_equal(
		cs_versions_explain(CS_E_TRUST_ROLLBACK, "policy", &next, &fault), CS_E_CLOCK);
	assert_string_equal(fault.path, "policy");
	assert_non_null(strstr(fault.detail, LATER));
	assert_int_equal(cs_versions_explain(CS_E_TRUST_ROLLBACK, "policy", &none, NULL),
		CS_E_TRUST_ROLLBACK);
	assert_int_equal(cs_versions_explain(CS_E_TRUST_CONFLICT, "policy", &next, NULL),
		CS_E_TRUST_CONFLICT);
	assert_int_equal(cs_versions_explain(CS_OK, "policy", &next, NULL), CS_OK);
}

/* ---- chains from their genesis on ---- */

static json_t *signed_version(
	struct cs_world *world, json_t *draft, const char *first, const char *second)
{
	cs_world_cosign(world, draft, first);
	cs_world_cosign(world, draft, second);
	return draft;
}

static enum cs_err trust_at(struct cs_world *world, cs_time now, int64_t *ret_version)
{
	struct cs_trust *trust = NULL;
	enum cs_err err = cs_pinned_trust(cs_world_registry(world), directory,
		cs_world_trust_genesis(world), now, &trust, NULL);

	if (err == CS_OK)
		*ret_version = cs_trust_version(trust);
	cs_trust_free(trust);
	return err;
}

static void test_a_pinned_trust_set_to_come(void **state)
{
	struct cs_world *world = cs_world_new(0);
	CS_CLEANUP_JSON json_t *next = signed_version(
		world, cs_world_next_trust(world, LATER), CS_WORLD_SAM, CS_WORLD_LENA);
	int64_t version = 0;

	(void)state;
	put_version("1.json", json_array_get(cs_world_trust_versions(world), 0));
	put_version("2.json", next);
	assert_int_equal(trust_at(world, CS_WORLD_NOW, &version), CS_OK);
	assert_int_equal(version, 1);
	assert_int_equal(trust_at(world, LATER_TIME, &version), CS_OK);
	assert_int_equal(version, 2);
	assert_int_equal(trust_at(world, CS_TIME_MAX, &version), CS_OK);
	assert_int_equal(version, 2);
	assert_int_equal(trust_at(world, 0, &version), CS_E_TRUST_EARLY);
	/* One that is wrong does no harm before its time, and is refused from then on. */
	cs_world_set(next, "signatures/1", NULL);
	put_version("2.json", next);
	assert_int_equal(trust_at(world, CS_WORLD_NOW, &version), CS_OK);
	assert_int_equal(version, 1);
	assert_int_equal(trust_at(world, LATER_TIME, &version), CS_E_TRUST_UNSIGNED);
	cs_world_free(world);
}

static enum cs_err policy_at(struct cs_world *world, cs_time now, bool any, int64_t *ret_version)
{
	struct cs_policy *policy = NULL;
	enum cs_err err = cs_pinned_policy(cs_world_registry(world), directory,
		cs_world_policy_genesis(world), cs_world_keyring(world), now, NULL, any, &policy,
		NULL);

	if (err == CS_OK)
		*ret_version = cs_policy_version(policy);
	cs_policy_free(policy);
	return err;
}

static void test_a_pinned_policy_to_come(void **state)
{
	struct cs_world *world = cs_world_new(0);
	CS_CLEANUP_JSON json_t *next = signed_version(
		world, cs_world_next_policy(world, LATER), CS_WORLD_LENA, CS_WORLD_CORA);
	int64_t version = 0;

	(void)state;
	put_version("1.json", json_array_get(cs_world_policy_versions(world), 0));
	put_version("2.json", next);
	assert_int_equal(policy_at(world, CS_WORLD_NOW, false, &version), CS_OK);
	assert_int_equal(version, 1);
	assert_int_equal(policy_at(world, LATER_TIME, false, &version), CS_OK);
	assert_int_equal(version, 2);
	/* Who checks a chain before it counts takes all of it. */
	assert_int_equal(policy_at(world, CS_WORLD_NOW, true, &version), CS_OK);
	assert_int_equal(version, 2);
	assert_int_equal(policy_at(world, 0, false, &version), CS_E_TRUST_EARLY);
	cs_world_free(world);
}

int main(void)
{
#define TEST(name) cmocka_unit_test_setup_teardown(name, make_directory, remove_directory)
	const struct CMUnitTest tests[] = {
		TEST(test_order_comes_from_the_documents),
		TEST(test_what_cannot_be_read_is_refused),
		TEST(test_the_guard_asks_who_may_write),
		cmocka_unit_test(test_a_version_counts_from_its_time_on),
		cmocka_unit_test(test_nothing_stands_on_a_version_left_out),
		cmocka_unit_test(test_a_version_without_a_time_is_left_to_the_loader),
		cmocka_unit_test(test_a_first_version_to_come_is_refused_with_its_time),
		cmocka_unit_test(test_a_clock_set_back_is_told_from_a_rollback),
		TEST(test_a_pinned_trust_set_to_come),
		TEST(test_a_pinned_policy_to_come),
	};

	if (sodium_init() < 0)
		return 1;
	return cmocka_run_group_tests(tests, NULL, NULL);
}
