#!/usr/bin/python3
"""The commands that need no appliance: canon, validate, verify-signature, verify, and the whole of provisioning.

Every refusal is asserted by exit status and by the stable name in its one line on standard error.
"""
import base64
import json
import os
import pathlib
import re
import shutil
import subprocess
import sys
import tempfile
import unittest

from appliance import run_cases, skip

ROOT = pathlib.Path(__file__).resolve().parents[2]
BINARIES = pathlib.Path(os.environ.get("CS_BIN") or ROOT / os.environ.get("CS_BUILD", "build") / "bin")
FIXTURE = ROOT / "tests" / "fixture"
MODULE = "/usr/lib/softhsm/libsofthsm2.so"

P256_ORDER = 0xFFFFFFFF00000000FFFFFFFFFFFFFFFFBCE6FAADA7179E84F3B9CAC2FC632551
MESSAGE = b"roll back checkout-api"
KEYS = {
    "ES256": ("MFkwEwYHKoZIzj0CAQYIKoZIzj0DAQcDQgAE+282iJ1ldVGFUroLAL1BEhzvUVY0Zti1LnFJkoT8GEGrP0tFFE9zoLNgIIjPTMdE62rDsUv11d+FSgR/kK9hKw==",
              "30460221008233147c2364a8f936d28398c4f7aab0b664fd06c4dfb6c50aaba78c60b81008022100f605ed951dff97747d6ef8d4087ca06b7db4a7f426028b"
              "35ed4216b4f40735a7"),
    "ES384": ("MHYwEAYHKoZIzj0CAQYFK4EEACIDYgAE02a/9fTFy9+ZoMgQ8YGQHCdmRHfnH1u8+D6SBMDmn0JJ5x9sHitcLVzGNgFj8RFdBMpfkRZzqPVbbgzGiUI0iYzrRp6m"
              "omsVTl3xVvAuLxEbvl84cMUfn+TDKcWahLZ8",
              "3066023100be00ab6a2e2ee4672456b9edf3fb9cc57479fd1eead1c99bb22b25709a09ea3e2e4613e614b6ff3c58a6cfa47c2cd11d023100f86a4e611b5b77"
              "a6c57443af843f63ff7b13061325b510da7386b203438c43b5f9d3d4d727e82d4ed73f89df9a7f6d95"),
    "EdDSA": ("MCowBQYDK2VwAyEA1uoBQvsYCTh+92me0YB1b0K2teuUkDUzgy47qLaK6mE=",
              "b2a4a52f0ed13a85e7d9aab8c58ba2fcc3e1a4a2dc1170539fd6a7254cab550a1ce0238208e436d942cf393bcdf4d0c68739452fbe681f442e3bc205d498bf04"),
}
ARTEFACT = {
    "payload": {"note": "€", "runs": [{"id": "a", "ok": True}], "started_at": "2026-11-20T10:00:00Z"},
    "signature": {"alg": "EdDSA", "kid": "audit-1", "canonicalisation": "rfc8785-style/sorted-keys-no-ws",
                  "sig": "Lwa-vS8CcnV2xubH5qgXb5btBxsiYsPirTLlQOgsVnFfEPxAHtYWZ8WCtSciGy-4ViBTKOgKvLXoseirA1sdDQ"},
}
JWKS = {"keys": [{"kty": "OKP", "crv": "Ed25519", "kid": "audit-1", "alg": "EdDSA", "use": "sig", "x": "1uoBQvsYCTh-92me0YB1b0K2teuUkDUzgy47qLaK6mE"}]}


def raw_from_der(der):
    """r||s of a DER ECDSA signature whose lengths fit one byte."""
    size = 32 if len(der) < 80 else 48
    r_len = der[3]
    r, s = der[4:4 + r_len], der[6 + r_len:]
    return b"".join(int.from_bytes(part, "big").to_bytes(size, "big") for part in (r, s))


class Case(unittest.TestCase):
    def setUp(self):
        self.directory = pathlib.Path(tempfile.mkdtemp(prefix="countersign-offline."))
        self.addCleanup(shutil.rmtree, self.directory)
        self.environment = {"PATH": "/usr/bin:/bin", "LC_ALL": "C.UTF-8"} | {k: v for k, v in os.environ.items() if k.endswith("SAN_OPTIONS")}

    def file(self, name, content):
        path = self.directory / name
        path.write_bytes(content if isinstance(content, bytes) else (content if isinstance(content, str) else json.dumps(content)).encode())
        return path

    def run_program(self, program, *arguments, text=None):
        return subprocess.run([str(BINARIES / program), *map(str, arguments)], env=self.environment, input=text, capture_output=True,
                              timeout=60, start_new_session=True, **({} if text is not None else {"stdin": subprocess.DEVNULL}))

    def countersign(self, *arguments, text=None):
        return self.run_program("countersign", *arguments, text=text)

    def assert_done(self, result):
        self.assertEqual((result.returncode, result.stderr), (0, b""), result)

    def assert_refused(self, result, status, name, *words):
        """Exactly one line on standard error, with the stable name; every word of `words` is in it."""
        line = result.stderr.decode()
        self.assertEqual(result.returncode, status, line)
        self.assertTrue(line.startswith(f"error: {name}: ") and line.count("\n") == 1 and line.endswith("\n"), line)
        for word in words:
            self.assertIn(word, line)


