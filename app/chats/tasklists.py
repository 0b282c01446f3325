"""Task lists in Markdown: `- [ ] to do` and `- [x] done`, as boxes that show and do not change."""

import re
from collections.abc import Sequence

from markdown_it import MarkdownIt
from markdown_it.rules_core import StateCore
from markdown_it.token import Token

BOX = re.compile(r"\[([ xX])\]\s+")
LENGTH_OF_BOX = len("[ ]")
LISTS = ("bullet_list", "ordered_list")


def task_lists(markdown: MarkdownIt) -> None:
    """Teach a parser task lists; their boxes are the only `html_inline` tokens it makes."""
    markdown.core.ruler.after("inline", "task_lists", _mark_tasks)


def _mark_tasks(state: StateCore) -> None:
    # Open lists are kept at hand: looking back for each item's list takes minutes in a list of thousands.
    lists: list[Token] = []
    for index, token in enumerate(state.tokens):
        if token.type.startswith(LISTS):
            lists.append(token) if token.nesting > 0 else lists.pop()
        elif _is_first_text_of_item(state.tokens, index) and (box := BOX.match(token.content)):
            _put_box(token, is_done=box[1] != " ")
            state.tokens[index - 2].attrSet("class", "task-list-item")
            lists[-1].attrSet("class", "contains-task-list")


def _is_first_text_of_item(tokens: Sequence[Token], index: int) -> bool:
    before = [token.type for token in tokens[max(0, index - 2) : index]]
    return tokens[index].type == "inline" and before == ["list_item_open", "paragraph_open"]


def _put_box(text: Token, *, is_done: bool) -> None:
    children = text.children or []
    checked = ' checked="checked"' if is_done else ""
    html = f'<input class="task-list-item-checkbox"{checked} disabled="disabled" type="checkbox">'
    children[0].content = children[0].content[LENGTH_OF_BOX:]
    text.children = [Token("html_inline", "", 0, content=html), *children]
