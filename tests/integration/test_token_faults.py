#!/usr/bin/python3
"""Tokens that are away, broken or closed by another PIN: what the appliance, the approver's command and the ceremony's say, and that each PIN is tried once.

Needs root, exits 77 where it cannot run. What counts logins needs OpenSC's pkcs11-spy and is skipped without it.
"""
import os
import shutil
import subprocess
import sys
import time
import unittest

from appliance import AGENT_UID, MODULE, SIGNER_UID, VarlinkError, need_root_and_softhsm, run_cases, skip
from fault_world import SPY, Spy
from forgery import Forger
from token_fault_case import NOT_A_MODULE, WRONG, Away, Case
from token_fault_people import Approver, Provisioning  # noqa: F401


class Pin(Case):
    def spied(self):
        if not SPY.exists():
            self.skipTest(f"no {SPY}")
        spy = Spy(self.world.appliance_home, SIGNER_UID)
        self.world.signer_environment = spy.environment
        self.world.setting("signer", "module", spy.module)
        return spy

    def test_a_wrong_pin_is_named_and_tried_once(self):
        spy = self.spied()
        self.write_pin(self.world.appliance_home, WRONG)
        self.world.start_listening()
        signer = self.trouble("pin_incorrect", "CKR_PIN_INCORRECT")
        self.assertEqual(signer["reason"], "signer_unavailable")
        self.assertTrue(signer["status"]["reason"].startswith("pin_incorrect"), signer)
        self.assertEqual(signer["status"]["state"], "token_unavailable")
        self.assertEqual(spy.calls(), 1)
        # However often the daemon looks and callers ask.
        deadline = time.monotonic() + 4
        while time.monotonic() < deadline:
            self.refused("pin_incorrect")
            self.world.health()
            time.sleep(0.2)
        self.assertEqual(spy.calls(), 1)
        self.assertIn("not tried again", self.world.health()["reason"])
        for name in ("signer", "daemon"):
            self.assertNotIn(WRONG, self.world.log_of(name))
        # The right PIN is read when somebody says that it is there.
        self.write_pin(self.world.appliance_home, "pin-of-the-appliance")
        self.world.hang_up("signer")
        self.works()
        self.assertEqual(spy.calls(), 2)

    def test_after_a_restart_the_pin_is_tried_once_again(self):
        spy = self.spied()
        self.write_pin(self.world.appliance_home, WRONG)
        self.world.start_listening()
        self.trouble("pin_incorrect")
        self.world.stop_process("signer")
        self.world.start_signer()
        self.trouble("pin_incorrect")
        self.assertEqual(spy.calls(), 2)
        self.write_pin(self.world.appliance_home, "pin-of-the-appliance")
        self.world.stop_process("signer")
        self.world.start_signer()
        self.works()
        self.assertEqual(spy.calls(), 3)

    def test_a_pin_changed_behind_an_open_session_is_tried_once(self):
        spy = self.spied()
        self.world.start()
        self.assertEqual(spy.calls(), 1)
        self.change_pin("pin-of-the-appliance", "another-pin")
        # The session that is open goes on; the next login is what fails.
        self.assertEqual(self.propose()["state"], "sealed")
        with self.token_away():
            self.trouble("token_missing")
        self.trouble("pin_incorrect")
        failed = spy.calls()
        self.assertEqual(failed, 2)
        for _ in range(10):
            self.refused("pin_incorrect")
            self.world.health()
        self.assertEqual(spy.calls(), failed)
        self.write_pin(self.world.appliance_home, "another-pin")
        self.world.hang_up("signer")
        self.works()
        self.assertEqual(spy.calls(), failed + 1)

    def change_pin(self, old, new):
        subprocess.run(["pkcs11-tool", "--module", MODULE, "--token-label", "countersign-1", "--login", "--pin", old, "--change-pin", "--new-pin", new],
                       env=self.world.appliance_environment, check=True, capture_output=True, timeout=60, user=SIGNER_UID, group=SIGNER_UID,
                       extra_groups=[])

    def token_away(self):
        return Away(self.world.appliance_home / "tokens", self.world.appliance_home / "elsewhere")

    def test_a_pin_file_that_cannot_be_used(self):
        pin = self.world.appliance_home / "pin"
        for change, word in ((lambda: pin.chmod(0o644), "pin_source"), (pin.unlink, "pin_source")):
            change()
            self.world.start_listening()
            self.world.hang_up("signer")
            self.trouble(word, str(pin))
        self.write_pin(self.world.appliance_home, "pin-of-the-appliance")
        pin.chmod(0o600)
        os.chown(pin, SIGNER_UID, SIGNER_UID)
        # No PIN was refused, so it is looked for again without being told.
        self.works()


class Module(Case):
    def test_a_module_that_is_missing(self):
        missing = self.world.appliance_home / "vendor.so"
        self.world.setting("signer", "module", missing)
        self.world.start_listening()
        self.trouble("module_missing", str(missing), "No such file")
        self.assertIn("module_missing", self.world.log_of("signer"))
        # The package is installed: nobody has to be told.
        missing.symlink_to(MODULE)
        self.works()

    def test_what_is_no_module(self):
        text = self.world.appliance_home / "text.so"
        text.write_text("no shared object\n")
        text.chmod(0o755)
        for path, words in ((NOT_A_MODULE, ("C_GetFunctionList",)), (text, ("text.so",)), (self.world.appliance_home, ("directory",)),
                            (SPY, ("PIN",))):
            self.world.setting("signer", "module", path)
            self.world.start_listening()
            self.world.wait_until(lambda p=path: str(p) in self.world.signer()["detail"], "the module to be named")
            self.trouble("module_missing", str(path), *words)
            self.assertEqual(self.world.stop_process("signer"), 0)

    def test_a_module_path_is_absolute(self):
        self.world.setting("signer", "module", "libsofthsm2.so")
        self.world.start_listening()
        self.trouble("module_missing", "not an absolute path")


