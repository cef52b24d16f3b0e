#!/usr/bin/python3
"""The Varlink socket against whatever a peer may send, and who may call what.

One appliance on throwaway tokens serves all cases. Needs root, exits 77 where it cannot run.
"""
import json
import os
import re
import shutil
import signal
import socket
import sys
import tempfile
import time
import unittest

from appliance import (AGENT_UID, BROKER_UID, OPERATOR_UID, OTHER_AGENT_UID, STRANGER_UID, Appliance, Connection, VarlinkError, need_root_and_softhsm,
                       run_cases, skip, softhsm_environment)

AUDITOR_UID, GROUP_AUDITOR_UID, GROUP_UID = 64811, 64812, 64813
INTERFACE = "io.countersign.Appliance"
UNKNOWN = "kye:action:01KAGJ7XQ2D3E4F5G6H7J8K9M0"


class ProtocolAppliance(Appliance):
    def role_lines(self):
        return super().role_lines() + [f"{AUDITOR_UID} = auditor", f"@{GROUP_UID} = auditor"]


class Case(unittest.TestCase):
    appliance = None

    def connect(self, user=OPERATOR_UID):
        connection = Connection(self.appliance.api, user)
        self.addCleanup(connection.socket.close)
        return connection

    def refused(self, name, code, method, user=OPERATOR_UID, **parameters):
        with self.assertRaises(VarlinkError) as caught:
            self.connect(user).call(method, **parameters)
        self.assertEqual((caught.exception.name, caught.exception.code), (name, code))
        return caught.exception

    def ends(self, connection):
        """The daemon has closed the connection."""
        try:
            return connection.socket.recv(1) == b""
        except ConnectionResetError:
            return True


class Framing(Case):
    def test_several_calls_in_one_write_are_answered_in_order(self):
        connection = self.connect()
        calls = [{"method": f"{INTERFACE}.Status"}, {"method": "org.varlink.service.GetInfo"}, {"method": f"{INTERFACE}.Nothing"}] * 30
        connection.socket.sendall(b"".join(json.dumps(call).encode() + b"\0" for call in calls))
        for _ in range(30):
            self.assertIn("trust_set", connection.receive())
            self.assertEqual(connection.receive()["product"], "countersignd")
            with self.assertRaises(VarlinkError) as caught:
                connection.receive()
            self.assertEqual(caught.exception.name, "MethodNotFound")

    def test_a_call_byte_by_byte(self):
        connection = self.connect()
        for byte in json.dumps({"method": f"{INTERFACE}.Status", "parameters": {}}).encode() + b"\0":
            connection.socket.sendall(bytes([byte]))
        self.assertEqual(connection.receive()["clients"] > 0, True)

    def test_calls_before_a_half_close_are_answered(self):
        connection = self.connect()
        connection.socket.sendall(b'{"method":"org.varlink.service.GetInfo"}\0' * 40)
        connection.socket.shutdown(socket.SHUT_WR)
        for _ in range(40):
            connection.receive()
        self.assertTrue(self.ends(connection))

    def test_garbage_is_answered_and_ends_the_connection(self):
        for data, code in ((b"GET / HTTP/1.1\r\n\r\n\0", "syntax"), (b"[]\0", "document_invalid"), (b"\0", "syntax"),
                           (b'{"method":1}\0', "document_invalid"), (b'{"method":"a.B","parameters":[]}\0', "document_invalid"),
                           (b'{"method":"a.B","method":"a.C"}\0', "duplicate_key"), (b"[" * 70 + b"\0", "too_deep"),
                           (b'{"method":"\xff"}\0', "invalid_utf8")):
            with self.subTest(data=data[:40]):
                connection = self.connect()
                connection.socket.sendall(data)
                with self.assertRaises(VarlinkError) as caught:
                    connection.receive()
                self.assertEqual((caught.exception.name, caught.exception.code), ("BadMessage", code))
                self.assertTrue(self.ends(connection))

    def test_a_message_above_a_mebibyte_is_refused(self):
        connection = self.connect()
        try:
            connection.socket.sendall(b"[" + b" " * (1024 * 1024 + 100))
        except (BrokenPipeError, ConnectionResetError):
            pass
        with self.assertRaises(VarlinkError) as caught:
            connection.receive()
        self.assertEqual((caught.exception.name, caught.exception.code), ("BadMessage", "too_large"))
        self.assertTrue(self.ends(connection))

    def test_a_message_of_a_mebibyte_is_read(self):
        call = json.dumps({"method": f"{INTERFACE}.Show", "parameters": {"id": UNKNOWN}}).encode()
        connection = self.connect(AUDITOR_UID)
        connection.socket.sendall(call + b" " * (1024 * 1024 - len(call)) + b"\0")
        with self.assertRaises(VarlinkError) as caught:
            connection.receive()
        self.assertEqual(caught.exception.name, "NotFound")

    def test_an_incomplete_message_times_out(self):
        connection = self.connect()
        connection.socket.sendall(b'{"method":')
        before = time.monotonic()
        with self.assertRaises(VarlinkError) as caught:
            connection.receive()
        self.assertEqual((caught.exception.name, caught.exception.code), ("BadMessage", "timeout"))
        self.assertGreater(time.monotonic() - before, 5)
        self.assertTrue(self.ends(connection))

    def test_answers_that_nobody_reads_stop_the_calls(self):
        connection = self.connect()
        connection.socket.settimeout(1)
        call = json.dumps({"method": "org.varlink.service.GetInterfaceDescription", "parameters": {"interface": INTERFACE}}).encode() + b"\0"
        sent = 0
        with self.assertRaises(TimeoutError):
            while sent < 64 * 1024 * 1024:
                sent += connection.socket.send(call * 100)
        self.assertLess(sent, 8 * 1024 * 1024)
        self.assertTrue(self.appliance.status()["signer"]["ready"])

    def test_oneway_is_not_answered(self):
        connection = self.connect()
        connection.socket.sendall(b'{"method":"org.varlink.service.GetInfo","oneway":true}\0{"method":"org.varlink.service.GetInfo"}\0')
        self.assertEqual(connection.receive()["product"], "countersignd")
        connection.socket.settimeout(0.3)
        with self.assertRaises(TimeoutError):
            connection.receive()

    def test_a_user_has_a_quarter_of_the_connections(self):
        held = []
        try:
            for _ in range(257):
                held.append(Connection(self.appliance.api, STRANGER_UID))
            self.assertTrue(self.ends(held[-1]))
            self.assertEqual(held[0].call("org.varlink.service.GetInfo")["product"], "countersignd")
            self.assertTrue(self.appliance.status()["signer"]["ready"])
        finally:
            for connection in held:
                connection.socket.close()


