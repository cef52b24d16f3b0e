#include "command.h"
#include "file.h"
#include "report.h"

#include <countersign/limits.h>

/*
 * Prints the bytes that are hashed and signed, nothing else: no newline, so that they can be
 * piped into a digest.
 */
enum cs_err cs_command_canon(struct cs_call *call, struct cs_fault *fault)
{
	CS_CLEANUP_JSON json_t *doc = NULL;
	CS_CLEANUP_BYTES struct cs_bytes text = {0};
	enum cs_err err = cs_file_read_json(call->operand[0], CS_MESSAGE_MAX, &doc, fault);

	if (err != CS_OK)
		return err;
	err = cs_canonical_print(doc, &text);
	if (err != CS_OK)
		return cs_fault_set(fault, err, call->operand[0], "has no canonical form");
	return cs_report_write(&text, fault);
}
