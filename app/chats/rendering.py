"""Markdown to HTML: the one renderer, for stream and history, for people and models; sanitised last.

Raw HTML in a message is shown as the text it is, images become links (nothing remote is loaded), and
whatever the renderer made passes an allow-list, so that even a mistake here could not carry a script.
"""

import asyncio
import re
import time
from collections.abc import Sequence
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass
from functools import lru_cache, partial
from html import escape

import nh3
from linkify_it import LinkifyIt
from markdown_it import MarkdownIt
from markdown_it.renderer import RendererHTML
from markdown_it.rules_inline import StateInline
from markdown_it.rules_inline.linkify import linkify
from markdown_it.token import Token
from markdown_it.utils import EnvType, OptionsDict
from markupsafe import Markup
from pygments import lex
from pygments.lexer import Lexer
from pygments.lexers import get_lexer_by_name
from pygments.token import STANDARD_TYPES, _TokenType
from pygments.util import ClassNotFound

from app.chats.tasklists import task_lists

LONGEST_HIGHLIGHTED = 100_000
"""Characters of code beyond which colours cost more than they give."""
SECONDS_FOR_COLOURS = 0.5
"""Processor time for all the code in a text: some lexers take minutes for what was written to hold them up."""
LONGEST_OF_PEOPLE = 20_000
"""Characters beyond which what a person wrote is a paste, and shown as it is."""
LONG = 3_000
"""Characters from which rendering may take so long that everybody else would notice."""
LONGEST_ADDRESS = 2_000

_ALIGNMENTS = {"align-left", "align-center", "align-right"}
_TOKEN_CLASSES = {name for name in STANDARD_TYPES.values() if name}
_sanitiser = nh3.Cleaner(
    tags=set(
        "a blockquote br code del div em figcaption figure h1 h2 h3 h4 h5 h6 hr input li ol p pre s span "
        "strong table tbody td th thead tr ul".split()
    ),
    attributes={
        "a": {"href", "title", "target"},
        "ol": {"start"},
        "pre": {"tabindex"},
        "div": {"tabindex", "aria-label"},
    },
    tag_attribute_values={
        "input": {
            "type": {"checkbox"},
            "disabled": {"disabled", ""},
            "checked": {"checked", ""},
            "aria-label": {"Done", "To do"},
        },
        "div": {"role": {"group"}},
        "p": {"dir": {"auto"}},
        "li": {"dir": {"auto"}},
        **{f"h{level}": {"dir": {"auto"}} for level in range(1, 7)},
    },
    allowed_classes={
        "div": {"prose__table"},
        "figure": {"code"},
        "figcaption": {"code__bar"},
        "span": _TOKEN_CLASSES,
        "ul": {"contains-task-list"},
        "ol": {"contains-task-list"},
        "li": {"task-list-item"},
        "input": {"task-list-item-checkbox"},
        "th": _ALIGNMENTS,
        "td": _ALIGNMENTS,
    },
    link_rel="noopener noreferrer nofollow",
    url_schemes={"http", "https", "mailto"},
    url_relative="deny",
)


@dataclass(frozen=True)
class Block:
    """A top-level piece of Markdown: lines `first_line` to `end_line` (exclusive) of its source."""

    first_line: int
    end_line: int
    kind: str
    """`fence` for fenced code, else the name of another Markdown construct."""
    code: str
    """The code itself, for a fence."""
    language: str
    html: Markup


def render(text: str, *, is_of_person: bool = False) -> Markup:
    """The whole text as safe HTML. People's line breaks are kept, models' follow Markdown's rules."""
    return (_remembered if len(text) < LONG else _remembered_shortly)(text, is_of_person)


async def render_aside(text: str, *, is_of_person: bool = False) -> Markup:
    """The same, but a long text goes to a thread: what takes seconds holds up nobody else."""
    if len(text) < LONG:
        return render(text, is_of_person=is_of_person)
    rendering = partial(render, text, is_of_person=is_of_person)
    return await asyncio.get_running_loop().run_in_executor(_threads, rendering)


