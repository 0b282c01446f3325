import pytest

from app.core.settings import ROOT
from app.providers.base import Endpoint
from app.providers.registry import KINDS, Kind, kind_named


@pytest.mark.parametrize("kind", KINDS.values(), ids=lambda kind: kind.name)
def test_every_kind_opens_without_calling_anyone(kind: Kind):
    provider = kind.open(
        Endpoint(kind.default_base_url or "http://127.0.0.1:9/v1", key="sk-secret-0123456789")
    )

    assert callable(provider.stream)
    assert "sk-secret" not in repr(Endpoint("http://127.0.0.1:9", key="sk-secret-0123456789"))


@pytest.mark.parametrize("kind", KINDS.values(), ids=lambda kind: kind.name)
def test_every_kind_has_a_sign(kind: Kind):
    assert f'id="{kind.icon}"' in (ROOT / "static" / "icons.svg").read_text()


@pytest.mark.parametrize(
    ("typed", "name"),
    [
        ("openai", "openai"),
        ("OpenAI-compatible", "openai-compatible"),
        ("openai_compatible", "openai-compatible"),
        ("LM Studio", "lmstudio"),
        ("lm-studio", "lmstudio"),
    ],
)
def test_kinds_are_recognised_as_people_type_them(typed: str, name: str):
    kind = kind_named(typed)

    assert kind is not None
    assert kind.name == name
    assert kind_named("telepathy") is None
