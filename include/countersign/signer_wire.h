/*
 * The wire between the broker (countersignd) and a signer (countersign-signer): one Unix stream socket, the broker's user only.
 *
 * All integers are big endian. A frame is
 *
 *	u32 length		of everything after this field, 1 .. CS_MESSAGE_MAX
 *	u8  operation		enum cs_wire_operation; in an answer: enum cs_wire_status
 *	…			fields of the operation, nothing left over
 *
 * A document is u32 length and that many bytes of canonical JSON. Frames are answered in order, one answer each; a frame that
 * breaks these rules is answered with CS_WIRE_REFUSED and the connection is closed.
 *
 * HELLO	u64 size, 32 bytes root: the broker's log head (size 0: the root is SHA-256 of nothing)
 *		answer: document countersign.signer_status.v1. Refused when the heads cannot be reconciled (log_fork, log_rollback);
 *		the signer may be exactly one batch ahead: the broker then sends that batch again and gets its signatures.
 * APPEND	u16 count of statements (>= 1), then for each: u8 form (enum cs_seal_form), u8 count of evidence documents, document (the
 *		statement), and for each evidence: u8 tag (enum cs_wire_evidence), document
 *		answer: document {"checkpoint": text or null, "seals": [compact JWS or null, …]} in the order of the statements
 * CERTIFY	document: {"jwk": …} the engine session key
 *		answer: document countersign.engine_certificate.v1
 * HEALTH	nothing
 *		answer: document countersign.signer_status.v1
 *
 * An answer is CS_WIRE_DONE with the document, or CS_WIRE_REFUSED with the document {"code": stable error name, "detail", "path"}.
 */
#ifndef COUNTERSIGN_SIGNER_WIRE_H
#define COUNTERSIGN_SIGNER_WIRE_H

#include <countersign/limits.h>

enum cs_wire_operation {
	CS_WIRE_HELLO = 1,
	CS_WIRE_APPEND = 2,
	CS_WIRE_CERTIFY = 3,
	CS_WIRE_HEALTH = 4,
};

enum cs_wire_status {
	CS_WIRE_DONE = 0,
	CS_WIRE_REFUSED = 1,
};

enum cs_wire_evidence {
	CS_WIRE_CORE = 1,		/* action core, at most CS_CORE_MAX */
	CS_WIRE_APPROVAL = 2,		/* approval decision, at most CS_APPROVAL_MAX, at most CS_APPROVALS_MAX per statement */
	CS_WIRE_CONSTRAINTS = 3,	/* countersign.constraints.v1, at most CS_EVIDENCE_MAX */
	CS_WIRE_DOCUMENT = 4,		/* any other sealed document, at most CS_EVIDENCE_MAX */
};

#endif
