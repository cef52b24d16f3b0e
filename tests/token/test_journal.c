/*
 * The signer's journal against a file system that is replaced under it or fails: no second process
 * writes it, and nothing rests on a name that a crash could undo.
 */
#include <stdarg.h>
#include <stddef.h>
#include <setjmp.h>
#include <stdint.h>
#include <cmocka.h>

#include "common/file.h"

#include <stdbool.h>
#include <string.h>
#include <sys/file.h>

static bool sync_fails;
static int replacements;
static char file_name[64];

static int lock_and_replace(int fd, int how);
static bool sync_parent(const char *name)
{
	return !sync_fails && cs_file_sync_parent(name);
}

/* The signer's objects are linked into no test. */
#define flock lock_and_replace
#define cs_file_sync_parent sync_parent
#include "pkcs11/signer/journal.c"
#undef flock
#undef cs_file_sync_parent

/* Another signer compacts its journal between our open() and our flock(). */
static int lock_and_replace(int fd, int how)
{
	if (replacements > 0) {
		char fresh[80];
		replacements--;
		snprintf(fresh, sizeof fresh, "%s.other", file_name);
		int other = open(fresh, O_RDWR | O_CREAT | O_CLOEXEC, 0600);
		assert_true(other >= 0);
		close(other);
		assert_int_equal(rename(fresh, file_name), 0);
	}
	return flock(fd, how);
}

static enum cs_err count_record(void *context, const json_t *record, struct cs_fault *fault)
{
	(void)record;
	(void)fault;
	++*(int *)context;
	return CS_OK;
}

static enum cs_err open_journal(struct cs_journal **journal, int *count)
{
	struct cs_fault fault = {0};

	*count = 0;
	return cs_journal_open(file_name, count_record, count, journal, &fault);
}

static int make_directory(void **state)
{
	char directory[] = "/tmp/test-journal.XXXXXX";

	(void)state;
	if (mkdtemp(directory) == NULL)
		return -1;
	snprintf(file_name, sizeof file_name, "%s/journal", directory);
	sync_fails = false;
	replacements = 0;
	return 0;
}

static int remove_directory(void **state)
{
	char copy[64];

	(void)state;
	unlink(file_name);
	strcpy(copy, file_name);
	*strrchr(copy, '/') = '\0';
	return rmdir(copy);
}

static void test_a_second_one_is_kept_out(void **state)
{
	struct cs_journal *first, *second;
	int count;

	(void)state;
	assert_int_equal(open_journal(&first, &count), CS_OK);
	assert_int_equal(open_journal(&second, &count), CS_E_BUSY);
	cs_journal_close(first);
	assert_int_equal(open_journal(&second, &count), CS_OK);
	cs_journal_close(second);
}

static void test_a_lock_without_the_name_is_none(void **state)
{
	CS_CLEANUP_JSON json_t *record = json_pack("{ss}", "type", "origin");
	struct cs_journal *first, *second;
	struct stat named, held;
	int count;

	(void)state;
	replacements = 3;
	assert_int_equal(open_journal(&first, &count), CS_OK);
	assert_int_equal(replacements, 0);
	assert_int_equal(stat(file_name, &named), 0);
	assert_int_equal(fstat(first->fd, &held), 0);
	assert_true(named.st_ino == held.st_ino);
	/* A rewrite of our own keeps everybody out too. */
	assert_int_equal(cs_journal_replace(first, record, NULL), CS_OK);
	assert_int_equal(open_journal(&second, &count), CS_E_BUSY);
	cs_journal_close(first);
	replacements = 1000;
	assert_int_equal(open_journal(&first, &count), CS_E_BUSY);
	assert_int_equal(replacements, 1000 - OPEN_ATTEMPTS);
}

static void test_nothing_rests_on_a_name_that_is_not_durable(void **state)
{
	CS_CLEANUP_JSON json_t *record = json_pack("{ss}", "type", "origin");
	struct cs_journal *journal;
	int count;

	(void)state;
	sync_fails = true;
	assert_int_equal(open_journal(&journal, &count), CS_E_IO);
	sync_fails = false;
	assert_int_equal(open_journal(&journal, &count), CS_OK);
	sync_fails = true;
	assert_int_equal(cs_journal_replace(journal, record, NULL), CS_E_IO);
	assert_int_equal(cs_journal_append(journal, record, NULL), CS_E_IO);
	sync_fails = false;
	assert_int_equal(cs_journal_append(journal, record, NULL), CS_OK);
	/* Once is enough. */
	sync_fails = true;
	assert_int_equal(cs_journal_append(journal, record, NULL), CS_OK);
	cs_journal_close(journal);
	sync_fails = false;
	assert_int_equal(open_journal(&journal, &count), CS_OK);
	assert_int_equal(count, 3);
	cs_journal_close(journal);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test_setup_teardown(
			test_a_second_one_is_kept_out, make_directory, remove_directory),
		cmocka_unit_test_setup_teardown(
			test_a_lock_without_the_name_is_none, make_directory, remove_directory),
		cmocka_unit_test_setup_teardown(test_nothing_rests_on_a_name_that_is_not_durable,
			make_directory, remove_directory),
	};

	if (sodium_init() < 0)
		return 1;
	return cmocka_run_group_tests(tests, NULL, NULL);
}