class Canon(Case):
    def test_bytes(self):
        for text, canonical in (('{"b":1,"a":[1.0,"\\u20ac\\/",true,null]}', '{"a":[1,"€/",true,null],"b":1}'), ("[]", "[]"), (' "x" ', '"x"'),
                                ("1e21", "1e+21"), ("295147905179352830000", "295147905179352830000"), ('{"\\uffee":1,"\\ud83d\\ude00":2}', '{"😀":2,"￮":1}')):
            result = self.countersign("canon", self.file("a.json", text))
            self.assert_done(result)
            self.assertEqual(result.stdout.decode(), canonical)

    def test_standard_input(self):
        result = self.countersign("canon", "-", text=b'{"a": 1}')
        self.assert_done(result)
        self.assertEqual(result.stdout, b'{"a":1}')

    def test_refusals(self):
        deep = b"[" * 65 + b"]" * 65
        for content, name in ((b'{"a":1,"a":2}', "duplicate_key"), (b'{"a":1}\x00', "nul_byte"), (b"\xef\xbb\xbf{}", "byte_order_mark"),
                              (b'"\xff"', "invalid_utf8"), (b'"\\ud800"', "lone_surrogate"), (deep, "too_deep"), (b"{} {}", "trailing_data"),
                              (b"9007199254740993", "inexact_integer"), (b"1e400", "number_range"), (b"{'a':1}", "syntax"), (b"", "syntax"),
                              (b'"' + b"x" * (1024 * 1024) + b'"', "too_large")):
            with self.subTest(name):
                result = self.countersign("canon", self.file("bad.json", content))
                self.assert_refused(result, 1, name, "bad.json")
                self.assertEqual(result.stdout, b"")

    def test_depth_64_is_fine(self):
        self.assert_done(self.countersign("canon", self.file("deep.json", b"[" * 64 + b"]" * 64)))

    def test_unreadable(self):
        self.assert_refused(self.countersign("canon", self.directory / "none.json"), 2, "not_found", "none.json")
        self.assert_refused(self.countersign("canon", self.directory), 2, "io")

    def test_error_as_json(self):
        result = self.countersign("canon", "--json", self.file("bad.json", b'{"a":1,"a":2}'))
        self.assert_refused(result, 1, "duplicate_key")
        self.assertEqual(set(json.loads(result.stdout)["error"]), {"code", "detail", "path"})
        self.assertEqual(json.loads(result.stdout)["error"]["code"], "duplicate_key")

    def test_error_text_is_escaped(self):
        result = self.countersign("canon", self.file("bad.json", '{"\x1b[31m\u202e":1,"\x1b[31m\u202e":2}'.replace("\x1b", "\\u001b")))
        self.assertNotIn(b"\x1b", result.stderr)
        self.assertNotIn("\u202e".encode(), result.stderr)
        self.assertEqual(result.returncode, 1)


class Usage(Case):
    def test_wrong_usage(self):
        for arguments in ((), ("nonsense",), ("canon",), ("canon", "a", "b"), ("canon", "--what", "a"), ("canon", "-x"), ("verify-signature", "--alg", "EdDSA"),
                          ("validate", "--schema"), ("validate", "--schema", "a", "--schema", "b", "c"), ("--socket",), ("wait", "x", "--timeout", "soon"),
                          ("verify", "a"), ("verify", "--jwks", "a", "--trust", "b", "c"), ("verify", "--jwks", "a", "--expect-allow", "c"),
                          ("verify", "--jwks", "a", "--request", "b", "c"), ("verify", "--jwks", "a", "--pin", "sha256:12", "c"), ("canon", "--json=1", "a")):
            with self.subTest(arguments):
                self.assert_refused(self.countersign(*arguments), 2, "usage")

    def test_help(self):
        result = self.countersign("--help")
        self.assert_done(result)
        for subcommand in ("propose", "wait", "pending", "show", "approve", "reject", "pack", "status", "verify", "canon", "validate", "verify-signature"):
            self.assertIn(f"countersign {subcommand}", result.stdout.decode())

    def test_no_appliance(self):
        for arguments in (("status",), ("wait", "x"), ("show", "x"), ("pack", "x"), ("pending",)):
            with self.subTest(arguments):
                result = self.countersign("--socket", self.directory / "none.sock", *arguments)
                self.assert_refused(result, 3, "service_unavailable", "none.sock")

    def test_request_is_judged_before_it_is_sent(self):
        result = self.countersign("--socket", self.directory / "none.sock", "propose", "--request", self.file("r.json", {"schema": "x"}))
        self.assert_refused(result, 1, "document_invalid")


