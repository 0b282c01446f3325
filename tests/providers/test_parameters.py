"""Every field of a request: said in the vendor's words, or refused by name, or left out for who allows it."""

import pytest

from app.providers.base import JsonFormat, Tool, ToolUse
from app.providers.errors import RequestRefused
from tests.providers.reading import question
from tests.providers.saying import SAY

SCHEMA = {"type": "object", "properties": {"city": {"type": "string"}}, "required": ["city"]}
WEATHER = Tool("weather", "Tells the weather.", SCHEMA)
CLOCK = Tool("clock", "Tells the time.", {"type": "object"})
TOOLS = (WEATHER, CLOCK)
OPENAI_SPEAKERS = ["OpenAI-compatible", "OpenAI", "Groq", "LM Studio"]
EVERYBODY = [*OPENAI_SPEAKERS, "Anthropic", "Ollama"]

# A vendor, the OpenAI name of what it has no word for, and the fields that ask for it.
WORDLESS = [
    ("OpenAI", "top_k", {"top_k": 40}),
    ("Groq", "top_k", {"top_k": 40}),
    ("Groq", "frequency_penalty", {"frequency_penalty": 0.5}),
    ("Groq", "presence_penalty", {"presence_penalty": 0.5}),
    ("Anthropic", "seed", {"seed": 7}),
    ("Anthropic", "frequency_penalty", {"frequency_penalty": 0.5}),
    ("Anthropic", "presence_penalty", {"presence_penalty": 0.5}),
    ("Anthropic", "temperature", {"temperature": 0.5, "reasoning_effort": "high"}),
    ("Anthropic", "top_k", {"top_k": 5, "thinking_budget": 2_000}),
    ("Ollama", "tool_choice", {"tool_use": ToolUse.REQUIRED, "tools": TOOLS}),
    ("Ollama", "tool_choice", {"tool_name": "clock", "tools": TOOLS}),
]


@pytest.mark.parametrize(("vendor", "parameter", "fields"), WORDLESS)
def test_what_has_no_word_is_refused_by_its_usual_name(
    vendor: str, parameter: str, fields: dict[str, object]
):
    with pytest.raises(RequestRefused) as raised:
        SAY[vendor](question(**fields))

    assert raised.value.parameter == parameter
    assert vendor in raised.value.cause
    assert f"has no word for `{parameter}`." in raised.value.cause
    assert raised.value.remedy == "Leave it out, or send the header x-parley-drop-unsupported: true."


@pytest.mark.parametrize(("vendor", "parameter", "fields"), WORDLESS)
def test_what_has_no_word_is_left_out_where_the_client_allows_it(
    vendor: str, parameter: str, fields: dict[str, object]
):
    said = SAY[vendor](question(is_lenient=True, **fields))

    assert parameter not in said
    assert parameter not in said.get("options", {})


@pytest.mark.parametrize("vendor", EVERYBODY)
def test_the_usual_needs_no_word(vendor: str):
    usual = question(
        tools=TOOLS,
        top_p=1,
        frequency_penalty=0,
        presence_penalty=0,
        tool_use=ToolUse.AUTO,
        parallel_tool_calls=True,
    )

    assert SAY[vendor](usual)["tools"]


@pytest.mark.parametrize("vendor", OPENAI_SPEAKERS)
def test_openais_words(vendor: str):
    said = SAY[vendor](question(seed=7, top_p=0.9, stop=("END", "STOP"), reasoning_effort="low"))

    assert (said["seed"], said["top_p"], said["stop"]) == (7, 0.9, ["END", "STOP"])
    assert said["reasoning_effort"] == "low"


def test_servers_like_openais_know_more_words_than_openai():
    said = SAY["OpenAI-compatible"](question(top_k=40, frequency_penalty=0.5, presence_penalty=-0.5))

    assert (said["top_k"], said["frequency_penalty"], said["presence_penalty"]) == (40, 0.5, -0.5)


