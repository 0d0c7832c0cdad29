"""What may be missing at a launch, to be planted one by one or together. Owns the faults and what has to be said of each."""

from collections.abc import Callable, Sequence
from dataclasses import dataclass, replace
from typing import Any

from bot.sandbox.faults import Fault as Trouble
from bot.sandbox.faults import Mode
from bot.sandbox.sandbox import SandboxConfig
from routing.governance.breakers import BUILT_IN
from tests.bot.launch.site import Site

BOT, APP, SIGNING = "TIERLINE_SLACK_BOT_TOKEN", "TIERLINE_SLACK_APP_TOKEN", "TIERLINE_SLACK_SIGNING_SECRET"

Plant = Callable[[Site], object]


@dataclass(frozen=True)
class Fault:
    """One thing that is wrong. `check`, `said`, `mend`: where it has to be found, and words of that line and of its remedy.

    `company` changes the peers before they start, `off_s` sets their clocks ahead. `hides`: checks that nobody can make any more; `also`:
    those in which it shows as well. Faults that share a word of `touches` cannot be planted together.
    """

    name: str
    check: str
    said: str
    mend: str
    plant: Plant = lambda _site: None
    company: Callable[[SandboxConfig], SandboxConfig] = lambda config: config
    off_s: float = 0.0
    hides: frozenset[str] = frozenset()
    also: frozenset[str] = frozenset()
    touches: str = ""
    page: bool = False

    def __str__(self) -> str:
        return self.name


def setting(name: str, value: str) -> Plant:
    """This value in place of the right one."""
    return lambda site: site.environment.update({name: value})


def unset(name: str) -> Plant:
    """A variable that is not there."""
    return lambda site: site.environment.pop(name)


def tier(key: str, value: object) -> Plant:
    """The second tier of the ladder with this key."""
    return lambda site: site.tier.update({key: value})


def no(key: str) -> Plant:
    """The second tier without a key."""
    return lambda site: site.tier.pop(key)


def another_tier(**keys: Any) -> Plant:
    """One more tier, as complete as the others but for these keys."""
    whole = {"channel": "review-ops", "group": "owners", "owner": "U0GRACE0001", "backup": "U0HUGO00001", "ack": "15m"}
    return lambda site: site.policy["ladders"]["standard"]["tiers"].append(whole | keys)


def another_group(name: str, **members: Any) -> Plant:
    """One more group of the policy."""
    return lambda site: site.policy["groups"].update({name: members})


def policy(key: str, value: object) -> Plant:
    """The policy with this key."""
    return lambda site: site.policy.update({key: value})


def without_scope(scope: str) -> Callable[[SandboxConfig], SandboxConfig]:
    """The app installed without one of its scopes."""

    def company(config: SandboxConfig) -> SandboxConfig:
        app = config.slack.app
        return replace(config, slack=replace(config.slack, app=replace(app, scopes=app.scopes - {scope})))

    return company


def trouble(peer: str, method: str, mode: Mode) -> Plant:
    """A peer that does so whenever it is asked this."""
    return lambda site: site.sandbox.faults.add(Trouble(peer, method, mode, times=None, retry_after_s=30))


def mode(file: str, bits: int) -> Plant:
    """Other rights on a file of the site."""
    return lambda site: (site.folder / file).chmod(bits)


def content(file: str, data: bytes) -> Plant:
    """A file with something else in it."""

    def plant(site: Site) -> None:
        (site.folder / file).write_bytes(data)
        (site.folder / file).chmod(0o600)

    return plant


def service(key: str, value: object) -> Plant:
    """The service with this key."""
    return lambda site: site.services["services"][0].update({key: value})


def user(name: str, **changes: object) -> Plant:
    """A person in Slack with these marks."""
    return lambda site: site.sandbox.slack.workspace.change_user(name, **changes)


SLACK = frozenset({"scopes", "channels", "groups", "people"})
POLICY = frozenset({"contacts", "ladders", "roles", "safeguards", "channels", "groups", "people", "pages", "on call"})

