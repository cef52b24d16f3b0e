/*
 * The receipt of a decision: a seal statement, and the proof that it is a leaf of the appliance's
 * log.
 */
#ifndef CS_RECEIPT_H
#define CS_RECEIPT_H

#include "approver.h"

/*
 * Whether `receipt` ({decision, statement, seal}) shows that the decision with this address is in
 * the log of the pinned appliance: the statement is about it, and the seal is a tlog-proof whose
 * leaf is that statement, under a checkpoint by the checkpoint key of the pinned trust set.
 * CS_E_ADDRESS_MISMATCH: it is about something else. CS_E_PROOF, CS_E_NOTE, CS_E_CHECKPOINT,
 * CS_E_SIGNATURE, CS_E_KEY_…, CS_E_DOCUMENT_INVALID. `ret_index` is the leaf's place.
 */
CS_MUST_CHECK enum cs_err cs_receipt_check(const struct cs_approver *approver,
	const json_t *receipt, const char *decision, cs_time now, uint64_t *ret_index,
	struct cs_fault *fault);

#endif
