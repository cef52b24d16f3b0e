"""The demo's appliance: the people of tests/fixture, and some whose approvals must be refused."""
import copy
import json
import pathlib
import sys

sys.path.insert(0, str(pathlib.Path(__file__).resolve().parents[1] / "integration"))

from appliance import Appliance, now  # noqa: E402


def role(name, services=("checkout-api",)):
    return {"role": name, "services": list(services), "environments": ["production"], "from": "2026-01-01T00:00:00Z", "until": None}


def person(name, full_name, digit, *roles):
    return {"id": f"kye:person:acme.{name}", "name": full_name, "organisation": "kye:ent:acme", "employee_digest": "sha256:" + digit * 64,
            "state": "active", "roles": list(roles)}


def add_people(plan):
    plan["persons"] += [
        person("tom", "Tom Silva", "a", role("engineer"), role("change_owner")),
        person("tess", "Tess Novak", "b", role("change_owner")),
        person("rex", "Rex Amara", "c", role("engineer")),
    ]


def add_class(policy):
    """A class that no grant covers."""
    other = copy.deepcopy(policy["action_classes"][0])
    other.update(id="rotate-production-secret", title="Rotate a secret of a production service", capabilities=["k8s.secret.rotate"])
    policy["action_classes"].append(other)


class DemoAppliance(Appliance):
    """Tom holds both roles, Tess's key is on Ada's token, and Rex's key is revoked by version 2 of the trust set."""

    def __init__(self, directory, **options):
        super().__init__(directory, trust=add_people, policy=add_class, **options)

    def on_token_of(self, name):
        return "ada" if name == "tess" else None

    def ceremony(self):
        super().ceremony()
        self.generate(self.people["ada"], "spare-key")
        self.revoke("rex")
        self.add_policy(self.next_plan(self.policy_directory, lambda plan: plan["approval"].update(timeout_seconds=900)), ("lena", "cora"))
        self.publish()

    def next_plan(self, directory, change):
        """A plan that extends the newest trust set or policy."""
        newest = json.loads(self.newest(directory).read_text())
        plan = {key: value for key, value in newest.items() if key not in ("schema", "id", "version", "previous", "issued_at", "signatures")}
        change(plan)
        path = self.directory / "next-plan.json"
        path.write_text(json.dumps(plan))
        return path

    def revoke(self, name):
        def change(plan):
            for key in plan["keys"]:
                if key["kid"] == self.people[name].kid:
                    key["revocation"] = {"at": now(), "reason": "lost", "invalid_from": None, "last_trusted_checkpoint": None}
        self.add_trust_set(self.next_plan(self.trust_directory, change), ("sue", "cora"))
