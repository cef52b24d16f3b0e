"""What the cases of failing tokens share: an appliance of each case's own, and how its trouble shows."""
import unittest

from appliance import AGENT_UID, VarlinkError
from fault_world import world

WRONG = "not-the-pin"
NOT_A_MODULE = "/lib/x86_64-linux-gnu/libm.so.6"


class Case(unittest.TestCase):
    """Each case breaks an appliance of its own."""

    def setUp(self):
        context = world("token-faults.")
        self.world = context.__enter__()
        self.addCleanup(context.__exit__, None, None, None)

    def write_pin(self, home, pin):
        (home / "pin").write_text(pin + "\n")

    def propose(self, name="restart", user=AGENT_UID):
        return self.world.call("Propose", user, request=self.world.request(name))

    def refused(self, *words, name="restart"):
        """A proposal is answered with what is wrong, and nothing of it is kept."""
        before = self.world.status()
        with self.assertRaises(VarlinkError) as caught:
            self.propose(name)
        error = caught.exception
        self.assertEqual((error.name, error.code, error.parameters["path"]), ("SignerUnavailable", "signer_unavailable", ""))
        for word in words:
            self.assertIn(word, error.parameters["detail"])
        after = self.world.status()
        self.assertEqual((after["actions"], after["log"]), (before["actions"], before["log"]))

    def works(self):
        """Without a restart of either process."""
        processes = dict(self.world.processes)
        self.world.ready()
        proposal = self.propose()
        self.assertEqual((proposal["state"], proposal["decision"]["outcome"]), ("sealed", "allow"))
        for name, process in processes.items():
            self.assertIsNone(process.poll(), name)
        return proposal

    def trouble(self, code, *words):
        """The first refusal may say less than the status that is asked for after it."""
        self.world.trouble(code)
        self.world.wait_until(lambda: all(word in self.world.signer()["detail"] for word in words), f"the status to say {words}")
        self.refused(code)
        return self.world.signer()


class Away:
    """Takes what is in one directory away for a while, as a hand takes a token."""

    def __init__(self, source, target, pattern="*"):
        self.source, self.target, self.pattern = source, target, pattern

    def __enter__(self):
        self.target.mkdir(exist_ok=True)
        self.moved = [(path, self.target / path.name) for path in self.source.glob(self.pattern)]
        for path, target in self.moved:
            path.rename(target)
        return self

    def __exit__(self, *_):
        for path, target in self.moved:
            target.rename(path)
