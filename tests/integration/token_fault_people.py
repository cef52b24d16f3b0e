"""Failing tokens at a person's desk: countersign approve, and the commands of the ceremony."""
import json
import os
import shutil

from appliance import AGENT_UID, MODULE
from fault_world import SPY, Spy
from token_fault_case import NOT_A_MODULE, WRONG, Away, Case


class Approver(Case):
    """countersign approve: the approver's own token fails."""

    def setUp(self):
        super().setUp()
        self.world.start()
        self.action = self.propose("rollback")["id"]
        self.ada = self.world.people["ada"]

    def config(self, **changes):
        config = json.loads(self.ada.config.read_text())
        config.update(changes)
        path = self.ada.home / "changed.json"
        path.write_text(json.dumps(config))
        os.chown(path, self.ada.uid, self.ada.uid)
        return path

    def refused(self, status, code, *words, pin=None, **changes):
        result = self.world.approve("ada", self.action, config=self.config(**changes), pin=pin)
        self.assertEqual((result.status, result.code), (status, code), result)
        for word in words:
            self.assertIn(word, result.output)
        self.assertNotIn(pin or self.ada.pin, result.output)
        shown = self.world.call("Show", AGENT_UID, id=self.action)
        self.assertEqual((shown["action"]["state"], shown["decisions"]), ("awaiting_approval", []))
        return result

    def approves(self):
        result = self.world.approve("ada", self.action)
        self.assertEqual(result.status, 0, result)
        self.assertEqual(len(self.world.call("Show", AGENT_UID, id=self.action)["decisions"]), 1)

    def test_a_wrong_pin_is_asked_for_and_tried_once(self):
        if not SPY.exists():
            self.skipTest(f"no {SPY}")
        spy = Spy(self.ada.home, self.ada.uid)
        self.ada.environment = {**self.ada.environment, **spy.environment}
        result = self.refused(1, "pin_incorrect", pin=WRONG, module=str(spy.module))
        self.assertEqual(spy.calls(), 1)
        self.assertEqual(result.output.count("PIN of"), 1, result)
        self.approves()

    def test_a_missing_module(self):
        self.refused(3, "module_missing", "/nowhere/vendor.so", module="/nowhere/vendor.so")
        self.refused(3, "module_missing", "C_GetFunctionList", module=NOT_A_MODULE)
        self.refused(3, "module_missing", "PIN", module=str(SPY))
        self.approves()

    def test_a_missing_token(self):
        with Away(self.ada.home / "tokens", self.ada.home / "elsewhere"):
            self.refused(3, "token_missing", "ada")
        self.refused(3, "token_missing", "nobody", token="pkcs11:token=nobody")
        self.approves()

    def test_another_persons_token(self):
        """Ada's key is enrolled on Ada's token; Carl's in her slot is not it, and sees no PIN."""
        carl = self.world.people["carl"]
        with Away(self.ada.home / "tokens", self.ada.home / "elsewhere"):
            shutil.copytree(carl.home / "tokens", self.ada.home / "tokens", dirs_exist_ok=True)
            for path in (self.ada.home / "tokens").rglob("*"):
                os.chown(path, self.ada.uid, self.ada.uid)
            result = self.refused(1, "bad_token_identity", token=carl.token["uri"])
            self.assertNotIn("PIN of", result.output)
            for path in (self.ada.home / "tokens").iterdir():
                shutil.rmtree(path)
        self.approves()

    def test_a_key_that_is_not_on_the_token(self):
        self.refused(3, "token_key_missing", "no-such-label", label="no-such-label")
        with Away(next((self.ada.home / "tokens").iterdir()), self.ada.home / "elsewhere", "????????-*.object"):
            self.refused(3, "token_key_missing", self.ada.label)
        self.approves()

    def test_another_key_on_the_token(self):
        """A key under the right label that is not the enrolled one signs nothing that counts."""
        self.world.command("countersign-provision", "key", "generate", *self.world.token_options(self.ada.home, self.ada.token), "--label", "spare",
                           "--type", "ed25519", user=self.ada.uid, environment=self.ada.environment, check=True)
        self.refused(1, "key_unknown", "spare", label="spare")
        self.approves()


