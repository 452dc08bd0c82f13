"""Phrases that customer success people write: subjects, notes, tickets, comments."""

from __future__ import annotations

TOUCHPOINTS: dict[str, tuple[tuple[str, str], ...]] = {
    "email": (
        (
            "Your March shipment report",
            "Sent the report they asked for, with the late lanes marked.",
        ),
        (
            "Question on carrier match",
            "They want to exclude two carriers. Explained the rule editor.",
        ),
        (
            "Harbor release notes",
            "Shared what is new: share links expire, and exports can be timed.",
        ),
        ("Re: seats for the new depot", "Asked how many dispatchers will need a login."),
        ("Follow-up to our call", "Summary, and the three things we promised to look at."),
        ("Renewal paperwork", "Sent the order form; their procurement needs two weeks."),
    ),
    "phone": (
        ("Check-in call", "All well. The night shift still plans on paper."),
        ("Call about exception alerts", "Too many alerts on rail. Agreed to raise the threshold."),
        ("Billing question", "The credit of last month was not on the statement. Passed it on."),
        ("Short call with the planner", "New planner starts on Monday and needs training."),
    ),
    "meeting": (
        ("Quarterly business review", "Showed saved hours per planner. They want this by depot."),
        ("Kick-off", "Goals: all sea bookings in Harbor by the end of the quarter."),
        ("Roadmap session", "Most interested in customs packs and carbon figures."),
        ("Training: load builder", "Eight people, two hours. Recording requested."),
    ),
    "in_person": (
        ("Visit at the main warehouse", "Walked the floor. Scanners lose the network at dock 4."),
        ("Executive lunch", "COO is happy with tracking, less so with the export."),
    ),
    "web": (
        ("Webinar: exceptions without e-mail", "Three of their people joined and stayed."),
        ("Health check survey", "Filled in; asks for more templates."),
    ),
    "community post": (("Answered in the community", "Posted how to group stops by time window."),),
}

SUB_TYPES = {
    "email": ("follow-up", "newsletter", "renewal", None),
    "phone": ("check-in", "escalation", None),
    "meeting": ("QBR", "kick-off", "training"),
    "in_person": ("site visit", "executive"),
    "web": ("webinar", "survey"),
    "community post": (None,),
}

NOTES = (
    "Budget round is in October; anything new must be on the list by then.",
    "Champion moved to another department. Her deputy knows the product well.",
    "They compare us with a spreadsheet. Show the time saved, not the features.",
    'Prefers short mails: "three lines, then the number".',
    "Peak season from mid-September, no trainings before December.",
    "Two depots are still on the old planning tool. Migration stalls on master data.",
    "Wants single sign-on before more seats are ordered.",
    "Very happy with the live map; the board has seen it.",
    "Invoices go to shared services now, the address has changed.",
    "Sponsor is retiring in spring; get to know the successor, before he decides.",
)

DOCUMENTS = (
    ("Success plan", "link", "plan"),
    ("Order form", "file", "contract"),
    ("Master agreement", "file", "contract"),
    ("QBR slides", "file", "presentation"),
    ("Integration sketch", "link", "technical"),
    ("Training recording", "link", "video"),
    ("Data processing agreement", "file", "legal"),
)

DEALS = (
    ("More seats for planners", 1),
    ("Analytics add-on", 2),
    ("Second site", 4),
    ("Carbon report", 1),
    ("Three-year renewal", 8),
    ("EDI gateway", 3),
)

ALERTS: dict[str, tuple[str, ...]] = {
    "churn": ("Usage fell by a third", "Champion has left", "Two invoices overdue"),
    "renewal": ("Renewal in 90 days", "Renewal in 30 days"),
    "expansion": ("Seats nearly used up", "New depot announced"),
    "conversion": ("Trial ends in a week",),
    "engagement": ("No login for 14 days", "Onboarding behind plan"),
    "data quality": ("Carrier feed is silent",),
}

TASKS = (
    "Prepare the business review",
    "Call the sponsor",
    "Check the carrier feed with support",
    "Send the training plan",
    "Update the success plan",
    "Ask for a reference",
    "Confirm seat count before renewal",
    "Book the onboarding workshop",
)

GOALS = (
    "All sea bookings in Harbor",
    "Cut manual status mails by half",
    "Train every dispatcher",
    "Live tracking for the top ten customers",
    "Carbon figures in the annual report",
    "Single sign-on for all sites",
)

TICKETS: dict[str, tuple[str, ...]] = {
    "problem": (
        "Live map stays empty after login",
        "ETA alert sent twice",
        "Export stops at 10,000 rows",
        "Customs pack: wrong tariff number",
        "Load builder ignores axle weight",
        "Umlauts broken in the bill of lading",
    ),
    "question": (
        "How do I share a route with a carrier?",
        "Can two depots use one template?",
        "Where do I see who changed a booking?",
        "Which file format for carrier rates?",
    ),
    "incident": ("Login not possible", "Tracking delayed by an hour", "API answers with 502"),
    "task": ("Please add a user role", "Please merge two carriers", "New logo on documents"),
}

COMMENTS: dict[str, tuple[str | None, ...]] = {
    "promoter": (
        "Saves us an hour a day.",
        "The live map is great, our customers love it.",
        "Support is quick and kind.",
        None,
        None,
    ),
    "passive": ("Good, but exports are slow.", "Does what it should.", None, None),
    "detractor": (
        "Too many clicks for a simple booking.",
        "Alerts, alerts, alerts …",
        "We waited nine days for an answer.",
        None,
    ),
}
