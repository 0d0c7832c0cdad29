"""Chapters about more than one case: exceptions, brakes, what stops the line, a breaker, a new policy. Owns what is done and what has to be
seen each time.
"""

from bot.demo.observer import MissingError
from bot.demo.people import ANNA, BEN, GRACE, HUGO, SLACK_IDS
from bot.demo.proposal import next_policy
from bot.demo.scene import Scene
from bot.policy.proposing import Proposed
from routing.change import Actor


async def excepted(scene: Scene) -> None:
    """An exception: asked for by one, approved by another, counted."""
    look, see = scene.observer, scene.see
    scene.chapter("An exception from the policy: asked for, approved by another, counted")
    await scene.post("summary-low", "review")
    words = "waives=confidence_low days=7 uses=2 The model was recalibrated and reads low."
    await scene.say(GRACE, "review-ops", f"exception request document-summaries {words}")
    asked = "Exception asked for"
    await see("Grace asks for an exception in #review-owners", lambda: look.bulletin("review-owners", asked, "recalibrated"))
    await scene.press_bulletin(GRACE, "review-owners", asked, "approve_exception")
    await see("she cannot approve it herself", scene.told(GRACE, "somebody else has to approve"))
    await scene.press_bulletin(HUGO, "review-owners", asked, "approve_exception")
    await see("Hugo does", lambda: look.bulletin("review-owners", "Exception in force", HUGO))
    case = await scene.post("summary-low", "auto", task_id="summary-912")
    await see("the same summary is filed by itself now", lambda: look.verdict(case, "auto_approved"))
    await scene.say(HUGO, "review-ops", "exception list")
    await see("the list says so: used once of twice", scene.told(HUGO, "used 1 of 2"))


async def paused(scene: Scene) -> None:
    """A workflow is paused and let go on by those who may."""
    look, see = scene.observer, scene.see
    scene.chapter("A workflow is paused, and goes on")
    await scene.say(ANNA, "review-tier1", "pause access-requests Something is odd.")
    await see("Anna may not pause it, and is told who may", scene.told(ANNA, "It takes a supervisor"))
    await scene.say(GRACE, "review-ops", "pause access-requests The directory was restored from a backup.")
    await see("Grace may: #review-ops has it, with why", lambda: look.bulletin("review-ops", "access-requests", "is paused", "backup"))
    await see("and so has the service", lambda: look.workflow("access-requests", "paused"))
    await scene.say(HUGO, "review-ops", "resume access-requests The directory is right again.")
    await see("Hugo lets it go on, the service hears it", lambda: look.workflow("access-requests", "on"))


async def quarantined(scene: Scene) -> None:
    """One case is taken out of everybody's hands and given back."""
    look, see = scene.observer, scene.see
    scene.chapter("A photo that looks forged: one case in quarantine")
    case = await scene.post("headphones", "review")
    await see("its card is in #review-tier1", lambda: look.card("review-tier1", case, verb="approve"))
    await scene.say(GRACE, "review-ops", f"quarantine {case} The photo looks generated.")
    await see("Grace takes it out: nobody can press", lambda: look.closed_card("review-tier1", case, "uarantine"))
    await see("the service knows that it is held", lambda: look.callback(case, "case.held"))
    await scene.say(HUGO, "review-ops", f"release {case} The photo is genuine, the serial number fits.")
    await see("Hugo releases it, for a fresh review", lambda: look.card("review-tier1", case, verb="approve"))
    await see("which the service hears", lambda: look.callback(case, "case.released"))
    await scene.press(ANNA, "review-tier1", case, "approve")
    await see("Anna approves", lambda: look.verdict(case, "approved"))


async def playbook(scene: Scene) -> None:
    """What was written in advance for a case that may end before a court."""
    look, see = scene.observer, scene.see
    scene.chapter("A lawyer writes: the playbook begins")
    case = await scene.post("lawyer", "review")
    await see("the service is asked to hold meanwhile", lambda: look.callback(case, "case.held"))
    await see("#review-ops is told what to do", lambda: look.posted("review-ops", "lawyer has written"))
    await see("a ticket is opened, once", lambda: look.ticket(case))
    ticked = ("Told #review-ops", "Ticket opened in helpdesk", "Legal hold set", "The service was asked to hold")
    await see("the card ticks off each step", lambda: look.card_with("review-tier1", case, *ticked))
    await scene.press(BEN, "review-tier1", case, "approve")
    await see("Ben approves: the service hears that it is released", lambda: look.callback(case, "case.released"))
    await see("and then the verdict", lambda: look.verdict(case, "approved"))
    await scene.say(GRACE, "review-ops", f"legal-release {case} His letter is answered.")
    await see("Grace, who is named for it, releases the legal hold", scene.told(GRACE, "free of the legal holds"))


