"""Block Kit as the sandbox's page draws it: what a reader sees of each block, and that no text breaks out of it."""

from __future__ import annotations

from datetime import UTC, tzinfo
from html.parser import HTMLParser
from typing import Any

import pytest

from bot.sandbox.page.blocks import Drawing
from bot.sandbox.page.views import make_environment

Json = dict[str, Any]
NAMES = {"U1": "Vera Lindqvist", "C1": "review-tier1", "S1": "review-experts"}
HOSTILE = (
    "<script>alert(1)</script>",
    '"><img src=x onerror=alert(1)>',
    "'onmouseover='alert(1)",
    "</pre></div><h1>x",
    "&lt;b&gt;not bold&lt;/b&gt;",
    "{{ 7 * 7 }}{% raw %}",
    "<javascript:alert(1)|click>",
    "<https://evil.example|<b>x</b>>",
    '<https://evil.example/" onclick="alert(1)|x>',
    "<@U1|<i>x</i>> <!date^9^{date}|<u>x</u>>",
    "*_~`<script>`~_*",
    "\x00\u202e\ufeff<svg/onload=alert(1)>",
)
TAGS = frozenset(
    {
        "a",
        "article",
        "blockquote",
        "br",
        "button",
        "code",
        "details",
        "div",
        "em",
        "figcaption",
        "figure",
        "h3",
        "hr",
        "input",
        "label",
        "li",
        "ol",
    }
    | {"optgroup", "option", "p", "pre", "s", "select", "small", "span", "strong", "summary", "table", "td", "textarea", "tr", "u", "ul"}
)


class Known:
    """Three known names, in UTC."""

    timezone: tzinfo = UTC
    now = 200_000.0

    def user(self, user_id: str) -> str | None:
        """A person."""
        return NAMES.get(user_id)

    def channel(self, channel_id: str) -> str | None:
        """A channel."""
        return NAMES.get(channel_id)

    def group(self, group_id: str) -> str | None:
        """A group."""
        return NAMES.get(group_id)


class Elements(HTMLParser):
    """The tags and attributes of a fragment, and its text."""

    def __init__(self, html: str) -> None:
        super().__init__()
        self.tags: list[tuple[str, dict[str, str | None]]] = []
        self.text = ""
        self.feed(html)
        self.close()

    def handle_starttag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        """Keep a tag."""
        self.tags.append((tag, dict(attrs)))

    def handle_data(self, data: str) -> None:
        """Keep text."""
        self.text += data


@pytest.fixture(name="drawing")
def _drawing() -> Drawing:
    return Drawing(make_environment(), Known(), [("U1", "Vera Lindqvist")], [("C1", "#review-tier1")])


def plain(text: str) -> Json:
    """A plain_text object."""
    return {"type": "plain_text", "text": text}


def option(text: str, value: str) -> Json:
    """An option."""
    return {"text": plain(text), "value": value}


@pytest.mark.parametrize(
    ("text", "html"),
    [
        ("*bold* _italic_ ~struck~ `code`", "<strong>bold</strong> <em>italic</em> <s>struck</s> <code>code</code>"),
        ("2*3*4 snake_case_name a~b~c", "2*3*4 snake_case_name a~b~c"),
        ("*bold _and italic_*", "<strong>bold <em>and italic</em></strong>"),
        ("one\ntwo", "one<br>two"),
        ("&gt; quoted\n&gt; more\nafter", "<blockquote>quoted<br>more</blockquote>after"),
        ("```a &lt; b\n*c*```", '<pre class="pre">a &lt; b\n*c*</pre>'),
        ("<@U1> <#C1> <!subteam^S1>", "@Vera Lindqvist #review-tier1 @review-experts"),
        ("<@U9> <!here>", "@U9 @here"),
        ("<!date^0^{date_num} {time}|old>", "1970-01-01 00:00"),
        ("<!date^200060^{date_short_pretty} {time}, {ago}|old>", "today 07:34, in 1 minute"),
        ("<!date^86400^{date_pretty} or {date}, {ago}|old>", "yesterday or January 2, 1970, 1 day ago"),
        (
            "<!date^0^{time}^https://a.example/x|old>",
            '<a href="https://a.example/x" target="_blank" rel="noopener noreferrer nofollow">00:00</a>',
        ),
        (":warning: :no_such_thing:", "⚠️ :no_such_thing:"),
        ("&amp;lt;", "&amp;lt;"),
    ],
)
def test_mrkdwn_reads_as_in_slack(drawing: Drawing, text: str, html: str) -> None:
    """Formatting, mentions, dates, emoji and the three entities come out as Slack shows them."""
    drawn = str(drawing.mrkdwn(text))
    assert html in (drawn if "<" in html or "&" in html else Elements(drawn).text)


