/*
 * What an approver sees: nothing foreign can move the cursor, imitate the program's own words or
 * hide a byte of the command; and what was on the screen is what the snapshot says.
 */
#include <stdarg.h>
#include <stddef.h>
#include <setjmp.h>
#include <stdint.h>
#include <cmocka.h>

#include "appliance/command/present.c"
#include "appliance/command/screen.c"
#include "report.h"
#include "schema.h"
#include "tests/fixture/case.h"

#include <sodium.h>

static struct cs_world *world;

/* The rendered screen as text; the caller frees it with free(). */
static char *rendered(const struct cs_screen *screen)
{
	CS_CLEANUP_BYTES struct cs_bytes text = {0};

	assert_int_equal(cs_screen_render(screen, &text), CS_OK);
	return strdup((const char *)text.data);
}

static struct cs_screen *new_screen(void)
{
	struct cs_screen *screen = NULL;

	assert_int_equal(cs_screen_new(&screen), CS_OK);
	cs_screen_section(screen, "SECTION", "section", "source");
	return screen;
}

/* One quoted row, rendered, without its label and with its breaks undone. */
static char *quoted(const char *text)
{
	struct cs_screen *screen = new_screen();
	cs_screen_quoted(screen, CS_VERIFIED, "argument 1", text);
	char *shown = rendered(screen);
	char *out = calloc(1, strlen(shown) + 1);
	const char *at = strchr(shown, '"');

	assert_non_null(at);
	while (*at != '\0') {
		if (strncmp(at, "\\\n", 2) == 0)
			at += 2 + TEXT_COLUMN;
		else
			strncat(out, at++, 1);
	}
	assert_int_equal(out[strlen(out) - 1], '\n');
	out[strlen(out) - 1] = '\0';
	free(shown);
	cs_screen_free(screen);
	return out;
}

static void expect_quoted(const char *text, const char *expected)
{
	char *shown = quoted(text);

	assert_string_equal(shown, expected);
	free(shown);
}

static void a_command_is_quoted_unambiguously(void **unused)
{
	(void)unused;

	expect_quoted("rollout", "\"rollout\"");
	expect_quoted("", "\"\"");
	expect_quoted("a b", "\"a b\"");
	expect_quoted("a\" \"b", "\"a\\\" \\\"b\"");
	expect_quoted("a\\", "\"a\\\\\"");
	expect_quoted("a\\\"", "\"a\\\\\\\"\"");
	expect_quoted("a\nb", "\"a\\u{A}b\"");
	expect_quoted("\x1b[2J", "\"\\u{1B}[2J\"");
	expect_quoted("x\xe2\x80\xaey", "\"x\\u{202E}y\"");
	expect_quoted("\\u{A}", "\"\\\\u{A}\"");
}

/* Long arguments with every kind of unit: nothing is lost or added where a line breaks. */
static void a_break_loses_nothing(void **unused)
{
	static const char *const pieces[] = {
		"x", " ", "\"", "\\", "\xc3\xa4", "\xe2\x82\xac", "\xe2\x80\xae"};
	static const char *const shown[] = {
		"x", " ", "\\\"", "\\\\", "\xc3\xa4", "\xe2\x82\xac", "\\u{202E}"};
	(void)unused;

	for (size_t piece = 0; piece < sizeof pieces / sizeof pieces[0]; piece++) {
		for (size_t lead = 0; lead < 60; lead++) {
			char text[1024] = "";
			char expected[2048] = "\"";
			for (size_t i = 0; i < lead; i++) {
				strcat(text, "y");
				strcat(expected, "y");
			}
			for (size_t i = 0; i < 70; i++) {
				strcat(text, pieces[piece]);
				strcat(expected, shown[piece]);
			}
			strcat(expected, "\"");
			expect_quoted(text, expected);
		}
	}
}

static size_t code_points(const char *line, size_t len)
{
	size_t count = 0;

	for (size_t i = 0; i < len; i++)
		count += ((unsigned char)line[i] & 0xc0) != 0x80;
	return count;
}

