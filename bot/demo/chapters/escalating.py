"""Chapters about nobody answering: a page that is refused, an office that is closed, the executive tier, break-glass, what is learned of
it, and who is told when the bot itself cannot. Owns what is done and what has to be seen each time.
"""

from datetime import timedelta
from functools import partial

from bot.demo.people import ANNA, BEN, ELENA, GRACE, HUGO
from bot.demo.scene import Scene
from bot.sandbox.faults import Fault, Mode

ELENAS_MAIL, HUGOS_MAIL = "elena@northwind.example", "hugo@northwind.example"


async def refused_page(scene: Scene) -> None:
    """PagerDuty takes no page: another key, then e-mail, and Slack says who has it."""
    look, see = scene.observer, scene.see
    scene.chapter("Another account to lock, and PagerDuty refuses the page: a second key, e-mail, word in Slack")
    with scene.broken(Fault("pagerduty", "enqueue", Mode.SERVER_ERROR, times=None, status=403)):
        case = await scene.post("lock-night", "review")
        await see("its card is in #review-tier1", lambda: look.card("review-tier1", case))
        scene.pass_time(minutes=3)
        await see(
            "it climbs to #review-experts, PagerDuty answers 403", lambda: look.note("review-experts", case, "second routing key as well")
        )
        await see("so does its second key: Elena has it by e-mail", lambda: look.letter(ELENAS_MAIL, "of account-locks waits"))
        await see("with what to do first, and why it comes by mail", lambda: look.letter(ELENAS_MAIL, "has not taken it"))
        await see("#review-ops knows that it took another way", lambda: look.bulletin("review-ops", "took another way", case))
    scene.pass_time(seconds=30)
    await see("PagerDuty is mended and has the page as well, within a minute", lambda: look.incident(case, "triggered"))
    await see("#review-ops knows that too", lambda: look.bulletin("review-ops", "No page waits"))
    await scene.press(ELENA, "review-experts", case, "approve")
    await see("Elena approves", lambda: look.verdict(case, "approved"))
    await see("the incident is resolved", lambda: look.incident(case, "resolved"))


async def closed_office(scene: Scene) -> None:
    """The office is closed: what is harmless waits for it, the rest goes to whoever is on call; and an owner is away."""
    look, see = scene.observer, scene.see
    scene.chapter("The office is closed: harmless cases wait for it, others do not; and whoever is away has a backup")
    until = f"{scene.stage.clock() + timedelta(days=9):%Y-%m-%d}"
    await scene.say(GRACE, "review-ops", f"away until {until}")
    await see("Grace goes on holiday", scene.told(GRACE, "away"))
    harmless = await scene.post("parcel-socks", "review")
    await see(
        "a harmless case waits in #review-tier1, in business hours", lambda: look.card("review-tier1", harmless, text="business hours")
    )
    urgent = await scene.post("parcel", "review")
    await see(
        "the other is in #review-experts at once, which says why",
        lambda: look.card_with("review-experts", urgent, "because tier 1 was closed"),
    )
    await see("PagerDuty rings", lambda: look.incident(urgent, "triggered"))
    await see("Hugo is named in place of Grace", lambda: look.card_with("review-experts", urgent, f"{HUGO} stands in for the owner"))
    await scene.press(ELENA, "review-experts", urgent, "approve")
    await see("Elena approves", lambda: look.verdict(urgent, "approved"))
    await scene.say(GRACE, "review-ops", "back")
    await see("Grace is back", scene.told(GRACE, "back"))
    await scene.press(ANNA, "review-tier1", harmless, "approve")
    await see("Anna, who works today, approves the harmless one", lambda: look.verdict(harmless, "approved"))


async def executive(scene: Scene) -> None:
    """The executive tier: rung and written to again and again; when nobody comes it is held, and everybody knows."""
    look, see = scene.observer, scene.see
    scene.chapter("A kettle that burns people: rung and written to again and again, and safe when nobody comes")
    case = await scene.post("recall", "expert")
    await see("its card is in #review-owners", lambda: look.card("review-owners", case, verb="claim"))
    await see("PagerDuty rings, and Hugo has mail", lambda: look.paged(case, 1) and look.letter(HUGOS_MAIL, f"{case}"))
    for page in (2, 3):
        scene.pass_time(minutes=5)
        await see(f"five minutes later page {page} of 3", partial(look.paged, case, page))
    scene.pass_time(minutes=5)
    await see("nobody took it: it is held, and nothing is executed", lambda: look.card("review-owners", case, verb="resume"))
    await see("the service knows", lambda: look.callback(case, "case.held"))
    await see("#review-ops has the alarm", lambda: look.bulletin("review-ops", "Alert", "product-recalls"))
    await see("no incident is left ringing", lambda: look.incident(case, "resolved"))
    await scene.press(HUGO, "review-owners", case, "resume")
    await see("Hugo takes it up again", lambda: look.card("review-owners", case, verb="approve"))
    await scene.press(HUGO, "review-owners", case, "approve")
    await see("and approves", lambda: look.verdict(case, "approved"))


