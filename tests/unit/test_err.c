/* Names and texts of errors, and faults that say where. */
#include <stdarg.h>
#include <stddef.h>
#include <setjmp.h>
#include <stdint.h>
#include <cmocka.h>

#include <countersign/error.h>

#include <sodium.h>
#include <stdbool.h>
#include <string.h>

static void names_are_unique_and_found_again(void **state)
{
	(void)state;
	for (unsigned i = 0; i < CS_ERR_COUNT; i++) {
		const char *name = cs_err_name((enum cs_err)i);
		assert_int_equal(
			strspn(name, "abcdefghijklmnopqrstuvwxyz0123456789_"), strlen(name));
		assert_true(strlen(name) > 0 && strlen(cs_err_text((enum cs_err)i)) > 0);
		/* The first with this name: a second one would not be found. */
		assert_int_equal(cs_err_by_name(name), i);
	}
	assert_int_equal(CS_OK, 0);
	assert_string_equal(cs_err_name(CS_OK), "ok");
	assert_string_equal(cs_err_name(CS_E_JSON_DUPLICATE), "duplicate_key");
}

static void outside_the_list(void **state)
{
	(void)state;
	assert_string_equal(cs_err_name(CS_ERR_COUNT), "unknown");
	assert_string_equal(cs_err_name((enum cs_err) - 1), "unknown");
	assert_string_equal(cs_err_text(CS_ERR_COUNT), "unknown error");
	assert_int_equal(cs_err_by_name("no_such_name"), CS_ERR_COUNT);
	assert_int_equal(cs_err_by_name(""), CS_ERR_COUNT);
}

static void fault_says_where_and_why(void **state)
{
	struct cs_fault fault;

	(void)state;
	assert_int_equal(
		cs_fault_set(&fault, CS_E_TIME, "/issued_at", "'%s' has %d", "x", 3), CS_E_TIME);
	assert_string_equal(fault.path, "/issued_at");
	assert_string_equal(fault.detail, "'x' has 3");
	assert_int_equal(cs_fault_set(NULL, CS_E_TIME, "/a", "%s", "b"), CS_E_TIME);
	assert_int_equal(cs_fault_set(&fault, CS_E_TEXT, "", "%s", ""), CS_E_TEXT);
	assert_string_equal(fault.path, "");
	assert_string_equal(fault.detail, "");
}

static void fault_shows_foreign_text_escaped(void **state)
{
	struct cs_fault fault;

	(void)state;
	cs_fault_set(&fault, CS_E_TEXT, "/a\nb", "%s", "red \x1b[31m \xe2\x80\xae \xff \\");
	assert_string_equal(fault.path, "/a\\u{A}b");
	assert_string_equal(fault.detail, "red \\u{1B}[31m \\u{202E} \\u{FF} \\\\");
}

static bool complete_utf8(const char *text)
{
	size_t len = strlen(text);

	/* All characters of the test have three bytes. */
	return len % 3 == 0;
}

static void fault_is_cut_at_a_whole_character(void **state)
{
	char text[901];
	struct cs_fault fault;

	(void)state;
	for (size_t i = 0; i < 900; i += 3)
		memcpy(text + i, "\xe4\xb8\xad", 3);
	text[900] = '\0';
	for (unsigned skip = 0; skip < 3; skip++) {
		cs_fault_set(&fault, CS_E_TEXT, text, "%.*s%s", (int)skip, "xx", text);
		assert_in_range(strlen(fault.path), sizeof fault.path - 4, sizeof fault.path - 1);
		assert_in_range(
			strlen(fault.detail), sizeof fault.detail - 4, sizeof fault.detail - 1);
		assert_true(complete_utf8(fault.path));
		assert_true(complete_utf8(fault.detail + skip));
	}
}

static void fault_is_cut_at_a_whole_escape(void **state)
{
	char text[400];
	struct cs_fault fault;

	(void)state;
	for (size_t skip = 0; skip < 8; skip++) {
		memset(text, '\n', sizeof text - 1);
		memset(text, 'x', skip);
		text[sizeof text - 1] = '\0';
		cs_fault_set(&fault, CS_E_TEXT, text, "%s", text);
		/* Each newline becomes the five bytes of \u{A}. */
		assert_int_equal((strlen(fault.detail) - skip) % 5, 0);
		assert_int_equal((strlen(fault.path) - skip) % 5, 0);
		assert_in_range(
			strlen(fault.detail), sizeof fault.detail - 6, sizeof fault.detail - 1);
		memset(text + skip, '\\', sizeof text - 1 - skip);
		cs_fault_set(&fault, CS_E_TEXT, "", "%s", text);
		assert_int_equal((strlen(fault.detail) - skip) % 2, 0);
		assert_in_range(
			strlen(fault.detail), sizeof fault.detail - 3, sizeof fault.detail - 1);
	}
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(names_are_unique_and_found_again),
		cmocka_unit_test(outside_the_list),
		cmocka_unit_test(fault_says_where_and_why),
		cmocka_unit_test(fault_shows_foreign_text_escaped),
		cmocka_unit_test(fault_is_cut_at_a_whole_character),
		cmocka_unit_test(fault_is_cut_at_a_whole_escape),
	};

	if (sodium_init() < 0)
		return 1;
	return cmocka_run_group_tests(tests, NULL, NULL);
}