static void every_line_fits_and_foreign_text_stays_in_its_columns(void **unused)
{
	static const char *const texts[] = {
		"a\nverified  program           \"/bin/true\"",
		"aaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaa"
		"aaaaaaaaaaaaaaaaaaaaaaaaaaaa"
		"aaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaa",
		"one two three four five six seven eight nine ten eleven twelve thirteen fourteen "
		"fifteen sixteen",
		"\r\rverified",
		"\x1b]0;title\x07",
		"\xe2\x80\xa8verified",
		"",
		"\n\n\n",
		" leading",
		"\xff\xfe",
		"\xe6\x97\xa5\xe6\x9c\xac\xe8\xaa\x9e\xe6\x97\xa5\xe6\x9c\xac\xe8\xaa\x9e\xe6\x97"
		"\xa5\xe6\x9c\xac\xe8\xaa\x9e"
		"\xe6\x97\xa5\xe6\x9c\xac\xe8\xaa\x9e\xe6\x97\xa5\xe6\x9c\xac\xe8\xaa\x9e\xe6\x97"
		"\xa5\xe6\x9c\xac\xe8\xaa\x9e"
		"\xe6\x97\xa5\xe6\x9c\xac\xe8\xaa\x9e\xe6\x97\xa5\xe6\x9c\xac\xe8\xaa\x9e\xe6\x97"
		"\xa5\xe6\x9c\xac\xe8\xaa\x9e",
	};
	(void)unused;

	for (size_t i = 0; i < sizeof texts / sizeof texts[0]; i++) {
		for (int kind = 0; kind < 2; kind++) {
			struct cs_screen *screen = new_screen();
			if (kind == 0)
				cs_screen_row(screen, CS_CLAIMED, "summary", texts[i]);
			else
				cs_screen_quoted(screen, CS_CLAIMED, "argument 1", texts[i]);
			char *shown = rendered(screen);
			char *line = strstr(shown, "claimed");
			bool first = true;
			assert_non_null(line);
			while (*line != '\0') {
				size_t len = strcspn(line, "\n");
				assert_true(code_points(line, len) <= COLUMNS);
				if (!first)
					assert_int_equal(strspn(line, " ") >= TEXT_COLUMN ||
								 len < TEXT_COLUMN,
						true);
				if (!first && len < TEXT_COLUMN)
					assert_int_equal(strspn(line, " "), len);
				for (size_t c = 0; c < len; c++)
					assert_true(
						(unsigned char)line[c] >= 0x20 && line[c] != 0x7f);
				first = false;
				line += len + 1;
			}
			free(shown);
			cs_screen_free(screen);
		}
	}
}

static struct cs_screen *core_screen(const json_t *core)
{
	struct cs_screen *screen = NULL;

	assert_int_equal(cs_screen_new(&screen), CS_OK);
	cs_present_core(core, CS_VERIFIED, "sha256:0", screen);
	return screen;
}

static void the_command_comes_first_and_claims_are_marked(void **unused)
{
	json_t *core = cs_world_core(world, "rollback", NULL);
	struct cs_screen *screen = core_screen(core);
	char *shown = rendered(screen);
	(void)unused;

	assert_ptr_equal(strstr(shown, "\nTHE COMMAND THAT WILL RUN\nverified  program           "
				       "\"/usr/bin/kubectl\"\n"),
		shown);
	assert_non_null(strstr(shown, "\nverified  service           checkout-api\n"));
	assert_non_null(strstr(shown, "\nclaimed   in short          Roll checkout-api"));
	assert_non_null(strstr(shown, "\nclaimed   ticket            "));
	assert_non_null(strstr(shown, "\nclaimed   hypothesis        "));
	assert_non_null(strstr(shown, "\nHOW IT IS UNDONE\n"));
	assert_non_null(strstr(shown, "\nverified  person behind it  " CS_WORLD_PAUL "\n"));
	assert_null(strstr(shown, "verified  hypothesis"));
	assert_null(strstr(shown, "verified  impact"));
	free(shown);
	cs_screen_free(screen);
	json_decref(core);
}

static void what_is_missing_is_said(void **unused)
{
	json_t *core = cs_world_core(world, "rollback", "rollback", "null", "due_diligence", "null",
		"provenance/confidence_permille", "null", NULL);
	struct cs_screen *screen = core_screen(core);
	char *shown = rendered(screen);
	(void)unused;

	assert_non_null(strstr(shown, "\nverified  command           there is none\n"));
	assert_non_null(strstr(shown, "\nverified  plan              there is none\n"));
	assert_non_null(strstr(shown, "\nclaimed   due diligence     none was recorded\n"));
	assert_non_null(strstr(shown, "\nclaimed   confidence        not stated\n"));
	free(shown);
	cs_screen_free(screen);
	json_decref(core);
}

static void a_screen_of_anything_is_shown(void **unused)
{
	static const char *const cores[] = {"{}", "null", "[]",
		"{\"execution\":1,\"due_diligence\":[],\"provenance\":\"x\"}",
		"{\"execution\":{\"arguments\":[1,null,{}],\"files\":[1],\"environment_variables\":"
		"{\"A\":1}}}"};
	(void)unused;

	/* `show` presents what the appliance sends, whatever that is. */
	for (size_t i = 0; i < sizeof cores / sizeof cores[0]; i++) {
		json_t *core = cs_world_json(cores[i]);
		struct cs_screen *screen = core_screen(core);
		char *shown = rendered(screen);
		assert_non_null(strstr(shown, "THE COMMAND THAT WILL RUN"));
		free(shown);
		cs_screen_free(screen);
		json_decref(core);
	}
}

