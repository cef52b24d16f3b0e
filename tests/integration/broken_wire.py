"""Frames that are not frames, and callers that are not the broker."""
import base64
import contextlib
import struct
import time

from appliance import AGENT_UID, FIRST_PERSON_UID, OPERATOR_UID, SIGNER_UID, STRANGER_UID, canonical
from broken_case import JWS, TLOG, BrokenCase
from signer_client import (APPEND, APPROVAL, CERTIFY, CONSTRAINTS, CORE, DOCUMENT, HEALTH, HELLO, MESSAGE_MAX, Closed, append_frame, document,
                           entry, frame, public_key, sha256, tree_head)

POINT = "11qYAYKxCrfVS_7TyWQHOg7hcvPapiMlrwIaaPcHURo"  # the public key of RFC 8037's example


class Frames(BrokenCase):
    """A malformed frame is answered with a refusal and the end of the connection."""

    @classmethod
    def setUpClass(cls):
        cls.core, cls.approvals = cls.broker.papers()

    def refuse_frame(self, code, data, finish=False):
        """Sends bytes that the signer must refuse and hang up on."""
        from socket import SHUT_WR
        with self.world.connect() as client:
            with self.broker.refused(self, code):
                client.send_raw(data)
                if finish:
                    client.socket.shutdown(SHUT_WR)
                client.receive()
            self.assertTrue(client.is_closed())

    def entry(self, **options):
        return entry(JWS, self.broker.statement(self.core, self.approvals), self.core, self.approvals, **options)

    def test_lengths(self):
        self.refuse_frame("bad_frame", struct.pack(">I", 0))
        self.refuse_frame("bad_frame", struct.pack(">I", MESSAGE_MAX + 1))
        self.refuse_frame("bad_frame", b"\xff\xff\xff\xff")
        self.refuse_frame("bad_frame", b"{\"method\":\"org.varlink.service.GetInfo\"}\0")

    def test_cut_short(self):
        whole = append_frame(self.entry())
        for length in (2, 4, 5, 7, 9, 100, len(whole) - 1):
            with self.subTest(length):
                self.refuse_frame("bad_frame", whole[:length], finish=True)
        # Cut short inside, while the outer length is right.
        for length in (5, 6, 7, 8, 9, 12, 200, len(whole) - 1):
            with self.subTest(length, inside=True):
                self.refuse_frame("bad_frame", struct.pack(">I", length - 4) + whole[4:length])

    def test_a_byte_now_and_then(self):
        """A frame that has begun must end within five seconds, and its sender gets no answer."""
        begun = time.monotonic()
        with self.world.connect() as client:
            client.send_raw(struct.pack(">I", 1000))
            while not client.is_closed(wait=1) and time.monotonic() < begun + 30:
                with contextlib.suppress(BrokenPipeError, ConnectionResetError):
                    client.send_raw(b"\0")
        self.assertLess(time.monotonic() - begun, 12)

    def test_left_over(self):
        for data in (append_frame(self.entry()), frame(HEALTH), frame(HELLO, bytes(8) + sha256(b"")), frame(CERTIFY, document({"jwk": {}}))):
            self.refuse_frame("bad_frame", struct.pack(">I", len(data) - 3) + data[4:] + b"\0")

    def test_unknown_operations(self):
        for operation in (0, 5, 6, 0x7f, 0xff):
            self.refuse_frame("unknown_operation", frame(operation))
            self.refuse_frame("unknown_operation", frame(operation, document(self.core)))

    def test_counts(self):
        self.refuse_frame("bad_frame", frame(APPEND, struct.pack(">H", 0)))
        self.refuse_frame("bad_frame", frame(APPEND, struct.pack(">H", 2) + self.entry()))
        self.refuse_frame("bad_frame", frame(APPEND, struct.pack(">H", 1) + self.entry() * 2))
        self.refuse_frame("too_large", frame(APPEND, struct.pack(">H", 0xffff) + self.entry()))

    def test_65_documents(self):
        """33 statements with a core each are 66 documents, 65 statements 65; 32 with a core are honest."""
        small = self.broker.refusal(self.core)
        self.refuse_frame("too_large", frame(APPEND, struct.pack(">H", 33) + entry(TLOG, small, self.core) * 33))
        self.refuse_frame("too_large", frame(APPEND, struct.pack(">H", 65) + entry(TLOG, small) * 65))
        cores = [self.broker.core() for _ in range(32)]
        self.broker.batch(*[lambda core=core: (TLOG, self.broker.refusal(core), core, ()) for core in cores])

    def test_nine_approvals(self):
        self.refuse_frame("too_large", append_frame(entry(JWS, self.broker.statement(self.core), self.core, self.approvals[:1] * 9)))

    def test_documents_above_their_caps(self):
        wide = {"x": "y" * 5 * 1024}
        self.refuse_frame("too_large", append_frame(entry(JWS, wide, self.core, self.approvals)))
        for tag, size in ((CORE, 65), (APPROVAL, 17), (CONSTRAINTS, 97), (DOCUMENT, 97)):
            statement = self.broker.statement(self.core)
            self.refuse_frame("too_large", append_frame(entry(JWS, statement, extra=[(tag, {"x": "y" * size * 1024})])))
        self.refuse_frame("too_large", frame(CERTIFY, document(wide)))

    def test_a_document_longer_than_the_frame(self):
        statement = self.broker.statement(self.core)
        for size in (len(canonical(statement)) + 1, 4096):
            self.refuse_frame("bad_frame", frame(APPEND, struct.pack(">HBB", 1, JWS, 0) + document(statement, size)))
        self.refuse_frame("too_large", frame(APPEND, struct.pack(">HBB", 1, JWS, 0) + document(statement, 0xffffffff)))

    def test_form_and_tags(self):
        for form in (0, 3, 255):
            self.refuse_frame("bad_frame", append_frame(entry(form, self.broker.statement(self.core))))
        for tag in (0, 5, 255):
            self.refuse_frame("bad_frame", append_frame(self.entry(extra=[(tag, self.core)])))

    def test_evidence_twice(self):
        self.refuse_frame("bad_frame", append_frame(self.entry(extra=[(CORE, self.core)])))
        for tag in (CONSTRAINTS, DOCUMENT):
            self.refuse_frame("bad_frame", append_frame(self.entry(extra=[(tag, self.core)] * 2)))

    def test_documents_that_are_not_canonical(self):
        good = canonical({"a": "b", "c": 1})
        self.refuse_frame("document_invalid", append_frame(entry(JWS, b"[]")))
        for code, text in (("not_canonical", b" " + good), ("not_canonical", b'{"c":1,"a":"b"}'),
                           ("not_canonical", b'{"a": "b"}'), ("trailing_data", good + b"{}"), ("duplicate_key", b'{"a":1,"a":1}'),
                           ("syntax", b"{"), ("nul_byte", good[:-1] + b"\0}"), ("invalid_utf8", b'{"a":"\xff"}'),
                           ("not_canonical", b'{"a":"\\u0041"}'), ("too_deep", b'{"a":' + b"[" * 70 + b"]" * 70 + b"}")):
            with self.subTest(text[:20]):
                for data in (entry(JWS, text), entry(JWS, self.broker.statement(self.core), text),
                             entry(JWS, self.broker.statement(self.core), self.core, [text])):
                    self.refuse_frame(code, append_frame(data))

    def test_a_refused_statement_keeps_the_connection(self):
        self.refuse_allow("approval_missing", self.core, [])
        self.assertEqual(self.broker.client.health()["state"], "ready")