def test_links_open_apart_and_only_where_a_browser_may_go(drawing: Drawing) -> None:
    """http, https and mailto become links without a referrer; any other scheme stays text."""
    drawn = Elements(
        str(drawing.mrkdwn("<https://a.example|label> https://b.example/x?y=1&amp;z=2 <javascript:alert(1)|no> <mailto:c@d.example>"))
    )
    links = [attrs for tag, attrs in drawn.tags if tag == "a"]
    assert [link["href"] for link in links] == ["https://a.example", "https://b.example/x?y=1&z=2", "mailto:c@d.example"]
    assert all(link["target"] == "_blank" and "noopener" in str(link["rel"]) for link in links)
    assert "javascript:alert(1)" in drawn.text


def test_rich_text_keeps_its_structure(drawing: Drawing) -> None:
    """Sections, lists, quotes and preformatted text are drawn as such, with styles and mentions."""

    def text(words: str, **style: bool) -> Json:
        return {"type": "text", "text": words, "style": style}

    block = {
        "type": "rich_text",
        "elements": [
            {
                "type": "rich_text_section",
                "elements": [text("bold", bold=True), {"type": "user", "user_id": "U1"}, {"type": "emoji", "name": "eyes"}],
            },
            {
                "type": "rich_text_list",
                "style": "ordered",
                "offset": 2,
                "elements": [{"type": "rich_text_section", "elements": [text("third")]}],
            },
            {"type": "rich_text_quote", "elements": [text("said", italic=True)]},
            {"type": "rich_text_preformatted", "elements": [text("- old\n+ new <b>")]},
        ],
    }
    drawn = str(drawing.blocks([block]))
    assert "<strong>bold</strong>" in drawn
    assert "@Vera Lindqvist" in drawn
    assert "👀" in drawn
    assert '<ol class="indent-0" start="3"><li>third</li></ol>' in drawn
    assert "<blockquote><em>said</em></blockquote>" in drawn
    assert '<pre class="pre">- old\n+ new &lt;b&gt;</pre>' in drawn


def corpus(text: str) -> list[Json]:
    """Every block the page draws, with `text` wherever text can stand."""
    mrkdwn = {"type": "mrkdwn", "text": text}
    confirm = {"title": plain(text), "text": plain(text), "confirm": plain(text), "deny": plain(text), "style": "danger"}
    menu = {"action_id": text, "placeholder": plain(text), "options": [option(text, text)]}
    selects = [{"type": kind, **menu} for kind in ("static_select", "multi_static_select", "overflow", "checkboxes", "radio_buttons")]
    inputs = [
        {"type": f"{kind}_input", "action_id": text, "initial_value": text, "placeholder": plain(text)}
        for kind in ("plain_text", "number", "email_text", "url_text")
    ]
    grouped = {"type": "static_select", "action_id": "g", "option_groups": [{"label": plain(text), "options": [option(text, "v")]}]}
    elements = [
        *(
            {"type": "button", "action_id": text, "text": plain(text), "value": text, "style": style, "confirm": confirm}
            for style in ("primary", "danger")
        ),
        {"type": "button", "action_id": "link", "text": plain(text), "url": "javascript:" + text, "accessibility_label": text},
        {"type": "users_select", "action_id": text},
        {"type": "datepicker", "action_id": text, "initial_date": text},
        {"type": "workflow_button", "text": plain(text)},
        grouped,
        *selects,
    ]
    styled = {"bold": True, "italic": True, "strike": True, "underline": True, "code": True}
    runs: list[Json] = [
        {"type": "text", "text": text, "style": styled},
        {"type": "link", "url": text, "text": text},
        {"type": "user", "user_id": text},
        {"type": "usergroup", "usergroup_id": text},
        {"type": "channel", "channel_id": text},
        {"type": "broadcast", "range": text},
        {"type": "date", "timestamp": 0, "format": text},
        {"type": "color", "value": text},
        {"type": "emoji", "name": text},
        {"type": text},
    ]
    rich: list[Json] = [{"type": f"rich_text_{kind}", "elements": runs} for kind in ("section", "quote", "preformatted")]
    rich.append({"type": "rich_text_list", "style": text, "elements": rich[:1]})
    return [
        {"type": "header", "text": plain(text)},
        {"type": "section", "text": mrkdwn, "fields": [mrkdwn, plain(text)], "accessory": elements[0]},
        {"type": "context", "elements": [mrkdwn, {"type": "image", "image_url": text, "alt_text": text}]},
        {"type": "divider"},
        {"type": "image", "title": plain(text), "image_url": text, "alt_text": text},
        {"type": "actions", "block_id": text, "elements": elements},
        {"type": "markdown", "text": f"# {text}\n- {text}\n> {text}\n**{text}** [{text}]({text})\n```\n{text}\n```"},
        {"type": "table", "rows": [[{"type": "raw_text", "text": text}]]},
        {"type": "alert", "level": "warning", "text": mrkdwn},
        {"type": text},
        {"type": "rich_text", "elements": rich},
        *(
            {"type": "input", "block_id": text, "label": plain(text), "hint": plain(text), "element": element}
            for element in (*inputs, *selects, elements[4])
        ),
        {
            "type": "input",
            "block_id": "m",
            "label": plain(text),
            "element": {"type": "plain_text_input", "action_id": "a", "multiline": True, "initial_value": text},
        },
    ]