class Parameters(Case):
    def test_missing_unknown_and_wrong_parameters_are_named(self):
        for parameters, name in (({}, "id"), ({"id": 1}, "id"), ({"id": None}, "id"), ({"id": UNKNOWN, "more": True}, "more")):
            with self.subTest(parameters=parameters), self.assertRaises(VarlinkError) as caught:
                self.connect(AUDITOR_UID).call("Show", **parameters)
            self.assertEqual(caught.exception.name, "InvalidParameter")
            self.assertEqual(caught.exception.parameters, {"parameter": name})

    def test_more_belongs_to_wait_alone(self):
        connection = self.connect()
        connection.send("Status", more=True)
        with self.assertRaises(VarlinkError) as caught:
            connection.receive()
        self.assertEqual(caught.exception.name, "InvalidParameter")

    def test_a_list_has_a_limit(self):
        self.refused("InvalidDocument", "document_invalid", "List", limit=0)
        self.refused("InvalidDocument", "document_invalid", "List", limit=501)
        self.refused("NotFound", "not_found", "List", before=UNKNOWN)
        self.assertIsInstance(self.connect().call("List", limit=500)["actions"], list)

    def test_a_request_is_validated(self):
        error = self.refused("InvalidDocument", "document_invalid", "Propose", AGENT_UID, request={"schema": "countersign.action_request.v1"})
        self.assertIn("required", error.parameters["detail"])
        request = self.appliance.request()
        request["provenance"]["hypothesis"] = "fine\u202etxt.exe"
        error = self.refused("InvalidDocument", "forbidden_character", "Propose", AGENT_UID, request=request)
        self.assertEqual(error.parameters["path"], "/provenance/hypothesis")
        self.refused("InvalidDocument", "document_invalid", "Propose", AGENT_UID, request=self.appliance.request(), idempotency_key="")
        self.refused("InvalidDocument", "document_invalid", "Propose", AGENT_UID, request=self.appliance.request(), idempotency_key="k" * 129)
        self.refused("InvalidDocument", "forbidden_character", "Propose", AGENT_UID, request=self.appliance.request(), idempotency_key="a\nb")


