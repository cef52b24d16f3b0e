"""A broker that says what it likes: cores, decisions and statements of any content, with real signatures where a token gives them."""
import contextlib
import copy
import secrets

from appliance import ORIGIN, address, canonical, now
from forgery import decision_of, forge, ulid
from signer_client import JWS, TLOG, Log, Refused, entry

SOMETHING = "sha256:" + "5" * 64  # a well-formed address of something that the signer does not see


class Broker:
    """One connection to the signer and the log as the signer must have it."""

    def __init__(self, world):
        self.world, self.log, self.number = world, Log(), 0
        self.client = None

    def connect(self):
        self.close()
        self.client = self.world.connect()

    def close(self):
        if self.client:
            self.client.close()
        self.client = None

    # ---- documents ----

    def core(self, name="rollback", change=None, **members):
        """An action core as an honest broker would make it, then changed."""
        request = self.world.request(name)
        core = {**copy.deepcopy(request), "schema": "countersign.action_core.v1", "requester": "kye:person:acme.paul",
                "policy": address(self.world.policy), "nonce": secrets.token_hex(16), **members}
        if change:
            change(core)
        return core

    def unsigned(self, name, core, role, value="approved", seconds=600, classes=None):
        """The decision that an honest approver's command would make for this core."""
        self.number += 1
        person = self.world.people[name]
        basis = {"approver": person.id, "role": role, "state": {"trust_set": address(self.world.trust_set), "audience": ORIGIN}}
        brief = {"id": f"kye:approval-brief:{ulid(self.number)}"}
        snapshot = {"id": f"kye:approver-knowledge-snapshot:{ulid(self.number)}"}
        return decision_of({"core": core, "basis": basis, "brief": brief}, snapshot, self.number, value, seconds, classes)

    def decide(self, name, core, role, change=None, kid=None, label=None, signer=None, **options):
        """A decision signed on a real token; `change` alters it before, `signer` lends another token."""
        decision = self.unsigned(name, core, role, **options)
        if change:
            change(decision)
        return forge(signer or self.world.people[name], decision, kid, label)

    def papers(self, core=None, first="ada", second="carl", **options):
        """A core and two approvals that fill the quorum."""
        core = core or self.core()
        return core, [self.decide(first, core, "engineer", **options), self.decide(second, core, "change_owner", **options)]

    # ---- statements ----

    def place(self):
        return {"origin": ORIGIN, "index": self.log.size, "after": {"size": self.log.size, "root": "sha256:" + self.log.root.hex()}}

    def statement(self, core, approvals=(), **members):
        """The statement of an allow for two people's rollback, then changed."""
        ends = [approval["binding"]["not_after"] for approval in approvals if "binding" in approval]
        return {"schema": "countersign.seal_statement.v1", "kind": "decision", "subject": SOMETHING, "mode": "enforce", "outcome": "allow",
                "action": address(core), "action_class": "rollback-production-service", "change_class": "irreversible",
                "oversight": "two_person", "policy": address(self.world.policy), "trust_set": address(self.world.trust_set),
                "approvals": sorted({address(approval) for approval in approvals}), "constraints": None, "log": self.place(),
                "nonce": secrets.token_hex(16), "issued_at": now(), "not_after": min(ends, default=now(600)), **members}

    def refusal(self, core, approvals=(), **members):
        return self.statement(core, approvals, **{"outcome": "deny", "not_after": None, **members})

    def of_version(self, kind, subject, **members):
        """The statement that a trust set or policy is in force."""
        empty = {name: None for name in ("mode", "outcome", "action", "action_class", "change_class", "oversight", "constraints", "not_after")}
        return {**self.statement({}, ()), **empty, "kind": kind, "subject": subject, "approvals": [], **members}

    # ---- sending ----

    def append(self, statement, core=None, approvals=(), form=JWS, **evidence):
        """One statement; what the signer takes goes into the log."""
        answer = self.client.append(entry(form, statement, core, approvals, **evidence))
        self.log.add(statement)
        return answer

    def batch(self, *makers):
        """Several statements in one frame; each maker gives (form, statement, core, approvals) once it is its turn in the log."""
        before, made = list(self.log.hashes), []
        for make in makers:
            made.append(make())
            self.log.add(made[-1][1])
        try:
            return [statement for _, statement, _, _ in made], self.client.append(*(entry(*one) for one in made))
        except BaseException:
            self.log.hashes = before
            raise

    def allow(self, core=None, approvals=None, form=JWS, **members):
        """An honest allow."""
        if core is None:
            core, approvals = self.papers()
        statement = self.statement(core, approvals or (), **members)
        return statement, self.append(statement, core, approvals or (), form)

    def deny(self, core=None, **members):
        core = core or self.core()
        statement = self.refusal(core, **members)
        return statement, self.append(statement, core, form=TLOG)

    @contextlib.contextmanager
    def refused(self, test, code, path=None, detail=None):
        """Whatever is sent inside must be refused with this very code, and leave the log as it was."""
        with test.assertRaises(Refused) as caught:
            yield
        test.assertEqual(caught.exception.code, code, str(caught.exception))
        if path is not None:
            test.assertEqual(caught.exception.path, path, str(caught.exception))
        if detail is not None:
            test.assertIn(detail, caught.exception.detail)


def restriction(name, **members):
    return {"restriction_id": name, "summary": f"restriction {name}", **members}


def constraints(*restrictions):
    """countersign.constraints.v1 as an honest broker sorts it."""
    return {"schema": "countersign.constraints.v1", "restrictions": sorted(restrictions, key=canonical)}
