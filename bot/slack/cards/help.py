"""`/review help`: what this person may do first, and one topic at a time. Owns the topics; who may do what, says whoever asks."""

from collections.abc import Collection, Mapping
from dataclasses import dataclass

from bot.slack.cards.command_answers import COMMANDS, next_step
from bot.slack.cards.text.block_kit import Drawing, words
from bot.slack.cards.text.safe_text import channel_name, escaped

_CHANNELS = 8


@dataclass(frozen=True, slots=True)
class Topic:
    """What help says of one matter: plain sentences, and what is typed, an example each. `verbs`: the words of `/review` it explains."""

    title: str
    told: str
    examples: tuple[str, ...]
    verbs: tuple[str, ...] = ()


TOPICS: Mapping[str, Topic] = {
    "reviewing": Topic(
        "Reviewing",
        "Read what would be executed and what is different from now; press *Claim* so that others see who is on it; then *Approve*,"
        " *Reject* or *Modify*. *Details* hold the rest. A card that is out of date does nothing, and a refusal says why.",
        ("/review next", "/review mine", "/review status", "/review status #review-tier1"),
        ("next", "mine", "status"),
    ),
    "batch": Topic(
        "Many cases alike",
        "Cases of one workflow and action are decided together by one person: those that stand out are set aside and shown first; each of"
        " the others has its own event and its own answer to its service.",
        ("/review batch", "/review batch refunds"),
        ("batch",),
    ),
    "handover": Topic(
        "Handing over",
        "What you claimed goes to somebody who may decide it, with a note that stands in the case's thread, where it rings them.",
        ("/review handover order-8841 @Ben He knows this customer.",),
        ("handover",),
    ),
    "undo": Topic(
        "Taking an approval back",
        "Whoever approved may take it back until the service is told: its card has *Undo* and says until when. A case without a card is"
        " named here.",
        ("/review undo order-8841",),
        ("undo",),
    ),
    "case": Topic(
        "Finding a case",
        "Name it by its id, by the id that its service gave the task, or by the link to its card: copied in whatever quotes, it is found.",
        ("/review case order-8841",),
        ("case",),
    ),
    "stopping": Topic(
        "Stopping a workflow",
        "*pause*: no approval leaves. *review-all*: people decide every case. *freeze*: open cases are held as well. *resume* lets it go"
        " on, and what was decided meanwhile is reviewed afresh. The reason stands open in the audit log.",
        ("/review pause refunds The model invents order numbers.", "/review resume refunds It is mended."),
        ("pause", "review-all", "freeze", "resume"),
    ),
    "holding": Topic(
        "Holding cases",
        "*quarantine* holds a case, or all that match, until somebody releases them; *legal-hold* keeps the content of a case from being"
        " erased.",
        (
            "/review quarantine order-8841 It looks forged.",
            "/review quarantine workflow=refunds since=2h The model errs.",
            "/review release order-8841 Looked at.",
        ),
        ("quarantine", "release", "legal-hold", "legal-release"),
    ),
    "exceptions": Topic(
        "Exceptions to the policy",
        "Asked for by one person, approved by a policy owner who is another; each ends by itself. Hard rules are never waived.",
        (
            "/review exception list",
            "/review exception request refunds waives=confidence_low days=7 The new model is not measured yet.",
        ),
        ("exception", "exceptions"),
    ),
    "policy": Topic(
        "The policy",
        "Which one is in force, which is proposed or on stage. A new one is proposed from the command line and accepted in Slack.",
        ("/review policy", "/review policy widen 50 No surprise so far.", "/review policy rollback It sends too much."),
        ("policy",),
    ),
    "emergencies": Topic(
        "Emergencies",
        "*break-glass* decides alone, outside the normal path, if the policy lets you; supervisors review it afterwards. *acknowledge* says"
        " that you look after an alert. *incident* shows postmortems.",
        ("/review break-glass order-8841 Nobody of the group is here.", "/review incident list"),
        ("break-glass", "acknowledge", "incident", "incidents"),
    ),
    "drills": Topic(
        "Drills",
        "They try out who can be reached, with cases of their own that nothing comes of.",
        ("/review drill nobody-available refunds", "/review drill list", "/review drill stop"),
        ("drill",),
    ),
    "messages": Topic(
        "Direct messages",
        "What you claimed and what is about to run out, and exceptions that wait for you as an owner of the policy, you are told directly:"
        " at most once an hour, each once, without content. Slack keeps them quiet while you do not want to be disturbed.",
        ("/review notify off", "/review notify on"),
        ("notify",),
    ),
    "absence": Topic(
        "Being away",
        "Where a tier names you, its other person is named and rung meanwhile.",
        ("/review away until 2026-12-04", "/review away 3d", "/review back"),
        ("away", "back"),
    ),
}


def topic_of(word: str) -> str:
    """The topic with this name, or that explains this word of `/review`; "" where there is none."""
    if word in TOPICS:
        return word
    return next((name for name, topic in TOPICS.items() if word in topic.verbs), "")


def draw_topic(name: str, usage: str = "", may: str = "") -> Drawing:
    """One topic; `usage` is how the word asked for is typed, `may` who may."""
    topic = TOPICS[name]
    examples = "\n".join(f"`{example}`" for example in topic.examples)
    typed = [words(f"Type it so: `{escaped(usage, 600)}`")] if usage else []
    allowed = [words(escaped(may, 300))] if may else []
    others = ", ".join(f"`{other}`" for other in TOPICS if other != name)
    return Drawing(
        f"{topic.title}: {topic.told}",
        [
            words(f"*{topic.title}*\n{topic.told}"),
            *typed,
            *allowed,
            words(f"For example:\n{examples}"),
            next_step(f"other topics: {others}"),
        ],
    )


def draw_overview(answers_in: Collection[str], roles: Collection[str]) -> Drawing:
    """What this person may do first, then every command. `roles` are those of the policy that they have, in words."""
    where = ", ".join(f"*{escaped(channel_name(one))}*" for one in list(answers_in)[:_CHANNELS])
    if answers_in:
        first = f"You review in {where}. Begin with `/review next`; what you have claimed shows `/review mine`."
    elif roles:
        first = "No case is asked of you by its channel. Begin with `/review status`."
    else:
        first = (
            "You are in no group that the policy lets decide, so no case is asked of you; `/review status` shows how many wait. Whoever"
            " looks after Slack's user groups can add you."
        )
    held = f" As {' and '.join(map(escaped, roles))} you may also do some of what is below that needs a role." if roles else ""
    text = f"{first}{held}"
    listed = "\n".join(f"`/review {name}`  {what}" for name, what in COMMANDS)
    topics = ", ".join(f"`{name}`" for name in TOPICS)
    return Drawing(text, [words(text), words(listed), next_step(f"`/review help TOPIC` says more: {topics}")])