@pytest.mark.parametrize("text", ["harmless", *HOSTILE])
def test_no_text_breaks_out(drawing: Drawing, text: str) -> None:
    """Whatever a case holds, the page gets only its own tags, no handlers, no foreign addresses, and balanced markup."""
    drawn = Elements(str(drawing.blocks(corpus(text), {text: text})))
    harmless = Elements(str(drawing.blocks(corpus("harmless"), {"harmless": "harmless"})))
    assert {tag for tag, _ in drawn.tags} <= TAGS
    for tag, attrs in drawn.tags:
        assert not [name for name in attrs if name.startswith("on") or name in ("src", "style", "srcdoc")], (tag, attrs)
        assert str(attrs.get("href", "#")).startswith(("#", "https://", "http://", "mailto:"))
    structural = ("div", "button", "select", "textarea", "input", "label", "form", "h3", "figure", "td")
    assert [tag for tag, _ in drawn.tags if tag in structural] == [tag for tag, _ in harmless.tags if tag in structural]


def test_a_message_without_blocks_shows_its_text_and_attachments(drawing: Drawing) -> None:
    """Text only where there are no blocks; attachments below; dates that are none show their fallback."""
    message = {"text": "*plain*", "attachments": [{"text": "attached"}, {"blocks": [{"type": "section", "text": plain("in blocks")}]}]}
    drawn = str(drawing.message(message))
    assert "<strong>plain</strong>" in drawn
    assert drawn.count('class="attachment"') == 2
    assert "in blocks" in drawn
    assert "plain" not in str(drawing.message({"text": "*plain*", "blocks": [{"type": "divider"}]}))
    assert "soon" in str(drawing.mrkdwn("<!date^99999999999999999999^{date}|soon>"))


def test_what_cannot_be_drawn_says_so(drawing: Drawing) -> None:
    """An unknown block is named, not hidden."""
    assert "“video” is not drawn here" in str(drawing.blocks([{"type": "video"}]))


def test_inputs_start_with_what_the_app_gave(drawing: Drawing) -> None:
    """Initial values, chosen options, optional marks and errors are on the form."""
    blocks: list[Json] = [
        {
            "type": "input",
            "block_id": "a",
            "label": plain("Amount"),
            "element": {"type": "plain_text_input", "action_id": "x", "initial_value": "12.40"},
        },
        {
            "type": "input",
            "block_id": "b",
            "optional": True,
            "label": plain("Reason"),
            "element": {
                "type": "static_select",
                "action_id": "y",
                "options": [option("One", "1"), option("Two", "2")],
                "initial_option": option("Two", "2"),
            },
        },
    ]
    html = str(drawing.blocks(blocks, {"a": "Too much."}))
    drawn = Elements(html)
    assert ("input", "12.40") in [(tag, attrs.get("value")) for tag, attrs in drawn.tags]
    assert [attrs["value"] for tag, attrs in drawn.tags if tag == "option" and "selected" in attrs] == ["2"]
    assert "Too much." in drawn.text
    assert "(optional)" in drawn.text
    assert 'for="in-a"' in html


@pytest.mark.parametrize(
    "text", ["*" * 3000, "<" * 3000, "_*~" * 1000, "`" * 2999, "&gt;" * 700 + "x", "<@" * 1500, "*a" * 1500, "[" * 3000]
)
def test_long_odd_text_is_drawn_in_time(drawing: Drawing, text: str) -> None:
    """The longest texts Slack takes do not make the page stall (the suite's time limit judges) and keep every character."""
    assert Elements(str(drawing.mrkdwn(text))).text.replace("\n", "") != ""
    assert drawing.blocks([{"type": "markdown", "text": text}])