class Introspection(Case):
    def test_every_method_and_error_is_declared(self):
        connection = self.connect(STRANGER_UID)
        self.assertEqual(connection.call("org.varlink.service.GetInfo")["interfaces"], ["org.varlink.service", INTERFACE])
        text = connection.call("org.varlink.service.GetInterfaceDescription", interface=INTERFACE)["description"]
        self.assertEqual(set(re.findall(r"^method (\w+)", text, re.M)),
                         {"Propose", "Wait", "List", "Show", "OpenBrief", "Decide", "GetPack", "Withdraw", "Status"})
        for method in re.findall(r"^method (\w+)", text, re.M):
            with self.assertRaises(VarlinkError) as caught:
                connection.call(method)
            self.assertEqual(caught.exception.name, "PermissionDenied")
        self.assertIn("interface org.varlink.service",
                      connection.call("org.varlink.service.GetInterfaceDescription", interface="org.varlink.service")["description"])

    def test_other_interfaces_are_not_found(self):
        for method, name, parameters in (("io.example.Thing", "InterfaceNotFound", {"interface": "io.example"}),
                                         (f"{INTERFACE}.Thing", "MethodNotFound", {"method": f"{INTERFACE}.Thing"}),
                                         ("nothing", "InterfaceNotFound", {"interface": ""})):
            connection = self.connect()
            connection.socket.sendall(json.dumps({"method": method}).encode() + b"\0")
            with self.assertRaises(VarlinkError) as caught:
                connection.receive()
            self.assertEqual((caught.exception.name, caught.exception.parameters), (name, parameters))
        with self.assertRaises(VarlinkError) as caught:
            self.connect().call("org.varlink.service.GetInterfaceDescription", interface="io.example")
        self.assertEqual(caught.exception.name, "InterfaceNotFound")


class Roles(Case):
    """The permission table, method by method."""

    CALLS = {
        "Propose": {"request": {}}, "Wait": {"id": UNKNOWN}, "List": {}, "Show": {"id": UNKNOWN}, "OpenBrief": {"id": UNKNOWN, "role": "engineer"},
        "Decide": {"id": UNKNOWN, "decision": {}, "snapshot": {}}, "GetPack": {"id": UNKNOWN}, "Withdraw": {"id": UNKNOWN}, "Status": {},
    }
    ALLOWED = {
        "caller": {"Propose", "Wait", "List", "Show", "GetPack", "Withdraw", "Status"},
        "approver": {"Wait", "List", "Show", "OpenBrief", "Decide", "GetPack", "Status"},
        "operator": {"Wait", "List", "Status"},
        "auditor": {"Wait", "List", "Show", "GetPack", "Status"},
        "nobody": set(),
    }

    def allowed(self, user):
        result = set()
        for method, parameters in self.CALLS.items():
            try:
                self.connect(user).call(method, **parameters)
            except VarlinkError as error:
                if error.name == "PermissionDenied":
                    continue
                self.assertIn(error.name, ("NotFound", "InvalidDocument"))
            result.add(method)
        return result

    def test_each_role_may_call_its_own_methods(self):
        users = {"caller": AGENT_UID, "approver": self.appliance.people["ada"].uid, "operator": OPERATOR_UID, "auditor": AUDITOR_UID,
                 "nobody": STRANGER_UID}
        for role, user in users.items():
            with self.subTest(role=role):
                self.assertEqual(self.allowed(user), self.ALLOWED[role])

    def test_root_the_broker_and_the_overflow_user_are_nobody(self):
        for user in (None, BROKER_UID, 65534):
            with self.subTest(user=user):
                self.assertEqual(self.allowed(user), set())

    def test_a_group_gives_its_role(self):
        connection = Connection.__new__(Connection)
        connection.buffer = b""
        connection.socket = self.socket_with_group(GROUP_AUDITOR_UID, GROUP_UID)
        self.addCleanup(connection.socket.close)
        self.assertIsInstance(connection.call("List")["actions"], list)

    def socket_with_group(self, user, group):
        """A socket connected by a user who is in one more group."""
        ours, theirs = socket.socketpair()
        child = os.fork()
        if child == 0:
            os.setgroups([group])
            os.setgid(user)
            os.setuid(user)
            connected = socket.socket(socket.AF_UNIX)
            connected.connect(str(self.appliance.api))
            socket.send_fds(theirs, [b"x"], [connected.fileno()])
            os._exit(0)
        _, descriptors, _, _ = socket.recv_fds(ours, 1, 1)
        os.waitpid(child, 0)
        ours.close()
        theirs.close()
        result = socket.socket(fileno=descriptors[0])
        result.settimeout(30)
        return result

    def test_another_callers_action_is_not_found(self):
        action = json.loads(self.appliance.propose().output)["id"]
        for method in ("Show", "Wait", "GetPack", "Withdraw"):
            self.refused("NotFound", "not_found", method, OTHER_AGENT_UID, id=action)
        self.assertEqual(self.connect(AGENT_UID).call("Show", id=action)["action"]["id"], action)
        self.assertEqual(self.connect(OTHER_AGENT_UID).call("List")["actions"], [])
        self.assertIn(action, [entry["id"] for entry in self.connect(AUDITOR_UID).call("List")["actions"]])