async def line_stopped(scene: Scene) -> None:
    """A mail gives away another customer: the workflow stops with it."""
    look, see = scene.observer, scene.see
    scene.chapter("A mail that gives away another customer: the line stops")
    waiting = await scene.post("reply-thanks", "review")
    await see("a harmless mail waits in #review-tier1", lambda: look.card("review-tier1", waiting, verb="approve"))
    leak = await scene.post("reply-leak", "stop")
    await see("the workflow is paused at once, the service knows", lambda: look.workflow("customer-replies", "paused"))
    await see("PagerDuty rings the duty manager", lambda: look.incident(leak, "triggered"))
    await scene.press(BEN, "review-tier1", waiting, "approve")
    await see("Ben approves the harmless one: it is kept back", lambda: look.closed_card("review-tier1", waiting, "kept back"))
    await see("the service hears “held”, not “approved”", lambda: look.callback(waiting, "case.held"))
    await scene.say(HUGO, "review-ops", "resume customer-replies It was only one mail.")
    await see("nobody lets it go on while that case is open", scene.told(HUGO, "still open"))
    await see("its card is in #review-owners", lambda: look.card("review-owners", leak, verb="reject"))
    text = "It names another customer and where she lives."
    await scene.fill_in(GRACE, "review-owners", leak, "reject", "Reject", reason="policy_violation", text=text)
    await see("Grace rejects it", lambda: look.verdict(leak, "rejected"))
    await scene.say(HUGO, "review-ops", "resume customer-replies The search no longer returns other customers' parcels.")
    await see("now Hugo may", lambda: look.workflow("customer-replies", "on"))
    await see("what was kept back is asked afresh", lambda: look.card("review-tier1", waiting, verb="approve"))
    await scene.press(BEN, "review-tier1", waiting, "approve")
    await see("and leaves with a new yes", lambda: look.verdict(waiting, "approved"))
    await see("once", lambda: look.executed(waiting) == 1)


async def broken(scene: Scene) -> None:
    """The figures go wrong: the workflow brakes by itself, people let it go on."""
    look, see = scene.observer, scene.see
    scene.chapter("Half of the tickets were corrected: the breaker trips")
    scene.pass_time(minutes=1)
    await see(
        "a minute later #review-ops has the alert and its figures", lambda: look.bulletin("review-ops", "Alert", "support-tickets", "0.5")
    )
    await see("the service knows that people decide everything now", lambda: look.workflow("support-tickets", "review_all"))
    await scene.press_bulletin(GRACE, "review-ops", "support-tickets", "acknowledge_alert")
    await see("Grace looks after it", lambda: look.bulletin("review-ops", "support-tickets", f"acknowledged by {GRACE}"))
    await scene.press_bulletin(GRACE, "review-ops", "support-tickets", "resume")
    await scene.submit(GRACE, "Resume", {"text": "The sorter learned what smells of burning."})
    await see("and lets it go on", lambda: look.workflow("support-tickets", "on"))


async def policy_changed(scene: Scene) -> None:
    """Another policy: rehearsed, proposed, accepted by a second person."""
    look, see, stage = scene.observer, scene.see, scene.stage
    scene.chapter("A stricter policy: rehearsed, and accepted by a second person")
    await scene.post("sofa", "review")
    made = await stage.app.proposing.propose(
        next_policy(stage), stage.app.policy(), Actor("human", SLACK_IDS[GRACE]), reason="Two chargebacks."
    )
    if not isinstance(made, Proposed):
        raise MissingError(f"the policy could not be proposed: {made.text}")
    await see(
        "its card shows what changes, and on which earlier cases",
        lambda: look.bulletin("review-owners", "demo-2", "The amount is over 500."),
    )
    await scene.press_bulletin(GRACE, "review-owners", "demo-2", "accept_policy")
    await see("Grace, who proposed it, cannot accept it", scene.told(GRACE, "somebody else has to accept"))
    await scene.press_bulletin(HUGO, "review-owners", "demo-2", "accept_policy")
    await see("Hugo does, and it is in force", lambda: look.bulletin("review-owners", "In force for every new case", HUGO))
    await scene.post("sofa", "specialist", task_id="refund-20453")


async def policy_rolled_back(scene: Scene) -> None:
    """And back to the policy before, at once."""
    see = scene.see
    scene.chapter("The stricter policy is rolled back")
    await scene.say(HUGO, "review-ops", "policy rollback Too much for the seniors.")
    await see("one command goes back", scene.told(HUGO, "Rolled back"))
    await scene.post("sofa", "review", task_id="refund-20454")
