#include "pinned.h"
#include "provision.h"
#include "report.h"

#include <inttypes.h>

enum cs_err cs_provision_trust_verify(struct cs_call *call, struct cs_fault *fault)
{
	CS_CLEANUP_BYTES struct cs_bytes text = {0};
	CS_CLEANUP_JSON json_t *doc = NULL;
	struct cs_schema_registry *registry = NULL;
	struct cs_trust *trust = NULL;
	enum cs_err err = cs_schema_registry_embedded(&registry);

	if (err == CS_OK)
		err = cs_pinned_trust(registry, call->operand[0], cs_call_value(call, "genesis"),
			CS_TIME_MAX, &trust, fault);
	if (err == CS_OK) {
		doc = json_pack("{s:s, s:I}", "address", cs_trust_address(trust), "version",
			(json_int_t)cs_trust_version(trust));
		cs_bytes_addf(&text, "version  %" PRId64 "\naddress  %s\n", cs_trust_version(trust),
			cs_trust_address(trust));
		err = doc == NULL  ? CS_E_NOMEM
		      : call->json ? cs_report_json(doc, fault)
				   : cs_report_write(&text, fault);
	}
	cs_trust_free(trust);
	cs_schema_registry_free(registry);
	return err;
}