class Settings(Case):
    """What the daemon refuses to start with."""

    def started_with(self, *lines, section="roles", replace=None):
        text = (self.appliance.etc / "countersign.conf").read_text()
        text = text.replace(*replace) if replace else text.replace(f"[{section}]\n", f"[{section}]\n" + "".join(f"{line}\n" for line in lines))
        path = self.appliance.etc / "wrong.conf"
        # State of its own: a wrong setting must be seen before the store that is in use.
        path.write_text(text.replace("/var/broker", "/var/other"))
        path.chmod(0o644)
        return self.appliance.command("countersignd", "--settings", path, user=BROKER_UID, environment=softhsm_environment(self.appliance.directory),
                                      timeout=20)

    def refused_settings(self, word, *lines, **options):
        result = self.started_with(*lines, **options)
        self.assertEqual(result.status, 2, result)
        self.assertIn("bad_setting", result.error)
        self.assertIn(word, result.error)

    def test_roles_that_exclude_each_other(self):
        self.refused_settings("exclude each other", "games = caller kye:agent:acme.x", "@games = approver")
        self.refused_settings("exclude each other", "games = approver kye:person:acme.x", "@games = operator")
        self.refused_settings("speaks for both", "games = approver kye:person:acme.x", "@games = approver kye:person:acme.y")

    def test_root_and_the_overflow_user(self):
        for name in ("root", "0", "65534", "@root", "@0", "nobody"):
            self.refused_settings("root and the overflow user", f"{name} = auditor")

    def test_rows_that_say_nothing(self):
        self.refused_settings("needs the entity", "games = caller")
        self.refused_settings("no entity for a caller", "games = caller kye:res:acme.x")
        self.refused_settings("no entity for a operator", "games = operator kye:person:acme.x")
        self.refused_settings("is no role", "games = king")
        self.refused_settings("no such user", "nobody-of-this-name = auditor")
        self.refused_settings("no such group", "@nobody-of-this-name = auditor")

    def test_other_settings(self):
        self.refused_settings("unknown setting", "colour = red", section="limits")
        self.refused_settings("given twice", "queue = 1", "queue = 2", section="limits")
        self.refused_settings("not a whole number", "queue = 0", section="limits")
        self.refused_settings("no address", replace=("trust_genesis = sha256:", "trust_genesis = sha512:"))
        self.refused_settings("is missing", replace=("origin =", "#origin ="))

    def test_usage(self):
        result = self.appliance.command("countersignd", "--help", user=BROKER_UID)
        self.assertEqual((result.status, result.error), (2, "usage: countersignd [--settings FILE]\n"))

    def test_a_second_daemon_on_the_same_store(self):
        path = self.appliance.etc / "second.conf"
        path.write_text((self.appliance.etc / "countersign.conf").read_text().replace("api.sock", "second.sock"))
        result = self.appliance.command("countersignd", "--settings", path, user=BROKER_UID, timeout=20)
        self.assertEqual(result.status, 1)
        self.assertIn("another process uses this store", result.error)


def main():
    reason = need_root_and_softhsm()
    if reason:
        skip(f"daemon protocol: {reason}")
    directory = tempfile.mkdtemp(prefix="daemon-protocol.")
    appliance = ProtocolAppliance(directory)
    try:
        appliance.ceremony()
        appliance.settle()
        (appliance.var / "other").mkdir()
        (appliance.var / "other").chmod(0o777)
        appliance.start()
        Case.appliance = appliance
        status = run_cases()
        ended = appliance.stop_process("daemon", signal.SIGTERM)
    finally:
        appliance.stop()
        shutil.rmtree(directory)
    if ended != 0:
        print(f"FAIL the daemon ended with {ended}")
    return status if ended == 0 else 1


if __name__ == "__main__":
    sys.exit(main())
