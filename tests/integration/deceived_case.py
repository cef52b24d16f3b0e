"""What the cases of the deceived approver share: one appliance, one action that waits, its honest brief, and how a refusal must look."""
import json
import threading
import time
import types
import unittest

from appliance import AGENT_UID, Appliance, now
from deceiver import NO, PREFIX, Deceiver, FakeBroker, on_screen

ACTION_SHOWN = "THE COMMAND THAT WILL RUN"
SECONDS = 120


class DeceivedWorld(Appliance):
    """The fixture's world; its purpose grant allows more requests a minute than a test makes."""

    rate_cap = 1000000

    def appliance_keys(self, plan):
        """The document key is older than the others: a certificate of yesterday can be made with it."""
        super().appliance_keys(plan)
        document = json.loads(plan.read_text())
        for key in document["keys"]:
            if key["usage"] == "document":
                key["not_before"] = now(-30 * 86400)
        plan.write_text(json.dumps(document))

    @property
    def document_key(self):
        """The appliance's document key, for certificates that its signer never makes."""
        return types.SimpleNamespace(token=self.appliance_token, label="document", pin_file=self.appliance_home / "pin",
                                     environment=self.appliance_environment, kid="kye:key:acme.countersign-1.document.01")

    def config_of(self, name, **changes):
        """Path of the approver's settings, changed."""
        source = self.directory / "people" / name / "approver.json"
        if not changes:
            return source
        path = source.with_name("-".join(["changed", *changes]) + ".json")
        # Several commands may run at once: the file is there whole or not at all.
        written = path.with_suffix(f".{threading.get_ident()}")
        written.write_text(json.dumps({**json.loads(source.read_text()), **changes}))
        written.chmod(0o644)
        written.replace(path)
        return path


class DeceivedCase(unittest.TestCase):
    world = deceiver = None

    @classmethod
    def begin(cls, world):
        """The action is proposed a second after the broker's session key was certified: briefs are issued at whole seconds."""
        DeceivedCase.world, DeceivedCase.deceiver = world, Deceiver(world)
        time.sleep(1.1)
        DeceivedCase.action = world.propose().json()["id"]
        DeceivedCase.shown, DeceivedCase.opened = cls.honest(cls.action)

    @classmethod
    def honest(cls, action, name="ada", role="engineer"):
        """What the daemon says about an action: its Show and its OpenBrief."""
        uid = cls.world.people[name].uid
        return cls.world.call("Show", uid, id=action), cls.world.call("OpenBrief", uid, id=action, role=role)

    def propose(self, change=None, name="rollback"):
        proposal = self.world.call("Propose", AGENT_UID, request=self.world.request(name, change))
        self.assertEqual(proposal["state"], "awaiting_approval", proposal)
        return proposal["id"]

    # ---- asking ----

    def command(self, broker, action=None, name="ada", config=None, verb="approve", arguments=(), script=(), timeout=SECONDS):
        person = self.world.people[name]
        path = broker.path if isinstance(broker, FakeBroker) else broker
        line = [self.world.binaries / "countersign", "--socket", path, verb, action or self.action, "--config", config or self.world.config_of(name), *arguments]
        return on_screen([str(part) for part in line], person.uid, person.environment, script, timeout)

    def broker(self, opened=None, shown=None, **answers):
        """A broker that shows and opens these documents, or answers whatever else is given."""
        given = {"Show": lambda _: self.shown if shown is None else shown, "OpenBrief": lambda _: self.opened if opened is None else opened,
                 "Decide": lambda _: {"error": PREFIX + "Refused", "parameters": {"code": "approval_slot", "path": "", "detail": "never mind"}}}
        broker = FakeBroker(**{**given, **answers})
        self.addCleanup(broker.close)
        return broker

    # ---- refusals ----

    def refused(self, code, opened=None, path=None, shown=None, status=1, name="ada", **answers):
        """
        The command ends with this error and has asked nothing: no question and no PIN appeared, no decision was sent, no page of a lie was shown. The
        settings name no module at all, so that a command which reaches for the token would say something else.
        """
        broker = self.broker(opened, shown, **answers)
        screen = self.command(broker, name=name, config=self.world.config_of(name, module="/nonexistent.so"))
        self.assert_refused(screen, code, status, path)
        self.assertNotIn("Decide", broker.methods)
        broker.close()
        return screen

    def assert_refused(self, screen, code, status=1, path=None):
        self.assertEqual((screen.status, screen.code), (status, code), screen)
        self.assertEqual(screen.lines[-2:], [screen.error, ""], screen)
        if path is not None:
            self.assertIn(f" at {path}: ", screen.error)
        for word in ("Sign?", "PIN of", ACTION_SHOWN):
            self.assertNotIn(word, screen.text)
        self.assert_harmless(screen)

    def assert_harmless(self, screen):
        """Nothing that the terminal would obey, and no carriage return but at the end of a line."""
        self.assertEqual(screen.unsafe(), [], screen)
        self.assertEqual(screen.raw.count(b"\r"), screen.raw.count(b"\r\n"))

    # ---- what passes ----

    def asked(self, opened=None, shown=None, script=(), arguments=(), action=None, **answers):
        """The command shows the page and asks; what it says to a no."""
        broker = self.broker(opened, shown, **answers)
        screen = self.command(broker, action=action, script=script or [NO], arguments=arguments)
        broker.close()
        self.assertIn(ACTION_SHOWN, screen.text, screen)
        self.assertIn("Sign?", screen.text)
        self.assert_harmless(screen)
        screen.broker = broker
        return screen