def test_anthropics_words():
    said = SAY["Anthropic"](question(temperature=0.5, top_p=0.9, top_k=40, stop=("END",)))

    assert (said["temperature"], said["top_p"], said["top_k"]) == (0.5, 0.9, 40)
    assert said["stop_sequences"] == ["END"]


def test_ollamas_words_are_options_of_the_model():
    said = SAY["Ollama"](
        question(
            seed=7,
            top_p=0.9,
            top_k=40,
            stop=("END",),
            temperature=0.5,
            max_output_tokens=50,
            frequency_penalty=0.1,
            presence_penalty=0.2,
        )
    )

    assert said["options"] == {
        "num_ctx": 8_192,
        "num_predict": 50,
        "temperature": 0.5,
        "top_p": 0.9,
        "top_k": 40,
        "seed": 7,
        "stop": ["END"],
        "frequency_penalty": 0.1,
        "presence_penalty": 0.2,
    }


def test_a_temperature_beyond_anthropics_is_refused_or_lowered():
    with pytest.raises(RequestRefused, match="temperatures from 0 to 1") as raised:
        SAY["Anthropic"](question(temperature=1.4))

    assert raised.value.parameter == "temperature"
    assert SAY["Anthropic"](question(temperature=1.4, is_lenient=True))["temperature"] == 1.0


@pytest.mark.parametrize("parameter", ["temperature", "top_p"])
def test_a_reasoning_model_of_openais_takes_no_sampling(parameter: str):
    with pytest.raises(RequestRefused, match=f"OpenAI's gpt-6-astra has no word for `{parameter}`"):
        SAY["OpenAI"](question(model="gpt-6-astra", **{parameter: 0.5}))


# Which tool


@pytest.mark.parametrize("vendor", ["OpenAI-compatible", "OpenAI", "Groq"])
@pytest.mark.parametrize(
    ("fields", "choice"),
    [
        ({"tool_use": ToolUse.NONE}, "none"),
        ({"tool_use": ToolUse.REQUIRED}, "required"),
        ({"tool_name": "clock"}, {"type": "function", "function": {"name": "clock"}}),
    ],
)
def test_openais_choice_of_tools(vendor: str, fields: dict[str, object], choice: object):
    said = SAY[vendor](question(tools=TOOLS, parallel_tool_calls=False, **fields))

    assert said["tool_choice"] == choice
    assert said["parallel_tool_calls"] is False


@pytest.mark.parametrize(
    ("fields", "choice"),
    [
        ({"tool_use": ToolUse.NONE}, {"type": "none"}),
        ({"tool_use": ToolUse.REQUIRED}, {"type": "any"}),
        ({"tool_name": "clock"}, {"type": "tool", "name": "clock"}),
        ({"parallel_tool_calls": False}, {"type": "auto", "disable_parallel_tool_use": True}),
        (
            {"parallel_tool_calls": False, "tool_use": ToolUse.REQUIRED},
            {"type": "any", "disable_parallel_tool_use": True},
        ),
        ({"parallel_tool_calls": False, "tool_use": ToolUse.NONE}, {"type": "none"}),
    ],
)
def test_anthropics_choice_of_tools(fields: dict[str, object], choice: object):
    assert SAY["Anthropic"](question(tools=TOOLS, **fields))["tool_choice"] == choice


def test_a_tool_without_parameters_has_a_schema_for_anthropic():
    said = SAY["Anthropic"](question(tools=(Tool("clock", "Tells the time.", {}),)))

    assert said["tools"][0]["input_schema"] == {"type": "object"}


def test_lm_studio_is_offered_nothing_but_the_tool_that_must_be_called():
    said = SAY["LM Studio"](question(tools=TOOLS, tool_name="clock"))

    assert [tool["function"]["name"] for tool in said["tools"]] == ["clock"]
    assert said["tool_choice"] == "required"


def test_ollama_is_offered_no_tools_where_none_may_be_called():
    assert "tools" not in SAY["Ollama"](question(tools=TOOLS, tool_use=ToolUse.NONE))


