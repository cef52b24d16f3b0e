#!/usr/bin/python3
"""Many proposals through one appliance: neither daemon nor signer grows with them, and no descriptor stays open.

MEMORY_PROPOSALS says how many after the warm-up (20000). Needs root, exits 77 where it cannot run.
"""
import copy
import os
import pathlib
import random
import select
import sys
import time
import unittest

from appliance import AGENT_UID, Connection, VarlinkError, need_root_and_softhsm, run_cases, skip
from fault_world import world

PROPOSALS = int(os.environ.get("MEMORY_PROPOSALS", "20000"))
WARM_UP = 2000
CONNECTIONS = 8
# Calls that one connection has sent and not seen answered; the daemon takes them one by one.
PIPELINED = 4
# Growth that is not a leak: caches that fill slowly (SQLite's is 2 MiB), and how malloc happens to lie after other orders of calls.
BOUND_KIB = 2 * 1024
# The signer remembers each action that was decided until no approval of it can count any more: its address, a time and their places in a table.
CONSUMED_KIB = 0.4


def resident_kib(process):
    for line in pathlib.Path(f"/proc/{process.pid}/status").read_text().splitlines():
        if line.startswith("VmRSS:"):
            return int(line.split()[1])
    raise LookupError("no VmRSS")


def descriptors(process):
    return len(os.listdir(f"/proc/{process.pid}/fd"))


class Memory(unittest.TestCase):
    def setUp(self):
        context = world("memory.")
        self.world = context.__enter__()
        self.addCleanup(context.__exit__, None, None, None)
        self.world.start()
        self.templates = {"restart": self.world.request("restart"), "denied": self.world.denied()}
        self.number = 0
        self.connections = [Connection(self.world.api, AGENT_UID) for _ in range(CONNECTIONS)]
        # Whoever looked whether the daemon is there is gone.
        for connection in self.connections:
            connection.call("Status")
        self.addCleanup(self.hang_up)

    def hang_up(self):
        for connection in self.connections:
            connection.socket.close()

    def next_request(self, random_):
        """No two are equal."""
        self.number += 1
        request = copy.copy(self.templates["denied" if random_.random() < 0.5 else "restart"])
        request["provenance"] = {**request["provenance"], "incident_ticket": f"INC-{self.number}"}
        return request

    def propose_many(self, count):
        """Answers by state."""
        random_ = random.Random(self.number)
        waiting = {connection.socket.fileno(): [connection, 0] for connection in self.connections}
        sent, states = 0, {}
        while sent < count or any(open_ for _, open_ in waiting.values()):
            for entry in waiting.values():
                while sent < count and entry[1] < PIPELINED:
                    entry[0].send("Propose", request=self.next_request(random_))
                    entry[1] += 1
                    sent += 1
            readable, _, _ = select.select([number for number, (_, open_) in waiting.items() if open_], [], [], 60)
            self.assertTrue(readable, "no answer for a minute")
            for number in readable:
                entry = waiting[number]
                state = entry[0].receive()["state"]
                states[state] = states.get(state, 0) + 1
                entry[1] -= 1
                while b"\0" in entry[0].buffer:
                    state = entry[0].receive()["state"]
                    states[state] = states.get(state, 0) + 1
                    entry[1] -= 1
        return states

    def measure(self):
        return {name: (resident_kib(process), descriptors(process)) for name, process in self.world.processes.items()}

    def test_nothing_grows(self):
        self.propose_many(WARM_UP)
        before, size, consumed = self.measure(), self.world.status()["log"]["size"], self.world.health()["consumed"]
        started = time.monotonic()
        states = self.propose_many(PROPOSALS)
        took = time.monotonic() - started
        after = self.measure()
        consumed = self.world.health()["consumed"] - consumed
        print(f"{PROPOSALS} proposals in {took:.0f} s, {PROPOSALS / took:.0f} a second: {states}; before {before}, after {after}", flush=True)
        self.assertEqual(sum(states.values()), PROPOSALS)
        self.assertEqual(set(states), {"sealed", "denied"})
        self.assertEqual(self.world.status()["log"]["size"], size + PROPOSALS)
        self.assertLessEqual(consumed, PROPOSALS)
        for name, bound in (("daemon", BOUND_KIB), ("signer", BOUND_KIB + consumed * CONSUMED_KIB)):
            with self.subTest(part=name):
                self.assertLess(after[name][0] - before[name][0], bound)
                self.assertEqual(after[name][1], before[name][1])

    def test_connections_leave_nothing_behind(self):
        """Come, ask something, go, also in the middle of a message; and calls that are refused."""
        def visit(count):
            for number in range(count):
                with Connection(self.world.api, AGENT_UID) as connection:
                    if number % 3 == 0:
                        connection.call("Status")
                    elif number % 3 == 1:
                        connection.socket.sendall(b'{"method":"io.countersign.Appliance.Propose","parameters":{"request":' + b"[" * 40)
                    else:
                        with self.assertRaises(VarlinkError):
                            connection.call("Propose", request={"schema": "x" * 100000})
        def when_all_are_gone():
            self.world.wait_until(lambda: descriptors(self.world.processes["daemon"]) == idle, "the last visitor to be gone")
            return self.measure()

        idle = descriptors(self.world.processes["daemon"])
        visit(500)
        before = when_all_are_gone()
        visit(5000)
        after = when_all_are_gone()
        for name in before:
            with self.subTest(part=name):
                self.assertLess(after[name][0] - before[name][0], BOUND_KIB)
                self.assertEqual(after[name][1], before[name][1])


def main():
    reason = need_root_and_softhsm()
    if reason:
        skip(f"memory: {reason}")
    return run_cases()


if __name__ == "__main__":
    sys.exit(main())
