#include "pinned.h"
#include "plan.h"
#include "provision.h"
#include "report.h"

#include <inttypes.h>

enum cs_err cs_provision_policy_verify(struct cs_call *call, struct cs_fault *fault)
{
	CS_CLEANUP_BYTES struct cs_bytes text = {0};
	CS_CLEANUP_JSON json_t *doc = NULL;
	struct cs_schema_registry *registry = NULL;
	struct cs_trust *trust = NULL;
	struct cs_policy *policy = NULL;
	enum cs_err err = cs_schema_registry_embedded(&registry);

	if (err == CS_OK)
		err = cs_pinned_trust(registry, cs_call_value(call, "trust-directory"),
			cs_call_value(call, "trust-genesis"), CS_TIME_MAX, &trust, fault);
	if (err == CS_OK)
		err = cs_pinned_policy(registry, call->operand[0], cs_call_value(call, "genesis"),
			cs_trust_keyring(trust), cs_now(), NULL, true, &policy, fault);
	if (err == CS_OK) {
		doc = json_pack("{s:s, s:I}", "address", cs_policy_address(policy), "version",
			(json_int_t)cs_policy_version(policy));
		cs_bytes_addf(&text, "version  %" PRId64 "\naddress  %s\n",
			cs_policy_version(policy), cs_policy_address(policy));
		err = doc == NULL  ? CS_E_NOMEM
		      : call->json ? cs_report_json(doc, fault)
				   : cs_report_write(&text, fault);
	}
	cs_policy_free(policy);
	cs_trust_free(trust);
	cs_schema_registry_free(registry);
	return err;
}