class Validate(Case):
    SCHEMA = {"type": "object", "required": ["name"], "properties": {"name": {"type": "string"}, "list": {"items": {"minimum": 3}},
                                                                     "at": {"format": "date-time"}}}

    def validate(self, schema, document, *others):
        arguments = [a for i, other in enumerate(others) for a in ("--with", self.file(f"with-{i}.json", other))]
        return self.countersign("validate", "--schema", self.file("schema.json", schema), *arguments, self.file("document.json", document))

    def test_valid(self):
        result = self.validate(self.SCHEMA, {"name": "a", "list": [3, 4], "at": "2026-11-20T10:00:00Z"})
        self.assert_done(result)
        self.assertEqual(result.stdout, b"")
        arguments = ("validate", "--json", "--schema", self.directory / "schema.json")
        result = self.countersign(*arguments, self.directory / "document.json")
        self.assert_done(result)
        self.assertEqual(result.stdout, b'{"valid":true}\n')
        result = self.countersign(*arguments, self.file("other.json", {}))
        self.assert_refused(result, 1, "document_invalid")
        self.assertEqual(json.loads(result.stdout)["error"]["code"], "document_invalid")

    def test_invalid_names_pointer_and_keyword(self):
        self.assert_refused(self.validate(self.SCHEMA, {"name": "a", "list": [3, 2]}), 1, "document_invalid", "/list/1", "minimum")
        self.assert_refused(self.validate(self.SCHEMA, {}), 1, "document_invalid", '""', "required", "name")
        self.assert_refused(self.validate(False, {}), 1, "document_invalid")
        self.assert_refused(self.validate({"properties": {"a/b": {"type": "null"}}}, {"a/b": 1}), 1, "document_invalid", "/a~1b", "type")

    def test_format_is_asserted_on_demand(self):
        self.assert_done(self.validate(self.SCHEMA, {"name": "a", "at": "today"}))
        result = self.countersign("validate", "--format", "--schema", self.directory / "schema.json", self.directory / "document.json")
        self.assert_refused(result, 1, "document_invalid", "/at", "format")

    def test_not_supported(self):
        self.assert_refused(self.validate({"unevaluatedProperties": False}, {}), 4, "schema_unsupported", "unevaluatedProperties")
        self.assert_refused(self.validate({"shape": 1}, {}), 4, "schema_unsupported", "shape")
        self.assert_refused(self.validate({"$ref": "https://elsewhere.example/s.json"}, {}), 4, "schema_unsupported")
        self.assert_refused(self.validate({"$schema": "http://json-schema.org/draft-07/schema#"}, {}), 4, "schema_unsupported")

    def test_references_between_files(self):
        named = {"$id": "https://a.example/common.json", "$defs": {"word": {"type": "string"}}}
        schema = {"$id": "https://a.example/main.json", "properties": {"a": {"$ref": "common.json#/$defs/word"}}}
        self.assert_done(self.validate(schema, {"a": "x"}, named))
        self.assert_refused(self.validate(schema, {"a": 1}, named), 1, "document_invalid", "/a", "type")
        self.assert_refused(self.validate(schema, {"a": "x"}), 4, "schema_unsupported")
        beside = {"properties": {"a": {"$ref": "with-0.json#/$defs/word"}}}
        self.assert_done(self.validate(beside, {"a": "x"}, {"$defs": {"word": {"type": "string"}}}))
        self.assert_refused(self.validate(beside, {"a": 1}, {"$defs": {"word": {"type": "string"}}}), 1, "document_invalid", "/a")

    def test_embedded_by_name(self):
        grant = self.file("grant.json", json.loads((FIXTURE / "grant-plan.json").read_text()) | {"signature": "sig:eddsa:kye:key:x:AA"})
        self.assert_done(self.countersign("validate", "--schema", "kye.authority.grant.v1", grant))
        result = self.countersign("validate", "--schema", "kye.purpose.grant.v1", grant)
        self.assert_refused(result, 1, "document_invalid")

    def test_unreadable(self):
        document = self.file("document.json", {})
        self.assert_refused(self.countersign("validate", "--schema", self.directory / "none", document), 2, "not_found")
        self.assert_refused(self.countersign("validate", "--schema", document, self.directory / "none"), 2, "not_found")
        self.assert_refused(self.validate("{", {}), 1, "syntax")
        self.assert_refused(self.validate({"type": 7}, {}), 1, "schema_invalid")


