#!/usr/bin/python3
"""kill -9 of daemon and signer, again and again, while somebody uses the appliance: whatever was acknowledged stays, and both come back without help.

KILL_ROUNDS says how often (200), KILL_SEED which run of chances (printed). Needs root, exits 77 where it cannot run.
"""
import json
import os
import random
import shutil
import signal
import sys
import time
import unittest

from appliance import CommandFailed, address, need_root_and_softhsm, run_cases, skip
from fault_world import Store, scratch, sha256, tree_head, world
from kill_writer import Writer

ROUNDS = int(os.environ.get("KILL_ROUNDS", "200"))
SEED = int(os.environ.get("KILL_SEED", "20261120"))
VICTIMS = (("daemon",), ("signer",), ("daemon", "signer"), ("signer", "daemon"))
LONGEST_DELAY = 0.25
# The store as the crash left it is read every so many rounds.
LOOK_EVERY = 10
# How often the next kill comes while the parts are still finding each other.
HASTE = 0.3
READY_SECONDS = 20


class Killer:
    """A process that kills another one after a while, whatever this one is doing meanwhile."""

    def __init__(self, processes, delay, between):
        self.pid = os.fork()
        if self.pid == 0:
            for process in processes:
                time.sleep(delay)
                os.kill(process.pid, signal.SIGKILL)
                delay = between
            os._exit(0)

    def wait(self):
        _, status = os.waitpid(self.pid, 0)
        return status


class Kill(unittest.TestCase):
    def setUp(self):
        context = world("kill.")
        self.world = context.__enter__()
        self.addCleanup(context.__exit__, None, None, None)
        self.random = random.Random(SEED)
        self.world.start()
        self.world.keep_token()
        self.writer = Writer(self.world, self.random)
        self.addCleanup(self.writer.drop)
        self.addCleanup(lambda: print(f"last: {self.where}", flush=True))

    def test_whatever_was_acknowledged_stays(self):
        kills = {"daemon": 0, "signer": 0}
        for number in range(ROUNDS):
            self.where = f"round {number} of seed {SEED}"
            for name in self.kill():
                kills[name] += 1
            if number % LOOK_EVERY == 0:
                self.look_at_the_wreck()
            self.come_back(wait=number + 1 == ROUNDS or self.random.random() > HASTE)
        self.where = f"seed {SEED}, after the last round"
        print(f"{ROUNDS} rounds: {kills}, {len(self.writer.proposed)} actions, {len(self.writer.receipts)} decisions, "
              f"{self.writer.refusals} calls that were not taken", flush=True)
        self.settle()
        self.writer.see_everything()
        self.settle()
        self.check_log_at_rest()
        self.check_packs_offline()

    # ---- one round ----

    def kill(self):
        victims = self.random.choices(VICTIMS, (4, 6, 1, 1))[0]
        processes = [self.world.processes[name] for name in victims]
        killer = Killer(processes, self.random.uniform(0, LONGEST_DELAY), self.random.uniform(0, 0.05))
        while any(process.poll() is None for process in processes):
            if not self.writer.step():
                time.sleep(0.005)
        self.assertEqual(killer.wait(), 0)
        if "signer" in victims:
            self.world.mend_token()
        for name in victims:
            self.assertEqual(self.world.processes.pop(name).returncode, -signal.SIGKILL)
        # Nobody is told that something was done while a part is missing, unless it can do without that part.
        self.writer.step()
        return victims

    def come_back(self, wait):
        for name, start in (("signer", self.world.start_signer), ("daemon", self.world.start_daemon)):
            if name not in self.world.processes:
                start(wait=False)
        self.writer.drop()
        if not wait:
            return
        self.world.wait_for_socket(self.world.api, "daemon")
        self.world.ready(READY_SECONDS)
        self.writer.see_some(3)
        for name, process in self.world.processes.items():
            self.assertIsNone(process.poll(), name)

    def settle(self):
        """Everything that could be sealed is."""
        self.world.ready(READY_SECONDS)
        self.world.wait_until(lambda: self.world.status()["actions"]["unsealed"] == 0, "the last seals")

    # ---- the store ----

    def look_at_the_wreck(self):
        """A copy, because opening a database changes it."""
        copy = scratch("wreck.")
        try:
            for path in (self.world.var / "broker").iterdir():
                shutil.copy(path, copy)
            self.check_log(Store(copy / "countersign.db"))
        finally:
            shutil.rmtree(copy)

    def check_log(self, store):
        """Indexes without a gap, each leaf over exactly those before it, at most one decision about an action. Gives the leaf hashes."""
        leaves = store.leaves()
        hashes, subjects, decided = [], [], {}
        looked_at = {0, len(leaves) - 1, *self.random.sample(range(len(leaves)), min(5, len(leaves)))}
        for index, subject, statement, leaf in leaves:
            content = json.loads(statement)
            self.assertEqual((index, content["log"]["index"], content["log"]["after"]["size"]), (len(hashes),) * 3)
            self.assertEqual(content["subject"], subject)
            if index in looked_at:
                self.assertEqual(content["log"]["after"]["root"], "sha256:" + tree_head(hashes).hex())
            hashes.append(sha256(b"\0" + statement))
            subjects.append(subject)
            self.assertEqual(leaf, hashes[-1])
            if content["kind"] == "decision":
                self.assertNotIn(content["action"], decided)
                decided[content["action"]] = subject
        for decision, (action, index) in self.writer.receipts.items():
            self.assertEqual(subjects[index], decision, action)
        for action, view in self.writer.sealed.items():
            subject = address(json.loads(self.writer.packs[action]))
            self.assertEqual((subjects[view["log_index"]], decided[view["action"]]), (subject, subject), action)
        return hashes

    def check_log_at_rest(self):
        log, health = self.world.status()["log"], self.world.health()["log"]
        self.assertEqual(log, {"size": health["size"], "root": health["root"]})
        self.assertEqual(self.world.stop_process("daemon"), 0)
        hashes = self.check_log(Store(self.world.var / "broker" / "countersign.db"))
        self.assertEqual((len(hashes), "sha256:" + tree_head(hashes).hex()), (health["size"], health["root"]))
        self.assertEqual(self.world.stop_process("signer"), 0)

    def check_packs_offline(self):
        """Of each outcome a few, also some of before the first kill."""
        seen = sorted(self.writer.packs)
        for action in seen[:3] + self.random.sample(seen, min(20, len(seen))):
            outcome = self.writer.sealed[action]["outcome"]
            verdict = self.world.verify(self.writer.packs[action], "--trust", self.world.etc / "trust.json")
            self.assertEqual((verdict.status, verdict.json()["authentic"], verdict.json()["decision"]), (0, True, outcome), verdict)


def main():
    reason = need_root_and_softhsm()
    if reason:
        skip(f"kill: {reason}")
    print(f"KILL_SEED={SEED} KILL_ROUNDS={ROUNDS}", flush=True)
    return run_cases()


if __name__ == "__main__":
    sys.exit(main())
