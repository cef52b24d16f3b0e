"""What the cases of the broken broker share: one world, one signer, one broker, and the check that the log never holds a leaf too many."""
import unittest

from appliance import address
from broker import Broker
from signer_client import JWS, TLOG


class BrokenCase(unittest.TestCase):
    world = None
    broker = None

    @classmethod
    def begin(cls, world):
        BrokenCase.world = world
        BrokenCase.broker = Broker(world)

    @classmethod
    def end(cls):
        BrokenCase.broker.close()
        BrokenCase.world.stop()

    def setUp(self):
        self.broker.connect()

    def tearDown(self):
        """After whatever was tried the signer serves, and its log has grown by exactly what it signed honestly."""
        self.broker.connect()
        log = self.broker.client.health()["log"]
        self.assertEqual(log["size"], self.broker.log.size)
        self.assertEqual(log["root"], "sha256:" + self.broker.log.root.hex())

    # ---- one statement that must be refused ----

    def refuse(self, code, statement, core=None, approvals=(), form=JWS, path=None, **evidence):
        with self.broker.refused(self, code, path):
            self.broker.append(statement, core, approvals, form, **evidence)

    def refuse_allow(self, code, core, approvals, path=None, **members):
        """An allow over these approvals, everything about it honest but for `members`."""
        self.refuse(code, self.broker.statement(core, approvals, **members), core, approvals, path=path)

    def sign(self, statement, core=None, approvals=(), form=JWS, **evidence):
        return self.broker.append(statement, core, approvals, form, **evidence)

    def other_address(self):
        return "sha256:" + "7" * 64


def person_id(name):
    return f"kye:person:acme.{name}"


__all__ = ["BrokenCase", "JWS", "TLOG", "address", "person_id"]