class VerifySignature(Case):
    def verify(self, alg, signature, *arguments, message=MESSAGE, key=None):
        body = KEYS[key or alg][0]
        pem = "-----BEGIN PUBLIC KEY-----\n" + "\n".join(body[i:i + 64] for i in range(0, len(body), 64)) + "\n-----END PUBLIC KEY-----\n"
        return self.countersign("verify-signature", "--alg", alg, "--key", self.file("key.pem", pem), "--message", self.file("message", message),
                                "--signature", self.file("signature", signature), *arguments)

    def test_good(self):
        for alg, (_, text) in KEYS.items():
            signature = bytes.fromhex(text)
            with self.subTest(alg):
                if alg == "EdDSA":
                    result = self.verify(alg, signature)
                    self.assert_done(result)
                    self.assertEqual(result.stdout, b"")
                    result = self.verify(alg, signature, "--json")
                    self.assert_done(result)
                    self.assertEqual(result.stdout, b'{"verified":true}\n')
                else:
                    self.assert_done(self.verify(alg, signature, "--der"))
                    self.assert_done(self.verify(alg, raw_from_der(signature)))

    def test_low_s_is_not_demanded(self):
        raw = raw_from_der(bytes.fromhex(KEYS["ES256"][1]))
        other = raw[:32] + (P256_ORDER - int.from_bytes(raw[32:], "big")).to_bytes(32, "big")
        self.assertNotEqual(raw, other)
        self.assert_done(self.verify("ES256", other))

    def test_altered(self):
        for alg, (_, text) in KEYS.items():
            signature = bytes.fromhex(text) if alg == "EdDSA" else raw_from_der(bytes.fromhex(text))
            changed = signature[:40] + bytes([signature[40] ^ 1]) + signature[41:]
            with self.subTest(alg):
                self.assertEqual(self.verify(alg, changed).returncode, 1)
                self.assert_refused(self.verify(alg, signature, message=MESSAGE + b"!"), 1, "bad_signature")
                self.assert_refused(self.verify(alg, signature[:-1]), 1, "bad_signature_form")
                self.assert_refused(self.verify(alg, b""), 1, "bad_signature_form")

    def test_der_is_strict(self):
        der = bytes.fromhex(KEYS["ES256"][1])
        self.assert_refused(self.verify("ES256", der + b"\0", "--der"), 1, "bad_signature_form")
        self.assert_refused(self.verify("ES256", der), 1, "bad_signature_form")

    def test_other_key(self):
        signature = raw_from_der(bytes.fromhex(KEYS["ES256"][1]))
        self.assert_refused(self.verify("ES256", signature, key="ES384"), 1, "algorithm_mismatch")
        self.assert_refused(self.verify("EdDSA", signature, key="ES256"), 1, "algorithm_mismatch")

    def test_usage(self):
        self.assert_refused(self.verify("RS256", b"", key="ES256"), 2, "usage")
        result = self.countersign("verify-signature", "--alg", "EdDSA", "--key", self.file("k", b"no key"), "--message", self.file("m", b""),
                                  "--signature", self.file("s", b""))
        self.assert_refused(result, 1, "bad_key")
        result = self.countersign("verify-signature", "--alg", "EdDSA", "--key", self.directory / "none", "--message", self.file("m", b""),
                                  "--signature", self.file("s", b""))
        self.assert_refused(result, 2, "not_found")


class Manuals(Case):
    def test_every_subcommand_and_option(self):
        """The manual page of each program names everything that its --help does."""
        for program in ("countersign", "countersign-provision"):
            page = (ROOT / f"docs/man/{program}.1").read_text().replace("\\-", "-")
            plain = re.sub(r'"', "", page)
            for line in self.run_program(program, "--help").stdout.decode().splitlines():
                name, options = re.match(rf"{program} ([a-z -]*[a-z])(?= |$)", line)[1], re.findall(r"--[a-z-]+", line)
                name = re.sub(r" --.*", "", name)
                with self.subTest(line):
                    self.assertRegex(plain, rf"(?m)^\.[A-Z]+ {name}\b")
                    self.assertEqual([option for option in options if option not in page], [])