class Provisioning(Case):
    """countersign-provision: no key is touched when the token is not the right one, and no PIN is tried twice."""

    def setUp(self):
        super().setUp()
        self.lena = self.world.people["lena"]
        self.plan = self.hers("plan.json", (self.world.directory / "trust-plan.json").read_text())
        self.before = self.plan.read_text()

    def hers(self, name, text):
        path = self.lena.home / name
        path.write_text(text)
        os.chown(path, self.lena.uid, self.lena.uid)
        return path

    def run_command(self, arguments, environment=None):
        return self.world.command("countersign-provision", *arguments, user=self.lena.uid, environment=environment or self.lena.environment)

    def commands(self, module=MODULE, token=None, label=None):
        """Every subcommand that uses a token, with these values for what they share."""
        token = token or self.lena.token["uri"]
        label = label or self.lena.label
        access = ["--module", module, "--token", token, "--pin-file", self.lena.home / "pin"]
        draft = self.world.directory / "draft.json"
        self.world.provision("grant", "draft", "--plan", self.world.directory / "grant-plan.json", "--out", draft)
        self.unsigned = draft.read_text()
        self.grant = self.hers("grant.json", self.unsigned)
        return {
            "key list": ["key", "list", *access],
            "key generate": ["key", "generate", *access, "--label", "fresh", "--type", "ed25519"],
            "appliance-key": ["appliance-key", "--plan", self.plan, *access, "--label", label, "--kid", "kye:key:acme.countersign-1.seal.02", "--entity",
                              "kye:ent:acme.countersign-1", "--usage", "seal"],
            "enrol": ["enrol", "--plan", self.plan, *access, "--label", label, "--kid", "kye:key:acme.lena.02", "--person", self.lena.id],
            "sign": ["sign", "--document", self.grant, "--as", self.lena.id, "--kid", self.lena.kid, *access, "--label", label],
        }

    def refused(self, status, code, *words, only=None, environment=None, **values):
        for name, arguments in self.commands(**values).items():
            if only and name not in only:
                continue
            with self.subTest(command=name, code=code):
                result = self.run_command(arguments, environment)
                self.assertEqual((result.status, result.code), (status, code), result)
                for word in words:
                    self.assertIn(word, result.error)
                self.assertEqual(result.error.count("\n"), 1, result)
                self.assertEqual(self.plan.read_text(), self.before)
                self.assertEqual(self.grant.read_text(), self.unsigned)

    def signs(self):
        result = self.run_command(self.commands()["sign"])
        self.assertEqual(result.status, 0, result)
        self.assertIn("signature", json.loads(self.grant.read_text()))

    def test_a_wrong_pin(self):
        if not SPY.exists():
            self.skipTest(f"no {SPY}")
        spy = Spy(self.lena.home, self.lena.uid)
        right = (self.lena.home / "pin").read_text()
        self.write_pin(self.lena.home, WRONG)
        self.refused(1, "pin_incorrect", "CKR_PIN_INCORRECT", module=spy.module, environment={**self.lena.environment, **spy.environment})
        self.assertEqual(spy.calls(), len(self.commands()))
        (self.lena.home / "pin").write_text(right)
        self.signs()

    def test_a_missing_module(self):
        self.refused(3, "module_missing", "/nowhere/vendor.so", module="/nowhere/vendor.so")
        self.refused(3, "module_missing", "C_GetFunctionList", module=NOT_A_MODULE)
        for module, code, status in (("/nowhere/vendor.so", "module_missing", 3), (NOT_A_MODULE, "module_missing", 3)):
            result = self.run_command(["token", "list", "--module", module])
            self.assertEqual((result.status, result.code), (status, code), result)
        self.signs()

    def test_a_missing_token(self):
        with Away(self.lena.home / "tokens", self.lena.home / "elsewhere"):
            self.refused(3, "token_missing", "lena")
        self.refused(3, "token_missing", "nobody", token="pkcs11:token=nobody")
        self.signs()

    def test_a_key_that_is_not_on_the_token(self):
        self.refused(3, "token_key_missing", "no-such-label", label="no-such-label", only=("appliance-key", "enrol", "sign"))
        self.signs()

    def test_a_pin_file_that_others_may_read(self):
        (self.lena.home / "pin").chmod(0o644)
        self.refused(2, "pin_source", "pin")
        (self.lena.home / "pin").chmod(0o600)
        self.signs()
