/* The table of an action's states. */
#include <stdarg.h>
#include <stddef.h>
#include <setjmp.h>
#include <stdint.h>
#include <cmocka.h>

/* The daemon's objects are linked into no test: the table is small enough to be taken as it is. */
#include "appliance/daemon/action_state.c"

#include <sodium.h>

/* Every way that there is; the table may have no other, forwards or back. */
static const char *const ways[][2] = {
	{"proposed", "denied"},
	{"proposed", "recorded"},
	{"proposed", "allowed"},
	{"proposed", "awaiting_approval"},
	{"awaiting_approval", "approved"},
	{"awaiting_approval", "rejected"},
	{"awaiting_approval", "expired"},
	{"awaiting_approval", "withdrawn"},
	{"awaiting_approval", "invalidated"},
	{"awaiting_approval", "escalated"},
	{"awaiting_approval", "needs_information"},
	{"escalated", "awaiting_approval"},
	{"escalated", "expired"},
	{"needs_information", "awaiting_approval"},
	{"needs_information", "expired"},
	{"allowed", "sealed"},
	{"allowed", "invalidated"},
	{"approved", "sealed"},
	{"approved", "invalidated"},
	{"approved", "expired"},
	{"sealed", "executing"},
	{"executing", "executed"},
	{"executing", "failed"},
	{"executing", "unknown"},
	{"executing", "aborted"},
	{"aborted", "rolled_back"},
};

static bool is_listed(const char *from, const char *to)
{
	for (size_t i = 0; i < sizeof ways / sizeof ways[0]; i++)
		if (strcmp(ways[i][0], from) == 0 && strcmp(ways[i][1], to) == 0)
			return true;
	return false;
}

static void every_pair_is_as_listed(void **state)
{
	(void)state;
	for (int from = 0; from < CS_ACTION_STATE_COUNT; from++) {
		for (int to = 0; to < CS_ACTION_STATE_COUNT; to++) {
			const char *a = cs_action_state_name((enum cs_action_state)from);
			const char *b = cs_action_state_name((enum cs_action_state)to);
			enum cs_err err = cs_action_state_check(
				(enum cs_action_state)from, (enum cs_action_state)to, NULL);
			if (err != (is_listed(a, b) ? CS_OK : CS_E_STATE))
				print_error("%s to %s: %s\n", a, b, cs_err_name(err));
			assert_int_equal(err, is_listed(a, b) ? CS_OK : CS_E_STATE);
		}
	}
}

static void a_refusal_names_both_states(void **state)
{
	struct cs_fault fault = {0};

	(void)state;
	assert_int_equal(
		cs_action_state_check(CS_ACTION_DENIED, CS_ACTION_SEALED, &fault), CS_E_STATE);
	assert_non_null(strstr(fault.detail, "'denied'"));
	assert_non_null(strstr(fault.detail, "'sealed'"));
	assert_int_equal(
		cs_action_state_check(CS_ACTION_STATE_COUNT, CS_ACTION_SEALED, NULL), CS_E_STATE);
}

static void names_go_both_ways(void **state)
{
	enum cs_action_state found = CS_ACTION_PROPOSED;

	(void)state;
	for (int i = 0; i < CS_ACTION_STATE_COUNT; i++) {
		const char *name = cs_action_state_name((enum cs_action_state)i);
		assert_true(name[0] != '\0');
		assert_int_equal(cs_action_state_by_name(name, &found), CS_OK);
		assert_int_equal(found, i);
	}
	assert_int_equal(cs_action_state_by_name("", &found), CS_E_STORE);
	assert_int_equal(cs_action_state_by_name("Sealed", &found), CS_E_STORE);
	assert_string_equal(cs_action_state_name(CS_ACTION_STATE_COUNT), "");
}

/* A state either waits for people, or is decided one way or the other, or none of these. */
static void flags_exclude_each_other(void **state)
{
	int waiting = 0, permitting = 0, ending = 0;

	(void)state;
	for (int i = 0; i < CS_ACTION_STATE_COUNT; i++) {
		enum cs_action_state s = (enum cs_action_state)i;
		int waits = cs_action_state_is(s, CS_STATE_WAITS);
		int permits = cs_action_state_is(s, CS_STATE_PERMITS);
		int ends = cs_action_state_is(s, CS_STATE_ENDS);
		assert_true(waits + permits + ends <= 1);
		assert_true(ends || !cs_action_state_is(s, CS_STATE_NAMED));
		waiting += waits;
		permitting += permits;
		ending += ends;
	}
	assert_int_equal(waiting, 3);
	assert_int_equal(permitting, 2);
	assert_int_equal(ending, 6);
	assert_false(cs_action_state_is(CS_ACTION_STATE_COUNT, CS_STATE_WAITS));
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(every_pair_is_as_listed),
		cmocka_unit_test(a_refusal_names_both_states),
		cmocka_unit_test(names_go_both_ways),
		cmocka_unit_test(flags_exclude_each_other),
	};

	if (sodium_init() < 0)
		return 1;
	return cmocka_run_group_tests(tests, NULL, NULL);
}
