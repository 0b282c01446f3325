"""What templates show of a conversation: values with everything looked up, so that fragments look up nothing."""

from dataclasses import dataclass
from datetime import datetime

from markupsafe import Markup


@dataclass(frozen=True)
class ErrorView:
    title: str
    text: str
    code: str


@dataclass(frozen=True)
class ImageView:
    url: str
    alt: str


@dataclass(frozen=True)
class MessageView:
    """One message in any state. Times in seconds, tokens as counted or estimated; None where unknown."""

    id: str
    chat_id: str
    place: int
    """How many messages of its branch are before it."""
    is_reply: bool
    status: str
    is_running: bool
    is_stopped: bool
    stopped_because: str
    """Empty where a person stopped it."""
    is_interrupted: bool
    author_name: str
    initials: str
    hue: int
    icon: str
    model_label: str
    connection_label: str
    full_model: str
    html: Markup
    images: list[ImageView]
    text: str
    reasoning: str
    reasoning_seconds: int | None
    created_at: datetime
    error: ErrorView | None
    variant_number: int
    variant_count: int
    previous_variant_url: str | None
    next_variant_url: str | None
    left_out: int
    input_tokens: int | None
    output_tokens: int | None
    cached_tokens: int | None
    reasoning_tokens: int | None
    tokens_are_estimated: bool
    cost_micros: int | None
    """Micro-US-dollars; None when the model has no price."""
    first_token_seconds: float | None
    total_seconds: float | None
    has_paused: bool
    """Whether there was a pause before it was continued; `total_seconds` are without it."""
    stream_url: str
    stop_url: str
    retry_url: str | None
    continue_url: str | None


@dataclass(frozen=True)
class ModelCost:
    """What a model's replies in a conversation cost, in micro-US-dollars; None when none of them had a price."""

    label: str
    icon: str
    hue: int
    replies: int
    micros: int | None
    is_whole: bool
    """Whether each of them had a price."""
    is_estimate: bool


@dataclass(frozen=True)
class ChatCost:
    """What a conversation cost, by model."""

    models: list[ModelCost]

    @property
    def micros(self) -> int:
        return sum(model.micros or 0 for model in self.models)

    @property
    def is_estimate(self) -> bool:
        """Whether some of it was estimated, or had no price."""
        return any(model.is_estimate or not model.is_whole for model in self.models)


@dataclass(frozen=True)
class ChatView:
    id: str
    title: str
    model: str
    url: str
    live_url: str
    rename_url: str
    delete_url: str
    is_recorded: bool
    """Whether a program's calls are recorded in it."""


@dataclass(frozen=True)
class ChatLink:
    id: str
    url: str
    title: str
    is_current: bool
    is_running: bool
    is_unread: bool
    is_recorded: bool
    """Whether a program's calls are recorded in it."""
    last_activity_at: datetime


@dataclass(frozen=True)
class ChatGroup:
    label: str
    links: list[ChatLink]


@dataclass(frozen=True)
class SidebarView:
    groups: list[ChatGroup]
    more_url: str | None


@dataclass(frozen=True)
class ModelChoice:
    full_name: str
    label: str
    connection_label: str
    icon: str
    hue: int
    context_window: int | None
    vision: bool
    is_blind: bool
    """Known to see no images, which is more than not known to see them."""
    tools: bool
    reasoning: bool
    price: str
    """For a million tokens in and out, such as `$3 / $15`; `Free`; `No price`."""
    input_rates: str
    """From how many tokens of input on a token costs how much, for a script: `0:3000000 200000:6000000`."""
    is_usable: bool
    why_not: str | None
    is_selected: bool
    stands_for: tuple[str, ...] = ()
    """Of an alias: the full names of the models behind it."""


@dataclass(frozen=True)
class ModelGroup:
    label: str
    icon: str
    hue: int
    models: list[ModelChoice]


@dataclass(frozen=True)
class PickerView:
    selected: ModelChoice | None
    groups: list[ModelGroup]


@dataclass(frozen=True)
class ComposerView:
    """`key` names the next message, so that sending it twice by accident stores it once.

    `body` is what was typed and could not be sent, `refusal` says why. Sizes are in bytes.
    """

    action: str
    placeholder: str
    draft_key: str
    key: str
    image_kinds: str
    most_images: int
    largest_image: int
    most_bytes: int
    body: str = ""
    refusal: str = ""
