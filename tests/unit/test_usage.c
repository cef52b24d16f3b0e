/* Which document a key of which usage may sign. */
#include <stdarg.h>
#include <stddef.h>
#include <setjmp.h>
#include <stdint.h>
#include <cmocka.h>

#include "core/usage.h"

#include <sodium.h>
#include <string.h>

static void names_go_both_ways(void **state)
{
	static const char *const names[] = {
		"person", "seal", "checkpoint", "document", "binding", "engine"};

	(void)state;
	for (unsigned i = 0; i < CS_USAGE_COUNT; i++) {
		assert_string_equal(cs_usage_name((enum cs_usage)i), names[i]);
		assert_int_equal(cs_usage_by_name(names[i]), i);
	}
	assert_int_equal(cs_usage_by_name("Seal"), CS_USAGE_COUNT);
	assert_int_equal(cs_usage_by_name(""), CS_USAGE_COUNT);
	assert_int_equal(cs_usage_by_name(NULL), CS_USAGE_COUNT);
	assert_string_equal(cs_usage_name(CS_USAGE_COUNT), "unknown");
}

/* Every kind of document, and the one usage that may sign it. */
static void each_document_has_one_usage(void **state)
{
	static const struct {
		const char *schema;
		enum cs_usage usage;
	} cases[] = {
		{"kye.approval_decision.v1", CS_USAGE_PERSON},
		{"countersign.trust_set.v1", CS_USAGE_PERSON},
		{"countersign.policy.v1", CS_USAGE_PERSON},
		{"countersign.published_keys.v1", CS_USAGE_PERSON},
		{"countersign.enrolment_challenge.v1", CS_USAGE_PERSON},
		{"kye.authority.grant.v1", CS_USAGE_PERSON},
		{"kye.purpose.grant.v1", CS_USAGE_PERSON},
		{"countersign.seal_statement.v1", CS_USAGE_SEAL},
		{CS_USAGE_SCHEMA_CHECKPOINT, CS_USAGE_CHECKPOINT},
		{"countersign.engine_certificate.v1", CS_USAGE_DOCUMENT},
		{"countersign.binding_certificate.v1", CS_USAGE_BINDING},
		{"kye.approval_brief.v1", CS_USAGE_ENGINE},
		{"kye.approver_knowledge_snapshot.v1", CS_USAGE_ENGINE},
		{"kye.consequence_map.v1", CS_USAGE_ENGINE},
		{"countersign.decision.v1", CS_USAGE_ENGINE},
		{"countersign.node_list.v1", CS_USAGE_ENGINE},
		{"countersign.state_signature.v1", CS_USAGE_ENGINE},
		{"countersign.action_core.v1", CS_USAGE_COUNT},
		{"kye.evidence.pack.v1", CS_USAGE_COUNT},
		{"kye.approval_decision.v2", CS_USAGE_COUNT},
		{"", CS_USAGE_COUNT},
		{NULL, CS_USAGE_COUNT},
	};

	(void)state;
	for (size_t i = 0; i < sizeof cases / sizeof *cases; i++)
		for (unsigned usage = 0; usage <= CS_USAGE_COUNT; usage++)
			assert_int_equal(cs_usage_may_sign((enum cs_usage)usage, cases[i].schema),
				usage == cases[i].usage && usage != CS_USAGE_COUNT);
}

int main(void)
{
	static const struct CMUnitTest tests[] = {
		cmocka_unit_test(names_go_both_ways),
		cmocka_unit_test(each_document_has_one_usage),
	};

	if (sodium_init() < 0)
		return 1;
	return cmocka_run_group_tests(tests, NULL, NULL);
}