class Token(Case):
    def setUp(self):
        super().setUp()
        self.tokens = self.world.appliance_home / "tokens"
        self.elsewhere = self.world.appliance_home / "elsewhere"

    def test_a_token_that_is_missing_at_the_start(self):
        with Away(self.tokens, self.elsewhere):
            self.world.start_listening()
            self.trouble("token_missing", "countersign-1")
        self.works()

    def test_another_token_is_not_taken_for_it(self):
        with Away(self.tokens, self.elsewhere):
            other = self.world.people["ada"].home / "tokens"
            shutil.copytree(other, self.tokens, dirs_exist_ok=True)
            for path in self.tokens.rglob("*"):
                os.chown(path, SIGNER_UID, SIGNER_UID)
            self.world.start_listening()
            self.trouble("token_missing", "countersign-1")
            for path in self.tokens.iterdir():
                shutil.rmtree(path)
        self.works()

    def test_a_uri_of_no_token(self):
        for uri, code in (("pkcs11:token=nobody", "token_missing"), ("pkcs11:colour=red", "bad_pkcs11_uri"), ("token=countersign-1", "bad_pkcs11_uri")):
            self.world.setting("signer", "token", uri)
            self.world.start_listening()
            self.trouble(code)
            self.assertEqual(self.world.stop_process("signer"), 0)

    def test_a_label_of_no_key(self):
        for label, code in (("nothing", "token_key_missing"), ("checkpoint", "bad_key")):
            before = self.world.setting("signer", "seal_label", label)
            self.world.start_listening()
            self.trouble(code, label)
            self.assertEqual(self.world.stop_process("signer"), 0)
            self.world.setting("signer", "seal_label", before)
        self.world.start_signer()
        self.works()

    def removed(self, source, pattern="*", code="token_missing", *words):
        """Proposals before, during and after; the one that met the removal is sealed when the token is back."""
        self.world.start()
        self.assertEqual(self.propose()["state"], "sealed")
        waiting = self.propose("rollback")
        self.assertEqual(waiting["state"], "awaiting_approval")
        with Away(source, self.elsewhere, pattern):
            with self.assertRaises(VarlinkError) as caught:
                self.propose()
            self.assertEqual((caught.exception.name, caught.exception.code), ("SignerUnavailable", "signer_unavailable"))
            stored = caught.exception.parameters["path"]
            self.assertTrue(stored.startswith("kye:action:"), caught.exception)
            self.trouble(code, *words)
            action = self.world.call("Show", AGENT_UID, id=stored)["action"]
            self.assertEqual((action["state"], action["outcome"]), ("allowed", None))
            with self.assertRaises(VarlinkError) as caught:
                self.world.call("GetPack", AGENT_UID, id=stored)
            self.assertEqual(caught.exception.name, "WrongState")
        self.works()
        # It went on by itself, and only once.
        action = self.world.wait_final(stored)
        self.assertEqual((action["state"], action["outcome"]), ("sealed", "allow"))
        verdict = self.world.verify(self.world.pack(stored), "--trust", self.world.etc / "trust.json")
        self.assertEqual((verdict.status, verdict.json()["decision"]), (0, "allow"), verdict)
        self.assertEqual(self.world.status()["log"], {"size": self.world.health()["log"]["size"], "root": self.world.health()["log"]["root"]})
        # Who waited for people was not touched by any of this.
        forger = Forger(self.world)
        for name, role in (("ada", "engineer"), ("carl", "change_owner")):
            forger.decide(name, waiting["id"], *forger.signed(name, waiting["id"], role))
        self.assertEqual(self.world.wait_final(waiting["id"])["outcome"], "allow")

    def test_a_token_that_is_pulled_comes_back(self):
        self.removed(self.tokens, "*", "token_missing", "countersign-1")

    def test_a_module_that_loses_its_tokens_comes_back(self):
        self.removed(self.world.appliance_home, "tokens", "module_missing", "C_Initialize")

    def test_a_key_that_fails_to_sign_comes_back(self):
        """The session lives and the token answers, but C_Sign fails: after the leaf is in the log, where it waits for its signature."""
        self.removed(next(self.tokens.iterdir()), "????????-*.object", "token_key_missing", "'seal'")

    def test_it_comes_and_goes(self):
        self.world.start()
        for _ in range(3):
            with Away(self.tokens, self.elsewhere):
                with self.assertRaises(VarlinkError):
                    self.propose()
                self.world.trouble("token_missing")
            self.works()
        self.world.stop_process("daemon")
        self.assertEqual(self.world.stop_process("signer"), 0)

    def test_the_daemon_starts_while_the_token_is_away(self):
        self.world.start()
        stored = self.propose()["id"]
        pack = self.world.pack(stored)
        self.assertEqual(self.world.stop_process("daemon"), 0)
        with Away(self.tokens, self.elsewhere):
            self.world.start_listening()
            self.trouble("token_missing")
            # What was sealed can be read; whoever needs the engine's key is told that there is none.
            self.assertEqual(self.world.pack(stored), pack)
            self.refused("certificate", name="rollback")
        self.works()


def main():
    reason = need_root_and_softhsm()
    if reason:
        skip(f"token faults: {reason}")
    return run_cases()


if __name__ == "__main__":
    sys.exit(main())