class VerifyArtefact(Case):
    def verify(self, artefact, jwks=None, *arguments):
        return self.countersign("verify", "--jwks", self.file("jwks.json", jwks or JWKS), *arguments, self.file("artefact.json", artefact))

    def test_authentic(self):
        result = self.verify(ARTEFACT, None, "--json")
        self.assert_done(result)
        verdict = json.loads(result.stdout)
        self.assertEqual((verdict["authentic"], verdict["kind"]), (True, "payload"))
        self.assertIn(b"authentic", self.verify(ARTEFACT).stdout)

    def test_altered(self):
        artefact = json.loads(json.dumps(ARTEFACT))
        artefact["payload"]["runs"][0]["ok"] = False
        result = self.verify(artefact, None, "--json")
        self.assertEqual(result.returncode, 1)
        self.assertFalse(json.loads(result.stdout)["authentic"])
        self.assertTrue(result.stderr.startswith(b"error: "))

    def test_unknown_key(self):
        other = {"keys": [JWKS["keys"][0] | {"kid": "audit-2"}]}
        self.assert_refused(self.verify(ARTEFACT, other), 1, "key_unknown")

    def test_pin(self):
        wrong = self.verify(ARTEFACT, None, "--pin", "sha256:" + "0" * 64)
        self.assert_refused(wrong, 1, "address_mismatch")
        fingerprint = json.loads(self.verify(ARTEFACT, None, "--json").stdout)["keys"]
        self.assert_done(self.verify(ARTEFACT, None, "--pin", fingerprint))

    def test_never_an_authorisation(self):
        request = self.file("request.json", {})
        result = self.verify(ARTEFACT, None, "--expect-allow", "--request", request)
        self.assertEqual(result.returncode, 1)