class Hello(BrokenCase):
    """The broker's log head against the signer's."""

    def refuse_hello(self, code, size, root):
        with self.broker.refused(self, code):
            self.broker.client.hello(size, root)

    def test_equal_or_one_batch_behind(self):
        self.broker.deny()
        log = self.broker.log
        self.assertEqual(self.broker.client.hello(log.size, log.root)["log"]["size"], log.size)
        self.broker.client.hello(log.size - 1, tree_head(log.hashes[:-1]))

    def test_fork(self):
        self.broker.deny()
        log = self.broker.log
        self.refuse_hello("log_fork", log.size, bytes(32))
        self.refuse_hello("log_fork", log.size, tree_head(log.hashes[:-1] + [bytes(32)]))
        self.refuse_hello("log_fork", log.size - 1, bytes(32))

    def test_ahead_or_behind(self):
        for _ in range(3):
            self.broker.deny()
        log = self.broker.log
        self.refuse_hello("log_rollback", log.size + 1, log.root)
        self.refuse_hello("log_rollback", 2 ** 64 - 1, log.root)
        self.refuse_hello("log_rollback", log.size - 2, tree_head(log.hashes[:-2]))
        self.refuse_hello("log_rollback", 0, sha256(b""))


class Certify(BrokenCase):
    """Only an Ed25519 session key, and only what the signer says of it."""

    def refuse_certify(self, code, jwk):
        with self.broker.refused(self, code):
            self.broker.client.certify(jwk)

    def test_honest(self):
        from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PublicKey
        key = {"kty": "OKP", "crv": "Ed25519", "x": POINT}
        certificate = self.broker.client.certify(key)
        signature = certificate.pop("signature")
        self.assertEqual((certificate["jwk"], certificate["usage"], certificate["entity"]), (key, "engine", "kye:ent:acme.countersign-1"))
        self.assertEqual(signature["kid"], "kye:key:acme.countersign-1.document.01")
        raw = base64.urlsafe_b64decode(self.world.published()[signature["kid"]]["x"] + "=")
        Ed25519PublicKey.from_public_bytes(raw).verify(base64.urlsafe_b64decode(signature["value_b64"] + "=="), canonical(certificate))
        self.assertIsNotNone(public_key(key))

    def test_other_keys(self):
        curve = {"kty": "EC", "crv": "P-256", "x": "axfR8uEsQkf4vOblY6RA8ncDfYEt6zOg9KE5RdiYwpY", "y": "T-NC4v4af5uO5-tKfA-eFivOM1drMV7Oy7ZAaDe_UfU"}
        self.refuse_certify("algorithm_mismatch", curve)
        good = {"kty": "OKP", "crv": "Ed25519", "x": POINT}
        for more in ({"kid": "kye:key:acme.countersign-1.seal.01"}, {"use": "sig"}, {"usage": "seal"}, {"not_after": "2099-01-01T00:00:00Z"}, {"d": POINT}):
            with self.subTest(str(more)):
                self.refuse_certify("bad_key", {**good, **more})
        for x in ("", POINT[:-1], POINT + "A", "A" * 43, base64.urlsafe_b64encode(b"\x01" + bytes(31)).decode().rstrip("=")):
            with self.subTest(x):
                with self.assertRaises(Exception) as caught:
                    self.broker.client.certify({**good, "x": x})
                self.assertIn(caught.exception.code, ("bad_key", "bad_base64url"))
        self.refuse_certify("bad_key", {"kty": "oct", "k": "AAAA"})
        self.refuse_certify("bad_key", {})

    def test_not_a_request_for_a_certificate(self):
        for content in ({}, {"jwk": []}, {"jwk": {}, "not_after": "2099-01-01T00:00:00Z"}, {"key": {}}):
            with self.world.connect() as client, self.broker.refused(self, "document_invalid"):
                client.ask(frame(CERTIFY, document(content)))


class Callers(BrokenCase):
    """Nobody but the broker's user is served, root included."""

    def test_other_users_get_no_service(self):
        for uid in (AGENT_UID, 0, SIGNER_UID, OPERATOR_UID, STRANGER_UID, FIRST_PERSON_UID, 65534):
            with self.subTest(uid):
                with self.world.connect(uid) as client:
                    with self.assertRaises(Closed):
                        client.health()

    def test_many_connections(self):
        """The oldest gives way to the ninth; the newest is served."""
        clients = [self.world.connect() for _ in range(12)]
        try:
            self.assertEqual(clients[-1].health()["state"], "ready")
            self.assertTrue(clients[0].is_closed())
        finally:
            for client in clients:
                client.close()