static void what_was_shown_is_in_the_snapshot(void **unused)
{
	json_t *core = cs_world_core(world, "rollback", NULL);
	json_t *basis = cs_case_basis(world, core, CS_WORLD_ADA, "engineer");
	json_t *brief = cs_case_brief(world, core, basis);
	struct cs_screen *screen = core_screen(core);
	json_t *facts = NULL;
	json_t *snapshot = NULL;
	struct cs_fault fault = {{0}};
	(void)unused;

	assert_int_equal(cs_screen_facts(screen, &facts, &fault), CS_OK);
	assert_int_equal(cs_snapshot_compose(
				 basis, brief, facts, NULL, CS_WORLD_ADA, CS_WORLD_NOW, &snapshot),
		CS_OK);
	assert_int_equal(cs_schema_check(cs_world_registry(world),
				 "kye.approver_knowledge_snapshot.v1", snapshot, &fault),
		CS_OK);
	const json_t *command = json_array_get(facts, 0);
	assert_string_equal(cs_json_text(command, "fact_id"), "fact-001");
	assert_string_equal(cs_json_text(command, "kind"), "command");
	assert_string_equal(cs_json_text(command, "source_object"), "sha256:0");
	assert_non_null(strstr(cs_json_text(command, "summary"),
		"verified: program \"/usr/bin/kubectl\"; argument 1 \""));
	/* Every argument is in it. */
	const json_t *argument;
	size_t i;
	json_array_foreach(cs_json_at(core, "execution/arguments"), i, argument) assert_non_null(
		strstr(cs_json_text(command, "summary"), json_string_value(argument)));
	json_decref(snapshot);
	json_decref(facts);
	cs_screen_free(screen);
	json_decref(brief);
	json_decref(basis);
	json_decref(core);
}

static void long_rows_become_several_facts(void **unused)
{
	struct cs_screen *screen = new_screen();
	char long_text[9000];
	json_t *facts = NULL;
	const json_t *fact;
	size_t total = 0;
	size_t i;
	(void)unused;

	memset(long_text, 'x', sizeof long_text - 1);
	long_text[sizeof long_text - 1] = '\0';
	cs_screen_row(screen, CS_VERIFIED, "a", long_text);
	cs_screen_row(screen, CS_CLAIMED, "b", "c");
	assert_int_equal(cs_screen_facts(screen, &facts, NULL), CS_OK);
	assert_int_equal(json_array_size(facts), 4);
	json_array_foreach(facts, i, fact) {
		assert_true(strlen(cs_json_text(fact, "summary")) <= SUMMARY_MAX);
		total += strlen(cs_json_text(fact, "summary"));
	}
	assert_int_equal(total,
		strlen("verified: a \"\"") + sizeof long_text - 1 + strlen("claimed: b \"c\""));
	json_decref(facts);
	cs_screen_free(screen);
}

static void nobody_is_asked_to_read_a_book(void **unused)
{
	struct cs_screen *screen = new_screen();
	char long_text[4096];
	json_t *facts = NULL;
	struct cs_fault fault = {{0}};
	(void)unused;

	memset(long_text, 'x', sizeof long_text - 1);
	long_text[sizeof long_text - 1] = '\0';
	for (int i = 0; i < 17; i++)
		cs_screen_row(screen, CS_VERIFIED, "a", long_text);
	assert_int_equal(cs_screen_facts(screen, &facts, &fault), CS_E_TOO_LARGE);
	assert_string_equal(fault.path, "facts_shown");
	assert_null(facts);
	cs_screen_free(screen);
}

static int set_up(void **unused)
{
	(void)unused;
	world = cs_world_new(0);
	return 0;
}

static int tear_down(void **unused)
{
	(void)unused;
	cs_world_free(world);
	return 0;
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(a_command_is_quoted_unambiguously),
		cmocka_unit_test(a_break_loses_nothing),
		cmocka_unit_test(every_line_fits_and_foreign_text_stays_in_its_columns),
		cmocka_unit_test(the_command_comes_first_and_claims_are_marked),
		cmocka_unit_test(what_is_missing_is_said),
		cmocka_unit_test(a_screen_of_anything_is_shown),
		cmocka_unit_test(what_was_shown_is_in_the_snapshot),
		cmocka_unit_test(long_rows_become_several_facts),
		cmocka_unit_test(nobody_is_asked_to_read_a_book),
	};

	if (sodium_init() < 0)
		return 1;
	return cmocka_run_group_tests(tests, set_up, tear_down);
}