@pytest.mark.parametrize("vendor", EVERYBODY)
def test_without_tools_nothing_is_said_of_choosing(vendor: str):
    said = SAY[vendor](question(is_lenient=True, tool_use=ToolUse.AUTO, parallel_tool_calls=False))

    assert not {"tools", "tool_choice", "parallel_tool_calls"} & said.keys()


@pytest.mark.parametrize("vendor", ["LM Studio", "Ollama"])
def test_who_has_no_word_for_one_call_at_a_time_is_told_nothing_of_it(vendor: str):
    said = SAY[vendor](question(tools=TOOLS, parallel_tool_calls=False))

    assert len(said["tools"]) == 2
    assert "parallel_tool_calls" not in said


# Answers in JSON


@pytest.mark.parametrize("vendor", OPENAI_SPEAKERS)
def test_openais_schema(vendor: str):
    said = SAY[vendor](question(response_format=JsonFormat(SCHEMA, "place")))

    assert said["response_format"] == {
        "type": "json_schema",
        "json_schema": {"name": "place", "schema": SCHEMA, "strict": True},
    }


@pytest.mark.parametrize("vendor", ["OpenAI-compatible", "OpenAI", "Groq"])
def test_openais_json_without_a_schema(vendor: str):
    assert SAY[vendor](question(response_format=JsonFormat()))["response_format"] == {"type": "json_object"}


def test_lm_studio_knows_json_only_by_a_schema():
    said = SAY["LM Studio"](question(response_format=JsonFormat()))["response_format"]

    assert said["json_schema"] == {"name": "answer", "schema": {"type": "object"}, "strict": False}


def test_ollamas_format_is_a_schema_or_a_word():
    assert SAY["Ollama"](question(response_format=JsonFormat(SCHEMA)))["format"] == SCHEMA
    assert SAY["Ollama"](question(response_format=JsonFormat()))["format"] == "json"


def test_anthropics_strict_schema_stands_beside_effort_and_tools():
    asked = question(response_format=JsonFormat(SCHEMA), reasoning_effort="low", tools=TOOLS)

    said = SAY["Anthropic"](asked)

    assert said["output_config"] == {"effort": "low", "format": {"type": "json_schema", "schema": SCHEMA}}
    assert len(said["tools"]) == 2


@pytest.mark.parametrize(
    ("wanted", "schema"),
    [(JsonFormat(), {"type": "object"}), (JsonFormat(SCHEMA, is_strict=False), SCHEMA)],
)
def test_any_other_json_from_anthropic_is_what_a_tool_is_given(wanted: JsonFormat, schema: object):
    said = SAY["Anthropic"](question(response_format=wanted))

    [tool] = said["tools"]
    assert tool["input_schema"] == schema
    assert said["tool_choice"] == {"type": "tool", "name": tool["name"]}


def test_that_tool_and_others_exclude_each_other():
    asked = {"response_format": JsonFormat(), "tools": TOOLS}

    with pytest.raises(RequestRefused, match="only with a strict schema") as raised:
        SAY["Anthropic"](question(**asked))
    assert raised.value.parameter == "response_format"
    assert len(SAY["Anthropic"](question(is_lenient=True, **asked))["tools"]) == 2


# Thinking


@pytest.mark.parametrize(
    ("budget", "effort"), [(0, "none"), (1_024, "low"), (8_000, "medium"), (16_000, "high"), (60_000, "high")]
)
def test_a_budget_is_an_effort_to_who_knows_no_budgets(budget: int, effort: str):
    asked = question(thinking_budget=budget)

    assert SAY["OpenAI"](asked)["reasoning_effort"] == effort
    assert SAY["Ollama"](asked)["think"] is (effort != "none")


def test_anthropic_is_given_the_budget_itself():
    said = SAY["Anthropic"](question(thinking_budget=3_000))

    assert said["thinking"] == {"type": "enabled", "budget_tokens": 3_000}
    assert "output_config" not in said


def test_an_effort_counts_more_than_a_budget():
    said = SAY["Anthropic"](question(thinking_budget=3_000, reasoning_effort="minimal"))

    assert said["thinking"]["type"] == "adaptive"
    assert said["output_config"] == {"effort": "low"}