def _render(text: str, is_of_person: bool) -> Markup:
    if is_of_person and len(text) > LONGEST_OF_PEOPLE:
        return Markup(code_figure(text, ""))  # noqa: S704  (escaped by code_figure)
    markdown = _for_people if is_of_person else _for_models
    return Markup(_sanitiser.clean(str(markdown.render(text))))  # noqa: S704  (sanitised on this line)


_remembered = lru_cache(maxsize=1024)(_render)
# Few: each may be megabytes.
_remembered_shortly = lru_cache(maxsize=64)(_render)
_threads = ThreadPoolExecutor(1, thread_name_prefix="markdown")


def render_blocks(text: str) -> list[Block]:
    """A model's text as its top-level blocks, each rendered by itself."""
    environment: EnvType = {}
    tokens = _for_models.parse(text, environment)
    return [_block(group, environment) for group in _top_level_groups(tokens)]


def _block(tokens: Sequence[Token], environment: EnvType) -> Block:
    first = tokens[0]
    first_line, end_line = first.map or (0, 0)
    html = _for_models.renderer.render(tokens, _for_models.options, environment)
    is_fence = first.type == "fence"
    return Block(
        first_line,
        end_line,
        first.type,
        code=first.content if is_fence else "",
        language=_language(first) if is_fence else "",
        html=Markup(_sanitiser.clean(str(html))),  # noqa: S704  (sanitised on this line)
    )


def _top_level_groups(tokens: Sequence[Token]) -> list[Sequence[Token]]:
    groups, start, depth = [], 0, 0
    for index, token in enumerate(tokens):
        depth += token.nesting
        if depth == 0:
            groups.append(tokens[start : index + 1])
            start = index + 1
    return groups


def code_figure(code: str, language: str, *, colours_until: float = 0) -> str:
    """A block of code with its language; buttons are added in the browser.

    It is coloured while the thread's processor time is before `colours_until`, in seconds.
    """
    body = _highlight(code, language, colours_until) or escape(code, quote=False)
    label = escape(language or "text")
    return (
        f'<figure class="code"><figcaption class="code__bar">{label}</figcaption>'
        f'<pre tabindex="0"><code>{body}</code></pre></figure>\n'
    )


def _highlight(code: str, language: str, until: float) -> str:
    """The code with colours, or nothing when that takes too long."""
    lexer = _lexer(language) if until else None
    if lexer is None or len(code) > LONGEST_HIGHLIGHTED:
        return ""
    pieces = []
    for kind, text in lex(code, lexer):
        if time.thread_time() > until:
            return ""
        pieces.append(_coloured(kind, text))
    return "".join(pieces)


def _coloured(kind: _TokenType, text: str) -> str:
    short = STANDARD_TYPES.get(kind, "")
    body = escape(text, quote=False)
    return f'<span class="{short}">{body}</span>' if short and not text.isspace() else body


@lru_cache(maxsize=128)
def _lexer(language: str) -> Lexer | None:
    try:
        return get_lexer_by_name(language, stripnl=False, ensurenl=False)
    except ClassNotFound:
        return None


def _language(token: Token) -> str:
    return token.info.strip().split(maxsplit=1)[0][:40] if token.info.strip() else ""


