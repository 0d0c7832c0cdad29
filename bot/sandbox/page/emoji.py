"""Emoji short names as Slack writes them, the common ones. An unknown name stays as text."""

from __future__ import annotations

import re

_SHORTCODE = re.compile(r":([a-z0-9_+'-]{1,40}):(?::skin-tone-[2-6]:)?")

# ruff: noqa: RUF001  # emoji look like other things by design
EMOJI = {
    "+1": "👍", "-1": "👎", "100": "💯", "alarm_clock": "⏰", "ambulance": "🚑", "arrow_down": "⬇️", "arrow_left": "⬅️",
    "arrow_right": "➡️", "arrow_up": "⬆️", "arrows_counterclockwise": "🔄", "ballot_box_with_check": "☑️", "bar_chart": "📊",
    "bell": "🔔", "black_circle": "⚫", "bookmark": "🔖", "boom": "💥", "brain": "🧠", "bug": "🐛", "bulb": "💡",
    "bust_in_silhouette": "👤", "busts_in_silhouette": "👥", "calendar": "📆", "chart_with_downwards_trend": "📉",
    "chart_with_upwards_trend": "📈", "checkered_flag": "🏁", "clipboard": "📋", "closed_lock_with_key": "🔐", "cloud": "☁️",
    "construction": "🚧", "credit_card": "💳", "eyes": "👀", "exclamation": "❗", "fire": "🔥", "fire_engine": "🚒",
    "first_place_medal": "🥇", "flashlight": "🔦", "gear": "⚙️", "grey_question": "❔", "hammer": "🔨", "hand": "✋",
    "handshake": "🤝", "heart": "❤️", "heavy_check_mark": "✔️", "heavy_minus_sign": "➖", "heavy_multiplication_x": "✖️",
    "heavy_plus_sign": "➕", "hourglass": "⌛", "hourglass_flowing_sand": "⏳", "house": "🏠", "inbox_tray": "📥",
    "information_source": "ℹ️", "key": "🔑", "label": "🏷️", "large_blue_circle": "🔵", "large_green_circle": "🟢",
    "large_orange_circle": "🟠", "large_purple_circle": "🟣", "large_red_square": "🟥", "large_yellow_circle": "🟡",
    "leftwards_arrow_with_hook": "↩️", "link": "🔗", "lock": "🔒", "loudspeaker": "📢", "mag": "🔍", "mega": "📣", "memo": "📝",
    "money_with_wings": "💸", "moneybag": "💰", "mute": "🔇", "negative_squared_cross_mark": "❎", "no_bell": "🔕",
    "no_entry": "⛔", "no_entry_sign": "🚫", "octagonal_sign": "🛑", "ok": "🆗", "ok_hand": "👌", "outbox_tray": "📤",
    "package": "📦", "pager": "📟", "paperclip": "📎", "pause_button": "⏸️", "double_vertical_bar": "⏸️", "pencil": "✏️",
    "pencil2": "✏️", "phone": "☎️", "telephone_receiver": "📞", "point_right": "👉", "pray": "🙏", "pushpin": "📌", "question": "❓",
    "raised_hand": "✋", "raising_hand": "🙋", "receipt": "🧾", "recycle": "♻️", "red_circle": "🔴", "repeat": "🔁",
    "robot_face": "🤖", "rocket": "🚀", "rotating_light": "🚨", "scales": "⚖️", "scroll": "📜", "shield": "🛡️", "sleeping": "😴",
    "small_blue_diamond": "🔹", "small_orange_diamond": "🔸", "smile": "😄", "smiley": "😃", "snowflake": "❄️", "sos": "🆘",
    "sparkles": "✨", "speech_balloon": "💬", "star": "⭐", "stopwatch": "⏱️", "tada": "🎉", "test_tube": "🧪", "thinking_face": "🤔",
    "thumbsdown": "👎", "thumbsup": "👍", "ticket": "🎫", "traffic_light": "🚦", "twisted_rightwards_arrows": "🔀",
    "unlock": "🔓", "vertical_traffic_light": "🚦", "warning": "⚠️", "wave": "👋", "wastebasket": "🗑️", "white_check_mark": "✅",
    "white_circle": "⚪", "large_white_circle": "⚪", "woman-raising-hand": "🙋‍♀️", "wrench": "🔧", "x": "❌", "zap": "⚡", "zzz": "💤",
    "arrow_forward": "▶️", "black_square_for_stop": "⏹️", "fast_forward": "⏩", "rewind": "⏪", "dart": "🎯", "compass": "🧭",
    "detective": "🕵️", "sleuth_or_spy": "🕵️", "card_index_dividers": "🗂️", "file_folder": "📁", "page_facing_up": "📄",
    "page_with_curl": "📃", "email": "📧", "envelope": "✉️", "incoming_envelope": "📨", "spiral_calendar_pad": "🗓️",
}  # fmt: skip


def with_emoji(text: str) -> str:
    """`text` with the known short names replaced."""
    return _SHORTCODE.sub(lambda found: EMOJI.get(found[1], found[0]), text)
