#!/usr/bin/python3
"""Crowds, floods and hogs at the appliance's sockets, and how the service manager starts and stops it.

What a single connection may send, and who may call what, is in test_daemon_protocol.py. Needs root, exits 77 where it cannot run.
"""
import os
import pathlib
import resource
import signal
import socket
import subprocess
import sys
import time
import unittest

from appliance import (AGENT, AGENT_UID, BROKER_UID, OPERATOR_UID, OTHER_AGENT_UID, SIGNER_UID, Connection, VarlinkError, need_root_and_softhsm, skip,
                       softhsm_environment)
from fault_world import world

CLIENTS_MAX = 1024
CROWD_UIDS = range(64901, 64906)    # nobody's; five, because one user may have a quarter of the connections
GET_INFO = b'{"method":"org.varlink.service.GetInfo"}\0'
WAITERS = 100


def is_closed(connection, seconds=5):
    """Whether the daemon has hung up."""
    connection.socket.settimeout(seconds)
    try:
        return connection.socket.recv(1) == b""
    except (ConnectionResetError, BrokenPipeError):
        return True
    except TimeoutError:
        return False


def cpu_seconds(process):
    fields = pathlib.Path(f"/proc/{process.pid}/stat").read_text().rsplit(")", 1)[1].split()
    return (int(fields[11]) + int(fields[12])) / os.sysconf("SC_CLK_TCK")


def resident_mib(process):
    status = pathlib.Path(f"/proc/{process.pid}/status").read_text()
    return int(status.split("VmRSS:")[1].split()[0]) // 1024


class Case(unittest.TestCase):
    limits = {}

    @classmethod
    def setUpClass(cls):
        context = world("limits.")
        cls.world = context.__enter__()
        cls.addClassCleanup(context.__exit__, None, None, None)
        for name, value in cls.limits.items():
            cls.world.setting("countersign", name, value)
        cls.begin()

    @classmethod
    def begin(cls):
        cls.world.start()

    def setUp(self):
        self.open = []
        self.addCleanup(self.leave)

    def leave(self):
        for connection in self.open:
            connection.socket.close()
        self.open.clear()

    def come(self, user):
        self.open.append(Connection(self.world.api, user))
        return self.open[-1]

    def serves(self, seconds=2):
        """Somebody who behaves is answered, and soon."""
        before = time.monotonic()
        self.assertEqual(self.world.call("Propose", AGENT_UID, request=self.world.request("restart"))["state"], "sealed")
        self.assertLess(time.monotonic() - before, seconds)

    def refused(self, name, code, method, user=AGENT_UID, **parameters):
        with self.assertRaises(VarlinkError) as caught:
            self.world.call(method, user, **parameters)
        self.assertEqual((caught.exception.name, caught.exception.code), (name, code))
        return caught.exception