FAULTS: Sequence[Fault] = (
    # settings
    Fault("setting-unknown", "settings", 'did you mean "TIERLINE_POLICY"', "Correct it in .env", setting("TIERLINE_POLCY", "policy.yml")),
    Fault("setting-misshapen", "settings", "http:// is for loopback", "Correct it in .env",
          setting("TIERLINE_HEARTBEAT_URL", "http://heartbeat.example/"), hides=frozenset({"heartbeat"}), touches="heartbeat"),
    # Slack's tokens
    Fault("token-wrong", "slack", f"Slack refuses {BOT} (invalid_auth)", "Bot User OAuth Token (xoxb-…)",
          setting(BOT, "xoxb-of-another-app"), hides=SLACK, touches="token"),
    Fault("token-misshapen", "slack", f"{BOT} does not look right", "Bot User OAuth Token (xoxb-…)",
          setting(BOT, "changeme"), hides=SLACK | {"clock"}, touches="token"),
    Fault("token-unset", "slack", f"{BOT} is not set", "Bot User OAuth Token (xoxb-…)", unset(BOT), hides=SLACK | {"clock"},
          touches="token"),
    Fault("slack-unreachable", "slack", "Slack cannot be asked", "reaches slack.com",
          trouble("slack", "auth.test", Mode.UNREACHABLE), hides=SLACK | {"clock"}, touches="token"),
    Fault("app-token-wrong", "slack", f"Slack refuses {APP} (invalid_auth)", "App-Level Token (xapp-…)", setting(APP, "xapp-other"),
          touches="app"),
    Fault("no-way-in", "slack", "Neither", "Set TIERLINE_SLACK_APP_TOKEN to", unset(APP), touches="app"),
    Fault("signing-secret-misshapen", "slack", f"{SIGNING} does not look right", "Signing Secret",
          lambda site: site.environment.update({APP: "", SIGNING: "xoxb-here"}), touches="app"),
    Fault("scope-missing", "scopes", "whose sending was not confirmed", "scopes of manifest.yml", company=without_scope("im:history")),
    Fault("scope-of-a-check-missing", "groups", "lacks a scope", "scopes of manifest.yml",
          company=without_scope("usergroups:read"), hides=frozenset({"groups"}), also=frozenset({"scopes"})),
    Fault("slack-busy", "channels", "too much is asked at once", "in a minute",
          trouble("slack", "conversations.list", Mode.RATE_LIMITED), hides=frozenset({"channels"})),
    Fault("slack-busy-with-people", "people", "too much is asked at once", "in a minute",
          trouble("slack", "users.info", Mode.RATE_LIMITED), hides=frozenset({"groups", "people"})),
    # channels, groups, people
    Fault("channel-missing", "channels", "knows no such channel", "Create it", another_tier(channel="review-nowhere")),
    Fault("channel-not-joined", "channels", "no member of it", "/invite @Tierline", another_tier(channel="general")),
    Fault("channel-private", "channels", "private and Tierline is no member", "invite the app", another_tier(channel="board-private")),
    Fault("channel-archived", "channels", "It is archived", "Unarchive it", another_tier(channel="review-2019")),
    Fault("channel-id-unknown", "channels", "knows no such channel", "Create it", another_tier(channel="C0NOWHERE01")),
    Fault("queue-channel-missing", "channels", "knows no such channel", "Create it",
          tier("queues", [{"channel": "review-desk", "group": "owners"}])),
    Fault("group-empty", "groups", "@review-nobody is empty", "Add members", another_group("nobody", usergroup="review-nobody")),
    Fault("group-disabled", "groups", "Slack has no user group @review-old", "enable it", another_group("old", usergroup="review-old")),
    Fault("group-missing", "groups", "Slack has no user group @review-none", "Make it in Slack",
          another_group("none", usergroup="review-none")),
    Fault("group-of-nobody", "groups", "It is empty", "Add members", another_group("empty", users=[])),
    Fault("group-of-guests", "groups", "Nobody of the 2", "guests, bots", another_group("guests", users=["U0GUEST0001", "U0BOTHELP01"]),
          also=frozenset({"people"})),
    Fault("too-few-for-two-steps", "groups", "2 different people have to decide there, and one has 1", "Add members",
          lambda site: (another_group("one", users=["U0ELENA0001"])(site), another_tier(group="one")(site),
                        site.policy["workflows"]["refunds"].update(template="dual"))),
    Fault("too-few-experts", "groups", "3 different people have to decide there, and seniors has 2", "Add members",
          lambda site: site.policy["workflows"].update(
              claims={"ladder": "standard", "template": "expert", "requester": "optional", "expert": {"people": 3, "group": "seniors"}})),
    Fault("user-unknown", "people", "Is not known to Slack", "somebody else", another_group("typed", users=["U0NOBODY001", "U0ELENA0001"])),
    Fault("owner-deactivated", "people", "Is deactivated (ladders, standard, tier 2, owner)", "somebody else",
          tier("owner", "U0LEFT00001"), touches="owner"),
    Fault("backup-a-guest", "people", "Is a guest (ladders, standard, tier 2, backup)", "somebody else",
          tier("backup", "U0GUEST0001"), touches="backup"),
    Fault("policy-owner-left", "people", "Is deactivated", "somebody else", user("hugo", deleted=True)),
    # the policy
    Fault("policy-broken", "policy", "/ladders/standard/tiers/1/ownr: unknown key", "tierline policy check", tier("ownr", "x"),
          hides=POLICY, touches="workflows"),
    Fault("owner-missing", "ladders", "no owner", "owner: and the Slack member id", no("owner"), touches="owner"),
    Fault("backup-missing", "ladders", "no backup", "backup: and the Slack member id", no("backup"), touches="backup"),
    Fault("backup-is-the-owner", "ladders", "backup is its owner", "somebody else", tier("backup", "U0GRACE0001"), touches="owner backup"),
    Fault("nobody-acknowledges", "ladders", "Nobody has to acknowledge", "ack: and a time", no("ack")),
    Fault("roles-missing", "roles", "Nobody may pause", "roles: {policy_owner: […], supervisor: […]}",
          lambda site: (site.policy.pop("roles"), site.policy.update(owners=[]))),
    Fault("nowhere-for-alerts", "roles", "Alerts and pauses are said nowhere", "channels: {operations",
          policy("channels", {"owners": "review-owners"})),
    Fault("breakers-off", "safeguards", "No breaker watches refunds", "off: true",
          lambda site: site.policy.update(breakers=[
              {"name": one.name, "measure": one.measure, "off": True} for one in BUILT_IN
          ])),
    # PagerDuty
    Fault("key-misshapen", "pages", "no routing key", "Integration Key", setting("PD_TIER2", "not-a-key"), touches="key"),
    Fault("key-refused", "pages", "PagerDuty refuses a test page for it (HTTP 400)", "Integration Key",
          setting("PD_TIER2", "0" * 32), touches="key", page=True),
    Fault("pagerduty-unreachable", "pages", "A test page was not accepted", "PagerDuty can be reached",
          trouble("pagerduty", "enqueue", Mode.UNREACHABLE), touches="key", page=True),
    Fault("key-unset", "policy", "${PD_TIER2} is not set", "Put PD_TIER2=…", unset("PD_TIER2"), touches="key"),
    Fault("nobody-on-call", "on call", "Nobody is on call now", "on the schedule",
          lambda site: site.sandbox.pagerduty.put_on_call("PPTIER2A"), touches="on-call"),
    Fault("escalation-policy-missing", "on call", "no such escalation policy", "Write the id",
          lambda site: site.tier["pagerduty"].update(escalation_policy="PPNOWHERE"), touches="on-call"),
    Fault("api-token-refused", "on call", "PagerDuty refuses TIERLINE_PAGERDUTY_API_TOKEN (HTTP 401)", "read-only REST API key",
          setting("TIERLINE_PAGERDUTY_API_TOKEN", "another"), touches="on-call"),
    # what is on this machine
    Fault("no-folder-for-the-database", "database", "There is no folder", "mkdir -p",
          lambda site: setting("TIERLINE_DATABASE_URL", f"sqlite+aiosqlite:///{site.folder}/nowhere/tierline.db")(site),
          touches="database"),
    Fault("database-not-writable", "database", "cannot be written to", "chmod u+rwX", mode("data/tierline.db", 0o444), touches="database"),
    Fault("database-is-none", "database", "its file is damaged", "a database of Tierline's",
          content("data/tierline.db", b"no database" * 500), touches="database"),
    Fault("clock-off", "clock", "10 min behind Slack", "NTP", off_s=600),
    Fault("vault-key-wrong", "keys", "has 5 bytes", "head -c 32 /dev/urandom", content("keys/vault.key", b"short"),
          touches="database vault-key"),
    Fault("vault-key-open-to-others", "keys", "mode 0644", "chmod 600", mode("keys/vault.key", 0o644), touches="vault-key"),
    Fault("signing-key-closed", "keys", "not even its owner can read it", "chmod 600", mode("keys/signing.pem", 0o000),
          touches="signing-key"),
    Fault("signing-key-wrong", "keys", "not a PKCS#8 PEM private key", "openssl genpkey", content("keys/signing.pem", b"no key"),
          touches="database signing-key"),
    Fault("checkpoints-unset", "checkpoints", "is not set", "on other storage", unset("TIERLINE_CHECKPOINT_DIR"), touches="checkpoints"),
    Fault("checkpoints-beside-the-database", "checkpoints", "lies in the database's folder", "outside",
          lambda site: setting("TIERLINE_CHECKPOINT_DIR", str(site.folder / "data" / "checkpoints"))(site), touches="checkpoints database"),
    Fault("checkpoints-no-directory", "checkpoints", "is no directory", "Make a directory",
          lambda site: (site.folder / "checkpoints").write_text(""), touches="checkpoints"),
    Fault("checkpoints-not-writable", "checkpoints", "cannot be written to", "Make a directory",
          lambda site: (site.folder / "checkpoints").mkdir(mode=0o555), touches="checkpoints"),
    Fault("heartbeat-missing", "heartbeat", "Nobody outside notices", "TIERLINE_HEARTBEAT_URL", unset("TIERLINE_HEARTBEAT_URL"),
          touches="heartbeat"),
    Fault("mail-unreachable", "e-mail", "cannot be reached: connection refused", "TIERLINE_SMTP_URL",
          setting("TIERLINE_SMTP_URL", "smtp://127.0.0.1:9"), touches="mail"),
    Fault("mail-wanted-and-unset", "e-mail", "TIERLINE_SMTP_URL is not set", "Set TIERLINE_SMTP_URL to your mail server",
          policy("pages", {"email": ["duty@northwind.example"]}), touches="mail workflows"),
    # services
    Fault("service-secret-missing", "services", "${REFUND_AGENT_SECRET} is not set", "Put REFUND_AGENT_SECRET=…",
          unset("REFUND_AGENT_SECRET")),
    Fault("service-secret-misshapen", "services", "expected whsec_", "tierline services check",
          setting("REFUND_CALLBACK_SECRET", "hunter2"),
          hides=frozenset({"callbacks"}), touches="callback"),
    Fault("callback-unresolvable", "callbacks", "cannot be resolved", "Correct callback_url",
          service("callback_url", f"https://{'n' * 64}.example/"), touches="callback"),
    Fault("callback-inside", "callbacks", "127.0.0.1, which is not public", "List the network",
          lambda site: site.services["services"][0].update(callback_url="https://127.0.0.1/", networks=[]), touches="callback"),
    Fault("callback-plain", "services", "plain http:// is for private networks only", "tierline services check",
          service("networks", []), hides=frozenset({"callbacks"}), touches="callback"),
    Fault("workflow-unknown", "callbacks", "The policy has no workflow payouts", "Write the workflow",
          service("workflows", ["refunds", "payouts"]), touches="workflows"),
    # the bot that serves
    Fault("bot-not-ready", "bot", "Slack cannot be reached", "tierline status",
          lambda site: setattr(site, "said", {"ready": False, "obstacles": ["Slack cannot be reached."], "attention": []}), touches="bot"),
    Fault("bot-does-not-escalate", "bot", "PagerDuty has not answered", "tierline status",
          lambda site: setattr(site, "said", {"ready": True, "obstacles": [], "attention": ["PagerDuty has not answered.", "Else."],
                                              "escalating": False}), touches="bot"),
    Fault("watch-key-misshapen", "pages", "no routing key", "Integration Key", setting("TIERLINE_WATCH_ROUTING_KEY", "short")),
)  # fmt: skip
