import os

from openai import OpenAI

client = OpenAI(base_url="http://127.0.0.1:8000/v1", api_key=os.environ["PARLEY_KEY"])
stream = client.chat.completions.create(
    model="echo/echo",
    messages=[{"role": "user", "content": "Good morning"}],
    stream=True,
)
for chunk in stream:
    if chunk.choices:
        print(chunk.choices[0].delta.content or "", end="", flush=True)