async def written_up(scene: Scene) -> None:
    """What went wrong there opened an incident: its postmortem is written already, but for cause and remediation."""
    look, see = scene.observer, scene.see
    scene.chapter("What went wrong is written up: the incident of the kettle")
    said = ("Postmortem", "product-recalls", "demo-1")
    incident = await see("its postmortem is in #review-ops, with owner and due date", lambda: look.bulletin("review-ops", *said, "Due"))
    await see(
        "what led to it, from the log, is in its thread",
        lambda: any("escalat" in text or "paged" in text.lower() for text in look.replies("review-ops", incident)),
    )
    why_not = await scene.close_incident(GRACE, "product-recalls", "kettle")
    await see("it is not closed without an example case in the policy", lambda: "example" in why_not)


async def learned(scene: Scene) -> None:
    """The policy in force has learned from it, so the incident can be closed."""
    look, see = scene.observer, scene.see
    scene.chapter("The incident is closed, with the example that the new policy has")
    why_not = await scene.close_incident(GRACE, "product-recalls", "kettle")
    await see("Grace closes it", lambda: not why_not)
    await see("and #review-ops shows with what", lambda: look.bulletin("review-ops", "Closed", "product-recalls", "kettle"))


async def alone(scene: Scene) -> None:
    """Break-glass: one person decides outside the normal path, and others look at it afterwards."""
    look, see = scene.observer, scene.see
    scene.chapter("No payment goes through: break-glass, and its review")
    case = await scene.post("switch", "review")
    await see("its card is in #review-tier1, where nobody is", lambda: look.card("review-tier1", case, verb="approve"))
    why = "No payment goes through and nobody of the frontline answers."
    await scene.say(ELENA, "review-experts", f"break-glass {case} {why}")
    await scene.submit(ELENA, "Break-glass", {"verdict": "approve", "text": why})
    decided = await see("Elena, whom nobody asked, decides alone", lambda: look.verdict(case, "approved"))
    await see("the service knows that it was break-glass", lambda: decided.data["break_glass"])
    await see("the card says so too", lambda: look.closed_card("review-tier1", case, "Approved by break-glass"))
    await see("Grace and Hugo are told directly", lambda: all(look.direct(person, "by break-glass") for person in (GRACE, HUGO)))
    review = await see("and asked in #review-ops whether that was right", lambda: look.child("review-ops", case, "Was that right?"))
    await scene.press(HUGO, "review-ops", review, "approve")
    await see("Hugo says that it was", lambda: look.card("review-tier1", case, text="it was right"))
    await scene.say(BEN, "review-tier1", "break-glass")
    await see("anybody can look who did so lately", scene.told(BEN, f"Right, says {HUGO}"))


async def drilled(scene: Scene) -> None:
    """The ladder is tried out for real, with a case that counts nowhere, and a report says who answered."""
    look, see = scene.observer, scene.see
    scene.chapter("A drill: does a case reach every tier when nobody takes it?")
    await scene.say(GRACE, "review-ops", "drill nobody-available account-locks")
    case = await see("Grace starts it: a case that is marked is in #review-tier1", lambda: look.drilled("review-tier1"))
    scene.pass_time(minutes=3)
    await see("nobody takes it: it climbs as a real one does", lambda: look.card("review-experts", case, verb="claim"))
    await see("and PagerDuty rings, marked too", lambda: (page := look.incident(case, "triggered")) and "[DRILL]" in page.title)
    await scene.press(ELENA, "review-experts", case, "claim")
    over = await see("Elena claims it, and it is over", lambda: look.bulletin("review-ops", "Drill over, answered", "account-locks"))
    said = ("nobody answered after", f"answered by {ELENA}", "Nobody answered at tier 1")
    await see(
        "the report in its thread says who answered how soon, and who did not",
        lambda: any(all(part in text for part in said) for text in look.replies("review-ops", over)),
    )
    await see("the incident is resolved", lambda: look.incident(case, "resolved"))
    await see("and the service never heard of it", lambda: not any(one.data.get("case_id") == case for one in scene.service.inbox))


async def silent(scene: Scene) -> None:
    """Slack is gone, so the bot can tell nobody: somebody outside notices, and PagerDuty rings all the same."""
    see, monitor = scene.see, scene.stage.sandbox.monitor
    scene.chapter("Slack is gone, so the bot reaches nobody: its heartbeat falls silent, its watcher rings")
    await see("a monitor outside hears again and again that all is well", lambda: monitor.beats > 0 and not monitor.alarming)
    async with scene.watched() as rung:
        with scene.broken(Fault("slack", "*", Mode.UNREACHABLE, times=None)):
            await see("Slack is gone: the heartbeat falls silent, and the monitor alarms", lambda: monitor.alarming)
            await see("whoever watches it from outside rings through PagerDuty without it", lambda: rung() == "triggered")
        await see("Slack is back: the monitor hears the heartbeat again", lambda: not monitor.alarming)
        await see("and that incident is resolved", lambda: rung() == "resolved")