class _Renderer(RendererHTML):
    """Our differences from plain CommonMark output; each method renders the token it is named after."""

    def fence(self, tokens: Sequence[Token], idx: int, options: OptionsDict, env: EnvType) -> str:
        # One end for all the code of a text: thousands of small blocks get no more than one large one.
        until = env.setdefault("colours_until", time.thread_time() + SECONDS_FOR_COLOURS)
        return code_figure(tokens[idx].content, _language(tokens[idx]), colours_until=until)

    def code_block(self, tokens: Sequence[Token], idx: int, options: OptionsDict, env: EnvType) -> str:
        return code_figure(tokens[idx].content, "")

    def html_inline(self, tokens: Sequence[Token], idx: int, options: OptionsDict, env: EnvType) -> str:
        # Only the boxes of task lists come this way: HTML of the text's own stays text.
        box = tokens[idx].content
        label = "Done" if "checked=" in box else "To do"
        return box.replace("<input ", f'<input aria-label="{label}" ')

    def image(self, tokens: Sequence[Token], idx: int, options: OptionsDict, env: EnvType) -> str:
        # Loading it would tell a stranger's server who reads this, and when.
        source = escape(str(tokens[idx].attrGet("src") or ""))
        return f'<a href="{source}" target="_blank">{escape(tokens[idx].content or "image")}</a>'

    def link_open(self, tokens: Sequence[Token], idx: int, options: OptionsDict, env: EnvType) -> str:
        tokens[idx].attrSet("target", "_blank")
        return self.renderToken(tokens, idx, options, env)

    def table_open(self, tokens: Sequence[Token], idx: int, options: OptionsDict, env: EnvType) -> str:
        return '<div class="prose__table" tabindex="0" role="group" aria-label="Table"><table>\n'

    def table_close(self, tokens: Sequence[Token], idx: int, options: OptionsDict, env: EnvType) -> str:
        return "</table></div>\n"

    def th_open(self, tokens: Sequence[Token], idx: int, options: OptionsDict, env: EnvType) -> str:
        return self._cell(tokens[idx])

    def td_open(self, tokens: Sequence[Token], idx: int, options: OptionsDict, env: EnvType) -> str:
        return self._cell(tokens[idx])

    def paragraph_open(self, tokens: Sequence[Token], idx: int, options: OptionsDict, env: EnvType) -> str:
        return self._in_its_own_direction(tokens, idx, options, env)

    def list_item_open(self, tokens: Sequence[Token], idx: int, options: OptionsDict, env: EnvType) -> str:
        return self._in_its_own_direction(tokens, idx, options, env)

    def heading_open(self, tokens: Sequence[Token], idx: int, options: OptionsDict, env: EnvType) -> str:
        return self._in_its_own_direction(tokens, idx, options, env)

    def _in_its_own_direction(
        self, tokens: Sequence[Token], idx: int, options: OptionsDict, env: EnvType
    ) -> str:
        """Right-to-left and left-to-right paragraphs may alternate."""
        if not tokens[idx].hidden:
            tokens[idx].attrSet("dir", "auto")
        return self.renderToken(tokens, idx, options, env)

    @staticmethod
    def _cell(token: Token) -> str:
        # Markdown-it aligns by a style attribute, which our Content-Security-Policy forbids.
        style = str(token.attrGet("style") or "")
        alignment = f' class="align-{style.rpartition(":")[2]}"' if style else ""
        return f"<{token.tag}{alignment}>"


class _Addresses(LinkifyIt):  # type: ignore[misc]  # the library has no types
    """Finds addresses in text, but not in what goes on without a space for longer than any address.

    There its work would grow with the square of the length.
    """

    def pretest(self, text: str) -> bool:
        return bool(super().pretest(text)) and not _BEYOND_ADDRESSES.search(text)

    def match_at_start(self, text: str) -> object:
        return None if _BEYOND_ADDRESSES.match(text) else super().match_at_start(text)


_BEYOND_ADDRESSES = re.compile(rf"\S{{{LONGEST_ADDRESS + 1}}}")


def _address_here(state: StateInline, silent: bool) -> bool:
    # For each colon it reads again all that stands before; what is passed over here is found afterwards.
    return len(state.pending) <= LONGEST_ADDRESS and linkify(state, silent)


def _parser(*, breaks: bool) -> MarkdownIt:
    options = {"html": False, "linkify": True, "breaks": breaks, "maxNesting": 30}
    markdown = MarkdownIt("gfm-like", options, renderer_cls=_Renderer).use(task_lists)
    # Only what says http:// is a link: "app.py" is not a place in Paraguay.
    markdown.inline.ruler.at("linkify", _address_here)
    markdown.linkify = _Addresses(options={"fuzzy_link": False, "fuzzy_email": False})
    return markdown


_for_people = _parser(breaks=True)
_for_models = _parser(breaks=False)