@unittest.skipUnless(os.path.exists(MODULE), "no SoftHSM")
class Provisioning(Case):
    """A ceremony with two people on throwaway tokens, and what it refuses."""

    def setUp(self):
        super().setUp()
        tokens = self.directory / "tokens"
        tokens.mkdir()
        self.environment["SOFTHSM2_CONF"] = str(self.file("softhsm2.conf", f"directories.tokendir = {tokens}\nobjectstore.backend = file\nlog.level = ERROR\n"))
        self.pin = self.secret("pin", "246810")
        self.so_pin = self.secret("so-pin", "13579111")

    def secret(self, name, text):
        path = self.file(name, text + "\n")
        path.chmod(0o600)
        return path

    def provision(self, *arguments):
        return self.run_program("countersign-provision", *arguments)

    def done(self, *arguments):
        result = self.provision(*arguments, "--json")
        self.assert_done(result)
        return json.loads(result.stdout)

    def token(self, label):
        return self.done("token", "init", "--module", MODULE, "--label", label, "--so-pin-file", self.so_pin, "--pin-file", self.pin)["uri"]

    def on(self, uri, pin=None, module=MODULE):
        return ["--module", module, "--token", uri, "--pin-file", pin or self.pin]

    def key(self, uri, label="key", kind="ed25519"):
        return self.done("key", "generate", *self.on(uri), "--label", label, "--type", kind)

    def person(self, plan, name, kind="ed25519"):
        uri = self.token(name)
        self.key(uri, kind=kind)
        self.done("enrol", "--plan", plan, *self.on(uri), "--label", "key", "--kid", f"kye:key:acme.{name}.01", "--person", f"kye:person:acme.{name}")
        return uri

    def sign(self, document, name, uri, *arguments):
        return self.provision("sign", "--document", document, "--as", f"kye:person:acme.{name}", "--kid", f"kye:key:acme.{name}.01", *self.on(uri),
                              "--label", "key", *arguments)

    def small_plan(self):
        """Enough for a genesis: the people of the fixture who sign, and nobody else's keys."""
        plan = json.loads((FIXTURE / "plan-trust.json").read_text())
        plan.update(agents=[], delegations=[], appliances=[])
        return self.file("plan.json", plan)

    def genesis(self):
        """(directory, genesis address, tokens by name), signed by Sam and Lena."""
        plan = self.small_plan()
        tokens = {name: self.person(plan, name) for name in ("sam", "sue", "lena", "cora")}
        trust = self.directory / "trust"
        trust.mkdir()
        address = self.done("trust-set", "draft", "--plan", plan, "--out", trust / "1.json")["address"]
        for name in ("sam", "lena"):
            self.assert_done(self.sign(trust / "1.json", name, tokens[name]))
        return trust, address, tokens, plan

    def test_token_and_keys(self):
        uri = self.token("one")
        self.assertEqual([t["label"] for t in self.done("token", "list", "--module", MODULE)["tokens"]], ["one"])
        for kind, crv in (("ed25519", "Ed25519"), ("p256", "P-256"), ("p384", "P-384")):
            self.assertEqual(self.key(uri, kind, kind)["jwk"]["crv"], crv)
        self.assertEqual(sorted({k["label"] for k in self.done("key", "list", *self.on(uri))["keys"]}), ["ed25519", "p256", "p384"])
        generate = ("--label", "p256", "--type", "p256")
        self.assert_refused(self.provision("key", "generate", *self.on(uri), *generate), 1, "exists")
        self.assert_refused(self.provision("key", "generate", *self.on(uri), "--label", "x", "--type", "rsa"), 2, "usage")

    def test_token_errors(self):
        uri = self.token("one")
        wrong = self.secret("wrong", "000000")
        readable = self.file("readable", "246810\n")
        readable.chmod(0o644)
        for arguments, status, name in (
                (self.on(uri, pin=wrong), 1, "pin_incorrect"),
                (self.on(uri, pin=readable), 2, "pin_source"),
                (self.on(uri, pin=self.directory / "none"), 2, "pin_source"),
                (self.on(uri, module="/nonexistent/module.so"), 3, "module_missing"),
                (self.on(uri, module="libsofthsm2.so"), 3, "module_missing"),
                (self.on("pkcs11:token=two"), 3, "token_missing"),
                (self.on("pkcs11:token=one;banana=yes"), 2, "bad_pkcs11_uri"),
                (self.on("pkcs11:token=one?pin-value=246810"), 2, "bad_pkcs11_uri"),
                (["--module", MODULE, "--token", uri], 2, "pin_source")):
            with self.subTest(name):
                self.assert_refused(self.provision("key", "list", *arguments), status, name)
        self.done("key", "list", *self.on(uri))

    def test_enrolment(self):
        plan = self.small_plan()
        uri = self.person(plan, "ada", "p256")
        document = json.loads(plan.read_text())
        token, key = document["tokens"][0], document["keys"][0]
        self.assertEqual((token["assurance"], key["token"], key["usage"]), ("software", token["id"], "person"))
        challenge = key["enrolment"]
        self.assertEqual((challenge["jwk"], challenge["person"], challenge["kid"], challenge["trust_set"], len(challenge["nonce"])),
                         (key["jwk"], "kye:person:acme.ada", key["kid"], None, 64))
        enrol = ("enrol", "--plan", plan, *self.on(uri), "--label", "key")
        self.assert_refused(self.provision(*enrol, "--kid", "kye:key:acme.ada.01", "--person", "kye:person:acme.ada"), 1, "duplicate_identifier")
        self.assert_refused(self.provision(*enrol, "--kid", "kye:key:acme.ada.02", "--person", "kye:person:acme.ada"), 1, "duplicate_identifier")
        self.assert_refused(self.provision(*enrol, "--kid", "kye:key:acme.nobody.01", "--person", "kye:person:acme.nobody"), 1, "dangling_reference")
        self.assert_refused(self.provision(*enrol, "--kid", "ada", "--person", "kye:person:acme.ada"), 1, "bad_identifier")
        self.assertEqual(json.loads(plan.read_text()), document)
        version = self.file("version.json", document | {"schema": "countersign.trust_set.v1"})
        self.assert_refused(self.provision("enrol", "--plan", version, *self.on(uri), "--label", "key", "--kid", "kye:key:acme.ada.03", "--person",
                                           "kye:person:acme.ada"), 1, "document_invalid", "schema")
        self.key(uri, "second")
        self.done("enrol", "--plan", plan, *self.on(uri), "--label", "second", "--kid", "kye:key:acme.ada.02", "--person", "kye:person:acme.ada")
        self.assertEqual(len(json.loads(plan.read_text())["tokens"]), 1, "one token is listed once")

    def test_ceremony(self):
        trust, genesis, tokens, plan = self.genesis()
        self.assertEqual(self.done("trust-set", "verify", "--genesis", genesis, trust), {"address": genesis, "version": 1})
        self.assert_refused(self.provision("trust-set", "verify", "--genesis", "sha256:" + "0" * 64, trust), 1, "genesis_mismatch")
        policy = self.directory / "policy"
        policy.mkdir()
        self.done("policy", "draft", "--plan", FIXTURE / "plan-policy.json", "--out", policy / "1.json")
        verify = ("policy", "verify", "--trust-directory", trust, "--trust-genesis", genesis, policy, "--genesis",
                  self.done("address", policy / "1.json")["address"])
        self.assert_refused(self.provision(*verify), 1, "missing_signature")
        self.assert_done(self.sign(policy / "1.json", "lena", tokens["lena"]))
        self.assert_refused(self.provision(*verify), 1, "missing_signature")
        self.assert_refused(self.sign(policy / "1.json", "lena", tokens["lena"]), 1, "exists")
        self.assert_done(self.sign(policy / "1.json", "cora", tokens["cora"]))
        self.assertEqual(self.done(*verify)["version"], 1)
        self.sign_second_policy(policy, tokens)
        published = self.directory / "jwks.json"
        self.done("publish", "--trust-directory", trust, "--genesis", genesis, "--out", published)
        artefact = self.file("artefact.json", ARTEFACT)
        self.assert_refused(self.countersign("verify", "--jwks", published, artefact), 1, "missing_signature")
        for name in ("sam", "lena"):
            self.assert_done(self.sign(published, name, tokens[name]))
        self.assert_refused(self.countersign("verify", "--jwks", published, artefact), 1, "key_unknown")

    def sign_second_policy(self, policy, tokens):
        """A later version is signed only beside the one that it follows."""
        draft = self.directory / "policy-2.json"
        self.done("policy", "draft", "--plan", FIXTURE / "plan-policy.json", "--previous", policy / "1.json", "--out", draft)
        before = draft.read_bytes()
        self.assert_refused(self.sign(draft, "lena", tokens["lena"]), 2, "usage", "--previous")
        self.assert_refused(self.sign(draft, "lena", tokens["lena"], "--previous", draft), 1, "broken_chain")
        self.assertEqual(draft.read_bytes(), before)
        self.assert_done(self.sign(draft, "lena", tokens["lena"], "--previous", policy / "1.json"))

    def test_second_version(self):
        trust, genesis, tokens, plan = self.genesis()
        document = json.loads(plan.read_text())
        document["persons"][0]["roles"][0]["until"] = "2030-01-01T00:00:00Z"
        plan.write_text(json.dumps(document))
        draft = self.directory / "draft.json"
        self.done("trust-set", "draft", "--plan", plan, "--previous", trust / "1.json", "--out", draft)
        self.assert_refused(self.sign(draft, "sam", tokens["sam"]), 2, "usage", "--previous")
        for name in ("sam", "cora"):
            self.assert_done(self.sign(draft, name, tokens[name], "--previous", trust / "1.json"))
        shutil.copy(draft, trust / "2.json")
        self.assertEqual(self.done("trust-set", "verify", "--genesis", genesis, trust)["version"], 2)
        (trust / "1.json").unlink()
        self.assert_refused(self.provision("trust-set", "verify", "--genesis", genesis, trust), 1, "genesis_mismatch")

    def test_nothing_is_removed(self):
        trust, _, _, plan = self.genesis()
        document = json.loads(plan.read_text())
        document["resources"].pop()
        plan.write_text(json.dumps(document))
        result = self.provision("trust-set", "draft", "--plan", plan, "--previous", trust / "1.json", "--out", self.directory / "draft.json")
        self.assert_refused(result, 1, "removed_entry")

    def test_nobody_raises_own_rights(self):
        trust, _, tokens, plan = self.genesis()
        document = json.loads(plan.read_text())
        lena = next(p for p in document["persons"] if p["id"].endswith(".lena"))
        lena["roles"].append(dict(lena["roles"][0], role="compliance"))
        plan.write_text(json.dumps(document))
        draft = self.directory / "draft.json"
        self.done("trust-set", "draft", "--plan", plan, "--previous", trust / "1.json", "--out", draft)
        before = draft.read_bytes()
        self.assert_refused(self.sign(draft, "lena", tokens["lena"], "--previous", trust / "1.json"), 1, "signer_raises_own_rights")
        self.assertEqual(draft.read_bytes(), before)
        self.assert_done(self.sign(draft, "sam", tokens["sam"], "--previous", trust / "1.json"))

    def test_sign_refuses(self):
        plan = self.small_plan()
        tokens = {name: self.person(plan, name) for name in ("sam", "sue", "lena", "ada")}
        draft = self.directory / "draft.json"
        self.done("trust-set", "draft", "--plan", plan, "--out", draft)
        for document, name in (({"schema": "kye.approval_decision.v1"}, "key_usage"), ({"schema": "countersign.seal_statement.v1"}, "key_usage"),
                               ({"id": "kye:other:1"}, "key_usage"), ([], "key_usage"), ({}, "key_usage")):
            with self.subTest(document):
                self.assert_refused(self.sign(self.file("other.json", document), "sam", tokens["sam"]), 1, name)
        self.assert_refused(self.sign(draft, "ada", tokens["ada"]), 1, "wrong_signers")
        self.assert_refused(self.sign(draft, "sam", tokens["sue"]), 1, "key_unknown")
        self.assert_refused(self.provision("sign", "--document", draft, "--as", "kye:person:acme.sam", "--kid", "kye:key:acme.sue.01", *self.on(tokens["sue"]),
                                           "--label", "key"), 1, "key_entity")
        self.assert_refused(self.provision("sign", "--document", draft, "--as", "kye:person:acme.sam", "--kid", "kye:key:acme.sam.09", *self.on(tokens["sam"]),
                                           "--label", "key"), 1, "key_unknown")
        self.assert_refused(self.provision("sign", "--document", draft, "--as", "kye:person:acme.sam", "--kid", "kye:key:acme.sam.01", *self.on(tokens["sam"]),
                                           "--label", "other"), 3, "token_key_missing")
        self.assert_done(self.sign(draft, "sam", tokens["sam"]))
        self.assert_refused(self.sign(draft, "sam", tokens["sam"]), 1, "exists")
        self.assert_done(self.sign(draft, "lena", tokens["lena"]))
        self.assert_refused(self.sign(draft, "sue", tokens["sue"]), 1, "exists")
        invalid = self.file("invalid.json", json.loads(draft.read_text()) | {"extra": 1})
        self.assert_refused(self.sign(invalid, "sue", tokens["sue"]), 1, "document_invalid")

    def test_grants(self):
        plan = self.small_plan()
        tokens = {name: self.person(plan, name) for name in ("lena", "ada")}
        grant = self.directory / "grant.json"
        self.done("grant", "draft", "--plan", FIXTURE / "grant-plan.json", "--out", grant)
        self.assertNotIn("signature", json.loads(grant.read_text()))
        self.assert_refused(self.sign(grant, "ada", tokens["ada"]), 1, "key_entity")
        self.assert_done(self.sign(grant, "lena", tokens["lena"]))
        self.assertTrue(json.loads(grant.read_text())["signature"].startswith("sig:eddsa:kye:key:acme.lena.01:"))
        self.assert_refused(self.sign(grant, "lena", tokens["lena"]), 1, "exists")
        other = self.file("other.json", {"id": "kye:other:1"})
        self.assert_refused(self.provision("grant", "draft", "--plan", other, "--out", grant), 1, "document_invalid")
        wide = self.file("wide.json", json.loads((FIXTURE / "grant-plan.json").read_text()) | {"everything": True})
        self.assert_refused(self.provision("grant", "draft", "--plan", wide, "--out", grant), 1, "document_invalid")

    def test_policy_is_judged_before_it_is_signed(self):
        plan = json.loads((FIXTURE / "plan-policy.json").read_text())
        irreversible = next(c for c in plan["action_classes"] if c["reversibility"] == "irreversible")
        irreversible["quorum"] = ["engineer"]
        result = self.provision("policy", "draft", "--plan", self.file("policy.json", plan), "--out", self.directory / "out.json")
        self.assertEqual(result.returncode, 1)
        self.assertFalse((self.directory / "out.json").exists())

    def test_approver_without_a_terminal_or_appliance(self):
        """Settings are judged first, then the appliance; no PIN is ever read from standard input."""
        trust, genesis, tokens, _ = self.genesis()
        policy = self.directory / "policy"
        policy.mkdir()
        self.done("policy", "draft", "--plan", FIXTURE / "plan-policy.json", "--out", policy / "1.json")
        for name in ("lena", "cora"):
            self.assert_done(self.sign(policy / "1.json", name, tokens[name]))
        config = {"person": "kye:person:acme.lena", "kid": "kye:key:acme.lena.01", "module": MODULE, "token": tokens["lena"], "label": "key",
                  "trust_directory": str(trust), "trust_genesis": genesis, "policy_directory": str(policy),
                  "policy_genesis": self.done("address", policy / "1.json")["address"]}
        approve = ("--socket", self.directory / "none.sock", "approve", "x", "--config")
        self.assert_refused(self.countersign(*approve, self.file("a.json", config)), 2, "bad_setting", "0 appliances")
        self.assert_refused(self.countersign(*approve, self.file("a.json", config | {"origin": "other"})), 2, "bad_setting", "other")
        self.assert_refused(self.countersign(*approve, self.file("a.json", config | {"pin": "1"})), 2, "bad_setting")
        self.assert_refused(self.countersign(*approve, self.file("a.json", {k: v for k, v in config.items() if k != "kid"})), 2, "bad_setting", "kid")
        self.assert_refused(self.countersign(*approve, self.file("a.json", config | {"trust_genesis": "sha256:" + "0" * 64})), 1, "genesis_mismatch")
        self.assert_refused(self.countersign(*approve, self.directory / "none.json"), 2, "not_found")


if __name__ == "__main__":
    missing = [name for name in ("countersign", "countersign-provision") if not (BINARIES / name).exists()]
    if missing:
        skip(f"{missing[0]} is not built in {BINARIES}")
    sys.exit(run_cases())