class Crowd(Case):
    @classmethod
    def begin(cls):
        hard = resource.getrlimit(resource.RLIMIT_NOFILE)[1]
        if hard < 2 * CLIENTS_MAX:
            raise unittest.SkipTest(f"only {hard} open files are allowed here")
        resource.setrlimit(resource.RLIMIT_NOFILE, (hard, hard))
        super().begin()

    def test_only_so_many_clients(self):
        """The last one that fits is served, the next is turned away, and a place that is left is given again."""
        regular = self.come(AGENT_UID)
        regular.call("Status")
        for number in range(CLIENTS_MAX - 1):
            self.come(CROWD_UIDS[number % len(CROWD_UIDS)])
        self.assertEqual(self.open[-1].call("org.varlink.service.GetInfo")["product"], "countersignd")
        self.assertEqual(regular.call("Status")["clients"], CLIENTS_MAX)
        self.assertTrue(is_closed(self.come(OPERATOR_UID)))
        request = self.world.request("restart")
        self.assertEqual(regular.call("Propose", request=request)["state"], "sealed")
        for connection in self.open[1:CLIENTS_MAX]:
            self.assertEqual(connection.call("org.varlink.service.GetInfo")["product"], "countersignd")
        self.open.pop(500).socket.close()
        self.world.wait_until(lambda: self.world.status()["clients"] == CLIENTS_MAX, "the place that was left")
        self.leave()
        self.serves()

    def test_a_crowd_in_the_middle_of_messages(self):
        """Four users with all that one may have, each message nearly as large as it may be and never finished."""
        before, closed = resident_mib(self.world.processes["daemon"]), 0
        for user in CROWD_UIDS[:4]:
            for _ in range(CLIENTS_MAX // 4):
                connection = self.come(user)
                connection.socket.setblocking(False)
                try:
                    connection.socket.send(b'{"method":"' + b"x" * 900000)
                except BlockingIOError:
                    pass
        deadline = time.monotonic() + 6
        while time.monotonic() < deadline:
            for connection in self.open:
                try:
                    connection.socket.send(b"x" * 200000)
                except (BlockingIOError, BrokenPipeError, ConnectionResetError):
                    pass
        # Who says little is heard all the same.
        for _ in range(3):
            self.serves(4)
        grown = resident_mib(self.world.processes["daemon"]) - before
        # AddressSanitizer keeps what was freed for a while.
        self.assertLess(grown, 192 + (256 if "ASAN_OPTIONS" in os.environ else 0))
        # Everybody is told and hung up on; who comes then is served.
        for connection in self.open:
            closed += self.drained(connection)
        self.assertEqual(closed, len(self.open))
        self.leave()
        self.serves()

    def drained(self, connection):
        connection.socket.settimeout(20)
        try:
            while connection.socket.recv(65536):
                pass
        except (ConnectionResetError, BrokenPipeError):
            pass
        except TimeoutError:
            return False
        return True

    def test_one_who_floods_does_not_keep_others_waiting(self):
        for _ in range(100):
            self.serves(10)
        # Each of these makes a page of a hundred and more.
        flood = b'{"method":"io.countersign.Appliance.List","parameters":{"limit":500}}\0' * 1000
        for _ in range(40):
            connection = self.come(OPERATOR_UID)
            connection.socket.setblocking(False)
            try:
                connection.socket.send(flood)
            except BlockingIOError:
                pass
        for _ in range(10):
            self.serves(1.5)

    def test_who_waits_is_told(self):
        action = self.world.call("Propose", AGENT_UID, request=self.world.request("rollback"))["id"]
        for _ in range(WAITERS):
            connection = self.come(AGENT_UID)
            connection.send("Wait", more=True, id=action)
            self.assertEqual(connection.receive()["action"]["state"], "awaiting_approval")
        self.world.call("Withdraw", AGENT_UID, id=action)
        for connection in self.open:
            states = []
            while not states or states[-1] == "awaiting_approval":
                states.append(connection.receive()["action"]["state"])
            self.assertEqual(states[-1], "withdrawn")


class FewFiles(Case):
    """A daemon that may open fewer files than there are clients."""

    FILES = 96

    @classmethod
    def begin(cls):
        cls.world.start_signer()
        cls.world.spawn("daemon", BROKER_UID, softhsm_environment(cls.world.directory), "/usr/bin/prlimit", f"--nofile={cls.FILES}",
                        cls.world.binaries / "countersignd", "--settings", cls.world.etc / "countersign.conf")
        cls.world.wait_for_socket(cls.world.api, "daemon")
        cls.world.ready()

    def test_no_file_is_left_for_a_client(self):
        daemon = self.world.processes["daemon"]
        regular = self.come(AGENT_UID)
        regular.call("Status")
        for _ in range(self.FILES + 30):
            self.come(CROWD_UIDS[0])
        time.sleep(0.3)
        before, lines = cpu_seconds(daemon), self.world.log_of("daemon").count("\n")
        time.sleep(3)
        # It neither spins nor fills its log, and goes on for whom it has.
        self.assertLess(cpu_seconds(daemon) - before, 0.5)
        self.assertLess(self.world.log_of("daemon").count("\n") - lines, 5)
        self.assertIn("accept", self.world.log_of("daemon"))
        self.assertEqual(regular.call("Propose", request=self.world.request("restart"))["state"], "sealed")
        for connection in self.open[1:]:
            connection.socket.close()
        self.world.wait_until(lambda: self.world.status()["clients"] == 2, "the crowd to be gone")
        self.serves()


class Caps(Case):
    """Few calls per minute, few open actions."""

    limits = {"open_actions_per_caller": 3, "requests_per_minute": 120}

    def test_open_actions_are_counted_per_caller_and_given_back(self):
        waiting = [self.world.call("Propose", AGENT_UID, request=self.world.request("rollback"))["id"] for _ in range(3)]
        self.refused("Busy", "busy", "Propose", request=self.world.request("rollback"))
        # What is decided at once would be open for a moment only, but there is no room for a moment.
        self.refused("Busy", "busy", "Propose", request=self.world.request("restart"))
        self.assertEqual(self.world.call("Propose", OTHER_AGENT_UID, request=self.world.request("restart"))["state"], "denied")
        self.world.call("Withdraw", AGENT_UID, id=waiting.pop())
        self.serves()
        for action in waiting:
            self.world.call("Withdraw", AGENT_UID, id=action)

    def test_calls_are_counted_per_user_and_allowed_again(self):
        connection = self.come(OTHER_AGENT_UID)
        with self.assertRaises(VarlinkError) as caught:
            for _ in range(130):
                connection.call("Status")
        self.assertEqual((caught.exception.name, caught.exception.code), ("Busy", "busy"))
        self.refused("Busy", "busy", "Status", OTHER_AGENT_UID)
        self.world.call("Status", OPERATOR_UID)
        # Two a second come back.
        time.sleep(1.2)
        connection.call("Status")
        # Being refused does not end the connection, and who may do nothing is not counted as busy.
        self.refused("PermissionDenied", "permission_denied", "Status", CROWD_UIDS[0])


class Keys(Case):
    def test_an_idempotency_key_is_a_callers_own(self):
        """The same key of two callers is two actions; neither learns of the other's."""
        request = self.world.request("restart")
        one = self.world.call("Propose", AGENT_UID, request=request, idempotency_key="the-key")
        self.assertEqual(self.world.call("Propose", AGENT_UID, request=request, idempotency_key="the-key")["id"], one["id"])
        other = self.world.call("Propose", OTHER_AGENT_UID, request=request, idempotency_key="the-key")
        self.assertNotEqual(other["id"], one["id"])
        self.assertEqual(other["state"], "denied")
        self.refused("NotFound", "not_found", "Show", OTHER_AGENT_UID, id=one["id"])
        error = self.refused("IdempotencyConflict", "idempotency_conflict", "Propose", OTHER_AGENT_UID, request=self.world.request("rollback"),
                             idempotency_key="the-key")
        self.assertEqual(error.parameters["path"], "idempotency_key")
        self.assertNotIn(one["id"], str(error))

    def test_keys_that_are_none(self):
        request = self.world.request("restart")
        for key, code in (("", "document_invalid"), ("k" * 129, "document_invalid"), ("a\u202eb", "forbidden_character"),
                          ("a\nb", "forbidden_character"), ("a\0b", "forbidden_character")):
            with self.subTest(key=key[:8]):
                error = self.refused("InvalidDocument", code, "Propose", request=request, idempotency_key=key)
                self.assertEqual(error.parameters["path"], "idempotency_key")
        self.assertEqual(self.world.call("Propose", AGENT_UID, request=request, idempotency_key="k" * 128)["state"], "sealed")

    def test_a_uid_has_no_roles_that_exclude_each_other(self):
        path = self.world.etc / "countersign.conf"
        text = path.read_text()
        ada = self.world.people["ada"].uid
        for lines, word in ((f"{AGENT_UID} = approver\n", "given twice"), (f"@{ada} = caller {AGENT}\n", "exclude each other"),
                            (f"@{ada} = operator\n", "exclude each other")):
            wrong = self.world.etc / "wrong.conf"
            wrong.write_text(text.replace("/broker", "/nothing").replace("[roles]\n", f"[roles]\n{lines}"))
            result = self.world.command("countersignd", "--settings", wrong, user=BROKER_UID, timeout=20)
            if word == "given twice":
                self.assertEqual((result.status, "bad_setting" in result.error, word in result.error), (2, True, True), result)
                continue
            # Whose groups are not in the user database is judged when they connect.
            with self.subTest(lines=lines):
                self.assertEqual(self.with_settings(path, text.replace("[roles]\n", f"[roles]\n{lines}"), ada), "PermissionDenied")
        self.with_settings(path, text, ada)

    def with_settings(self, path, text, user):
        path.write_text(text)
        self.world.stop_process("daemon")
        self.world.start_daemon()
        try:
            self.world.call("List", user)
        except VarlinkError as error:
            return error.name
        return ""


class Notified:
    """The service manager's side of NOTIFY_SOCKET."""

    def __init__(self, path):
        self.socket = socket.socket(socket.AF_UNIX, socket.SOCK_DGRAM)
        self.socket.bind(str(path))
        os.chmod(path, 0o777)
        self.name = str(path)
        self.said = []

    def lines(self):
        self.socket.setblocking(False)
        try:
            while True:
                self.said += self.socket.recv(65536).decode().splitlines()
        except BlockingIOError:
            return self.said

    def wait_for(self, line, seconds=15):
        deadline = time.monotonic() + seconds
        while line not in self.lines():
            if time.monotonic() > deadline:
                raise TimeoutError(f"no {line} among {self.said}")
            time.sleep(0.02)


class Managed(Case):
    """Started as systemd does it: with a listening socket, with somebody to tell, and stopped by SIGTERM."""

    @classmethod
    def begin(cls):
        pass

    def setUp(self):
        super().setUp()
        self.addCleanup(self.world.stop)
        self.addCleanup(self.forget_sockets)

    def forget_sockets(self):
        for path in (self.world.api, self.world.signer_socket):
            path.unlink(missing_ok=True)

    def listener(self, path):
        listening = socket.socket(socket.AF_UNIX)
        self.addCleanup(listening.close)
        listening.bind(str(path))
        os.chmod(path, 0o666)
        listening.listen(64)
        return listening

    def run_managed(self, name, listening=None, count=1, **environment):
        """The shell gives the program its own process id, as LISTEN_PID must be."""
        program, user, config, base = {
            "signer": ("countersign-signer", SIGNER_UID, "signer.conf", self.world.appliance_environment),
            "daemon": ("countersignd", BROKER_UID, "countersign.conf", softhsm_environment(self.world.directory))}[name]
        command = [str(self.world.binaries / program), "--settings", str(self.world.etc / config)]
        passed = {}
        if listening is not None:
            command = ["/bin/sh", "-c", 'LISTEN_PID=$$ exec "$@"', "sh", *command]
            environment["LISTEN_FDS"] = str(count)
            # Both descriptors that may be asked for, in the places where they must be.
            number = listening.fileno()
            passed = {"pass_fds": (3, 4), "preexec_fn": lambda: (os.dup2(number, 3), os.dup2(number, 4))}
        log = open(self.world.directory / f"{name}.log", "ab")
        self.world.processes[name] = subprocess.Popen(command, env={**base, **environment}, stdin=subprocess.DEVNULL, stdout=log, stderr=log, user=user,
                                                      group=user, extra_groups=[], start_new_session=True, **passed)
        log.close()

    def test_both_are_activated_and_say_when_they_are_ready(self):
        signer_manager = Notified(self.world.directory / "signer-notify")
        daemon_manager = Notified(self.world.directory / "daemon-notify")
        self.run_managed("signer", self.listener(self.world.signer_socket), NOTIFY_SOCKET=signer_manager.name)
        signer_manager.wait_for("READY=1")
        # A caller that came before the daemon did is served when it is there.
        listening = self.listener(self.world.api)
        early = self.come(AGENT_UID)
        early.send("Propose", request=self.world.request("restart"))
        self.run_managed("daemon", listening, NOTIFY_SOCKET=daemon_manager.name, WATCHDOG_USEC="600000")
        daemon_manager.wait_for("READY=1")
        try:
            self.assertEqual(early.receive()["state"], "sealed")
        except VarlinkError as error:
            # It came before the signer did.
            self.assertEqual(error.name, "SignerUnavailable")
        self.serves()
        daemon_manager.wait_for("WATCHDOG=1")
        for name, manager in (("daemon", daemon_manager), ("signer", signer_manager)):
            self.assertEqual(self.world.stop_process(name), 0, self.world.log_of(name)[-2000:])
            self.assertEqual(manager.lines().count("READY=1"), 1)
        daemon_manager.wait_for("STOPPING=1")
        signer_manager.wait_for("STOPPING=1")
        # The sockets are the manager's: they are still there.
        self.assertTrue(self.world.api.is_socket() and self.world.signer_socket.is_socket())

    def test_a_daemon_without_its_signer_is_ready_and_says_what_is_missing(self):
        manager = Notified(self.world.directory / "late-notify")
        self.run_managed("daemon", NOTIFY_SOCKET=manager.name)
        self.world.wait_for_socket(self.world.api, "daemon")
        manager.wait_for("READY=1")
        self.assertFalse(self.world.signer()["ready"])
        self.world.start_signer()
        self.world.ready()
        self.serves()

    def test_a_signer_is_ready_without_its_token(self):
        tokens = self.world.appliance_home / "tokens"
        manager = Notified(self.world.directory / "signer-alone-notify")
        tokens.rename(tokens.with_name("away"))
        try:
            self.run_managed("signer", NOTIFY_SOCKET=manager.name)
            manager.wait_for("READY=1")
            self.assertEqual(self.world.health()["state"], "token_unavailable")
        finally:
            tokens.with_name("away").rename(tokens)
        self.assertEqual(self.world.health()["state"], "ready")

    def test_sockets_that_are_not_right_are_refused(self):
        datagrams = socket.socket(socket.AF_UNIX, socket.SOCK_DGRAM)
        self.addCleanup(datagrams.close)
        not_listening = socket.socket(socket.AF_UNIX)
        self.addCleanup(not_listening.close)
        self.world.start_signer()
        for name in ("daemon", "signer"):
            if name == "signer":
                self.world.stop_process("signer")
            for passed, count in ((datagrams, 1), (not_listening, 1), (self.listener(self.world.run / f"{name}.two"), 2)):
                with self.subTest(part=name, count=count):
                    self.run_managed(name, passed, count)
                    status = self.world.processes.pop(name).wait(timeout=20)
                    self.assertNotIn(status, (0, -signal.SIGSEGV, -signal.SIGABRT))
                    self.assertIn("LISTEN_FDS", self.world.log_of(name).splitlines()[-1])

    def test_sigterm_ends_both_with_calls_open(self):
        self.world.start()
        action = self.world.call("Propose", AGENT_UID, request=self.world.request("rollback"))["id"]
        waiting = self.come(AGENT_UID)
        waiting.send("Wait", more=True, id=action)
        waiting.receive()
        half = self.come(AGENT_UID)
        half.socket.sendall(b'{"method":')
        before = time.monotonic()
        self.assertEqual(self.world.stop_process("daemon"), 0)
        self.assertEqual(self.world.stop_process("signer"), 0)
        self.assertLess(time.monotonic() - before, 5)
        self.assertTrue(is_closed(waiting))
        # And SIGINT, from a terminal.
        self.world.start()
        self.assertEqual(self.world.call("Show", AGENT_UID, id=action)["action"]["state"], "awaiting_approval")
        self.assertEqual(self.world.stop_process("daemon", signal.SIGINT), 0)
        self.assertEqual(self.world.stop_process("signer", signal.SIGINT), 0)


def main():
    reason = need_root_and_softhsm()
    if reason:
        skip(f"limits: {reason}")
    result = unittest.main(verbosity=2, exit=False).result
    return 0 if result.wasSuccessful() and result.testsRun else 1


if __name__ == "__main__":
    sys.exit(main())
