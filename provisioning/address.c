#include "address.h"
#include "file.h"
#include "provision.h"
#include "report.h"

#include <countersign/limits.h>

enum cs_err cs_provision_address(struct cs_call *call, struct cs_fault *fault)
{
	CS_CLEANUP_BYTES struct cs_bytes text = {0};
	CS_CLEANUP_JSON json_t *document = NULL;
	CS_CLEANUP_JSON json_t *doc = NULL;
	char address[CS_ADDRESS_TEXT];
	enum cs_err err = cs_file_read_json(call->operand[0], CS_TRUST_SET_MAX, &document, fault);

	if (err != CS_OK)
		return err;
	if (!json_is_object(document))
		return cs_fault_set(
			fault, CS_E_DOCUMENT_INVALID, call->operand[0], "a document is an object");
	err = cs_address_of(document, address);
	if (err != CS_OK)
		return cs_fault_set(fault, err, call->operand[0], "has no address");
	doc = json_pack("{s:s}", "address", address);
	if (doc == NULL)
		return CS_E_NOMEM;
	cs_bytes_addf(&text, "%s\n", address);
	return call->json ? cs_report_json(doc, fault) : cs_report_write(&text, fault);
}
