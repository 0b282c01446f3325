"""What each vendor's refusals become: the right error, with a cause and a remedy, and no secret in it."""

import pytest

from app.providers import errors
from app.providers.anthropic import Anthropic
from app.providers.openai_compatible import OpenAICompatible
from app.providers.wire.quoting import quoted, words_of
from tests.providers.fake_server import FakeServer, transcript
from tests.providers.reading import endpoint, hear, question

KEY = "sk-test-0123456789"


@pytest.mark.parametrize(
    ("story", "error"),
    [
        ("openai/bad_key", errors.KeyRejected),
        ("openai/no_quota", errors.OutOfCredit),
        ("openai/rate_limited", errors.RateLimited),
        ("openai/context_too_long", errors.ContextTooLong),
        ("openai/no_such_model", errors.ModelGone),
        ("openai/server_error", errors.Overloaded),
        ("openai/refuses_content", errors.RequestRefused),
        ("openai/quotes_about_keys", errors.RequestRefused),
        ("groq/capacity", errors.Overloaded),
        ("anthropic/bad_key", errors.KeyRejected),
        ("anthropic/low_credit", errors.OutOfCredit),
        ("anthropic/spend_limit", errors.OutOfCredit),
        ("anthropic/rate_limited", errors.RateLimited),
        ("anthropic/overloaded", errors.Overloaded),
        ("anthropic/no_such_model", errors.ModelGone),
        ("anthropic/too_large", errors.RequestRefused),
        ("openai/not_in_this_country", errors.NotPermitted),
        ("openai/no_access_to_model", errors.ModelGone),
        ("anthropic/not_permitted", errors.NotPermitted),
        ("compatible/flagged_openrouter", errors.NotPermitted),
        ("ollama/queue_full", errors.Overloaded),
        ("compatible/bad_gateway", errors.Overloaded),
        ("compatible/redirect", errors.Misaddressed),
        ("compatible/html", errors.NotTheProtocol),
        ("compatible/bad_key_google", errors.KeyRejected),
        ("compatible/context_vllm", errors.ContextTooLong),
        ("compatible/context_llama_cpp", errors.ContextTooLong),
    ],
)
@pytest.mark.parametrize("streaming", [True, False])
async def test_every_refusal_has_its_error(
    server: FakeServer, story: str, error: type[errors.ProviderError], streaming: bool
):
    server.plays(story)
    provider = OpenAICompatible(endpoint(f"{server.url}/v1", key=KEY, retries=0, label="Workshop"))

    with pytest.raises(errors.ProviderError) as raised:
        await hear(provider.stream(question(streaming=streaming)))

    assert type(raised.value) is error
    assert raised.value.cause.endswith((".", "”"))
    assert raised.value.remedy.endswith(".")
    assert KEY not in str(raised.value)


@pytest.mark.parametrize(
    ("story", "excess"),
    [
        ("openai/context_too_long", 7_223),
        ("compatible/context_vllm", 904),
        ("compatible/context_llama_cpp", 904),
        ("lmstudio/context_too_long", 904),
    ],
)
async def test_by_how_much_it_is_too_long(server: FakeServer, story: str, excess: int):
    server.plays(story)

    with pytest.raises(errors.ContextTooLong) as raised:
        await hear(OpenAICompatible(endpoint(server.url)).stream(question()))
    assert raised.value.excess == excess


async def test_errors_call_the_connection_by_its_name(server: FakeServer):
    server.plays("openai/bad_key")

    with pytest.raises(
        errors.KeyRejected, match=r"^Workshop rejected the key\. .*Administration → Connections"
    ):
        await hear(OpenAICompatible(endpoint(server.url, label="Workshop")).stream(question()))


async def test_without_a_key_one_is_asked_for(server: FakeServer):
    server.plays("openai/bad_key")

    with pytest.raises(errors.KeyRejected, match="Workshop wants a key"):
        await hear(OpenAICompatible(endpoint(server.url, key=None, label="Workshop")).stream(question()))


@pytest.mark.parametrize("key", ["two\nlines", "schlüssel-0123456789", "with\x00nothing"])
async def test_a_key_that_cannot_be_sent_is_told_without_showing_it(server: FakeServer, key: str):
    provider = OpenAICompatible(endpoint(server.url, key=key))

    with pytest.raises(errors.KeyRejected, match="characters that no key has") as raised:
        await hear(provider.stream(question()))
    assert key not in str(raised.value)
    with pytest.raises(errors.KeyRejected):
        await provider.list_models()
    assert not server.received


async def test_a_prompt_is_not_repeated_in_an_error(server: FakeServer):
    server.plays("openai/refuses_content")
    provider = OpenAICompatible(endpoint(server.url))

    with pytest.raises(errors.RequestRefused) as raised:
        await hear(provider.stream(question("The secret recipe of my grandmother is butter and flour.")))
    assert "grandmother" not in str(raised.value)

    with pytest.raises(errors.RequestRefused, match="grandmother"):
        await hear(provider.stream(question("Something else.")))


@pytest.mark.parametrize(
    "body",
    [
        {"input": ["Something else", "My grandmother's maiden name"]},
        {
            "messages": [
                {"content": [{"type": "tool_use", "input": {"who": ["My grandmother's maiden name"]}}]}
            ]
        },
        {"messages": [{"tool_calls": [{"function": {"arguments": {"q": "My grandmother's maiden name"}}}]}]},
    ],
)
def test_what_is_embedded_or_given_to_tools_is_private_as_well(body: object):
    assert quoted("Cannot read “My grandmother's maiden name”", words_of(body)) == ""


def test_quotes_are_short_and_hold_no_keys():
    assert quoted("") == ""
    assert len(quoted("word " * 200)) < 330
    assert "sk-proj" not in quoted("The key sk-proj-abcdefghijkl is wrong.")
    assert "Xy9" not in quoted("Token " + "Xy9" * 20 + " is wrong.")
    assert quoted("my-own-odd-key is bad", ["my-own-odd-key"]) == ""


async def test_what_was_refused_is_understood_even_where_it_may_not_be_quoted(server: FakeServer):
    server.plays("anthropic/refuses_temperature", "anthropic/answer")
    prompt = "Why does it say that `temperature` is deprecated for this model?"

    asked = question(prompt, temperature=0.5, is_lenient=True)

    heard = await hear(Anthropic(endpoint(server.url)).stream(asked))

    assert heard.text == "Grüße, 世界 🌍!"


async def test_what_a_provider_says_in_surprising_shapes_is_survived(server: FakeServer):
    bodies = [
        b"",
        b"null",
        b"[]",
        b'"no"',
        b"{}",
        b'{"error": null}',
        b'{"error": [1]}',
        b'{"error": {"message": 5}}',
    ]
    for status in (400, 401, 404, 418, 429, 500):
        for body in bodies:
            server.plays(transcript("openai/bad_key").but(status=status, body=body))
            with pytest.raises(errors.ProviderError):
                await hear(OpenAICompatible(endpoint(server.url, retries=0)).stream(question()))
