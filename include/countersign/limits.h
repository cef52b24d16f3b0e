/*
 * Hard caps on everything that comes from outside. A document above its cap is refused before it is parsed.
 */
#ifndef COUNTERSIGN_LIMITS_H
#define COUNTERSIGN_LIMITS_H

#define CS_MESSAGE_MAX (1024 * 1024)		/* Varlink message or signer frame, bytes */
#define CS_JSON_DEPTH_MAX 64			/* nesting of arrays and objects */
#define CS_CORE_MAX (64 * 1024)			/* action core, canonical bytes */
#define CS_APPROVAL_MAX (16 * 1024)		/* approval decision */
#define CS_SNAPSHOT_MAX (32 * 1024)		/* knowledge snapshot: two and a core of full size fit into a pack */
#define CS_STATEMENT_MAX (4 * 1024)		/* seal statement */
#define CS_EVIDENCE_MAX (96 * 1024)		/* any other document in a signer frame */
#define CS_POLICY_MAX (96 * 1024)
#define CS_TRUST_SET_MAX (1024 * 1024)
#define CS_PACK_MAX (256 * 1024)
#define CS_FRAME_DOCUMENTS_MAX 64		/* documents in one signer frame */
#define CS_APPROVALS_MAX 8			/* approvals per statement */
#define CS_SLOTS_MAX 8				/* slots in a quorum */
#define CS_CLIENTS_MAX 1024			/* simultaneous Varlink clients */
#define CS_NOTE_SIGNATURES_MAX 16		/* signature lines in a note */
#define CS_PROOF_MAX 63				/* hashes in an inclusion proof */

#define CS_ISSUED_SKEW_SECONDS 30		/* statement's issued_at against the signer's clock */
#define CS_DECIDED_AHEAD_SECONDS 300		/* decided_at ahead of the appliance's clock */
#define CS_CERTIFICATE_SECONDS 86400		/* longest life of a session certificate */

#endif
