/*
 * Frames of the signer wire (include/countersign/signer_wire.h): building, and parsing by bounded
 * reads until nothing is left over. Used by the broker, the signer and tests; no sockets here but
 * for the two helpers at the end.
 *
 * A *frame* is everything including the 32-bit length; a *payload* is what follows the length:
 * operation and fields.
 */
#ifndef CS_WIRE_H
#define CS_WIRE_H

#include <countersign/signer_wire.h>
#include "statement.h"

#define CS_WIRE_HEADER 4 /* bytes of the length field */

/*
 * One statement with its evidence. Evidence that is NULL is not sent; `approvals` is an array or
 * NULL. Borrowed when building.
 */
struct cs_wire_entry {
	enum cs_seal_form form;
	json_t *statement;
	json_t *core;
	json_t *approvals;
	json_t *constraints;
	json_t *document;
};

/* The largest document with this tag, in bytes; 0 for a tag that there is not. */
size_t cs_wire_evidence_cap(enum cs_wire_evidence tag);

/* ---- building: each replaces what `frame` held; on failure it holds nothing of use ---- */

/* CS_E_NOMEM. */
CS_MUST_CHECK enum cs_err cs_wire_hello(
	uint64_t size, const uint8_t root[CS_HASH], struct cs_bytes *frame);
/*
 * Documents above their caps, more than CS_FRAME_DOCUMENTS_MAX documents, more than
 * CS_APPROVALS_MAX approvals or a frame above CS_MESSAGE_MAX: CS_E_TOO_LARGE. No statement at all:
 * CS_E_USAGE. Errors of cs_canonical_print.
 */
CS_MUST_CHECK enum cs_err cs_wire_append(
	const struct cs_wire_entry *entries, size_t count, struct cs_bytes *frame);
/* `jwk` is the public engine session key. */
CS_MUST_CHECK enum cs_err cs_wire_certify(const json_t *jwk, struct cs_bytes *frame);
CS_MUST_CHECK enum cs_err cs_wire_health(struct cs_bytes *frame);
CS_MUST_CHECK enum cs_err cs_wire_done(const json_t *document, struct cs_bytes *frame);
/* The refusal {"code", "detail", "path"}; `fault` may be NULL. */
CS_MUST_CHECK enum cs_err cs_wire_refused(
	enum cs_err code, const struct cs_fault *fault, struct cs_bytes *frame);

/* ---- parsing ---- */

/* The payload's length from the header: 1 .. CS_MESSAGE_MAX, else CS_E_FRAME. */
CS_MUST_CHECK enum cs_err cs_wire_length(
	const uint8_t header[CS_WIRE_HEADER], size_t *ret_len, struct cs_fault *fault);

struct cs_wire_request {
	enum cs_wire_operation operation;
	uint64_t size; /* hello */
	uint8_t root[CS_HASH];
	json_t *jwk;		       /* certify */
	size_t count;		       /* append: at least 1 */
	struct cs_wire_entry *entries; /* owned; `approvals` is always an array here */
};
void cs_wire_request_free(struct cs_wire_request *request);

/*
 * Parses what the broker sent. CS_E_OPERATION; CS_E_FRAME for anything cut short, left over,
 * counted wrongly, an unknown form or tag, a second core, constraints or document for one
 * statement; CS_E_TOO_LARGE for a document above its cap or too many of them; CS_E_NOT_CANONICAL
 * and the errors of cs_json_read; CS_E_DOCUMENT_INVALID for a document that is no object. The
 * fault's path is "statements/N" and the like.
 */
CS_MUST_CHECK enum cs_err cs_wire_request_parse(const uint8_t *payload, size_t len,
	struct cs_wire_request *ret_request, struct cs_fault *fault);

/*
 * Parses what the signer answered. CS_OK with the document (caller owns) when it was done. When it
 * was refused: the signer's own code, with its detail and path in the fault, and *ret_refused true;
 * a code this program does not know is CS_E_INTERNAL. CS_E_FRAME and so on, *ret_refused false,
 * when the answer is malformed. The signer is trusted with neither text nor size.
 */
CS_MUST_CHECK enum cs_err cs_wire_answer_parse(const uint8_t *payload, size_t len,
	json_t **ret_document, bool *ret_refused, struct cs_fault *fault);

/* ---- blocking helpers for programs that do nothing else meanwhile ---- */

/*
 * Reads one frame's payload into `ret_payload`, which is replaced. CS_E_NOT_FOUND at a clean end of
 * the stream; CS_E_FRAME for a bad length or a stream that ends inside a frame; CS_E_TIMEOUT when
 * the socket's own SO_RCVTIMEO passed without a byte, or passed for the whole frame; CS_E_IO.
 */
CS_MUST_CHECK enum cs_err cs_wire_receive(
	int fd, struct cs_bytes *ret_payload, struct cs_fault *fault);
/* Writes all of it, without SIGPIPE. CS_E_TIMEOUT (SO_SNDTIMEO), CS_E_IO. */
CS_MUST_CHECK enum cs_err cs_wire_send(
	int fd, const struct cs_bytes *frame, struct cs_fault *fault);

#endif
